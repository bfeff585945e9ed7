"""A head drawn small: as many lines into it as directions by which it looks, out as it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.scene import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MIDDLE, REACH, HALF_HIGH, TIP = 4.4, 3.1, 2.1, 0.75
"""Where it stands right of the panel, how far its lines reach, half of
their height, and how far before it they end in an arrow; in ems."""


class HeadSketch:
    """The median head between the names of the curves: lines into it and arrows out of it.

    It has as many of them as directions by which it looks and writes, where there is room.
    """

    def __init__(self, axes: Axes, tints: dict[str, Any]) -> None:
        """Of fans by name in these colours, that of the lines in first."""
        from matplotlib.collections import LineCollection

        current_style = style()
        small = current_style.pixels(axes, current_style.small)
        self.em = small / axes.bbox.width, small / axes.bbox.height
        look: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False, "zorder": 5}
        self.fans = {
            name: LineCollection([], colors=tint, linewidths=0.5 * current_style.line, **look)
            for name, tint in tints.items()
        }
        for fan in self.fans.values():
            axes.add_collection(fan, autolim=False)
        size = 0.26 * current_style.points
        self.tips = {
            name: axes.plot([], [], ">", color=tint, ms=size, mew=0, **look)[0]
            for name, tint in tints.items()
        }
        ink = current_style.colours.ink
        (self.head,) = axes.plot([], [], "o", color=ink, ms=2.6 * size, mew=0, **look)
        self.words = {
            word: current_style.note(
                axes, word, (1, 0), (along, -HALF_HIGH - 1.3), color=tint, ha="center"
            )
            for word, along, tint in zip(
                ("QK", "OV"), (MIDDLE - REACH / 2, MIDDLE + REACH / 2), tints.values(), strict=True
            )
        }  # fmt: skip
        self.words["head"] = current_style.note(
            axes, "head", (1, 0), (MIDDLE, 0.6), color=ink, ha="right"
        )

    @property
    def moving(self) -> list[Any]:
        """All of it."""
        return [*self.fans.values(), *self.tips.values(), self.head, *self.words.values()]

    def update(self, now: dict[str, float], levels: list[float]) -> None:
        """With so many lines as the ranks are now, between names at these heights."""
        wide, high = self.em
        shown = levels[1] - levels[0] >= 2 * (HALF_HIGH + 2.4) * high
        for part in self.moving:
            part.set_visible(shown)
        x, y = 1 + MIDDLE * wide, sum(levels) / 2
        self.head.set_data([x], [y])
        for word in self.words.values():
            word.xy = (1, y)
        for name, side in zip(self.fans, (-1, 1), strict=True):
            count = max(round(now[name]), 1)
            spread = np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
            ends = np.column_stack(
                [np.full(count, x + side * REACH * wide), y + HALF_HIGH * high * spread]
            )
            self.fans[name].set_segments([[(x, y), end] for end in ends])
            tips = ends if side > 0 else np.array([[x - TIP * wide, y]])
            self.tips[name].set_data(*tips.T)
