"""How a network scores on all pairs, and when it has learnt: what tasks of pairs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import Bool, Float, Int

if TYPE_CHECKING:
    import xarray as xr

SETS = ("train", "test", "all")

LEARNT = 0.95
"""The accuracy at which a stage ends."""


class Logged(Protocol):
    """A run, as far as it is asked for what it logged."""

    def metric(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Epochs and values; both empty where it was not logged."""


def by_set(
    values: Float[np.ndarray, " pairs"] | Bool[np.ndarray, " pairs"],
    train: Bool[np.ndarray, " pairs"] | None,
) -> Float[np.ndarray, " split"]:
    """Mean over the training pairs, the test pairs and all; NaN over none, or an unknown split."""
    none = np.zeros(len(values), dtype=bool)
    masks = (none, none, ~none) if train is None else (train, ~train, ~none)
    return np.array([values[mask].mean() if mask.any() else np.nan for mask in masks])


def stage_ends(run: Logged) -> Int[np.ndarray, " stage"]:
    """First epoch at which the logged accuracy on the training pairs, and on the test pairs, is
    0.95; -1 for never, or where it was not logged.
    """
    ends = []
    for split in ("train", "test"):
        epochs, values = run.metric(f"{split}_accuracy")
        reached = np.flatnonzero(values >= LEARNT)
        ends.append(int(epochs[reached[0]]) if len(reached) else -1)
    return np.array(ends)


def named_ends(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    """The ends of the stages as ``grokviz measures`` says them; None for never."""
    ends = zip(values["stage"].values.tolist(), values.values.tolist(), strict=True)
    return {f"{name}_stage_end": end if end >= 0 else None for name, end in ends}
