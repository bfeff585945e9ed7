"""A deck as PowerPoint, written with python-pptx, with films that play automatically.

python-pptx inserts films that wait for a click; :mod:`grokviz.slides.timing` replaces this by
the timing that PowerPoint itself writes for "start automatically" and "loop".
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from grokviz.errors import MissingExtra
from grokviz.files import replacing
from grokviz.media import format_of
from grokviz.slides import look, package, timing
from grokviz.slides.deck import Deck, Slide

TITLE_SLIDE, TITLE_ONLY = 0, 5
"""Layouts of python-pptx's own template."""


def ready() -> None:
    """Raise InputError unless python-pptx is installed."""
    try:
        import pptx  # noqa: F401
    except ImportError:
        raise MissingExtra("a .pptx file", "slides") from None


def write(deck: Deck, path: Path) -> None:
    """Write the file atomically."""
    from pptx import Presentation

    presentation = Presentation()
    look.dress(presentation, deck.theme)
    if deck.heading:
        first = presentation.slides.add_slide(presentation.slide_layouts[TITLE_SLIDE])
        first.shapes.title.text = deck.heading  # type: ignore[union-attr]
    for number, slide in enumerate(deck.slides, 1):
        _add(presentation, slide, number)
    _describe(presentation.core_properties, deck)
    whole = io.BytesIO()
    presentation.save(whole)
    with replacing(path) as part:
        part.write_bytes(package.finish_package(whole.getvalue(), deck))


def _add(presentation: Any, slide: Slide, number: int) -> None:
    """Add a film that fills the slide, with the title under it for outlines and screen readers."""
    page = presentation.slides.add_slide(presentation.slide_layouts[TITLE_ONLY])
    page.shapes.title.text = slide.title
    place = _fit(slide.size, (presentation.slide_width, presentation.slide_height))
    poster = io.BytesIO(slide.poster)
    if slide.film:
        with slide.media.open("rb") as film:
            shown = page.shapes.add_movie(
                film, *place, poster, mime_type=format_of(slide.media).mime
            )
        timing.start_automatically(page, shown.shape_id, slide.seconds or 0.0, slide.loops)
    else:
        shown = page.shapes.add_picture(poster, *place)
    shown.name = f"{slide.name} ({number})"
    shown._element.nvPicPr.cNvPr.set("descr", slide.alt)
    page.notes_slide.notes_text_frame.text = slide.notes


def _fit(size: tuple[int, int], page: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of a centred picture as large as the slide allows."""
    scale = min(page[0] / size[0], page[1] / size[1])
    wide, high = round(size[0] * scale), round(size[1] * scale)
    return (page[0] - wide) // 2, (page[1] - high) // 2, wide, high


def _describe(properties: Any, deck: Deck) -> None:
    """Set the file's title and author; no dates, so that the bytes are reproducible."""
    properties.title = deck.title
    properties.author = properties.last_modified_by = "grokviz"
    properties.subject = "; ".join(slide.title for slide in deck.slides)[:255]
    properties.keywords = ", ".join(slide.name for slide in deck.slides)[:255]
