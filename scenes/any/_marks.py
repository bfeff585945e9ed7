"""Dots on curves with the numbers that a title names, each from the moment on at which it is so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from grokviz.scene import Drawing, style
from grokviz.scene.curves import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Side = Literal["left", "center", "right"]

BESIDE: dict[Side, float] = {"left": 0.55, "right": -0.55, "center": 0.0}
"""How far beside its dot a number stands, in ems, by the side of it that faces the dot."""

SIDES: list[tuple[Side, float]] = [
    (side, lift) for lift in (0.8, -0.8, 1.2, -1.2, 1.8, -1.8) for side in BESIDE
]
"""Where a number may stand beside its dot, if a curve passes where it would stand."""


class Mark(NamedTuple):
    """A dot and its number; ``ha`` is the side of the number that faces the dot."""

    x: float
    y: float
    text: str
    colour: Any
    ha: Side = "left"
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


def clear(axes: Axes, marks: Sequence[Mark], curves: Iterable[Curve]) -> list[Mark]:
    """The marks, each number where no curve passes and no other number stands.

    That is where the mark has it, or else at another side of its dot; where all are crossed, at
    the side that is crossed least. The axes have their limits and their place on the page.
    """
    points = np.concatenate([np.empty((0, 2)), *(_pixels(axes, curve) for curve in curves)])
    placed: list[Mark] = []
    for mark in marks:
        ways = [mark, *(mark._replace(ha=ha, lift=lift) for ha, lift in SIDES)]
        others = [_box(axes, other) for other in placed]
        dots = [_dot(axes, other) for other in (mark, *marks)]
        costs = [_cost(axes, _box(axes, way), points, others, dots) for way in ways]
        placed.append(ways[int(np.argmin(costs))])
    return placed


def _dot(axes: Axes, mark: Mark) -> np.ndarray:
    """Where a mark is, in pixels."""
    place: np.ndarray = axes.transData.transform((mark.x, mark.y))
    return place


def _pixels(axes: Axes, curve: Curve) -> np.ndarray:
    """Points on a curve that are a few pixels apart."""
    with np.errstate(all="ignore"):  # a logarithmic axis has no place for some
        x, y = axes.transData.transform(np.stack([curve.x, curve.y], axis=1)).T
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if not x.size:
        return np.empty((0, 2))
    way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    at = np.linspace(0, way[-1], int(way[-1] / 3) + 1)
    return np.stack([np.interp(at, way, x), np.interp(at, way, y)], axis=1)


def _box(axes: Axes, mark: Mark) -> tuple[float, float, float, float]:
    """Left, right, lower and upper edge of a mark's number, in pixels."""
    small = style().pixels(axes, style().small)
    x, y = _dot(axes, mark)
    wide, middle = 0.66 * small * len(mark.text), y + mark.lift * small
    share = {"left": 0.0, "center": 0.5, "right": 1.0}[mark.ha]
    left = x + BESIDE[mark.ha] * small - share * wide
    rim = 0.2 * small
    return left - rim, left + wide + rim, middle - 0.55 * small, middle + 0.55 * small


def _cost(
    axes: Axes,
    box: tuple[float, float, float, float],
    points: np.ndarray,
    others: Sequence[tuple[float, float, float, float]],
    dots: Sequence[np.ndarray],
) -> int:
    """How many points lie in a box, and far more where it is out of place.

    That is where another box or an end of the axes is, or where the first of the dots, its own,
    is not the nearest.
    """
    left, right, low, high = box
    x, y = points.T
    inside = (x > left) & (x < right) & (y > low) & (y < high)
    over = sum(left < b and a < right and low < d and c < high for a, b, c, d in others)
    room = axes.bbox
    outside = left < room.x0 or right > room.x1 or low < room.y0 or high > room.y1
    away = [np.hypot(x - (left + right) / 2, y - (low + high) / 2) for x, y in dots]
    return int(inside.sum()) + 1000 * (over + outside + (min(away) < away[0]))


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
