"""The numbers on a string that winds into the circle of the embedding, where angles add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition._dials import answer_colour, embedded_circle
from grokviz.scenes.modular_addition._motion import MOMENTS, share_of, shot
from grokviz.scenes.modular_addition._pair import pair_of
from grokviz.scenes.modular_addition.embedding import _rounds
from grokviz.scenes.modular_addition.embedding._string import (
    FRONT,
    SIDE,
    Circle,
    Hands,
    String,
    View,
)

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, style
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

COIL = 5
"""So many turns at least are followed where no frequency is asked for."""

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
    checkpoint = "epoch"
    any_checkpoint = True
    film_moments = MOMENTS
    aspect = 1.75
    narrow_aspect = 0.6

    a: int = option(27, "the first number")
    b: int = option(95, "the second number")
    frequency: int | None = option(
        None, "embedded frequency; if none, the lowest key one from 5 on"
    )

    def __post_init__(self) -> None:
        if self.a < 0 or self.b < 0:
            raise ValueError(f"a={self.a} and b={self.b} must not be negative")

    def claim(self, data: xr.Dataset) -> Claim:
        """How often the numbers go round, how round it is, and where the two angles lead."""
        circle = self._circle(data)
        numbers = {"spread": circle.spread, "turns": circle.turns, "gap": circle.gap}
        if circle.spread < _rounds.ROUND and circle.turns == circle.k:
            sentence = f"The network winds its {circle.p} numbers {_times(circle.k)} round a circle"
            watch = (
                f"At {_claims.moment(data, -1)} radii vary by {percent(circle.spread)}; the "
                f"angles of {circle.a} and {circle.b} add up to that of {circle.c}, within "
                f"{circle.gap:.0f}\u00b0"
            )
            return Claim(sentence, watch, numbers=numbers)
        sentence = (
            f"In the plane of frequency {circle.k} the numbers lie in a cloud: "
            f"radii vary by {percent(circle.spread)}"
        )
        if circle.spread < _rounds.ROUND:
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
        circle, moment = self._circle(data), _claims.moment(data, -1)
        return (
            f"Beads: the numbers, at the angles and radii that the embedding $W_E$ gives them in "
            f"the plane of frequency {circle.k} at {moment}, in mean radii. The line "
            f"through them is drawn, {circle.k}/{circle.p} of a turn a number, and so is their "
            f"distance along the coil. Hands: the angles of {circle.a} and of {circle.b}, and "
            f"their sum. {after('section 4.1')}"
        )

    def _circle(self, data: xr.Dataset) -> Circle:
        k = self._followed(data)
        points = embedded_circle(data, k)
        if points is None:
            raise InputError(
                f"{self.name}: the embedding in the plane of frequency {k} is no number, or has no "
                "extent; draw another run"
            )
        return Circle(k, points, *pair_of(self, data, self.a, self.b))

    def _followed(self, data: xr.Dataset) -> int:
        known = frequencies.embedded(data)
        if not known:
            raise InputError(
                f"{self.name}: this run has no embedded frequency whose plane could be drawn; "
                "train it further"
            )
        if self.frequency is None:
            keys = [k for k in frequencies.key_frequencies(data) if k in known] or known
            # few turns are followed with the eye, and fewer are no coil
            return min([k for k in keys if k >= COIL] or [max(keys)])
        if self.frequency not in known:
            listed = ", ".join(map(str, known[:12]))
            raise InputError(f"{self.name}: {self.frequency} is not embedded; there are {listed}")
        return self.frequency


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


class _Still:
    """String, coil and circle beside one another, three numbers linked through them."""

    def __init__(self, sheet: Axes, circle: Circle, data: xr.Dataset, *, narrow: bool) -> None:
        self.circle = circle
        self.views = _still_views(sheet, narrow=narrow)
        self.strings = [String(sheet, circle, data) for _ in self.views]
        self.hands = Hands(sheet, circle)
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
            sheet.text(coil.at[0], low, f"wound {_times(circle.k)}", ha="center", **look),
            sheet.text(end.at[0], line.at[1] + 0.5 if end.at[1] == coil.at[1] else
                       end.at[1] - end.radius - 2.7, "seen from its end", ha="center", **look),
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


def _still_views(sheet: Axes, *, narrow: bool) -> list[View]:
    """The row, the coil below it, and its end at the right, or below."""
    (wide, high), left = (sheet.get_xlim()[1], sheet.get_ylim()[1]), 1.4
    if style().slide:
        left = 5.0
    quarter = np.pi / 2
    if narrow:
        radius = min(0.15 * high, 0.3 * wide)
        length = wide - 2.4 * left
        middle = high - 4.4 - 1.4 * radius
        return [
            View((wide / 2, high - 2.4), length, 0.0, 0.0, -1.0),
            View((wide / 2, middle), length - 2 * radius * np.sin(SIDE), 0.85 * radius),
            View((wide / 2, radius + 4.6), 0.0, radius, quarter),
        ]
    radius = max(min(0.5 * (high - 11.6), 0.16 * wide), 2.0)
    middle = radius + 4.4
    end = wide - radius - 4.6
    length = end - 1.6 * radius - left - 2 * radius * np.sin(SIDE) - 1.0
    centre = left + length / 2 + radius * np.sin(SIDE)
    return [
        View((centre, high - 2.4), length, 0.0, 0.0, -1.0),
        View((centre, middle), length, radius),
        View((end, middle), 0.0, radius, quarter),
    ]


class _Film:
    """The string as it is wound, seen from its side and then from its end, and the hands."""

    def __init__(self, sheet: Axes, circle: Circle, data: xr.Dataset) -> None:
        self.circle = circle
        self.wide, self.high = sheet.get_xlim()[1], sheet.get_ylim()[1]
        self.string, self.hands = String(sheet, circle, data), Hands(sheet, circle)
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

    def _view(self, now: float) -> View:
        """Where the camera is, and how much is wound."""
        turned, length = shot(now, *LOOK), self.wide - 13.0
        radius = 0.3 * self.high + turned * 0.06 * self.high
        yaw = SIDE * shot(now, *WIND) + turned * (np.pi / 2 - SIDE)
        front = (1 + FRONT) * shot(now, *WIND) if now > WIND[0] else -1.0
        return View((self.wide / 2, 0.54 * self.high), length, radius, float(yaw), front)

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
        self.words.set_text(self._sentence(now))

    def _step(self, view: View, now: float) -> None:
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

    def _sentence(self, now: float) -> str:
        circle = self.circle
        if now <= WIND[0] or self._view(now).front * circle.k < 1:
            return f"the numbers 0 to {circle.p - 1} on a string"
        if now < LOOK[0]:
            wound = round(min(max(self._view(now).front, 0.0), 1.0) * circle.k)
            return f"wound {_times(wound)}"
        if now < STEP[0]:
            return "seen from its end: the network's own embedding"
        if now < TURN_A[0]:
            return f"one number further is {circle.k}/{circle.p} of a turn"
        if now < TURN_B[0]:
            return f"a hand turns to {circle.a}"
        if now < MEET[0]:
            return f"and on by the angle of {circle.b}"
        return f"it points at {circle.a} + {circle.b} = {circle.c}, but for {circle.gap:.0f}\u00b0"
