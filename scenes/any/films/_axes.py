"""Axes for films of curves: linear or logarithmic, with few ticks and growing lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grokviz.scene.clock import spaced
from grokviz.scene.films.toolkit import SMALL, FilmScene, Line, Plot, words

Box = tuple[float, float, float, float]


class Axes:
    """A rectangle of pixels (left, top, right, bottom) with its ranges of numbers; it clips."""

    def __init__(
        self, scene: FilmScene, box: Box, x: tuple[float, float], y: tuple[float, float], *,
        log: str = "",
    ) -> None:  # fmt: skip
        self.scene, self.log, self.x, self.y = scene, log, x, y
        self.plot = Plot(*box, self._turned(x, "x"), self._turned(y, "y"))

    def _turned(self, pair: Any, which: str) -> Any:
        if which not in self.log:
            return pair
        return tuple(np.log10(pair)) if isinstance(pair, tuple) else np.log10(pair)

    def pixels(self, x: Any, y: Any) -> np.ndarray:
        """Pixels of the points, clipped to the edges."""
        x = np.clip(np.asarray(x, dtype=float), *self.x)
        y = np.clip(np.asarray(y, dtype=float), *self.y)
        return self.plot.pixels(np.stack([self._turned(x, "x"), self._turned(y, "y")], axis=-1))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixel of one point."""
        (point,) = self.pixels([x], [y])
        return float(point[0]), float(point[1])

    def line(self, x: Any, y: Any, colour: str, px: float = 5.0, opacity: float = 1.0) -> Line:
        """A line through numbers."""
        return Line(self.pixels(x, y), colour, px, opacity)

    def furniture(
        self, across: Mapping[float, str], up: Mapping[float, str], *, x: str = "", y: str = ""
    ) -> list[Any]:
        """Ticks with labels, faint grid lines, and the names of both axes."""
        colours, plot = self.scene.colours, self.plot
        shapes: list[Any] = []
        for value, text in up.items():
            level = self.at(self.x[0], value)[1]
            ends = np.array([[plot.x0, level], [plot.x1, level]])
            shapes.append(Line(ends, colours.grid, 2).set_z_index(-2))
            shapes.append(words(text, colours.muted, px=SMALL, at=(plot.x0 - 18, level + 10),
                                anchor="right"))  # fmt: skip
        for value, text in across.items():
            at = self.at(value, self.y[0])[0]
            shapes.append(words(text, colours.muted, px=SMALL, at=(at, plot.y1 + 42)))
        if x:
            shapes.append(words(x, colours.muted, px=SMALL, at=(plot.x1, plot.y1 + 84),
                                anchor="right"))  # fmt: skip
        if y:
            shapes.append(words(y, colours.muted, px=SMALL, at=(plot.x0, plot.y0 - 26),
                                anchor="left"))  # fmt: skip
        return shapes


class Growing:
    """A curve that is drawn up to a given x."""

    def __init__(
        self, axes: Axes, x: Any, y: Any, colour: str, px: float = 5.0, opacity: float = 1.0
    ) -> None:  # fmt: skip
        self.x, self.pixels = np.asarray(x, dtype=float), axes.pixels(x, y)
        self.line = Line(self.pixels[:2], colour, px, opacity)

    def until(self, x: float) -> None:
        """Show the part at or before ``x``."""
        self.line.move_line(self.pixels[: max(int(np.searchsorted(self.x, x, side="right")), 2)])

    @property
    def end(self) -> tuple[float, float]:
        """Pixel of the last point."""
        return float(self.pixels[-1][0]), float(self.pixels[-1][1])


def tens(low: float, high: float) -> dict[float, str]:
    """Ticks at the powers of ten from ``low`` to ``high``, with their labels."""
    powers = range(int(np.ceil(np.log10(low) - 1e-9)), int(np.floor(np.log10(high) + 1e-9)) + 1)
    return {10.0**n: f"{10.0**n:g}" if n < 3 else spaced(10.0**n) for n in powers}


def finite(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """A stored curve without the padding after its last point."""
    keep = (np.asarray(x) >= 0) & np.isfinite(y)
    return np.asarray(x, dtype=float)[keep], np.asarray(y, dtype=float)[keep]
