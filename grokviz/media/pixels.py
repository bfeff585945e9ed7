"""Pictures and films as arrays of pixels, read and written through imageio.

PyAV itself is used where a film is written with settings of ours, and asked for what imageio does
not give: chapters, packets, the last frame without those before it, and a film's texts (imageio
collects the garbage of the whole process at each film that it closes: 0.1 s for what takes 0.01).
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
    """Width and height of a picture in pixels; raises ``OSError`` for what is no picture."""
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

    def __init__(self, path: Path, file: Any) -> None:
        self._path, self._file = path, file

    def __getitem__(self, index: int) -> UInt8[np.ndarray, "height width 4"]:
        """One frame as RGBA, in the colours that a player shows.

        Raises :class:`InputError` where the film is damaged or has ended.
        """
        with _damage(self._path):
            # counted from the start: its own seek errs near the end of films with B frames
            # in one thread: of a loaded machine's, a few pixels of VP9 came back undrawn once
            frame = self._file.read(
                index=index, format="rgba", constant_framerate=False, thread_count=1
            )
            return np.ascontiguousarray(frame)


@contextlib.contextmanager
def open_film(path: Path) -> Iterator[Frames]:
    """The frames of a film; raises :class:`InputError` for what is no film or is damaged.

    Without the alpha of VP9, which FFmpeg's own decoder leaves out.
    """
    import imageio.v3 as iio

    with _damage(path):
        file = iio.imopen(path, "r", plugin="pyav")
    with file:
        yield Frames(path, file)


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    """What a decoder says of a broken film, as a sentence."""
    import av.error

    try:
        yield
    except (av.error.FFmpegError, OSError, StopIteration, IndexError) as error:
        raise InputError(f"{path} cannot be read as a film; render it again") from error
