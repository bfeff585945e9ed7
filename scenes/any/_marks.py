"""Dots on curves with the numbers that a title names, each from the moment on at which it is so."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
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

OUT = 100_000
"""What a place costs that is outside the axes, or another number's."""

ROOM = 0.25
"""A name of a curve is at least so many ems from others."""

Box = tuple[float, float, float, float]
"""Left, right, lower and upper edge, in pixels."""

Room = tuple[float, Box]
"""How clear a place for a name is, and the place."""

APART = 0.5
"""From so many ems on a line leads from a name to its curve."""

ORDERS = 120
"""In so many orders names choose their places: in all of them where there are five."""

SIDES: list[tuple[Side, float]] = [
    (side, lift) for lift in (0.8, -0.8, 1.2, -1.2, 1.8, -1.8) for side in BESIDE
]
"""Where a number may stand beside its dot, if a curve passes where it would stand."""


class Mark(NamedTuple):
    """A dot and its number; ``ha`` is the side of the number that faces the dot.

    With ``name``, a text beside the dot, the number stands after that; with ``beside`` it is so
    many ems beside its dot instead of :data:`BESIDE`.
    """

    x: float
    y: float
    text: str
    colour: Any
    ha: Side = "left"
    lift: float = 0.3
    name: Any = None
    beside: float | None = None


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
        # where a mark has it, it may be above the axes
        rooms = [None if way is mark else axes.bbox for way in ways]
        boxes = [_box(axes, way) for way in ways]
        costs = [_cost(*each, points, others, dots) for each in zip(boxes, rooms, strict=True)]
        placed.append(ways[int(np.argmin(costs))])
    return placed


def _dot(axes: Axes, mark: Mark) -> np.ndarray:
    """Where a mark is, in pixels."""
    place: np.ndarray = axes.transData.transform((mark.x, mark.y))
    return place


class OnCurves:
    """Names of curves right above them or below, each as far from other curves as there is room.

    Attributes:
        others: the names for which there is no room.

    """

    def __init__(
        self, axes: Axes, names: Mapping[str, Curve], curves: Iterable[Curve], marks: Sequence[Mark]
    ) -> None:
        self.others: list[str] = []
        self.texts: list[tuple[float, Any]] = []
        curves, inverse = list(curves), axes.transData.inverted()
        texts, rooms = {}, {}
        for name, curve in names.items():
            text = style().label(axes, 0, 0, name, ha="left", color=curve.colour, zorder=6)
            others = [_pixels(axes, other) for other in curves if other is not curve]
            texts[name], rooms[name] = text, _rooms(axes, text, _pixels(axes, curve), others)
        places = _choose(rooms, [_box(axes, mark) for mark in marks])
        for name, text in texts.items():
            if name not in places:
                self.others.append(name)
                text.remove()
                continue
            left, right, low, _ = places[name]
            text.set_position(inverse.transform((left, low)))
            end = float(inverse.transform((right, low))[0])
            self.texts.append((end, text))
            line = _leader(axes, places[name], _pixels(axes, names[name]), names[name].colour)
            self.texts += [] if line is None else [(end, line)]

    @property
    def moving(self) -> list[Any]:
        """The names."""
        return [text for _, text in self.texts]

    def update(self, moment: float) -> None:
        """Show those as far as which the curves have come; where the future is drawn, all."""
        for end, text in self.texts:
            text.set_visible(style().ghost or moment >= end)


def _leader(axes: Axes, box: Box, own: np.ndarray, colour: Any) -> Any:
    """A line from a name in a box to the curve that it stands apart from; None where it is near."""
    left, right, low, high = box
    middle = (left + right) / 2
    x, y = own[np.abs(own[:, 0] - middle).argmin()]
    edge = low if y < low else high
    if abs(y - edge) < APART * style().pixels(axes, style().small):
        return None
    ends = axes.transData.inverted().transform([(middle, edge), (x, y)])
    return axes.plot(*ends.T, color=colour, lw=0.4 * style().line, zorder=1.6)[0]


def _choose(rooms: Mapping[str, Sequence[Room]], others: Sequence[Box]) -> dict[str, Box]:
    """A box for as many names as can have one, together the clearest, none over another."""
    best: dict[str, Box] = {}
    most = (0, 0.0)
    for order in itertools.islice(itertools.permutations(rooms), ORDERS):
        places: dict[str, Box] = {}
        total = 0.0
        for name in order:
            taken = [*others, *places.values()]
            free = (room for room in rooms[name] if not any(_over(room[1], box) for box in taken))
            clear, box = next(free, (0.0, None))
            if box is not None:
                places[name] = box
                total += clear
        if not best or (len(places), total) > most:
            best, most = places, (len(places), total)
    return best


def _over(one: Box, other: Box) -> bool:
    """Whether two boxes overlap."""
    across = one[0] < other[1] and other[0] < one[1]
    return across and one[2] < other[3] and other[2] < one[3]


def _rooms(axes: Axes, text: Any, own: np.ndarray, others: Sequence[np.ndarray]) -> list[Room]:
    """Boxes for a curve's name above it or below, the clearest first, each with how clear it is."""
    small, room, size = style().pixels(axes, style().small), axes.bbox, text.get_window_extent()
    x, y = np.concatenate([np.empty((0, 2)), *others]).T
    rooms = []
    for left in np.linspace(room.x0 + 0.5 * small, room.x1 - size.width, 100):
        right = float(left + size.width)
        under = own[(own[:, 0] > left) & (own[:, 0] < right), 1]
        if not under.size or np.ptp(under) > 3 * small:
            continue
        for off, side in itertools.product((0.2, 1.2, 2.2), (1, -1)):
            up = under.max() + off * small
            low = up if side > 0 else under.min() - off * small - size.height
            if low < room.y0 or low + size.height > room.y1:
                continue
            # a line to its curve would cross none but that
            near = (x > left + 0.4 * size.width) & (x < left + 0.6 * size.width)
            ends = sorted((low + size.height / 2, float(under.mean())))
            if ((y > ends[0]) & (y < ends[1]) & near).any():
                continue
            box = float(left), right, float(low), float(low + size.height)
            across = np.maximum(np.maximum(box[0] - x, x - box[1]), 0)
            along = np.maximum(np.maximum(box[2] - y, y - box[3]), 0)
            apart = float(np.hypot(across, along).min(initial=np.inf))
            if apart > ROOM * small:
                # nearer to its own curve than to others
                aside = float(np.abs(under - (low + size.height / 2)).mean())
                rooms.append((min(apart, small) - aside, box))
    return sorted(rooms, key=lambda room: -room[0])


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


def _box(axes: Axes, mark: Mark) -> Box:
    """Left, right, lower and upper edge of a mark's number, in pixels."""
    small = style().pixels(axes, style().small)
    x, y = _dot(axes, mark)
    wide, middle = 0.66 * small * len(mark.text), y + mark.lift * small
    share = {"left": 0.0, "center": 0.5, "right": 1.0}[mark.ha]
    left = x + BESIDE[mark.ha] * small - share * wide
    rim = 0.2 * small
    return left - rim, left + wide + rim, middle - 0.55 * small, middle + 0.55 * small


def _cost(
    box: Box,
    room: Any,
    points: np.ndarray,
    others: Sequence[Box],
    dots: Sequence[np.ndarray],
) -> int:
    """How many points lie in a box, and far more where it is out of place.

    That is where another box is, or the end of the room, or where of dots the first, its own,
    is not the nearest.
    """
    left, right, low, high = box
    x, y = points.T
    inside = (x > left) & (x < right) & (y > low) & (y < high)
    over = sum(_over(box, other) for other in others)
    outside = room is not None and not (
        room.x0 <= left and right <= room.x1 and room.y0 <= low and high <= room.y1
    )
    away = [np.hypot(x - (left + right) / 2, y - (low + high) / 2) for x, y in dots]
    aside = min(away) < away[0]
    return int(inside.sum()) + OUT * (over + outside + aside)


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
    beside = BESIDE[mark.ha] if mark.beside is None else mark.beside
    place: dict[str, Any] = {
        "xy": (mark.x, mark.y), "xytext": (beside * small, mark.lift * small),
        "ha": mark.ha, "va": "center",
    }  # fmt: skip
    if mark.name is not None:
        place = {
            "xy": (1, 0.5), "xycoords": mark.name, "xytext": (0.4 * small, 0), "va": "center",
            "linespacing": 1.05,
        }  # fmt: skip
    text = axes.annotate(
        mark.text, textcoords="offset points", fontsize=small, fontweight="bold",
        color=mark.colour, path_effects=[rim], zorder=8, **place,
    )  # fmt: skip
    return [dot, text]
