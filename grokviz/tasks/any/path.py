"""The path of the weights: "it is NOT a random walk" (the thread).

All measures follow from the inner products of the steps between checkpoints, so the weights
can be processed one parameter, or one slice, at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics import ties

COLUMNS_AT_ONCE = 1 << 15


@dataclass(frozen=True, eq=False)
class Path:
    """A path through weight space, in the weights' unit."""

    step_length: Float[np.ndarray, " step"]
    """Distance between successive checkpoints."""
    displacement: Float[np.ndarray, " checkpoint"]
    """Distance from the first checkpoint."""
    cosine: Float[np.ndarray, " turn"]
    """Cosine between successive steps; NaN beside a step of length 0."""
    coordinates: Float[np.ndarray, "checkpoint 2"]
    """The path in the plane of its two first principal components, from the first checkpoint."""

    @property
    def travelled(self) -> Float[np.ndarray, " checkpoint"]:
        """Length of the path up to each checkpoint."""
        return np.concatenate([[0.0], np.cumsum(self.step_length)])


def step_products(
    parameters: Iterable[Float[np.ndarray, "checkpoint ..."]],
) -> Float[np.ndarray, "step step"]:
    """Inner products of the steps between checkpoints, summed over ``parameters``.

    Each is one parameter (or a slice of one) at all checkpoints. Sums are in float64; memory is
    that of one parameter and a slice.
    """
    products: np.ndarray | None = None
    for parameter in parameters:
        flat = parameter.reshape(len(parameter), -1)
        if products is None:
            products = np.zeros((len(flat) - 1, len(flat) - 1))
        for start in range(0, flat.shape[1], COLUMNS_AT_ONCE):
            part = flat[:, start : start + COLUMNS_AT_ONCE].astype(np.float64)
            steps = np.diff(part, axis=0)
            products += steps @ steps.T
    return np.zeros((0, 0)) if products is None else products


def path(products: Float[np.ndarray, "step step"]) -> Path:
    """Measures of a path from the inner products of its steps."""
    steps = len(products)
    length = np.sqrt(np.maximum(np.diag(products), 0))
    # Row t of this matrix sums the first t steps, which gives the position of checkpoint t.
    reach = np.tril(np.ones((steps + 1, steps)), -1)
    position = reach @ products @ reach.T
    both = length[:-1] * length[1:]
    turn = np.diag(products, 1) if steps > 1 else np.zeros(0)
    cosine = np.divide(turn, both, out=np.full(len(both), np.nan), where=both > 0)
    return Path(
        step_length=length,
        displacement=np.sqrt(np.maximum(np.diag(position), 0)),
        cosine=cosine,
        coordinates=_plane(position),
    )


def random_walk_products(
    lengths: Float[np.ndarray, " step"], dimensions: int, rng: np.random.Generator
) -> Float[np.ndarray, "step step"]:
    """Inner products of steps of the given lengths in independent uniform directions.

    For comparison with :func:`path`: a random walk in as many dimensions as the model has
    weights, sampled with ``rng``.
    """
    products = np.zeros((len(lengths), len(lengths)))
    for start in range(0, dimensions, COLUMNS_AT_ONCE):
        width = min(COLUMNS_AT_ONCE, dimensions - start)
        steps = rng.standard_normal((len(lengths), width))
        products += steps @ steps.T
    scale = lengths / np.sqrt(np.diag(products))
    scaled: Float[np.ndarray, "step step"] = products * scale * scale[:, None]
    return scaled


def _plane(position: Float[np.ndarray, "checkpoint checkpoint"]) -> np.ndarray:
    """Two principal coordinates from inner products of positions, the first at the origin.

    A coordinate along which the path extends only by rounding is 0. Of axes that tie, the first is
    that of the path's end. The sign of an axis is arbitrary, so the path ends at the upper right,
    or has its farthest point there if it ends where it began.
    """
    middle = np.eye(len(position)) - 1 / len(position)
    values, vectors = np.linalg.eigh(middle @ position @ middle)
    values, vectors = values[::-1], vectors[:, ::-1]
    there = values > ties.ROUNDING * np.abs(values).max()
    values, vectors = values[there], vectors[:, there]
    two = np.zeros((len(position), 2))
    axes = _break_ties(values, vectors)[:, :2]
    two[:, : axes.shape[1]] = axes * np.sqrt(values[:2])
    two -= two[0]
    for axis in two.T:
        far = np.abs(axis).max()
        end = axis[-1] if abs(axis[-1]) > ties.PRECISION * far else _farthest(axis)
        axis *= -1 if end < 0 else 1
    return two


def _farthest(axis: Float[np.ndarray, " checkpoint"]) -> float:
    return float(axis[ties.first_largest(np.abs(axis))])


def _break_ties(
    values: Float[np.ndarray, " axis"], vectors: Float[np.ndarray, "checkpoint axis"]
) -> Float[np.ndarray, "checkpoint axis"]:
    """Rotate eigenvectors of equal eigenvalues, so that they are the same on every machine.

    Axes within a space of equal eigenvalues are arbitrary; they are taken along its checkpoints,
    from the last one back.
    """
    ends = np.flatnonzero(values[:-1] - values[1:] > ties.PRECISION * values[:-1]) + 1
    rotated = vectors.copy()
    for columns in np.split(np.arange(len(values)), ends):
        if len(columns) > 1:
            space = vectors[:, columns]
            rotated[:, columns] = space @ _axes_of_rows(space[::-1])
    return rotated


def _axes_of_rows(rows: Float[np.ndarray, "row axis"]) -> Float[np.ndarray, "axis axis"]:
    """Orthonormal axes, as columns, along the first linearly independent rows."""
    axes = np.zeros((rows.shape[1], 0))
    for row in rows:
        rest = row - axes @ (axes.T @ row)
        size = np.linalg.norm(rest)
        if size > ties.PRECISION * np.abs(rows).max():
            axes = np.column_stack([axes, rest / size])
        if axes.shape[1] == rows.shape[1]:
            break
    return axes
