"""The labelled dataset: every variable that analysis makes and scenes read, in one table.

A dataset is an ``xarray.Dataset``. It has two clocks: ``epoch`` (every checkpoint analysed)
for what is small, ``field_epoch`` (about a hundred of them, denser around grokking) for what
is large. Fields over pairs of inputs are not stored: a task's accessors rebuild them exactly.

To add a variable: a row in the table of its task (of every run: :mod:`grokviz.dataset.variables`;
of several runs: :mod:`grokviz.dataset.families.family_variables`), and its value in the part
that makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from grokviz import task
from grokviz.dataset.families import family_variables
from grokviz.dataset.variables import PAPER, Variable
from grokviz.errors import InputError, nearest, pick

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "PAPER",
    "Variable",
    "check",
    "describe",
    "dimensions",
    "parts_of",
    "variable",
    "variables",
]

CLOCKS: Mapping[str, str] = {
    "epoch": "number of updates before the checkpoint",
    "field_epoch": "epochs of the large variables",
}


_ROWS: dict[tuple[int, ...], tuple[list[task.Task], dict[str, Variable]]] = {}


def variables() -> dict[str, Variable]:
    """Every row of the table by name: those of every run, of each task, of families."""
    tables = [task.any_task(), *task.tasks().values()]
    key = tuple(map(id, tables))
    if key not in _ROWS:
        rows = (row for one in tables for row in one.load("variables"))
        _ROWS[key] = tables, {row.name: row for row in (*rows, *family_variables.ROWS)}
    return _ROWS[key][1]


def dimensions() -> dict[str, str]:
    """The meaning of each dimension, by name."""
    meanings = dict(CLOCKS)
    for one in (task.any_task(), *task.tasks().values()):
        meanings |= one.load("dimensions")
    return meanings | family_variables.DIMENSIONS


def variable(name: str, rows: Mapping[str, Variable] | None = None) -> Variable:
    """The row of the table for ``name``, or an ``InputError`` naming the nearest one.

    ``rows`` is the table, where it was looked up already.
    """
    return pick(variables() if rows is None else rows, "dataset variable", name)


def parts_of(names: Iterable[str]) -> list[str]:
    """The parts that make these variables, in a fixed order."""
    wanted = {variable(name).part for name in names}
    known = dict.fromkeys(row.part for row in variables().values())
    return [part for part in known if part in wanted]


def check(data: xr.Dataset, names: Iterable[str]) -> None:
    """Raise InputError unless ``data`` holds these variables with their dimensions.

    Made for a dataset that somebody built by hand as much as for our own: a variable of its own
    has the dimensions that it has there.
    """
    rows, meanings = variables(), dimensions()
    for name in names:
        row = rows.get(name)
        if name not in data:
            if row is None:
                known = [*map(str, data.data_vars), *rows]
                raise InputError(
                    f"the dataset has no {name}, and nothing here makes it: {nearest(name, known)}"
                )
            raise InputError(
                f"the dataset has no {name} ({row.long_name}, over {', '.join(row.dims)}); "
                "it is made by analysing a run of a task that has it"
            )
        dims = tuple(map(str, data[name].dims))
        if row is not None and dims != row.dims:
            raise InputError(
                f"{name} runs over ({', '.join(dims)}) and should run over "
                f"({', '.join(row.dims)}); transpose or rename its dimensions"
            )
        for dim in dims:
            if dim not in data.coords:
                meaning = meanings.get(dim, "add it to the dataset")
                raise InputError(f"{name} needs the coordinate {dim}: {meaning}")


def describe(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Dimensions, unit, definition and source of these variables, as plain data."""
    rows = (variable(name) for name in names)
    return {row.name: {"dims": list(row.dims), **row.attrs} for row in rows}
