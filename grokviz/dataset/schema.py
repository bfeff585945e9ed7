"""The labelled dataset: every variable that measures make and scenes read, in one table.

A dataset is an ``xarray.Dataset``. It has two clocks: ``epoch`` (every checkpoint measured) for
what is small, ``field_epoch`` (about a hundred of them, denser around grokking) for what is
large. Fields over pairs of inputs are not stored: a task's accessors rebuild them exactly.

To add a variable is to write a measure (:mod:`grokviz.dataset.contract`); families of runs have
rows of their own (:mod:`grokviz.dataset.families.family_variables`).
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz import plugins
from grokviz.dataset import table
from grokviz.dataset.families import family_variables
from grokviz.dataset.variables import PAPER, Variable
from grokviz.errors import InputError, nearest, require_entry
from grokviz.task import tasks

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "PAPER", "Variable", "check", "describe", "dimensions", "others", "rows_of", "variable",
    "variables",
]  # fmt: skip


def variables() -> dict[str, Variable]:
    """Every variable by name: those of every run, of each task, of families.

    Of two tasks' that have one name, the first; :func:`check` knows them all.
    """
    by_name: dict[str, Variable] = {}
    for row in _rows():
        by_name.setdefault(row.name, row)
    return by_name


def _rows() -> Iterable[Variable]:
    for one in table.tables():
        yield from (measure.variable for measure in one.measures.values())
    yield from family_rows().values()


def family_rows() -> dict[str, Variable]:
    """The variables of families, those of tasks' members among them, by name."""
    rows = list(family_variables.ROWS)
    for one in tasks().values():
        member = one.load("member")
        rows += member.rows if member else ()
    return {row.name: row for row in rows}


def dimensions() -> dict[str, str]:
    """The meaning of each dimension, by name."""
    meanings = dict(table.CLOCKS)
    for one in table.tables():
        for name, dimension in one.dimensions.items():
            meanings.setdefault(name, dimension.meaning)
    return meanings | family_variables.DIMENSIONS


def variable(name: str, rows: Mapping[str, Variable] | None = None) -> Variable:
    """The variable of that name, or an ``InputError`` naming the nearest one.

    ``rows`` is the table, where it was looked up already.
    """
    return require_entry(variables() if rows is None else rows, "dataset variable", name)


def rows_of(names: Iterable[str]) -> dict[str, Variable]:
    """The variables of these names, or an ``InputError``; the tables are looked up once."""
    known = variables()
    return {name: variable(name, known) for name in names}


def check(data: xr.Dataset, names: Iterable[str]) -> None:
    """Raise InputError unless ``data`` holds these variables with their dimensions.

    Made for a dataset that somebody built by hand as much as for our own: a variable that it
    describes itself has the dimensions that it has there. A name may be a coordinate's.
    """
    names = [name for name in names if not _is_vouched(data, name)]
    if not names:
        return
    known: dict[str, list[Variable]] = {}
    for row in _rows():
        known.setdefault(row.name, []).append(row)
    meanings = dimensions()
    for name in names:
        rows = known.get(name, [])
        if name not in data:
            raise InputError(_missing(data, name, rows, meanings))
        dims = tuple(map(str, data[name].dims))
        if rows and dims not in [row.dims for row in rows] and not _own(data, name, rows):
            raise InputError(
                f"{name} runs over ({', '.join(dims)}) and should run over "
                f"({', '.join(rows[0].dims)}); transpose or rename its dimensions"
            )
        for dim in dims:
            if dim not in data.coords:
                meaning = meanings.get(dim, "add it to the dataset")
                raise InputError(f"{name} needs the coordinate {dim}: {meaning}")
    vouch(data, names)


_VOUCHED: weakref.WeakValueDictionary[tuple[Any, ...], np.ndarray] = weakref.WeakValueDictionary()
"""Arrays that :func:`check` has passed, or that need no check, by name, dimensions and identity."""


def vouch(data: xr.Dataset, names: Iterable[str]) -> None:
    """Let :func:`check` pass these variables without a look at the tables of all tasks.

    For what is known to be as the tables say: what was checked, and what is bundled.
    """
    for name in names:
        array = data.variables[name].values
        _VOUCHED[name, data.variables[name].dims, id(array)] = array


def _is_vouched(data: xr.Dataset, name: str) -> bool:
    if name not in data.variables:
        return False
    variable = data.variables[name]
    if not all(dim in data.coords for dim in variable.dims):
        return False
    if variable.dims == (name,):
        return True  # a coordinate along itself, of which the tables say no more
    array = variable.values
    return _VOUCHED.get((name, variable.dims, id(array))) is array


def _own(data: xr.Dataset, name: str, rows: list[Variable]) -> bool:
    """Whether the dataset describes this variable itself, as something else than ours."""
    definition = data[name].attrs.get("definition", "")
    return bool(definition) and definition not in [row.definition for row in rows]


def others(data: xr.Dataset) -> list[str]:
    """The variables of a dataset that are not grokviz's own: what users and plug-ins measure, and
    what the dataset alone describes.
    """
    with plugins.user_code(False):
        ours = {(row.name, row.dims) for row in _rows()}
    every = ((str(name), tuple(map(str, data[name].dims))) for name in data.data_vars)
    return [name for name, dims in every if (name, dims) not in ours]


def _missing(data: xr.Dataset, name: str, rows: list[Variable], meanings: Mapping[str, str]) -> str:
    if rows:
        what = f"the dataset has no {name} ({rows[0].long_name}, over {', '.join(rows[0].dims)})"
        if name in family_rows():
            return (
                f"{what}; it is made of several runs{_of_tasks(name)}: give each by --run, or the "
                "folder of a sweep"
            )
        return f"{what}; it is made by analysing a run of a task that has it"
    if name in meanings:
        return f"the dataset has no coordinate {name}: {meanings[name]}"
    known = [*map(str, data.data_vars), *variables()]
    return f"the dataset has no {name}, and nothing here makes it: {nearest(name, known)}"


def _of_tasks(name: str) -> str:
    """The tasks whose runs have this variable in a family, in words; empty for those of any."""
    members = {task: one.load("member") for task, one in tasks().items()}
    own = [task for task, one in members.items() if one and name in {row.name for row in one.rows}]
    return f" of {' or '.join(own)}" if own else ""


def describe(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Dimensions, unit, definition and source of these variables, as plain data."""
    rows = rows_of(names).values()
    return {row.name: {"dims": list(row.dims), **row.attrs} for row in rows}
