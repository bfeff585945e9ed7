"""Texts and formulas of films, typeset by Typst, with lengths in pixels of 1920 x 1080.

Layouts are in pixels of 1920 x 1080 from the upper left, whatever the size of a film. Texts are in
the typefaces of :mod:`grokviz.media.typefaces`, formulas in New Computer Modern Math, which comes
with Typst, so they are the same on every machine.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

import manim as mn
import numpy as np

from grokviz.errors import InputError, nearest
from grokviz.media import typefaces
from grokviz.media.formulas import FORMULAS

WIDE, HIGH = 1920, 1080
PER_UNIT = HIGH / 8
"""Pixels per manim unit; a frame is 8 units high."""

SMALLEST, SMALL, BODY, CAPTION, TITLE = 30.0, 32.0, 36.0, 48.0, 60.0
"""Type sizes in pixels; the first is the smallest that can be read from the back row."""

Anchor = Literal["left", "centre", "right"]
_SPECIAL = re.compile(r"([\\#*_`<>@\[\]~\"'/=+-])")


def place(x: float, y: float) -> np.ndarray:
    """The point of pixel (x, y), counted from the upper left of 1920 x 1080."""
    return np.array([(x - WIDE / 2) / PER_UNIT, (HIGH / 2 - y) / PER_UNIT, 0.0])


def length(pixels: float) -> float:
    """A length in manim's units."""
    return pixels / PER_UNIT


def stroke(pixels: float) -> float:
    """A line's width in manim's stroke units."""
    return pixels / PER_UNIT * 100


def words(
    text: str,
    colour: str,
    *,
    px: float = BODY,
    at: tuple[float, float] = (WIDE / 2, HIGH / 2),
    anchor: Anchor = "centre",
    bold: bool = False,
    display: bool = False,
) -> Any:
    """A text in which ``$...$`` is a formula in Typst's notation; several lines by newlines.

    Args:
        text: the text.
        colour: a colour of the theme.
        px: the type size in pixels of 1920 x 1080, at least 30.
        at: the pixel of the anchor; the first line's baseline is at this height.
        anchor: the point of the text that is placed there.
        bold: whether the type is bold.
        display: whether it is in the typeface of titles.

    """
    if px < SMALLEST:
        raise InputError(f"{text!r} would be {px:g} px high; give at least {SMALLEST:g}")
    align = {"left": "left", "centre": "center", "right": "right"}[anchor]
    family = typefaces.DISPLAY if display else typefaces.TEXT
    weight = typefaces.DISPLAY_WEIGHT if display else 700 if bold else 400
    look = f"#set text({_type(family, weight)})\n#set align({align})\n#set par(leading: 0.62em)\n"
    # a letter of zero width at the start marks the baseline, and is removed afterwards
    code = "#box(width: 0pt)[H]" + r" \ ".join(_escape(line) for line in text.split("\n"))
    mobject = mn.Typst(
        code, typst_preamble=look, font_paths=_folders(text, family), color=colour,
        font_size=px * 96 / PER_UNIT,
    )  # fmt: skip
    mark = mobject.submobjects[0]
    base = mark.get_bottom()[1]
    mobject.remove(mark)
    edges = {"left": mobject.get_left, "centre": mobject.get_center, "right": mobject.get_right}
    edge = edges[anchor]()
    mobject.shift(place(*at) - np.array([edge[0], base, 0.0]))
    return mobject


def formula(
    name: str,
    colour: str,
    *,
    px: float = 40.0,
    at: tuple[float, float] = (WIDE / 2, HIGH / 2),
    anchor: Anchor = "centre",
    **values: float,
) -> Any:
    """A formula of :data:`grokviz.media.FORMULAS`, centred in height on ``at``.

    ``values`` replace letters by numbers: ``formula("cos-sum", ink, k=14, a=3)``.
    """
    if name not in FORMULAS:
        raise InputError(f"there is no formula {name}: {nearest(name, list(FORMULAS))}")
    code = FORMULAS[name].typst
    for letter, value in values.items():
        code = re.sub(rf"(?<![a-zA-Z]){letter}(?![a-zA-Z])", f"{value}", code)
    return mathematics(code, colour, px=px, at=at, anchor=anchor)


def mathematics(
    code: str,
    colour: str,
    *,
    px: float = 40.0,
    at: tuple[float, float] = (WIDE / 2, HIGH / 2),
    anchor: Anchor = "centre",
) -> Any:
    """Typst mathematics, centred in height on ``at``; ``{{ ... : name }}`` can be selected."""
    if px < SMALLEST:
        raise InputError(f"{code!r} would be {px:g} px high; give at least {SMALLEST:g}")
    mobject = mn.MathTypst(code, color=colour, font_size=px * 96 / PER_UNIT)
    edges = {"left": mobject.get_left, "centre": mobject.get_center, "right": mobject.get_right}
    edge = edges[anchor]()
    mobject.shift(place(*at) - np.array([edge[0], mobject.get_center()[1], 0.0]))
    return mobject


def mono(
    text: str, colour: str, *, px: float = BODY, at: tuple[float, float], bold: bool = False
) -> Any:
    """Text that ends at ``at``, on its baseline, as one object; its figures are equally wide.

    It reuses glyphs that are typeset once, so it is fast enough for a number that changes in
    every frame.
    """
    mobject = mn.VMobject(fill_color=colour, fill_opacity=1, stroke_width=0)
    weight = _NUMBERS if bold else 400
    glyphs, x = [], at[0]
    for letter in reversed(text):
        x -= typefaces.width(letter, weight=weight) * px
        if not letter.isspace():
            glyphs.append(_glyph(letter, weight) * px + place(x, at[1]))
    mobject.points = np.concatenate(glyphs) if glyphs else np.zeros((0, 3))
    return mobject


_NUMBERS = 600
"""The weight of numbers that stand out."""


@lru_cache(maxsize=256)
def _glyph(letter: str, weight: int) -> np.ndarray:
    """Points of a letter one pixel high, which begins at the origin on the baseline."""
    look = f"#set text({_type(typefaces.TEXT, weight)})\n"
    # the bar is centred in its cell, which tells where the letter's own begins
    code = f"#box(width: 0pt)[H]#box(width: 1em)[#align(center)[|]]#box[{_escape(letter)}]"
    folders = _folders(letter, typefaces.TEXT)
    mobject = mn.Typst(code, typst_preamble=look, font_paths=folders, font_size=96)
    mobject.scale(1 / PER_UNIT)
    mark, bar, *glyphs = mobject.submobjects
    start = np.array([bar.get_center()[0] + 0.5 / PER_UNIT, mark.get_bottom()[1], 0])
    points: np.ndarray = np.concatenate([glyph.points for glyph in glyphs]) - start
    return points


def _type(family: str, weight: int) -> str:
    """Typst's arguments for a typeface, and DejaVu Sans for what it lacks."""
    return f'font: ("{family}", "{typefaces.FALLBACK}"), weight: {weight}'


def _folders(text: str, family: str) -> list[str]:
    """The folders of fonts that a text needs: Typst reads all that it is given."""
    folders = typefaces.font_folders(family)
    return folders if any(ord(letter) > 0x17F for letter in text) else folders[:1]


def _escape(line: str) -> str:
    """Escape a line, except for ``$``, for Typst."""
    parts = line.split("$")
    if len(parts) % 2 == 0:
        raise InputError(f"{line!r} has a $ that is not closed; write $...$ around a formula")
    return "".join(
        f"${part}$" if i % 2 else _SPECIAL.sub(r"\\\1", part) for i, part in enumerate(parts)
    )
