"""Pictures and films as arrays of pixels.

Pictures are read and written through imageio. Films are read with PyAV itself, since imageio
converts colours in as many threads as there are cores, and FFmpeg's converter then writes a few
pixels over its neighbour's where a width is no multiple of its step: one reading in four of a
film 70 pixels wide was wrong on a busy machine. Nor does it give chapters, packets, or the last
frame without those before it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from grokviz.errors import InputError


def read_picture(
    source: Path | bytes, *, alpha: bool = True
) -> UInt8[np.ndarray, "height width channels"]:
    """Pixels of a picture, of its file or its bytes: RGBA, or RGB without ``alpha``.

    Raises ``OSError`` for what is no picture.
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
    """A picture of the format of ``suffix`` with Pillow's ``settings`` for it."""
    import imageio.v3 as iio

    how: dict[str, Any] = {"plugin": "pillow", "is_batch": False, **settings}
    return bytes(iio.imwrite("<bytes>", pixels, extension=suffix, **how))


class Frames:
    """The frames of an open film by their number; asked for in ascending order."""

    def __init__(self, path: Path, container: Any) -> None:
        self._path = path
        self._numbered = enumerate(container.decode(video=0))
        self._number, self._pixels = -1, np.empty((0, 0, 4), np.uint8)

    def __getitem__(self, index: int) -> UInt8[np.ndarray, "height width 4"]:
        """One frame as RGBA, in the colours that a player shows.

        Raises :class:`InputError` where the film is damaged or has ended.
        """
        if index < self._number:
            raise ValueError(f"frame {index} was asked for after frame {self._number}")
        if index > self._number:
            with _damage(self._path):
                # counted from the start: a seek errs near the end of films with B frames
                self._number, frame = next(one for one in self._numbered if one[0] == index)
                self._pixels = converted(frame, "rgba").to_ndarray()
        return self._pixels


@contextlib.contextmanager
def open_film(path: Path) -> Iterator[Frames]:
    """The frames of a film; raises :class:`InputError` if it is damaged or not a film.

    Without the alpha of VP9, which FFmpeg's own decoder leaves out.
    """
    import av

    with _damage(path):
        container = av.open(str(path))
    with container:
        with _damage(path):
            frames = Frames(path, container)
        yield frames


def converted(frame: Any, kind: str) -> Any:
    """A frame of PyAV in another pixel format, converted in one thread: in several it may err."""
    return frame.reformat(format=kind, threads=1)


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    """A decoder's error about a broken film, as a sentence."""
    import av.error

    try:
        yield
    except (av.error.FFmpegError, OSError, StopIteration, IndexError) as error:
        raise InputError(f"{path} cannot be read as a film; render it again") from error
