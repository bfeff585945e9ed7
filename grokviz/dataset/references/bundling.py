"""Creation of a bundled reference from a run, for ``grokviz bundle``.

A reference is small: its logged curves are thinned to the lowest and highest value of each
interval, and it has the weights of only a few checkpoints, without the initial ones if the
recipe's seed reproduces them. ``tests/analysis/test_analysis_references.py`` recomputes the
bundled numbers from those weights. Parts are added, never rewritten.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from grokviz.dataset.build.assemble import change_of, epochs_of
from grokviz.dataset.cache import analyze, encode
from grokviz.dataset.numerics.thinning import extreme_indices
from grokviz.dataset.references.parts import listing
from grokviz.dataset.references.reference import SUMS, checksums
from grokviz.dataset.table import table_of, unasked
from grokviz.errors import InputError
from grokviz.files import check_writable, replacing
from grokviz.progress import ProgressCallback
from grokviz.runs import Run

if TYPE_CHECKING:
    import xarray as xr

POINTS = 2000
"""Maximum number of records of a bundled curve, besides those at checkpoints."""

CLOCKS = {"logged_epoch": "logged_train_loss", "tested_epoch": "logged_test_loss"}
"""Clocks of logged records, and for each the curve whose extremes are kept."""

CORE = "core"


@dataclass(frozen=True)
class Selection:
    """The parts of a run to bundle.

    Attributes:
        variables: variables of the dataset; by default all that the run allows, except dear ones
            and those of the path of its weights.
        epochs: the checkpoints analysed, the same for every file; all by default.
        weights: the epochs whose weights are kept; by default the last, and one in the middle
            of the run's change.

    """

    variables: Sequence[str] | None = None
    epochs: Sequence[int] | None = None
    weights: Sequence[int] | None = None


ALL = Selection()


def bundle(
    run: Run,
    to: Path,
    file: str = CORE,
    selection: Selection = ALL,
    *,
    report: ProgressCallback | None = None,
) -> Path:
    """Add a file of a run's dataset to a bundled reference.

    Args:
        run: the run to bundle.
        to: the reference's folder; with ``core`` also ``run.json`` and the weights are written.
        file: the file's name without ``.nc``; the first is ``core``.
        selection: the parts of the run to bundle.
        report: called with the checkpoints completed and the total.

    Raises:
        InputError: the file already exists, or an epoch has no checkpoint.

    """
    target = to / f"{file}.nc"
    if target.exists():
        raise InputError(f"{target} is there already; parts are added, never rewritten")
    check_writable(target)
    variables = selection.variables
    variables = _without_path(run) if variables is None else list(variables)
    epochs = epochs_of(run)
    if selection.epochs is not None:
        epochs = np.asarray(sorted(set(selection.epochs)))
    weights = selection.weights
    weights = default_weight_epochs(run, epochs) if weights is None else sorted(set(weights))
    contents = _weights(run, weights) if file == CORE else {}
    data = analyze(run, variables, epochs=epochs.tolist(), cache=False, report=report)
    data = thin(data, POINTS)
    data.attrs["command"] = plain_command(data.attrs["command"])
    if file == CORE:
        facts = json.loads((run.path / "run.json").read_text("utf-8"))
        facts["command"] = plain_command(facts.get("command") or "") or None
        contents["run.json"] = (json.dumps(facts, indent=2, sort_keys=True) + "\n").encode()
    write_part(to, target.name, encode(data), contents)
    return target


def write_part(to: Path, name: str, data: bytes, others: Mapping[str, bytes]) -> None:
    """Write a part of a reference, after the other files that belong to it.

    The list of parts and the checksums of all are written before it, so that a part that is there
    is complete. Raises :class:`InputError` if a file that is there has changed since it was
    bundled.
    """
    others = {**others, **listing(to, {name: data})}
    for file, digest in checksums(to).items():
        there = file not in {name, *others} and (to / file).is_file()
        if there and hashlib.sha256((to / file).read_bytes()).hexdigest() != digest:
            raise InputError(
                f"{to / file} has changed since it was bundled; restore it from a copy, or choose "
                "another folder with --out"
            )
    for file, content in others.items():
        with replacing(to / file) as part:
            part.write_bytes(content)
    with replacing(to / name) as part:
        part.write_bytes(data)
        seal(to, {name: data})


def thin(data: xr.Dataset, most: int) -> xr.Dataset:
    """Thin a dataset to at most ``most`` logged records, besides those at its checkpoints.

    The lowest and highest loss of each interval are kept, and so are spikes; the attribute
    ``thinned`` of the clock states the original number of records.
    """
    for clock, curve in CLOCKS.items():
        if clock not in data.coords or data.sizes[clock] <= most:
            continue
        epochs = data[clock].values
        index = extreme_indices(epochs, data[curve].values.astype(np.float64), most)
        at_checkpoints = np.flatnonzero(np.isin(epochs, data["epoch"].values))
        index = np.union1d(index, at_checkpoints)
        note = (
            f"{len(index):,} of {len(epochs):,} logged: the lowest and the highest {curve} of "
            "each stretch, and those at checkpoints"
        )
        data = data.isel({clock: index})
        data[clock].attrs["thinned"] = note
    return data


def default_weight_epochs(run: Run, epochs: Int[np.ndarray, " epoch"]) -> list[int]:
    """The last epoch, and the one in the middle of the run's change if it has one.

    Empty for a run without weights, as references of large models have only curves.
    """
    if not len(run.epochs):
        return []
    last, change = int(epochs[-1]), change_of(run)
    if change is None:
        return [last]
    middle = int(epochs[np.abs(epochs - sum(change) / 2).argmin()])
    return sorted({middle, last})


def seal(to: Path, more: Mapping[str, bytes] | None = None) -> None:
    """Write the checksums of a reference's files, and of ``more`` that are about to be there."""
    files = [f for f in to.rglob("*") if f.is_file() and f.name != SUMS]
    contents = {
        f.relative_to(to).as_posix(): f.read_bytes() for f in files if f.name[:1] != "."
    } | dict(more or {})
    rows = sorted(contents.items(), key=lambda row: PurePosixPath(row[0]))
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in rows]
    with replacing(to / SUMS) as part:
        part.write_text("".join(lines), "utf-8")


def _without_path(run: Run) -> list[str]:
    """All variables that a run allows, except dear ones and those of the path of its weights."""
    measures = table_of(run).measures
    return [name for name in unasked(run) if "path_epoch" not in measures[name].variable.dims]


def _weights(run: Run, epochs: Sequence[int]) -> dict[str, bytes]:
    """The files of weights that a reference keeps, by their names in it."""
    missing = [epoch for epoch in epochs if epoch not in run.epochs]
    if missing:
        raise InputError(
            f"{run.path} has no checkpoint of epoch {missing[0]}; keep one that it has"
        )
    return {f"weights/{epoch}.safetensors": run.checkpoint_bytes(epoch) for epoch in epochs}


def plain_command(command: str) -> str:
    """A command with its paths shortened to their last part, without the user's folders."""
    return re.sub(r"(?<=[\s=])/\S*/(?=[^\s/]+)", "runs/", command)


def checkpoints_in(text: str | None, run: Run) -> tuple[int, ...] | None:
    """Parse epochs of checkpoints, ``0,100,last`` or ``A:B:STEP``; None without text.

    Raises :class:`InputError` for any other text.
    """
    if text is None:
        return None
    epochs = epochs_of(run)
    try:
        if ":" in text:
            first, last, step = (int(item) for item in text.split(":"))
            inside = (epochs >= first) & (epochs <= last) & ((epochs - first) % step == 0)
            return tuple(int(epoch) for epoch in epochs[inside])
        items = text.split(",")
        return tuple(int(epochs[-1]) if item == "last" else int(item) for item in items)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise InputError(
            f"{text} names no checkpoints of {run.path}; give numbers with commas, last, or "
            "A:B:STEP"
        ) from error
