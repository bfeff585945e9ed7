"""The poster of a film inside its own file: what a folder or a player shows before it starts.

An MP4 has it where players look for a cover, beside the film and not in it. Other containers
have no such place that players read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from grokviz.media.pixels import picture_bytes

WIDEST = 960
QUALITY = 85


@dataclass(frozen=True)
class Cover:
    """A JPEG and its size in pixels."""

    jpeg: bytes
    width: int
    height: int

    @classmethod
    def of(cls, picture: UInt8[np.ndarray, "height width 4"]) -> Cover:
        """The cover that shows a frame, at most 960 pixels wide."""
        from PIL import Image

        image = Image.fromarray(np.ascontiguousarray(picture[..., :3]))
        if image.width > WIDEST:
            size = (WIDEST, round(image.height * WIDEST / image.width))
            image = image.resize(size, Image.Resampling.LANCZOS)
        jpeg = picture_bytes(np.asarray(image), ".jpg", quality=QUALITY)
        return cls(jpeg, image.width, image.height)

    def put(self, container: Any) -> None:
        """Write it into a container that is open, all of whose streams are there."""
        import av
        from av.stream import Disposition

        stream = container.add_stream("mjpeg")
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuvj420p"
        stream.disposition = Disposition.attached_pic
        packet = av.Packet(self.jpeg)
        packet.stream = stream
        packet.pts = packet.dts = 0
        packet.time_base = Fraction(1, 1000)
        container.mux(packet)


def cover_of(path: Path) -> Cover | None:
    """The cover inside a film; None where it has none."""
    import av

    with av.open(str(path)) as container:
        for stream in _covers(container):
            for packet in container.demux(stream):
                if packet.size:
                    return Cover(bytes(packet), stream.width, stream.height)
    return None


def _covers(container: Any) -> Iterator[Any]:
    from av.stream import Disposition

    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:
            yield stream
