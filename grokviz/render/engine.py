"""What makes a scene's files: the contract of an engine, and which one a scene names.

**Adding an engine.** A class of this module's :class:`Engine` in one file, an instance of it in
:data:`ENGINES`, and a base for its scenes whose ``engine`` is its name. Planning, rendering,
pages, lists and films of chapters ask the engine and no scene for its type.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from grokviz.errors import InputError
from grokviz.media.film.captions import Caption
from grokviz.media.formats import FORMATS, Format, check_sound, suffix_list
from grokviz.media.theme import Medium
from grokviz.progress import ProgressCallback
from grokviz.render.job import RenderJob, RenderKeywords, RenderOptions
from grokviz.scene.film import Chapter
from grokviz.scene.scene import Scene

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.pages.single import PageBody, SceneText
    from grokviz.render.films.needs import Need

S = TypeVar("S", bound=Scene)
J = TypeVar("J", bound=RenderJob)

ENGINES = {
    "matplotlib": "grokviz.render.matplotlib:MATPLOTLIB",
    "manim": "grokviz.render.films.engine:MANIM",
    "chapters": "grokviz.render.films.joined:CHAPTERS",
}
"""Where each engine is, by the name that scenes give; imported when a scene names it."""


@dataclass(frozen=True)
class ChapterFacts:
    """A chapter that is drawn: its frames, its frames a second, and the captions on them."""

    frames: int
    fps: Fraction
    captions: tuple[Caption, ...]


class Engine(ABC, Generic[S, J]):
    """What makes files of the scenes that name it.

    Class attributes:
        job: the class of its jobs.
        shared: whether the files of a scene share one drawing, so that one is made after another.
        frames: whether its stills are frames of its films.
        panels: whether its scenes can be panels of a figure.
        captioned: whether its scenes have captions.
        joining: whether it makes films of chapters, which cannot be chapters themselves.
    """

    job: type[J]
    shared: ClassVar[bool] = False
    frames: ClassVar[bool] = False
    panels: ClassVar[bool] = True
    captioned: ClassVar[bool] = False
    joining: ClassVar[bool] = False

    def accepts(self, scene: S, options: RenderOptions, kind: Format, path: Path) -> None:
        """Raise InputError unless the scene can be drawn in this format with these options."""
        if kind.page and options.venue not in (None, "slide"):
            raise InputError(
                f"{path}: --venue is for paper and a page is for screens; leave it out"
            )
        if kind.content == "captions" and not self.captioned:
            raise InputError(f"{path}: {scene.name} has no captions; choose a picture or a film")
        self.check_own(scene, options, kind, path)
        if kind.film and not scene.moves():
            stills = suffix_list(other for other in FORMATS.values() if other.still)
            raise InputError(
                f"{path}: {scene.name} does not move, so it has no film; choose {stills}"
            )
        if kind.film and options.epoch is not None:
            raise InputError(f"{path}: --epoch is for a still; a film takes --epochs A:B:STEP")
        if scene.clock is None and scene.checkpoint is None and not self.frames:
            self._check_last(scene, options, path)
        if kind.film and options.epochs is not None and scene.film_moments:
            raise InputError(
                f"{path}: the film of {scene.name} does not move along training; leave out --epochs"
            )
        if options.sound:
            self._check_sound(scene, kind, path)
        if options.transparent and not kind.alpha:
            able = ", ".join(f.suffixes[0] for f in FORMATS.values() if f.alpha and f.film)
            raise InputError(f"{path}: {kind.name} cannot be transparent; choose one of {able}")

    def _check_last(self, scene: S, options: RenderOptions, path: Path) -> None:
        """Raise InputError where an epoch is asked for of a scene that shows no single one."""
        if options.epoch is not None and str(options.epoch).strip() != "last":
            raise InputError(
                f"{path}: --epoch {options.epoch}: {scene.name} is drawn of no single epoch; leave "
                "it out"
            )

    def _check_sound(self, scene: S, kind: Format, path: Path) -> None:
        """Raise InputError unless there is a film of the scene in this format with sound."""
        if not kind.film:
            raise InputError(f"{path}: --sound is for films; leave it out, or choose .mp4 or .webm")
        if not scene.sounds():
            raise InputError(
                f"{path}: {scene.name} has no sound of its own; leave out --sound (grokviz scenes "
                "--json says which scenes have one)"
            )
        check_sound(kind, path)

    def beside(self, scene: S, data: xr.Dataset) -> tuple[str, ...]:
        """What is drawn of the same run beside the scene's own variables; here nothing."""
        return ()

    def check_own(self, scene: S, options: RenderOptions, kind: Format, path: Path) -> None:
        """Raise InputError unless it fits what is special to this engine; here everything does."""

    @abstractmethod
    def medium(self, scene: S, options: RenderOptions, kind: Format) -> Medium:
        """What a file is laid out for: ``paper`` or ``slide``."""

    def rate(self, kind: Format, fps: float | Fraction) -> float | Fraction:
        """Frames a second of a file that is asked for at ``fps``; 0 of a picture."""
        if kind.page:
            return self.page_rate(fps)
        if not kind.film:
            return 0
        from grokviz.media import film_rate

        return film_rate(kind, fps)

    @abstractmethod
    def page_rate(self, fps: float | Fraction) -> float | Fraction:
        """Frames a second of what a page holds, where a film is asked for at ``fps``."""

    def seconds(self, scene: S, options: RenderOptions) -> float:
        """How long its film is."""
        return options.duration

    def sections(self, scene: type[S]) -> Mapping[str, str]:
        """The sections of its film by name, each with its title; none of a film in one piece."""
        return {}

    def facts(self, scene: type[S]) -> dict[str, Any]:
        """What ``grokviz scenes --json`` says of its scenes beside what it says of all."""
        return {}

    def render(self, job: J, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
        """Make one file."""
        if not job.format.page:
            return self.draw(job, data, report)
        from grokviz.render.html import scene_text, write_page

        text = scene_text(job, data)
        return write_page(job, text, self.page_body(job, data, text, report))

    def render_all(
        self, jobs: Sequence[J], data: xr.Dataset, report: ProgressCallback | None = None
    ) -> Iterator[Path]:
        """Make several files of one scene; here each by itself."""
        for job in jobs:
            yield self.render(job, data, report)

    @abstractmethod
    def draw(self, job: J, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
        """Make one file that is no page: a still, a film or captions."""

    @abstractmethod
    def page_body(
        self, job: J, data: xr.Dataset, text: SceneText, report: ProgressCallback | None
    ) -> PageBody:
        """What stands in a page of the scene."""

    def lacking(self) -> Need | None:
        """What has to be installed before anything can be drawn; None where nothing has."""
        return None

    @abstractmethod
    def chapter_seconds(self, scene: S, chapter: Chapter) -> float:
        """How long the scene is as this chapter of a film."""

    @abstractmethod
    def chapter_options(self, chapter: Chapter, options: RenderOptions) -> RenderKeywords:
        """What is asked of the scene as this chapter of a film with ``options``."""

    @abstractmethod
    def draw_chapter(
        self, job: J, data: xr.Dataset, report: ProgressCallback | None
    ) -> ChapterFacts:
        """Make the file of a chapter."""

    @abstractmethod
    def chapter_sources(self, scene: type[S]) -> list[Path]:
        """The files of code that decide what a chapter looks like, beside the scene's own."""


def engine_of(scene: Scene | type[Scene]) -> Engine[Any, Any]:
    """The engine that a scene names.

    Raises :class:`InputError` for a name that no engine has.
    """
    name = scene.made_by()
    if name not in ENGINES:
        raise InputError(
            f"{scene.name} names the engine {name}; let engine be one of {', '.join(ENGINES)}"
        )
    module, _, attribute = ENGINES[name].partition(":")
    engine: Engine[Any, Any] = getattr(import_module(module), attribute)
    return engine
