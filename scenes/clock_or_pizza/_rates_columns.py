"""Networks over their attention rate, from pizza to clock, with a sketch of both at the side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.clock_or_pizza import _networks, _rates
from jaxtyping import Float, Int

from grokviz.scene import style
from grokviz.scene.spoken import halves

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

STEP = 0.15
"""Room between two networks of one rate, as a share of that between two rates."""

WIDE = 0.6
"""The most room of all networks of one rate, and that at both ends, of that between two rates."""

HOURS = 12
"""Strokes of a sketch."""

INNER = {"clock": 0.72, "pizza": 0.0}
"""Where the strokes of a sketch begin: a clock's hands all reach the rim, a pizza's any length."""

FOOT, ROW, LOWEST = -0.06, -0.13, -0.2
"""Where the axis is, where networks that have not learned stand below it, and where it all ends."""

COUNT = 3.4
"""Ems between two rates from which on counts stand above them."""

RADIUS, APART = 1.8, 5.0
"""The radius of a sketch and the room between two, in ems."""


class Columns:
    """Rates across and 1 less symmetricity upwards, networks of one rate side by side.

    Those that have not learned stand in a row below, whose height is no value.
    """

    def __init__(self, data: xr.Dataset) -> None:
        self.data, self.rates = data, _rates.rates_of(data)
        drawn = _rates.members(data)
        self.x = self.rates.copy()
        self.shown = np.unique(self.rates[drawn])
        self.room = float(np.diff(self.shown).min()) if len(self.shown) > 1 else 1.0
        most = max(int((self.rates == rate).sum()) for rate in self.shown)
        step = min(STEP * self.room, WIDE * self.room / max(most - 1, 1))
        for rate in self.shown:
            some = np.flatnonzero(self.rates == rate)
            self.x[some] += step * (np.arange(len(some)) - (len(some) - 1) / 2)
        least = [float(_rates.series(data, int(m))[1][:, 0].min(initial=0)) for m in drawn]
        self.highest = 1 - min(0.0, *least)
        self.column = step * max(most, 2)
        self.learnt = _rates.has_learned(data)
        self.lowest = FOOT if self.learnt[drawn].all() else LOWEST

    def __call__(
        self, members: Int[np.ndarray, " shown"], measures: Float[np.ndarray, "shown 2"]
    ) -> Float[np.ndarray, "shown 2"]:
        """Its place in the column of its rate, and what its symmetricity lacks of 1."""
        heights = np.where(self.learnt[members], 1 - measures[:, 0], ROW)
        return np.stack([self.x[members], heights], axis=1)

    def tints(self, members: Int[np.ndarray, " shown"]) -> list[Any]:
        """The colour of what each network becomes."""
        last = _rates.places_at(self.data, members, np.inf)[:, 0]
        return [_networks.tint("clock" if one < _rates.CLOCK else "pizza") for one in last]

    def frame(self, axes: Axes) -> None:
        """The axes, a ground for each rate, and the border of both kinds."""
        from matplotlib.ticker import MultipleLocator

        current, colours = style(), style().colours
        side = WIDE * self.room
        ends = [0.0, 1.0, *self.shown]
        axes.set(
            xlim=(min(ends) - side, max(ends) + side), ylim=(self.lowest, self.highest + 0.06),
            xlabel="attention rate (0: fixed, 1: learned)",
            ylabel="treats a and b (0: alike, 1: differently)",
        )  # fmt: skip
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        foot = axes.spines["left"]
        foot.set_bounds(FOOT, self.highest + 0.06)
        axes.axhline(FOOT, color=foot.get_edgecolor(), lw=foot.get_linewidth(), zorder=2)
        many = len(self.shown) > _rates.MOST
        few = self.shown[[0, -1]] if many else self.shown
        axes.set_xticks(few, [f"{rate:g}" for rate in few])
        axes.yaxis.set_major_locator(MultipleLocator(0.25))
        axes.yaxis.set_major_formatter("{x:g}")
        for rate in () if many else few:
            axes.axvspan(rate - self.column / 2, rate + self.column / 2, color=colours.grid,
                         alpha=0.55, lw=0, zorder=0)  # fmt: skip
        axes.axhline(
            1 - _rates.CLOCK, color=colours.faint, lw=0.5 * current.line, zorder=0.5, ls=(0, (4, 3))
        )

    def write_counts(self, axes: Axes) -> list[Any]:
        """Above each rate, where there is room, how many of its learned networks become clocks."""
        current = style()
        low, high = axes.get_xlim()
        room = self.room / (high - low) * axes.bbox.width
        if room < COUNT * current.pixels(axes, current.points):
            return []
        counts = []
        last = _rates.places_at(self.data, np.arange(len(self.rates)), np.inf)[:, 0]
        look: dict[str, Any] = {"ha": "center", "xycoords": axes.get_xaxis_transform()}
        for rate in self.shown:
            own = (self.rates == rate) & self.learnt
            words = f"{int((last[own] < _rates.CLOCK).sum())} of {int(own.sum())}"
            if own.any():
                counts.append(
                    current.note(axes, words, (rate, 1), (0, 0.6), fontsize=current.points, **look)
                )
        look |= {"ha": "right", "xycoords": "axes fraction", "fontsize": current.points}
        return [*counts, current.note(axes, "clocks:", (0, 1), (-0.3, 0.6), **look)]

    def name_sides(self, axes: Axes) -> None:
        """Both names inside of the axes, at the border between them."""
        current = style()
        words: dict[str, Any] = {"fontsize": 1.35 * current.points, "fontweight": "bold",
                                 "xycoords": axes.get_yaxis_transform()}  # fmt: skip
        for kind, lift, va in (("clock", 0.4, "bottom"), ("pizza", -0.4, "top")):
            colour = current.colours.words(_networks.tint(kind))
            current.note(
                axes, kind, (0.02, 1 - _rates.CLOCK), (0, lift), va=va, color=colour, **words
            )

    def name_border(self, axes: Axes) -> Any:
        """What the dashed line parts, at its left end."""
        return style().note(
            axes, "above this line: clocks", (0.008, 1 - _rates.CLOCK), (0, 0.3), va="bottom",
            color=style().colours.muted, xycoords=axes.get_yaxis_transform(),
        )  # fmt: skip

    def sketch_sides(self, beside: Axes) -> None:
        """At the height of each side a sketch of such a network, its name and what it does."""
        current, colours = style(), style().colours
        em = current.pixels(beside, current.points)
        wide, high = beside.bbox.width / em, beside.bbox.height / em
        beside.set(xlim=(0, wide), ylim=(0, high))
        beside.set_axis_off()
        whole = self.highest + 0.06 - self.lowest
        border = (1 - _rates.CLOCK - self.lowest) / whole * high
        pizza = max(border / 2, 2.0)
        heights = {"pizza": pizza, "clock": max((border + high) / 2, pizza + APART)}
        turn = np.linspace(0, 2 * np.pi, 200)
        for kind, middle in heights.items():
            colour = _networks.tint(kind)
            beside.plot(RADIUS * (1 + np.cos(turn)), middle + RADIUS * np.sin(turn),
                        color=colours.grid, lw=0.8 * current.line)  # fmt: skip
            for angle in 2 * np.pi * np.arange(HOURS) / HOURS:
                reach = RADIUS * np.array([INNER[kind], 1.0])
                beside.plot(
                    RADIUS + reach * np.sin(angle), middle + reach * np.cos(angle), color=colour,
                    lw=0.9 * current.line, clip_on=False, zorder=3, solid_capstyle="round",
                )  # fmt: skip
            lines = [(kind, 1.3, {"color": colours.words(colour), "fontweight": "bold",
                                  "fontsize": 1.35 * current.points})]  # fmt: skip
            for k, words in enumerate(halves(_networks.MEANING[kind])):
                lines.append((words, -0.1 - 1.2 * k, {"color": colours.muted}))
            for words, lift, look in lines:
                current.note(beside, words, (2 * RADIUS + 0.9, middle + lift), (0, -0.35),
                             xycoords="data", **look)  # fmt: skip
