"""Sizes and rates of films by one letter."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from grokviz.errors import InputError
from grokviz.media.formats import Format


@dataclass(frozen=True)
class Quality:
    """Width and height in pixels, frames a second."""

    width: int
    height: int
    fps: float | Fraction


QUALITIES = {
    "l": Quality(854, 480, 15),
    "m": Quality(1280, 720, 30),
    "h": Quality(1920, 1080, 60),
    "k": Quality(3840, 2160, 60),
}
DURATION = 16.0
"""Seconds of a film unless others are asked for."""

LOOP = Quality(960, 540, 20)
"""What a loop gets unless a quality is asked for: it is meant for a page."""


def quality(letter: str | None, kind: Format) -> Quality:
    """The size and rate for a letter, or the default of the format."""
    if letter is None:
        return LOOP if kind.loop else QUALITIES["m"]
    if letter not in QUALITIES:
        raise InputError(f"there is no quality {letter}; choose one of {', '.join(QUALITIES)}")
    return QUALITIES[letter]
