"""When weights are kept: every so often, in dense stretches, at given epochs, or ever more rarely.

``100``, with dense stretches ``100,25@4000:14000``, at certain epochs ``[1,2,5,10]``, or ``log``:
at about ten epochs in each power of ten.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from grokviz.errors import InputError

LOG = "log"
PER_DECADE = 10
"""Epochs that ``log`` keeps in each power of ten."""


@dataclass(frozen=True)
class Schedule:
    """Every ``every`` epochs, and every n-th in each dense stretch ``(n, first, last)``.

    With ``every`` 0 the epochs are those ``at`` which weights are kept, and for ``log`` those
    next to even spacing on a logarithmic scale; epoch 0 is kept by both.
    """

    every: int
    dense: tuple[tuple[int, int, int], ...] = ()
    at: frozenset[int] = frozenset()
    log: bool = False

    def __contains__(self, epoch: int) -> bool:
        if self.log:
            return epoch == 0 or epoch == _next_to_even(epoch)
        if not self.every:
            return epoch in self.at
        if epoch % self.every == 0:
            return True
        return any(first <= epoch <= last and epoch % n == 0 for n, first, last in self.dense)

    def __str__(self) -> str:
        if self.log:
            return LOG
        if not self.every:
            return str(sorted(self.at)).replace(" ", "")
        return ",".join([str(self.every), *(f"{n}@{a}:{b}" for n, a, b in self.dense)])

    @classmethod
    def parse(cls, given: str | int | Sequence[int], name: str = "checkpoint-every") -> Schedule:
        """Parse ``EVERY[,EVERY@FIRST:LAST]...``, ``log`` or whole numbers in brackets.

        Raises ``InputError``, with the ``name`` of the setting, for anything else.
        """
        try:
            schedule = _parsed(given)
        except (ValueError, TypeError, OverflowError):
            raise InputError(
                f"{name}={str(given)[:60]} is not a schedule; give a number of epochs such as "
                "100, one with dense stretches such as 100,25@4000:14000, epochs such as "
                "[1,2,5,10], or log"
            ) from None
        return schedule


When = str | int | Sequence[int] | Callable[[int], bool]
"""What says when weights are kept: a schedule in any of its forms, or a function of the epoch."""


def keeps(when: When) -> Callable[[int], bool]:
    """The function of the epoch that ``when`` stands for; raises ``InputError`` for another."""
    return when if callable(when) else Schedule.parse(when, "when").__contains__


def _parsed(given: str | int | Sequence[int]) -> Schedule:
    if isinstance(given, bool):
        raise TypeError
    text = str(given).replace(" ", "") if isinstance(given, (str, int)) else ""
    if text == LOG:
        return Schedule(0, log=True)
    if not text or text.startswith("["):
        epochs = [int(part) for part in text[1:-1].split(",")] if text else _whole(given)
        if not epochs or min(epochs) < 0 or (text and not text.endswith("]")):
            raise ValueError
        return Schedule(0, at=frozenset(epochs))
    first, *rest = text.split(",")
    dense = []
    for part in rest:
        every, _, stretch = part.partition("@")
        start, _, stop = stretch.partition(":")
        dense.append((int(every), int(start), int(stop)))
    schedule = Schedule(int(first), tuple(dense))
    if min([schedule.every, *(n for n, _, _ in dense)]) < 1 or any(a > b for _, a, b in dense):
        raise ValueError
    return schedule


def _whole(epochs: str | int | Sequence[int]) -> list[int]:
    if isinstance(epochs, (str, int)):
        raise TypeError
    numbers = [int(epoch) for epoch in np.asarray(epochs).reshape(-1).tolist()]
    if numbers != np.asarray(epochs).reshape(-1).tolist():
        raise ValueError
    return numbers


def _next_to_even(epoch: int) -> int:
    """The epoch nearest to the step of a logarithmic scale that is nearest to ``epoch``."""
    step = round(PER_DECADE * math.log10(epoch))
    return round(10 ** (step / PER_DECADE))
