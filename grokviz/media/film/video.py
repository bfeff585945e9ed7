"""MP4, WebM and MOV, through PyAV.

Colours are converted to the BT.709 matrix in limited range and tagged so, because browsers show
untagged films in other colours; QuickTime Animation stores RGB as it is. An odd width or height is
padded with one row or column of the edge's colour, without resampling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.media.film.encode import HALF, Film, Frame, Frames, Step, TooBig, in_thread
from grokviz.media.film.sound import Muxer
from grokviz.media.provenance import Provenance

_RGB, _BT709 = 0, 1
_LIMITED_RANGE, _FULL_RANGE = 1, 2
# fixed, because the output of encoders depends on the number of threads
_THREADS = 4


@dataclass(frozen=True)
class Video:
    """A container with one H.264, VP9, ProRes or Animation stream, of ``rgb`` or of YUV."""

    container: str
    pixels: str
    pixels_alpha: str
    options: dict[str, str]
    steps: Sequence[Step]
    muxer: dict[str, str] = field(default_factory=dict)
    bleed: bool = False
    key_frames: bool = True
    quicktime: bool = False
    covers: bool = False
    rgb: bool = False

    def rate(self, fps: Fraction) -> Fraction:
        """Any rate."""
        return fps

    def write(self, part: Path, frames: Frames, film: Film) -> int:
        """Encode in a separate thread."""
        return in_thread(frames(), lambda source: self._encode(part, source, film))

    def open(self, part: Path, provenance: Provenance) -> Any:
        """Open a new file of this container, with its provenance, ready for streams."""
        import av

        options = {"fflags": "+bitexact", **self.muxer}
        container = av.open(str(part), "w", format=self.container, options=options)
        metadata = {
            "title": provenance.title,
            "description": provenance.alt,
            "comment": provenance.as_json(),
        }
        for key, text in metadata.items():
            container.metadata[key] = text
            if self.quicktime:  # the names that QuickTime reads
                container.metadata[f"com.apple.quicktime.{key}"] = text
        return container

    def _encode(self, part: Path, frames: Iterator[Frame], film: Film) -> int:
        first = next(frames)
        pixels = self.pixels_alpha if film.transparent else self.pixels
        height, width = _even(first).shape[:2]
        bleed = self.bleed and film.transparent
        converter = _Converter((width, height), pixels, film.fps, bleed, rgb=self.rgb)
        count = size = 0
        with self.open(part, film.provenance) as container:
            stream = self._stream(container, width, height, pixels, film)
            sound = None if film.sound is None else Muxer(container, film.sound_codec, film.sound)
            # what is put there is written at once, after which no stream can be added
            if self.covers and film.cover is not None:
                film.cover.put(container)
            for frame in _with_first(first, frames):
                for packet in stream.encode(converter(frame, count)):
                    size += packet.size
                    container.mux(packet)
                count += 1
                if sound is not None:
                    size += sound.write_until(count / film.fps)
                if film.limit is not None and size > film.limit:
                    raise TooBig
            container.mux(stream.encode(None))
            if sound is not None:
                sound.close()
        if film.limit is not None and part.stat().st_size > film.limit:
            raise TooBig
        return count

    def _stream(self, container: Any, width: int, height: int, pixels: str, film: Film) -> Any:
        options = self.options | film.step.options
        # a key frame every two seconds, so that a player can seek
        if self.key_frames:
            options = options | {"g": str(max(1, round(2 * film.fps)))}
        stream = container.add_stream(film.codec, rate=film.fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        context = stream.codec_context
        context.thread_count = _THREADS
        context.color_primaries = context.color_trc = _BT709
        context.colorspace, context.color_range = (
            (_RGB, _FULL_RANGE) if self.rgb else (_BT709, _LIMITED_RANGE)
        )
        return stream


def _with_first(first: Frame, rest: Iterator[Frame]) -> Iterator[Frame]:
    yield first
    yield from rest


def _even(frame: Frame) -> Frame:
    """Pad a frame to an even height and width by repeating its last row and column."""
    height, width = frame.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return frame
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


class _Converter:
    """Converts RGBA arrays to frames of BT.709 or RGB; a held picture is converted once."""

    def __init__(
        self, size: tuple[int, int], pixels: str, fps: Fraction, bleed: bool, *, rgb: bool
    ) -> None:
        import av.filter

        width, height = size

        self._bleed = bleed
        self._step = 1 / fps
        self._before: Frame | None = None
        self._frame: Any = None
        graph = av.filter.Graph()
        graph.threads = 1
        source = graph.add(
            "buffer", f"video_size={width}x{height}:pix_fmt=rgba:time_base={self._step}"
        )
        flags = "accurate_rnd+full_chroma_int+full_chroma_inp+area"
        colours = "" if rgb else "out_color_matrix=bt709:out_range=tv:"
        scale = graph.add("scale", f"{colours}flags={flags}")
        form = graph.add("format", f"pix_fmts={pixels}")
        graph.link_nodes(source, scale, form, graph.add("buffersink")).configure()
        self._graph = graph

    def __call__(self, frame: Frame, index: int) -> Any:
        import av

        if frame is not self._before:
            even = _even(frame)
            shown = np.ascontiguousarray(_bleed_colours(even) if self._bleed else even)
            # without a copy: nobody changes a frame that was handed over
            rgba = av.VideoFrame.from_numpy_buffer(shown, format="rgba")
            rgba.pts, rgba.time_base = index, self._step
            self._graph.push(rgba)
            self._frame, self._before = self._graph.pull(), frame
        self._frame.pts, self._frame.time_base = index, self._step
        return self._frame


def _bleed_colours(frame: Frame) -> Frame:
    """Give transparent pixels the colour of nearby opaque ones.

    A film stores colour at half the resolution of alpha, so the black behind transparent
    pixels would darken every edge.
    """
    from PIL import Image, ImageFilter

    blurred = Image.fromarray(frame).convert("RGBa").filter(ImageFilter.BoxBlur(3)).convert("RGBA")
    out = frame.copy()
    transparent = frame[..., 3] == 0
    out[transparent, :3] = np.asarray(blurred)[transparent, :3]
    return out


MP4 = Video(
    container="mp4",
    pixels="yuv420p",
    pixels_alpha="",
    options={
        "preset": "veryfast",
        "profile": "high",
        "x264-params": "cpu-independent=1:force-cfr=1",
    },
    steps=[Step(f"at crf {crf}", {"crf": str(crf)}) for crf in (18, 21, 24, 27, 30, 33, 36, 40)],
    muxer={"movflags": "+faststart"},
    covers=True,
)

WEBM = Video(
    container="webm",
    pixels="yuv420p",
    pixels_alpha="yuva420p",
    options={"b": "0", "deadline": "realtime", "cpu-used": "5", "row-mt": "1", "tile-columns": "2"},
    steps=[Step(f"at crf {crf}", {"crf": str(crf)}) for crf in (20, 26, 32, 38, 44, 50, 56)],
    bleed=True,
)

MOV = Video(
    container="mov",
    key_frames=False,
    quicktime=True,
    pixels="yuv444p10le",
    pixels_alpha="yuva444p10le",
    options={"profile": "4444", "vendor": "apl0", "alpha_bits": "16"},
    muxer={"movflags": "+faststart+use_metadata_tags"},
    steps=[
        Step("at ProRes 4444"),
        Step("at 800 bits a macroblock", {"bits_per_mb": "800"}),
        Step("at 400 bits a macroblock", {"bits_per_mb": "400"}),
        Step("at 200 bits a macroblock", {"bits_per_mb": "200"}),
    ],
)

MOV_RLE = Video(
    container="mov",
    quicktime=True,
    rgb=True,
    pixels="rgb24",
    pixels_alpha="argb",
    options={},
    muxer={"movflags": "+faststart+use_metadata_tags"},
    steps=[
        Step("without loss"),
        Step("at half the rate", every=2),
        Step("at half the rate and half the size", every=2, scale=HALF),
    ],
)
"""QuickTime Animation: runs of equal pixels, so flat colours are small, and nothing is lost."""
