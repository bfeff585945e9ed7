"""Maxima, orders and thresholds of computed numbers that may tie.

The last digits of a sum depend on the order of summation, and so on the processor. If two numbers
are mathematically equal, a plain ``argmax``, ``argsort`` or ``>=`` therefore depends on rounding
errors and differs between machines. These functions give the same result everywhere: numbers
closer to each other than a given share of the larger one are equal.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int, Num

ROUNDING = 1e-10
"""Relative difference within which float64 numbers from the same weights agree everywhere."""

PRECISION = 1e-6
"""Relative difference within which float32 numbers, such as the weights, agree."""

NONE = -1
"""The index that means no entry."""


def leader(
    values: Num[np.ndarray, " ..."], axis: int = 0, relative: float = PRECISION
) -> Int[np.ndarray, " ..."]:
    """Index of the largest entry along an axis; -1 if it does not stand out.

    It stands out if it exceeds the second by more than ``relative`` times its own size; a single
    entry stands out if it is above 0. Entries must not be negative.
    """
    moved = np.moveaxis(np.asarray(values), axis, -1)
    if moved.shape[-1] == 0:
        return np.full(moved.shape[:-1], NONE)
    best = moved.argmax(axis=-1)
    ordered = np.sort(moved, axis=-1)
    largest = ordered[..., -1]
    second = ordered[..., -2] if moved.shape[-1] > 1 else np.zeros_like(largest)
    return np.where(largest - second > relative * largest, best, NONE)


def first_largest(values: Num[np.ndarray, " entry"], relative: float = PRECISION) -> int:
    """Index of the largest entry, the first of those that tie.

    Use it where one must be shown; :func:`leader` detects that none stands out.
    """
    largest = np.max(values)
    tie = relative * abs(largest) if np.isfinite(largest) else 0
    return int(np.argmax(values >= largest - tie))


def ordered(
    values: Num[np.ndarray, " entry"], relative: float = PRECISION
) -> Int[np.ndarray, " entry"]:
    """Indices from the largest entry to the smallest; ties keep their original order.

    Neighbouring entries tie if they differ by less than ``relative`` of their size. NaN is last.
    """
    values = np.asarray(values)
    order = np.argsort(-values, kind="stable")
    descending = values[order]
    upper, lower = descending[:-1], descending[1:]
    with np.errstate(invalid="ignore"):  # between infinities
        is_close = upper - lower <= relative * np.maximum(np.abs(upper), np.abs(lower))
    apart = (upper != lower) & ~(is_close & np.isfinite(upper) & np.isfinite(lower))
    group = np.concatenate([[0], np.cumsum(apart)])[: len(order)]
    indices: Int[np.ndarray, " entry"] = order[np.lexsort((order, group))]
    return indices


def ranks(
    values: Num[np.ndarray, " entry"], relative: float = PRECISION
) -> Int[np.ndarray, " entry"]:
    """Rank of each entry in :func:`ordered`, for use as one of several sort keys."""
    order = ordered(values, relative)
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    return rank


def distinct(
    values: Num[np.ndarray, " entry"], relative: float = PRECISION
) -> Num[np.ndarray, " different"]:
    """The distinct values, ascending; of values that tie, the smallest."""
    ascending = np.unique(values)
    size = np.maximum(np.abs(ascending[:-1]), np.abs(ascending[1:]))
    is_new = np.concatenate([[True], np.diff(ascending) > relative * size])[: len(ascending)]
    different: Num[np.ndarray, " different"] = ascending[is_new]
    return different


def reaches(
    values: Float[np.ndarray, " ..."], level: float, relative: float = ROUNDING
) -> Bool[np.ndarray, " ..."]:
    """Whether values are at least ``level``, up to rounding."""
    return np.asarray(values) >= level - relative * abs(level)


def exceeds(
    values: Float[np.ndarray, " ..."], level: float, relative: float = ROUNDING
) -> Bool[np.ndarray, " ..."]:
    """Whether values exceed ``level`` by more than rounding."""
    return np.asarray(values) > level + relative * abs(level)


def span(vectors: Float[np.ndarray, "m n"], relative: float = ROUNDING) -> Float[np.ndarray, "m k"]:
    """An orthonormal basis of the columns' span, without directions that are only rounding.

    If columns are linearly dependent, a QR decomposition would add arbitrary directions.
    """
    axes, triangle = np.linalg.qr(vectors)
    size = np.abs(np.diag(triangle))
    if size.size == vectors.shape[1] and (size > relative * np.linalg.norm(vectors)).all():
        return axes
    left, values, _ = np.linalg.svd(vectors, full_matrices=False)
    basis: Float[np.ndarray, "m k"] = left[:, values > relative * np.linalg.norm(vectors)]
    return basis
