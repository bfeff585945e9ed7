"""What a scene hands to whatever shows it: what moves, and how it is moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Part(Protocol):
    """A part of a picture: what of it moves, and what moves it to a clock index."""

    @property
    def moving(self) -> Sequence[Any]:
        """The artists that move."""

    def update(self, i: int, /) -> None:
        """Set their data for one clock index."""


def nothing(i: int) -> None:
    """Move nothing: the update of a picture that does not move."""


@dataclass(frozen=True)
class Drawing:
    """What ``Scene.draw`` returns.

    Attributes:
        moving: the artists that ``update`` changes (nested lists will do), from which films
            are drawn in layers.
        update: sets their data for one index of the scene's clock, and nothing else.
        play: of a picture that also moves while the clock stands still: sets their data for a
            share of a film's time, from 0 to 1, given the clock indices that the film goes
            through, and says which of them is shown. It takes the place of ``update`` in films.

    """

    moving: Sequence[Any] = ()
    update: Callable[[int], None] = nothing
    play: Callable[[float, Sequence[int]], int] | None = None

    @classmethod
    def of(cls, *parts: Part) -> Drawing:
        """The drawing of several parts, each of which has ``moving`` and ``update(i)``."""

        def update(i: int) -> None:
            for part in parts:
                part.update(i)

        return cls([part.moving for part in parts], update)
