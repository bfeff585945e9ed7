"""The runs of skip trigrams, as their measures see them."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.skip_trigram.data import SkipTrigram
from grokviz.tasks.skip_trigram.probes import key_token


@dataclass
class SkipTrigramRun(SequenceRun):
    """A run with a probe of attention to the key token, on 1000 of its fresh sequences."""

    data_type = SkipTrigram
    kind = SampleKind(1000, {"key": key_token})
