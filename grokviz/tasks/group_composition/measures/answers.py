"""Losses, accuracies and answers over all pairs, and the stages that they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.dataset.contract import FLOAT64, Published, Storage, logged, measure, requires
from grokviz.tasks._scores import by_set, named_ends, stage_ends
from grokviz.tasks.group_composition.checkpoint import GroupCheckpoint, GroupRun
from grokviz.tasks.group_composition.formulas import answers

if TYPE_CHECKING:
    pass

PAPER = "arXiv:2302.03025"


@measure("split", units="nats", source=PAPER, stored=FLOAT64, published="loss_{split}")
def loss(at: GroupCheckpoint, run: GroupRun) -> Float[np.ndarray, " split"]:
    """Mean cross entropy over the elements as answers, in float64."""
    return by_set(answers.losses(at.logits, run.group), run.is_train)


@measure("split", source=PAPER, stored=FLOAT64, published="accuracy_{split}")
def accuracy(at: GroupCheckpoint, run: GroupRun) -> Float[np.ndarray, " split"]:
    """Share of pairs whose largest logit is the right one."""
    return by_set(answers.right(at.logits, run.group), run.is_train)


@measure("x", "y", on="field_epoch", long_name="what the network answers", source=PAPER,
         stored=Storage("int16"))  # fmt: skip
def answer(at: GroupCheckpoint, run: GroupRun) -> Int[np.ndarray, "x y"]:
    """The number of the element with the largest logit, for every pair."""
    order = run.group.order
    largest: Int[np.ndarray, "x y"] = at.logits.argmax(axis=1).reshape(order, order)
    return largest


@measure("x", "y", on="run", long_name="multiplication table", source=PAPER,
         stored=Storage("int16"))  # fmt: skip
def product(run: GroupRun) -> Int[np.ndarray, "x y"]:
    """The number of the element xy."""
    return run.group.table


@measure("x", "y", on="run", long_name="pairs trained on", source=PAPER, stored=Storage("int8"))
def trained_pair(run: GroupRun) -> Int[np.ndarray, "x y"]:
    """1 for the pairs trained on, 0 for the others, -1 where the split is not known."""
    order = run.group.order
    train: Bool[np.ndarray, " pairs"] | None = run.is_train
    known = np.full(order**2, -1) if train is None else train.astype(int)
    return known.reshape(order, order)


@measure("stage", on="run", units="epoch", long_name="end of the stage", source=PAPER,
         stored=Storage("int64"), published=Published(named_ends, ("stage",)))  # fmt: skip
@requires(logged("train_accuracy", "accuracy logged in training"))
def stage_end(run: GroupRun) -> Int[np.ndarray, " stage"]:
    """First epoch at which the logged accuracy on the training pairs, and on the test pairs, is
    0.95; -1 for never, or where it was not logged.
    """
    return stage_ends(run)
