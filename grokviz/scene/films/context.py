"""The context of a manim scene: specification with options, dataset, theme and title.

``grokviz render`` sets it; plain ``manim`` reads it from the environment: ``GROKVIZ_RUN`` (a
run directory, ``.nc`` file or bundled reference), ``GROKVIZ_SET`` (``a=12 b=30``) and
``GROKVIZ_THEME``.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.errors import InputError
from grokviz.media.theme import Theme, theme
from grokviz.scene.data import load_for
from grokviz.scene.film import Film
from grokviz.scene.registry import scene

if TYPE_CHECKING:
    import xarray as xr

_CURRENT: contextvars.ContextVar[FilmContext | None] = contextvars.ContextVar("film", default=None)


@dataclass(frozen=True)
class FilmContext:
    """A film with everything that determines its appearance.

    ``only`` names the sections to draw, if not all.
    """

    film: Film
    data: xr.Dataset
    theme: Theme
    title: str | None
    transparent: bool = False
    only: tuple[str, ...] = ()


@contextlib.contextmanager
def film_context(context: FilmContext) -> Iterator[None]:
    """Draw manim scenes created inside the block from ``context``."""
    token = _CURRENT.set(context)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_context(name: str) -> FilmContext:
    """The context of the manim scene of the film ``name``."""
    return _CURRENT.get() or _from_environment(name)


def _from_environment(name: str) -> FilmContext:
    kind = scene(name)
    options = {}
    for word in shlex.split(os.environ.get("GROKVIZ_SET", "")):
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"GROKVIZ_SET has {word!r} without a value; write key=value")
        options[key] = value
    film = kind.with_options(options)
    if not isinstance(film, Film):
        raise InputError(f"{name} is not drawn with manim; use grokviz render {name}")
    data = load_for(film, os.environ.get("GROKVIZ_RUN") or None, default=film.reference)
    slide = theme(os.environ.get("GROKVIZ_THEME", "dark"), "slide")
    return FilmContext(film, data, slide, film.title)
