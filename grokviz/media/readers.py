"""Readers of media files: their texts, their pixels and their last frame.

The rows of :mod:`grokviz.media.formats` name the readers. Films are decoded with PyAV, for the
reasons in :mod:`grokviz.media.pixels`, and because imageio returns wrong frames near the end of a
film whose frames are coded out of order, as in H.264.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import UInt8

from grokviz.errors import InputError
from grokviz.media.film import chunks
from grokviz.media.pixels import read_picture

Pixels = UInt8[np.ndarray, "height width 4"]


class Reader(Protocol):
    """A reader of the files of one or more formats."""

    def text(self, path: Path) -> str:
        """The text metadata of a file, which may contain its provenance."""

    def frames(self, path: Path) -> Iterator[Pixels]:
        """The frames as a player shows them, or the one picture; a held frame may appear once."""

    def last(self, path: Path, chapter: str | None = None) -> tuple[Pixels, float]:
        """The last frame of the film or of a chapter, and the end of that frame in seconds.

        Raises :class:`InputError` for a damaged file.
        """


@dataclass(frozen=True)
class Pictures:
    """Reader of what Pillow opens: pictures and loops."""

    def text(self, path: Path) -> str:
        """Comments, XMP packets and texts; no pixels are decoded."""
        from PIL import Image

        with Image.open(path) as picture:
            return "\n".join(_text(key, value) for key, value in picture.info.items())

    def frames(self, path: Path) -> Iterator[Pixels]:
        """Every picture as RGBA."""
        return (pixels for pixels, _ in self._with_durations(path))

    def last(self, path: Path, chapter: str | None = None) -> tuple[Pixels, float]:
        """The last picture, and the total duration in seconds."""
        seconds, pixels = 0.0, None
        for picture, duration in self._with_durations(path):
            seconds, pixels = seconds + duration, picture
        if pixels is None or chapter is not None:
            raise _error(path, f"it has no chapter {chapter!r}" if chapter else "it is empty")
        return pixels, seconds

    def _with_durations(self, path: Path) -> Iterator[tuple[Pixels, float]]:
        from PIL import Image

        try:
            with Image.open(path) as picture:
                for number in range(getattr(picture, "n_frames", 1)):
                    picture.seek(number)
                    pixels = np.array(picture.convert("RGBA"))
                    yield pixels, picture.info.get("duration", 0) / 1000
        except (OSError, ValueError, SyntaxError) as error:
            raise _error(path, error) from error


def _text(key: Any, value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):  # other facts of a picture
        return ""
    return chunks.unescape(value) if key == "xmp" else value


@dataclass(frozen=True)
class Films:
    """Reader of what PyAV opens; FFmpeg's own decoder ignores the alpha of VP9."""

    def text(self, path: Path) -> str:
        """The container's metadata."""
        import av

        with av.open(str(path)) as container:
            return "\n".join(container.metadata.values())

    def frames(self, path: Path) -> Iterator[Pixels]:
        """Every frame as RGBA."""
        import av

        with _damage(path), av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield _rgba(frame)

    def last(self, path: Path, chapter: str | None = None) -> tuple[Pixels, float]:
        """The last frame of the film or of a chapter, and its end in seconds."""
        import av

        with _damage(path), av.open(str(path)) as container:
            stream = container.streams.video[0]
            step = 1 / Fraction(stream.average_rate or 1)
            end = _end(container, chapter) if chapter else None
            if stream.duration:
                # seeks to the key frame before the end
                at = stream.duration if end is None else int((end - step) / (stream.time_base or 1))
                container.seek(at, stream=stream)
            decoded = container.decode(stream)
            if end is not None:
                decoded = takewhile(lambda frame: frame.time < end - step / 2, decoded)
            (last,) = deque(decoded, maxlen=1)
            return _rgba(last), (last.time or 0.0) + float(step)


def _end(container: Any, title: str) -> Fraction:
    """The end of a chapter in seconds."""
    for mark in container.chapters():
        if mark["metadata"].get("title") == title:
            return Fraction(mark["end"] * mark["time_base"])
    raise ValueError(f"it has no chapter {title!r}")


def _rgba(frame: Any) -> Pixels:
    """A decoded frame in the colours that a player shows: our films are BT.709."""
    rgba: np.ndarray = frame.to_ndarray(
        format="rgba",
        src_colorspace="ITU709",
        threads=1,  # see media.pixels
    )
    return rgba


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn a decoder's error about a damaged film into an ``InputError``."""
    import av

    try:
        yield
    # a film without a stream or a frame ends in one of the last two
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise _error(path, error) from error


def _error(path: Path, reason: object) -> InputError:
    return InputError(f"{path} cannot be read as a film: {reason}; render it again")


@dataclass(frozen=True)
class Folders:
    """Reader of a folder of frames, each a picture with all texts."""

    def text(self, path: Path) -> str:
        """The texts of the first frame."""
        return PICTURES.text(self._files(path)[0])

    def frames(self, path: Path) -> Iterator[Pixels]:
        """Every frame as RGBA."""
        return (read_picture(file) for file in self._files(path))

    def last(self, path: Path, chapter: str | None = None) -> tuple[Pixels, float]:
        """The last frame; a folder has no frame rate, so its duration is 0."""
        return read_picture(self._files(path)[-1]), 0.0

    def _files(self, path: Path) -> list[Path]:
        files = sorted(path.glob("*.png"))
        if not files:
            raise InputError(f"{path} holds no frames: give a folder that grokviz has written")
        return files


@dataclass(frozen=True)
class Texts:
    """Reader of vector files, which have texts but no pixels."""

    decode: Callable[[bytes], str]

    def text(self, path: Path) -> str:
        """The text of the file."""
        return self.decode(path.read_bytes())

    def frames(self, path: Path) -> Iterator[Pixels]:
        """Raise InputError, because a vector file has no pixels."""
        raise InputError(f"{path} has no pixels to read back; render a .png or a film")

    def last(self, path: Path, chapter: str | None = None) -> tuple[Pixels, float]:
        """Raise InputError, because a vector file has no pixels."""
        raise InputError(f"{path} has no pixels to read back; render a .png or a film")


PICTURES, FILMS, FOLDERS = Pictures(), Films(), Folders()
SVG = Texts(lambda data: chunks.unescape(data.decode("utf-8")))
PDF = Texts(chunks.pdf_strings)
