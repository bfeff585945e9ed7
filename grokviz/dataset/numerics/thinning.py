"""Thinning of long curves to the lowest and highest value of each of many intervals."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def extreme_indices(
    epochs: Int[np.ndarray, " logged"], values: Float[np.ndarray, " logged"], most: int
) -> Int[np.ndarray, " kept"]:
    """Indices of at most ``most`` records that draw the same curve, in order.

    Half of the intervals have equal length and half grow with time, so that the curve is accurate
    on linear and logarithmic axes. The records with the lowest and highest value of each are
    kept, so spikes are too, and the curve's first and last record. NaN counts as high.
    """
    if len(epochs) <= most:
        return np.arange(len(epochs))
    elapsed = (epochs - epochs[0]).astype(float)
    sortable = np.where(np.isnan(values), np.inf, values)
    bins = (most - 2) // 4
    extremes = [
        _extremes(np.minimum((position * bins).astype(int), bins - 1), sortable)
        for position in (elapsed / elapsed[-1], np.log1p(elapsed) / np.log1p(elapsed[-1]))
    ]
    return np.unique(np.concatenate([*extremes, [0, len(epochs) - 1]]))


def _extremes(
    stretch: Int[np.ndarray, " logged"], values: Float[np.ndarray, " logged"]
) -> Int[np.ndarray, " kept"]:
    """The first record with the lowest value of each interval, and the last with the highest."""
    order = np.lexsort((values, stretch))
    sorted_stretches = stretch[order]
    starts = np.flatnonzero(np.diff(sorted_stretches, prepend=-1))
    ends = np.append(starts[1:], len(order)) - 1
    return np.concatenate([order[starts], order[ends]])
