"""What string-to-circle is drawn of: the measured circle, the string as it is seen, and hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.modular_addition._dials import FAR, answer_colour
from grokviz.scenes.modular_addition.embedding import _rounds
from jaxtyping import Float

from grokviz.scene import frequencies, style
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

FINE = 16
"""Points of the string from one number to the next."""

SIDE = np.radians(14)
"""How far from square on the coil is seen, so that its turns are ellipses."""

FRONT = 0.14
"""The share of the string on which it leaves the line for the coil."""


@dataclass(frozen=True)
class Circle:
    """The numbers in a frequency's plane, and a sum of two of them.

    Attributes:
        k: the frequency.
        points: where each number is, in mean radii, as a complex number.
        a, b: the numbers that are added.

    """

    k: int
    points: Float[np.ndarray, " residue"]
    a: int
    b: int

    @property
    def p(self) -> int:
        """The modulus."""
        return len(self.points)

    @property
    def c(self) -> int:
        """The sum."""
        return (self.a + self.b) % self.p

    @property
    def spread(self) -> float:
        """Standard deviation of the radii over their mean."""
        return float(_rounds.spread(np.abs(self.points)))

    @property
    def turns(self) -> int:
        """How often the measured numbers go round, each step the short way."""
        steps = np.angle(np.roll(self.points, -1) * self.points.conj())
        return round(float(steps.sum()) / (2 * np.pi))

    @property
    def gap(self) -> float:
        """Degrees from the sum of the two angles to that of the sum."""
        z = self.points
        return abs(float(np.degrees(np.angle(z[self.a] * z[self.b] * z[self.c].conj()))))

    def angle(self, n: int) -> float:
        """The measured angle of a number, in the direction in which the numbers go round."""
        wanted = 2 * np.pi * (self.k * n % self.p) / self.p
        return wanted + float(np.angle(self.points[n] * np.exp(-1j * wanted)))

    def near(self) -> Float[np.ndarray, " residue"]:
        """Where each number is drawn: what lies far out is drawn nearer."""
        points: Float[np.ndarray, " residue"] = self.points * np.minimum(
            1, FAR / np.maximum(np.abs(self.points), 1e-12)
        )
        return points

    def string(self) -> tuple[np.ndarray, np.ndarray]:
        """Places along the string, in numbers, and where it is on the circle there.

        It passes through all numbers, and turns evenly between them.
        """
        n = np.arange(self.p)
        straight = np.exp(-2j * np.pi * self.k * n / self.p)
        unwound = self.near() * straight
        s = np.linspace(0, self.p - 1, FINE * (self.p - 1) + 1)
        between = np.interp(s, n, unwound.real) + 1j * np.interp(s, n, unwound.imag)
        return s, between * np.exp(2j * np.pi * self.k * s / self.p)


@dataclass(frozen=True)
class View:
    """How a string is seen.

    Attributes:
        at: the middle of its axis, in ems.
        length, radius: of the coil, in ems.
        yaw: the camera's angle, from 0 (square on) to a quarter of a turn (from the end).
        front: up to which share of the string it is wound.

    """

    at: tuple[float, float]
    length: float
    radius: float
    yaw: float = SIDE
    front: float = 1 + FRONT


class String:
    """The string with its beads, front and back apart, as they are seen."""

    def __init__(self, sheet: Axes, circle: Circle, data: xr.Dataset) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import to_rgb

        current_style, self.circle = style(), circle
        self.s, self.turning = circle.string()
        first, last = (
            np.array(to_rgb(colour))
            for colour in (frequencies.ink(circle.k, data), current_style.colours.ink)
        )
        share = (self.s / (circle.p - 1))[:, None]
        self.shades = first + 0.75 * share * (last - first)
        width = 0.55 * current_style.line
        self.lines: list[Any] = []
        for zorder in (1.0, 3.0):
            lines = LineCollection([], linewidths=width, zorder=zorder, capstyle="butt")
            self.lines.append(sheet.add_collection(lines, autolim=False))
        self.beads: list[Any] = [
            sheet.scatter([], [], s=[], linewidths=0, zorder=zorder) for zorder in (1.5, 3.5)
        ]
        self.size = (0.3 * current_style.points) ** 2

    @property
    def moving(self) -> list[Any]:
        """The string and its beads."""
        return [*self.lines, *self.beads]

    def hide(self) -> None:
        """Draw nothing."""
        for artist in self.moving:
            artist.set_visible(False)

    def places(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """Where each point of the string is seen, in ems, and how near it is, from -1 to 1."""
        share = self.s / (self.circle.p - 1)
        wound = np.clip((view.front - share) / FRONT, 0, 1)
        wound = wound * wound * (3 - 2 * wound)
        z = self.turning * wound
        along = view.length * (share - 0.5)
        x = view.at[0] + along * np.cos(view.yaw) + view.radius * z.real * np.sin(view.yaw)
        y = view.at[1] + view.radius * z.imag
        near = z.real * np.cos(view.yaw) - 2 * (share - 0.5) * np.sin(view.yaw)
        return np.stack([x, y], axis=1), near

    def bead(self, view: View, n: int) -> tuple[float, float]:
        """Where a number is seen."""
        x, y = self.places(view)[0][FINE * n]
        return float(x), float(y)

    def show(self, view: View, light: float = 1.0) -> None:
        """Draw it; ``light`` is how strong its line is."""
        places, near = self.places(view)
        pieces = np.stack([places[:-1], places[1:]], axis=1)
        middle = (near[:-1] + near[1:]) / 2
        strong = light * (0.3 + 0.35 * (1 + np.clip(middle, -1, 1)))
        colours = np.column_stack([self.shades[:-1], strong])
        beads, depth = places[::FINE], near[::FINE]
        for front, line, dots in zip((False, True), self.lines, self.beads, strict=True):
            some, those = (middle >= 0) == front, (depth >= 0) == front
            line.set_segments(pieces[some])
            line.set_colors(colours[some])
            dots.set_offsets(beads[those])
            dots.set_sizes(self.size * (0.8 + 0.35 * np.clip(depth[those], -1, 1)))
            shade = 0.65 + 0.35 * (depth[those] >= 0)
            dots.set_facecolors(np.column_stack([self.shades[::FINE][those], shade]))
            for artist in (line, dots):
                artist.set_visible(True)


class Hands:
    """The hands on the circle: to a, on by b, and the number where they should lead."""

    def __init__(self, sheet: Axes, circle: Circle) -> None:
        from matplotlib.patheffects import withStroke

        current_style, colours = style(), style().colours
        self.circle = circle
        line, size = current_style.line, 0.55 * current_style.points
        (self.zero,) = sheet.plot([], [], color=colours.muted, lw=0.5 * line,
                                  ls=(0, (1, 2.2)), zorder=4.5)  # fmt: skip
        (self.first,) = sheet.plot([], [], color=colours.muted, lw=line, zorder=5)
        (self.arc,) = sheet.plot([], [], color=colours.muted, lw=0.6 * line, zorder=4.5)
        (self.sum,) = sheet.plot([], [], color=answer_colour(), lw=1.6 * line, zorder=6)
        self.marks = [
            sheet.plot([], [], "o", color=colour, ms=size, mew=0, zorder=7)[0]
            for colour in (colours.ink, colours.ink, answer_colour())
        ]
        rim = withStroke(linewidth=0.4 * current_style.points, foreground=colours.background)
        self.turned = sheet.text(0, 0, f"+{circle.b}", ha="center", va="center",
                                 color=colours.muted, zorder=8, path_effects=[rim])  # fmt: skip
        self.names = [
            sheet.text(0, 0, str(n), ha="center", va="center", fontweight="bold", color=colour,
                       fontsize=1.25 * current_style.points, zorder=8)
            for n, colour in ((circle.a, colours.ink), (circle.b, colours.ink),
                              (circle.c, answer_colour()))
        ]  # fmt: skip
        self.from_zero = sheet.text(0, 0, "0", ha="center", va="center", color=colours.muted,
                                    zorder=8)  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        """Hands, dots and names."""
        return [self.zero, self.first, self.arc, self.sum, self.turned, self.from_zero,
                *self.marks, *self.names]  # fmt: skip

    def show(self, view: View, first: float, second: float, meet: float) -> None:
        """Turn the hands by shares of the angles of a and of b, and mark the number they meet."""
        circle = self.circle
        a, b = circle.angle(circle.a), circle.angle(circle.b)

        def place(z: Any) -> tuple[np.ndarray, np.ndarray]:
            z = view.radius * np.asarray(z)
            return view.at[0] + z.real, view.at[1] + z.imag

        self.zero.set_data(*place([0, 0.93]))
        self.first.set_data(*place([0, 0.93 * np.exp(1j * first * a)]))
        for artist in (self.zero, self.first):
            artist.set_visible(first > 0)
        sweep = np.exp(1j * np.linspace(a, a + second * b, 90))
        self.arc.set_data(*place(0.5 * sweep))
        self.sum.set_data(*place([0, 0.93 * np.exp(1j * (a + second * b))]))
        x, y = place(0.5 * (1 + 1.5 / view.radius) * np.exp(1j * (a + 0.5 * second * b)))
        self.turned.set_position((float(x), float(y)))
        for artist in (self.arc, self.sum):
            artist.set_visible(second > 0)
        # beside the arc there is room for it when the arc is there
        self.turned.set_visible(second > 0.6)
        shown = (first > 0, second > 0, meet > 0)
        numbers = np.array([circle.a, circle.b, circle.c])
        there = circle.near()[numbers]
        out = np.maximum(np.abs(there), 1) + 1.5 / view.radius
        # names of neighbours stand apart
        least = 2.9 / (view.radius * out.max())
        *turns, zero = apart(np.append(np.angle(there), 0.0), least)
        names = out * np.exp(1j * np.array(turns))
        # angles are counted from 0, which is named where no other number is there
        x, y = place((1 + 1.5 / view.radius) * np.exp(1j * zero))
        self.from_zero.set_position((float(x), float(y)))
        self.from_zero.set_visible(first > 0 and 0 not in numbers and abs(zero) < least)
        # a number that is named twice has its last name
        seen_last = [
            seen and not any(n == m and later for m, later in zip(
                numbers[place_ + 1 :], shown[place_ + 1 :], strict=True))
            for place_, (n, seen) in enumerate(zip(numbers, shown, strict=True))
        ]  # fmt: skip
        for z, away, mark, name, seen in zip(
            there, names, self.marks, self.names, seen_last, strict=True
        ):
            mark.set_data(*(np.atleast_1d(v) for v in place(z)))
            x, y = place(away)
            name.set_position((float(x), float(y)))
            mark.set_visible(seen)
            name.set_visible(seen)

    def hide(self) -> None:
        """Draw nothing."""
        for artist in self.moving:
            artist.set_visible(False)


def apart(angles: Float[np.ndarray, " name"], least: float) -> Float[np.ndarray, " name"]:
    """Angles of names on a circle that are at least so far from one another, in radians."""
    order = np.argsort(angles, kind="stable")
    gaps = np.diff(np.append(angles[order], angles[order][0] + 2 * np.pi))
    # the circle is cut where it is emptiest
    order = np.roll(order, -1 - int(gaps.argmax()))
    start = angles[order[0]]
    wanted = (angles[order] - start) % (2 * np.pi)
    places = pushed_apart(wanted.tolist(), [least] * len(wanted), -np.pi, 3 * np.pi)
    names = np.empty(len(angles))
    names[order] = np.array(places) + start
    return names
