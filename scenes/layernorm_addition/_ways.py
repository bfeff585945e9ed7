"""What became of the weights of each run of a race, on a clock of its own."""

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

BEYOND = 1.5
"""The time axis goes at least so far, in units of the first 95% right."""

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
        unit: the epochs that its clock counts as 1.

    """

    lane: Lane
    epochs: Float[np.ndarray, " moment"]
    values: dict[Quantity, Float[np.ndarray, " moment"]]
    accurate: int
    unit: float

    def at_learning(self, what: Quantity) -> float:
        """A value at the epoch at which it is first 95% right."""
        return float(np.interp(self.accurate, self.epochs, self.values[what]))

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
    # runs that have not learnt have no clock of their own
    learnt = any(lane.learns for lane in lanes if lane.model == own)
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
            unit = float(max(accurate, 1)) if learnt and lane.learns else 1.0
            ways.append(Way(lane, epochs[known].astype(float), values, accurate, unit))
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
    """How far the axes go: where all have something to show, and some way beyond learning."""
    ends = [max(float(way.epochs[-1]) / way.unit for way in some) for some in named(ways).values()]
    if not learnt(ways):
        return max(ends)
    shortest = min(float(way.epochs[-1]) / way.unit for way in ways)
    return max(shortest, min(BEYOND, *ends, BEYOND))
