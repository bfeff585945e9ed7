"""A run of repeated subsequences as its measures see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.repeated_subsequence.data import RepeatedSubsequence
from grokviz.tasks.repeated_subsequence.probes import induction, previous_token


@dataclass
class RepeatedSubsequenceRun(SequenceRun):
    """Measured on 128 fresh sequences, with probes of both kinds of heads."""

    kind = SampleKind(128, {"previous_token": previous_token, "induction": induction})
    doubled = True

    @classmethod
    def data_of(cls, settings: Mapping[str, Any]) -> RepeatedSubsequence:
        """What the settings say; what they leave out is as published."""
        return RepeatedSubsequence.from_settings(settings)
