"""What the claims of these scenes share: how a share grows, and what is true in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grokviz.scene import Claim, frequencies, spoken
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome
from grokviz.scene.phases import told_end
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr

TAKEN_OVER = 0.75
"""The share from which a few waves have taken over: less is a majority with much beside it."""

GREW = 2.0
"""How many times its first value a share must be: what was so from the beginning did not grow."""


NEAR = 0.1
"""So much of an epoch may lie between it and a checkpoint that stands for it."""


@dataclass(frozen=True)
class Growth:
    """A share at the first moment and at the last that a film shows.

    Attributes:
        first, last: the share then.
        moment: the last moment, as it is said in a sentence.

    """

    first: float
    last: float
    moment: str

    @classmethod
    def of(cls, data: xr.Dataset, shares: np.ndarray, clock: str = "epoch") -> Growth:
        """From a share at each moment of a clock."""
        last = film_end(data, clock)
        return cls(float(shares[0]), float(shares[last]), moment(data, last, clock))

    @property
    def holds(self) -> bool:
        """Whether it grew to nearly the whole; false for what is no number."""
        return self.last >= TAKEN_OVER and self.last >= GREW * self.first

    @property
    def words(self) -> str:
        """From what to what."""
        return f"from {percent(self.first)} to {percent(self.last)}"


def film_end(data: xr.Dataset, clock: str = "epoch") -> int:
    """The index of the last moment that a film shows, or a picture of a later one."""
    return told_end(data, clock)


def moment(data: xr.Dataset, i: int, clock: str = "epoch") -> str:
    """The moment at index ``i``, as it is said in a sentence: "epoch 19,000"."""
    return f"{clocks.word(data, clock)} {int(data[clock].values[i]):,}"


def listed(numbers: Sequence[int]) -> str:
    """Numbers as they stand in a sentence: "14, 35 and 52"."""
    *head, last = map(str, numbers)
    return f"{', '.join(head)} and {last}" if head else last


def waves(count: int) -> str:
    """So many waves."""
    return f"{count} wave{'' if count == 1 else 's'}"


def in_words(count: int, one: str) -> str:
    """So many of a thing in a sentence, in words up to twelve: "five waves"."""
    return f"{spoken.in_words(count)} {one}{'' if count == 1 else 's'}"


def some(shown: int, count: int, one: str) -> str:
    """So many of a thing, of how many if not all: "five waves", "two of five waves"."""
    every = in_words(count, one)
    return every if shown == count else f"{spoken.in_words(shown)} of {every}"


def clusters(count: int) -> str:
    """The clusters that neurons join."""
    return in_words(count, "cluster") if count else "clusters"


def counted(count: int) -> str:
    """So many waves, as a sentence begins with them: "Five waves"."""
    return in_words(count, "wave").capitalize()


def idle(data: xr.Dataset) -> str:
    """Which embedded waves the network does not compute with, as "31"; nothing where all are key.

    Nor is there a name for more than three.
    """
    keys = frequencies.key_frequencies(data)
    others = [k for k in frequencies.embedded(data) if k not in keys]
    return listed(others) if keys and 0 < len(others) < 4 else ""


def instead(data: xr.Dataset, sentence: str, **numbers: float) -> Claim:
    """What is true where a claim is not: what became of the run, or of one that learned this."""
    run = outcome(data)
    return Claim.instead(sentence if run.learned or not run.known else run.sentence, **numbers)
