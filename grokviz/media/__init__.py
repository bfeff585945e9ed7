"""Media files: themes, venues, stills, frames and encoders.

A scene draws on a matplotlib figure inside ``grokviz.media.theme.theme(...).applied()``.
From there

* :func:`save_still` writes it as PDF, SVG, PNG or AVIF,
* :class:`Painter` and :func:`paint` turn updates of its moving artists into frames,
* :func:`write_film` turns frames into MP4, WebM, MOV, GIF, WebP, APNG, moving AVIF or a PNG
  folder.

All files contain a title, an alt text and a :class:`Provenance`, which
:func:`read_provenance` reads; the same figure gives the same bytes; writes are atomic.

**Adding a format**: one row in ``formats.py``, and a module with the writer that it names.
**Adding a venue, a theme or a formula**: one line in its table. This package does not depend
on tasks, runs or scenes, and imports heavy libraries only when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grokviz.media.film.encode import EncodedFilm, film_rate, write_film
    from grokviz.media.formats import FORMATS, Format, format_of
    from grokviz.media.formulas import FORMULAS, Formula
    from grokviz.media.painter import Painter, paint
    from grokviz.media.provenance import Provenance, library_versions, read_provenance
    from grokviz.media.still import save_still, transparent_background
    from grokviz.media.theme import Colours, Theme
    from grokviz.media.venues import VENUES, Page, Venue, page, screen

# the function theme() stays in its module of the same name: grokviz.media.theme.theme
_HOME = {
    "FORMATS": "formats",
    "FORMULAS": "formulas",
    "VENUES": "venues",
    "Colours": "theme",
    "Format": "formats",
    "Formula": "formulas",
    "Page": "venues",
    "Painter": "painter",
    "Provenance": "provenance",
    "Theme": "theme",
    "Venue": "venues",
    "EncodedFilm": "film.encode",
    "film_rate": "film.encode",
    "format_of": "formats",
    "library_versions": "provenance",
    "page": "venues",
    "paint": "painter",
    "read_provenance": "provenance",
    "save_still": "still",
    "screen": "venues",
    "transparent_background": "still",
    "write_film": "film.encode",
}

__all__ = [
    "FORMATS",
    "FORMULAS",
    "VENUES",
    "Colours",
    "EncodedFilm",
    "Format",
    "Formula",
    "Page",
    "Painter",
    "Provenance",
    "Theme",
    "Venue",
    "film_rate",
    "format_of",
    "library_versions",
    "page",
    "paint",
    "read_provenance",
    "save_still",
    "screen",
    "transparent_background",
    "write_film",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
