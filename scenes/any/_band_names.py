"""Names inside bands that are stacked on one another, where they are thick enough for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from grokviz.media import typefaces
from grokviz.scene import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 400
"""At so many places along the axis a name may begin."""

HIGH = 1.0
"""A band is thick enough for a name where it is so many ems high all along it."""

TIGHT = 0.6
"""So high a band is enough on a longer axis than that for which names were placed."""

LEAST = 0.6
"""A line leads from a band that is at least so many ems high to a name beside it."""

ASIDE = 0.9
"""So many ems that name is from its band, and over the bands below it."""


class Place(NamedTuple):
    """Where a name begins, the middle of its height, its end, and where its leader begins.

    All in data coordinates; without a leader its beginning is None.
    """

    x: float
    y: float
    end: float
    tip: float | None = None


class BandNames:
    """The names of bands, each in its band; that of the highest beside it where that is thin.

    Attributes:
        names: those that are to have a place, of all bands from below.
        others: of these, the names for which there is none.

    """

    def __init__(
        self,
        axes: Axes,
        names: Sequence[str],
        stack: tuple[np.ndarray, np.ndarray],
        lines: Sequence[float] = (),
    ) -> None:
        """Of bands with edges at these epochs, ``stack``; names are clear of upright ``lines``."""
        self.axes, self.order, self.names, self.lines = axes, list(names), list(names), lines
        self.epochs, self.edges = stack
        self.artists: dict[str, tuple[Any, Any]] = {}
        self.limits: tuple[float, float] | None = None
        self.others: list[str] = []
        self.places: dict[str, Place] = {}

    def place(self) -> None:
        """Find a place for each name within the present limits."""
        self.limits = self.axes.get_xlim()
        self.places = self._find(HIGH)
        self.others = [name for name in self.names if name not in self.places]

    def draw(self) -> None:
        """Write the names that have a place."""
        colours, width = style().colours, 0.4 * style().line
        for name in self.places:
            text = self.axes.text(
                0, 0, name, fontsize=style().small, fontweight="bold", va="center_baseline",
                zorder=6, color=colours.ink,
            )  # fmt: skip
            (leader,) = self.axes.plot([], [], color=colours.ink, lw=width, zorder=6)
            self.artists[name] = text, leader

    @property
    def moving(self) -> list[Any]:
        """The names and the line that leads to one."""
        return [artist for pair in self.artists.values() for artist in pair]

    def update(self, moment: float) -> None:
        """Show those as far as which the bands have come; where the future is drawn, all."""
        limits = self.axes.get_xlim()
        if limits != self.limits:
            self.limits = limits
            self.places = self._find(TIGHT)
        ghost = style().ghost
        for name, (text, leader) in self.artists.items():
            place = self.places.get(name)
            shown = place is not None and (ghost or moment >= place.end)
            text.set_visible(shown)
            leader.set_visible(shown and place is not None and place.tip is not None)
            if place is None:
                continue
            text.set_position((place.x, place.y))
            if place.tip is not None:
                em = self._em() * (limits[1] - limits[0]) / self.axes.bbox.width
                leader.set_data([place.tip, place.x - 0.3 * em], [place.y] * 2)

    def _em(self) -> float:
        return style().pixels(self.axes, style().small)

    def _find(self, high_enough: float) -> dict[str, Place]:
        """A place for each name in a band that is so many ems high all along it."""
        box, em = self.axes.bbox, self._em()
        x = np.linspace(box.x0, box.x1, COLUMNS)
        inverse = self.axes.transData.inverted()
        at = inverse.transform(np.column_stack([x, np.full(COLUMNS, box.y0)]))[:, 0]
        known = (at >= self.epochs[0]) & (at <= self.epochs[-1])
        heights = [np.interp(at, self.epochs, edge) for edge in self.edges]
        high = [self.axes.transData.transform(np.column_stack([at, one]))[:, 1] for one in heights]
        crossed = ~known
        for line in self.lines:
            crossed |= np.abs(x - self.axes.transData.transform((line, 0))[0]) < 0.5 * em
        step = (box.x1 - box.x0) / (COLUMNS - 1)
        room = {}
        for name in self.names:
            n = self.order.index(name)
            wide = int(np.ceil(em * (typefaces.width(name, weight=600) + 0.8) / step))
            room[name] = _clearance(high[n], high[n + 1], crossed, wide), wide
        able = {
            name: (clear, wide)
            for name, (clear, wide) in room.items()
            if clear.max(initial=0) >= high_enough * em
        }
        # one below the other, where there is such a place
        common = np.min([clear for clear, _ in able.values()], axis=0) if able else np.zeros(1)
        if common.max() >= HIGH * em:
            starts = dict.fromkeys(able, int(np.round(common).argmax()))
        else:
            starts = _in_turn(able, high_enough * em)
        places = {}
        for name, start in starts.items():
            n, end = self.order.index(name), start + room[name][1]
            y = (high[n][start:end].max() + high[n + 1][start:end].min()) / 2
            places[name] = self._place(x[start] + 0.4 * em, y, x[min(end, COLUMNS - 1)])
        top = self.order[-1]
        if top in self.names and top not in places:
            beside = self._beside(x, high[-2:], crossed, room[top][1])
            places |= {} if beside is None else {top: beside}
        return places

    def _beside(
        self, x: np.ndarray, edges: list[np.ndarray], crossed: np.ndarray, wide: int
    ) -> Place | None:
        """A place right of the highest band where that is thickest, over what comes after it."""
        em, (low, high) = self._em(), edges
        thick = np.where(crossed, 0.0, high - low)
        tip = int(np.round(thick).argmax())
        if thick[tip] < LEAST * em:
            return None
        y = (low[tip] + high[tip]) / 2
        for start in range(tip + 1, COLUMNS - wide):
            window = slice(start, start + wide)
            if (high[window] < y - ASIDE * em).all() and not crossed[window].any():
                left = x[start] + 0.4 * em
                return self._place(left, y, x[start + wide], float(x[tip]))
        return None

    def _place(self, left: float, y: float, end: float, tip: float | None = None) -> Place:
        inverse = self.axes.transData.inverted()
        across = [inverse.transform((one, y))[0] for one in (left, end, tip or left)]
        return Place(
            float(across[0]), float(inverse.transform((left, y))[1]), float(across[1]),
            None if tip is None else float(across[2]),
        )  # fmt: skip


def _in_turn(able: dict[str, tuple[np.ndarray, int]], enough: float) -> dict[str, int]:
    """Where names begin, none above the one before it where the bands are high enough there."""
    starts: dict[str, int] = {}
    first, last = 0, 0
    columns = np.arange(COLUMNS)
    for name, (clear, wide) in able.items():
        aside = np.where((columns + wide <= first) | (columns >= last), clear, 0.0)
        best = aside if aside.max() >= enough else clear
        first = int(np.round(best).argmax())
        last = first + wide
        starts[name] = first
    return starts


def _clearance(low: np.ndarray, high: np.ndarray, crossed: np.ndarray, wide: int) -> np.ndarray:
    """How high a band is all along a name of so many columns that begins at each; 0 for no room."""
    clear = np.zeros(len(low))
    if not 0 < wide < len(low):
        return clear
    windows = np.lib.stride_tricks.sliding_window_view
    free = windows(high, wide).min(axis=1) - windows(low, wide).max(axis=1)
    clear[: len(free)] = np.where(windows(crossed, wide).any(axis=1), 0.0, free)
    return np.maximum(clear, 0.0)
