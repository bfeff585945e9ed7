"""Long curves by few points: of each of many stretches the lowest and the highest value."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def thinned(
    epochs: Int[np.ndarray, " logged"], values: Float[np.ndarray, " logged"], most: int
) -> Int[np.ndarray, " kept"]:
    """Indices of at most ``most`` records that draw the same curve, in order.

    Half of the stretches are equally long and half grow with time, so that the curve is right
    on a linear and on a logarithmic axis. Of each the records with its lowest and its highest
    value are kept, spikes among them, and the curve's first and last. NaN counts as high.
    """
    if len(epochs) <= most:
        return np.arange(len(epochs))
    passed = (epochs - epochs[0]).astype(float)
    ordered = np.where(np.isnan(values), np.inf, values)
    bins = (most - 2) // 4
    extremes = [
        _extremes(np.minimum((position * bins).astype(int), bins - 1), ordered)
        for position in (passed / passed[-1], np.log1p(passed) / np.log1p(passed[-1]))
    ]
    return np.unique(np.concatenate([*extremes, [0, len(epochs) - 1]]))


def _extremes(
    stretch: Int[np.ndarray, " logged"], values: Float[np.ndarray, " logged"]
) -> Int[np.ndarray, " kept"]:
    """The first record with the lowest value of each stretch, and the last with the highest."""
    order = np.lexsort((values, stretch))
    sorted_stretches = stretch[order]
    starts = np.flatnonzero(np.diff(sorted_stretches, prepend=-1))
    ends = np.append(starts[1:], len(order)) - 1
    return np.concatenate([order[starts], order[ends]])
