"""The films of a deck: each drawn once by ``render``, under a name that says what it is."""

from __future__ import annotations

import hashlib
import inspect
import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.errors import GrokvizError, InputError, WorkError
from grokviz.media import library_versions
from grokviz.render import figures
from grokviz.render.films.kept import data_hash
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.render.render import render
from grokviz.scene.registry import scene as find_scene

if TYPE_CHECKING:
    from grokviz.slides.deck import Order

Report = Callable[[str, int, int], None]
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
    wish: Mapping[str, Any]
    user: bool

    def done(self) -> bool:
        """Whether all of it is there."""
        return all(path.exists() for path in self.paths)


def film(
    item: Order, orders: Sequence[Order], folder: Path, quality: str, theme: str, user: bool
) -> Work:
    """The work for one scene, or none where a file was given.

    The path says everything that makes the film what it is: scene, data, size, theme, code and
    versions. So what lies there is what would be drawn.
    """
    if item.file is not None or item.scene is None:
        path = item.file or Path(item.name)
        return Work(item.name, "", (), path, (path,), {}, user)
    scenes = [other.scene for other in orders if other.scene and other.run == item.run]
    needs = figures.needs_of(item.run, scenes)
    wish = _wish(item, quality, theme)
    made_of = {
        "data": data_hash(figures.loaded(item.run, needs), item.scene.needs),
        "code": _code(Path(inspect.getfile(item.scene)), composed=bool(item.parts)),
        "versions": library_versions(*LIBRARIES),
        **wish,
    }
    key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]
    path = folder / f"{item.name}-{key}{item.suffix}"
    jobs = plan(item.scene.with_options(), [path], (), render_options(wish))
    return Work(item.name, item.run, needs, path, tuple(job.path for job in jobs), wish, user)


def _wish(item: Order, quality: str, theme: str) -> dict[str, Any]:
    """What is asked of ``render``, and the same as a command."""
    wish: dict[str, Any] = {"theme": theme}
    if item.suffix == ".mp4":
        wish["quality"] = quality
    run = ["--run", item.run] if item.named_run else []
    words = ["grokviz", "render", item.name, *run, "-o", item.name + item.suffix]
    words += [word for key, value in sorted(wish.items()) for word in (f"--{key}", value)]
    if item.parts:
        wish["sections"] = True
        words.append("--sections")
    return {**wish, "command": shlex.join(words)}


@lru_cache(maxsize=64)
def _code(scene: Path, composed: bool) -> str:
    """A hash of the scene's own file, of what may be a part of it, and of all that draws."""
    package = Path(__file__).parents[1]
    folders = [package / name for name in ("scene", "render", "pages", "media")]
    if composed:
        folders.append(scene.parent)
    files = [scene, *(file for folder in folders for file in sorted(folder.rglob("*.py")))]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def draw_all(
    works: Sequence[Work], jobs: int, report: Report | None, frames: Report | None
) -> None:
    """Draw them, several at the same time where ``jobs`` says so.

    What is done is kept when one fails: the next call finds it.
    """
    # films first: they take longest, and no worker should wait for the last one
    ordered = sorted(works, key=lambda work: work.path.suffix != ".mp4")
    for done, (work, failure) in enumerate(_drawn(ordered, jobs, frames), 1):
        if failure is not None:
            sentence, status = failure
            raise (InputError if status == InputError.exit_status else WorkError)(sentence)
        if report:
            report(work.scene, done, len(ordered))


def _drawn(
    works: Sequence[Work], jobs: int, frames: Report | None
) -> Iterator[tuple[Work, tuple[str, int] | None]]:
    if jobs == 1 or len(works) < 2:
        yield from ((work, _draw(work, frames)) for work in works)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # spawn: a forked matplotlib or BLAS may hold locks of threads that are not there
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(works)), mp_context=context) as pool:
        yield from zip(works, pool.map(_draw, works), strict=True)


def _draw(work: Work, frames: Report | None = None) -> tuple[str, int] | None:
    """Draw one in a worker; what goes wrong comes back as its sentence and exit status."""
    try:
        data = figures.loaded(work.run, work.needs)
        scene = find_scene(work.scene, user=work.user).with_options()
        report = None if frames is None else partial(frames, work.scene)
        render(scene, data, [work.path], report=report, **work.wish)
    except GrokvizError as error:
        return str(error), error.exit_status
    return None
