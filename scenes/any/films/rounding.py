"""A last bit, a lost balance, and slingshots.

Drawn alone by ``manim -qm scenes/any/films/rounding.py Rounding``.
"""

from __future__ import annotations

from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, Growing, finite
from grokviz.scenes.any.rounding import LEAPS, times

from grokviz.scene.clock import spaced
from grokviz.scene.films.toolkit import (
    SMALL,
    FilmScene,
    Line,
    Plot,
    mathematics,
    mono,
    place,
    words,
)

BIT = 2.0**-23
"""The last bit of a float32 between 1 and 2."""
KEPT, LOST = 24, 8
"""Bits that float32 keeps of a number, and the number of further bits shown."""
CELL, FIRST_BIT, BITS = 50.0, 168.0, 360.0
"""Pixels from one bit to the next, the column of the first, and the row of their baseline."""
CLASSES = 113
NO_LEAD = 0.5
"""The lead with which the film begins: at 0 the number in bits would be 2."""
LEADS = (13.0, 20.5, 23.0, 29.0)
"""Leads of the correct answer in the animation; at the second the gradients nearly balance."""


class Rounding(FilmScene):
    """The rounding of torch's losses, and its effect on training."""

    film = "rounding"

    def construct(self) -> None:
        """Play the three sections in order."""
        self.measured = self.other("rounding")
        self.leaving: list[Any] = []
        self.section("last-bit")
        self.lose_the_last_bit()
        self.section("gradient", *self.leaving)
        self.lose_the_balance()
        self.section("slingshot", *self.leaving)
        self.train_twice()

    def _write(self, what: Any, text: str, px: float, at: tuple[float, float]) -> None:
        """Change the text of an object that ends at a pixel."""
        what.points = mono(text, self.colours.ink, px=px, at=at).points

    @property
    def looks(self) -> dict[str, str]:
        """The colours of the two precisions, as in the figures of rounding."""
        return {"float32": self.colours.ink, "float64": self.colours.frequencies[0]}

    # --- the last bit ------------------------------------------------------------------

    def lose_the_last_bit(self) -> None:
        """Show 1 plus a small number in bits, and the loss that torch returns."""
        x, values = self.measured["x"].values, self.measured["log_softmax_value"]
        exact, rounded = (-values.sel(precision=kind).values / BIT
                          for kind in ("float64", "float32"))  # fmt: skip
        row = _BitRow(self)
        before = Axes(self, (330, 525, 1560, 790), (0, float(x[0])), (0, 0.75))
        leads = np.linspace(NO_LEAD, float(x[0]), 400)
        falls = Growing(before, leads, np.log1p(np.exp(-leads)), self.looks["float64"], 6)
        seen = before.furniture({0.0: "0", 5.0: "5", 10.0: "10", 15.0: "15"},
                                {0.0: "0", 0.5: "0.5"}, x="lead", y="loss")  # fmt: skip

        def until(lead: float) -> None:
            self._count(row, lead)
            falls.until(lead)

        until(NO_LEAD)
        first = "The surer a network is, the further one logit leads."
        self.say(
            first, *map(mn.FadeIn, [*row.shapes, *row.names, *seen, falls.line]),
            self.sweep(lambda s: until(NO_LEAD + s * (8 - NO_LEAD)), *row.shapes, falls.line,
                       run_time=self.reading(first)),
        )  # fmt: skip
        second = f"Its loss falls smoothly, but float32 keeps only {KEPT} bits."
        self.say(
            second, *map(mn.FadeIn, row.limits),
            self.sweep(lambda s: until(8 + s * (float(x[0]) - 8)), *row.shapes, falls.line,
                       run_time=self.reading(second)),
        )  # fmt: skip
        axes = Axes(self, (330, 525, 1560, 790), (float(x[0]), float(x[-1])), (0, 3.4))
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
        self.play(*map(mn.FadeOut, [*seen, falls.line]), run_time=0.5)
        at(0)
        third = "As the lead grows, the loss should fall smoothly. It can only step."
        self.say(
            third, *map(mn.FadeIn, furniture),
            self.sweep(lambda s: at(round(s * middle)), *shapes, rate=mn.linear,
                       run_time=self.reading(third)),
        )  # fmt: skip
        labels = self._curve_names(axes)
        self.say(
            "One bit is left.", *map(mn.FadeIn, labels),
            self.sweep(lambda s: at(round(middle + s * (zero - middle))), *shapes,
                       run_time=2.4, rate=mn.linear),
        )  # fmt: skip
        spot = axes.plot.dots([x[zero]], [0.0], 16, self.colours.ink)
        last = f"From a lead of {x[zero]:.2f} on, it is gone: the loss is exactly 0."
        self.say(
            last, mn.FadeIn(spot),
            self.sweep(lambda s: at(round(zero + s * (len(x) - 1 - zero))), *shapes,
                       run_time=self.reading(last)),
        )  # fmt: skip
        self.leaving = [*shapes, *row.names, *row.limits, *furniture, *labels, spot, self.moment]

    def _count(self, row: _BitRow, lead: float) -> None:
        """Show the bits at a lead, which is written above."""
        row.show(lead)
        self._write(self.moment, f"lead {lead:5.2f}", 56, (1859, 112))
        if self.moment not in self.mobjects:
            self.add(self.moment)

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
        ink, muted = self.colours.ink, self.colours.muted
        gaps = self.measured["gap"].values
        right = -self.measured["gap_right_gradient"].transpose("precision", "gap")
        wrong = -(CLASSES - 1) * self.measured["gap_wrong_gradient"].transpose("precision", "gap")
        unit = np.abs(wrong.sel(precision="float64").values)
        kinds, bars, furniture = ("float64", "float32"), [], []
        for kind, x0 in zip(kinds, (190, 1040), strict=True):
            plot = Plot(x0, 250, x0 + 690, 800, (-0.6, 2.6), (-1.2, 1.2))
            bars += [plot.bars([n], [0.0], 0.72, self.looks[kind], 1.0 if n == 2 else 0.45)
                     for n in range(3)]  # fmt: skip
            furniture += [plot.level(0, self.colours.faint, 3),
                          words(kind, self.looks[kind], px=48, bold=True,
                                at=(x0 + 345, 222))]  # fmt: skip
            furniture += [
                words(text, ink if n == 2 else muted, bold=n == 2, at=(plot.at(n, 0)[0], 856))
                for n, text in enumerate(("right", f"{CLASSES - 1} wrong", "all"))
            ]
            furniture += [words(text, muted, px=SMALL, at=(x0 - 8, y), anchor="right")
                          for text, y in (("up", 330), ("down", 740)) if x0 < 600]  # fmt: skip
        heights = [
            np.stack([r / unit, w / unit, (r + w) / unit])
            for r, w in ((right.sel(precision=k).values, wrong.sel(precision=k).values)
                         for k in kinds)
        ]  # fmt: skip

        def at(gap: float, share: float = 1.0) -> None:
            i = int(np.abs(gaps - gap).argmin())
            for panel in range(2):
                for n in range(3):
                    bars[3 * panel + n].set_heights(share * heights[panel][n, [i]])
            self._write(self.moment, f"lead {gaps[i]:5.2f}", 56, (1859, 112))

        at(LEADS[0], 0.0)
        self.add(self.moment)
        first = "The gradient pushes the right logit up, the wrong ones down."
        self.say(
            first, *map(mn.FadeIn, [*furniture, *bars]),
            self.sweep(lambda s: at(LEADS[0], s), *bars, run_time=self.reading(first) - 1),
        )  # fmt: skip
        limit = float(self.measured["rounding_threshold"].sel(classes=CLASSES,
                                                              precision="float32"))  # fmt: skip
        second = "All of it adds up to nothing. Let the lead grow ..."
        self.say(second, self._through(at, bars, *LEADS[:2], 1.1 * self.reading(second)))
        third = f"... and from {limit:.2f} on, float32 gives the right one no push."
        self.say(third, self._through(at, bars, *LEADS[1:3], self.reading(third)))
        last = "What is left pushes all logits one way. In exact arithmetic nothing does."
        self.say(last, self._through(at, bars, *LEADS[2:], self.reading(last)))
        self.leaving = [*furniture, *bars, self.moment]

    def _through(self, at: Any, bars: list[Any], start: float, stop: float, seconds: float) -> Any:
        return self.sweep(lambda s: at(start + s * (stop - start)), *bars, run_time=seconds,
                          rate=mn.linear)  # fmt: skip

    # --- the slingshot -----------------------------------------------------------------------

    def train_twice(self) -> None:
        """Draw both training losses over the same epochs, then over all that there are."""
        data = self.data
        members = self.options.pair(data)
        whole = min(float(data["member_last_epoch"].values[m]) for m in members)
        last = min(float(self.options.until), whole)
        kinds = dict(zip(("float32", "float64"), members, strict=True))
        losses = {kind: finite(data["member_epoch"].values[m], data["member_train_loss"].values[m])
                  for kind, m in kinds.items()}  # fmt: skip
        # the one in float64 is drawn above
        lines = {kind: Line(np.zeros((2, 2)), self.looks[kind], px)
                 for kind, px in (("float32", 6), ("float64", 8))}  # fmt: skip
        names = {kind: words(kind, self.looks[kind], bold=True) for kind in kinds}
        up = {1e-6: "0.000001", 1e-3: "0.001", 1.0: "1"}
        first = self._axes(last)
        step = _tick(last)
        furniture = first.furniture({}, up, y="training loss")
        ticks = _ticks(self, first, last, step)
        sums, (one, two) = self.options.sums(data), self.options.leaps(data)

        def at(epoch: float, axes: Axes = first) -> None:
            for kind, (x, y) in losses.items():
                keep = x <= max(epoch, float(x[1]))
                pixels = axes.pixels(x[keep], y[keep])
                lines[kind].move_line(pixels)
                names[kind].move_to(
                    place(pixels[-1, 0] + 88, self._beside(kind, losses, epoch, axes))
                )
            self.show_moment(round(epoch, -2))

        at(0)
        shapes = [*lines.values(), *names.values()]
        sentences = [
            "Two trainings, the same start. Only the precision of the loss differs.",
            f"The logits' gradient adds up to {_power(sums[0])} in float32, "
            f"to {_power(sums[1])} in float64.",
            "With float32 the loss shoots up again and again: slingshots."
            if one >= LEAPS else "How often does the loss shoot up with float32?",
        ]  # fmt: skip
        for n, sentence in enumerate(sentences):
            begin, end = (last * m / len(sentences) for m in (n, n + 1))
            self.say(
                sentence, *map(mn.FadeIn, [] if n else [*furniture, *ticks, *shapes]),
                self.sweep(lambda s, a=begin, b=end: at(a + s * (b - a)), *shapes,
                           run_time=self.reading(sentence), rate=mn.linear),
            )  # fmt: skip
        text = f"In {spaced(int(whole))} epochs {times(one)}, with float64 {times(two)}."
        if whole <= last:
            self.say(text)
            return

        def widen(share: float) -> None:
            stop = last * (whole / last) ** share
            at(stop, self._axes(stop))

        self.say(text, *map(mn.FadeOut, ticks),
                 self.sweep(widen, *shapes, run_time=self.reading(text)))  # fmt: skip
        wide = self._axes(whole)
        self.play(*map(mn.FadeIn, _ticks(self, wide, whole, _tick(whole))), run_time=0.4)

    def _axes(self, last: float) -> Axes:
        return Axes(self, (330, 225, 1600, 790), (0, last), (3e-8, 10), log="y")

    def _beside(self, kind: str, losses: Any, epoch: float, axes: Axes) -> float:
        """The pixel row of a curve's name: at its end, clear of the other's."""
        ends = {name: axes.at(0, float(y[x <= max(epoch, x[1])][-1]))[1]
                for name, (x, y) in losses.items()}  # fmt: skip
        middle, lower = sum(ends.values()) / 2, max(ends, key=lambda name: (ends[name], name))
        if abs(ends["float32"] - ends["float64"]) > 44:
            return float(ends[kind])
        return float(middle + (22 if kind == lower else -22))


class _BitRow:
    """The bits of 1 + exp(-lead): those that float32 keeps, and some that it does not."""

    def __init__(self, scene: Rounding) -> None:
        colours = scene.colours
        self.stored, self.lost = (mono("0", colour, px=46, at=(0, 0)) for colour in
                                  (colours.ink, colours.faint))  # fmt: skip
        self.shapes = [self.stored, self.lost]
        self.names = [mathematics('"loss" = log(1 + e^(-"lead"))', colours.ink, px=60,
                                  at=(FIRST_BIT - 40, 235),
                                  anchor="left")]  # fmt: skip
        cut = FIRST_BIT + CELL * KEPT - 8
        edge = [(FIRST_BIT - 42, BITS + 24), (cut, BITS + 24), (cut, BITS - 58),
                (FIRST_BIT - 42, BITS - 58), (FIRST_BIT - 42, BITS + 24)]  # fmt: skip
        self.limits = [
            Line(np.array(edge), colours.ink, 4),
            mathematics('1 + e^(-"lead") "in bits"', colours.muted, px=40,
                        at=(FIRST_BIT - 40, BITS + 60), anchor="left"),
            words("float32 keeps these", colours.ink, px=SMALL, at=(cut, BITS + 72),
                  anchor="right"),
            words("and not these", colours.muted, px=SMALL, at=(cut + 34, BITS + 72),
                  anchor="left"),
        ]  # fmt: skip

    def show(self, lead: float) -> None:
        """Write the bits at a lead."""
        exact = 1 + np.exp(-lead)
        stored, digits = _bits(float(np.float32(exact))), _bits(exact)
        self.stored.points = self._digits(stored[:KEPT], 0)
        self.lost.points = self._digits(digits[KEPT:], KEPT)

    def _digits(self, digits: str, start: int) -> np.ndarray:
        points: np.ndarray = np.concatenate([
            mono(digit, "#000000", px=46, at=(FIRST_BIT + CELL * (start + i), BITS)).points
            for i, digit in enumerate(digits)
        ])  # fmt: skip
        return points


def _tick(last: float) -> int:
    """The distance of the epochs that are written below."""
    return 10000 if last > 25000 else 5000 if last > 9000 else 1000


def _ticks(scene: FilmScene, axes: Axes, last: float, step: int) -> list[Any]:
    """The epochs below the losses."""
    return axes.furniture({float(e): spaced(e) for e in range(0, int(last), step)}, {}, x="epoch")


def _bits(number: float) -> str:
    """Binary digits of a number from 1 to below 2, as many as the film shows."""
    scaled = int(np.floor(number * 2.0 ** (KEPT + LOST - 1)))
    return f"{scaled:0{KEPT + LOST}b}"


def _power(value: float) -> str:
    """A small number as Typst sets it: 2 times ten to some power."""
    if value == 0:
        return "0"
    power = int(np.floor(np.log10(value)))
    return f"${value / 10.0**power:.0f} times 10^({power})$"
