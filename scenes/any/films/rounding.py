"""A last bit, a lost balance, and slingshots.

Drawn alone by ``manim -qm scenes/any/films/rounding.py Rounding``.
"""

from __future__ import annotations

from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, Growing
from grokviz.scenes.any.films._pair import LOSS, Curves, Pair
from grokviz.scenes.any.rounding import GROWS, MEASURED, PAIR, times

from grokviz.dataset.numerics.spikes import SWING
from grokviz.media.motion import FADE, TRANSFORM, ease
from grokviz.scene.about import about
from grokviz.scene.clock import spaced
from grokviz.scene.films.toolkit import (
    SMALL,
    Dots,
    FilmScene,
    Line,
    Plot,
    mathematics,
    mono,
    words,
)
from grokviz.scene.spoken import percent

BIT = 2.0**-23
"""The last bit of a float32 between 1 and 2."""
KEPT, LOST = 24, 8
"""Bits that float32 keeps of a number, and the number of further bits shown."""
CELL, FIRST_BIT, BITS, ROUNDED = 50.0, 168.0, 325.0, 415.0
"""Pixels from one bit to the next, where the first ends, and the rows of all bits and of 24."""
CLASSES = 113
NO_LEAD = 0.5
"""The lead with which the film begins: at 0 the number in bits would be 2."""
LEADS = (0.0, 18.5, 20.0, 20.875, 21.5)
"""Leads of the correct answer at which captions change; from the fourth on float32's is 0."""
SHRUNK = 8.0
"""The lead up to which bars are drawn at their own size: beyond it they would be gone."""
ENLARGED = (1.0, 1e6, 5e6)
"""How much larger the bars are drawn: at first, from the second lead on, and from the third."""
ZOOM = 1.6
"""Seconds in which they are enlarged."""
SMALLEST = 1e-18
"""Sums below this are drawn here: exact zeros have no place on a logarithmic axis."""
ONE_WAY = 0.95
"""From this share of the epochs on, a push is one that is nearly always one way."""
EARLY = 0.25
"""What ends before this share of the epochs is said to be early."""
BEGUN = 0.15
"""How far the slow leap is drawn when it comes: two empty panels say nothing."""
BEFORE, AFTER = 0.05, 0.25
"""What is shown before the weights grow and after the slow leap, in times between two leaps."""
PUSH = (
    (SMALLEST, 1e-5),
    {1e-16: "$10^(-16)$", 1e-8: "$10^(-8)$"},
    "what is left over: the sum of the pushes on all answers",
)
GROWTH = "growth of the last layer's norm from its lowest since the last leap"
WHY = (
    "A push on all answers alike changes none.",
    "But training takes each push relative to its size: even tiny ones move weights.",
    "... and then the loss leaps.",
)
"""From the push to the leap; why is of arXiv:2605.06152."""


class Rounding(FilmScene):
    """The rounding of torch's losses, and its effect on training."""

    film = "rounding"

    def construct(self) -> None:
        """Play the four sections in order."""
        self.measured = self.other(MEASURED)
        self.show_source(f"log-softmax of {about(self.measured)}")
        self.leaving: list[Any] = []
        self.section("question")
        self.ask()
        self.section("last-bit")
        self.lose_the_last_bit()
        self.section("gradient")
        self.lose_the_balance()
        self.section("slingshot")
        self.train_twice()

    def _cut(self, *shapes: Any) -> None:
        """Put a new picture in the place of the last one."""
        self.remove(*self.leaving)
        self.add(*shapes)
        self.leaving = list(shapes)

    @property
    def looks(self) -> dict[str, str]:
        """The colours of the two precisions, as in the figures of rounding."""
        return {"float32": self.colours.ink, "float64": self.colours.frequencies[0]}

    # --- the question ------------------------------------------------------------------

    def ask(self) -> None:
        """Draw the losses of both trainings, of which one leaps."""
        options, data = self.options, self.data
        members = dict(zip(PAIR, options.pair(data), strict=True))
        losses = {kind: options.logged(data, "train_loss", m) for kind, m in members.items()}
        last = min(float(options.until), *(float(x[-1]) for x, _ in losses.values()))
        axes = Axes(self, (330, 250, 1560, 760), (0, last), LOSS, log="y")
        lines = [Growing(axes, x, np.clip(y, *LOSS), self.looks[kind], 5)
                 for kind, (x, y) in reversed(losses.items())]  # fmt: skip
        furniture = axes.furniture(
            {0.0: "0", last: spaced(int(last))}, {1.0: "1", 1e-6: "$10^(-6)$"},
            x="epoch", y="training loss",
        )  # fmt: skip
        names = [
            words(kind, look, bold=True, anchor="left", at=(1590, 330 + 70 * n))
            for n, (kind, look) in enumerate(self.looks.items())
        ]  # fmt: skip
        one, two = options.leaps(data)
        text = "Two trainings from the same start: only the precision of the loss differs."
        if one > two:
            text = "The same training twice, from the same start. Why does one of them leap?"

        def until(share: float) -> None:
            for line in lines:
                line.until(share * last)

        until(0.1)
        shapes = [line.line for line in lines]
        self.add(*furniture, *names, *shapes)
        self.say(text, self.sweep(lambda s: until(0.1 + 0.9 * s), *shapes, rate=mn.linear,
                                  run_time=self.reading(text)))  # fmt: skip
        self.remove(*furniture, *names, *shapes)

    # --- the last bit ------------------------------------------------------------------

    def lose_the_last_bit(self) -> None:
        """Show 1 plus a small number in bits, and the loss that torch returns."""
        x, values = self.measured["x"].values, self.measured["log_softmax_value"]
        exact, rounded = (-values.sel(precision=kind).values / BIT
                          for kind in ("float64", "float32"))  # fmt: skip
        row = _BitRow(self)
        before = Axes(self, (330, 545, 1560, 790), (0, float(x[0])), (0, 0.75))
        leads = np.linspace(NO_LEAD, float(x[0]), 400)
        falls = Growing(before, leads, np.log1p(np.exp(-leads)), self.looks["float64"], 6)
        seen = before.furniture({0.0: "0", 5.0: "5", 10.0: "10", 15.0: "15"},
                                {0.0: "0", 0.5: "0.5"}, x="lead", y="loss")  # fmt: skip

        def until(lead: float) -> None:
            self._count(row, lead)
            falls.until(lead)

        until(NO_LEAD)
        first = "Two answers: the surer a network is, the further one of them leads."
        self.say(
            first, *map(mn.FadeIn, [row.exact, *row.names, *seen, falls.line]),
            self.sweep(lambda s: until(NO_LEAD + s * (8 - NO_LEAD)), row.exact, falls.line,
                       run_time=self.reading(first)),
        )  # fmt: skip
        second = f"Its loss falls smoothly, but float32 rounds to {KEPT} bits."
        self.say(
            second, *map(mn.FadeIn, [row.rounded, *row.limits]),
            self.sweep(lambda s: until(8 + s * (float(x[0]) - 8)), *row.shapes, falls.line,
                       run_time=self.reading(second)),
        )  # fmt: skip
        axes = Axes(self, (330, 545, 1560, 790), (float(x[0]), float(x[-1])), (0, 3.4))
        furniture = axes.furniture(
            {15.0: "15", 16.0: "16", 17.0: "17"}, {0.0: "0", 1.0: "1", 2.0: "2", 3.0: "3"},
            x="lead", y="loss, counted in last bits of float32",
        )  # fmt: skip
        lines = [Growing(axes, x, exact, self.looks["float64"], 6),
                 Growing(axes, x, rounded, self.looks["float32"], 8)]  # fmt: skip
        shapes = [*row.shapes, *(line.line for line in lines)]

        def at(i: int) -> None:
            self._count(row, float(x[i]))
            for line in lines:
                line.until(float(x[i]))

        zero = int(np.flatnonzero(rounded == 0)[0])
        middle = int(np.searchsorted(x, 0.2 * x[0] + 0.8 * x[zero]))
        self.play(*map(mn.FadeOut, [*seen, falls.line]), run_time=FADE)
        at(0)
        third = "Soon it no longer falls smoothly: it can only step."
        self.say(
            third, *map(mn.FadeIn, furniture),
            self.sweep(lambda s: at(round(s * middle)), *shapes, rate=mn.linear,
                       run_time=self.reading(third)),
        )  # fmt: skip
        labels = self._curve_names(axes)
        self.say(
            "One bit is left.", *map(mn.FadeIn, labels),
            self.sweep(lambda s: at(round(middle + s * (zero - middle))), *shapes,
                       run_time=TRANSFORM, rate=mn.linear),
        )  # fmt: skip
        spot = axes.plot.dots([x[zero]], [0.0], 16, self.colours.ink)
        last = f"From a lead of {x[zero]:.2f} on, the loss is exactly 0."
        self.say(
            last, mn.FadeIn(spot),
            self.sweep(lambda s: at(round(zero + s * (len(x) - 1 - zero))), *shapes,
                       run_time=self.reading(last)),
        )  # fmt: skip
        self.leaving = [*shapes, *row.names, *row.limits, *furniture, *labels, spot]

    def _count(self, row: _BitRow, lead: float) -> None:
        """Show the bits at a lead, which is written above."""
        row.show(lead)
        self.write_moment(f"lead {lead:5.2f}")

    def _curve_names(self, axes: Axes) -> list[Any]:
        left, right = axes.at(15.04, 1.32), axes.at(15.56, 2)
        return [
            words("float64", self.looks["float64"], bold=True, anchor="left", at=left),
            words("float32", self.looks["float32"], bold=True, anchor="left",
                  at=(right[0] + 6, right[1] - 8)),
        ]  # fmt: skip

    # --- the gradient ----------------------------------------------------------------------

    def lose_the_balance(self) -> None:
        """Show the gradients of the correct answer and the others, in both precisions."""
        push = _Pushes(self)

        def at(lead: float, factor: float, share: float = 1.0) -> None:
            push.show(lead, factor, share)
            self.write_moment(f"lead {lead:5.2f}")

        def through(leads: tuple[float, float], factor: float, seconds: float) -> Any:
            start, stop = leads
            return self.sweep(lambda s: at(start + s * (stop - start), factor), *push.shapes,
                              run_time=seconds, rate=mn.linear)  # fmt: skip

        def enlarge(text: str, leads: tuple[float, float], factors: tuple[float, float]) -> None:
            (first, last), (start, stop) = leads, factors
            self.say(text, *map(mn.FadeOut, push.ticks), *map(mn.FadeIn, push.names),
                     self.sweep(lambda s: at(first + s * (last - first),
                                             start * (stop / start) ** s), *push.shapes,
                                run_time=ZOOM))  # fmt: skip
            self.add(*push.rule(stop))

        at(LEADS[0], ENLARGED[0], 0.0)
        self._cut(*push.furniture, *push.shapes, *push.rule(ENLARGED[0]))
        text = f"{CLASSES} answers: training pushes the right one up, the wrong ones down."
        first = self.first(f"Now {text}", text)
        self.say(first, self.sweep(lambda s: at(LEADS[0], ENLARGED[0], s), *push.shapes,
                                   run_time=self.reading(first) - 1.5))  # fmt: skip
        second = "Together they cancel. As the lead grows, all of them shrink ..."
        self.say(second, self.sweep(
            # slowly while there is something to see
            lambda s: at(LEADS[0] + s**2 * (SHRUNK - LEADS[0]), ENLARGED[0]), *push.shapes,
            run_time=self.reading(second), rate=mn.linear,
        ))  # fmt: skip
        third = "... so enlarge them: in float32 the right one can only step."
        enlarge(third, (SHRUNK, LEADS[1]), ENLARGED[:2])
        self.play(through(LEADS[1:3], ENLARGED[1], self.reading(third) - ZOOM))
        fourth = (
            f"With {CLASSES} answers the right push is exactly 0 only from a lead of "
            f"{push.gone:.2f} on."
        )
        enlarge(fourth, (LEADS[2], LEADS[2]), ENLARGED[1:])
        self.play(through(LEADS[2:4], ENLARGED[2], self.reading(fourth) - ZOOM))
        last = f"What is left pushes the {CLASSES - 1} wrong ones down; in float64 both cancel."
        self.say(last, through(LEADS[3:], ENLARGED[2], self.reading(last)))
        self.leaving += [*push.names, *push.ticks]

    # --- the slingshot -----------------------------------------------------------------------

    def train_twice(self) -> None:
        """Draw both trainings: their pushes, one leap slowly with W_U, and all leaps."""
        self.show_source(about(self.data))
        options, data = self.options, self.data
        members = dict(zip(PAIR, options.pair(data), strict=True))
        whole = options.film_span(data)[1]
        last = min(float(options.until), whole)
        losses, sums, norms = (
            {kind: options.logged(data, name, m) for kind, m in members.items()}
            for name in ("train_loss", "logit_gradient_sum", "unembedding_norm")
        )
        sizes = {kind: np.stack([x, np.maximum(np.abs(y), SMALLEST)])
                 for kind, (x, y) in sums.items()}  # fmt: skip
        pair = Pair(self, self.looks, losses, sizes, (0, last), PUSH, log=True)
        one, two = (_power(size) for size in options.sums(data))
        steady = options.one_way(data) >= ONE_WAY
        left = self.first(
            "What is left over", "The pushes on all answers should sum to 0; rounding leaves"
        )
        texts = [
            "Two trainings, the same start: only the loss's precision differs.",
            f"{left}{self.first(':', '')} {one} in float32"
            f"{f', one way at {options.one_way(data):.1%} of epochs' if steady else ''}; "
            f"{two} in float64.",
        ]
        self._put(pair)
        self._draw(pair, texts, 0, last)
        grows = options.grows_first(data)
        if grows and steady:
            self._explain(pair, losses, norms, last)
        self._show_all(losses, norms if grows else {}, sizes, whole, grows)

    def _put(self, pair: Pair, until: float | None = None) -> None:
        """Put two panels, without their curves or up to an epoch, in the last picture's place."""
        self._until(pair, pair.axes[0].x[0] if until is None else until)
        self._cut(*pair.furniture, *pair.shapes)

    def _until(self, pair: Pair, epoch: float) -> None:
        pair.until(epoch)
        self.show_moment(round(epoch, -2))

    def _draw(self, pair: Pair, texts: list[str], start: float, stop: float) -> None:
        """Draw the curves from one epoch to another beside captions, an equal part for each."""
        for n, text in enumerate(texts):
            begin, end = (start + (stop - start) * m / len(texts) for m in (n, n + 1))
            self.say(text, self.sweep(
                lambda s, a=begin, b=end: self._until(pair, a + s * (b - a)), *pair.shapes,
                run_time=self.reading(text), rate=mn.linear,
            ))  # fmt: skip

    def _explain(self, pair: Pair, losses: Curves, norms: Curves, last: float) -> None:
        """Show one leap slowly: the one before which W_U grows most."""
        slow = max((growth for growth in self.options.growths(self.data) if growth.leap <= last),
                   key=lambda growth: growth.share)  # fmt: skip
        period = slow.leap - slow.last
        start = max(slow.lowest - BEFORE * period, slow.last + SWING)
        stop = min(slow.leap + AFTER * period, last)
        (left, top), (right, low) = (pair.axes[0].at(*corner)
                                     for corner in ((start, LOSS[1]), (stop, LOSS[0])))  # fmt: skip
        self._pass_by(pair, last, WHY[0])
        corners = np.array([[left, top], [right, top], [right, low], [left, low], [left, top]])
        box = Line(corners[:1], self.colours.accent, 5)
        plot = pair.axes[0].plot
        whole = np.array([[plot.x0, plot.y0], [plot.x1, plot.y0], [plot.x1, plot.y1],
                          [plot.x0, plot.y1], [plot.x0, plot.y0]])  # fmt: skip

        def frame(share: float) -> None:
            """Draw the box around the leap, and let it grow until it is what is seen next."""
            around, grown = min(share / 0.5, 1.0), max(share / 0.5 - 1, 0.0)
            box.move_line(_along(corners, around) if not grown
                          else corners + ease(grown) * (whole - corners))  # fmt: skip

        self.add(box)
        text = WHY[1]
        self.say(text, self.sweep(frame, box, run_time=self.reading(text), rate=mn.linear))
        self.leaving.append(box)
        relative = {kind: np.stack([x, y / np.interp(slow.lowest, x, y)])
                    for kind, (x, y) in norms.items()}  # fmt: skip
        seen = np.concatenate([y[(x >= start) & (x <= stop)] for x, y in relative.values()])
        ticks = {1.0: "100%", 1 + slow.share: percent(1 + slow.share)}
        room = (seen.max() - seen.min()) / 4
        name = f"norm of the last layer's weights, 100% at epoch {spaced(slow.lowest)}"
        up = (seen.min() - room, seen.max() + room / 2), ticks, name
        close = Pair(self, self.looks, losses, relative, (start, stop), up,
                     log=False)  # fmt: skip
        first = f"Slowly: the last layer's weights grow, in float32, by {percent(slow.share)} ..."
        begun = start + BEGUN * (slow.leap - start)
        self._put(close, begun)
        self._draw(close, [first], begun, slow.leap - 1)
        self._draw(close, [WHY[2]], slow.leap - 1, stop)

    def _show_all(
        self, losses: Curves, norms: Curves, sums: Curves, whole: float, grows: bool
    ) -> None:
        """Draw both whole trainings."""
        one, two = self.options.leaps(self.data)
        up, below = PUSH, sums
        if norms:
            below = self._growth(norms)
            most = max(float(y.max()) for _, y in below.values())
            up = (-0.25 * most, 1.15 * most), {0.0: "0%", most: percent(most)}, GROWTH
        pair = Pair(self, self.looks, losses, below, (0, whole), up,
                    log=not norms)  # fmt: skip
        text = f"In {spaced(int(whole))} epochs {times(one)}, with float64 {times(two)}."
        if grows:
            grown = below[PAIR[1]][1] >= GROWS
            often = int(grown[0]) + int((grown[1:] & ~grown[:-1]).sum())
            ends = below[PAIR[1]][0][grown]
            when = ", early" if ends.size and ends[-1] <= EARLY * whole else ""
            text = f"These weights grow before each of {one} leaps; in float64 {times(often)}"
            text += f", and it leaps {times(two)}." if two else f"{when}, and no leap follows."
        texts = [text]
        if self.options.claim(self.data).holds:
            texts.append("Only the last bits of the loss made the difference.")
        self._put(pair)
        self._draw(pair, texts, 0, whole)

    def _pass_by(self, pair: Pair, last: float, text: str) -> None:
        """Lead a line along both panels, a dot on each curve of float32, while one reads."""
        upper, lower = (axes.plot for axes in pair.axes)
        line = Line(np.zeros((2, 2)), self.colours.muted, 4)
        dots = [Dots(np.zeros((1, 2)), 14, self.looks["float32"]) for _ in pair.axes]

        def move(share: float) -> None:
            x = pair.axes[0].at(share * last, LOSS[1])[0]
            line.move_line(np.array([[x, upper.y0], [x, lower.y1]]))
            for dot, y in zip(dots, pair.rows("float32", x), strict=True):
                dot.move_dots(np.array([[x, y]]))

        move(0.0)
        self.add(line, *dots)
        self.say(text, self.sweep(move, line, *dots, run_time=self.reading(text), rate=mn.linear))
        self.remove(line, *dots)

    def _growth(self, norms: Curves) -> dict[str, np.ndarray]:
        """By which share a norm is over its lowest since the last leap of the same training."""
        growths = self.options.growths(self.data)
        leaps = {PAIR[0]: [growth.leap for growth in growths]}
        curves = {}
        for kind, (x, y) in norms.items():
            known = x >= growths[0].last
            x, y = x[known], y[known]
            starts = np.searchsorted(x, leaps.get(kind, []), side="right")
            lowest = [np.minimum.accumulate(part) for part in np.split(y, starts)]
            curves[kind] = np.stack([x, y / np.concatenate(lowest) - 1])
        return curves


class _Pushes:
    """The gradients of both kinds of answer and their sum as bars, in a panel a precision."""

    def __init__(self, scene: Rounding) -> None:
        self.scene, measured = scene, scene.measured
        self.gaps = measured["gap"].values
        signs = {"right": -1, "wrong": 1 - CLASSES}
        self.values = {
            kind: [sign * measured[f"gap_{name}_gradient"].sel(precision=kind).values
                   for name, sign in signs.items()] for kind in reversed(PAIR)
        }  # fmt: skip
        self.gone = float(measured["rounding_threshold"].sel(classes=CLASSES, precision=PAIR[0]))
        ink, muted = scene.colours.ink, scene.colours.muted
        self.plots = [Plot(x0, 235, x0 + 640, 800, (-0.6, 2.6), (-1.25, 1.25))
                      for x0 in (270, 1130)]  # fmt: skip
        self.bars: list[Any] = []
        self.furniture: list[Any] = []
        self.names: list[Any] = []
        self.ticks: list[Any] = []
        for kind, plot in zip(self.values, self.plots, strict=True):
            look = scene.looks[kind]
            self.bars += [plot.bars([n], [0.0], 0.72, look, 1.0 if n == 2 else 0.45)
                          for n in range(3)]  # fmt: skip
            self.furniture += [
                plot.level(0, scene.colours.faint, 3),
                words(kind, look, px=48, bold=True, at=((plot.x0 + plot.x1) / 2, 215)),
                *(words(text, ink if n == 2 else muted, bold=n == 2, at=(plot.at(n, 0)[0], 856))
                  for n, text in enumerate(("right", f"{CLASSES - 1} wrong", "sum"))),
            ]  # fmt: skip
            self.names.append(words("enlarged", muted, at=(plot.x1, 320), anchor="right"))
        self.sizes = [mono("", ink, px=44, at=(0, 0)) for _ in self.plots]
        self.shapes = [*self.bars, *self.sizes]

    def show(self, lead: float, factor: float, share: float = 1.0) -> None:
        """Draw them at a lead, so many times as large as they are."""
        before = max(int(np.searchsorted(self.gaps, lead, side="right")) - 1, 0)
        for panel, (kind, values) in enumerate(self.values.items()):
            push = [float(np.interp(lead, self.gaps, some)) for some in values]
            if kind == PAIR[0] and factor > 1:
                # it steps: what was measured last holds, until it is gone
                push[0] = 0.0 if lead >= self.gone else float(values[0][before])
            for n, value in enumerate((*push, sum(push))):
                self.bars[3 * panel + n].set_heights(np.array([share * factor * value]))
            text = f"× {spaced(round(factor))}" if factor > 1 else ""
            at = (self.plots[panel].x1, 378)
            self.sizes[panel].points = mono(text, self.scene.colours.ink, px=44, at=at).points

    def rule(self, factor: float) -> list[Any]:
        """What a bar's height of 1, 0 and -1 is, enlarged so many times."""
        one = f"{1 / factor:.9f}".rstrip("0").rstrip(".")
        texts = ((one, 1.0), ("0", 0.0), (f"−{one}", -1.0))
        self.ticks = [words(text, self.scene.colours.muted, px=SMALL, anchor="right",
                            at=(plot.x0 - 8, plot.at(0, y)[1] + 10))
                      for plot in self.plots for text, y in texts]  # fmt: skip
        return self.ticks


class _BitRow:
    """The bits of 1 + exp(-lead), and below them those of the float32 that it is rounded to."""

    def __init__(self, scene: Rounding) -> None:
        colours = scene.colours
        self.exact, self.rounded = (mono("0", colour, px=46, at=(0, 0)) for colour in
                                    (colours.muted, colours.ink))  # fmt: skip
        self.shapes = [self.exact, self.rounded]
        self.names = [
            mathematics('"loss" = log(1 + e^(-"lead"))', colours.ink, px=60,
                        at=(FIRST_BIT - 40, 225), anchor="left"),
            mathematics('1 + e^(-"lead") "in bits"', colours.muted, px=40, at=(1740, 250),
                        anchor="right"),
        ]  # fmt: skip
        start, cut = FIRST_BIT - 42, FIRST_BIT + CELL * (KEPT - 1) + 12
        low, high = ROUNDED + 22, ROUNDED - 56
        edge = [(start, low), (cut, low), (cut, high), (start, high), (start, low)]
        self.limits = [
            Line(np.array(edge), colours.ink, 4),
            words(f"float32: {KEPT} bits", colours.ink, px=36, at=(cut + 30, ROUNDED - 4),
                  anchor="left"),
        ]  # fmt: skip

    def show(self, lead: float) -> None:
        """Write the bits at a lead."""
        exact = 1 + np.exp(-lead)
        self.exact.points = self._digits(_bits(exact), BITS)
        self.rounded.points = self._digits(_bits(float(np.float32(exact)))[:KEPT], ROUNDED)

    def _digits(self, digits: str, row: float) -> np.ndarray:
        points: np.ndarray = np.concatenate([
            mono(digit, "#000000", px=46, at=(FIRST_BIT + CELL * i, row)).points
            for i, digit in enumerate(digits)
        ])  # fmt: skip
        return points


def _along(corners: np.ndarray, share: float) -> np.ndarray:
    """The first part of a closed line, that share of its length."""
    passed = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    at = np.unique(np.append(passed[passed < share * passed[-1]], share * passed[-1]))
    return np.stack([np.interp(at, passed, column) for column in corners.T], axis=1)


def _bits(number: float) -> str:
    """Binary digits of a number from 1 to below 2, as many as the film shows."""
    scaled = int(np.floor(number * 2.0 ** (KEPT + LOST - 1)))
    return f"{scaled:0{KEPT + LOST}b}"


def _power(value: float) -> str:
    """A small number as Typst sets it: 2 times ten to some power."""
    if value == 0:
        return "0"
    power = int(np.floor(np.log10(value)))
    return f"${value / 10.0**power:.0f}×10^({power})$"
