"""A run of skip trigrams as its measures see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.skip_trigram.data import SkipTrigram
from grokviz.tasks.skip_trigram.probes import key_token


@dataclass
class SkipTrigramRun(SequenceRun):
    """Measured on 1000 fresh sequences, with a probe of the attention to the key token."""

    kind = SampleKind(1000, {"key": key_token})

    @classmethod
    def data_of(cls, settings: Mapping[str, Any]) -> SkipTrigram:
        """What the settings say; what they leave out is as published."""
        return SkipTrigram.from_settings(settings)
