"""A family: several runs as one labelled dataset, for scenes that draw many runs.

Its members come from a sweep, an imported sweep, any runs given together, or a mixture of
these; ``member_source`` says which. Rows: :mod:`grokviz.dataset.families.family_variables`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from grokviz.dataset import schema
from grokviz.dataset.cache import FOLDER, code_version, read_or_make
from grokviz.dataset.families import trajectory
from grokviz.dataset.families.family_member import (
    SPLITS,
    Record,
    record_of,
    record_of_dataset,
    records_of,
)
from grokviz.dataset.families.family_variables import ROUNDING_ROWS
from grokviz.dataset.families.pieces import pieces
from grokviz.dataset.numerics import curves, ties
from grokviz.dataset.variables import Variable
from grokviz.errors import InputError
from grokviz.progress import ProgressCallback
from grokviz.runs import Run, open_run
from grokviz.runs.sweeps import is_sweep, members_of
from grokviz.task import tasks

if TYPE_CHECKING:
    import xarray as xr

SOURCES = ("ours", "published", "other")
POINTS, FEW_MEMBERS, POINTS_OF_FEW = 400, 4, 2000
"""Points of each member's curves, more if there are few members."""

MOMENTS = 400
"""Number of moments of the clock along which a family's curves are drawn."""

FILL_VALUES: Mapping[str, Any] = {"i": -1, "f": np.nan, "U": ""}


def family(
    sources: Sequence[Run | xr.Dataset | str | os.PathLike[str]],
    *,
    cache: bool = True,
    report: ProgressCallback | None = None,
) -> xr.Dataset:
    """The dataset of several runs.

    Args:
        sources: runs, run directories, folders of sweeps, datasets of runs or of families;
            their members follow in that order. Runs that have logged nothing yet are left out.
        cache: whether to read and write ``cache`` in the first source's folder.
        report: called with the members completed and the total.

    Raises:
        InputError: a source that does not exist, or that has logged nothing.

    """
    members = [member for source in sources for member in _members(source)]
    runs = [member for member in members if isinstance(member, Run)]
    if not members:
        raise InputError("none of these runs has a training loss yet; train or record them further")
    if not cache or not runs:
        return _assemble(members, report)
    key = [[m.name, m.checksum] if isinstance(m, Run) else _digest(m) for m in members]
    names = [str(run.facts.get("task")) for run in runs]
    content = json.dumps(["family", code_version(names), key])
    name = hashlib.sha256(content.encode()).hexdigest()[:24]
    folder = next((Path(s) for s in sources if isinstance(s, (str, os.PathLike))), runs[0].path)
    return read_or_make(folder / FOLDER / f"{name}.nc", lambda: _assemble(members, report))


def runs_of(sources: Iterable[Run | str | os.PathLike[str]]) -> list[Run]:
    """The runs in run directories and folders of sweeps that have logged anything, in order."""
    return [member for source in sources for member in _members(source)]


def draws(names: Iterable[str]) -> bool:
    """Whether any of these variables belongs to families rather than to single runs."""
    of_families = schema.family_rows().keys() - {row.name for row in ROUNDING_ROWS}
    return any(name in of_families for name in names)


def _members(source: Run | xr.Dataset | str | os.PathLike[str]) -> list[Any]:
    """The members that a source adds to a family: open runs, or records of a dataset."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        runs = [open_run(member) for member in members_of(path)] if is_sweep(path) else None
        return _with_losses(runs or [open_run(path)])
    if isinstance(source, Run):
        return _with_losses([source])
    if "member" in source.dims:
        return records_of(source)
    if "logged_train_loss" in source and source.sizes["logged_epoch"]:
        return [record_of_dataset(source, POINTS)]
    raise InputError(
        f"{source.attrs.get('run_name', 'a dataset')} has no logged training loss, so it cannot be "
        "drawn beside other runs; leave it out"
    )


def _with_losses(runs: list[Run]) -> list[Run]:
    return [run for run in runs if "train_loss" in run.metrics]


def _digest(record: Record) -> str:
    digest = hashlib.sha256()
    for name in sorted(record):
        array = np.asarray(record[name])
        content = array.astype("U") if array.dtype.kind in "OU" else array
        digest.update(name.encode() + content.tobytes())
    return digest.hexdigest()


def _assemble(members: Sequence[Any], report: ProgressCallback | None) -> xr.Dataset:
    import xarray as xr

    points = POINTS_OF_FEW if len(members) <= FEW_MEMBERS else POINTS
    names = _names(members)
    records: list[Record] = []
    for name, member in zip(names, members, strict=True):
        record = record_of(member, name, points) if isinstance(member, Run) else member
        records.append({**record, "member_name": name})
        if report:
            report(len(records), len(members))
    coords, values = _stack(records)
    runs = [(i, names[i], record) for i, record in enumerate(members) if isinstance(record, Run)]
    phase_changes = pieces(runs)
    if phase_changes:
        coords |= phase_changes[0]
        values |= phase_changes[1]
    rows = schema.rows_of(values)
    data = xr.Dataset(
        {n: (rows[n].dims, rows[n].stored(value), rows[n].attrs) for n, value in values.items()},
        coords={name: (name, value) for name, value in coords.items()},
        attrs=_attrs(members, records),
    )
    dimensions = schema.dimensions()
    for coord in coords:
        data[coord].attrs["long_name"] = dimensions[coord]
    return data


def _names(members: Sequence[Any]) -> list[str]:
    """A name for each member, prefixed by its parent folder if two have the same name."""
    names = [m.name if isinstance(m, Run) else str(m["member_name"]) for m in members]
    twice = {name for name, count in Counter(names).items() if count > 1}
    return [
        f"{member.path.resolve().parent.name}/{name}"
        if name in twice and isinstance(member, Run) else name
        for name, member in zip(names, members, strict=True)
    ]  # fmt: skip


def _stack(records: Sequence[Record]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Coordinates and variables of all records together, with shorter ones padded."""
    values: dict[str, Any] = {}
    # a task's own rows are empty for members of other tasks
    rows = schema.rows_of(dict.fromkeys(name for record in records for name in record))
    for name, row in rows.items():
        lacking = _nothing_of(row)
        arrays = [np.asarray(row.stored(record.get(name, lacking))) for record in records]
        if row.dims == ("member",):
            values[name] = np.array([array[()] for array in arrays])
        else:
            values[name] = _pad(arrays, FILL_VALUES[np.dtype(row.dtype).kind])
    drawn = [name for name in values if rows[name].dims == ("member", "point")]
    width = max(values[name].shape[1] for name in drawn)
    for name in drawn:
        fill = FILL_VALUES[values[name].dtype.kind]
        values[name] = _pad(list(values[name]), fill, width)
    checkpoints = values["member_kept_epoch"].shape[1]
    fractions, fraction_member = _by_fraction(values)
    coords = {
        "member": np.arange(len(records)),
        "point": np.arange(width),
        "epoch": clock(values["member_last_epoch"]),
        "split": list(SPLITS),
        "fraction": fractions,
        "source": list(SOURCES),
    }
    frequencies = values["member_frequency_norm"].shape[1]
    if frequencies:
        coords["frequency"] = np.arange(1, 1 + frequencies)
    else:  # no member has weights that give frequencies
        del values["member_frequency_norm"], values["member_key_frequency"]
    if checkpoints:
        coords["kept"] = np.arange(checkpoints)
    else:
        for row in trajectory.ROWS:
            del values[row.name]
    return coords, {**values, "fraction_member": fraction_member}


def _nothing_of(row: Variable) -> Any:
    """What stands for a variable in a member that lacks it, before it is padded."""
    dtype = np.dtype(row.dtype)
    fill = np.array(FILL_VALUES[dtype.kind], dtype=dtype)
    return fill if row.dims == ("member",) else fill[None][:0]


def _pad(arrays: Sequence[np.ndarray], fill: Any, width: int = 0) -> np.ndarray:
    """Arrays of different lengths as rows of one padded table."""
    table = np.full((len(arrays), max(width, *map(len, arrays))), fill, dtype=arrays[0].dtype)
    for row, array in zip(table, arrays, strict=True):
        row[: len(array)] = array
    return table


def clock(last_epochs: Int[np.ndarray, " member"]) -> Int[np.ndarray, " moment"]:
    """Moments evenly spaced from 0 to the end of the longest curve, as a clock for films.

    The nearest of them is moved to where a shorter one ends, so that a film can stop there.
    """
    ends = np.unique(last_epochs)
    moments = curves.spread(np.arange(int(ends[-1]) + 1), MOMENTS)
    between = ends[(ends > 0) & (ends < ends[-1])]
    for end in between:
        moments[1 + int(np.abs(moments[1:-1] - end).argmin())] = end
    return np.unique(moments)


def _by_fraction(values: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Training fractions, the largest first, and the run of each source with that fraction.

    Only for tasks with the setting train-fraction, since it has no defined meaning elsewhere.
    """
    fraction, task = values["member_fraction"], values["member_task"]
    sweepable = [
        name for name, task_entry in tasks().items() if "train-fraction" in task_entry.keys
    ]
    has_fraction = np.isfinite(fraction) & np.isin(task, sweepable)
    fractions = ties.distinct(fraction[has_fraction])[::-1]
    table = np.full((len(fractions), len(SOURCES)), -1)
    for i in np.flatnonzero(has_fraction)[
        ::-1
    ]:  # backwards, so that the first run of a fraction wins
        row = int(np.abs(fractions - fraction[i]).argmin())
        table[row, SOURCES.index(str(values["member_source"][i]))] = i
    return fractions, table


def _attrs(members: Sequence[Any], records: Sequence[Record]) -> dict[str, Any]:
    from grokviz import __version__

    runs = [member for member in members if isinstance(member, Run)]
    facts = [run.facts for run in runs]
    settings = [dict(f.get("settings") or {}) for f in facts]
    shared = {
        key: value
        for key, value in (settings[0] if settings else {}).items()
        if all(values.get(key) == value for values in settings)
    }
    sums = [run.checksum for run in runs] or [_digest(record) for record in records]
    return {
        "title": f"Analysis of {len(records)} runs",
        "run_name": f"{len(records)} runs",
        "run_checksum": hashlib.sha256("".join(sums).encode()).hexdigest(),
        "recipe": _common(str(f.get("recipe") or "") for f in facts),
        "task": _common(str(record["member_task"]) for record in records),
        "counts": _common(str(f.get("counts") or "epoch") for f in facts) or "update",
        "settings": json.dumps(shared, sort_keys=True, default=str),
        "command": "",
        "grokviz_version": __version__,
    }


def _common(texts: Iterable[str]) -> str:
    """The text that all have in common, or ""."""
    distinct = set(texts)
    return distinct.pop() if len(distinct) == 1 else ""
