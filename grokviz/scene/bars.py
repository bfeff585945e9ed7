"""Bars whose heights change: one collection of polygons, with a trace of where each has been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass
class Bars:
    """Bars on ``axes``, whose limits the caller sets.

    Attributes:
        axes: where they stand.
        x: the middle of each bar.
        heights: of each bar at each moment.
        face: the colour of all bars, or of each.
        width: of a bar, in units of ``x``.
        foot: the height on which they stand.
        trace: how opaque the largest height of each so far is behind it; 0 for none.

    """

    axes: Axes
    x: Float[np.ndarray, " bar"]
    heights: Float[np.ndarray, "moment bar"]
    face: str | Sequence[str]
    _: KW_ONLY
    width: float
    foot: float = 0.0
    trace: float = 0.22

    def __post_init__(self) -> None:
        from matplotlib.collections import PolyCollection

        # what is no number, or without end, has no bar
        self.heights = np.nan_to_num(
            self.heights, nan=self.foot, posinf=self.foot, neginf=self.foot
        )
        self._highest = np.maximum.accumulate(self.heights)
        self._been: Any = PolyCollection(
            [], facecolors=self.face, alpha=self.trace, lw=0, zorder=1.8
        )
        self.now: Any = PolyCollection([], facecolors=self.face, lw=0, zorder=2.0)
        for bars in self.moving:
            self.axes.add_collection(bars, autolim=False)

    @property
    def moving(self) -> list[Any]:
        """The bars, and where they have been."""
        return [self._been, self.now] if self.trace else [self.now]

    def update(self, i: int) -> None:
        """The heights of one moment, and the largest so far."""
        self.now.set_verts(columns(self.x, self.heights[i], self.width, self.foot))
        if self.trace:
            self._been.set_verts(columns(self.x, self._highest[i], self.width, self.foot))


def columns(
    x: Float[np.ndarray, " bar"],
    heights: Float[np.ndarray, " bar"],
    width: float,
    foot: float = 0.0,
) -> Float[np.ndarray, "bar 4 2"]:
    """Corners of bars of one width, for a collection of polygons."""
    low = np.full_like(heights, foot)
    across = np.stack([x - width / 2, x - width / 2, x + width / 2, x + width / 2], axis=1)
    return np.stack([across, np.stack([low, heights, heights, low], axis=1)], axis=2)
