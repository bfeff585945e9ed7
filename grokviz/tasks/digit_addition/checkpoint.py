"""A run of digit addition as its measures see it."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.digit_addition.data import DigitAddition


@dataclass
class DigitAdditionRun(SequenceRun):
    """Measured on 500 fresh sums."""

    data_type = DigitAddition
    kind = SampleKind(500)
