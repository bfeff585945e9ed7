"""``render``: a scene and a dataset in, stills and films out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from grokviz import plugins
from grokviz.dataset.families.pairs import TWO_PATHS
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError, WorkError
from grokviz.files import FileList, check_writable
from grokviz.progress import ProgressCallback
from grokviz.render.comparing import Compared, data_of_paths, data_of_two, of_two
from grokviz.render.composing import default_run, figure_of, panelled
from grokviz.render.engine import engine_of
from grokviz.render.job import RenderJob, RenderKeywords, RenderOptions, render_options
from grokviz.render.plan import plan
from grokviz.render.strings import clean_data
from grokviz.render.workers import WorkerJob, job_of, worker_jobs
from grokviz.scene.clock import has_test_loss
from grokviz.scene.data import load_for
from grokviz.scene.scene import Scene

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.dataset.references.reference import Source

LOGGED, MEASURED = ("logged_train_loss", "logged_test_loss", "phase_end"), ("loss",)
"""What says when a run grokked: what was logged, or else what a forward pass measures."""


def render(
    scene: str | Scene | Sequence[str | Scene],
    data: Source | Sequence[Source] | None = None,
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    formats: Sequence[str] = (),
    jobs: int = 1,
    report: ProgressCallback | None = None,
    **more: Unpack[RenderKeywords],
) -> FileList:
    """Draw a scene, or several as the panels of a figure, into one or several files.

    Args:
        scene: its name, or the scene itself; of several, without ``out``, each has its own files.
        data: a dataset, a run, a run directory or the name of a bundled reference; two of
            these for both side by side; several, or a sweep's folder, for what draws many runs;
            the scene's own reference by default.
        out: file names, whose suffixes say their formats; ``./<scene>.mp4`` by default.
        options: the scene's own options; of several scenes ``"b.time"`` is that of panel b,
            ``"grokking-curve.time"`` that of this scene, ``"time"`` that of all that have it.
        formats: formats of the files in ``out``, or of ``./<scene>`` files without it.
        jobs: how many files are drawn at the same time.
        report: called with (done, all) frames of the film at hand.
        **more: the fields of :class:`~grokviz.render.job.RenderOptions`.

    Returns:
        The files written; a notebook shows them.

    Raises:
        InputError: an unknown scene, option, format or epoch; data without what is needed.
        WorkError: the disk or an encoder failed; old files are as they were.

    """
    scenes = [scene] if isinstance(scene, str | Scene) else scene
    paths: list[Path] = []
    given = render_options(more)
    count = len(data) if isinstance(data, list | tuple) else 1
    for instance, work in plan_all(scenes, options, out, formats, given, count):
        dataset = data_of(instance, data, given.epoch)
        paths += perform_all(work, dataset, jobs=jobs, report=report)
    return FileList(paths)


def plan_all(
    scenes: Sequence[str | Scene],
    options: Mapping[str, Any] | None,
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None,
    formats: Sequence[str],
    given: RenderOptions,
    runs: int = 1,
) -> list[tuple[Scene, list[RenderJob]]]:
    """What is drawn of so many runs, and its files: a figure of all scenes where files are named,
    else each.
    """
    panels = panelled(scenes, options)
    named = isinstance(out, str | os.PathLike) or bool(out)
    drawn = [figure_of(panels)] if named else list(panels)
    if runs == 2:
        drawn = [of_two(one) for one in drawn]
    return [(one, plan(one, out, formats, given)) for one in drawn]


def data_of(
    scene: Scene,
    data: Source | Sequence[Source] | None,
    epoch: str | int | None = None,
    report: ProgressCallback | None = None,
) -> xr.Dataset:
    """What a scene and its chapters are drawn from, and of a run what says when it grokked, where
    that is asked.

    Its bundled reference is taken where no data is given.
    """
    if isinstance(scene, Compared) and isinstance(data, Sequence):
        parts = [data_of(scene.drawn, [one], epoch, report) for one in data]
        return data_of_two(scene, parts, data)
    if scene.needs == TWO_PATHS and isinstance(data, Sequence):
        return data_of_paths(data)
    given = data is not None and not (isinstance(data, Sequence) and not data)
    if _of_last_alone(scene, epoch):
        from grokviz.render.earlier import data_at

        return data_at(scene, data if given else None, str(epoch), report)
    default = scene.reference if given else default_run(scene)
    try:
        dataset = load_for(scene, data, default=default, report=report)
    except InputError as error:
        if given:
            raise
        raise InputError(f"{default}, from which it is drawn without --run: {error}") from error
    for names in (*_telling(scene, epoch), engine_of(scene).beside(scene, dataset)):
        missing = [name for name in names if name not in dataset]
        if missing and not (names == MEASURED and has_test_loss(dataset)):
            with contextlib.suppress(InputError):
                more = load(data, missing, default=default, report=report)
                dataset = dataset.merge(more[missing], combine_attrs="override")
    return dataset


def _of_last_alone(scene: Scene, epoch: str | int | None) -> bool:
    """Whether another epoch is asked for of a scene whose data are of the last one alone."""
    asked = epoch is not None and str(epoch).strip() != "last"
    measured = scene.clock is None and scene.checkpoint is not None
    return asked and measured and not scene.any_checkpoint


def _telling(scene: Scene, epoch: str | int | None) -> tuple[tuple[str, ...], ...]:
    """What says when a run grokked, where the moment asked for, or the scene's own, needs it.

    Only for a moment that was asked for is a forward pass done.
    """
    if "grok" in str(epoch):
        return LOGGED, MEASURED
    own = epoch is None and scene.clock is not None and "grok" in str(scene.stills[:1])
    return (LOGGED,) if own else ()


def perform_all(
    work: Sequence[RenderJob],
    data: xr.Dataset,
    *,
    jobs: int = 1,
    report: ProgressCallback | None = None,
) -> Iterator[Path]:
    """Make the files, several at the same time where ``jobs`` says so and workers can."""
    if jobs != 1:
        from grokviz.parallel import check_jobs

        check_jobs(jobs)
    for job in work:
        check_writable(job.path, folder=job.format.folder)
    alone = jobs == 1 or len(work) == 1 or engine_of(work[0].scene).shared
    in_words = None if alone else worker_jobs(work)
    if in_words is None:
        data = clean_data(data)
        for job in work:
            job.scene.check(data)
        yield from engine_of(work[0].scene).render_all(work, data, report)
        return
    from grokviz.parallel import Pool, ProcessFailed

    with Pool(min(jobs, len(work))) as pool:
        futures = [
            pool.submit(plugins.with_current_places(perform_in_worker), job, data)
            for job in in_words
        ]
        for job, future in zip(work, futures, strict=True):
            try:
                yield future.result()
            except ProcessFailed as error:
                raise WorkError(f"{job.path} was not drawn: {error}") from error


def perform(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
    """Make one file."""
    data = clean_data(data)
    job.scene.check(data)
    path: Path = engine_of(job.scene).render(job, data, report)
    return path


def perform_in_worker(work: WorkerJob, data: xr.Dataset) -> Path:
    """Make one file of a scene that is built here."""
    return perform(job_of(work), data)
