"""A run of repeated subsequences as its measures see it."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.repeated_subsequence.data import RepeatedSubsequence
from grokviz.tasks.repeated_subsequence.probes import induction, previous_token


@dataclass
class RepeatedSubsequenceRun(SequenceRun):
    """Measured on 128 fresh sequences, with probes of both kinds of heads."""

    data_type = RepeatedSubsequence
    kind = SampleKind(128, {"previous_token": previous_token, "induction": induction})
    doubled = True
