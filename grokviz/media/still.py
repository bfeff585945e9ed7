"""Stills: pictures with an exact width, reproducible bytes, and alt text inside."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from jaxtyping import UInt8

from grokviz.errors import InputError
from grokviz.files import replacing
from grokviz.media.film import chunks
from grokviz.media.formats import FORMATS, Format, format_of, suffix_list, writer_of
from grokviz.media.pixels import picture_bytes
from grokviz.media.provenance import Provenance
from grokviz.media.theme import REPRODUCIBLE, matplotlib_settings

Pixels = UInt8[np.ndarray, "height width 4"]
PixelWriter = Callable[[Pixels, Provenance, bool, float | None], bytes]
"""Converts RGBA pixels (straight alpha), texts, a transparency flag and a dpi to a file."""

FigureWriter = Callable[[Any, Provenance, float], bytes]
"""Converts a matplotlib figure, texts and the dpi of pictures inside it to a file."""

_REPRODUCIBLE: Any = {
    **{
        key: REPRODUCIBLE[key]
        for key in ("svg.fonttype", "svg.hashsalt", "pdf.fonttype", "ps.fonttype", "savefig.bbox")
    },
    # pictures are inside the file and never beside it
    "svg.image_inline": True,
    "svg.id": None,
    "pdf.compression": 6,
    "pdf.use14corefonts": False,
    "pdf.inheritcolor": False,
    "savefig.pad_inches": 0.1,
    "savefig.transparent": False,
}


def save_still(
    figure: Any,
    path: str | Path,
    *,
    provenance: Provenance,
    transparent: bool = False,
    dpi: float | None = None,
    fmt: str | None = None,
) -> Path:
    """Write ``figure`` to ``path`` as one picture, in exactly the figure's size.

    ``dpi`` is that of pixels (and of pictures inside vector formats), by default the figure's.
    The same figure gives the same bytes. Raises :class:`InputError` for an unknown suffix or
    that of a film; an old file stays unless the new one is complete.
    """
    kind = format_of(path, fmt)
    if not kind.still:
        stills = suffix_list(other for other in FORMATS.values() if other.still)
        raise InputError(f"{path}: {kind.name} is not one picture; choose {stills}")
    with (
        matplotlib_settings(_REPRODUCIBLE),
        transparent_background(figure) if transparent else contextlib.nullcontext(),
        replacing(path) as part,
    ):
        part.write_bytes(_bytes(kind, figure, provenance, dpi or figure.dpi))
    return Path(path)


def _bytes(kind: Format, figure: Any, provenance: Provenance, dpi: float) -> bytes:
    if kind.content == "figure":
        draw: FigureWriter = writer_of(kind)
        return draw(figure, provenance, dpi)
    picture = _pixels(figure, dpi)
    write: PixelWriter = writer_of(kind)
    return write(picture, provenance, bool(picture[..., 3].min() < 255), dpi)


@contextlib.contextmanager
def transparent_background(figure: Any) -> Iterator[None]:
    """Make the figure's backgrounds transparent within the block."""
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

    owners = figure.findobj(lambda a: isinstance(a, (Axes, FigureBase)))
    before = [
        (owner.patch, owner.patch.get_facecolor(), owner.patch.get_edgecolor()) for owner in owners
    ]
    try:
        for patch, *_ in before:
            patch.set_facecolor("none")
            patch.set_edgecolor("none")
        yield
    finally:
        for patch, face, edge in before:
            patch.set_facecolor(face)
            patch.set_edgecolor(edge)


def _print(figure: Any, kind: str, dpi: float, metadata: dict[str, Any]) -> bytes:
    """Save a figure with matplotlib, in the figure's own size and colours."""
    out = io.BytesIO()
    figure.savefig(
        out,
        format=kind,
        dpi=dpi,
        metadata=metadata,
        bbox_inches=None,
        facecolor=figure.get_facecolor(),
        edgecolor=figure.get_edgecolor(),
    )
    return out.getvalue()


def pdf_bytes(figure: Any, provenance: Provenance, dpi: float) -> bytes:
    """A reproducible PDF with title, alt text and provenance inside."""
    return _print(
        figure,
        "pdf",
        dpi,
        {
            "Title": provenance.title,
            "Subject": provenance.alt,
            "Keywords": provenance.as_json(),
            "Creator": "grokviz",
            "Producer": None,
            "CreationDate": None,
            "ModDate": None,
        },
    )


def svg_bytes(figure: Any, provenance: Provenance, dpi: float) -> bytes:
    """An accessible SVG: ``role="img"``, a title and a description."""
    text = _print(
        figure,
        "svg",
        dpi,
        {
            "Date": None,
            "Creator": "grokviz",
            "Title": provenance.title,
            "Source": provenance.as_json(),
        },
    ).decode()
    at = text.index("<svg ")
    start = text.index(">", at) + 1
    head = text[at : start - 1] + ' role="img" aria-labelledby="alt-title alt-text">'
    elements = (
        f'\n <title id="alt-title">{escape(provenance.title)}</title>'
        f'\n <desc id="alt-text">{escape(provenance.alt)}</desc>'
    )
    return (text[:at] + head + elements + text[start:]).encode()


def _pixels(figure: Any, dpi: float) -> Pixels:
    """Draw the figure with matplotlib, as RGBA."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    before = figure.dpi
    canvas: Any = FigureCanvasAgg(figure)  # type: ignore[no-untyped-call]
    try:
        figure.dpi = dpi
        canvas.draw()
        return np.array(canvas.buffer_rgba())
    finally:
        figure.dpi = before


def png_bytes(
    picture: Pixels,
    provenance: Provenance,
    transparent: bool,
    dpi: float | None = None,
) -> bytes:
    """A PNG of RGBA pixels (straight alpha) with title, alt text and provenance inside."""
    pixels = picture if transparent else np.ascontiguousarray(picture[..., :3])
    extra = {"dpi": (dpi, dpi)} if dpi else {}
    return chunks.png_with_texts(
        picture_bytes(pixels, ".png", **extra),
        {"Title": provenance.title, "Description": provenance.alt, "Comment": provenance.as_json()},
    )


def write_picture(path: Path, kind: Format, picture: Pixels, provenance: Provenance) -> Path:
    """Write pixels without their alpha to a file of ``kind``, atomically."""
    write: PixelWriter = writer_of(kind)
    with replacing(path) as part:
        part.write_bytes(write(picture, provenance, False, None))
    return path
