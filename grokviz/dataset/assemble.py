"""The one place that puts a dataset together: one pass over the checkpoints for all parts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from grokviz.dataset import curves, schema
from grokviz.dataset.part import Context, Part, Values, metric, users_errors
from grokviz.dataset.workers import along
from grokviz.errors import InputError, nearest
from grokviz.progress import ProgressCallback
from grokviz.runs import Run
from grokviz.task import Task, any_task, known_task, tasks

if TYPE_CHECKING:
    import xarray as xr

FIELD_EPOCHS = 100
CURVE_EPOCHS = 400
"""Moments that a run of loss curves alone is shown at: enough for a film."""


def task_of(run: Run) -> Task | None:
    """The run's task if anybody knows it; any run has its curves and norms all the same."""
    return known_task(run.facts.get("task"))


def parts_of(task: Task | None) -> dict[str, Part]:
    """The parts that runs of a task may have, by name: those of every run, then its own."""
    own: dict[str, Part] = dict(task.load("parts")) if task else {}
    return {**any_task().load("parts"), **own}


def tasks_with(part: str) -> list[str]:
    """The tasks whose runs can have a part of this name."""
    return [name for name, task in tasks().items() if part in parts_of(task)]


def view_of(
    run: Run, epochs: Int[np.ndarray, " epoch"], field_epochs: Int[np.ndarray, " field_epoch"]
) -> Any:
    """The run as its task's parts see it, at these epochs."""
    task = task_of(run)
    kind = task.load("view") if task else None
    return (kind or Context)(run, epochs, field_epochs)


def available(run: Run) -> list[str]:
    """Names of the parts that can be made of this run."""
    return [name for name, part in parts_of(task_of(run)).items() if not part.lacks(run)]


def epochs_of(run: Run) -> Int[np.ndarray, " epoch"]:
    """The run's clock: its checkpoints, else at most :data:`CURVE_EPOCHS` of its logged epochs.

    Raises :class:`InputError` for a run that has neither.
    """
    if len(run.epochs):
        return run.epochs
    clock = max((run.metric(name)[0] for name in run.metrics), key=len, default=run.epochs)
    if not len(clock):
        raise InputError(
            f"{run.path} has neither checkpoints nor losses yet; train or record it further"
        )
    return curves.spread(clock, CURVE_EPOCHS)


def assemble(
    run: Run,
    parts: Iterable[str] | None = None,
    *,
    epochs: Sequence[int] | None = None,
    report: ProgressCallback | None = None,
    workers: int | None = None,
) -> xr.Dataset:
    """Analyse a run's checkpoints into a labelled dataset.

    Args:
        run: an open run.
        parts: which parts; all that the run's task has, by default.
        epochs: which checkpoints; all by default.
        report: called with (done, all) checkpoints.
        workers: how many processes measure; by default one a core for more than about forty
            checkpoints. The result is the same to the last bit.

    Raises:
        InputError: nothing recorded, a part that is unknown or cannot be made of this run,
            weights that are not the task's.

    """
    import xarray as xr

    clock = epochs_of(run)
    if epochs is not None:
        clock = np.asarray(sorted(set(epochs)), dtype=np.int64)
    run_parts = _parts(run, parts)
    context = view_of(run, clock, field_epochs(run, clock))
    coords: Values = {"epoch": clock}
    values: Values = {}
    for part in run_parts:
        with users_errors(part):
            coords |= part.coords(context)
            values |= part.whole(context)
    values |= _along(context, run_parts, report, workers)
    data = xr.Dataset(
        {name: _array(name, value) for name, value in values.items()},
        coords={name: (name, value) for name, value in coords.items()},
        attrs=_attrs(context),
    )
    dimensions = schema.dimensions()
    for name, coord in data.coords.items():
        if name not in dimensions:
            raise InputError(
                f"the coordinate {name} has no meaning: say it in dimensions= of the task"
            )
        coord.attrs["long_name"] = dimensions[str(name)]
    for part in run_parts:
        for name, attrs in part.coord_attrs(context).items():
            data[name].attrs.update(attrs)
    return data


def field_epochs(run: Run, epochs: Int[np.ndarray, " epoch"]) -> Int[np.ndarray, " field_epoch"]:
    """About a hundred of ``epochs``: half spread over the run, half over its phase change.

    The dense half lies between the ends of memorisation and of clean-up; for a run without
    phases around the fall of its training loss, unless its task says that the fall is no change
    worth a closer look; else the epochs are spread over the whole run. The first and the last
    are always among them.
    """
    if len(epochs) <= FIELD_EPOCHS:
        return epochs
    change = change_of(run)
    if change is None:
        wanted = np.linspace(epochs[0], epochs[-1], FIELD_EPOCHS)
    else:
        half = FIELD_EPOCHS // 2
        whole = np.linspace(epochs[0], epochs[-1], half)
        wanted = np.concatenate([whole, np.linspace(*change, half)])
    nearest_of = np.abs(epochs[None] - wanted[:, None]).argmin(axis=1)
    return np.unique(epochs[nearest_of])


def change_of(run: Run) -> tuple[int, int] | None:
    """First and last epoch of what is worth a closer look; None where there is none."""
    ends = curves.phase_ends(*metric(run, "test_loss"))
    if ends is not None:
        return int(ends[0]), int(ends[2])
    task = task_of(run)
    if task is not None and not task.fall_is_change:
        return None
    fall = curves.fall(*metric(run, "train_loss"))
    if fall is None:
        return None
    around = (fall[1] - fall[0]) // 2
    return max(fall[0] - around, 0), fall[1] + around


def _parts(run: Run, names: Iterable[str] | None) -> list[Part]:
    task = task_of(run)
    known = parts_of(task)
    for name in names or ():
        if name not in known:
            what = f"a run of {task.name}" if task else "a run whose task grokviz does not know"
            raise InputError(f"{what} has no part {name!r}: {nearest(name, list(known))}")
        if lacking := known[name].lacks(run):
            raise InputError(f"{run.path} has no {lacking}, which {name} is made of")
    return [known[name] for name in (available(run) if names is None else names)]


def _along(
    context: Context, parts: Sequence[Part], report: ProgressCallback | None, workers: int | None
) -> Values:
    """Values along the run; each checkpoint is read once, for all parts."""
    series: dict[str, list[Any]] = {}
    if not context.has_weights:
        return {}
    with contextlib.closing(along(context, parts, workers)) as passing:
        for i, (checkpoint, measures) in enumerate(passing):
            for part in parts:
                with users_errors(part):
                    part.gather(context, checkpoint)
            for name, value in measures.items():
                series.setdefault(name, []).append(value)
            if report:
                report(i + 1, len(context.epochs))
    values: Values = {name: np.stack(arrays) for name, arrays in series.items()}
    for part in parts:
        with users_errors(part):
            values |= part.after(context)
    return values


def _array(name: str, value: Any) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
    row = schema.variable(name)
    array = row.stored(value)
    if array.ndim != len(row.dims):
        raise InputError(
            f"{name} has the shape {array.shape} and should run over ({', '.join(row.dims)}); "
            "correct its dims or what its part returns"
        )
    return row.dims, array, row.attrs


def _attrs(context: Context) -> dict[str, Any]:
    from grokviz import __version__

    run, facts = context.run, context.run.facts
    return {
        "title": f"Analysis of {run.name}",
        "run_name": run.name,
        "run_checksum": run.checksum,
        "recipe": str(facts.get("recipe") or ""),
        "task": context.task,
        "counts": str(facts.get("counts") or context.settings.get("counts") or "epoch"),
        "settings": json.dumps(dict(context.settings), sort_keys=True, default=str),
        "command": str(facts.get("command") or ""),
        "grokviz_version": __version__,
    }
