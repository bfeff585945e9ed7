"""Animated WebP and APNG through PyAV: lossless, optionally transparent, endless."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.media.film import chunks
from grokviz.media.film.encode import (
    HALF,
    THIRD,
    Film,
    Frame,
    Frames,
    Step,
    TooBig,
    in_thread,
    quality_steps,
)
from grokviz.media.pixels import convert_pixels
from grokviz.media.provenance import Provenance

Finish = Callable[[bytes, Provenance, tuple[int, int]], bytes]


@dataclass(frozen=True)
class Loop:
    """An endless animation in a picture format; ``finish`` inserts the texts."""

    container: str
    pixels: str
    finish: Finish
    options: dict[str, str]
    steps: Sequence[Step]
    muxer: dict[str, str] = field(default_factory=dict)

    def rate(self, fps: Fraction) -> Fraction:
        """Any rate."""
        return fps

    def write(self, part: Path, frames: Frames, film: Film) -> int:
        """Encode in a separate thread, then insert title, alt text and provenance."""
        count, size = in_thread(frames(), lambda source: self._encode(part, source, film))
        part.write_bytes(self.finish(part.read_bytes(), film.provenance, size))
        if film.limit is not None and part.stat().st_size > film.limit:
            raise TooBig
        return count

    def _encode(
        self, part: Path, frames: Iterator[Frame], film: Film
    ) -> tuple[int, tuple[int, int]]:
        import av

        options = {"fflags": "+bitexact", **self.muxer}
        count = size = 0
        stream: Any = None
        shape = (0, 0)
        with av.open(str(part), "w", format=self.container, options=options) as container:
            for frame in frames:
                if stream is None:
                    stream = container.add_stream(
                        film.codec, rate=film.fps, options=self.options | film.step.options
                    )
                    shape = (frame.shape[1], frame.shape[0])
                    stream.width, stream.height = shape
                    stream.pix_fmt = self.pixels
                    stream.codec_context.thread_count = 1
                video_frame = self._frame(frame, film.transparent)
                video_frame.pts, video_frame.time_base = count, 1 / film.fps
                count += 1
                for packet in stream.encode(video_frame):
                    size += packet.size
                    container.mux(packet)
                if film.limit is not None and size > film.limit:
                    raise TooBig
            container.mux(stream.encode(None))
        return count, shape

    def _frame(self, frame: Frame, transparent: bool) -> Any:
        import av

        if not transparent and frame[..., 3].min() < 255:
            frame = frame.copy()
            frame[..., 3] = 255
        if self.pixels == "rgb24":
            frame = np.ascontiguousarray(frame[..., :3])
            return av.VideoFrame.from_ndarray(frame, format="rgb24")
        video_frame = av.VideoFrame.from_ndarray(frame, format="rgba")
        return video_frame if self.pixels == "rgba" else convert_pixels(video_frame, self.pixels)


def _apng_texts(data: bytes, provenance: Provenance, _: tuple[int, int]) -> bytes:
    return chunks.png_with_texts(
        data,
        {"Title": provenance.title, "Description": provenance.alt, "Comment": provenance.as_json()},
    )


def _webp_texts(data: bytes, provenance: Provenance, size: tuple[int, int]) -> bytes:
    return chunks.webp_with_xmp(
        data, chunks.xmp(provenance.title, provenance.alt, provenance.as_json()), size
    )


WEBP = Loop(
    container="webp",
    pixels="bgra",
    finish=_webp_texts,
    options={"compression_level": "2"},
    muxer={"loop": "0"},
    steps=[
        Step("lossless", {"lossless": "1", "quality": "40"}),
        *quality_steps((90, 75, 50, 30), last=30),
    ],
)

APNG = Loop(
    container="apng",
    pixels="rgba",
    finish=_apng_texts,
    options={"pred": "none"},
    muxer={"plays": "0"},
    steps=[
        Step("lossless"),
        Step("at half the rate", every=2),
        Step("at half the rate and half the size", every=2, scale=HALF),
        Step("at a quarter of the rate and a third of the size", every=4, scale=THIRD),
    ],
)
