"""Parts of the datasets of tasks that read sequences: losses on fresh data.

Everything measured here is measured on the same fresh sequences at every checkpoint
(:class:`grokviz.tasks._sequences.sample.Sample`), whatever data the run was trained on.
"""

from __future__ import annotations

from grokviz.dataset.part import Part, Values
from grokviz.tasks._sequences.checkpoint import SequenceCheckpoint, SequenceRun


class SequencePart(Part):
    """What takes a forward pass over the fresh sequences."""

    heavy = True


class HeldOutPart(SequencePart):
    """Loss and accuracy on fresh sequences."""

    def at(self, context: SequenceRun, checkpoint: SequenceCheckpoint) -> Values:
        """Means over sequences and scored positions."""
        m = context.measured(checkpoint)
        return {"held_out_loss": m.loss.mean(), "held_out_accuracy": m.accuracy.mean()}
