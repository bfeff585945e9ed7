"""Every array that training recorded, as itself: all entries where they are few, else some."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import RunView
from grokviz.dataset.contract import Storage, dimension, measure, requires
from grokviz.runs import Run
from grokviz.tasks.any.measures.matrices import spread

MOST = 16
"""So many arrays, in the order of their names."""

MOMENTS = 200
"""At most so many moments, evenly spread among those at which arrays were recorded."""

ENTRIES = 1 << 15
"""At most so many entries of an array at a moment; fewer where arrays are many."""

FEWEST = 1 << 10
NUMBERS = 1 << 22
"""About so many entries of all arrays at all moments."""

DIMENSIONS = 5
"""An array of more dimensions is left out."""

SOURCE = "the training loop's own arrays"


@dataclass(frozen=True)
class Recorded:
    """An array as it was last recorded, and how much of it is in the dataset.

    Attributes:
        shape: as it was recorded.
        kept_shape: the number of places along each dimension in the dataset, evenly spread.

    """

    shape: tuple[int, ...]
    kept_shape: tuple[int, ...]


def _any_array(run: Run) -> str:
    return "" if len(run.array_epochs) else "array recorded in training (run.step(..., arrays=...))"


@dimension
def array_epoch(run: RunView) -> Int[np.ndarray, " array_epoch"]:
    """Epochs at which arrays were recorded; of very many, some that are evenly spread."""
    epochs = run.run.array_epochs
    return epochs[spread(len(epochs), MOMENTS)] if len(epochs) else epochs


@dimension
def recorded_array(run: RunView) -> list[str]:
    """Names of the arrays that training recorded."""
    return [*_recorded(run)]


@dimension
def array_place(run: RunView) -> Int[np.ndarray, " array_place"]:
    """Place of an entry among those of its array, the last dimension fastest."""
    sizes = [math.prod(one.kept_shape) for one in _recorded(run).values()]
    return np.arange(max(sizes, default=0))


@dimension
def array_axis(run: RunView) -> Int[np.ndarray, " array_axis"]:
    """Number of a dimension of an array, from 0."""
    return np.arange(DIMENSIONS)


@measure("array_epoch", "recorded_array", "array_place", on="run", source=SOURCE,
         long_name="entry of a recorded array")  # fmt: skip
@requires(_any_array)
def array_entry(run: RunView) -> Float[np.ndarray, "array_epoch array place"]:
    """Entries of each recorded array, of a large one at evenly spread places along its dimensions;
    NaN past the last, and where it was not recorded or had another shape than at last.
    """
    arrays, epochs = _recorded(run), array_epoch(run)
    values = np.full((len(epochs), len(arrays), len(array_place(run))), np.nan, dtype=np.float32)
    for row, epoch in zip(values, epochs, strict=True):
        given = run.run.arrays(int(epoch), arrays)
        for place, (name, one) in enumerate(arrays.items()):
            if name in given and given[name].shape == one.shape:
                pairs = zip(one.shape, one.kept_shape, strict=True)
                seen = given[name][np.ix_(*(spread(*pair) for pair in pairs))]
                row[place, : seen.size] = seen.ravel()
    return values


@measure("recorded_array", "array_axis", on="run", source=SOURCE, stored=Storage("int64"),
         long_name="shape of a recorded array")  # fmt: skip
@requires(_any_array)
def array_shape(run: RunView) -> Int[np.ndarray, "array axis"]:
    """Shape of each array as it was last recorded; -1 past its last dimension."""
    return _shapes([one.shape for one in _recorded(run).values()])


@measure("recorded_array", "array_axis", on="run", source=SOURCE, stored=Storage("int64"),
         long_name="places of a recorded array in the dataset")  # fmt: skip
@requires(_any_array)
def array_kept_shape(run: RunView) -> Int[np.ndarray, "array axis"]:
    """Number of places along each dimension of a recorded array whose entries are here; -1 past
    its last dimension.
    """
    return _shapes([one.kept_shape for one in _recorded(run).values()])


def fitting(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """The shape of at most ``most`` places of an array: its longest dimensions are cut first."""
    sides = [*shape]
    while math.prod(sides) > most:
        longest = max(sides)
        second = max((side for side in sides if side < longest), default=1)
        cut = sides.count(longest)
        rest = math.prod(side for side in sides if side < longest)
        room = math.floor((most / rest) ** (1 / cut) + 1e-9)
        size = max(min(max(room, second), longest - 1), 1)
        sides = [min(side, size) for side in sides]
    return tuple(sides)


def _shapes(shapes: list[tuple[int, ...]]) -> Int[np.ndarray, "array axis"]:
    rows = np.full((len(shapes), DIMENSIONS), -1)
    for row, shape in zip(rows, shapes, strict=True):
        row[: len(shape)] = shape
    return rows


def _recorded(run: RunView) -> dict[str, Recorded]:
    """The arrays by name, with the shapes in which each was recorded last."""
    if "recorded" not in run.memo:
        shapes: dict[str, tuple[int, ...]] = {}
        for epoch in array_epoch(run):
            every = run.run.array_shapes(int(epoch)).items()
            shapes |= {
                n: shape for n, shape in every if len(shape) <= DIMENSIONS and 0 not in shape
            }
        names = sorted(shapes)[:MOST]
        room = NUMBERS // max(len(names) * len(array_epoch(run)), 1)
        most = max(FEWEST, min(ENTRIES, room))
        run.memo["recorded"] = {n: Recorded(shapes[n], fitting(shapes[n], most)) for n in names}
    recorded: dict[str, Recorded] = run.memo["recorded"]
    return recorded
