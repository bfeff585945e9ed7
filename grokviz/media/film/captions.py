"""Captions of a film as SubRip files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Caption:
    """A line of text, from its first frame to the one after its last."""

    start: int
    stop: int
    text: str


CaptionWriter = Callable[[Sequence[Caption], Fraction], str]
"""Converts captions and the film's frame rate to the text of a file."""


def subrip(captions: Sequence[Caption], fps: Fraction) -> str:
    """Captions in SubRip format."""
    rows = [
        f"{n}\n{_clock(row.start / fps)} --> {_clock(row.stop / fps)}\n{row.text}\n"
        for n, row in enumerate(captions, 1)
    ]
    return "\n".join(rows)


def _clock(seconds: Fraction) -> str:
    """Hours, minutes, seconds and milliseconds in SubRip's notation."""
    thousandths = round(seconds * 1000)
    rest, thousandths = divmod(thousandths, 1000)
    return f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d},{thousandths:03d}"
