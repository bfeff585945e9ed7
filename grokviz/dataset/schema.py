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

from grokviz.dataset import task_variables, variables
from grokviz.dataset.families import family_variables
from grokviz.dataset.variables import PAPER, Variable
from grokviz.errors import InputError, nearest
from grokviz.tasks.modular_addition import algorithm_variables

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "DIMENSIONS",
    "PAPER",
    "VARIABLES",
    "Variable",
    "check",
    "describe",
    "parts_of",
    "variable",
]

DIMENSIONS: Mapping[str, str] = {
    "epoch": "number of updates before the checkpoint",
    "field_epoch": "epochs of the large variables",
    "logged_epoch": "epochs at which the training loss was logged",
    "tested_epoch": "epochs at which the test loss was logged",
    "phase": "phases of training, in order",
    "split": "which pairs: train, test or all",
    "component": "rows of the Fourier basis over the residues: Const, cos 1, sin 1, ...",
    "frequency": "whole turns of a wave over the p residues",
    "embedded_frequency": "frequencies that stand out in the last checkpoint's embedding",
    "residue": "the numbers 0 to p - 1",
    "dimension": "directions of the residual stream, in the order of the weights",
    "axis": "the cosine and the sine axis of a frequency's plane",
    "rank": "singular values, the largest first",
    "parameter": "names in the published state dictionaries",
    "head": "attention heads",
    "row": "what a head can attend to: each number as a, each number as b, and '='",
    "neuron": "numbers of the chosen MLP neurons",
    "all_neuron": "numbers of all MLP neurons",
    "key_frequency": "frequencies that the trained model computes with",
    "key_component": "cosine and sine of each key frequency, as rows of the Fourier basis",
    "component_b": "rows of the Fourier basis over b, as component is over a",
    "position": "what '=' attends to: a, b, or itself",
    "extreme": "smallest, mean and largest over the pairs",
    "ablation": "what was taken away from the last checkpoint, by a short name",
    "path_epoch": "evenly spaced epochs along the path of the weights",
    "principal_axis": "principal axes of the path of the weights, the widest first",
    "event": "what happened to the losses, by name",
    "spike": "leaps of the training loss, numbered from 1",
    "layer": "attention layers, numbered from 0",
    "shown_head": "the best previous-token head and the best induction head",
    "query": "positions of a sequence that attend",
    "key": "positions of a sequence that are attended to",
    "member": "runs of a family, numbered from 0",
    "point": "points of each run's own thinned curve, in the order of time",
    "source": "where runs come from: ours, published or other",
    "fraction": "share of all pairs trained on, the largest first",
    "piece": "single phase changes, numbered from 0",
    "step": "updates, on a clock that all phase changes share",
    "count": "number of phase changes averaged",
    "x": "the larger of two logits, the other being 0",
    "precision": "dtype of the arithmetic",
    "classes": "number of classes",
    "gap": "lead of the right logit over all others",
    "digit": "digits of the answer, the most significant (the carry) first",
}

VARIABLES: dict[str, Variable] = {
    row.name: row
    for rows in (variables, algorithm_variables, task_variables, family_variables)
    for row in rows.ROWS
}


def variable(name: str) -> Variable:
    """The row of the table for ``name``, or an ``InputError`` naming the nearest one."""
    if name not in VARIABLES:
        raise InputError(f"there is no dataset variable {name}: {nearest(name, list(VARIABLES))}")
    return VARIABLES[name]


def parts_of(names: Iterable[str]) -> list[str]:
    """The parts that make these variables, in a fixed order."""
    wanted = {variable(name).part for name in names}
    return [part for part in dict.fromkeys(v.part for v in VARIABLES.values()) if part in wanted]


def check(data: xr.Dataset, names: Iterable[str]) -> None:
    """Whether ``data`` holds these variables with their dimensions; else one sentence saying not.

    Made for a dataset that somebody built by hand as much as for our own.
    """
    for name in names:
        wanted = variable(name)
        if name not in data:
            raise InputError(
                f"the dataset has no {name} ({wanted.long_name}, over {', '.join(wanted.dims)}); "
                "it is made by analysing a run of a task that has it"
            )
        if tuple(data[name].dims) != wanted.dims:
            raise InputError(
                f"{name} runs over ({', '.join(map(str, data[name].dims))}) and should run over "
                f"({', '.join(wanted.dims)}); transpose or rename its dimensions"
            )
        for dim in wanted.dims:
            if dim not in data.coords:
                raise InputError(f"{name} needs the coordinate {dim}: {DIMENSIONS[dim]}")


def describe(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Dimensions, unit, definition and source of these variables, as plain data."""
    rows = (variable(name) for name in names)
    return {row.name: {"dims": list(row.dims), **row.attrs} for row in rows}
