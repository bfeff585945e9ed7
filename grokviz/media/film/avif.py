"""AVIF pictures and loops through Pillow.

Colours have full resolution and range, and are tagged as sRGB. The encoder uses one thread,
since its output depends on the number of threads.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, features

from grokviz.errors import InputError, WorkError
from grokviz.media.film import chunks
from grokviz.media.film.encode import Film, Frame, Frames, Step, TooBig, in_thread, quality_steps
from grokviz.media.provenance import Provenance
from grokviz.media.still import Pixels

_SETTINGS: dict[str, Any] = {"subsampling": "4:4:4", "range": "full", "max_threads": 1}
_STILL = {"quality": 90, "speed": 6}
_SPEED = 8
"""Encoder speed for films; at 7 and below, libavif encodes only two frames a second."""


def avif_bytes(
    picture: Pixels, provenance: Provenance, transparent: bool, dpi: float | None = None
) -> bytes:
    """An AVIF of RGBA pixels (straight alpha) with title, alt text and provenance inside."""
    return _encode_pictures(Image.fromarray(_channels(picture, transparent)), provenance, **_STILL)


@dataclass(frozen=True)
class Avifs:
    """The writer of moving AVIF."""

    steps: Sequence[Step]

    def rate(self, fps: Fraction) -> Fraction:
        """Any rate; times have a resolution of a millisecond."""
        return fps

    def write(self, part: Path, frames: Frames, film: Film) -> int:
        """Encode in a separate thread; a held picture is stored once, with a longer duration."""
        count, data = in_thread(frames(), lambda stream: _encode(stream, film))
        part.write_bytes(data)
        if film.limit is not None and len(data) > film.limit:
            raise TooBig
        return count


def _encode(frames: Iterator[Frame], film: Film) -> tuple[int, bytes]:
    pictures = _Pictures(frames, film)
    ends = [round(1000 * n / film.fps) for n in (0, *accumulate(pictures.times))]
    data = _encode_pictures(
        pictures,
        film.provenance,
        quality=int(film.step.options["quality"]),
        speed=_SPEED,
        save_all=True,
        duration=[stop - start for start, stop in pairwise(ends)],
    )
    return sum(pictures.times), data


def _encode_pictures(picture: Image.Image, provenance: Provenance, **settings: Any) -> bytes:
    """Encode to bytes with the texts as XMP; an encoder's error becomes a ``WorkError``."""
    if not features.check("avif"):
        raise InputError(
            "this Pillow was built without AVIF: run pip install --force-reinstall "
            "--only-binary :all: pillow, or choose another format"
        )
    out = io.BytesIO()
    xmp = chunks.xmp(provenance.title, provenance.alt, provenance.as_json())
    try:
        picture.save(out, "AVIF", xmp=xmp.encode(), **_SETTINGS, **settings)
    except (RuntimeError, ValueError) as error:
        raise WorkError(f"cannot encode AVIF: {error}") from error
    return chunks.clear_times(out.getvalue())


def _channels(picture: Pixels, transparent: bool) -> np.ndarray:
    return picture if transparent else np.ascontiguousarray(picture[..., :3])


class _Pictures(ImageFile.ImageFile):
    """A film's frames as an image file of several pictures, one uncompressed at a time.

    Pillow needs their number before the first, so all are kept compressed until the last has
    arrived. ``times`` is the number of frames for which each is shown.
    """

    def __init__(self, frames: Iterable[Frame], film: Film) -> None:
        self.times: list[int] = []
        self._compressed: list[bytes] = []
        self._at = 0
        before: Frame | None = None
        for frame in frames:
            if frame is before:
                self.times[-1] += 1
                continue
            pixels = _channels(frame, film.transparent)
            self._compressed.append(zlib.compress(pixels.tobytes(), 1))
            self._shape, before = pixels.shape, frame
            self.times.append(1)
        self.n_frames = len(self.times)
        self.is_animated = True
        super().__init__(io.BytesIO(), "frames")

    def _open(self) -> None:
        self._mode = "RGBA" if self._shape[2] == 4 else "RGB"
        self._size = (self._shape[1], self._shape[0])
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Go to a picture by its number; raises EOFError after the last."""
        if frame >= self.n_frames:
            raise EOFError("no more frames")
        pixels = np.frombuffer(zlib.decompress(self._compressed[frame]), np.uint8)
        self._at, self.im = frame, Image.fromarray(pixels.reshape(self._shape)).im

    def tell(self) -> int:
        """The number of the current picture."""
        return self._at


AVIFS = Avifs(steps=quality_steps((90, 80, 65, 50, 35), last=25))
