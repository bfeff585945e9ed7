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
CELL, FIRST_BIT, BITS, ROUNDED = 50.0, 168.0, 325.0, 415.0
"""Pixels from one bit to the next, where the first ends, and the rows of all bits and of 24."""
CLASSES = 113
NO_LEAD = 0.5
"""The lead with which the film begins: at 0 the number in bits would be 2."""
LEADS = (13.0, 19.0, 21.5, 26.0)
"""Leads of the correct answer in the animation; at the second the gradients nearly balance."""
WHY = (
    "Adam divides by the gradient's size: even a tiny push, always one way, moves weights.",
    "Liu et al. (2026): weights and activations grow along it, each by the other, "
    "until the loss leaps.",
    "With float32 the loss shoots up again and again: slingshots.",
)
"""From the gradient's sum to the leaps; the second is the explanation of arXiv:2605.06152."""


class Rounding(FilmScene):
    """The rounding of torch's losses, and its effect on training."""

    film = "rounding"

    def construct(self) -> None:
        """Play the three sections in order."""
        self.measured = self.other("rounding")
        self.leaving: list[Any] = []
        self.section("last-bit")
        self.lose_the_last_bit()
        self._go_on_to("gradient")
        self.lose_the_balance()
        self._go_on_to("slingshot")
        self.train_twice()

    def _go_on_to(self, name: str) -> None:
        """Begin a section in which the last one's picture leaves while the next one's comes."""
        self.section(name)
        if self._begins:
            self.remove(*self.leaving)
            self.leaving = []

    def _leave(self) -> list[Any]:
        return [mn.FadeOut(shape) for shape in self.leaving]

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
        before = Axes(self, (330, 545, 1560, 790), (0, float(x[0])), (0, 0.75))
        leads = np.linspace(NO_LEAD, float(x[0]), 400)
        falls = Growing(before, leads, np.log1p(np.exp(-leads)), self.looks["float64"], 6)
        seen = before.furniture({0.0: "0", 5.0: "5", 10.0: "10", 15.0: "15"},
                                {0.0: "0", 0.5: "0.5"}, x="lead", y="loss")  # fmt: skip

        def until(lead: float) -> None:
            self._count(row, lead)
            falls.until(lead)

        until(NO_LEAD)
        first = "Two answers: the surer a network is, the further one logit leads."
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
        self.leaving = [*shapes, *row.names, *row.limits, *furniture, *labels, spot]

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
            furniture += [words(text, muted, px=SMALL, anchor="right",
                                at=(x0 - 8, plot.at(0, y)[1] + 10))
                          for text, y in (("1", 1.0), ("0", 0.0), ("−1", -1.0))]  # fmt: skip
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
            self._write(size, f"{unit[i]:.11f}", 36, (1500, 166))

        size = mono("0", ink, px=36, at=(0, 0))
        furniture.append(words(f"1 = push on the {CLASSES - 1} wrong together =", muted, px=36,
                               at=(1195, 166), anchor="right"))  # fmt: skip
        shapes = [*bars, size]
        at(LEADS[0], 0.0)
        self.add(self.moment)
        push = f"{CLASSES} answers: the gradient pushes the right logit up, the wrong down."
        first = self.first(f"Now {push}", push)
        self.say(
            first, *self._leave(), *map(mn.FadeIn, [*furniture, *shapes]),
            self.sweep(lambda s: at(LEADS[0], s), *shapes, run_time=self.reading(first) - 1),
        )  # fmt: skip
        two, every = (float(self.measured["rounding_threshold"].sel(classes=n, precision="float32"))
                      for n in (2, CLASSES))  # fmt: skip
        second = "All of them should add up to nothing. As the lead grows, they shrink ..."
        self.say(second, self._through(at, shapes, *LEADS[:2], 1.1 * self.reading(second)))
        third = self.first(
            f"... and the right one rounds to 0: with two answers from {two:.2f} on, "
            f"with {CLASSES} from {every:.2f}.",
            f"... and from a lead of {every:.2f} on, the right one rounds to 0 in float32.",
        )
        self.say(third, self._through(at, shapes, *LEADS[1:3], self.reading(third)))
        last = "What is left pushes all logits one way. In exact arithmetic nothing does."
        self.say(last, self._through(at, shapes, *LEADS[2:], self.reading(last)))
        self.leaving = [*furniture, *shapes]

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
            *(WHY if one >= LEAPS else ("How often does the loss shoot up with float32?",)),
        ]
        for n, sentence in enumerate(sentences):
            begin, end = (last * m / len(sentences) for m in (n, n + 1))
            self.say(
                sentence, *([] if n else self._leave()),
                *map(mn.FadeIn, [] if n else [*furniture, *ticks, *shapes]),
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
