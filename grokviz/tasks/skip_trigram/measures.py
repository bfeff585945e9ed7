"""Whether a skip trigram's last token finds the key token."""

from __future__ import annotations

from grokviz.dataset.contract import measure
from grokviz.tasks._sequences.checkpoint import SequenceCheckpoint
from grokviz.tasks.skip_trigram.checkpoint import SkipTrigramRun


@measure(source="thread, claim on phase changes; non-modular notebook",
         long_name="attention to the key token", published="key_attention")  # fmt: skip
def key_attention(at: SequenceCheckpoint, run: SkipTrigramRun) -> float:
    """Mean attention from the last token to the key token, over fresh sequences and heads."""
    return float(at.sample_measures(run.sample, run.skip_weight).attention["key"].mean())
