"""``figures``: every still and data film of the references, or of a user's runs, in one folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from grokviz import plugins
from grokviz.dataset.table import table_of
from grokviz.errors import GrokvizError, InputError, WorkError
from grokviz.files import check_writable
from grokviz.media import format_of
from grokviz.media.formats import FILM
from grokviz.media.theme import AUTO, theme, theme_name
from grokviz.media.venues import find_venue
from grokviz.parallel import Pool, ProcessFailed, check_jobs, cores
from grokviz.render.captions import write_captions
from grokviz.render.composing import below
from grokviz.render.job import RenderKeywords, options_of
from grokviz.render.paper import Part, numbered
from grokviz.render.render import render
from grokviz.runs import Run, open_run
from grokviz.scene.clock import grok_epoch
from grokviz.scene.registry import scene as find_scene
from grokviz.scene.registry import scenes
from grokviz.scene.scene import Scene
from grokviz.task import recipes

if TYPE_CHECKING:
    import xarray as xr

STILLS = ("pdf", "png")
FigureProgress = Callable[[str, int, int], None]
Skip = Callable[[str, str], None]


class FigureKeywords(TypedDict, total=False):
    """The fields of :class:`FigureOptions` as keywords of ``figures``."""

    venue: str | None
    columns: int
    theme: str
    films: bool
    user: bool
    command: str


@dataclass(frozen=True)
class FigureOptions:
    """What a user may ask of a set of figures.

    Attributes:
        venue: redraws the stills at the width of that venue, or of a file ``NAME.toml`` of one's
            own, and the paper's figures that scenes
            say they redraw, under their numbers (``figure-2.pdf``).
        columns: of the venue that a still is wide, 1 or 2.
        theme: light, dark, or ``auto``: pictures light, films dark.
        films: whether to make the films (MP4 720p30) too.
        user: whether scenes of ``./scenes`` and plugins are drawn too.
        command: the command that draws them, for their provenance.

    """

    venue: str | None = None
    columns: int = 2
    theme: str = AUTO
    films: bool = True
    user: bool = True
    command: str = ""


@dataclass(frozen=True)
class FigureTask:
    """One call of ``render``: what worker processes are handed.

    ``needs`` names what all pictures of a run directory draw, so that a worker loads it once.
    """

    parts: tuple[Part, ...]
    run: str
    paths: tuple[str, ...]
    options: RenderKeywords
    number: int = 0
    needs: tuple[str, ...] = ()


def figures(
    runs: Sequence[str | os.PathLike[str]] = (),
    out: str | os.PathLike[str] = "figures",
    *,
    jobs: int | None = None,
    report: FigureProgress | None = None,
    skipped: Skip | None = None,
    **more: Unpack[FigureKeywords],
) -> list[Path]:
    """Draw every scene that a run has the data for.

    Args:
        runs: run directories, folders of sweeps, ``.nc`` files or names of references; all
            bundled references by default.
        out: the folder; a folder of each run inside it when there are several.
        jobs: worker processes; one a core by default.
        report: called with (file, done, all).
        skipped: called with (scene, reason) for each that the run lacks the data for.
        **more: the fields of :class:`FigureOptions`: ``venue``, ``columns``,
            ``theme``, ``films``, ``user``, ``command``.

    Returns:
        The files written.

    Raises:
        InputError: nothing can be drawn, or some of the pictures could not be.
        WorkError: a worker process died; the other pictures are there.

    """
    options = options_of(FigureOptions, "figures", more)
    _check_options(options, jobs)
    check_writable(Path(out) / "figure.pdf")
    with plugins.user_code(options.user):
        tasks = _all_tasks(runs, Path(out), options, skipped)
        # the longest first, so that no worker waits for a film that another began last
        tasks.sort(key=lambda task: not format_of(task.paths[0]).film)
        written = _perform(tasks, jobs or cores(), report)
    return [*written, *write_captions(written)]


def _all_tasks(
    runs: Sequence[str | os.PathLike[str]],
    out: Path,
    options: FigureOptions,
    skipped: Skip | None,
) -> list[FigureTask]:
    """What is drawn of all runs; ``InputError`` where that is nothing."""
    registered = scenes()
    tasks: list[FigureTask] = []
    reasons: list[str] = []

    def skip(name: str, reason: str) -> None:
        reasons.append(reason)
        if skipped:
            skipped(name, reason)

    for run in runs or [""]:
        folder = out if len(runs) < 2 else out / Path(run).name
        tasks += _tasks(registered, str(run), folder, options, skip)
    if not tasks:
        because = f": {reasons[0]}" if reasons else ""
        raise InputError(f"no scene can be drawn (grokviz scenes lists what each needs){because}")
    return tasks


def _check_options(options: FigureOptions, jobs: int | None) -> None:
    """Raise InputError for a wrong word once, before any data are read."""
    theme(theme_name(options.theme, shown=False))
    find_venue(options.venue or "slide", options.columns)
    check_jobs(1 if jobs is None else jobs)


def _tasks(
    registered: Mapping[str, type[Scene]],
    run: str,
    folder: Path,
    options: FigureOptions,
    skip: Skip,
) -> list[FigureTask]:
    tasks: list[FigureTask] = []
    drawn: dict[str, list[type[Scene]]] = {}
    lacks = Lacks()
    for scene in registered.values():
        if scene.engine != "matplotlib":
            continue
        source = run or scene.reference
        reason = lacks(scene, source) or _dear(scene, source)
        if reason:
            skip(scene.name, reason)
            continue
        drawn.setdefault(source, []).append(scene)
        tasks += _of_scene(scene, source, folder, options)
    needs = {source: needs_of(source, able) for source, able in drawn.items()}
    for source, able in drawn.items():
        # a run directory is analysed here, once; the workers then read its cache
        data = loaded(source, needs[source])
        if options.venue is not None:
            names = {scene.name for scene in able}
            redrawing = _redrawing(registered.values(), data, "" if run else source)
            tasks += _of_paper(numbered(redrawing), names, source, folder, options, skip)
    tasks = [replace(task, needs=needs[task.run]) for task in tasks]
    tasks = [task for task in tasks if not _refused(task, skip)]
    return [task for task in tasks if not _before_its_moment(task, skip)]


def _refused(task: FigureTask, skip: Skip) -> bool:
    """Whether a scene refuses the run: it has the variables, but nothing in them to draw."""
    try:
        for part in task.parts:
            find_scene(part.scene).check(loaded(task.run, task.needs))
    except InputError as error:
        skip(Path(task.paths[0]).stem, str(error))
        return True
    return False


def _before_its_moment(task: FigureTask, skip: Skip) -> bool:
    """Whether the picture is of a moment that the run never came to, such as its grokking."""
    wanted = str(task.options.get("epoch"))
    clock = find_scene(task.parts[0].scene).clock
    reason = ""
    if wanted.startswith("grok"):
        if grok_epoch(loaded(task.run, task.needs)) is None:
            reason = f"{task.run} did not grok"
    elif clock is not None and wanted not in ("None", "last"):
        try:
            find_scene(task.parts[0].scene)().index_of(loaded(task.run, task.needs), wanted)
        except InputError as error:
            reason = str(error)
    if reason:
        skip(Path(task.paths[0]).stem, reason)
    return bool(reason)


class Lacks:
    """Why scenes cannot be drawn from runs; each run is opened once for all of them."""

    def __init__(self) -> None:
        self._opened: dict[str, Run | xr.Dataset] = {}

    def __call__(self, scene: type[Scene], run: str) -> str:
        """Why the scene cannot be drawn from the run; "" where it can."""
        path = Path(run)
        if run == scene.reference and not _bundled(run) and not path.exists():
            return f"no reference {run} is bundled"
        if run not in self._opened:
            # a run that cannot be read is an error, a scene that names an unknown variable is not
            self._opened[run] = _opened(run)
        opened = self._opened[run]
        if isinstance(opened, Run):
            return _unmeasurable(opened, scene.needs)
        try:
            scene.check(opened)
        except InputError as error:
            return str(error)
        return ""


def drawable(run: str | os.PathLike[str]) -> dict[str, type[Scene]]:
    """The scenes of data that a run has, by name; nothing is measured to know it."""
    lacks, run = Lacks(), str(run)
    every = scenes().items()
    return {name: scene for name, scene in every if scene.needs and not lacks(scene, run)}


def _opened(run: str) -> Run | xr.Dataset:
    from grokviz.runs.sweeps import is_sweep

    path = Path(run)
    there = _bundled(run) or path.is_file() or is_sweep(path)
    return loaded(run, ()) if there else open_run(path)


def _bundled(run: str) -> bool:
    from grokviz.dataset.references.reference import references

    return run in references() and not Path(run).exists()


def _unmeasurable(run: Run, names: Iterable[str]) -> str:
    """Why a run cannot have these variables; "" where it can."""
    from grokviz.dataset.references.reference import check_drawable

    try:
        check_drawable(run, names)
    except InputError as error:
        return str(error)
    return ""


def _dear(scene: type[Scene], run: str) -> str:
    """Why a scene is not drawn unasked: measuring what it needs takes seconds a checkpoint."""
    if not _is_run_directory(run):
        return ""
    measures = table_of(open_run(Path(run))).measures
    if not any(name in measures and measures[name].dear for name in scene.needs):
        return ""
    return (
        f"what it draws takes minutes to measure: grokviz render {scene.name} --run {run} does so"
    )


def needs_of(run: str, drawn: Iterable[type[Scene]]) -> tuple[str, ...]:
    """What a run directory is analysed for; () where the dataset is there already."""
    if not _is_run_directory(run):
        return ()
    opened = open_run(Path(run))
    each = [one.variables() for scene in drawn for one in _redrawings(scene)]
    names = [name for names in each if not _unmeasurable(opened, names) for name in names]
    return tuple(dict.fromkeys(names))


def _is_run_directory(run: str) -> bool:
    from grokviz.runs.sweeps import is_sweep

    return Path(run).is_dir() and not is_sweep(Path(run))


def _redrawings(scene: type[Scene]) -> list[Scene]:
    """The scene as it is drawn by itself, and as each of the paper's figures."""
    own = [
        {key: value for key, value in options.items() if key != "epoch"}
        for options in scene.paper_figures.values()
    ]
    return [scene.with_options(options) for options in ({}, *own)]


@lru_cache(maxsize=4)
def loaded(run: str, needs: tuple[str, ...]) -> xr.Dataset:
    """A run's dataset, loaded once in each worker for all that it draws."""
    from grokviz.dataset.references.reference import load

    return load(run, needs or None)


def _of_scene(
    scene: type[Scene], run: str, folder: Path, options: FigureOptions
) -> list[FigureTask]:
    tasks = []
    part = (Part("", scene.name, {}, None),)
    several = len(scene.stills) > 1 and scene.clock is not None
    for epoch in scene.stills if scene.clock else (None,):
        stem = f"{scene.name}-{epoch}" if several and epoch != "last" else scene.name
        paths = tuple(str(folder / f"{stem}.{kind}") for kind in STILLS)
        # as the scene draws it when no epoch is asked, which may be where its film ends
        moment = None if epoch == "last" == scene.stills[0] else epoch
        tasks.append(FigureTask(part, run, paths, _still(moment, options)))
    if options.films and scene.moves():
        path = (str(folder / f"{scene.name}{FILM.suffixes[0]}"),)
        film: RenderKeywords = {
            "quality": "m", "theme": options.theme, "command": options.command,
        }  # fmt: skip
        tasks.append(FigureTask(part, run, path, film))
    return tasks


def _still(epoch: str | int | None, options: FigureOptions) -> RenderKeywords:
    return {
        "epoch": epoch,
        "theme": options.theme,
        "venue": options.venue,
        "columns": options.columns,
        "command": options.command,
    }


def _redrawing(
    registered: Iterable[type[Scene]], data: xr.Dataset, reference: str
) -> list[type[Scene]]:
    """The scenes whose task is the dataset's; where a reference is drawn, those drawn from it."""
    task = data.attrs.get("task")
    known = {name: recipe.task for name, recipe in recipes().items()}
    return [
        scene
        for scene in registered
        if known.get(scene.recipe) == task and reference in ("", scene.reference)
    ]


def _of_paper(
    numbers: Mapping[int, Sequence[Part]],
    able: Collection[str],
    run: str,
    folder: Path,
    options: FigureOptions,
    skip: Skip,
) -> list[FigureTask]:
    """The paper's figures all of whose parts the run has the data for."""
    tasks = []
    opened = open_run(Path(run)) if _is_run_directory(run) else None
    for number, parts in numbers.items():
        missing = [part.scene for part in parts if part.scene not in able]
        reason = f"its part {missing[0]} cannot be drawn" if missing else ""
        if not reason and opened is not None:
            drawn = [find_scene(part.scene).with_options(part.options) for part in parts]
            reason = _unmeasurable(opened, [n for one in drawn for n in one.variables()])
        if reason:
            skip(f"figure-{number}", reason)
            continue
        paths = tuple(str(folder / f"figure-{number}.{kind}") for kind in STILLS)
        still = _still(parts[0].epoch, options)
        tasks.append(FigureTask(tuple(parts), run, paths, still, number))
    return tasks


def draw(task: FigureTask) -> tuple[list[Path], GrokvizError | None]:
    """Perform one task in a worker; what goes wrong comes back."""
    try:
        data = loaded(task.run, task.needs)
        parts = [find_scene(part.scene).with_options(part.options) for part in task.parts]
        scene = below(task.number, parts, data)
        return render(scene, data, list(task.paths), **task.options), None
    except GrokvizError as error:
        return [], error


def _perform(tasks: Sequence[FigureTask], jobs: int, report: FigureProgress | None) -> list[Path]:
    written: list[Path] = []
    failures: list[GrokvizError] = []
    for done, (paths, failure) in enumerate(_results(tasks, jobs), 1):
        written += paths
        failures += [failure] if failure else []
        if report:
            report(", ".join(map(str, paths)) or str(failure), done, len(tasks))
    if failures:
        reasons = "; ".join(dict.fromkeys(map(str, failures)))
        died = any(isinstance(failure, ProcessFailed) for failure in failures)
        error = WorkError if died else InputError
        raise error(f"{len(failures)} of {len(tasks)} pictures were not drawn: {reasons}")
    return written


def _results(
    tasks: Sequence[FigureTask], jobs: int
) -> Iterator[tuple[list[Path], GrokvizError | None]]:
    if jobs == 1 or len(tasks) == 1:
        yield from map(draw, tasks)
        return
    with Pool(min(jobs, len(tasks))) as pool:
        for future in [pool.submit(plugins.with_current_places(draw), task) for task in tasks]:
            try:
                yield future.result()
            except ProcessFailed as error:
                yield [], error
