"""The table of file formats, one row each with all that other modules need to know.

To add one, add a row here and its writer, a module-level object. No other module knows a format
by name. The input of a writer depends on the row's ``content``:

=============  ======================================================================
``pixels``     RGBA pixels of one picture: a :data:`grokviz.media.still.PixelWriter`
``figure``     a matplotlib figure: a :data:`grokviz.media.still.FigureWriter`
``frames``     frames of a film: a :class:`grokviz.media.film.encode.Writer`
``captions``   lines with their times: a :data:`grokviz.media.film.captions.CaptionWriter`
``page``       nothing: ``grokviz.pages`` assembles pages
=============  ======================================================================

A reader is a :class:`grokviz.media.readers.Reader`; several formats share one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from grokviz.errors import InputError, nearest

if TYPE_CHECKING:
    from grokviz.media.readers import Reader

Content = Literal["pixels", "figure", "frames", "captions", "page"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format.

    Attributes:
        name: its name for ``--format``.
        suffixes: the suffixes that select it, the default first; ``/`` is a folder. One of two
            parts, such as ``.rle.mov``, goes before that of its end.
        content: the type of its content, and so the input of its writer.
        what: a short description.
        mime: its media type.
        writer, reader: ``module:NAME`` of its writer and its reader, imported when used.
        codec: the name of its encoder in PyAV or Pillow; empty if it needs none.
        sound: the name of PyAV's encoder of its sound; empty if it has none.
        alpha: whether it can be transparent.
        loop: whether players repeat it automatically.
        joins: whether films of it can be concatenated without encoding again.
        slides: whether all presentation programs show it.
        bits: how many bits a pixel of a frame usually takes, the least and the most; measured by
            ``benchmarks/film_sizes.py``.
        also: suffixes of other formats that its files may have, if ``--format`` names it.

    """

    name: str
    suffixes: tuple[str, ...]
    content: Content
    what: str
    mime: str = ""
    writer: str = ""
    reader: str = ""
    codec: str = ""
    sound: str = ""
    alpha: bool = False
    loop: bool = False
    joins: bool = False
    slides: bool = False
    also: tuple[str, ...] = ()
    bits: tuple[float, float] | None = None

    @property
    def film(self) -> bool:
        """Whether it is a film."""
        return self.content == "frames"

    @property
    def still(self) -> bool:
        """Whether it is a single picture."""
        return self.content in ("pixels", "figure")

    @property
    def page(self) -> bool:
        """Whether it is an interactive page."""
        return self.content == "page"

    @property
    def folder(self) -> bool:
        """Whether it is a folder of files."""
        return self.suffixes[0] == "/"


_PILLOW = "grokviz.media.readers:PICTURES"
_PYAV = "grokviz.media.readers:FILMS"

_TABLE = (
    Format(
        name="png", suffixes=(".png",), content="pixels", mime="image/png", alpha=True, slides=True,
        writer="grokviz.media.still:png_bytes", reader=_PILLOW, what="picture",
    ),
    Format(
        name="svg", suffixes=(".svg",), content="figure", mime="image/svg+xml", alpha=True,
        writer="grokviz.media.still:svg_bytes", reader="grokviz.media.readers:SVG",
        what="vector picture, editable text",
    ),
    Format(
        name="pdf", suffixes=(".pdf",), content="figure", mime="application/pdf", alpha=True,
        writer="grokviz.media.still:pdf_bytes", reader="grokviz.media.readers:PDF",
        what="vector picture for a paper",
    ),
    Format(
        name="avif", suffixes=(".avif",), content="pixels", mime="image/avif", alpha=True,
        writer="grokviz.media.film.avif:avif_bytes", reader=_PILLOW, codec="avif",
        what="picture for web pages, small",
    ),
    Format(
        name="mp4", suffixes=(".mp4", ".m4v"), content="frames", mime="video/mp4", joins=True,
        slides=True, writer="grokviz.media.film.video:MP4", reader=_PYAV, codec="libx264",
        sound="aac", bits=(0.03, 0.2), what="H.264 film, plays everywhere",
    ),
    Format(
        name="webm", suffixes=(".webm",), content="frames", mime="video/webm", alpha=True,
        joins=True, writer="grokviz.media.film.video:WEBM", reader=_PYAV, codec="libvpx-vp9",
        sound="libopus", bits=(0.04, 0.54), what="VP9 film for web pages",
    ),
    Format(
        name="mov", suffixes=(".mov",), content="frames", mime="video/quicktime", alpha=True,
        joins=True, writer="grokviz.media.film.video:MOV", reader=_PYAV, codec="prores_ks",
        sound="aac", bits=(3.3, 13), what="ProRes 4444 film for editing and Keynote",
    ),
    Format(
        name="mov-rle", suffixes=(".rle.mov",), content="frames", mime="video/quicktime",
        alpha=True, writer="grokviz.media.film.video:MOV_RLE", reader=_PYAV, codec="qtrle",
        sound="aac", also=(".mov",), bits=(0.2, 1.9),
        what="QuickTime Animation film: lossless, for editing, small",
    ),
    Format(
        name="gif", suffixes=(".gif",), content="frames", mime="image/gif", loop=True,
        writer="grokviz.media.film.gif:GIF", reader=_PILLOW, codec="gif",
        bits=(0.04, 0.38), what="loop for chats and READMEs",
    ),
    Format(
        name="webp", suffixes=(".webp",), content="frames", mime="image/webp", alpha=True,
        loop=True, writer="grokviz.media.film.loops:WEBP", reader=_PILLOW, codec="libwebp_anim",
        bits=(0.03, 1), what="loop for web pages, lossless",
    ),
    Format(
        name="apng", suffixes=(".apng",), content="frames", mime="image/apng", alpha=True,
        loop=True, writer="grokviz.media.film.loops:APNG", reader=_PILLOW, codec="apng",
        also=(".png",), bits=(0.07, 1.3), what="loop for web pages, lossless",
    ),
    Format(
        name="avifs", suffixes=(".avifs",), content="frames", mime="image/avif", alpha=True,
        loop=True, writer="grokviz.media.film.avif:AVIFS", reader=_PILLOW, codec="avif",
        also=(".avif",), bits=(0.05, 1), what="loop for web pages, small",
    ),
    Format(
        name="png-sequence", suffixes=("/",), content="frames", alpha=True,
        writer="grokviz.media.film.sequence:PNG_SEQUENCE", reader="grokviz.media.readers:FOLDERS",
        bits=(0.87, 4.3), what="folder of numbered PNG frames",
    ),
    Format(
        name="srt", suffixes=(".srt",), content="captions", mime="application/x-subrip",
        writer="grokviz.media.film.captions:subrip", what="captions of a film drawn with manim",
    ),
    Format(
        name="html", suffixes=(".html", ".htm"), content="page", mime="text/html",
        what="page to scrub, made by the stage",
    ),
)  # fmt: skip

FORMATS: dict[str, Format] = {entry.name: entry for entry in _TABLE}

STILL, FILM = FORMATS["png"], FORMATS["mp4"]
"""The default formats, which are also embedded in pages and slides."""


def format_of(path: str | os.PathLike[str], fmt: str | None = None) -> Format:
    """The format of ``path``: ``fmt`` if given, else by its suffix.

    A path that ends in ``/``, or an existing folder, is a folder of PNG frames.
    Raises :class:`InputError` with the nearest format for an unknown one.
    """
    by_suffix = {suffix: kind for kind in FORMATS.values() for suffix in kind.suffixes}
    if fmt is not None:
        name = fmt.lower().lstrip(".")
        kind = FORMATS.get(name) or by_suffix.get(f".{name}")
        if kind is None:
            raise InputError(f"unknown format {fmt!r}: {nearest(name, list(FORMATS))}")
        return kind
    text = os.fspath(path)
    suffix = suffix_of(path)
    if text.endswith(("/", os.sep)):
        return by_suffix["/"]
    if suffix in by_suffix:
        return by_suffix[suffix]
    if Path(text).is_dir():
        return by_suffix["/"]
    suffixes = list(by_suffix)
    if not suffix:
        raise InputError(f"{text}: no suffix says its format; use one of {' '.join(suffixes)}")
    close = nearest(suffix, suffixes)
    if not close.startswith("did you mean"):
        close = f"choose one of {' '.join(suffixes)}"
    raise InputError(f"{text}: unknown format {suffix}; {close}")


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The suffix of a name in lower case; of two parts where a format has such a one."""
    name = Path(path).name.lower()
    double = (suffix for kind in FORMATS.values() for suffix in kind.suffixes if "." in suffix[1:])
    ends = [suffix for suffix in double if name.endswith(suffix) and name != suffix]
    return ends[0] if ends else Path(name).suffix


def writer_of(kind: Format) -> Any:
    """The writer of a format, imported now; its type depends on the format's ``content``."""
    return _load(kind.writer)


def reader_of(kind: Format) -> Reader | None:
    """The reader of a format, imported now; None if it has no provenance to read."""
    reader: Reader | None = _load(kind.reader) if kind.reader else None
    return reader


def _load(reference: str) -> Any:
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


def suffix_list(kinds: Iterable[Format]) -> str:
    """The suffixes of formats as a choice: ``.png, .svg or .pdf``."""
    *first, last = (kind.suffixes[0] for kind in kinds)
    return f"{', '.join(first)} or {last}" if first else last


def transparent_film_suffixes() -> list[str]:
    """Suffixes of the films that can be transparent."""
    films = (kind for kind in FORMATS.values() if kind.film and kind.alpha)
    return [kind.suffixes[0] for kind in films if not kind.folder]


def check_sound(kind: Format, path: str | os.PathLike[str]) -> None:
    """Raise InputError unless a film in this format can have sound."""
    if not kind.sound:
        able = suffix_list(other for other in FORMATS.values() if other.sound)
        raise InputError(f"{os.fspath(path)}: {kind.name} has no sound; choose {able}")
