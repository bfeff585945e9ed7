"""GIF with one palette for all frames, no dithering and exact timing.

It uses FFmpeg's palettegen and paletteuse through PyAV. A GIF counts time in hundredths of a
second, and browsers slow down frames shorter than two of them, so its rates are 100/n with n
at least 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from grokviz.media.film import chunks
from grokviz.media.film.encode import Film, Frame, Frames, Step, TooBig, in_thread


@dataclass(frozen=True)
class Gif:
    """The writer of GIFs."""

    steps: Sequence[Step]

    def rate(self, fps: Fraction) -> Fraction:
        """The highest rate 100/n not above ``fps``, with a whole number n of at least 2."""
        return Fraction(100, max(2, math.ceil(100 / fps)))

    def write(self, part: Path, frames: Frames, film: Film) -> int:
        """Compute the palette in one pass over the frames, and encode in a second."""
        palette = in_thread(frames(), lambda source: _palette(source, film.step.colours))
        count = in_thread(frames(), lambda source: _encode(part, source, film, palette))
        provenance = film.provenance
        data = part.read_bytes()
        comment = "\n".join(
            text for text in (provenance.title, provenance.alt, provenance.as_json()) if text
        )
        part.write_bytes(chunks.gif_with_comment(data, comment))
        if film.limit is not None and part.stat().st_size > film.limit:
            raise TooBig
        return count


def _source(graph: Any, frame: Frame, time_base: Fraction) -> Any:
    height, width = frame.shape[:2]
    return graph.add("buffer", f"video_size={width}x{height}:pix_fmt=rgb24:time_base={time_base}")


def _video_frame(frame: Frame, index: int, time_base: Fraction) -> Any:
    import av
    import numpy as np

    video_frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[..., :3]), format="rgb24")
    video_frame.pts, video_frame.time_base = index, time_base
    return video_frame


def _palette(frames: Iterator[Frame], colours: int) -> Any:
    """The palette of all frames as a 16 x 16 picture; a held picture counts once."""
    import av.filter

    graph = None
    before: Frame | None = None
    for index, frame in enumerate(frames):
        if graph is None:
            graph = av.filter.Graph()
            graph.threads = 1
            graph.link_nodes(
                _source(graph, frame, Fraction(1, 100)),
                graph.add("palettegen", f"max_colors={colours}:reserve_transparent=0"),
                graph.add("buffersink"),
            ).configure()
        if frame is not before:
            graph.push(_video_frame(frame, index, Fraction(1, 100)))
            before = frame
    if graph is None:
        return None
    graph.push(None)
    return graph.pull()


def _encode(part: Path, frames: Iterator[Frame], film: Film, palette: Any) -> int:
    import av
    import av.filter

    step = 1 / film.fps
    first = next(frames)
    graph = av.filter.Graph()
    graph.threads = 1
    picture = _source(graph, first, step)
    colours = graph.add(
        "buffer", f"video_size=16x16:pix_fmt={palette.format.name}:time_base={step}"
    )
    use = graph.add("paletteuse", "dither=none:diff_mode=rectangle")
    sink = graph.add("buffersink")
    picture.link_to(use, 0, 0)
    colours.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    palette.pts, palette.time_base = 0, step
    colours.push(palette)
    colours.push(None)

    count = size = 0
    options = {"fflags": "+bitexact", "loop": "0", "final_delay": str(int(100 * step))}
    with av.open(str(part), "w", format="gif", options=options) as container:
        stream: Any = container.add_stream(film.codec, rate=film.fps)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "pal8"
        for video_frame in _map_colours(first, frames, picture, sink, step):
            video_frame.pts, video_frame.time_base = count, step
            count += 1
            for packet in stream.encode(video_frame):
                size += packet.size
                container.mux(packet)
            if film.limit is not None and size > film.limit:
                raise TooBig
        container.mux(stream.encode(None))
    return count


def _map_colours(
    first: Frame, rest: Iterator[Frame], source: Any, sink: Any, step: Fraction
) -> Any:
    """Map every frame to the palette's colours, yielding as soon as the filter does."""
    import av.error

    def ready() -> Iterator[Any]:
        while True:
            try:
                yield sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return

    source.push(_video_frame(first, 0, step))
    yield from ready()
    for index, frame in enumerate(rest, 1):
        source.push(_video_frame(frame, index, step))
        yield from ready()
    source.push(None)
    yield from ready()


GIF = Gif(
    steps=[
        Step("at full size"),
        Step("with 128 colours", colours=128),
        Step("at half the rate with 128 colours", every=2, colours=128),
        Step(
            "at half the rate, three quarters the size and 64 colours",
            every=2,
            colours=64,
            scale=Fraction(3, 4),
        ),
        Step(
            "at half the rate, half the size and 64 colours",
            every=2,
            colours=64,
            scale=Fraction(1, 2),
        ),
        Step(
            "at a quarter of the rate, half the size and 32 colours",
            every=4,
            colours=32,
            scale=Fraction(1, 2),
        ),
        Step(
            "at a quarter of the rate, a third of the size and 32 colours",
            every=4,
            colours=32,
            scale=Fraction(1, 3),
        ),
    ]
)
