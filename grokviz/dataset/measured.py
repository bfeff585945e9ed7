"""``measures``: what a run's published measures are at one epoch.

Those are printed that carry a published name: of every run its losses and when they fell, of a
task what its measures publish, of a user's own what these do. From a run directory they are
measured from the weights; from a bundled reference or a dataset they are read.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.dataset import table
from grokviz.dataset.build import assemble
from grokviz.dataset.cache import analyze
from grokviz.dataset.checkpoint import metric
from grokviz.dataset.contract import Published
from grokviz.dataset.families.family_summary import summarise
from grokviz.dataset.learning import Curve, grok_epoch, learning
from grokviz.dataset.numerics import curves
from grokviz.dataset.references.reference import load, resolve
from grokviz.dataset.table import Table
from grokviz.dataset.users import users_errors
from grokviz.errors import InputError
from grokviz.runs import Run
from grokviz.runs.sweeps import is_sweep
from grokviz.task import known_task, tasks

if TYPE_CHECKING:
    import xarray as xr


@dataclass
class Measures:
    """Published measures by name, what is printed before some, and the headings of tables.

    A heading is of rows of numbers: what stands above the labels of the rows, these labels, and
    what stands above each column.
    """

    values: dict[str, Any] = field(default_factory=dict)
    headings: dict[str, tuple[str, list[str], list[str]]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def add(self, more: Measures) -> None:
        """Add others to these."""
        self.values |= more.values
        self.headings |= more.headings
        self.labels |= more.labels


def measures(
    source: xr.Dataset | Run | str | os.PathLike[str] | None = None,
    epoch: int | str | None = None,
) -> dict[str, Any]:
    """Published measures of one epoch, by name.

    Args:
        source: a run, its folder, the folder of a sweep, a dataset or its ``.nc`` file, the name
            of a bundled reference; None for the default one.
        epoch: a number, ``last`` (the default), ``grok``, ``grok-N`` or ``grok+N``; the
            nearest checkpoint is measured, and ``epoch`` in the result names it.

    Returns:
        Plain numbers, lists and dicts. Losses are in nats; those by frequency have it as a
        string and hold the key frequencies, which are the last checkpoint's at every epoch, as is
        what begins with ``final_``.
        ``train_loss`` and ``test_loss`` are the logged ones nearest to the epoch. None says that
        a run never came to it. What needs to know which examples were trained on is NaN where
        the run does not say; what a run does not have is left out. Of several runs:
        :func:`grokviz.dataset.families.family_summary.summarise`.

    Raises:
        InputError: nothing of that name, nothing recorded, or weights that are not its task's.

    """
    return with_headings(source, epoch).values


def with_headings(
    source: xr.Dataset | Run | str | os.PathLike[str] | None = None,
    epoch: int | str | None = None,
) -> Measures:
    """:func:`measures`, with what a table of them says above its columns."""
    many = isinstance(source, (str, os.PathLike)) and is_sweep(Path(source))
    run_or_data = load(source) if many else resolve(source)
    if isinstance(run_or_data, Run):
        return _of_run(run_or_data, epoch)
    if "member_name" in run_or_data:
        return Measures(summarise(run_or_data, epoch))
    return _of_dataset(run_or_data, epoch)


def _of_run(run: Run, epoch: int | str | None) -> Measures:
    epochs = assemble.epochs_of(run)
    at = curves.index_of(epochs, epoch, lambda: grok_epoch_of(run), run.name)
    nearest, own = int(epochs[at]), table.table_of(run)
    able = {*table.available(run)}
    # coordinates are told by the weights
    able |= own.dimensions.keys() if len(run.epochs) else set()
    names = [name for name in table.published_names(own) if name in able]

    def take(some: Sequence[str], of: list[int] | None) -> xr.Dataset:
        needs = dict.fromkeys([*some, *table.coordinates_of(own, some)])
        return analyze(run, needs, epochs=of)

    # a series is taken over all checkpoints, whichever is printed
    whole = [name for name in names if name in own.measures and own.measures[name].is_of_all]
    printed = Measures({"epoch": nearest})
    rest = [name for name in names if name not in whole]
    for some, of in (rest, [nearest]), (whole, None):
        if some:
            data = assemble.leaving_out(own, some, partial(take, of=of))
            printed.add(published_of(own, data, nearest))
    return printed


def grok_epoch_of(run: Run) -> int | None:
    """When the run grokked, by its logged losses."""
    return learning(Curve(*metric(run, "train_loss")), Curve(*metric(run, "test_loss"))).grokked


def _of_dataset(data: xr.Dataset, epoch: int | str | None) -> Measures:
    if "epoch" not in data.coords:
        raise InputError(
            "there is no run in this dataset to measure; write its numbers with grokviz data"
        )
    epochs = data["epoch"].values
    name = str(data.attrs.get("run_name", "the dataset"))
    nearest = int(epochs[curves.index_of(epochs, epoch, lambda: grok_epoch(data), name)])
    return published_of(_table_of(data), data, nearest)


def _table_of(data: xr.Dataset) -> Table:
    """The table of the dataset's task; of one that does not say it, of the task that it fits."""
    task = known_task(data.attrs.get("task"))
    if task is not None:
        return table.table(task)
    every = [table.table(None), *(table.table(one) for one in tasks().values())]
    return max(every, key=lambda one: sum(name in data for name in table.published_names(one)))


def published_of(own: Table, data: xr.Dataset, epoch: int) -> Measures:
    """What the dataset's variables and coordinates publish at an epoch."""
    printed = Measures({"epoch": epoch})
    for name in table.published_names(own):
        if name not in data:
            continue
        values = data[name]
        if "epoch" in values.dims:
            values = values.sel(epoch=epoch)
        one = own.measures.get(name) or own.dimensions[name]
        with users_errors(one):
            if isinstance(one.published, Published):
                _by_function(printed, one.published, values, data)
            elif one.published is not None:
                _by_template(printed, one.published, values)
    return printed


def _by_function(
    printed: Measures, published: Published, values: xr.DataArray, data: xr.Dataset
) -> None:
    """Add what a function publishes, where the dataset has the coordinates that it takes."""
    if not all(need in data.coords for need in published.needs):
        return
    given = _plain(published.publish(values, data, printed.values["epoch"]))
    printed.values |= given
    printed.labels |= dict(published.labels)
    if published.headings:
        corner, *columns = published.headings
        for name, rows in given.items():
            printed.headings[name] = (corner, [str(n) for n in range(len(rows))], columns)


def _by_template(printed: Measures, name: str, values: xr.DataArray) -> None:
    """Add values under a name; one of each coordinate that stands in braces in it."""
    dims = [str(dim) for dim in values.dims if f"{{{dim}}}" in name]
    labels = itertools.product(*(values[dim].values.tolist() for dim in dims))
    for label in labels:
        place = dict(zip(dims, label, strict=True))
        part, own = values.sel(place), name.format(**place)
        printed.values[own] = part.values.tolist()
        if part.ndim == 2:
            row, column = map(str, part.dims)
            columns = [f"{column} {label}" for label in _labels(part, column)]
            printed.headings[own] = (f"{own}, {row}", _labels(part, row), columns)


def _labels(values: xr.DataArray, dim: str) -> list[str]:
    return [str(label) for label in values[dim].values.tolist()]


def _plain(value: Any) -> Any:
    """Numbers, lists and dicts of a user's as Python and JSON have them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value
