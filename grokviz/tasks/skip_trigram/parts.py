"""The parts of the dataset that runs of skip trigrams have."""

from __future__ import annotations

from grokviz.dataset.part import Part, Values
from grokviz.tasks._sequences.checkpoint import SequenceCheckpoint
from grokviz.tasks._sequences.parts import HeldOutPart, SequencePart
from grokviz.tasks.skip_trigram.checkpoint import SkipTrigramRun


class KeyPart(SequencePart):
    """Whether a skip trigram's last token finds the key token."""

    def at(self, context: SkipTrigramRun, checkpoint: SequenceCheckpoint) -> Values:
        """Attention to it, mean over heads and sequences."""
        return {"key_attention": context.measured(checkpoint).attention["key"].mean()}


PARTS: dict[str, Part] = {"held_out": HeldOutPart(), "key": KeyPart()}
