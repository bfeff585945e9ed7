"""What the network answers to each pair, and which pairs it was shown, or shown the other way."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

GROUPS = ("shown", "mirror shown", "neither shown")
"""Pairs (a, b) that were trained on; those of which only (b, a) was; those of which neither was."""

UNKNOWN = -1
"""The group of a pair of a run that does not say what it was trained on."""


def groups_of_pairs(train: Bool[np.ndarray, " p*p"] | None, p: int) -> Int[np.ndarray, "p p"]:
    """The place in :data:`GROUPS` of each pair (a, b), or :data:`UNKNOWN` without a split.

    A pair of equal numbers is its own mirror: it is shown, or neither is.
    """
    if train is None:
        return np.full((p, p), UNKNOWN)
    shown = train.reshape(p, p)
    group: Int[np.ndarray, "p p"] = np.where(shown, 0, np.where(shown.T, 1, 2))
    return group


def right_by_group(
    right: Bool[np.ndarray, " p*p"], group: Int[np.ndarray, "p p"]
) -> Float[np.ndarray, " group"]:
    """How many pairs of each group are answered right; NaN where the groups are unknown."""
    if (group == UNKNOWN).any():
        return np.full(len(GROUPS), np.nan)
    return np.bincount(group.reshape(-1)[right], minlength=len(GROUPS)).astype(float)
