"""Light around the lines that a picture is about, on dark ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.scene import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTHS = (2.2, 3.8, 6.0, 9.0)
"""How many times as wide as a line its light is, layer by layer."""

OPACITY = 0.07
"""How opaque a layer is; on top of one another they fade from the line outwards."""


class Glow:
    """Light around lines; on light ground, where it would be a shadow, there is none.

    Attributes:
        moving: the layers, whose segments change.

    """

    def __init__(
        self, axes: Axes, colours: Sequence[Any], width: float, zorder: float = 2.9
    ) -> None:
        from matplotlib.collections import LineCollection

        layers = WIDTHS if style().theme.dark else ()
        self.moving: list[Any] = [
            LineCollection(
                [], colors=list(colours), linewidths=times * width, alpha=OPACITY, zorder=zorder,
                capstyle="round", joinstyle="round",
            )
            for times in layers
        ]  # fmt: skip
        for layer in self.moving:
            axes.add_collection(layer, autolim=False)

    def update(self, lines: Sequence[np.ndarray]) -> None:
        """Put it around these lines (n, 2), one of each colour."""
        for layer in self.moving:
            layer.set_segments(list(lines))
