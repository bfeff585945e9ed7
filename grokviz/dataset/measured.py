"""``measures``: what a run's measures are at one epoch, of whatever a user may name.

From a run directory they are computed from the weights, in float64; from a bundled reference
or a dataset they are read. A task may have published names for its measures; of other tasks, and
of runs of loss curves alone, there are the few of :mod:`grokviz.dataset.summaries`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.dataset import assemble, curves, summaries
from grokviz.dataset.part import metric
from grokviz.dataset.references.reference import load, named
from grokviz.runs import Run
from grokviz.runs.sweeps import is_sweep
from grokviz.task import known_task, tasks

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class PublishedMeasures:
    """A task's measures under their published names.

    Attributes:
        needs: the dataset variables that hold them.
        of_checkpoint: those of one checkpoint of a run, as plain data.
        of_dataset: those of a dataset at one epoch, as plain data.

    """

    needs: tuple[str, ...]
    of_checkpoint: Callable[[Run, int], dict[str, Any]]
    of_dataset: Callable[[xr.Dataset], dict[str, Any]]


def measures(
    source: xr.Dataset | Run | str | os.PathLike[str] | None = None,
    epoch: int | str | None = None,
) -> dict[str, Any]:
    """Measures of one epoch, under published names where the task has them.

    Args:
        source: a run, its folder, the folder of a sweep, a dataset or its ``.nc`` file, the name
            of a bundled reference; None for the default one.
        epoch: a number, ``last`` (the default), ``grok``, ``grok-N`` or ``grok+N``; the
            nearest checkpoint is measured, and ``epoch`` in the result names it.

    Returns:
        Plain numbers, lists and dicts. Losses are in nats; those by frequency have it as a
        string and hold the key frequencies, which are the last checkpoint's at every epoch.
        What needs to know which pairs were trained on is NaN where the run does not say.
        Of another task, of loss curves alone, and of several runs:
        :func:`grokviz.dataset.summaries.summarise`.

    Raises:
        InputError: nothing of that name, nothing recorded, or weights that are not its task's.

    """
    many = isinstance(source, (str, os.PathLike)) and is_sweep(Path(source))
    run_or_data = load(source) if many else named(source)
    if isinstance(run_or_data, Run):
        return _of_run(run_or_data, epoch)
    published = _published(run_or_data.attrs.get("task") or _task_of(run_or_data))
    if published is None or published.needs[0] not in run_or_data:
        return summaries.summarise(run_or_data, epoch)
    return _of_dataset(load(run_or_data, published.needs), epoch, published)


def _published(name: object) -> PublishedMeasures | None:
    task = known_task(name)
    published: PublishedMeasures | None = task.load("measures") if task else None
    return published


def _task_of(data: xr.Dataset) -> str:
    """The task all of whose published measures a dataset holds that does not say its task."""
    for name in tasks():
        published = _published(name)
        if published is not None and all(need in data for need in published.needs):
            return name
    return ""


def _of_run(run: Run, epoch: int | str | None) -> dict[str, Any]:
    epochs = assemble.epochs_of(run)
    at = curves.index_of(epochs, epoch, lambda: _grokked(run, epochs), run.name)
    nearest = int(epochs[at])
    published = _published(run.facts.get("task"))
    if published is None or not len(run.epochs):
        parts = [name for name in assemble.available(run) if name in summaries.PARTS]
        data = assemble.assemble(run, parts, epochs=[nearest], workers=0)
        return summaries.summarise(data, nearest)
    return {"epoch": nearest, **published.of_checkpoint(run, nearest)}


def _grokked(run: Run, epochs: np.ndarray) -> int | None:
    """The first checkpoint whose test loss is below half of its maximum, as logged."""
    tested, loss = metric(run, "test_loss")
    if not len(tested):
        return None
    index = curves.grok_index(np.interp(epochs, tested, loss))
    return None if index is None else int(epochs[index])


def _of_dataset(
    data: xr.Dataset, epoch: int | str | None, published: PublishedMeasures
) -> dict[str, Any]:
    epochs, test = data["epoch"].values, data["loss"].sel(split="test").values

    def grokked() -> int | None:
        index = curves.grok_index(test)
        return None if index is None else int(epochs[index])

    name = str(data.attrs.get("run_name", "the dataset"))
    at = curves.index_of(epochs, epoch, grokked, name)
    return {"epoch": int(epochs[at]), **published.of_dataset(data.isel(epoch=at))}
