"""What the tests of films share, and ``renew.py`` with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from grokviz.media import screen
from grokviz.render.films.cache import FilmFrames
from grokviz.render.films.needs import lacking
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.scene.data import load_for
from grokviz.scene.film import Film
from grokviz.scene.registry import scenes

HERE = Path(__file__).parent
CONTROL = HERE / "control"
SMALL = (426, 240, 4)
"""Size and rate at which control frames are drawn."""

FILMS: dict[str, type[Film]] = {
    name: scene
    for name, scene in scenes(user=False).items()
    if issubclass(scene, Film) and not scene.joined()
}

_need = lacking()
needs_manim = pytest.mark.skipif(
    _need is not None,
    reason="" if _need is None else f"{_need.name} is not installed: {_need.remedy}",
)


def drawn(name: str, theme: str = "dark") -> FilmFrames:
    """A film drawn small."""
    from grokviz.render.films.engine import film_frames

    film, (wide, high, fps) = FILMS[name](), SMALL
    data = load_for(film, None, default=film.reference)
    (job,) = plan(film, "a.mp4", (), render_options({"quality": "l", "fps": fps, "theme": theme}))
    return film_frames(replace(job, page=screen(wide, high)), data)


def control_frames(kept: FilmFrames) -> dict[str, np.ndarray]:
    """The last frame of each section, as RGB."""
    found = {}
    for section, _ in kept.sections:
        found[section] = kept.frame(kept.span(section)[1] - 1)[..., :3]
    return found


def control_file(name: str, section: str) -> Path:
    """Where a control frame lies."""
    return CONTROL / f"{name}-{section}.png"


def rms(one: np.ndarray, two: np.ndarray) -> float:
    """Root mean square difference, of 255."""
    return float(np.sqrt(np.square(one.astype(float) - two.astype(float)).mean()))


def beside(frame: np.ndarray, control: np.ndarray, path: Path) -> None:
    """The frame, the control frame and their difference (times eight) in one picture."""
    apart = np.abs(frame.astype(int) - control.astype(int)) * 8
    shown = np.concatenate([frame, control, np.clip(apart, 0, 255).astype(np.uint8)], axis=1)
    iio.imwrite(path, shown)
