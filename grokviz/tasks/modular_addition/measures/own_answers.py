"""What the network itself answers to every sum, at a few epochs: what a page asks it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import Storage, dimension, measure
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionRun

SOURCE = "defined here"


@dimension
def answer_epoch(run: ModularAdditionRun) -> Int[np.ndarray, " answer_epoch"]:
    """Epochs at which the network's answer to every sum is kept."""
    return run.answer_epochs


@measure("answer_epoch", "residue", "residue_b", on="run", source=SOURCE,
         long_name="error of the network's answer", stored=Storage("int16"))  # fmt: skip
def own_answer_error(run: ModularAdditionRun) -> Int[np.ndarray, "answer_epoch residue residue_b"]:
    """By how much the network's answer to a + b, the number with the largest logit, is off:
    (answer - a - b) mod p, 0 where it is right.
    """
    return run.own_answers[0]


@measure("answer_epoch", "residue", "residue_b", on="run", source=SOURCE,
         long_name="probability of the network's answer", stored=Storage(step=1 / 128))  # fmt: skip
def own_answer_probability(
    run: ModularAdditionRun,
) -> Float[np.ndarray, "answer_epoch residue residue_b"]:
    """Probability that the network gives to its answer to a + b, right or wrong, by softmax over
    the p numbers ('=' left out).
    """
    return run.own_answers[1]
