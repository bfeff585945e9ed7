"""The runs of digit addition, as their measures see them."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.tasks._sequences.checkpoint import SequenceRun
from grokviz.tasks._sequences.sample import SampleKind
from grokviz.tasks.digit_addition.data import DigitAddition


@dataclass
class DigitAdditionRun(SequenceRun):
    """A run of digit addition, measured on 500 fresh sums."""

    data_type = DigitAddition
    kind = SampleKind(500)
