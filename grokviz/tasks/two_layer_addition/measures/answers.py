"""Losses, accuracies and answers over all pairs, and the stages that they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, Published, Storage, logged, measure, requires
from grokviz.tasks._scores import by_set, named_ends, stage_ends
from grokviz.tasks.two_layer_addition.checkpoint import TwoLayerCheckpoint, TwoLayerRun
from grokviz.tasks.two_layer_addition.formulas import answers
from grokviz.tasks.two_layer_addition.measures.neurons import PAPER

if TYPE_CHECKING:
    pass


@measure("split", units="nats", source=PAPER, stored=FLOAT64, published="loss_{split}")
def loss(at: TwoLayerCheckpoint, run: TwoLayerRun) -> Float[np.ndarray, " split"]:
    """Mean cross entropy over the p answers, in float64."""
    return by_set(answers.losses(at.logits(run.activation)), run.is_train)


@measure("split", source=PAPER, stored=FLOAT64, published="accuracy_{split}")
def accuracy(at: TwoLayerCheckpoint, run: TwoLayerRun) -> Float[np.ndarray, " split"]:
    """Share of pairs whose largest logit is the right one."""
    return by_set(answers.margins(at.logits(run.activation)) > 0, run.is_train)


@measure("residue", units="logits", long_name="mean logit by distance from the right answer",
         source="arXiv:2301.02679")  # fmt: skip
def logit_by_distance(at: TwoLayerCheckpoint, run: TwoLayerRun) -> Float[np.ndarray, " residue"]:
    """Mean over all pairs of the logit of the answer that is so much more than the right one."""
    return answers.by_distance(at.logits(run.activation))


@measure("stage", on="run", units="epoch", long_name="end of the stage", source=PAPER,
         stored=Storage("int64"), published=Published(named_ends, ("stage",)))  # fmt: skip
@requires(logged("train_accuracy", "accuracy logged in training"))
def stage_end(run: TwoLayerRun) -> Int[np.ndarray, " stage"]:
    """First epoch at which the logged accuracy on the training pairs, and on the test pairs, is
    0.95; -1 for never, or where it was not logged.
    """
    return stage_ends(run)
