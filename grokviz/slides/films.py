"""The films of a deck, each drawn once by ``render`` under a name with a hash of its inputs."""

from __future__ import annotations

import importlib
import inspect
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from grokviz import plugins
from grokviz.errors import GrokvizError, WorkError
from grokviz.media import format_of, library_versions
from grokviz.parallel import Pool, ProcessFailed
from grokviz.render import figures
from grokviz.render.films.cache import DATA, data_hash, key_of
from grokviz.render.job import RenderKeywords, render_options
from grokviz.render.plan import plan
from grokviz.render.render import render
from grokviz.scene.registry import scene as find_scene
from grokviz.slides.contents import SlideSource
from grokviz.slides.options import SlideOptions, SlideProgress
from grokviz.sources import source_hash

LIBRARIES = ("grokviz", "matplotlib", "numpy", "av", "manim", "typst")
"""The libraries whose versions affect a film."""


@dataclass(frozen=True)
class FilmJob:
    """A film or picture to draw, as sent to a worker process.

    ``paths`` has a file for each of the film's chapters, which ``render`` numbers after ``path``.
    """

    scene: str
    run: str
    needs: tuple[str, ...]
    path: Path
    paths: tuple[Path, ...]
    options: RenderKeywords

    def exists(self) -> bool:
        """Whether all of its files exist."""
        return all(path.exists() for path in self.paths)


def film(
    source: SlideSource, sources: Sequence[SlideSource], folder: Path, options: SlideOptions
) -> FilmJob:
    """The job of one source; it is empty if the source is a file.

    The path contains a hash of everything that affects the film: scene, data, size, theme, code
    and versions. A file that exists there is therefore the film that would be drawn.
    """
    if source.file is not None or source.scene is None:
        path = source.file or Path(source.name)
        return FilmJob(source.name, "", (), path, (path,), {})
    scenes = [item.scene for item in sources if item.scene and item.run == source.run]
    needs = figures.needs_of(source.run, scenes)
    keywords = _keywords(source, options)
    inputs = {
        "data": data_hash(figures.loaded(source.run, needs), source.scene.needs),
        "code": _code(Path(inspect.getfile(source.scene)), source.scene.engine),
        "versions": library_versions(*LIBRARIES),
        **keywords,
    }
    key = key_of(inputs)[:12]
    path = folder / f"{source.name}-{key}{source.suffix}"
    jobs = plan(source.scene.with_options(), [path], (), render_options(keywords))
    paths = tuple(job.path for job in jobs)
    return FilmJob(source.name, source.run, needs, path, paths, keywords)


def _keywords(source: SlideSource, options: SlideOptions) -> RenderKeywords:
    """The keywords for ``render``, including the equivalent command."""
    keywords: RenderKeywords = {"theme": options.theme}
    if source.film:
        keywords["quality"] = options.quality
    run = ["--run", source.run] if source.named_run else []
    arguments = ["grokviz", "render", source.name, *run, "-o", source.name + source.suffix]
    arguments += [
        argument for key, value in sorted(keywords.items()) for argument in (f"--{key}", str(value))
    ]
    if source.parts:
        keywords["sections"] = True
        arguments.append("--sections")
    return {**keywords, "command": shlex.join(arguments)}


@lru_cache(maxsize=64)
def _code(scene: Path, engine: str) -> str:
    """A hash of the scene's file, of its possible chapters, and of the code that draws."""
    package = Path(__file__).parents[1]
    folders = [package / name for name in ("scene", "render", "pages", "media")]
    if engine == "manim":
        # the code that draws it, and its chapters, which may be in any task's folder
        folders += [scene.parent, *map(Path, importlib.import_module("grokviz.scenes").__path__)]
    return source_hash([scene, *folders], DATA)


def draw_all(
    works: Sequence[FilmJob], jobs: int, report: SlideProgress | None, frames: SlideProgress | None
) -> None:
    """Draw the films, up to ``jobs`` at the same time.

    If one fails, completed films are kept for the next call.
    """
    # films first, since they take longest, so that all workers finish at about the same time
    queue = sorted(works, key=lambda work: not format_of(work.path).film)
    for count, (work, failure) in enumerate(_draw_each(queue, jobs, frames), 1):
        if failure is not None:
            raise failure
        if report:
            report(work.scene, count, len(queue))


def _draw_each(
    works: Sequence[FilmJob], jobs: int, frames: SlideProgress | None
) -> Iterator[tuple[FilmJob, GrokvizError | None]]:
    if jobs == 1 or len(works) < 2:
        yield from ((work, _draw(work, frames)) for work in works)
        return
    with Pool(min(jobs, len(works))) as pool:
        for work, future in [
            (work, pool.submit(plugins.with_current_places(_draw), work)) for work in works
        ]:
            try:
                yield work, future.result()
            except ProcessFailed as error:
                yield work, WorkError(f"{work.scene} was not drawn: {error}")


def _draw(work: FilmJob, frames: SlideProgress | None = None) -> GrokvizError | None:
    """Draw one film in a worker; returns its error, if any."""
    try:
        data = figures.loaded(work.run, work.needs)
        scene = find_scene(work.scene).with_options()
        report = None if frames is None else partial(frames, work.scene)
        render(scene, data, [work.path], report=report, **work.options)
    except GrokvizError as error:
        return error
    return None
