"""Widths and type sizes of figures at publication venues and on slides.

The table has one line per venue, from its style file or author guide. To add a venue, add a
line with its source. :func:`page` computes the exact size of a figure, and :func:`screen`
that of a film.
"""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.errors import InputError, nearest
from grokviz.media.theme import SLIDE_DPI, SLIDE_INCHES, Theme

TEX_POINTS_PER_INCH = 72.27  # LaTeX's pt; PDF's is 1/72 inch


@dataclass(frozen=True)
class Venue:
    """Widths in inches, type size in points, and the source of both.

    ``column`` is the width of one text column, ``text`` of the whole text; they are
    equal if the venue has one column.
    """

    name: str
    column: float
    text: float
    points: float
    source: str


def _venue(name: str, column: float, text: float, points: float, source: str) -> Venue:
    return Venue(name, column, text, points, source)


_MM = 1 / 25.4
_PT = 1 / TEX_POINTS_PER_INCH

VENUES: dict[str, Venue] = {
    venue.name: venue
    for venue in (
        _venue("neurips", 5.5, 5.5, 9, "neurips_2024.sty: textwidth 5.5in"),
        _venue("iclr", 5.5, 5.5, 9, "iclr2025_conference.sty: textwidth 5.5 true in"),
        _venue("colm", 5.5, 5.5, 9, "colm2024_conference.sty: textwidth 5.5 true in"),
        _venue("icml", 3.25, 6.75, 9, "icml2025.sty: textwidth 6.75in, columnsep .25in"),
        _venue("aistats", 3.25, 6.75, 9, "aistats2025.sty: textwidth 6.75in, columnsep .25in"),
        _venue("tmlr", 6.5, 6.5, 9, "tmlr.sty: textwidth 6.5 true in"),
        _venue("jmlr", 6.0, 6.0, 10, "jmlr2e.sty: textwidth 6 true in"),
        _venue("acl", 3.03, 6.30, 9, "acl.sty: A4, margins 2.5 cm, columnsep .6 cm"),
        _venue("emnlp", 3.03, 6.30, 9, "acl.sty: A4, margins 2.5 cm, columnsep .6 cm"),
        _venue("naacl", 3.03, 6.30, 9, "acl.sty: A4, margins 2.5 cm, columnsep .6 cm"),
        _venue("cvpr", 3.28125, 6.875, 9, "cvpr.sty: textwidth 6.875in, columnsep .3125in"),
        _venue("aaai", 3.3125, 7.0, 9, "aaai25.sty: textwidth 7in, columnsep .375in"),
        _venue("nature", 89 * _MM, 183 * _MM, 7, "Nature: guide to figures, 89 and 183 mm"),
        _venue("slide", *(SLIDE_INCHES[0] / 2, SLIDE_INCHES[0]), 22, "16:9 at 1920 x 1080"),
    )
}


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
    """The venue of this name; raises :class:`InputError` if it, or ``columns``, is impossible."""
    entry = VENUES.get(name.lower())
    if entry is None:
        raise InputError(f"unknown venue {name!r}: {nearest(name.lower(), list(VENUES))}")
    if columns not in (1, 2):
        raise InputError(f"columns is {columns}: a figure is 1 or 2 columns wide")
    return entry


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
