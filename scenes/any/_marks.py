"""Dots on curves with the numbers that a title names, each from the moment on at which it is so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from grokviz.scene import Drawing, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE = {"left": 0.55, "center": 0.0, "right": -0.55}
"""How far beside its dot a number stands, in ems, by the side of it that faces the dot."""


class Mark(NamedTuple):
    """A dot and its number; ``ha`` is the side of the number that faces the dot."""

    x: float
    y: float
    text: str
    colour: Any
    ha: Literal["left", "center", "right"] = "left"
    lift: float = 0.3


@dataclass(frozen=True)
class _Drawn:
    at: float
    parts: Sequence[Any]


def draw(axes: Axes, marks: Sequence[Mark], clock: Any) -> Drawing:
    """The dots with their numbers, as a part that moves with a clock of these moments.

    In films a mark is seen from its moment on; in stills always.
    """
    moments = np.asarray(clock, dtype=float)
    always = style().ghost
    drawn = [_Drawn(mark.x, _draw(axes, mark)) for mark in marks if _has_place(axes, mark)]

    def update(i: int) -> None:
        for mark in drawn:
            for part in mark.parts:
                part.set_visible(always or bool(moments[i] >= mark.at))

    return Drawing([part for mark in drawn for part in mark.parts], update)


def _has_place(axes: Axes, mark: Mark) -> bool:
    return bool(np.isfinite(mark.y)) and (axes.get_yscale() != "log" or mark.y > 0)


def _draw(axes: Axes, mark: Mark) -> list[Any]:
    from matplotlib.patheffects import withStroke

    current_style = style()
    size, small = 0.42 * current_style.points, current_style.small
    (dot,) = axes.plot(
        [mark.x], [mark.y], "o", ms=size, color=mark.colour, zorder=7, mew=0.1 * size,
        mec=current_style.colours.background, clip_on=False,
    )  # fmt: skip
    rim = withStroke(
        linewidth=current_style.points / 5, foreground=current_style.colours.background
    )
    text = axes.annotate(
        mark.text, (mark.x, mark.y), (BESIDE[mark.ha] * small, mark.lift * small),
        textcoords="offset points", ha=mark.ha, va="center", fontsize=small, fontweight="bold",
        color=mark.colour, path_effects=[rim], zorder=8,
    )  # fmt: skip
    return [dot, text]
