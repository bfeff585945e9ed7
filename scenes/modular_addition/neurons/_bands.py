"""Bands over training: how many neurons follow each key wave, one above another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.scene import frequencies, style
from grokviz.tasks.modular_addition.formulas.neurons import THRESHOLD

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


class Bands:
    """A band for each key wave, and one for all others, as far as a moment.

    Attributes:
        keys: the key waves, the lowest first.
        tops: the upper edge of each band at each checkpoint; the last are those of all neurons
            that follow a wave.

    """

    def __init__(self, axes: Axes, data: xr.Dataset, every: float) -> None:
        """At no moment yet; ``every`` is the height of all neurons."""
        from matplotlib.collections import PolyCollection

        self.epochs = data["epoch"].values.astype(float)
        self.keys = frequencies.key_frequencies(data)
        clean = data["all_neuron_variance_explained"].values >= THRESHOLD
        wave = data["all_neuron_frequency"].values
        groups = [clean & (wave == k) for k in self.keys] + [clean & ~np.isin(wave, self.keys)]
        self.tops = np.cumsum([every * group.mean(axis=1) for group in groups], axis=0)
        self._feet = np.vstack([np.zeros(len(self.epochs)), self.tops[:-1]])
        colours = [*(frequencies.colour(k, data) for k in self.keys), style().colours.rest]
        # a rim in the colour of the page parts two of one hue
        rim: dict[str, Any] = {"edgecolors": style().colours.background, "lw": 0.4 * style().line}
        self.moving: list[Any] = []
        for n, colour in enumerate(colours):
            if style().ghost:
                whole = [self._corners(n, len(self.epochs))]
                axes.add_collection(
                    PolyCollection(whole, facecolors=[colour], alpha=0.22, lw=0), autolim=False
                )
            self.moving.append(PolyCollection([], facecolors=[colour], zorder=2, **rim))
            axes.add_collection(self.moving[-1], autolim=False)

    def _corners(self, n: int, stop: int) -> np.ndarray:
        x, foot, top = self.epochs[:stop], self._feet[n, :stop], self.tops[n, :stop]
        return np.column_stack([[*x, *x[::-1]], [*foot, *top[::-1]]])

    def at(self, moment: float) -> int:
        """The last checkpoint that a moment has come to."""
        return max(int(np.searchsorted(self.epochs, moment, side="right")) - 1, 0)

    def update(self, moment: float) -> None:
        """Draw them up to a moment."""
        stop = self.at(moment) + 1
        for n, band in enumerate(self.moving):
            band.set_verts([self._corners(n, stop) if stop > 1 else np.zeros((3, 2))])
