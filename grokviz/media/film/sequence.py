"""A film as a folder of numbered PNG frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from grokviz.media.film.encode import Film, Frame, Frames, Step, in_thread
from grokviz.media.still import png_bytes


@dataclass(frozen=True)
class PngSequence:
    """The writer of ``00000.png``, ``00001.png`` and so on."""

    steps: Sequence[Step]

    def rate(self, fps: Fraction) -> Fraction:
        """Any rate."""
        return fps

    def write(self, part: Path, frames: Frames, film: Film) -> int:
        """Compress in a separate thread; a held picture is compressed once."""
        return in_thread(frames(), lambda stream: _write(part, stream, film))


def _write(folder: Path, frames: Iterator[Frame], film: Film) -> int:
    count = 0
    before: Frame | None = None
    data = b""
    for frame in frames:
        if frame is not before:
            data, before = png_bytes(frame, film.provenance, film.transparent), frame
        (folder / f"{count:05d}.png").write_bytes(data)
        count += 1
    return count


PNG_SEQUENCE = PngSequence([Step("as frames")])
