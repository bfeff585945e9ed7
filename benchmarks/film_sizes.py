"""How large films are: what ``Format.bits`` in ``grokviz/media/formats.py`` is taken from.

    python benchmarks/film_sizes.py

Draws some unlike scenes once, as frames, encodes them in every film format, and prints the bits
that a pixel of a frame takes: the least and the most of all scenes, with and without a background.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import grokviz as gv
from grokviz.media import FORMATS, Provenance, write_film
from grokviz.media.readers import FOLDERS

SCENES = (
    "grokking-curve", "embedding-waves", "wave-circles", "embedding-map", "neuron-activations",
    "attention-map", "logit-waves",
)  # fmt: skip
SECONDS, FPS = 8.0, 15
QUALITY = "l"


def drawn(scene: str, folder: Path, *, transparent: bool) -> list[Any]:
    """The frames of a scene."""
    gv.render(
        scene, None, f"{folder}/", quality=QUALITY, fps=FPS, duration=SECONDS,
        transparent=transparent,
    )  # fmt: skip
    frames = []
    for frame in FOLDERS.frames(folder):
        # a picture that is held is one object, as when it is drawn
        frames.append(frames[-1] if frames and np.array_equal(frame, frames[-1]) else frame)
    return frames


def sizes(frames: Sequence[Any], folder: Path, *, transparent: bool) -> dict[str, float]:
    """Bits a pixel of a frame in every format that can be so."""
    pixels = len(frames) * frames[0].shape[0] * frames[0].shape[1]
    found = {}
    for kind in FORMATS.values():
        if kind.film and not kind.folder and (kind.alpha or not transparent):
            path = folder / f"film{kind.suffixes[0]}"
            film = write_film(
                path, lambda: iter(frames), fps=FPS, provenance=Provenance("size"),
                transparent=transparent, fmt=kind.name,
            )  # fmt: skip
            found[kind.name] = 8 * film.size / pixels
        elif kind.folder:
            files = (folder / str(transparent)).iterdir()
            found[kind.name] = 8 * sum(file.stat().st_size for file in files) / pixels
    return found


def main(scenes: Sequence[str]) -> None:
    """Print a row for each scene, then the least and the most of each format."""
    rows = []
    for scene in scenes or SCENES:
        for transparent in (False, True):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                frames = drawn(scene, folder / str(transparent), transparent=transparent)
                row = sizes(frames, folder, transparent=transparent)
            rows.append(row)
            cells = ", ".join(f"{kind} {bits:.3g}" for kind, bits in row.items())
            print(f"{scene}{' without background' * transparent}: {cells}", flush=True)
    for kind in FORMATS:
        values = [row[kind] for row in rows if kind in row]
        if values:
            print(f"{kind}: {min(values):.2g} to {max(values):.2g} bits a pixel of a frame")


if __name__ == "__main__":
    main(sys.argv[1:])
