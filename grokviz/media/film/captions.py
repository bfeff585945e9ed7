"""Captions of a film as SubRip files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grokviz.media.plain import clean_text

ARROW = "-->"


@dataclass(frozen=True)
class Caption:
    """A line of text, from its first frame to the one after its last."""

    start: int
    stop: int
    text: str


CaptionWriter = Callable[[Sequence[Caption], Fraction], str]
"""Converts captions and the film's frame rate to the text of a file."""


def subrip(captions: Sequence[Caption], fps: Fraction) -> str:
    """Captions in SubRip format; no text ends its caption or begins another."""
    rows = [
        f"{n}\n{_clock(row.start / fps)} {ARROW} {_clock(row.stop / fps)}\n{_text(row.text)}\n"
        for n, row in enumerate(captions, 1)
    ]
    return "\n".join(rows)


def _text(text: str) -> str:
    """Clean lines, none of them empty, without what stands between two times."""
    lines = clean_text(text).replace(ARROW, "\N{RIGHTWARDS ARROW}").split("\n")
    return "\n".join(line for line in lines if line.strip())


def _clock(seconds: Fraction) -> str:
    """Hours, minutes, seconds and milliseconds in SubRip's notation."""
    thousandths = round(seconds * 1000)
    rest, thousandths = divmod(thousandths, 1000)
    return f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d},{thousandths:03d}"
