"""The light in which the right answer stands, from the first wave down to the sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grokviz.scenes.modular_addition._dials import answer_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALVES = (1.0, 0.72, 0.47, 0.25)
"""Half widths of the layers of light, as shares of the widest."""

LAYER = 0.1
"""How opaque each layer is where the light is full."""


def beam(
    axes: Axes, x: float, ends: tuple[float, float], half: float, *, over: bool = False
) -> list[Any]:
    """A column of light at ``x``, between two ends, brighter towards its middle.

    ``half`` is half its width, and all are in data coordinates; one that goes ``over`` the axes'
    edge is not cut there.
    """
    from matplotlib.patches import Rectangle

    low, high = ends
    layers = []
    for share in HALVES:
        wide = share * half
        patch = Rectangle((x - wide, low), 2 * wide, high - low, lw=0, color=answer_colour(),
                          alpha=LAYER, zorder=0.5, clip_on=not over)  # fmt: skip
        layers.append(axes.add_patch(patch))
    return layers
