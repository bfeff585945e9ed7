"""Text that fits: measured with the renderer, then made smaller, wrapped, or cut at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

Ruler = Callable[[str, float], tuple[float, float]]
"""The width and height of text at a type size; all lengths in ems of the body type."""

STEPS = 8
"""How many sizes are tried between the largest and the smallest."""

WORD = 400
"""More characters than any line has."""

SLACK = 0.99


@dataclass(frozen=True)
class Fitted:
    """Lines of text and their type size, in ems of the body type."""

    lines: tuple[str, ...]
    size: float

    @property
    def text(self) -> str:
        """The lines below one another."""
        return "\n".join(self.lines)


def ruler(figure: Any, points: float, **look: Any) -> Ruler:
    """Measures on a figure's own renderer; ``points`` is the body type size, ``look`` the font."""
    em = points / 72 * figure.dpi

    @cache
    def measure(text: str, size: float) -> tuple[float, float]:
        artist = figure.text(0, 0, text, fontsize=size * points, parse_math=False, **look)
        box = artist.get_window_extent()
        artist.remove()
        return float(box.width) / em, float(box.height) / em

    return measure


def fit(text: str, room: float, measure: Ruler, sizes: tuple[float, float], most: int) -> Fitted:
    """One line between the largest and the smallest of ``sizes``; else lines in the smallest.

    Lines that the text has already stay. After ``most`` lines it is cut, and ends in an ellipsis.
    """
    largest, smallest = sizes
    given = text.split("\n")
    if len(given) == 1:
        # at which size it would fit is known nearly; glyphs are drawn at whole pixels
        near = largest * room / max(measure(text, largest)[0], 1e-9)
        for step in range(STEPS + 1):
            size = largest - (largest - smallest) * step / STEPS
            if size < 1.05 * near and measure(text, size)[0] <= room:
                return Fitted((text,), size)
    lines: list[str] = []
    for part in given:
        lines += _balanced(part, room, measure, smallest, most)
    if len(lines) > most:
        lines = [*lines[: most - 1], _cut(lines[most - 1], room, measure, smallest)]
    return Fitted(tuple(lines), smallest)


def _balanced(text: str, room: float, measure: Ruler, size: float, most: int) -> list[str]:
    """The fewest lines that fit, of about equal length where there are a few."""
    lines = _wrapped(text, room, measure, size, most)
    if not 1 < len(lines) < 4 or len(lines) > most:  # what is cut is not balanced
        return lines
    for share in (0.55, 0.65, 0.75, 0.85):
        narrower = _wrapped(text, room * share, measure, size, len(lines))
        if len(narrower) == len(lines):
            return narrower
    return lines


def _wrapped(text: str, room: float, measure: Ruler, size: float, most: int) -> list[str]:
    """Lines filled one after another, at spaces, or anywhere in a word longer than a line.

    After ``most`` lines there is one more, which says that there is more text.
    """
    space = measure("n n", size)[0] - measure("nn", size)[0]
    room *= SLACK  # words beside one another are not quite as wide as each alone
    lines: list[str] = []
    line, wide = "", 0.0
    for word in text.split(" "):
        width = measure(word[:WORD], size)[0]
        if line and wide + space + width <= room:
            line, wide = f"{line} {word}", wide + space + width
            continue
        lines += [line] if line else []
        line, wide = word, width
        while wide > room and len(lines) <= most:
            head = _head(line, room, measure, size)
            lines, line = [*lines, line[:head]], line[head:]
            wide = measure(line[:WORD], size)[0]
        if len(lines) > most:
            return lines
    return [*lines, line]


def _head(word: str, room: float, measure: Ruler, size: float) -> int:
    """How many characters of a word fit on a line, one at least."""
    low, high = 1, min(len(word), WORD)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if measure(word[:middle], size)[0] <= room else (low, middle)
    return low


def _cut(line: str, room: float, measure: Ruler, size: float) -> str:
    """The beginning of a line, with an ellipsis that says that there was more."""
    while line and measure(f"{line} …", size)[0] > room:
        line = line[:-1].rstrip()
    return f"{line} …" if line else "…"
