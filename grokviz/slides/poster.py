"""The poster of a film, for print, thumbnails and the time before it starts."""

from __future__ import annotations

from pathlib import Path

from grokviz.errors import InputError
from grokviz.media import format_of, read_provenance
from grokviz.media.formats import reader_of
from grokviz.media.still import png_bytes


def last_frame(path: Path, chapter: str | None = None) -> tuple[bytes, float]:
    """A film's last frame as a PNG with the film's own texts, and its length in seconds.

    A film stops at its last frame, so print shows what the audience saw. ``chapter`` is the title
    of a chapter whose last frame is taken instead.
    """
    reader = reader_of(format_of(path))
    if reader is None:
        raise InputError(f"{path} has no pixels to read back; give a film")
    picture, seconds = reader.last(path, chapter)
    return png_bytes(picture, read_provenance(path), transparent=False), seconds
