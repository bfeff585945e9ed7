"""The numbers on a string that winds into the circle of the embedding, where angles add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition._dials import FAR, answer_colour, embedded_circle
from grokviz.scenes.modular_addition._motion import MOMENTS, share_of, shot
from grokviz.scenes.modular_addition._pair import pair_of
from jaxtyping import Float

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, style
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

ROUND = 0.2
"""A circle's radii vary by less than this share of their mean; those of a cloud by about half."""

FINE = 16
"""Points of the string from one number to the next."""

SIDE = np.radians(14)
"""How far from square on the coil is seen, so that its turns are ellipses."""

FRONT = 0.14
"""The share of the string on which it leaves the line for the coil."""

WIND, LOOK, STEP = (0.05, 0.34), (0.39, 0.56), (0.58, 0.64)
TURN_A, TURN_B, MEET = (0.67, 0.76), (0.79, 0.89), (0.90, 0.94)
"""When in the film the string winds, the camera turns, one step is marked, and the hands turn."""


@dataclass(frozen=True)
class StringToCircle(Scene):
    """The numbers in a row, wound into a coil, and seen from its end, where two hands add."""

    name = "string-to-circle"
    title = "The string of numbers is wound onto a circle, where angles add"
    watch = "every step along the string is the same part of a turn"
    source = "thread, tweet 9; arXiv:2301.05217, section 4.1"
    needs = ("embedding_plane", "embedding_frequency_norm", "key_neurons",
             "logged_train_loss", "logged_test_loss")  # fmt: skip
    clock = None
    moments = MOMENTS
    aspect = 1.75
    narrow_aspect = 0.6

    a: int = option(27, "the first number")
    b: int = option(95, "the second number")
    frequency: int | None = option(None, "embedded frequency, of the key ones the lowest if none")

    def __post_init__(self) -> None:
        if self.a < 0 or self.b < 0:
            raise ValueError(f"a={self.a} and b={self.b} must not be negative")

    def claim(self, data: xr.Dataset) -> Claim:
        """How often the numbers go round, how round it is, and where the two angles lead."""
        circle = self._circle(data)
        numbers = {"spread": circle.spread, "turns": circle.turns, "gap": circle.gap}
        if circle.spread < ROUND and circle.turns == circle.k:
            sentence = f"A string of {circle.p} numbers, wound {circle.k} times, is a circle"
            watch = (
                f"radii vary by {circle.spread:.0%}; the angles of {circle.a} and {circle.b} add up "
                f"to that of {circle.c}, within {circle.gap:.0f}\u00b0"
            )
            return Claim(sentence, watch, numbers=numbers)
        sentence = (
            f"In the plane of frequency {circle.k} the numbers lie in a cloud: "
            f"radii vary by {circle.spread:.0%}"
        )
        if circle.spread < ROUND:
            sentence = f"In the plane of frequency {circle.k} the numbers do not go round in order"
        return _claims.instead(data, sentence, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A still of string, coil and circle, linked; a film in which the one becomes the other."""
        circle = self._circle(data)
        wide, high = style().ems(figure)
        sheet = figure.add_axes((0, 0, 1, 1))
        sheet.set(xlim=(0, wide), ylim=(0, high))
        sheet.axis("off")
        still = _Still(sheet, circle, data, narrow=style().narrow(figure))
        return Drawing.of(still, _Film(sheet, circle, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """How often the numbers go round, how round the circle is, and where the hands point."""
        circle = self._circle(data)
        return (
            f"The numbers 0 to {circle.p - 1} in a row, the same string as a coil of {circle.k} "
            f"turns, and the coil seen from its end: the embedding in the plane of frequency "
            f"{circle.k}, where the numbers go round {circle.turns} times and radii vary by "
            f"{circle.spread:.1%}. Hands at the angles of {circle.a} and {circle.b} add up to an "
            f"angle {circle.gap:.1f} degrees from that of {circle.c}; neighbours on the circle are "
            f"{360 / circle.p:.1f} degrees apart."
        )

    def definition(self, data: xr.Dataset) -> str:
        """What is measured, what is drawn, and the citation."""
        circle = self._circle(data)
        return (
            f"Beads: the numbers, at the angles and radii that the embedding $W_E$ gives them in "
            f"the plane of frequency {circle.k} at the last checkpoint, in mean radii. The line "
            f"through them is drawn, {circle.k}/{circle.p} of a turn a number, and so is their "
            f"distance along the coil. Hands: the angles of {circle.a} and of {circle.b}, and "
            f"their sum. {after('section 4.1')}"
        )

    def _circle(self, data: xr.Dataset) -> _Circle:
        k = self._followed(data)
        points = embedded_circle(data, k)
        if points is None:
            raise InputError(
                f"{self.name}: the embedding in the plane of frequency {k} is no number, or has no "
                "extent; draw another run"
            )
        return _Circle(k, points, *pair_of(self, data, self.a, self.b))

    def _followed(self, data: xr.Dataset) -> int:
        known = frequencies.embedded(data)
        if not known:
            raise InputError(
                f"{self.name}: this run has no embedded frequency whose plane could be drawn; "
                "train it further"
            )
        if self.frequency is None:
            # the fewest turns are followed with the eye
            return min([k for k in frequencies.key_frequencies(data) if k in known] or known)
        if self.frequency not in known:
            listed = ", ".join(map(str, known[:12]))
            raise InputError(f"{self.name}: {self.frequency} is not embedded; there are {listed}")
        return self.frequency


@dataclass(frozen=True)
class _Circle:
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
        return float(np.abs(self.points).std())

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
        """The measured angle of a number, the short way round."""
        return float(np.angle(self.points[n]))

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
class _View:
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


class _String:
    """The string with its beads, front and back apart, as they are seen."""

    def __init__(self, sheet: Axes, circle: _Circle, data: xr.Dataset) -> None:
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

    def places(self, view: _View) -> tuple[np.ndarray, np.ndarray]:
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

    def bead(self, view: _View, n: int) -> tuple[float, float]:
        """Where a number is seen."""
        x, y = self.places(view)[0][FINE * n]
        return float(x), float(y)

    def show(self, view: _View, light: float = 1.0) -> None:
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


class _Hands:
    """The hands on the circle: to a, on by b, and the number where they should lead."""

    def __init__(self, sheet: Axes, circle: _Circle) -> None:
        from matplotlib.patheffects import withStroke

        current_style, colours = style(), style().colours
        self.circle = circle
        line, size = current_style.line, 0.55 * current_style.points
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

    @property
    def moving(self) -> list[Any]:
        """Hands, dots and names."""
        return [self.first, self.arc, self.sum, self.turned, *self.marks, *self.names]

    def show(self, view: _View, first: float, second: float, meet: float) -> None:
        """Turn the hands by shares of the angles of a and of b, and mark the number they meet."""
        circle = self.circle
        a, b = circle.angle(circle.a), circle.angle(circle.b)

        def place(z: Any) -> tuple[np.ndarray, np.ndarray]:
            z = view.radius * np.asarray(z)
            return view.at[0] + z.real, view.at[1] + z.imag

        self.first.set_data(*place([0, 0.93 * np.exp(1j * first * a)]))
        self.first.set_visible(first > 0)
        sweep = np.exp(1j * np.linspace(a, a + second * b, 90))
        self.arc.set_data(*place(0.5 * sweep))
        self.sum.set_data(*place([0, 0.93 * np.exp(1j * (a + second * b))]))
        x, y = place(0.5 * (1 + 1.5 / view.radius) * np.exp(1j * (a + 0.5 * second * b)))
        self.turned.set_position((float(x), float(y)))
        for artist in (self.arc, self.sum, self.turned):
            artist.set_visible(second > 0)
        shown = (first > 0, second > 0, meet > 0)
        numbers = np.array([circle.a, circle.b, circle.c])
        there = circle.near()[numbers]
        out = np.maximum(np.abs(there), 1) + 1.5 / view.radius
        # names of neighbours stand apart
        names = out * np.exp(1j * _apart(np.angle(there), 2.9 / (view.radius * out.max())))
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


def _apart(angles: Float[np.ndarray, " name"], least: float) -> Float[np.ndarray, " name"]:
    """Angles of names on a circle that are at least so far from one another, in radians."""
    order = np.argsort(angles, kind="stable")
    gaps = np.diff(np.append(angles[order], angles[order][0] + 2 * np.pi))
    # the circle is cut where it is emptiest
    order = np.roll(order, -1 - int(gaps.argmax()))
    start = angles[order[0]]
    wanted = (angles[order] - start) % (2 * np.pi)
    places = pushed_apart(wanted.tolist(), [least] * len(wanted), -np.pi, 3 * np.pi)
    apart = np.empty(len(angles))
    apart[order] = np.array(places) + start
    return apart


class _Still:
    """String, coil and circle beside one another, three numbers linked through them."""

    def __init__(self, sheet: Axes, circle: _Circle, data: xr.Dataset, *, narrow: bool) -> None:
        self.circle = circle
        self.views = _still_views(sheet, narrow=narrow)
        self.strings = [_String(sheet, circle, data) for _ in self.views]
        self.hands = _Hands(sheet, circle)
        self.links = self._links(sheet, narrow=narrow)
        self.words = self._words(sheet)

    def _links(self, sheet: Axes, *, narrow: bool) -> list[Any]:
        """Dotted lines from each of the three numbers on the string to it on coil and circle."""
        colours, circle, links = style().colours, self.circle, []
        ends = {circle.a: colours.muted, circle.b: colours.muted, circle.c: answer_colour()}
        for n, colour in ends.items():
            places = [s.bead(v, n) for s, v in zip(self.strings, self.views, strict=True)]
            look: dict[str, Any] = {"color": colour, "zorder": 2.5}
            joined = places if not narrow else places[:2]
            links += sheet.plot(*zip(*joined, strict=True), ls=(0, (1, 2.2)),
                                lw=0.5 * style().line, **look)  # fmt: skip
            links += sheet.plot(*zip(*places[:2], strict=True), "o", ms=0.5 * style().points,
                                mew=0, **{**look, "zorder": 4})  # fmt: skip
            x, y = places[0]
            links.append(sheet.text(x, y + 0.7, str(n), ha="center", va="bottom", zorder=5,
                                    fontweight="bold",
                                    color=colours.ink if n != circle.c else colour))  # fmt: skip
        _set_apart(links[2::3])
        return links

    def _words(self, sheet: Axes) -> list[Any]:
        circle, (line, coil, end) = self.circle, self.views
        look: dict[str, Any] = {"color": style().colours.muted, "va": "top"}
        low = coil.at[1] - coil.radius - 2.7
        start = line.at[0] - line.length / 2
        texts = [
            sheet.text(start, line.at[1] - 0.7, "0", ha="center", **look),
            sheet.text(start + line.length, line.at[1] - 0.7, str(circle.p - 1), ha="center",
                       **look),
            sheet.text(coil.at[0], low, f"wound {circle.k} times", ha="center", **look),
            sheet.text(end.at[0], low if end.length == 0 and end.at[1] == coil.at[1] else
                       end.at[1] - end.radius - 2.7, "seen from its end", ha="center",
                       **look),
        ]  # fmt: skip
        return texts

    @property
    def moving(self) -> list[Any]:
        """All of it: the film has none of it."""
        strings = [artist for string in self.strings for artist in string.moving]
        return [*strings, *self.hands.moving, *self.links, *self.words]

    def update(self, i: int) -> None:
        """Show it as the still, and nothing of it in the film."""
        for artist in [*self.links, *self.words]:
            artist.set_visible(i == 0)
        if i:
            for part in (*self.strings, self.hands):
                part.hide()
            return
        for n, (string, view) in enumerate(zip(self.strings, self.views, strict=True)):
            string.show(view, 0.45 if n == 2 else 1.0)
        self.hands.show(self.views[2], 1.0, 1.0, 1.0)


def _set_apart(names: list[Any]) -> None:
    """Move the names of numbers that are neighbours on the string sideways."""
    names = sorted(names, key=lambda name: float(name.get_position()[0]))
    wide = [0.72 * len(name.get_text()) + 0.7 for name in names]
    wanted = [float(name.get_position()[0]) for name in names]
    places = pushed_apart(wanted, wide, wanted[0] - 9, wanted[-1] + 9)
    for name, x in zip(names, places, strict=True):
        name.set_x(x)


def _still_views(sheet: Axes, *, narrow: bool) -> list[_View]:
    """The row, the coil below it, and its end at the right, or below."""
    (wide, high), left = (sheet.get_xlim()[1], sheet.get_ylim()[1]), 1.4
    if style().slide:
        left = 5.0
    quarter = np.pi / 2
    if narrow:
        radius = min(0.15 * high, 0.3 * wide)
        length = wide - 2.4 * left
        middle = high - 4.4 - FAR * radius
        return [
            _View((wide / 2, high - 2.4), length, 0.0, 0.0, -1.0),
            _View((wide / 2, middle), length - 2 * radius * np.sin(SIDE), 0.85 * radius),
            _View((wide / 2, radius + 4.6), 0.0, radius, quarter),
        ]
    radius = max(min(0.5 * (high - 11.6), 0.16 * wide), 2.0)
    middle = radius + 4.4
    end = wide - radius - 4.6
    length = end - 1.6 * radius - left - 2 * radius * np.sin(SIDE) - 1.0
    centre = left + length / 2 + radius * np.sin(SIDE)
    return [
        _View((centre, high - 2.4), length, 0.0, 0.0, -1.0),
        _View((centre, middle), length, radius),
        _View((end, middle), 0.0, radius, quarter),
    ]


class _Film:
    """The string as it is wound, seen from its side and then from its end, and the hands."""

    def __init__(self, sheet: Axes, circle: _Circle, data: xr.Dataset) -> None:
        self.circle = circle
        self.wide, self.high = sheet.get_xlim()[1], sheet.get_ylim()[1]
        self.string, self.hands = _String(sheet, circle, data), _Hands(sheet, circle)
        colours, p = style().colours, circle.p
        look: dict[str, Any] = {"ha": "center", "color": colours.muted}
        view = self._view(0.0)
        self.ticks: list[Any] = []
        for n in sorted({*range(0, p - p // 14, max(p // 7, 1)), p - 1}):
            x, y = self.string.bead(view, n)
            self.ticks.append(sheet.text(x, y - 0.9, str(n), va="top", **look))
        self.words = sheet.text(self.wide / 2, 0.9, "", va="bottom", ha="center",
                                fontsize=1.15 * style().points)  # fmt: skip
        self.steps: list[Any] = sheet.plot([], [], "-o", color=colours.ink, zorder=5,
                                           lw=0.7 * style().line, ms=0.4 * style().points,
                                           mew=0)  # fmt: skip
        self.step_names = [sheet.text(0, 0, str(n), fontweight="bold", va="center", zorder=6,
                                      ha="center") for n in range(min(4, p))]  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        """All of it."""
        return [*self.string.moving, *self.hands.moving, *self.ticks, self.words, *self.steps,
                *self.step_names]  # fmt: skip

    def _view(self, now: float) -> _View:
        """Where the camera is, and how much is wound."""
        turned, length = shot(now, *LOOK), self.wide - 13.0
        radius = 0.3 * self.high + turned * 0.06 * self.high
        yaw = SIDE * shot(now, *WIND) + turned * (np.pi / 2 - SIDE)
        front = (1 + FRONT) * shot(now, *WIND) if now > WIND[0] else -1.0
        return _View((self.wide / 2, 0.54 * self.high), length, radius, float(yaw), front)

    def update(self, i: int) -> None:
        """Show a moment of the film, and nothing as a still."""
        if i == 0:
            self.string.hide()
            self.hands.hide()
            for artist in [*self.ticks, self.words, *self.steps, *self.step_names]:
                artist.set_visible(False)
            return
        now = share_of(i)
        view = self._view(now)
        turned = shot(now, *LOOK)
        self.string.show(view, 1 - 0.7 * turned)
        for tick in self.ticks:
            tick.set_visible(now <= WIND[0])
        self._step(view, now)
        self.hands.show(view, shot(now, *TURN_A), shot(now, *TURN_B), shot(now, *MEET))
        self.words.set_visible(True)
        self.words.set_text(self._said(now))

    def _step(self, view: _View, now: float) -> None:
        """The first numbers, joined, while one step is spoken of."""
        seen = STEP[0] <= now < TURN_A[0]
        points = np.array([self.string.bead(view, n) for n in range(len(self.step_names))])
        self.steps[0].set_data(points[:, 0], points[:, 1])
        self.steps[0].set_visible(seen)
        middle = np.array(view.at)
        for name, point in zip(self.step_names, points, strict=True):
            out = (point - middle) / max(float(np.linalg.norm(point - middle)), 1e-9)
            name.set_position(tuple(point + 1.4 * out))
            name.set_visible(seen)

    def _said(self, now: float) -> str:
        circle = self.circle
        if now <= WIND[0] or self._view(now).front * circle.k < 1:
            return f"the numbers 0 to {circle.p - 1} on a string"
        if now < LOOK[0]:
            wound = round(min(max(self._view(now).front, 0.0), 1.0) * circle.k)
            return f"wound {wound} time{'' if wound == 1 else 's'}"
        if now < STEP[0]:
            return "seen from its end: the network's own embedding"
        if now < TURN_A[0]:
            return f"one number further is {circle.k}/{circle.p} of a turn"
        if now < TURN_B[0]:
            return f"a hand turns to {circle.a}"
        if now < MEET[0]:
            return f"and on by the angle of {circle.b}"
        return (
            f"it points at {circle.a} + {circle.b} = {circle.c}, but for {circle.gap:.0f}\u00b0"
        )
