"""Rows of the dataset's table that all tasks which read sequences have.

"Fresh sequences" are the same for all checkpoints and runs of a task's sizes: they are drawn
with a seed that no recipe uses (:mod:`grokviz.tasks._sequences.sample`).
"""

from __future__ import annotations

from grokviz.dataset.variables import PAPER, Variable

ROWS = [
    Variable(
        "held_out_loss", "held_out", ("epoch",), "loss on fresh sequences", "nats",
        "mean cross entropy at the scored positions of fresh sequences, by float64 forward pass",
        f"{PAPER}, figures 21 to 25"),
    Variable(
        "held_out_accuracy", "held_out", ("epoch",), "accuracy on fresh sequences", "1",
        "share of those scored positions whose right class has strictly the largest logit",
        f"{PAPER}, figures 21 to 25"),
]  # fmt: skip
