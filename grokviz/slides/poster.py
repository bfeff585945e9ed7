"""The picture that stands for a film: where it is printed, listed, or has not begun.

PyAV finds the last frame: imageio, asked for a frame by its number, errs near the end of a film
whose frames are coded out of order, as H.264's are, and without seeking decodes the whole film.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from grokviz.errors import InputError
from grokviz.media import read_provenance
from grokviz.media.still import png_bytes


def last_frame(path: Path, chapter: str | None = None) -> tuple[bytes, float]:
    """A film's last frame as a PNG with the film's own texts, and its length in seconds.

    The last frame is the one at which a film stays when it has ended, so that neither the
    printed page nor the end of the film is a surprise. ``chapter`` is the title of one of the
    film's chapters, whose last frame is taken instead.
    """
    import av

    try:
        with av.open(str(path)) as container:
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
            seconds = (last.time or 0.0) + float(step)
            picture = _pixels(last)
    # a film without a stream or a frame ends in one of the last two
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a film: {error}; render it again") from error
    return png_bytes(picture, read_provenance(path), transparent=False), seconds


def _end(container: Any, title: str) -> Fraction:
    """Second at which a chapter ends."""
    for mark in container.chapters():
        if mark["metadata"].get("title") == title:
            return Fraction(mark["end"] * mark["time_base"])
    raise ValueError(f"it has no chapter {title!r}")


def _pixels(frame: Any) -> UInt8[np.ndarray, "height width 4"]:
    """A decoded frame in the colours that a player shows: our films are BT.709."""
    rgba: np.ndarray = frame.to_ndarray(
        format="rgba",
        src_colorspace="ITU709",
        threads=1,  # see media.pixels
    )
    return rgba
