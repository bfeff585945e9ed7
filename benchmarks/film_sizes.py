"""How large films are: what ``Format.bits`` in ``grokviz/media/formats.py`` is taken from.

    python benchmarks/film_sizes.py

Draws some unlike scenes once, as frames, encodes them in every film format, and prints the bits
that a pixel of a frame takes: the least and the most of all scenes, with and without a background.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import grokviz as gv
from grokviz.media import FORMATS, Provenance, write_film
from grokviz.media.readers import FOLDERS

SCENES = (
    "wave-circles", "neuron-activations", "embedding-waves", "grokking-curve", "logit-waves",
)  # fmt: skip
SECONDS, FPS = 8.0, 15
QUALITY = "l"
FEW = 12
"""Of ProRes, which codes each picture by itself and slowly, one in so many frames is enough."""


def drawn(scene: str, folder: Path) -> list[Any]:
    """The frames of a scene, without a background."""
    gv.render(
        scene, None, f"{folder}/", quality=QUALITY, fps=FPS, duration=SECONDS, transparent=True
    )
    frames: list[Any] = []
    for frame in FOLDERS.frames(folder):
        # a picture that is held is one object, as when it is drawn
        frames.append(frames[-1] if frames and np.array_equal(frame, frames[-1]) else frame)
    return frames


def on_white(frames: Sequence[Any]) -> list[Any]:
    """The same with a background."""
    made: dict[int, Any] = {}
    for frame in frames:
        if id(frame) not in made:
            alpha = frame[..., 3:] / 255
            colours = np.rint(frame[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
            made[id(frame)] = np.dstack([colours, np.full_like(frame[..., 3], 255)])
    return [made[id(frame)] for frame in frames]


def sizes(frames: Sequence[Any], folder: Path, *, transparent: bool) -> dict[str, float]:
    """Bits a pixel of a frame in every format that can be so."""
    found = {}
    for kind in FORMATS.values():
        if kind.film and (kind.alpha or not transparent):
            path = folder / f"film{transparent}{'/' if kind.folder else kind.suffixes[0]}"
            some = frames[::FEW] if kind.codec == "prores_ks" else frames
            film = write_film(
                path, partial(iter, some), fps=FPS, provenance=Provenance("size"),
                transparent=transparent, fmt=kind.name,
            )  # fmt: skip
            files = path.iterdir() if kind.folder else [film.path]
            pixels = film.frames * some[0].shape[0] * some[0].shape[1]
            found[kind.name] = 8 * sum(file.stat().st_size for file in files) / pixels
    return found


def main(scenes: Sequence[str]) -> None:
    """Print a row for each scene, then the least and the most of each format."""
    rows = []
    for scene in scenes or SCENES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            frames = drawn(scene, folder / "frames")
            for transparent in (True, False):
                shown = frames if transparent else on_white(frames)
                row = sizes(shown, folder, transparent=transparent)
                rows.append(row)
                cells = ", ".join(f"{kind} {bits:.3g}" for kind, bits in row.items())
                print(f"{scene}{' without background' * transparent}: {cells}", flush=True)
    for kind in FORMATS:
        values = [row[kind] for row in rows if kind in row]
        if values:
            print(f"{kind}: {min(values):.2g} to {max(values):.2g} bits a pixel of a frame")


if __name__ == "__main__":
    main(sys.argv[1:])
