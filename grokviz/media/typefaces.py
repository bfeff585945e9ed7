"""Typefaces: which is drawn in what, and where its files are.

Titles are in Source Serif Pro Semibold, all other text in Source Sans Pro, whose figures all have
one width. Both come with packages of their names, under the Open Font License; what they lack is
drawn in DejaVu Sans, which comes with matplotlib, and in formulas in STIX.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from grokviz.errors import InputError

TEXT, DISPLAY, FALLBACK, MONO = (
    "Source Sans Pro", "Source Serif Pro", "DejaVu Sans", "DejaVu Sans Mono",
)  # fmt: skip
"""Families: of text, of titles, of what both lack, and of bits and code."""

DISPLAY_WEIGHT = 600

_FACES = (
    ("SansPro-Regular", TEXT, "normal", 400),
    ("SansPro-It", TEXT, "italic", 400),
    ("SansPro-Semibold", TEXT, "normal", 600),
    ("SansPro-Bold", TEXT, "normal", 700),
    ("SansPro-BoldIt", TEXT, "italic", 700),
    ("SerifPro-Semibold", DISPLAY, "normal", 600),
)
"""The faces that are used: file, family, style and weight."""


def font_folders(*families: str) -> list[str]:
    """The folders of these families, and matplotlib's, where what they lack is.

    Raises :class:`InputError` where the package of one is not installed.
    """
    import matplotlib

    folders = [str(_folder(family)) for family in families]
    return [*folders, f"{matplotlib.get_data_path()}/fonts/ttf"]


def width(text: str, family: str = TEXT, weight: int = 400) -> float:
    """How wide a line is in ems, without kerning; what the family lacks is an em wide."""
    advances = _advances(family, weight)
    return sum(advances.get(letter, 1.0) for letter in text)


@lru_cache(maxsize=8)
def _advances(family: str, weight: int) -> dict[str, float]:
    """The width of each character of a face, in ems."""
    from matplotlib.ft2font import FT2Font, LoadFlags

    (entry,) = (
        entry for entry in _entries()
        if (entry.name, entry.weight, entry.style) == (family, weight, "normal")
    )  # fmt: skip
    font = FT2Font(entry.fname)
    font.set_size(100, 72)
    return {
        chr(point): font.load_char(point, flags=LoadFlags.NO_HINTING).linearHoriAdvance / 6553600
        for point in font.get_charmap()
    }


@contextlib.contextmanager
def fonts_of_ours() -> Iterator[None]:
    """Have matplotlib find the typefaces within the block, before others of their names.

    Afterwards they are its last, for figures drawn here that are saved later.
    """
    from matplotlib.font_manager import fontManager

    ours = _entries()
    others = [entry for entry in fontManager.ttflist if entry not in ours]
    names = {entry.name for entry in ours}
    if not any(entry.name in names for entry in others):
        # no order finds others, and to list them anew would forget all that was searched for
        if len(fontManager.ttflist) != len(others) + len(ours):
            _list_fonts([*others, *ours])
        yield
        return
    if fontManager.ttflist[: len(ours)] == ours:
        yield
        return
    _list_fonts([*ours, *others])
    try:
        yield
    finally:
        _list_fonts([*others, *ours])


def title_face(families: list[str]) -> dict[str, Any]:
    """matplotlib's keywords for text in the typeface of titles.

    ``families`` are those of the other text: where a style names another typeface for it, titles
    are in that one, and fonts that were added for other scripts serve titles too.
    """
    if families[:1] != [TEXT]:
        return {"fontweight": "bold"}
    return {"family": [DISPLAY, *families[1:]], "fontweight": DISPLAY_WEIGHT}


@lru_cache(maxsize=1)
def _entries() -> list[Any]:
    from matplotlib.font_manager import FontEntry

    return [
        FontEntry(
            fname=str(_folder(family) / f"Source{file}.ttf"), name=family, style=style,
            variant="normal", weight=weight, stretch="normal", size="scalable",
        )
        for file, family, style, weight in _FACES
    ]  # fmt: skip


@lru_cache(maxsize=2)
def _folder(family: str) -> Path:
    package = f"font_{family.lower().replace(' ', '_')}"
    spec = find_spec(package)  # found, not imported: it would list all its files
    if spec is None or spec.origin is None:
        name = package.replace("_", "-")
        raise InputError(f"the typeface {family} is not installed; pip install {name}")
    return Path(spec.origin).parent / "files"


def _list_fonts(entries: list[Any]) -> None:
    """Make these the fonts that matplotlib knows."""
    from matplotlib.font_manager import fontManager

    fontManager.addfont(entries[0].fname)  # which forgets what was searched for before
    fontManager.ttflist = entries
