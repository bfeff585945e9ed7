"""Directions of a matrix through training: which of them rise, and which are left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    import xarray as xr

FEWER = 0.5
"""A matrix gives up directions where its effective rank comes down to this share of the first."""

RISES = 10.0
"""A direction rises out of a matrix whose singular value ends at so many times its first."""

SMALL = 0.1
"""A singular value is small up to this share of the largest."""

LEFT = 0.2
"""A direction is left whose singular value is more than this share of the largest."""

SEVERAL = 3
APART = 2.0
"""So many directions rise in turn where the last takes so many times as long as the first."""

FEW = 6
"""Up to so many directions are drawn brighter than all others."""


def rising_in_turn(data: xr.Dataset, place: int) -> np.ndarray:
    """When directions of a matrix are half way up, of several that rise at times of their own."""
    values = data["singular_value"].values[:, place].astype(float)
    half = half_risen(values, data["field_epoch"].values)
    apart = len(half) >= SEVERAL and half.max() >= APART * half.min()
    return half if apart else half[:0]


def half_risen(
    values: Float[np.ndarray, "moment number"], clock: np.ndarray
) -> Float[np.ndarray, " riser"]:
    """When each singular value that rises is half way from its first to its last; the first time.

    A value rises that ends at :data:`RISES` times its first, and is not small beside the largest.
    """
    values = values[:, np.isfinite(values).all(axis=0)]
    if not values.size:
        return np.zeros(0)
    first, last = values[0], values[-1]
    rising = (last >= RISES * first) & (last >= SMALL * last.max())
    middle = (first + last) / 2
    past = (values >= middle)[:, rising].argmax(axis=0)
    return clock[past].astype(float)


def rank_change(ranks: np.ndarray) -> float:
    """By how much a rank has grown, as a logarithm; 0 where it is not known twice."""
    ends = rank_ends(ranks)
    return 0.0 if ends is None else float(np.log(ends[1] / ends[0]))


def rank_ends(ranks: np.ndarray) -> tuple[float, float] | None:
    """A rank where it is first known and last; None where it is not known twice."""
    known = ranks[np.isfinite(ranks)]
    return (float(known[0]), float(known[-1])) if len(known) > 1 else None


def directions_left(data: xr.Dataset, place: int) -> int:
    """How many singular values are not small beside the largest in the end."""
    values = known_values(data, place)
    last = values[np.isfinite(values).any(axis=1)][-1]
    return int((last > LEFT * np.nanmax(last)).sum())


def bright_ones(data: xr.Dataset, place: int) -> int:
    """How many of them are drawn brighter than all others: those left of a rank that halves."""
    ends = rank_ends(data["effective_rank"].values[:, place])
    left = directions_left(data, place)
    return left if left <= FEW and ends is not None and ends[1] <= FEWER * ends[0] else 0


def known_values(data: xr.Dataset, place: int) -> np.ndarray:
    """The singular values of a matrix that there are, at each moment."""
    values = data["singular_value"].values[:, place].astype(float)
    known: np.ndarray = values[:, np.isfinite(values).any(axis=0)]
    return known
