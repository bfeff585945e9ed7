"""Whether a neuron is constant on the cosets of a subgroup (arXiv:2312.06581).

What x gives a neuron is held against right cosets Hg, what y gives it against left ones gH: only
these can tell it in which coset the product xy is.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.dataset.numerics.ties import reaches
from grokviz.tasks.group_composition.formulas.groups import Group
from grokviz.tasks.group_composition.formulas.subgroups import cosets, proper_subgroups

SIDES = ("left", "right")
"""The two sides from which elements enter."""

COSETS = {"left": "right", "right": "left"}
"""The cosets that are of use to a neuron, by the side."""

MEMBER = 1.0
"""The ratio below which, from both sides, a neuron is said to be constant on cosets."""

STORED_BITS = 10
"""Binary digits to which ratios are stored."""


def ratios(
    columns: Float[np.ndarray, "order width"], group: Group, kind: str
) -> Float[np.ndarray, "subgroup width"]:
    """Variance within the cosets of each proper subgroup, added up, over that of all elements.

    Both are unbiased. It is a sum, so that it grows with the number of cosets: functions without
    structure have about as many as there are cosets, at least two. NaN for constant functions.
    """
    members, starts, sizes = _membership(group, kind)
    variance = columns.var(axis=0, ddof=1)
    centred = columns - columns.mean(axis=0)
    squares = np.add.reduceat((members @ centred) ** 2, starts, axis=0) if len(starts) else (
        np.zeros((0, columns.shape[1]))
    )  # fmt: skip
    size = sizes[:, None]
    out = np.maximum((centred**2).sum(axis=0) - squares / size, 0) / (size - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, out / variance, np.nan)


def least(
    ratio: Float[np.ndarray, "subgroup width"],
) -> tuple[Float[np.ndarray, " width"], Int[np.ndarray, " width"]]:
    """The least ratio of each function, and the number of its subgroup; NaN and -1 for none."""
    if not len(ratio):
        return np.full(ratio.shape[1], np.nan), np.full(ratio.shape[1], -1)
    known = np.isfinite(ratio).all(axis=0)
    filled = np.where(known, ratio, np.inf)
    lowest = filled.min(axis=0)
    # the first of those that tie but for rounding
    first = (filled <= lowest + 1e-9).argmax(axis=0)
    return np.where(known, lowest, np.nan), np.where(known, first, -1)


def are_members(ratio: Float[np.ndarray, "... side width"]) -> Bool[np.ndarray, "... width"]:
    """Which functions count as constant on cosets, by their least ratios from both sides.

    The one rule for ratios as they are and as :func:`to_store` has them. NaN does not count.
    """
    at_bound = reaches(np.nan_to_num(ratio, nan=np.inf), MEMBER)
    inside: Bool[np.ndarray, "... width"] = np.asarray(~at_bound.any(axis=-2))
    return inside


def to_store(ratio: Float[np.ndarray, " ..."]) -> Float[np.ndarray, " ..."]:
    """The ratios such that what is below the bound stays below it when it is rounded."""
    below = MEMBER - 2.0**-STORED_BITS
    known = np.nan_to_num(ratio, nan=np.inf)
    stored: Float[np.ndarray, " ..."] = np.where(
        reaches(known, MEMBER), ratio, np.minimum(ratio, below)
    )
    return stored


@cache
def _membership(
    group: Group, kind: str
) -> tuple[
    Float[np.ndarray, "coset order"], Int[np.ndarray, " subgroup"], Float[np.ndarray, " subgroup"]
]:
    """The elements of all cosets of all subgroups, where each subgroup's begin, and their size."""
    masks = proper_subgroups(group)
    numbers = [cosets(group, mask, kind) for mask in masks]
    rows = [one == k for one in numbers for k in range(int(one.max()) + 1)]
    counts = [int(one.max()) + 1 for one in numbers]
    starts = np.cumsum([0, *counts])[:-1]
    members = np.array(rows, dtype=float).reshape(len(rows), group.order)
    return members, starts.astype(int), masks.sum(axis=1).astype(float)
