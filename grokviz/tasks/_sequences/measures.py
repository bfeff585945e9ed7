"""Measures that all tasks which read sequences have: losses on fresh data.

Everything is measured on the same fresh sequences at every checkpoint
(:class:`grokviz.tasks._sequences.sample.Sample`), whatever data the run was trained on.
"""

from __future__ import annotations

from grokviz.dataset.contract import measure
from grokviz.dataset.variables import PAPER
from grokviz.tasks._sequences.checkpoint import SequenceCheckpoint, SequenceRun

FIGURES = f"{PAPER}, figures 21 to 25"


@measure(units="nats", source=FIGURES, long_name="loss on fresh sequences",
         published="held_out_loss")  # fmt: skip
def held_out_loss(at: SequenceCheckpoint, run: SequenceRun) -> float:
    """Mean cross entropy at the scored positions of fresh sequences, by float64 forward pass."""
    return float(at.sample_measures(run.sample, run.skip_weight).loss.mean())


@measure(source=FIGURES, long_name="accuracy on fresh sequences", published="held_out_accuracy")
def held_out_accuracy(at: SequenceCheckpoint, run: SequenceRun) -> float:
    """Share of those scored positions whose right class has strictly the largest logit."""
    return float(at.sample_measures(run.sample, run.skip_weight).accuracy.mean())
