"""How high a test loss stands on a track: hills where it falls, pits where it rises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset.learning import LOW

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class LossScale:
    """How high a test loss stands: 0 at that of the start, 1 where it is low, deeper above it.

    Attributes:
        ground: the loss before training, the median of the runs.
        worst: the largest loss of any run.

    """

    ground: float
    worst: float

    @classmethod
    def of(cls, curves: list[np.ndarray]) -> LossScale:
        """The scale of some runs' losses."""
        starts = [float(losses[0]) for losses in curves if np.isfinite(losses[0])]
        ground = max(float(np.median(starts)) if starts else 0.0, 2 * LOW)
        return cls(ground, max([ground, *(float(losses.max()) for losses in curves)]))

    @property
    def deepest(self) -> float:
        """The loss at which a pit is as deep as a hill is high, and ends."""
        return self.ground**2 / LOW

    def heights(self, losses: np.ndarray) -> np.ndarray:
        """From -1 to 1, logarithmically."""
        bounded = np.clip(losses, LOW, self.deepest)
        heights: np.ndarray = np.log(self.ground / bounded) / np.log(self.ground / LOW)
        return heights

    def watch(self) -> str:
        """What hills and pits are, in a line."""
        ground, end = number(self.ground), number(min(self.worst, self.deepest))
        more = " and more" if self.worst > self.deepest else ""
        pit = f", a pit its rise to {end}{more}" if end != ground else ""
        return (
            f"A hill is a run's test loss falling from {ground} to {LOW:g}{pit}; a dot marks its "
            "first 95% right"
        )

    def definition(self) -> str:
        """The scale in full."""
        ends = f" Pits end at {number(self.deepest)}." if self.worst > self.deepest else ""
        return (
            f"Heights: logarithm of the test loss (cross entropy), 0 at {number(self.ground)}, "
            f"the median before training, full at {LOW:g}; the largest loss is "
            f"{number(self.worst)}.{ends} "
        )


def losses(data: xr.Dataset, member: int) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and test losses of one run; an infinite one has run away and stays."""
    x = data["member_test_epoch"].values[member]
    losses = data["member_test_loss"].values[member].astype(float)
    known = (x >= 0) & ~np.isnan(losses)
    return x[known], losses[known]


def number(value: float) -> str:
    """A loss in few digits."""
    if np.isinf(value):
        return "infinite"
    return f"{value:.2g}" if not 10 <= value < 1e15 else f"{value:,.0f}"
