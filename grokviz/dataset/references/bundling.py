"""Makes a bundled reference of a run, as ``grokviz bundle`` does.

A reference is small: its logged curves are thinned to the lowest and the highest value of each
stretch, it keeps the weights of a few checkpoints alone, and not the initial ones where its
recipe's seed draws them again. ``tests/analysis/test_analysis_references.py`` makes the bundled
numbers again from those weights. Parts are added, never rewritten.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from grokviz.dataset.assemble import change_of, epochs_of
from grokviz.dataset.cache import analyze, write
from grokviz.dataset.references.reference import SUMS
from grokviz.dataset.table import available, table_of
from grokviz.dataset.thinning import thinned
from grokviz.errors import InputError
from grokviz.progress import ProgressCallback
from grokviz.runs import Run

if TYPE_CHECKING:
    import xarray as xr

POINTS = 2000
"""Logged records that a bundled curve may have, beside those at checkpoints."""

CLOCKS = {"logged_epoch": "logged_train_loss", "tested_epoch": "logged_test_loss"}
"""Clocks of logged records, and the curve whose extremes are kept on each."""

CORE = "core"


@dataclass(frozen=True)
class Selection:
    """What of a run is bundled.

    Attributes:
        variables: of the dataset; all that can be measured of the run but those of the path of
            its weights, by default.
        epochs: the checkpoints analysed, the same for every file; all by default.
        weights: the epochs whose weights are kept: by default the last, and one in the middle
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
        run: the run it is made from.
        to: the reference's folder; ``core`` also brings ``run.json`` and the weights.
        file: its name, without ``.nc``; ``core`` is the first.
        selection: what of the run is bundled.
        report: called with (done, all) checkpoints.

    Raises:
        InputError: the file is there already, or an epoch without a checkpoint.

    """
    target = to / f"{file}.nc"
    if target.exists():
        raise InputError(f"{target} is there already; parts are added, never rewritten")
    variables = selection.variables
    variables = _without_path(run) if variables is None else list(variables)
    epochs = epochs_of(run)
    if selection.epochs is not None:
        epochs = np.asarray(sorted(set(selection.epochs)))
    weights = selection.weights
    weights = weights_kept(run, epochs) if weights is None else sorted(set(weights))
    data = analyze(run, variables, epochs=epochs.tolist(), cache=False, report=report)
    data = thin(data, POINTS)
    data.attrs["command"] = plain_command(data.attrs["command"])
    write(data, target)
    if file == CORE:
        facts = json.loads((run.path / "run.json").read_text("utf-8"))
        facts["command"] = plain_command(facts.get("command") or "") or None
        (to / "run.json").write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", "utf-8")
        _keep_weights(run, to, weights)
    seal(to)
    return target


def thin(data: xr.Dataset, most: int) -> xr.Dataset:
    """The dataset with at most ``most`` logged records, and those at its checkpoints.

    The lowest and the highest loss of each stretch stay, so spikes do; ``thinned`` of the
    clock's attributes says how many records there were.
    """
    for clock, curve in CLOCKS.items():
        if clock not in data.coords or data.sizes[clock] <= most:
            continue
        epochs = data[clock].values
        index = thinned(epochs, data[curve].values.astype(np.float64), most)
        at_checkpoints = np.flatnonzero(np.isin(epochs, data["epoch"].values))
        index = np.union1d(index, at_checkpoints)
        note = (
            f"{len(index):,} of {len(epochs):,} logged: the lowest and the highest {curve} of "
            "each stretch, and those at checkpoints"
        )
        data = data.isel({clock: index})
        data[clock].attrs["thinned"] = note
    return data


def weights_kept(run: Run, epochs: Int[np.ndarray, " epoch"]) -> list[int]:
    """The last epoch, and the one in the middle of the run's change if it has one.

    No epochs where the run kept no weights: large models' references are their curves alone.
    """
    if not len(run.epochs):
        return []
    last, change = int(epochs[-1]), change_of(run)
    if change is None:
        return [last]
    middle = int(epochs[np.abs(epochs - sum(change) / 2).argmin()])
    return sorted({middle, last})


def seal(to: Path) -> None:
    """Write the checksums of a reference's files."""
    files = sorted(f for f in to.rglob("*") if f.is_file() and f.name != SUMS)
    lines = [
        f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(to).as_posix()}"
        for f in files
    ]
    (to / SUMS).write_text("\n".join(lines) + "\n", "utf-8")


def _without_path(run: Run) -> list[str]:
    """All that can be measured of a run but the path of its weights."""
    own = table_of(run).measures
    return [name for name in available(run) if "path_epoch" not in own[name].variable.dims]


def _keep_weights(run: Run, to: Path, epochs: Sequence[int]) -> None:
    for epoch in epochs:
        if epoch not in run.epochs:
            raise InputError(f"{run.path} has no checkpoint of epoch {epoch}; keep one that it has")
        target = to / "weights" / f"{epoch}.safetensors"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((run.path / "checkpoints" / target.name).read_bytes())


def plain_command(command: str) -> str:
    """A command with the last name alone of every path in it: where it ran says nothing."""
    return re.sub(r"(?<=[\s=])/\S*/(?=[^\s/]+)", "runs/", command)


def checkpoints_in(text: str | None, run: Run) -> tuple[int, ...] | None:
    """Epochs of the run's checkpoints in ``0,100,last`` or ``A:B:STEP``; None for no text.

    Raises :class:`InputError` for any other text.
    """
    if text is None:
        return None
    epochs = epochs_of(run)
    try:
        if ":" in text:
            first, last, step = (int(word) for word in text.split(":"))
            inside = (epochs >= first) & (epochs <= last) & ((epochs - first) % step == 0)
            return tuple(int(epoch) for epoch in epochs[inside])
        words = text.split(",")
        return tuple(int(epochs[-1]) if word == "last" else int(word) for word in words)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise InputError(
            f"{text} names no checkpoints of {run.path}; give numbers with commas, last, or "
            "A:B:STEP"
        ) from error
