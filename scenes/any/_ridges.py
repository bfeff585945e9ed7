"""Hills on rows: curves over one time axis, each filled above a row of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from grokviz.scene import panels, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILL = 0.65
"""How strong the colour of a hill is inside its line."""

GHOST = 0.16
"""The same of what is still to come."""


def blend(colour: str, share: float) -> tuple[float, float, float]:
    """So much of a colour on the background, opaque: a hill hides what lies behind it."""
    from matplotlib.colors import to_rgb

    ground = np.array(to_rgb(style().colours.background))
    red, green, blue = share * np.array(to_rgb(colour)) + (1 - share) * ground
    return float(red), float(green), float(blue)


def height(
    values: Float[np.ndarray, " moment"], top: float, *, low: float | None = None
) -> Float[np.ndarray, " moment"]:
    """How high some values are as shares of the largest, evenly spaced from 0 on.

    With ``low`` logarithmically from that on, and nothing below.
    """
    known = np.nan_to_num(np.asarray(values, dtype=float), posinf=0, neginf=0)
    if low is None:
        shares: np.ndarray = np.maximum(known, 0) / max(top, 1e-30)
        return shares
    decades: np.ndarray = np.log10(np.maximum(known, low) / low)
    return decades / max(np.log10(max(top / low, 1.0)), 1e-9)


class Ridge:
    """A hill on one row: its past strong, what is to come faint, or not drawn in films.

    Args:
        axes: rows are 0, 1, 2, ... down its axis.
        x, heights: the epochs, and how high it is at each, in rows.
        row: on which row it stands.
        colour: of its line; the hill has a weaker one.
        open_ended: whether the line ends where the hill has no height, instead of running on.

    """

    def __init__(
        self,
        axes: Axes,
        x: Float[np.ndarray, " moment"],
        heights: Float[np.ndarray, " moment"],
        row: float,
        colour: str,
        *,
        open_ended: bool = False,
    ) -> None:
        from matplotlib.collections import PolyCollection

        x, heights = np.asarray(x, dtype=float), np.asarray(heights, dtype=float)
        # of more moments than a picture has pixels some are left out
        step = max(1, len(x) // panels.POINTS)
        mask = np.arange(len(x)) % step == 0
        if open_ended:
            # the moments at which it ends stay, so that it ends where it does
            change = np.flatnonzero(np.diff(heights > 0))
            mask[change] = mask[change + 1] = True
        x, heights = x[mask], heights[mask]
        self.x = x
        self.y = row - np.nan_to_num(heights, posinf=0, neginf=0)
        self.row, at = row, 2 + 0.2 * row
        self.edge = self.y
        if open_ended:
            # with the moments beside it, so that the line comes down to its row
            high = heights > 0
            near = high | np.append(high[1:], False) | np.append(False, high[:-1])
            self.edge = np.where(near, self.y, np.nan)
        self.ghost: PolyCollection | None = None
        if style().ghost:
            self.ghost = PolyCollection(
                [self._corners(len(self.x))], facecolors=[blend(colour, GHOST)], lw=0, zorder=at
            )
            axes.add_collection(self.ghost, autolim=False)
            axes.plot(
                self.x, self.edge, color=blend(colour, 0.5), lw=0.5 * style().line, zorder=at + 0.01
            )
        self.axes, self.level = axes, None
        if not style().ghost:
            # without what is to come the first picture of a film would be all but empty
            (self.level,) = axes.plot(
                [], [], color=colour, lw=0.4 * style().line, ls=(0, (1, 3)), zorder=1.5
            )
        self.hill = PolyCollection([], facecolors=[blend(colour, FILL)], lw=0, zorder=at + 0.02)
        axes.add_collection(self.hill, autolim=False)
        (self.line,) = axes.plot([], [], color=colour, lw=0.8 * style().line, zorder=at + 0.03)

    @property
    def moving(self) -> list[Any]:
        """The past and its line, and in films the level that it has come to."""
        return [self.hill, self.line, *([] if self.level is None else [self.level])]

    def fill(self, share: float) -> None:
        """Fill it with so much of its colour."""
        colour = str(self.line.get_color())
        self.hill.set_facecolor(blend(colour, share))
        if self.ghost is not None:
            # what is to come is never stronger than the past
            self.ghost.set_facecolor(blend(colour, min(share, GHOST)))

    def update(self, moment: float) -> None:
        """Draw strongly up to ``moment``."""
        stop = int(np.searchsorted(self.x, moment, side="right"))
        self.hill.set_verts([self._corners(stop)] if stop > 1 else [])
        self.line.set_data(self.x[:stop], self.edge[:stop])
        if self.level is not None:
            self.level.set_visible(not stop or bool(np.isfinite(self.edge[stop - 1])))
            y = float(np.interp(moment, self.x, self.y))
            self.level.set_data(
                [max(moment, self.axes.get_xlim()[0]), self.axes.get_xlim()[1]], [y, y]
            )

    def _corners(self, stop: int) -> np.ndarray:
        """The outline of the first moments, with the row at both ends."""
        ends = [self.x[0], *self.x[:stop], self.x[max(stop - 1, 0)]]
        corners: np.ndarray = np.column_stack([ends, [self.row, *self.y[:stop], self.row]])
        return corners


def frame(
    axes: Axes, end: float, lowest: float, above: float, *, time: panels.Spacing = "linear"
) -> None:
    """Axes for rows down to the lowest, with room above row 0, on a time that ends there."""
    axes.set_xscale(time)
    if time == "log":
        panels.decades(axes)
        axes.set_xlim(panels.FIRST, max(end, 2 * panels.FIRST))
    else:
        panels.thousands(axes)
        axes.set_xlim(0, max(end, 1.0))
    axes.set_ylim(lowest + 0.15, -above)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def name_rows(
    axes: Axes,
    names: Sequence[str],
    colours: Sequence[str],
    rows: Sequence[float] | None = None,
) -> None:
    """Each row's name at its left, in its colour."""
    axes.set_yticks(range(len(names)) if rows is None else rows, names)
    for label, colour in zip(axes.get_yticklabels(), colours, strict=True):
        label.set(color=colour, fontweight="bold", va="bottom")


def levels(axes: Axes, heights: Sequence[float], name: str, apart: float = 0.3) -> None:
    """A dotted line through each hill at one height, and so many ems beside it what it is."""
    colours, dots = style().colours, (0, (1, 3))
    for y in heights:
        axes.axhline(y, color=colours.muted, lw=0.4 * style().line, ls=dots, zorder=6)
        style().note(
            axes, name, (1, y), (apart, 0), va="center", color=colours.muted,
            xycoords=axes.get_yaxis_transform(),
        )  # fmt: skip


def reach(axes: Axes, end: float) -> None:
    """Let the time axis end there."""
    if axes.get_xlim()[1] != end:
        axes.set_xlim(right=end)
