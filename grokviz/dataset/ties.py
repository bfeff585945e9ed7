"""The largest, the order and the threshold among computed numbers that can tie.

The same sum differs in its last digits from one processor to another, by the order in which it
is added up. Where two numbers are equal in truth, a plain ``argmax``, ``argsort`` or ``>=``
therefore answers by rounding error, and otherwise on another machine. What picks, ranks or
compares computed numbers asks here, and gets the same answer everywhere: numbers that are
nearer to each other than a stated share of the larger are equal.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int, Num

ROUNDING = 1e-10
"""Share within which float64 numbers computed from the same weights agree on every machine."""

PRECISION = 1e-6
"""Share within which float32 numbers agree, and so all that only the weights' digits decide."""

NONE = -1
"""The index of an entry that is not there."""


def leader(
    values: Num[np.ndarray, " ..."], axis: int = 0, relative: float = PRECISION
) -> Int[np.ndarray, " ..."]:
    """Index of the largest entry along an axis, and -1 where none stands out.

    The largest stands out if it leads the second by more than ``relative`` of its own size; an
    entry without a second stands out if it is above 0. Entries are not negative.
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
    """Index of the largest entry; of several that tie, the first.

    For where one has to be shown: :func:`leader` says when there is none.
    """
    largest = np.max(values)
    tie = relative * abs(largest) if np.isfinite(largest) else 0
    return int(np.argmax(values >= largest - tie))


def ordered(
    values: Num[np.ndarray, " entry"], relative: float = PRECISION
) -> Int[np.ndarray, " entry"]:
    """Indices from the largest entry to the smallest; those that tie stay in their own order.

    Entries tie that are joined by neighbours nearer than ``relative`` of their size. NaN is last.
    """
    values = np.asarray(values)
    order = np.argsort(-values, kind="stable")
    falling = values[order]
    one, next_one = falling[:-1], falling[1:]
    with np.errstate(invalid="ignore"):  # between infinities
        near = one - next_one <= relative * np.maximum(np.abs(one), np.abs(next_one))
    apart = (one != next_one) & ~(near & np.isfinite(one) & np.isfinite(next_one))
    group = np.concatenate([[0], np.cumsum(apart)])[: len(order)]
    indices: Int[np.ndarray, " entry"] = order[np.lexsort((order, group))]
    return indices


def ranks(
    values: Num[np.ndarray, " entry"], relative: float = PRECISION
) -> Int[np.ndarray, " entry"]:
    """Place of each entry in :func:`ordered`, to sort by it among other things."""
    order = ordered(values, relative)
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    return place


def distinct(
    values: Num[np.ndarray, " entry"], relative: float = PRECISION
) -> Num[np.ndarray, " different"]:
    """The different values, ascending; of several that tie, the smallest."""
    rising = np.unique(values)
    size = np.maximum(np.abs(rising[:-1]), np.abs(rising[1:]))
    new = np.concatenate([[True], np.diff(rising) > relative * size])[: len(rising)]
    different: Num[np.ndarray, " different"] = rising[new]
    return different


def reaches(
    values: Float[np.ndarray, " ..."], level: float, relative: float = ROUNDING
) -> Bool[np.ndarray, " ..."]:
    """Whether values are at a level or above it, or below it by rounding alone."""
    return np.asarray(values) >= level - relative * abs(level)


def exceeds(
    values: Float[np.ndarray, " ..."], level: float, relative: float = ROUNDING
) -> Bool[np.ndarray, " ..."]:
    """Whether values are above a level by more than rounding."""
    return np.asarray(values) > level + relative * abs(level)


def span(vectors: Float[np.ndarray, "m n"], relative: float = ROUNDING) -> Float[np.ndarray, "m k"]:
    """Orthonormal axes of what the columns span, without directions that are rounding alone.

    Where columns depend on one another, a QR decomposition fills up with arbitrary directions.
    """
    axes, triangle = np.linalg.qr(vectors)
    size = np.abs(np.diag(triangle))
    if size.size == vectors.shape[1] and (size > relative * np.linalg.norm(vectors)).all():
        return axes
    left, values, _ = np.linalg.svd(vectors, full_matrices=False)
    basis: Float[np.ndarray, "m k"] = left[:, values > relative * np.linalg.norm(vectors)]
    return basis
