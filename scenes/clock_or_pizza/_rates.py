"""The attention rates of networks, and how far from a pizza to a clock each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    import xarray as xr

PUBLISHED = (
    (0.0, 0.1, 0.994, 0.20), (0.1, 0.3, 0.993, 0.22), (0.3, 0.5, 0.993, 0.24),
    (0.5, 0.7, 0.836, 0.56), (0.7, 0.9, 0.585, 0.74), (0.9, 1.0, 0.451, 0.83),
)  # fmt: skip
"""Medians of the published table in ranges of the attention rate, from and to: gradient
symmetricity, and the column distance_irrelevance, which is of the best wrong logit. Of its 817
networks with circularity .995 or more and without extras."""

CLOCK = (PUBLISHED[0][2] + PUBLISHED[-1][2]) / 2
"""Symmetricity below which a network is counted as a clock: half-way between the published medians
without attention and with a softmax."""

HALF = 0.5
"""Attention rate from which on a network is one of those with more attention."""

LEARNT = 0.95
"""Accuracy on all pairs from which on a network has learned its task."""

MOST = 12
"""Rates that are named; of more only the least and the largest."""


def rates_of(data: xr.Dataset) -> Float[np.ndarray, " member"]:
    """The attention rate of each network; NaN of one that has none."""
    rates: Float[np.ndarray, " member"] = data["member_attention_rate"].values.astype(float)
    return rates


def members(data: xr.Dataset) -> Int[np.ndarray, " member"]:
    """The networks that have an attention rate."""
    return np.flatnonzero(np.isfinite(rates_of(data)))


def has_learned(data: xr.Dataset) -> Any:
    """Which networks have learned their task in the end."""
    return data["member_accuracy"].sel(split="all").values >= LEARNT


def series(data: xr.Dataset, member: int) -> tuple[np.ndarray, np.ndarray]:
    """Epochs of a network's checkpoints, and its two measures there."""
    epochs = data["member_circuit_epoch"].values[member]
    names = ("member_gradient_symmetricity", "member_wrong_distance_irrelevance")
    places = np.stack([data[name].values[member].astype(float) for name in names], axis=1)
    real = (epochs >= 0) & np.isfinite(places).all(axis=1)
    return epochs[real].astype(float), places[real]


def place_at(data: xr.Dataset, member: int, epoch: float) -> Float[np.ndarray, " 2"]:
    """Where a network is at an epoch, in straight lines between its checkpoints."""
    epochs, places = series(data, member)
    if not len(epochs):
        return np.full(2, np.nan)
    now: Float[np.ndarray, " 2"] = np.array(
        [np.interp(min(epoch, epochs[-1]), epochs, places[:, axis]) for axis in range(2)]
    )
    return now


def places_at(
    data: xr.Dataset, members: Int[np.ndarray, " shown"], epoch: float
) -> Float[np.ndarray, "shown 2"]:
    """Where some networks are at an epoch."""
    places = [place_at(data, int(member), epoch) for member in members]
    return np.array(places).reshape(-1, 2)


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's, with equal ranks for ties; 0 where there is nothing to compare."""
    if len(np.unique(one)) < 2 or len(np.unique(other)) < 2:
        return 0.0
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: np.ndarray) -> Float[np.ndarray, " entry"]:
    """The mean place of each value in the order of all."""
    ordered = np.sort(values, kind="stable")
    low, high = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    mean: Float[np.ndarray, " entry"] = (low + high) / 2
    return mean
