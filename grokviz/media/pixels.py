"""Pictures and films as arrays of pixels.

Pictures are read through imageio, and written with Pillow, on which it rests. Films are read with
PyAV, since imageio converts colours in one thread per core, and FFmpeg's converter then overwrites
a few pixels of its neighbour's if the width is not a multiple of its step: on a busy machine, one
reading in four of a film 70 pixels wide was wrong. imageio also gives no chapters, no packets, and
no last frame without those before it.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from grokviz.errors import InputError


def read_picture(
    source: Path | bytes, *, alpha: bool = True
) -> UInt8[np.ndarray, "height width channels"]:
    """Pixels of a picture file or its bytes: RGBA, or RGB without ``alpha``.

    Raises ``OSError`` if it is not a picture.
    """
    import imageio.v3 as iio

    mode = "RGBA" if alpha else "RGB"
    return np.asarray(iio.imread(source, plugin="pillow", index=0, mode=mode))


def picture_size(source: Path | bytes) -> tuple[int, int]:
    """Width and height of a picture in pixels; raises ``OSError`` if it is not a picture."""
    import imageio.v3 as iio

    height, width = iio.improps(source, plugin="pillow", index=0).shape[:2]
    return width, height


def picture_bytes(
    pixels: UInt8[np.ndarray, "height width channels"], suffix: str, **settings: Any
) -> bytes:
    """Encode a picture in the format of ``suffix``, with Pillow's ``settings`` for it."""
    from PIL import Image

    # not through imageio, whose first use imports every plug-in that Pillow has
    Image.preinit()
    kind = Image.EXTENSION.get(suffix) or Image.registered_extensions()[suffix]
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, kind, **settings)
    return memory.getvalue()


class Frames:
    """The frames of an open film by number, read in ascending order."""

    def __init__(self, path: Path, container: Any) -> None:
        self._path = path
        self._frames = enumerate(container.decode(video=0))
        self._number, self._pixels = -1, np.empty((0, 0, 4), np.uint8)

    def __getitem__(self, index: int) -> UInt8[np.ndarray, "height width 4"]:
        """One frame as RGBA, in the colours that a player shows.

        Raises :class:`InputError` if the film is damaged or has ended.
        """
        if index < self._number:
            raise ValueError(f"frame {index} was requested after frame {self._number}")
        if index > self._number:
            with _damage(self._path):
                # counted from the start, because seeking fails near the end of films with B frames
                self._number, frame = next(item for item in self._frames if item[0] == index)
                self._pixels = convert_pixels(frame, "rgba").to_ndarray()
        return self._pixels


@contextlib.contextmanager
def open_film(path: Path) -> Iterator[Frames]:
    """Open a film's frames; raises :class:`InputError` if it is damaged or not a film.

    The alpha channel of VP9 is missing, since FFmpeg's own decoder ignores it.
    """
    import av

    with _damage(path):
        container = av.open(str(path))
    with container:
        with _damage(path):
            frames = Frames(path, container)
        yield frames


def convert_pixels(frame: Any, kind: str) -> Any:
    """Convert a PyAV frame to another pixel format, in one thread, as several may be wrong."""
    return frame.reformat(format=kind, threads=1)


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn a decoder's error about a damaged film into an ``InputError``."""
    import av.error

    try:
        yield
    except (av.error.FFmpegError, OSError, StopIteration, IndexError) as error:
        raise InputError(f"{path} cannot be read as a film; render it again") from error
