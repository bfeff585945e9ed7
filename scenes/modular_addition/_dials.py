"""Clocks drawn with matplotlib: the numbers on the circle of a frequency, and hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from grokviz.scene import frequencies, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

FAR = 1.25
"""What lies further out, in mean radii, is drawn at this distance: a cloud is no circle."""


def embedded_circle(data: xr.Dataset, k: int) -> Float[np.ndarray, " residue"] | None:
    """Where the last checkpoint embeds the numbers in a frequency's plane, as complex numbers.

    In mean radii; None of a frequency whose plane is not in the data, or has no extent.
    """
    planes = data["embedding_plane"]
    if k not in planes["embedded_frequency"].values:
        return None
    plane = planes.sel(embedded_frequency=k).isel(epoch=-1).values.astype(float)
    points: Float[np.ndarray, " residue"] = plane[:, 0] + 1j * plane[:, 1]
    mean = float(np.abs(points).mean())
    return points / mean if np.isfinite(mean) and mean > 0 else None


def turn(k: int, n: float, p: int) -> float:
    """The angle of a number on a clock, in the direction in which they go round, in radians."""
    return 2 * np.pi * ((k * n / p) % 1.0)


def answer_colour() -> str:
    """The colour of the right answer."""
    return style().colours.answer


@dataclass
class Dial:
    """A clock of one frequency on axes whose unit is an em.

    Attributes:
        axes, data: where it is drawn, and the dataset.
        k: its frequency.
        at: its centre.
        radius: of its rim.

    """

    axes: Axes
    data: xr.Dataset
    k: int
    at: tuple[float, float]
    radius: float

    def __post_init__(self) -> None:
        current_style, colours = style(), style().colours
        self.p = self.data.sizes["residue"]
        self.colour = frequencies.ink(self.k, self.data)
        self._around = np.exp(1j * np.linspace(0, 2 * np.pi, 121))
        line = 0.5 * current_style.line
        (self.rim,) = self.axes.plot([], [], color=colours.grid, lw=line, zorder=1)
        points = embedded_circle(self.data, self.k)
        self._points = np.zeros(0, complex)
        if points is not None:
            self._points = points * np.minimum(1, FAR / np.maximum(np.abs(points), 1e-12))
        (self.dots,) = self.axes.plot([], [], "o", color=self.colour, mew=0, zorder=2)
        self.move(self.at, self.radius)
        self.first = self._hand(colours.muted, 0.7)
        self.second = self._hand(colours.muted, 0.7)
        self.sum = self._hand(answer_colour(), 1.1)

    @property
    def moving(self) -> list[Any]:
        """All of it: it may be moved."""
        return [self.rim, self.dots, *self.first, *self.second, *self.sum]

    def move(self, at: tuple[float, float], radius: float) -> None:
        """Put the rim and the numbers elsewhere; the hands follow when they are shown."""
        self.at, self.radius = at, radius
        self.rim.set_data(*self.place(self._around))
        self.dots.set_data(*self.place(self._points))
        self.dots.set_markersize(min(0.05 * radius, 0.2) * style().points)

    def place(self, points: Any) -> tuple[np.ndarray, np.ndarray]:
        """Places on the axes of complex numbers, in radii from the centre."""
        z = np.asarray(points, complex).reshape(-1) * self.radius
        return self.at[0] + z.real, self.at[1] + z.imag

    def angle(self, n: float) -> float:
        """The angle of a number."""
        return turn(self.k, n, self.p)

    def show(self, hand: tuple[Any, Any], angle: float | None, reach: float = 0.94) -> None:
        """Point a hand at an angle; away without one."""
        line, tip = hand
        for artist in hand:
            artist.set_visible(angle is not None)
        if angle is not None:
            end = reach * np.exp(1j * angle)
            line.set_data(*self.place([0, end]))
            tip.set_data(*self.place(end))

    def _hand(self, colour: str, width: float) -> tuple[Any, Any]:
        current_style = style()
        look: dict[str, Any] = {"color": colour, "zorder": 3 + width}
        (line,) = self.axes.plot([], [], lw=width * current_style.line, **look)
        size = 0.36 * width * current_style.points
        (tip,) = self.axes.plot([], [], "o", ms=size, mew=0, **look)
        return line, tip
