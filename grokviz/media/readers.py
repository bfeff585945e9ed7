"""Files read back: the texts inside, the pixels, and the last frame.

A reader is named by the rows of :mod:`grokviz.media.formats`. Films are decoded with PyAV itself,
for the reasons that :mod:`grokviz.media.pixels` gives; and since imageio, asked for a frame by its
number, errs near the end of a film whose frames are coded out of order, as H.264's are.
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
from grokviz.media import chunks
from grokviz.media.pixels import read_picture

Pixels = UInt8[np.ndarray, "height width 4"]


class Reader(Protocol):
    """How files of a format are read back."""

    def text(self, path: Path) -> str:
        """All text of a file that may hold the JSON line of its provenance."""

    def frames(self, path: Path) -> Iterator[Pixels]:
        """Its frames as a player shows them, or its one picture; a held frame may be one."""

    def last(self, path: Path, chapter: str | None = None) -> tuple[Pixels, float]:
        """Its last frame, or that of a chapter by its title, and for how many seconds it plays.

        Raises :class:`InputError` for a damaged file.
        """


@dataclass(frozen=True)
class Pictures:
    """What Pillow reads: a picture, or a loop of them."""

    def text(self, path: Path) -> str:
        """Comments and XMP packets, which are bytes, and texts; no pixels are decoded."""
        from PIL import Image

        with Image.open(path) as picture:
            return "\n".join(_text(key, value) for key, value in picture.info.items())

    def frames(self, path: Path) -> Iterator[Pixels]:
        """Every picture as RGBA."""
        return (pixels for pixels, _ in self._timed(path))

    def last(self, path: Path, chapter: str | None = None) -> tuple[Pixels, float]:
        """The last picture; the seconds are those that all are shown for."""
        seconds, pixels = 0.0, None
        for picture, duration in self._timed(path):
            seconds, pixels = seconds + duration, picture
        if pixels is None or chapter is not None:
            raise _error(path, f"it has no chapter {chapter!r}" if chapter else "it is empty")
        return pixels, seconds

    def _timed(self, path: Path) -> Iterator[tuple[Pixels, float]]:
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
    """What PyAV reads. The alpha of VP9 is left out by FFmpeg's own decoder."""

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
        """The frame at which the film, or its chapter, stays when it has ended."""
        import av

        with _damage(path), av.open(str(path)) as container:
            stream = container.streams.video[0]
            step = 1 / Fraction(stream.average_rate or 1)
            end = _end(container, chapter) if chapter else None
            if stream.duration:
                # from the key frame before the end
                at = stream.duration if end is None else int((end - step) / (stream.time_base or 1))
                container.seek(at, stream=stream)
            shown = container.decode(stream)
            if end is not None:
                shown = takewhile(lambda frame: frame.time < end - step / 2, shown)
            (last,) = deque(shown, maxlen=1)
            return _rgba(last), (last.time or 0.0) + float(step)


def _end(container: Any, title: str) -> Fraction:
    """Second at which a chapter ends."""
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
    """A decoder's error about a broken film, as a sentence."""
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
    """A folder of frames, each a picture with all texts."""

    def text(self, path: Path) -> str:
        """The texts of the first frame."""
        return PICTURES.text(self._files(path)[0])

    def frames(self, path: Path) -> Iterator[Pixels]:
        """Every frame as RGBA."""
        return (read_picture(file) for file in self._files(path))

    def last(self, path: Path, chapter: str | None = None) -> tuple[Pixels, float]:
        """The last frame; a folder does not say how fast it is to be played."""
        return read_picture(self._files(path)[-1]), 0.0

    def _files(self, path: Path) -> list[Path]:
        files = sorted(path.glob("*.png"))
        if not files:
            raise InputError(f"{path} holds no frames: give a folder that grokviz has written")
        return files


@dataclass(frozen=True)
class Texts:
    """A file of lines and letters, whose pixels are for other programs to draw."""

    decode: Callable[[bytes], str]

    def text(self, path: Path) -> str:
        """The file's own text."""
        return self.decode(path.read_bytes())

    def frames(self, path: Path) -> Iterator[Pixels]:
        """Raise InputError: there are no pixels in it."""
        raise InputError(f"{path} has no pixels to read back; render a .png or a film")

    def last(self, path: Path, chapter: str | None = None) -> tuple[Pixels, float]:
        """Raise InputError: there are no pixels in it."""
        raise InputError(f"{path} has no pixels to read back; render a .png or a film")


PICTURES, FILMS, FOLDERS = Pictures(), Films(), Folders()
SVG = Texts(lambda data: chunks.unescape(data.decode("utf-8")))
PDF = Texts(chunks.pdf_strings)
