"""A run of digit addition as its measures see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.digit_addition.data import DigitAddition


@dataclass
class DigitAdditionRun(SequenceRun):
    """Measured on 500 fresh sums."""

    kind = SampleKind(500)

    @classmethod
    def data_of(cls, settings: Mapping[str, Any]) -> DigitAddition:
        """What the settings say; five digits where they do not."""
        return DigitAddition.from_settings(settings)
