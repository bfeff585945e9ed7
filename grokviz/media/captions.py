"""Captions of a film as files of their own: SubRip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Caption:
    """A line on screen, from its first frame to the one after its last."""

    start: int
    stop: int
    text: str


CaptionWriter = Callable[[Sequence[Caption], Fraction], str]
"""Captions and the film's frames a second as the text of a file."""


def subrip(captions: Sequence[Caption], fps: Fraction) -> str:
    """Captions as SubRip, which players show and people translate."""
    rows = [
        f"{n}\n{_clock(row.start / fps)} --> {_clock(row.stop / fps)}\n{row.text}\n"
        for n, row in enumerate(captions, 1)
    ]
    return "\n".join(rows)


def _clock(seconds: Fraction) -> str:
    """Hours, minutes, seconds and thousandths, as SubRip has them."""
    thousandths = round(seconds * 1000)
    rest, thousandths = divmod(thousandths, 1000)
    return f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d},{thousandths:03d}"
