"""The films of a deck: each drawn once by ``render``, under a name that says what it is."""

from __future__ import annotations

import hashlib
import inspect
import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.errors import GrokvizError, InputError, WorkError
from grokviz.media import library_versions
from grokviz.stage import figures
from grokviz.stage.registry import scene as find_scene
from grokviz.stage.render import render

if TYPE_CHECKING:
    from grokviz.stage.slides.deck import Order

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Work:
    """One film or picture to be drawn: what a worker process is handed."""

    scene: str
    run: str
    needs: tuple[str, ...]
    path: Path
    wish: Mapping[str, str]
    user: bool


def film(
    item: Order, orders: Sequence[Order], folder: Path, quality: str, theme: str, user: bool
) -> Work:
    """The work for one slide; its path is the file itself where a file was given.

    The path says everything that makes the film what it is: scene, run, size, theme, code and
    versions. So what lies there is what would be drawn.
    """
    if item.file is not None or item.scene is None:
        return Work(item.name, "", (), item.file or Path(item.name), {}, user)
    scenes = [other.scene for other in orders if other.scene and other.run == item.run]
    needs = figures.needs_of(item.run, scenes)
    wish = {"quality": quality} if item.suffix == ".mp4" else {}
    wish = {**wish, "theme": theme}
    words = ["grokviz", "render", item.name, *(["--run", item.run] if item.named_run else [])]
    words += [word for key, value in wish.items() for word in (f"--{key}", value)]
    wish["command"] = shlex.join([*words, "-o", item.name + item.suffix])
    made_of = {
        "checksum": str(figures.loaded(item.run, needs).attrs.get("run_checksum", "")),
        "code": _code(Path(inspect.getfile(item.scene))),
        "versions": library_versions(),
        **wish,
    }
    key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]
    path = folder / f"{item.name}-{key}{item.suffix}"
    return Work(item.name, item.run, needs, path, wish, user)


@lru_cache(maxsize=64)
def _code(scene: Path) -> str:
    """A hash of the scene's own file and of everything that draws."""
    stage = Path(__file__).parents[1]
    files = [scene, *sorted(stage.glob("*.py")), *sorted((stage.parent / "media").glob("*.py"))]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def draw_all(works: Sequence[Work], jobs: int, report: Report | None) -> None:
    """Draw them, several at the same time where ``jobs`` says so.

    What is done is kept when one fails: the next call finds it.
    """
    # films first: they take longest, and no worker should wait for the last one
    ordered = sorted(works, key=lambda work: work.path.suffix != ".mp4")
    for done, (work, failure) in enumerate(_drawn(ordered, jobs), 1):
        if failure is not None:
            sentence, status = failure
            raise (InputError if status == InputError.exit_status else WorkError)(sentence)
        if report:
            report(work.scene, done, len(ordered))


def _drawn(works: Sequence[Work], jobs: int) -> Iterator[tuple[Work, tuple[str, int] | None]]:
    if jobs == 1 or len(works) < 2:
        yield from zip(works, map(_draw, works), strict=True)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # spawn: a forked matplotlib or BLAS may hold locks of threads that are not there
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(works)), mp_context=context) as pool:
        yield from zip(works, pool.map(_draw, works), strict=True)


def _draw(work: Work) -> tuple[str, int] | None:
    """Draw one in a worker; what goes wrong comes back as its sentence and exit status."""
    try:
        data = figures.loaded(work.run, work.needs)
        scene = find_scene(work.scene, user=work.user).with_options()
        wish: dict[str, Any] = dict(work.wish)
        render(scene, data, [work.path], **wish)
    except GrokvizError as error:
        return str(error), error.exit_status
    return None
