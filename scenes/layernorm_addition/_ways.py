"""What became of the weights of each run of a race."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.layernorm_addition import _lanes
from jaxtyping import Float

if TYPE_CHECKING:
    import xarray as xr
    from grokviz.scenes.layernorm_addition._lanes import Lane

HALF = 50
"""Moments of the second half of the way at which a step is looked at."""

Quantity = Literal["norm", "cosine", "waves"]

VARIABLES: dict[Quantity, str] = {
    "norm": "member_weight_norm", "cosine": "member_step_cosine", "waves": "member_wave_count",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Way:
    """What became of one run.

    Attributes:
        lane: the runs of its optimiser.
        epochs: its checkpoints.
        values: its norm, its step along the weights and its waves at these.
        accurate: the epoch at which it is first 95% right; -1 for never.

    """

    lane: Lane
    epochs: Float[np.ndarray, " moment"]
    values: dict[Quantity, Float[np.ndarray, " moment"]]
    accurate: int

    @property
    def reached(self) -> bool:
        """Whether it is ever 95% right, as far as its weights are kept."""
        return bool(0 <= self.accurate <= self.epochs[-1])

    @property
    def stop(self) -> float:
        """The epoch at which it is first 95% right, or its last."""
        return float(self.accurate if self.reached else self.epochs[-1])

    def at_learning(self, what: Quantity) -> float:
        """A value at the epoch at which it is first 95% right."""
        return float(np.interp(self.accurate, self.epochs, self.values[what]))

    def grows(self) -> float:
        """Its mean step along its weights, on the second half of the way to 95% right."""
        x = np.linspace(self.accurate / 2, self.accurate, HALF)
        known = np.isfinite(self.values["cosine"])
        if not known.any():
            return float("nan")
        return float(np.interp(x, self.epochs[known], self.values["cosine"][known]).mean())

    def index(self, epoch: float) -> int:
        """The last checkpoint up to an epoch."""
        return max(int(np.searchsorted(self.epochs, epoch, side="right")) - 1, 0)


def ways(data: xr.Dataset, model: str) -> list[Way]:
    """The ways of the runs of one model."""
    lanes = _lanes.lanes(data)
    models = list(_lanes.by_model(lanes))
    if not models:
        return []
    own = model or models[0]
    ways = []
    for lane in lanes:
        for member, accurate in zip(lane.members, lane.accurate, strict=True):
            epochs = data["member_kept_epoch"].values[member]
            known = epochs >= 0
            if lane.model != own or known.sum() < 2:
                continue
            values = {
                what: data[name].values[member].astype(float)[known]
                for what, name in VARIABLES.items()
            }
            ways.append(Way(lane, epochs[known].astype(float), values, accurate))
    return ways


def learnt(ways: Sequence[Way]) -> list[Way]:
    """Those of optimisers of which every run learns, and keeps what it has learnt."""
    return [way for way in ways if way.lane.learns]


def named(ways: Sequence[Way]) -> dict[str, list[Way]]:
    """The ways by the name of their optimiser."""
    named: dict[str, list[Way]] = {}
    for way in ways:
        named.setdefault(way.lane.name, []).append(way)
    return named


def end(ways: Sequence[Way]) -> float:
    """The last epoch of any of them."""
    return max(float(way.epochs[-1]) for way in ways)
