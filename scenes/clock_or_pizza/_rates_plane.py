"""The plane of gradient symmetricity and distance irrelevance, with the published medians."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.clock_or_pizza import _rates
from jaxtyping import Float, Int

from grokviz.media.palette import colour_map
from grokviz.scene import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

TICKS = (1.0, 0.95, 0.8, 0.6, 0.4, 0.2, 0.0, -0.2, -0.5)
"""Cosines that are named below the picture."""

INSIDE = (0.12, 1.0)
"""Between which shares of a colour map the rates from 0 to 1 are."""


class Plane:
    """Where networks stand in the plane of both measures, coloured by their rate."""

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
        self.rates = _rates.rates_of(data)
        _frame(axes, data)
        _draw_published(axes)
        _draw_key(axes, self.rates)

    def __call__(
        self, members: Int[np.ndarray, " shown"], measures: Float[np.ndarray, "shown 2"]
    ) -> Float[np.ndarray, "shown 2"]:
        """Symmetricity as an angle, and distance irrelevance."""
        return np.stack([_across(measures[:, 0]), measures[:, 1]], axis=1)

    def tints(self, members: Int[np.ndarray, " shown"]) -> list[Any]:
        """The colour of each network's rate."""
        return [tint(rate) for rate in self.rates[members]]


def _frame(axes: Axes, data: xr.Dataset) -> None:
    colours = style().colours
    least = [
        float(_rates.series(data, int(m))[1][:, 0].min(initial=0)) for m in _rates.members(data)
    ]
    lowest = min(0.0, *least)
    measure = "gradient symmetricity"
    alike = f"how alike a and b act on the answer ({measure}, as an angle)"
    narrow = style().narrow(axes.figure)
    axes.set(
        xlim=(-2.5, float(_across(np.array(lowest))) + 2.5), ylim=(0, 1.03),
        xlabel=measure if narrow else alike,
        ylabel="a − b matters less (distance irrelevance)",
    )  # fmt: skip
    ticks = [tick for tick in TICKS[:: 2 if narrow else 1] if tick >= lowest]
    axes.set_xticks(_across(np.array(ticks)), [f"{tick:g}".replace("-", "−") for tick in ticks])
    border = float(_across(np.array(_rates.CLOCK)))
    axes.axvline(border, color=colours.rest, lw=0.5 * style().line, zorder=0.5, ls=(0, (4, 3)))
    words: dict[str, Any] = {"fontsize": 1.35 * style().points, "fontweight": "bold",
                             "color": colours.faint}  # fmt: skip
    words |= {"xycoords": axes.get_xaxis_transform()}
    style().note(axes, "pizza", (border, 0.03), (-0.8, 0), ha="right", **words)
    style().note(axes, "clock", (border, 0.03), (0.8, 0), ha="left", **words)


def _draw_published(axes: Axes) -> None:
    """The published medians from no attention to a softmax, joined by a line."""
    colours = style().colours
    places = np.array([(x, y) for _, _, x, y in _rates.PUBLISHED])
    places[:, 0] = _across(places[:, 0])
    axes.plot(*places.T, color=colours.rest, lw=0.8 * style().line, zorder=1,
              solid_capstyle="round")  # fmt: skip
    axes.scatter(*places.T, s=(0.5 * style().points) ** 2, color=colours.rest, lw=0, zorder=2)
    style().label(
        axes, *places[-2], "published medians", lift=-2.0, color=colours.muted, fontweight="normal",
        ha="left",
    )  # fmt: skip


def _draw_key(axes: Axes, rates: Float[np.ndarray, " member"]) -> None:
    """The colours of the attention rates, in a row above the picture."""
    current = style()
    known = np.unique(rates[np.isfinite(rates)])
    shown = known if len(known) <= _rates.MOST else known[[0, -1]]
    em = current.pixels(axes, current.small)
    step, above = 1.15 * em / axes.bbox.width, 1 + 1.5 * em / axes.bbox.height
    right = 1 - 1.4 * em / axes.bbox.width
    places = right - step * np.arange(len(shown))[::-1]
    axes.scatter(
        places, np.full(len(shown), above), s=(0.7 * current.points) ** 2, lw=0, clip_on=False,
        color=[tint(rate) for rate in shown], transform=axes.transAxes,
    )  # fmt: skip
    ends: dict[str, Any] = {"va": "center_baseline", "color": current.colours.muted}
    words = f"attention rate {shown[0]:g}"
    current.note(axes, words, (places[0], above), (-0.7, 0), ha="right", **ends)
    if len(shown) > 1:
        current.note(axes, f"{shown[-1]:g}", (places[-1], above), (0.7, 0), **ends)


def _across(symmetricity: np.ndarray) -> Float[np.ndarray, " place"]:
    """Where a symmetricity is drawn: the angle whose cosine it is, in degrees.

    Networks without attention are all near 1, and would lie on one another.
    """
    angles: Float[np.ndarray, " place"] = np.degrees(np.arccos(np.clip(symmetricity, -1, 1)))
    return angles


def tint(rate: float) -> Any:
    """The colour of an attention rate."""
    low, high = INSIDE
    share = low + (high - low) * (rate if np.isfinite(rate) else 0.0)
    return colour_map(style().colours.sequential)(0.3 + 0.6 * share)
