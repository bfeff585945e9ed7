"""The entries of matrices along training, as many as can be seen."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import RunView
from grokviz.dataset.contract import Storage, dimension, measure
from grokviz.tasks.any import spectra
from grokviz.tasks.any.norms import weight_names

MOMENTS = 33
"""At most so many checkpoints, of those of the large variables."""

SIDE = 64
"""At most so many rows and columns of a matrix, evenly spread; fewer where matrices are many."""

FEWEST = 24
NUMBERS = 1 << 22
"""About so many entries of all matrices at all checkpoints."""

UNFOLDING = "doi.org/10.1137/090752286, of the unfolding"


@dimension
def watched_epoch(run: RunView) -> Int[np.ndarray, " watched_epoch"]:
    """Epochs at which the entries of matrices are watched."""
    epochs = run.field_epochs
    every = -(-max(len(epochs) - 1, 1) // (MOMENTS - 1))
    # the last one is there, and the first
    return np.unique(np.concatenate([epochs[:1], epochs[::-1][::every]]))


@dimension
def watched_matrix(run: RunView) -> list[str]:
    """Name of a tensor that is a matrix, or can be read as one."""
    return [*_sizes(run)]


@dimension
def matrix_row(run: RunView) -> Int[np.ndarray, " matrix_row"]:
    """Number of a row among those that are watched, which are evenly spread."""
    return np.arange(_side(run))


@dimension
def matrix_column(run: RunView) -> Int[np.ndarray, " matrix_column"]:
    """Number of a column among those that are watched, which are evenly spread."""
    return np.arange(_side(run))


@dimension
def matrix_side(run: RunView) -> list[str]:
    """Sides of a matrix."""
    return ["rows", "columns"]


@measure("watched_epoch", "watched_matrix", "matrix_row", "matrix_column", on="series",
         stored=Storage(bits=5), source=UNFOLDING, long_name="entry of a matrix")  # fmt: skip
def matrix_entry(run: RunView) -> Float[np.ndarray, "watched_epoch matrix row column"]:
    """Entries of evenly spread rows and columns of each tensor as a matrix, whose rows are along
    its leading dimensions and whose shorter side is as long as it can be; NaN past the last.
    """
    names, epochs, side = watched_matrix(run), watched_epoch(run), _side(run)
    values = np.full((len(epochs), len(names), side, side), np.nan, dtype=np.float32)
    for place, name in enumerate(names):
        for moment, (_, arrays) in enumerate(run.run.iter_weights(epochs, [name])):
            matrix = spectra.unfolding(arrays[name])
            if matrix is not None:
                rows, columns = (spread(n, side) for n in matrix.shape)
                seen = matrix[np.ix_(rows, columns)]
                values[moment, place, : len(rows), : len(columns)] = seen
    return values


@measure("watched_matrix", "matrix_side", on="series", source=UNFOLDING,
         long_name="rows and columns of a matrix")  # fmt: skip
def matrix_size(run: RunView) -> Float[np.ndarray, "matrix 2"]:
    """Number of rows and columns of each tensor as a matrix, those that are not watched too."""
    return np.array([*_sizes(run).values()], dtype=float).reshape(-1, 2)


def spread(count: int, most: int) -> Int[np.ndarray, " some"]:
    """At most so many places of a side, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _side(run: RunView) -> int:
    """How many rows and columns of a matrix are watched."""
    sizes = _sizes(run)
    longest = max(map(max, sizes.values()), default=0)
    room = math.isqrt(NUMBERS // max(len(sizes) * len(watched_epoch(run)), 1))
    return min(longest, max(FEWEST, min(SIDE, room)))


def _sizes(run: RunView) -> dict[str, tuple[int, ...]]:
    """The rows and columns of each tensor that can be read as a matrix."""
    state = run.last.state
    matrices = {name: spectra.unfolding(state[name]) for name in weight_names(state)}
    return {name: one.shape for name, one in matrices.items() if one is not None}
