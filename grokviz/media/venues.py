"""Widths and type sizes of figures at publication venues and on slides.

The table has one line per venue, from its style file or author guide, with the day on which that
was looked up. To add a venue, add a line with its source; a user's own is a file of three lines,
which :func:`find_venue` reads. :func:`page` computes the exact size of a figure, and
:func:`screen` that of a film.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokviz.errors import InputError, nearest
from grokviz.media.theme import SLIDE_DPI, SLIDE_INCHES, Theme

TEX_POINTS_PER_INCH = 72.27  # LaTeX's pt; PDF's is 1/72 inch


@dataclass(frozen=True)
class Venue:
    """Widths in inches, type size in points, the source of both and the day it was looked up.

    ``column`` is the width of one text column, ``text`` of the whole text; they are
    equal if the venue has one column. ``checked`` is a date such as ``2026-11-30``, and empty
    where nobody but the user says the sizes.
    """

    name: str
    column: float
    text: float
    points: float
    source: str
    checked: str = ""


_MM = 1 / 25.4
_PT = 1 / TEX_POINTS_PER_INCH

_UNITS = {"in": 1.0, "mm": _MM, "cm": 10 * _MM, "pt": _PT, "pc": 12 * _PT}
"""Inches of each unit; points and picas are those of LaTeX."""

_ACL = "acl.sty: A4, margins 2.5 cm, columnsep .6 cm"
_DAY = "2026-11-30"

VENUES: dict[str, Venue] = {
    venue.name: venue
    for venue in (
        Venue("neurips", 5.5, 5.5, 9, "neurips_2025.sty: textwidth 5.5in", _DAY),
        Venue("iclr", 5.5, 5.5, 9, "iclr2026_conference.sty: textwidth 5.5 true in", _DAY),
        Venue("colm", 5.5, 5.5, 9, "colm2024_conference.sty: textwidth 5.5 true in", _DAY),
        Venue("icml", 3.25, 6.75, 9, "icml2025.sty: textwidth 6.75in, columnsep .25in", _DAY),
        Venue("aistats", 3.25, 6.75, 9, "aistats2025.sty: textwidth 6.75in, columnsep .25in", _DAY),
        Venue("tmlr", 6.5, 6.5, 9, "tmlr.sty: textwidth 6.5 true in", _DAY),
        Venue("jmlr", 6.0, 6.0, 10, "jmlr2e.sty: textwidth 6 true in", _DAY),
        Venue("acl", 3.03, 6.30, 9, _ACL, _DAY),
        Venue("emnlp", 3.03, 6.30, 9, _ACL, _DAY),
        Venue("naacl", 3.03, 6.30, 9, _ACL, _DAY),
        Venue(
            "cvpr", 3.28125, 6.875, 9,
            "CVPR 2026 author kit: text 6 7/8 in, 5/16 in between columns", _DAY,
        ),
        Venue("aaai", 3.3125, 7.0, 9, "aaai25.sty: textwidth 7in, columnsep .375in", _DAY),
        Venue(
            "ieee", 252 * _PT, 516 * _PT, 8,
            "IEEE Author Center, size requirements for graphics, and IEEEtran.cls: 21 and 43 pc; "
            "conference template: figure labels 8 pt", _DAY,
        ),
        Venue(
            "acm", (8.5 - 132 * _PT) / 2, 8.5 - 108 * _PT, 9,
            "acmart, sigconf: letter paper, margins 54 pt, columnsep 2 pc", _DAY,
        ),
        Venue(
            "springer", 84 * _MM, 174 * _MM, 8,
            "Springer journals, artwork: 84 and 174 mm, lettering 8 to 12 pt", _DAY,
        ),
        Venue("lncs", 122 * _MM, 122 * _MM, 9, "Springer LNCS: printing area 12.2 cm wide", _DAY),
        Venue(
            "elsevier", 90 * _MM, 190 * _MM, 7,
            "Elsevier, artwork sizing: 90 and 190 mm, lettering 7 pt", _DAY,
        ),
        Venue(
            "nature", 89 * _MM, 183 * _MM, 7,
            "Nature research figure guide: 89 and 183 mm, text at most 7 pt", _DAY,
        ),
        Venue(
            "beamer", 67.2 * _MM, 140 * _MM, 8,
            "beamer.cls, aspectratio=169: 160 mm less margins of 1 cm; a column is 0.48 of it",
            _DAY,
        ),
        Venue("slide", SLIDE_INCHES[0] / 2, SLIDE_INCHES[0], 22, "16:9 at 1920 x 1080", _DAY),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """The exact size of a figure: inches, dots per inch, body type size in points."""

    width: float
    height: float
    dpi: float
    points: float
    venue: str

    @property
    def inches(self) -> tuple[float, float]:
        """Width and height in inches, for ``Figure(figsize=page.inches, dpi=page.dpi)``."""
        return self.width, self.height

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height in pixels, as matplotlib rounds them."""
        return int(self.width * self.dpi), int(self.height * self.dpi)


def find_venue(name: str, columns: int) -> Venue:
    """The venue of this name, or of a file ``NAME.toml`` of the user's.

    Raises :class:`InputError` if it, or ``columns``, is impossible.
    """
    own = name.lower().endswith(".toml")
    entry = read_venue(Path(name)) if own else VENUES.get(name.lower())
    if entry is None:
        close = nearest(name.lower(), list(VENUES))
        own_file = "" if close.endswith("?") else "; or name a file of your own, such as mine.toml"
        raise InputError(f"unknown venue {name!r}: {close}{own_file}")
    if columns not in (1, 2):
        raise InputError(f"columns is {columns}: a figure is 1 or 2 columns wide")
    return entry


def read_venue(path: Path) -> Venue:
    """The venue that a TOML file says: ``text``, ``points``, and ``column`` where there are two.

    Widths are texts such as ``"84 mm"``, or inches. Raises :class:`InputError` for anything else.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"there is no venue file {path}; {_EXAMPLE}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot read the venue file {path}: {error}; {_EXAMPLE}") from error
    for key in values:
        if key not in _KEYS:
            raise InputError(f"{path}: there is no key {key!r}; {_EXAMPLE}")
    text = _inches(path, values, "text", None)
    column = _inches(path, values, "column", text)
    if column > text:
        raise InputError(f"{path}: a column is wider than the text; {_EXAMPLE}")
    points = values.get("points", 9)
    if not _is_number(points) or not 4 <= points <= 48:
        raise InputError(f"{path}: points is {points!r}; give a type size from 4 to 48")
    return Venue(str(path), column, text, float(points), str(values.get("source", path)))


_KEYS = ("text", "column", "points", "source")
_EXAMPLE = 'write three lines: text = "174 mm", column = "84 mm" and points = 8'
_LENGTH = re.compile(rf"\s*([0-9]*\.?[0-9]+)\s*({'|'.join(_UNITS)})\s*")


def _inches(path: Path, values: Mapping[str, Any], key: str, default: float | None) -> float:
    """A width of a venue file in inches, from 1 to 100."""
    value = values.get(key, default)
    length = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    inches = float(length[1]) * _UNITS[length[2]] if length else value
    if not _is_number(inches) or not 1 <= inches <= 100:
        raise InputError(
            f"{path}: {key} is {value!r}; give a width of 1 to 100 inches, in {', '.join(_UNITS)}"
        )
    return float(inches)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def page(venue: str, columns: int, aspect: float, theme: Theme) -> Page:
    """The page of a figure ``columns`` (1 or 2) wide at ``venue``; ``aspect`` is width over height.

    The width is exactly the venue's. If the venue has one column, 1 and 2 are the same.
    The type size is the venue's on paper and the theme's on a slide; apply it with
    ``theme.sized(page.points)``. Raises :class:`InputError` for a wrong argument.
    """
    entry = find_venue(venue, columns)
    if not aspect > 0:
        raise InputError(f"the aspect (width over height) is {aspect}; give a positive number")
    width = entry.column if columns == 1 else entry.text
    dpi = SLIDE_DPI if entry.name == "slide" else 300.0
    points = theme.points if theme.medium == "slide" else entry.points
    return Page(width, width / aspect, dpi, points, entry.name)


def screen(width: int, height: int) -> Page:
    """A slide of exactly ``width`` x ``height`` pixels in the layout of 1920 x 1080.

    Raises :class:`InputError` for a shape other than 16:9 (to a pixel).
    """
    if width < 16 or height < 9 or abs(width * 9 - height * 16) > 16:
        raise InputError(
            f"a slide of {width} x {height} is not 16:9; give a size such as 1920 x 1080"
        )
    # a hundredth of a pixel more, since matplotlib truncates
    dpi = max((width + 0.01) / SLIDE_INCHES[0], (height + 0.01) / SLIDE_INCHES[1])
    slide = Page(*SLIDE_INCHES, dpi, VENUES["slide"].points, "slide")
    if slide.pixels == (width, height):
        return slide
    return Page((width + 0.01) / dpi, (height + 0.01) / dpi, dpi, slide.points, "slide")
