"""The runs of digit addition, as their measures see them."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.digit_addition.data import DigitAddition


@dataclass
class DigitAdditionRun(SequenceRun):
    """A run of digit addition, measured on fresh sums, the first 500 of them as they ever were."""

    data_type = DigitAddition
    kind = SampleKind(500)
