"""Running a manim scene in this process, its frames handed on as they are drawn."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from grokviz.errors import GrokvizError, InputError, WorkError
from grokviz.media.film.captions import Caption
from grokviz.render.films.cache import FrameWriter
from grokviz.scene.film import Film
from grokviz.scene.films.context import FilmContext, film_context
from grokviz.strays import temporary_folder

OWN = "grokviz.scenes"


@dataclass(frozen=True)
class Screen:
    """Size and rate of a film."""

    width: int
    height: int
    fps: Fraction


def manim_class(film: type[Film]) -> Any:
    """The manim scene that draws a film."""
    module, _, name = film.drawn_by.partition(":")
    home = film.__module__.rpartition(".")[0]
    loaded = (
        importlib.import_module(f"{home}.{module}")
        if film.__module__.startswith(OWN + ".")
        else _from_file(film.file())
    )
    manim_scene = getattr(loaded, name, None)
    if manim_scene is None:
        raise InputError(f"{film.file()} has no class {name}, which draws {film.name}")
    return manim_scene


@contextlib.contextmanager
def _own_seeds() -> Iterator[None]:
    """Put back the global generators of Python and numpy, which manim draws from and seeds."""
    plain, arrays = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(arrays)  # noqa: NPY002


@_own_seeds()
def draw(
    context: FilmContext, screen: Screen, part: Path, report: Callable[[int], None] | None
) -> None:
    """Draw a film into the folder ``part`` of the cache."""
    from manim import tempconfig

    writer = FrameWriter(part, screen.width, screen.height, screen.fps)
    recorder = _Recorder(writer, context.transparent, report)
    try:
        with (
            temporary_folder("film") as media,
            tempconfig(_config(context, screen, str(media))),
        ):
            scene = manim_class(type(context.film))
            with film_context(context):
                instance = scene(renderer=_renderer(scene, recorder))
                instance.render()
        recorder.check(context.film)
        captions = [Caption(*row) for row in instance.captions]
        writer.done(recorder.starts(), captions, instance.noted)
    except GrokvizError:
        raise
    except Exception as error:
        message = " ".join(str(error).split())
        raise WorkError(
            f"{context.film.name} was not drawn: {type(error).__name__}: {message}"
        ) from error
    finally:
        writer.close()


def _config(context: FilmContext, screen: Screen, media: str) -> dict[str, Any]:
    return {
        "pixel_width": screen.width,
        "pixel_height": screen.height,
        "frame_rate": float(screen.fps),
        "frame_height": 8.0,
        "frame_width": 8.0 * screen.width / screen.height,
        # cairo takes colours times alpha: what cannot be seen has to be 0
        "background_color": "#000000" if context.transparent else context.theme.colours.background,
        "background_opacity": 0.0 if context.transparent else 1.0,
        "media_dir": media,
        "renderer": "cairo",
        # the frames go to our recorder: manim itself writes and reads nothing
        "dry_run": True,
        "disable_caching": True,
        "progress_bar": "none",
        "verbosity": "ERROR",
    }


def _renderer(scene: Any, recorder: _Recorder) -> Any:
    from manim.renderer.cairo_renderer import CairoRenderer

    return CairoRenderer(file_writer_class=recorder.attach, camera_class=scene.camera_kind)


@dataclass
class _Section:
    """As much of manim's section as its renderer asks for."""

    name: str
    start: int
    skip_animations: bool = False


@dataclass
class _Output:
    """What manim asks of an output: nothing is to be written by it."""

    is_video: bool = False
    is_still: bool = False
    is_image_sequence: bool = False
    fallback_to_still: bool = False
    enabled: bool = False


@dataclass
class _Recorder:
    """In the place of manim's file writer: frames go to a :class:`FrameWriter`."""

    writer: FrameWriter
    transparent: bool
    report: Callable[[int], None] | None
    count: int = 0
    sections: list[_Section] = field(default_factory=lambda: [_Section("", 0)])
    subcaptions: list[Any] = field(default_factory=list)
    output_spec: _Output = field(default_factory=_Output)

    def attach(self, settings: Any) -> _Recorder:
        """What manim calls to make its writer."""
        return self

    def next_section(self, name: str, section_type: str, skip_animations: bool) -> None:
        """A section begins with the next frame."""
        self.sections.append(_Section(name, self.count, skip_animations))

    def write_frame(self, frame: Any, repeat: int = 1) -> None:
        """A frame as manim's renderer hands it over."""
        self.writer.add(_straight(frame) if self.transparent else frame, repeat)
        self.count += repeat
        if self.report:
            self.report(self.count)

    def starts(self) -> list[tuple[str, int]]:
        """Sections by name and first frame."""
        return [(section.name, section.start) for section in self.sections if section.name]

    def check(self, film: Film) -> None:
        """Raise InputError unless the film has the sections that its specification lists."""
        names = [name for name, _ in self.starts()]
        if names != list(film.parts):
            raise InputError(
                f"{film.name} says it has the sections {', '.join(film.parts) or 'none'} and "
                f"draws {', '.join(names) or 'none'}; let parts name those of next_section"
            )

    def add_partial_movie_file(self, name: str | None) -> None:
        """Nothing: manim writes no files here."""

    def begin_animation(self, allow_write: bool = False, **kwargs: Any) -> None:
        """Nothing."""

    def end_animation(self, allow_write: bool = False) -> None:
        """Nothing."""

    def is_already_cached(self, name: str) -> bool:
        """Never: what manim would have kept cannot be trusted with data beyond its hashes."""
        return False

    def abort_encode_jobs(self, **kwargs: Any) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


def _straight(frame: Any) -> Any:
    """Straight alpha of a frame that cairo has drawn, whose colours are times alpha."""
    alpha = frame[..., 3:].astype(np.uint16)
    colour = (frame[..., :3].astype(np.uint16) * 255 + alpha // 2) // np.maximum(alpha, 1)
    return np.concatenate([np.minimum(colour, 255).astype(np.uint8), frame[..., 3:]], axis=2)


def _from_file(path: Path) -> ModuleType:
    name = f"grokviz_user_film_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} cannot be imported; give it the name of a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may fail in any way
        message = " ".join(str(error).split())
        raise InputError(f"{path} cannot be imported: {type(error).__name__}: {message}") from error
    return module
