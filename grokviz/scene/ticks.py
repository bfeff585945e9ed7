"""Where the ticks of an epoch axis stand: as many as their labels have room for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.ticker import Locator, MaxNLocator

from grokviz.scene.clock import spaced
from grokviz.scene.style import style

MOST = 5
"""Intervals between ticks, where there is room for so many."""


class EpochLocator(MaxNLocator):
    """Whole numbers at even distances, for an axis along which epochs are evenly spaced."""

    def __init__(self) -> None:
        super().__init__(MOST, integer=True)
        self._points = style().small

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """At most :data:`MOST` intervals, each as wide as the longest label."""
        label = _width(self, self._points, max(abs(vmin), abs(vmax)))
        room = _wide(self) / (label + _em(self, self._points))
        self.set_params(nbins=int(np.clip(room, 1, MOST)))
        return _on_the_page(self, self._points, np.array(super().tick_values(vmin, vmax)))


class DecadeLocator(Locator):
    """Powers of ten from 10 on, for an axis along which epochs are spaced logarithmically."""

    def __init__(self) -> None:
        self._points = style().small

    def __call__(self) -> Any:
        """The ticks between the limits that the axis has now."""
        return self.tick_values(*self.axis.get_view_interval())  # type: ignore[union-attr]

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Every power of ten, or every second, third, ... where the labels need that."""
        low, high = (math.log10(max(end, 10.0)) for end in sorted((vmin, vmax)))
        label = _width(self, self._points, 10**high) + 0.5 * _em(self, self._points)
        step = math.ceil((high - low) * label / _wide(self))
        ticks = np.arange(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1, max(step, 1))
        return _on_the_page(self, self._points, 10.0**ticks)


def _wide(locator: Any) -> float:
    """The axis's length, in pixels."""
    return float(locator.axis.axes.bbox.width)


def _em(locator: Any, points: float) -> float:
    """The type's size, in pixels."""
    return style().pixels(locator.axis.axes, points)


def _width(locator: Any, points: float, number: float) -> float:
    """How wide a label is, in pixels."""
    return 0.64 * len(spaced(round(number))) * _em(locator, points)


def _on_the_page(locator: Any, points: float, ticks: np.ndarray) -> np.ndarray:
    """The ticks whose labels do not run off the figure's right edge."""
    axes = locator.axis.axes
    edge = axes.figure.get_figure(root=True).bbox.x1
    where = axes.get_xaxis_transform()
    return np.array([
        tick for tick in ticks
        if where.transform((tick, 0))[0] + _width(locator, points, tick) / 2 <= edge
    ])  # fmt: skip
