"""The one place that puts a dataset together, from the measures asked for."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from grokviz.dataset import table
from grokviz.dataset.build.measurement import Measurement
from grokviz.dataset.checkpoint import RunView, metric
from grokviz.dataset.contract import Coordinate, Measure, array_of
from grokviz.dataset.learning import Curve, learning
from grokviz.dataset.numerics import curves
from grokviz.dataset.table import Table
from grokviz.dataset.threads import one_thread
from grokviz.dataset.users import MeasureError, users_errors
from grokviz.errors import InputError
from grokviz.progress import ProgressCallback
from grokviz.runs import Run

if TYPE_CHECKING:
    import xarray as xr

FIELD_EPOCHS = 100
CURVE_EPOCHS = 400
"""Moments that a run of loss curves alone is shown at: enough for a film."""

log = logging.getLogger(__name__)


def view_of(
    run: Run, epochs: Int[np.ndarray, " epoch"], field_epochs: Int[np.ndarray, " field_epoch"]
) -> Any:
    """The run as its task's measures see it, at these epochs."""
    return table.view_type(table.task_of(run))(run, epochs, field_epochs)


def epochs_of(run: Run) -> Int[np.ndarray, " epoch"]:
    """The run's clock: its checkpoints, else at most :data:`CURVE_EPOCHS` of its logged epochs,
    else of those of its arrays.

    Raises :class:`InputError` for a run that has none of these.
    """
    if len(run.epochs):
        return run.epochs
    clock = max((run.metric(name)[0] for name in run.metrics), key=len, default=run.array_epochs)
    if not len(clock):
        raise InputError(
            f"{run.path} has neither checkpoints nor losses yet; train or record it further"
        )
    return curves.spread(clock, CURVE_EPOCHS)


def assemble(
    run: Run,
    needs: Iterable[str | Measure] | None = None,
    *,
    epochs: Sequence[int] | None = None,
    cache: Path | None = None,
    report: ProgressCallback | None = None,
    workers: int | None = None,
) -> xr.Dataset:
    """Measure a run's checkpoints into a labelled dataset.

    Args:
        run: an open run.
        needs: names of variables, or of coordinates, or measures themselves; everything that
            can be measured of the run, by default, but what is dear.
        epochs: which checkpoints; all by default.
        cache: a folder where values are kept, from which only what is missing is measured.
        report: called with (done, all) of the checkpoints that are read.
        workers: how many processes measure; by default as many as are worth it. The result is
            the same to the last bit.

    Raises:
        InputError: nothing recorded, a measure that is unknown or cannot be taken of this run,
            weights that are not the task's.

    """
    clock = epochs_of(run)
    if epochs is not None:
        clock = np.asarray(sorted(set(epochs)), dtype=np.int64)
    own = table.table_of(run)
    given = table.unasked(run) if needs is None else list(needs)
    own, names = _with_given(own, given)
    table.check_measurable(run, names, own)

    def take(names: Sequence[str]) -> xr.Dataset:
        view = view_of(run, clock, field_epochs(run, clock))
        if epochs is None and weighed(own, names):
            view = with_numbers(view)
        return dataset_of(view, own, names, cache=cache, report=report, workers=workers)

    return leaving_out(own, names, take) if needs is None else take(names)


def weighed(own: Table, names: Iterable[str]) -> bool:
    """Whether any of these is a measure of weights."""
    series = table.with_series(own, [name for name in names if name in own.measures])
    return any(own.measures[name].weighs for name in series)


def with_numbers(view: RunView) -> RunView:
    """The view without the checkpoints at the run's end whose weights are no numbers."""
    if not view.has_weights or len(view.alive) == len(view.run.epochs):
        return view
    alive = view.epochs[view.epochs <= view.alive[-1]]
    fewer: RunView = view_of(view.run, alive, field_epochs(view.run, alive))
    fewer.__dict__["alive"] = view.alive
    return fewer


def leaving_out(
    own: Table, names: Sequence[str], take: Callable[[Sequence[str]], xr.Dataset]
) -> xr.Dataset:
    """What ``take`` makes of these names, without users' measures that the run cannot have.

    For where all that a run has is asked for: a measure that was written for another run says in
    a warning why it is left out, and ours are there all the same.
    """
    try:
        return take(names)
    except MeasureError as error:
        rest = [name for name in names if not _uses(own, name, error.name)]
        if len(rest) == len(names):
            raise
        log.warning("%s; it is left out", error)
    return leaving_out(own, rest, take)


def _uses(own: Table, name: str, other: str) -> bool:
    """Whether a measure is another one or takes its series, or runs along that dimension."""
    if name not in own.measures:
        return name == other
    series = table.with_series(own, [name])
    return other in series or any(other in own.measures[one].variable.dims for one in series)


def dataset_of(
    view: RunView,
    own: Table,
    names: Sequence[str],
    *,
    cache: Path | None = None,
    report: ProgressCallback | None = None,
    workers: int | None = None,
) -> xr.Dataset:
    """The dataset of a run as its measures see it; else as :func:`assemble`."""
    wanted = list(dict.fromkeys(name for name in names if name in own.measures))
    with one_thread():
        measurement = Measurement(view, own, table.with_series(own, wanted), cache)
        values = measurement.values(report, workers)
        return _dataset(view, own, {name: values[name] for name in wanted}, names)


def _with_given(own: Table, given: Sequence[str | Measure]) -> tuple[Table, list[str]]:
    """The table with measures that were given themselves, and all names."""
    more = {one.name: one for one in given if isinstance(one, Measure)}
    names = [one.name if isinstance(one, Measure) else one for one in given]
    return Table(own.measures | more, own.dimensions) if more else own, names


def _dataset(
    view: RunView, own: Table, values: Mapping[str, np.ndarray], names: Sequence[str]
) -> xr.Dataset:
    """The labelled dataset of these values, with the coordinates they run along and those asked."""
    import xarray as xr

    arrays = {name: _array(own.measures[name], value) for name, value in values.items()}
    dims = [dim for array_dims, *_ in arrays.values() for dim in array_dims]
    dims += [name for name in names if name not in own.measures]
    coords: dict[str, Any] = {"epoch": view.epochs}
    attrs: dict[str, dict[str, str]] = {"epoch": {"long_name": table.CLOCKS["epoch"]}}
    for dim in dict.fromkeys(dims):
        if dim == "field_epoch":
            coords[dim], attrs[dim] = view.field_epochs, {"long_name": table.CLOCKS[dim]}
        elif dim != "epoch":
            coords[dim], attrs[dim] = _coordinate(view, own, dim)
    for name, (array_dims, array, _) in arrays.items():
        wrong = [d for d, n in zip(array_dims, array.shape, strict=True) if n != len(coords[d])]
        if wrong:
            raise InputError(
                f"{name} has the shape {array.shape}, but there are {len(coords[wrong[0]])} "
                f"{wrong[0]} in this run; correct the measure or its dimension"
            )
    data = xr.Dataset(
        arrays, coords={name: (name, value) for name, value in coords.items()}, attrs=_attrs(view)
    )
    for name, more in attrs.items():
        data[name].attrs.update(more)
    return data


def _coordinate(view: RunView, own: Table, dim: str) -> tuple[np.ndarray, dict[str, str]]:
    dimension = own.dimensions.get(dim)
    if dimension is None:
        raise InputError(
            f"nothing says what the dimension {dim} is; write a function {dim}(run) under "
            "@dimension that returns its values"
        )
    with users_errors(dimension):
        values = dimension(view)
        more = dict(values.attrs) if isinstance(values, Coordinate) else {}
        return array_of(values), {"long_name": dimension.meaning, **more}


def _array(one: Measure, array: np.ndarray) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
    dims = one.variable.dims
    if array.ndim != len(dims):
        raise InputError(
            f"{one.name} has the shape {array.shape} and should run over ({', '.join(dims)}); "
            "correct its dimensions or what it returns"
        )
    return dims, array, one.variable.attrs


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
    ends = learning(Curve(*metric(run, "train_loss")), Curve(*metric(run, "test_loss"))).ends
    if ends is not None:
        return int(ends[0]), int(ends[2])
    task = table.task_of(run)
    if task is not None and not task.fall_is_change:
        return None
    fall = curves.fall(*metric(run, "train_loss"))
    if fall is None:
        return None
    around = (fall[1] - fall[0]) // 2
    return max(fall[0] - around, 0), fall[1] + around


def _attrs(view: RunView) -> dict[str, Any]:
    from grokviz import __version__

    run, facts = view.run, view.run.facts
    gone = view.run.epochs[len(view.alive) :] if "alive" in vars(view) else view.run.epochs[:0]
    more = {"no_numbers_from": int(gone[0])} if len(gone) else {}
    return {
        **more,
        "title": f"Analysis of {run.name}",
        "run_name": run.name,
        "run_checksum": run.checksum,
        "recipe": str(facts.get("recipe") or ""),
        "task": view.task,
        "counts": str(facts.get("counts") or view.settings.get("counts") or "epoch"),
        "settings": json.dumps(dict(view.settings), sort_keys=True, default=str),
        "command": str(facts.get("command") or ""),
        "grokviz_version": __version__,
    }
