"""For how long the picture of a film stands still, from what its scene moves: nothing is drawn.

A caption that comes or goes is no movement: it is what is read while the picture stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np

from grokviz.media.film.captions import Caption
from grokviz.media.theme import theme
from grokviz.render.drawing import build, frames_of, updates_of
from grokviz.render.job import RenderJob
from grokviz.scene.film import Film
from grokviz.scene.spoken import starts
from grokviz.scene.style import drawing_in

FPS = 6
"""Moments a second that are looked at."""


@dataclass(frozen=True)
class Still:
    """From when on a picture stands, for how many seconds, and what is said below meanwhile."""

    start: float
    seconds: float
    captions: tuple[str, ...]


def stills(states: Sequence[Hashable], captions: Sequence[Caption]) -> list[Still]:
    """The stretches of equal states, in order."""
    found, at = [], 0
    for _, group in groupby(states):
        stop = at + len(list(group))
        said = tuple(one.text for one in captions if one.start < stop and at < one.stop)
        found.append(Still(at / FPS, (stop - at) / FPS, said))
        at = stop
    return found


def of_matplotlib(job: RenderJob, data: Any) -> list[Still]:
    """Those of a scene drawn with matplotlib: what it has at hand for each of its frames."""
    with drawing_in(job.theme, ghost=job.ghost):
        _, sheet, drawing = build(job, data)
        updates = updates_of(job, sheet, drawing, frames_of(job, data))
    begins = [*starts(job.captions, len(updates)), len(updates)]
    said = zip(begins, begins[1:], job.captions, strict=False)
    return stills([id(one) for one in updates], [Caption(*one) for one in said])


def of_manim(film: Film, data: Any, sections: tuple[str, ...] = ()) -> list[Still]:
    """Those of a film of manim, which plays without its camera."""
    from manim import tempconfig
    from manim.renderer.cairo_renderer import CairoRenderer

    from grokviz.render.films import draw
    from grokviz.scene.films.context import FilmContext, film_context
    from grokviz.strays import temporary_folder

    states: list[bytes] = []

    class Recorder(draw._Recorder):
        def write_frame(self, frame: Any, repeat: int = 1) -> None:
            states.extend([frame] * repeat)
            self.count += repeat

    class Blind(CairoRenderer):  # type: ignore[misc]
        """Hands on what the picture is made of in place of the picture."""

        def update_frame(self, scene: Any, *args: Any, **kwargs: Any) -> None:
            self.scene = scene

        def get_frame(self) -> bytes:
            return _state(self.scene)

        def save_static_frame_data(self, scene: Any, static_mobjects: Any) -> None:
            self.scene = scene

    screen = draw.Screen(426, 240, Fraction(FPS))
    context = FilmContext(film, data, theme("dark", "slide"), film.heading(data), only=sections)
    recorder = Recorder(None, transparent=False, report=None)  # type: ignore[arg-type]
    scene = draw.manim_class(type(film))
    with (
        temporary_folder("film") as media,
        tempconfig(draw._config(context, screen, str(media))),
        film_context(context),
    ):
        renderer = Blind(file_writer_class=recorder.attach, camera_class=scene.camera_kind)
        instance = scene(renderer=renderer)
        instance.render()
    return stills(states, [Caption(*row) for row in instance.captions])


def _state(scene: Any) -> bytes:
    """What decides the picture, but for the caption."""
    digest = hashlib.sha256()
    for mobject in scene.mobjects:
        if mobject is scene._caption:
            continue
        for part in mobject.get_family():
            for name in ("points", "fill_rgbas", "stroke_rgbas", "pixel_array", "stroke_width"):
                value = getattr(part, name, None)
                if value is not None:
                    digest.update(np.ascontiguousarray(value).tobytes())
    return digest.digest()
