"""The films of a deck: each drawn once by ``render``, under a name that says what it is."""

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
"""Whose versions decide what a film looks like."""


@dataclass(frozen=True)
class Work:
    """A film or picture to be drawn: what a worker process is handed.

    ``paths`` has a file for each of the film's chapters, which ``render`` numbers after ``path``.
    """

    scene: str
    run: str
    needs: tuple[str, ...]
    path: Path
    paths: tuple[Path, ...]
    options: RenderKeywords

    def done(self) -> bool:
        """Whether all of it is there."""
        return all(path.exists() for path in self.paths)


def film(
    source: SlideSource, sources: Sequence[SlideSource], folder: Path, options: SlideOptions
) -> Work:
    """The work for one scene, or none where a file was given.

    The path says everything that makes the film what it is: scene, data, size, theme, code and
    versions. So what lies there is what would be drawn.
    """
    if source.file is not None or source.scene is None:
        path = source.file or Path(source.name)
        return Work(source.name, "", (), path, (path,), {})
    scenes = [other.scene for other in sources if other.scene and other.run == source.run]
    needs = figures.needs_of(source.run, scenes)
    keywords = _keywords(source, options)
    made_of = {
        "data": data_hash(figures.loaded(source.run, needs), source.scene.needs),
        "code": _code(Path(inspect.getfile(source.scene)), source.scene.engine),
        "versions": library_versions(*LIBRARIES),
        **keywords,
    }
    key = key_of(made_of)[:12]
    path = folder / f"{source.name}-{key}{source.suffix}"
    jobs = plan(source.scene.with_options(), [path], (), render_options(keywords))
    paths = tuple(job.path for job in jobs)
    return Work(source.name, source.run, needs, path, paths, keywords)


def _keywords(source: SlideSource, options: SlideOptions) -> RenderKeywords:
    """What is asked of ``render``, and the same as a command."""
    keywords: RenderKeywords = {"theme": options.theme}
    if source.film:
        keywords["quality"] = options.quality
    run = ["--run", source.run] if source.named_run else []
    words = ["grokviz", "render", source.name, *run, "-o", source.name + source.suffix]
    words += [word for key, value in sorted(keywords.items()) for word in (f"--{key}", str(value))]
    if source.parts:
        keywords["sections"] = True
        words.append("--sections")
    return {**keywords, "command": shlex.join(words)}


@lru_cache(maxsize=64)
def _code(scene: Path, engine: str) -> str:
    """A hash of the scene's own file, of what may be a part of it, and of all that draws."""
    package = Path(__file__).parents[1]
    folders = [package / name for name in ("scene", "render", "pages", "media")]
    if engine == "manim":
        # what draws it, and its chapters, which may lie with any task
        folders += [scene.parent, *map(Path, importlib.import_module("grokviz.scenes").__path__)]
    return source_hash([scene, *folders], DATA)


def draw_all(
    works: Sequence[Work], jobs: int, report: SlideProgress | None, frames: SlideProgress | None
) -> None:
    """Draw them, several at the same time where ``jobs`` says so.

    What is done is kept when one fails: the next call finds it.
    """
    # films first: they take longest, and no worker should wait for the last one
    ordered = sorted(works, key=lambda work: not format_of(work.path).film)
    for done, (work, failure) in enumerate(_drawn(ordered, jobs, frames), 1):
        if failure is not None:
            raise failure
        if report:
            report(work.scene, done, len(ordered))


def _drawn(
    works: Sequence[Work], jobs: int, frames: SlideProgress | None
) -> Iterator[tuple[Work, GrokvizError | None]]:
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


def _draw(work: Work, frames: SlideProgress | None = None) -> GrokvizError | None:
    """Draw one in a worker; what goes wrong comes back."""
    try:
        data = figures.loaded(work.run, work.needs)
        scene = find_scene(work.scene).with_options()
        report = None if frames is None else partial(frames, work.scene)
        render(scene, data, [work.path], report=report, **work.options)
    except GrokvizError as error:
        return error
    return None
