"""The circles of a run's embedding along training: how round each is, and from when on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.modular_addition.embedding import _rounds
from grokviz.scenes.modular_addition.embedding._rounds import ROUND

from grokviz.scene import frequencies

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import Bool, Float


@dataclass(frozen=True, eq=False)
class Rings:
    """The numbers in the planes of the frequencies that a run computes with.

    Attributes:
        keys: these frequencies, ascending.
        points: the numbers in each plane at each checkpoint, in mean radii of that checkpoint.
        spread: by what share of their mean the radii vary.

    """

    keys: tuple[int, ...]
    points: Float[np.ndarray, "epoch ring residue 2"]
    spread: Float[np.ndarray, "epoch ring"]

    @classmethod
    def of(cls, data: xr.Dataset) -> Rings | None:
        """The rings of a run; None of one without such frequencies, or without numbers."""
        known = frequencies.embedded(data)
        keys = [k for k in frequencies.key_frequencies(data) if k in known]
        keys = frequencies.largest(data, keys, MOST)
        planes = data["embedding_plane"].sel(embedded_frequency=keys)
        points = planes.transpose("epoch", "embedded_frequency", "residue", "axis").values
        points = points.astype(float)
        radius = np.linalg.norm(points, axis=-1)
        mean = radius.mean(axis=-1)
        if not keys or not np.isfinite(mean).all() or not (mean > 0).all():
            return None
        return cls(tuple(keys), points / mean[..., None, None], _rounds.spread(radius))

    @property
    def circles(self) -> Bool[np.ndarray, " ring"]:
        """Which are circles at the last checkpoint."""
        circles: Bool[np.ndarray, " ring"] = self.spread[-1] < ROUND
        return circles

    def round_from(self, ring: int) -> int | None:
        """The first checkpoint from which on one is a circle; None where it is none."""
        wide = np.flatnonzero(~(self.spread[:, ring] < ROUND))
        first = int(wide[-1]) + 1 if wide.size else 0
        return first if first < len(self.spread) else None

    @property
    def starts(self) -> list[int]:
        """From which checkpoints on those that are circles are round, the first first."""
        starts = (self.round_from(ring) for ring in range(len(self.keys)))
        return sorted(start for start in starts if start is not None)


MOST = 7
"""Rings that are told apart, one inside the other: as many as there are colours."""
