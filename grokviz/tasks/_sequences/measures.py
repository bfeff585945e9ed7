"""Measures that all tasks which read sequences have: losses on fresh data.

Everything is measured on the same fresh sequences at every checkpoint
(:class:`grokviz.tasks._sequences.sample.Sample`), whatever data the run was trained on.
"""

from __future__ import annotations

from grokviz.dataset.contract import FLOAT64, Storage, measure
from grokviz.dataset.variables import PAPER
from grokviz.tasks._sequences.checkpoint import SequenceCheckpoint, SequenceRun

FIGURES = f"{PAPER}, figures 21 to 25"


@measure(units="nats", source=FIGURES, long_name="loss on fresh sequences",
         published="held_out_loss")  # fmt: skip
def held_out_loss(at: SequenceCheckpoint, run: SequenceRun) -> float:
    """Mean cross entropy at the scored positions of 2,048 fresh sequences, by float64 forward pass;
    of a reference without held_out_sequences, of as many as attention is measured on.
    """
    return float(at.sample_measures(run.sample, run.skip_weight).loss.mean())


@measure(units="nats", source=FIGURES, long_name="standard error of the loss on fresh sequences",
         published="held_out_loss_error")  # fmt: skip
def held_out_loss_error(at: SequenceCheckpoint, run: SequenceRun) -> float:
    """Standard error of held_out_loss, from how far the sequences' own means are apart."""
    return at.sample_measures(run.sample, run.skip_weight).error


@measure(
    on="run",
    source=FIGURES,
    long_name="number of fresh sequences",
    stored=Storage("int64"),
    published="held_out_sequences",
)
def held_out_sequences(run: SequenceRun) -> int:
    """Number of fresh sequences on which held_out_loss is measured."""
    return len(run.sample)


@measure(on="run", units="nats", source=FIGURES, stored=FLOAT64,
         long_name="last loss on fresh sequences", published="final_held_out_loss")  # fmt: skip
def final_held_out_loss(run: SequenceRun) -> float:
    """held_out_loss of the last checkpoint, on 2,048 sequences in every reference."""
    return float(run.last.sample_measures(run.sample, run.skip_weight).loss.mean())


@measure(on="run", units="nats", source=FIGURES, stored=FLOAT64,
         long_name="standard error of the last loss on fresh sequences",
         published="final_held_out_error")  # fmt: skip
def final_held_out_error(run: SequenceRun) -> float:
    """Standard error of final_held_out_loss."""
    return float(run.last.sample_measures(run.sample, run.skip_weight).error)


@measure(source=FIGURES, long_name="accuracy on fresh sequences", published="held_out_accuracy")
def held_out_accuracy(at: SequenceCheckpoint, run: SequenceRun) -> float:
    """Share of those scored positions whose right class has strictly the largest logit."""
    return float(at.sample_measures(run.sample, run.skip_weight).accuracy.mean())
