"""The grid of a sweep, and its members: one run for every combination of values."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grokviz.errors import InputError
from grokviz.options import canonical, json_values, show, word
from grokviz.task import Recipe

MOST_MEMBERS = 10_000

Grid = dict[str, list[Any]]
"""The values of each key that varies, in the order given."""


@dataclass(frozen=True)
class Member:
    """One run of a sweep, with its settings.

    Attributes:
        number: its index in the grid, from 0; the last key varies fastest.
        name: the name of its folder, such as ``train-fraction=0.3,seed=1``.
        settings: all its hyperparameters, by key.

    """

    number: int
    name: str
    settings: Mapping[str, Any]


def read_grid(texts: Sequence[str]) -> dict[str, list[str]]:
    """Parse texts such as ``("p=59,113", "seed=0,1")`` into values by key.

    Values that contain commas (``betas``, ``checkpoint-every``) are separated by
    semicolons: ``betas=0.9,0.98;0.9,0.999``. Raises :class:`InputError` for a key without
    values, an empty value, or a key given twice.
    """
    grid: dict[str, list[str]] = {}
    for text in texts:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not key or not values:
            raise InputError(f"--grid {text} has no values; write --grid KEY=VALUE,VALUE,...")
        if key in grid:
            raise InputError(f"--grid gives {key} twice; give all values in one --grid {key}=")
        items = [value.strip() for value in values.split(";" if ";" in values else ",")]
        if not all(items):
            raise InputError(f"--grid {text} has an empty value; write --grid KEY=VALUE,VALUE,...")
        grid[key] = items
    return grid


def grid_of(
    recipe: Recipe,
    values: Mapping[str, Sequence[Any]],
    seeds: int | None,
    settings: Mapping[str, Any],
) -> Grid:
    """Check the values of a grid, and add seeds 0 to ``seeds - 1`` as its last key.

    Raises :class:`InputError` for an unknown key, a value that is not allowed or given twice,
    a key that ``settings`` sets for all members, and a grid without members.
    """
    values = dict(values)
    if seeds is not None:
        if seeds < 1:
            raise InputError(f"--seeds {seeds} is not possible; give how many seeds, at least 1")
        if "seed" in values:
            raise InputError("the grid has seeds already; give either --grid seed=... or --seeds N")
        # a range has no length beyond what a processor counts to
        values["seed"] = range(min(seeds, sys.maxsize))
    if not values:
        raise InputError("a sweep needs a key that differs: give --grid KEY=VALUE,... or --seeds N")
    # before the values are read, which takes long for millions
    count = math.prod(map(len, values.values()))
    if count > MOST_MEMBERS:
        raise InputError(
            f"this grid has {count} members; give fewer values, {MOST_MEMBERS} at most"
        )
    grid = {name: _values(recipe, name, items) for name, items in values.items()}
    repeats = [name for name in grid if name in settings]
    if repeats:
        raise InputError(f"{repeats[0]} is in the grid and set for all members; give it once")
    return grid


def members_of(recipe: Recipe, grid: Grid, settings: Mapping[str, Any]) -> list[Member]:
    """Every combination of the grid's values as a run of the recipe."""
    members = []
    for number, values in enumerate(itertools.product(*grid.values())):
        point = dict(zip(grid, values, strict=True))
        name = ",".join(f"{key}={word(value)}" for key, value in point.items())
        members.append(Member(number, name, json_values(recipe.read({**settings, **point}))))
    return members


def grid_text(grid: Grid) -> str:
    """A grid as typed on the command line, for messages."""
    parts = []
    for name, values in grid.items():
        texts = [word(value) for value in values]
        mark = ";" if any("," in word for word in texts) else ","
        parts.append(f"{name}={mark.join(texts)}")
    return " ".join(parts)


def _values(recipe: Recipe, name: str, raw: Sequence[Any]) -> list[Any]:
    if isinstance(raw, str) or not len(raw):
        raise InputError(f"the grid's {name} has no values; give a list of at least one")
    recipe.read({name: raw[0]})  # so that an unknown key raises the same error as in a recipe
    key = recipe.keys[name]
    values = [key.value(value) for value in raw]
    for i, value in enumerate(values):
        if value in values[:i]:
            raise InputError(f"the grid gives {name}={show(value)} twice; give each value once")
    return canonical({name: values})[name]  # type: ignore[no-any-return]
