"""Rings of points: whether points are one, in which order numbers lie on it, and a dial around."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.scene import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THIN = 0.25
"""Points are a ring where their distances from the middle deviate by at most this share."""

NEXT = 0.5
"""Neighbours on a ring are at most this share of its radius apart, by their median."""

FEWEST = 12
"""Fewer points than this are no ring, wherever they lie."""

NAMED = 6
"""So many numbers are named on a dial, the first of the walk around it, where they have room."""

OUTSIDE, WIDTH = 0.18, 0.03
"""The room outside all points, and how wide a dial's rim is, in the reach of the points."""

TURNS = np.deg2rad([0, 45, -45, 90, -90, 135, -135, 180])
"""How far from outwards a number may stand beside its point, in the order they are tried."""

FREE = 0.85
"""Words stand in the middle where no point is nearer to it than this share of their room."""


def is_ring(points: np.ndarray) -> bool:
    """Whether points (n, 2) lie about as far from their middle, all around it."""
    if len(points) < FEWEST:
        return False
    away = points - points.mean(axis=0)
    radii, angles = np.linalg.norm(away, axis=1), np.sort(np.arctan2(away[:, 1], away[:, 0]))
    gaps = np.diff(angles, append=angles[0] + 2 * np.pi)
    return bool(radii.std() <= THIN * radii.mean() and gaps.max() <= np.pi / 3)


@dataclass(frozen=True)
class RingOrder:
    """In which order numbers come on a ring: each is a neighbour of the one ``step`` after it.

    Attributes:
        step: by how much neighbours differ.
        modulus: of how many numbers the ring is, after which it begins anew; 0 if it does not.
        pairs: the neighbours that are near one another (m, 2).

    """

    step: int
    modulus: int
    pairs: np.ndarray

    def walk(self, most: int) -> np.ndarray:
        """The first numbers from 0 on of which each is a neighbour of the next, at most so many."""
        walk = self.step * np.arange(most)
        return walk % self.modulus if self.modulus else walk[walk <= self.pairs.max()]

    @property
    def words(self) -> str:
        """Which numbers are neighbours."""
        return f"n to n + {self.step}" + (f" mod {self.modulus}" if self.modulus else "")


def order_on_ring(points: np.ndarray) -> RingOrder | None:
    """The order of numbers on a ring of points (n, 2), by the step whose pairs are nearest.

    All numbers may be on the ring, or all but the last, as of residues and a token for "=". None
    where the points are no ring, or no step has neighbours by the median.
    """
    if not is_ring(points):
        return None
    radius = float(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())
    orders = [
        _pairs(points, step, modulus)
        for modulus in (0, len(points), len(points) - 1)
        for step in range(1, (modulus or len(points) - 1) // 2 + 1)
    ]
    apart = [float(np.median(ways)) for _, ways in orders]
    ends = [float(np.median(ways[-order.step :])) for order, ways in orders]
    able = [
        (order.modulus == 0, distance, n)
        for n, ((order, _), distance, end) in enumerate(zip(orders, apart, ends, strict=True))
        if distance <= NEXT * radius and (order.modulus == 0 or end <= NEXT * radius)
    ]
    if not able:
        return None
    order, ways = orders[min(able)[2]]
    return dataclasses.replace(order, pairs=order.pairs[ways <= 3 * np.median(ways)])


def once_round(points: np.ndarray, order: RingOrder) -> bool:
    """Whether a walk by the step of an order, through all of its numbers, is one turn."""
    return bool(order.modulus) and abs(_turns(points, order)) == 1


def dial_angles(points: np.ndarray, order: RingOrder) -> np.ndarray:
    """Where the numbers of an order stand on an even dial, turned to lie nearest to their points.

    ``points`` are (n, 2), and the walk is once round them; the angles are in radians, by number.
    """
    walk = order.walk(order.modulus)
    even = np.empty(order.modulus)
    even[walk] = _turns(points, order) * 2 * np.pi * np.arange(order.modulus) / order.modulus
    away = points - points.mean(axis=0)
    angles = np.arctan2(away[:, 1], away[:, 0])[: order.modulus]
    turned: np.ndarray = even + np.angle(np.exp(1j * (angles - even)).mean())
    return turned


def _turns(points: np.ndarray, order: RingOrder) -> int:
    """How often a walk through all numbers of an order goes round, against the clock."""
    away = points - points.mean(axis=0)
    angles = np.arctan2(away[:, 1], away[:, 0])[order.walk(order.modulus + 1)]
    turns = (np.diff(angles) + np.pi) % (2 * np.pi) - np.pi
    return round(float(turns.sum()) / (2 * np.pi))


def _pairs(points: np.ndarray, step: int, modulus: int) -> tuple[RingOrder, np.ndarray]:
    """All pairs of numbers that differ by a step, and how far apart their points are."""
    first = np.arange(modulus or len(points) - step)
    second = (first + step) % modulus if modulus else first + step
    ways = np.linalg.norm(points[second] - points[first], axis=1)
    return RingOrder(step, modulus, np.stack([first, second], axis=1)), ways


class Dial:
    """A dial that counts by a step, and around its rim the points, each tied to its place on it.

    The rim is as far from the middle as the points are at the end, on average.

    Args:
        axes: where it is drawn; its limits are set.
        planes: the points at every moment (moment, n, 2); at the last with numbers a walk by the
            step is once round. Each moment is drawn to its own scale, to the farthest point.
        order: in which order the numbers come.
        labels: what each number is called; none for points without numbers.

    """

    def __init__(
        self, axes: Axes, planes: np.ndarray, order: RingOrder, labels: list[str] | None
    ) -> None:
        from matplotlib.collections import LineCollection

        points = _scaled(planes[:, : order.modulus])
        end = points[np.flatnonzero(np.isfinite(points).all(axis=(1, 2)))[-1]]
        # 0 is at the top, and the walk goes with the clock: a plane has no top and no face
        over = np.array([1, -1 if _turns(end, order) > 0 else 1])
        turn = np.pi / 2 - dial_angles(end * over, order)[0]
        straight = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        self._points = points * over @ straight
        walk = order.walk(order.modulus)
        angles = np.pi / 2 - 2 * np.pi * np.argsort(walk, kind="stable") / order.modulus
        ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        colours = wheel(angles)
        rim = float(np.linalg.norm(end, axis=1).mean())
        self._places = rim * ways
        wide, high = axes.bbox.width, axes.bbox.height
        unit = (1.0 + OUTSIDE) / min(wide, high)
        axes.set(xlim=(-unit * wide, unit * wide), ylim=(-unit * high, unit * high))
        axes.axis("off")
        line, points = style().line, style().points
        _rim(axes, rim, angles, colours)
        self._ties = LineCollection([], colors=list(colours), linewidths=0.7 * line, alpha=0.75)
        axes.add_collection(self._ties, autolim=False)
        size = min(0.72, 36 / order.modulus) * points
        self._dots = axes.scatter([], [], s=size**2, c="none", lw=0, zorder=3)
        self._colours = colours
        self._pixel, self._size = 2 * unit, size
        first = order.walk(min(NAMED, order.modulus))
        self._numbers = {n: _number(axes, labels[n]) for n in first} if labels else {}
        self._words = axes.text(
            0, 0, f"{order.modulus} steps\nof {order.step}" if labels else "", ha="center",
            color=style().colours.muted, va="center", fontsize=style().small, zorder=1,
        )  # fmt: skip
        room = 2.4 * style().pixels(axes, style().small)
        self._room = room * unit / FREE

    @property
    def moving(self) -> list[Any]:
        """The points, what ties them to the dial, and the words in the middle."""
        return [self._ties, self._dots, self._words, *self._numbers.values()]

    def update(self, i: int) -> None:
        """Put the points where they are at that moment."""
        points = self._points[i]
        known = np.isfinite(points).all(axis=1)
        self._ties.set_segments(list(np.stack([points, self._places], axis=1)[known]))
        self._ties.set_color(self._colours[known])
        self._dots.set_offsets(points[known])
        self._dots.set_facecolors(self._colours[known])
        self._number(points)
        self._words.set_visible(bool((np.linalg.norm(points[known], axis=1) > self._room).all()))

    def _number(self, points: np.ndarray) -> None:
        """Put the numbers beside their points on a ring, outside of it if they have room there."""
        em = style().pixels(self._dots.axes, style().small) * self._pixel
        dot = style().pixels(self._dots.axes, self._size) / 2 * self._pixel
        taken: list[tuple[np.ndarray, np.ndarray]] = []
        others = points[np.isfinite(points).all(axis=1)]
        named = is_ring(others)  # in a tangle they would jump from moment to moment
        for n, text in self._numbers.items():
            text.set_visible(False)
            if not named or not np.isfinite(points[n]).all():
                continue
            half = np.array([0.31 * len(text.get_text()) + 0.1, 0.5]) * em
            outward = np.arctan2(*points[n][::-1])
            for turn in TURNS:
                way = np.array([np.cos(outward + turn), np.sin(outward + turn)])
                # the nearest place on this side at which the number does not touch the dot
                far = min((half + 1.2 * dot) / np.maximum(np.abs(way), 1e-9))
                centre = points[n] + far * way
                on_dot = (np.abs(others - centre) < half + dot).all(axis=1).any()
                if on_dot or any((np.abs(at - centre) < room + half).all() for at, room in taken):
                    continue
                text.set(position=tuple(centre), visible=True)
                taken.append((centre, half))
                break


def _number(axes: Axes, label: str) -> Any:
    """The text of a number, to be put beside its point."""
    return axes.text(
        0, 0, label, ha="center", va="center_baseline", zorder=4, fontsize=style().small,
        fontweight="bold", color=style().colours.ink,
    )  # fmt: skip


def _scaled(planes: np.ndarray) -> np.ndarray:
    """Points around their middle at each moment, the farthest one away; where all are one, there.

    Moments at which a coordinate is no number stay so.
    """
    away = planes - planes.mean(axis=1, keepdims=True)
    reach = np.linalg.norm(away, axis=2).max(axis=1)[:, None, None]
    scaled: np.ndarray = away / np.where(reach > 0, reach, 1)
    return scaled


def _rim(axes: Axes, radius: float, angles: np.ndarray, colours: np.ndarray) -> None:
    """A segment of the rim for each number, in its colour."""
    from matplotlib.collections import PolyCollection

    half = 0.8 * np.pi / len(angles)
    turn = angles[:, None] + np.linspace(-half, half, 9)
    arc = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    sides = [(radius - WIDTH / 2) * arc, (radius + WIDTH / 2) * arc[:, ::-1]]
    axes.add_collection(
        PolyCollection(
            list(np.concatenate(sides, axis=1)), facecolors=colours, lw=0, alpha=0.5, zorder=1
        ),
        autolim=False,
    )


def wheel(angles: np.ndarray) -> np.ndarray:
    """Colours of one lightness around a circle, in red, green and blue.

    Source: Ottosson, A perceptual color space for image processing (Oklab, 2020).
    """
    a, b = 0.125 * np.cos(angles), 0.125 * np.sin(angles)
    light = 0.68
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.stack([
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    ], axis=-1).clip(0, 1)  # fmt: skip
    bright = 1.055 * linear ** (1 / 2.4) - 0.055
    colours: np.ndarray = np.where(linear <= 0.0031308, 12.92 * linear, bright)
    return colours
