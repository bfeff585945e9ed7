"""The network's own answers: of every pair, whether it is right and how sure the network is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.dataset.contract import Storage, measure
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas.answers import groups_of_pairs, right_by_group

BYTE = Storage("int8")
SOURCE = "standard"
OURS = "defined here"


@measure("residue", "residue_b", source=SOURCE, long_name="probability of the right answer",
         stored=Storage(step=1 / 64))  # fmt: skip
def answer_probability(
    at: ModularAdditionCheckpoint,
) -> Float[np.ndarray, "residue residue_b"]:
    """Probability that the network gives (a + b) mod p for the pair (a, b), by softmax over the p
    number classes ('=' left out).
    """
    return at.scores.probability.reshape(at.weights.p, at.weights.p)


@measure("residue", "residue_b", source=SOURCE, long_name="answer is right", stored=BYTE)
def answer_right(at: ModularAdditionCheckpoint) -> Bool[np.ndarray, "residue residue_b"]:
    """1 where the largest logit of the pair (a, b) is that of (a + b) mod p, else 0."""
    return at.scores.right.reshape(at.weights.p, at.weights.p)


@measure("pair_group", units="pairs", source=OURS, long_name="right answers")
def right_answers(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " pair_group"]:
    """How many pairs of each group are answered right; NaN without a split."""
    return right_by_group(at.scores.right, groups_of_pairs(run.is_train, run.p))


@measure("residue", "residue_b", on="run", source=OURS, long_name="group of a pair", stored=BYTE)
def group_of_pair(run: ModularAdditionRun) -> Int[np.ndarray, "residue residue_b"]:
    """Place in pair_group of the pair (a, b): 0 if it was trained on, 1 if only (b, a) was, 2 if
    neither was; -1 where the run does not say what it was trained on.
    """
    return groups_of_pairs(run.is_train, run.p)
