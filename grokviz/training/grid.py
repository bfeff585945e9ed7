"""The members of a sweep: every combination of a grid's values, each an ordinary run's settings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grokviz.errors import InputError
from grokviz.options import canonical, json_values, show, word
from grokviz.task import Recipe

MOST_MEMBERS = 10_000

Grid = dict[str, list[Any]]
"""The values of each key that differs, in the order in which they were given."""


@dataclass(frozen=True)
class Member:
    """One run of a sweep.

    Attributes:
        number: its place in the grid, from 0; the last key varies fastest.
        name: the name of its folder, such as ``train-fraction=0.3,seed=1``.
        settings: all its hyperparameters, by key.

    """

    number: int
    name: str
    settings: Mapping[str, Any]


def read_grid(texts: Sequence[str]) -> dict[str, list[str]]:
    """``("p=59,113", "seed=0,1")`` as a mapping.

    Values that hold commas themselves (``betas``, ``checkpoint-every``) are parted by
    semicolons: ``betas=0.9,0.98;0.9,0.999``. Raises :class:`InputError` for a key without
    values, an empty value, or a key given twice.
    """
    grid: dict[str, list[str]] = {}
    for text in texts:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not key or not values:
            raise InputError(f"--grid {text} has no values; write --grid KEY=VALUE,VALUE,...")
        if key in grid:
            raise InputError(f"--grid gives {key} twice; write its values after one --grid {key}=")
        items = [value.strip() for value in values.split(";" if ";" in values else ",")]
        if not all(items):
            raise InputError(f"--grid {text} has an empty value; write --grid KEY=VALUE,VALUE,...")
        grid[key] = items
    return grid


def grid_of(
    recipe: Recipe,
    wanted: Mapping[str, Sequence[Any]],
    seeds: int | None,
    settings: Mapping[str, Any],
) -> Grid:
    """The checked values of a grid, with seeds 0 to ``seeds - 1`` as its last key.

    Raises :class:`InputError` for an unknown key, a value that is not allowed or given twice,
    a key that ``settings`` sets for all members, and a grid without members.
    """
    wanted = dict(wanted)
    if seeds is not None:
        if seeds < 1:
            raise InputError(f"--seeds {seeds} is not possible; give how many seeds, at least 1")
        if "seed" in wanted:
            raise InputError("the grid has seeds already; give either --grid seed=... or --seeds N")
        wanted["seed"] = range(seeds)
    if not wanted:
        raise InputError("a sweep needs a key that differs: give --grid KEY=VALUE,... or --seeds N")
    grid = {name: _values(recipe, name, given) for name, given in wanted.items()}
    both = [name for name in grid if name in settings]
    if both:
        raise InputError(f"{both[0]} is in the grid and set for all members; give it only once")
    count = math.prod(map(len, grid.values()))
    if count > MOST_MEMBERS:
        raise InputError(
            f"this grid has {count} members; give fewer values, {MOST_MEMBERS} at most"
        )
    return grid


def members_of(recipe: Recipe, grid: Grid, settings: Mapping[str, Any]) -> list[Member]:
    """Every combination of the grid's values as a run of the recipe."""
    members = []
    for number, values in enumerate(itertools.product(*grid.values())):
        point = dict(zip(grid, values, strict=True))
        name = ",".join(f"{key}={word(value)}" for key, value in point.items())
        members.append(Member(number, name, json_values(recipe.read({**settings, **point}))))
    return members


def written(grid: Grid) -> str:
    """A grid as it would be given on the command line, for sentences."""
    parts = []
    for name, values in grid.items():
        words = [word(value) for value in values]
        mark = ";" if any("," in word for word in words) else ","
        parts.append(f"{name}={mark.join(words)}")
    return " ".join(parts)


def _values(recipe: Recipe, name: str, given: Sequence[Any]) -> list[Any]:
    if isinstance(given, str) or not len(given):
        raise InputError(f"the grid's {name} has no values; give a list of at least one")
    recipe.read({name: given[0]})  # an unknown key is answered as the recipe answers it
    key = recipe.keys[name]
    values = [key.value(value) for value in given]
    for i, value in enumerate(values):
        if value in values[:i]:
            raise InputError(f"the grid gives {name}={show(value)} twice; give each value once")
    return canonical({name: values})[name]  # type: ignore[no-any-return]
