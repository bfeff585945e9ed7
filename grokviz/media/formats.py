"""The file formats, one line each.

To add one: a line in :data:`FORMATS`, and a writer, which is a module-level function in
one file named in :data:`grokviz.media.encode.WRITERS` (films) or
:data:`grokviz.media.still.WRITERS` (stills). Nothing else knows the formats by name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from grokviz.errors import InputError, nearest


@dataclass(frozen=True)
class Format:
    """A file format: ``film`` moves, ``alpha`` can be transparent."""

    name: str
    suffixes: tuple[str, ...]
    film: bool
    alpha: bool
    what: str

    @property
    def still(self) -> bool:
        """Whether it is one picture."""
        return not self.film


_TABLE = (
    Format("png", (".png",), False, True, "picture"),
    Format("svg", (".svg",), False, True, "vector picture, editable text"),
    Format("pdf", (".pdf",), False, True, "vector picture for a paper"),
    Format("mp4", (".mp4", ".m4v"), True, False, "H.264 film, plays everywhere"),
    Format("webm", (".webm",), True, True, "VP9 film for web pages"),
    Format("mov", (".mov",), True, True, "ProRes 4444 film for editing and Keynote"),
    Format("gif", (".gif",), True, False, "loop for chats and READMEs"),
    Format("webp", (".webp",), True, True, "loop for web pages, lossless"),
    Format("apng", (".apng",), True, True, "loop for web pages, lossless"),
    Format("png-sequence", ("/",), True, True, "folder of numbered PNG frames"),
    Format("srt", (".srt",), False, False, "captions of a film drawn with manim"),
    Format("html", (".html", ".htm"), False, False, "page to scrub, made by the stage"),
)

FORMATS: dict[str, Format] = {entry.name: entry for entry in _TABLE}


def format_of(path: str | os.PathLike[str], fmt: str | None = None) -> Format:
    """The format of ``path``: ``fmt`` if given, else by its suffix.

    A path that ends in ``/``, or an existing folder, is a folder of PNG frames.
    Raises :class:`InputError` naming the nearest format for one that is not known.
    """
    if fmt is not None:
        name = fmt.lower().lstrip(".")
        by_suffix = {s.lstrip("."): f for f in _TABLE for s in f.suffixes}
        kind = FORMATS.get(name) or by_suffix.get(name)
        if kind is None:
            raise InputError(f"unknown format {fmt!r}: {nearest(name, list(FORMATS))}")
        return kind
    text = os.fspath(path)
    suffix = Path(text).suffix.lower()
    if text.endswith(("/", os.sep)):
        return FORMATS["png-sequence"]
    for entry in _TABLE:
        if suffix in entry.suffixes:
            return entry
    if Path(text).is_dir():
        return FORMATS["png-sequence"]
    known = [s for f in _TABLE for s in f.suffixes]
    if not suffix:
        raise InputError(f"{text}: no suffix says its format; use one of {' '.join(known)}")
    close = nearest(suffix, known)
    if not close.startswith("did you mean"):
        close = f"choose one of {' '.join(known)}"
    raise InputError(f"{text}: unknown format {suffix}; {close}")


def able_to_be_transparent() -> list[str]:
    """Suffixes of the films that can be transparent."""
    return [f.suffixes[0] for f in _TABLE if f.film and f.alpha and f.suffixes[0] != "/"]
