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
from grokviz.scene.films.toolkit import BODY, SMALL, FilmScene, Plot, mathematics, mono, words

BIT = 2.0**-23
"""The last bit of a float32 between 1 and 2."""
KEPT, LOST = 24, 8
"""Bits that float32 keeps of a number, and the number of further bits shown."""
CLASSES = 113
LEADS = (13.0, 20.5, 23.0)
"""Leads of the correct answer in the animation; at the second the gradients nearly balance."""
TRAINING = 7.0
"""Seconds for training in the last section."""


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

    # --- the last bit ------------------------------------------------------------------

    def lose_the_last_bit(self) -> None:
        """Show 1 plus a small number in bits, and the loss that torch returns."""
        ink, muted, faint = self.colours.ink, self.colours.muted, self.colours.faint
        x = self.measured["x"].values
        values = self.measured["log_softmax_value"]
        exact, rounded = (-values.sel(precision=kind).values / BIT
                          for kind in ("float64", "float32"))  # fmt: skip
        code = '-log "softmax"(x) = log(1 + e^(-x))'
        law = mathematics(code, ink, px=100, at=(960, 500))
        self.say(
            "A network is sure when one logit leads by some $x$. Then its loss is small.",
            mn.FadeIn(law),
        )
        stored_bits, lost = mono("0", ink, px=40, at=(0, 0)), mono("0", faint, px=40, at=(0, 0))
        axes = Axes(self, (330, 470, 1560, 780), (15, 17.5), (0, 3.4))
        lines = [Growing(axes, x, exact, self.colours.train, 5), Growing(axes, x, rounded, ink, 7)]
        furniture = axes.furniture(
            {15.0: "15", 16.0: "16", 17.0: "17"}, {0.0: "0", 1.0: "1", 2.0: "2", 3.0: "3"},
            x="lead x", y="loss, counted in last bits of float32, 2\u207b\u00b2\u00b3 each",
        )  # fmt: skip

        def at(i: int) -> None:
            digits = _bits(1 + np.exp(-x[i]))
            stored = _bits(float(np.float32(1 + np.exp(-x[i]))))
            self._write(stored_bits, " ".join(stored[:KEPT]), 40, (1336, 330))
            self._write(lost, " ".join(digits[KEPT:]), 40, (1336 + 24.08 * 2 * LOST, 330))
            for line in lines:
                line.until(float(x[i]))
            self._write(self.moment, f"lead {x[i]:.2f}", 38, (1859, 100))

        name = mathematics("1 + e^(-x)", ink, px=40, at=(180, 262), anchor="left")
        unit = words("in bits", muted, px=SMALL, at=(330, 272), anchor="left")
        cut = words("these do not fit into float32", faint, px=SMALL, anchor="right",
                    at=(1336 + 24.08 * 2 * LOST, 384))  # fmt: skip
        self.hold()
        self.play(law.animate.become(mathematics(code, ink, px=52, at=(960, 205))), run_time=0.8)
        at(0)
        self.say(
            "Computed so: 1 and something very small. float32 has 24 bits for it.",
            *map(mn.FadeIn, [stored_bits, lost, name, unit, cut, self.moment, *furniture]),
        )
        middle = int(np.searchsorted(x, 16.25))
        shapes = [stored_bits, lost, *(line.line for line in lines)]
        labels = self._curve_names(axes)
        self.say(
            "As the lead grows, the loss should fall smoothly. It can only step.",
            *(mn.FadeIn(line.line) for line in lines),
        )
        self.play(self.sweep(lambda s: at(round(s * middle)), *shapes, run_time=5, rate=mn.linear))
        self.play(*map(mn.FadeIn, labels), run_time=0.5)
        zero = int(np.flatnonzero(rounded == 0)[0])
        self.say("One bit is left.")
        self.play(self.sweep(lambda s: at(round(middle + s * (zero - middle))), *shapes,
                             run_time=2.0, rate=mn.linear))  # fmt: skip
        spot = axes.plot.dots([x[zero]], [0.0], 14, ink)
        self.say(
            f"From a lead of {x[zero]:.2f} on, the last bit is gone: the loss is exactly 0.",
            mn.FadeIn(spot),
            self.sweep(lambda s: at(round(zero + s * (len(x) - 1 - zero))), *shapes, run_time=3),
        )
        self.hold(0.5)
        self.leaving = [law, *shapes, name, unit, cut, *furniture, *labels, spot, self.moment]

    def _curve_names(self, axes: Axes) -> list[Any]:
        left, right = axes.at(15.04, 1.42), axes.at(15.56, 2)
        return [
            words("float64", self.colours.train, px=SMALL, bold=True, anchor="left", at=left),
            words("float32", self.colours.ink, px=SMALL, bold=True, anchor="left",
                  at=(right[0], right[1] + 4)),
        ]  # fmt: skip

    # --- the gradient ----------------------------------------------------------------------

    def lose_the_balance(self) -> None:
        """Show the gradients of the correct answer and the others, in both precisions."""
        ink, muted = self.colours.ink, self.colours.muted
        gaps = self.measured["gap"].values
        right = -self.measured["gap_right_gradient"].transpose("precision", "gap")
        wrong = -(CLASSES - 1) * self.measured["gap_wrong_gradient"].transpose("precision", "gap")
        unit = np.abs(wrong.sel(precision="float64").values)
        kinds, plots, bars, furniture = ("float64", "float32"), [], [], []
        for kind, x0 in zip(kinds, (330, 1080), strict=True):
            plot = Plot(x0, 275, x0 + 510, 780, (-0.6, 2.6), (-1.25, 1.25))
            plots.append(plot)
            bars += [
                plot.bars([n], [0.0], 0.62, colour)
                for n, colour in enumerate((self.colours.train, self.colours.train, ink))
            ]  # fmt: skip
            furniture += [plot.level(0, self.colours.faint, 3),
                          words(kind, ink, px=BODY + 5, bold=True, at=(x0 + 255, 240))]  # fmt: skip
            furniture += [
                words(text, muted, px=SMALL, at=(plot.at(n, 0)[0], 838))
                for n, text in enumerate(("right", f"{CLASSES - 1} wrong", "sum"))
            ]
        furniture.append(words("push on the logits, as a share of the wrong ones' in float64",
                               muted, px=SMALL, at=(330, 176), anchor="left"))  # fmt: skip
        heights = [
            np.stack([r / unit, w / unit, (r + w) / unit])
            for r, w in ((right.sel(precision=k).values, wrong.sel(precision=k).values)
                         for k in kinds)
        ]  # fmt: skip

        def at(gap: float) -> None:
            i = int(np.abs(gaps - gap).argmin())
            for panel in range(2):
                for n in range(3):
                    bars[3 * panel + n].set_heights(heights[panel][n, [i]])
            self._write(self.moment, f"lead {gaps[i]:6.3f}", 38, (1859, 100))

        at(LEADS[0])
        self.add(self.moment)
        self.say(
            "The gradient pushes the right logit up and the wrong ones down,\n"
            "together by nothing.",
            *map(mn.FadeIn, [*furniture, *bars]),
        )  # fmt: skip
        self.hold(0.3)
        limit = float(self.measured["rounding_threshold"].sel(classes=CLASSES,
                                                              precision="float32"))  # fmt: skip
        self.say("Let the lead grow. In float32 the balance begins to shake ...")
        self.play(self._through(at, bars, LEADS[0], LEADS[1], 5.5))
        self.say(
            f"... and from a lead of {limit:.2f} on, the right one gets no push.",
        )
        self.play(self._through(at, bars, LEADS[1], LEADS[2], 2.5))
        self.say("What is left pushes all logits one way.\nIn exact arithmetic nothing does.")
        self.hold(0.5)
        self.leaving = [*furniture, *bars, self.moment]

    def _through(self, at: Any, bars: list[Any], start: float, stop: float, seconds: float) -> Any:
        return self.sweep(lambda s: at(start + s * (stop - start)), *bars, run_time=seconds,
                          rate=mn.linear)  # fmt: skip

    # --- the slingshot -----------------------------------------------------------------------

    def train_twice(self) -> None:
        """Draw both training losses over the same epochs."""
        data, ink, train = self.data, self.colours.ink, self.colours.train
        members = self.options.pair(data)
        last = min(float(self.options.until), *(float(data["member_last_epoch"].values[m])
                                               for m in members))  # fmt: skip
        axes = Axes(self, (330, 215, 1560, 780), (0, last), (3e-8, 10), log="y")
        up = {1e-6: "0.000001", 1e-3: "0.001", 1.0: "1"}
        step = 5000 if last > 9000 else 1000
        across = {float(e): spaced(e) for e in range(0, int(last), step)}
        furniture = axes.furniture(across, up, x="epoch", y="training loss")
        curves = []
        for member, colour, px in zip(members, (ink, train), (5, 6), strict=True):
            x, y = finite(data["member_epoch"].values[member],
                          data["member_train_loss"].values[member])  # fmt: skip
            curves.append(Growing(axes, x[x <= last], y[x <= last], colour, px))
        curves = curves[::-1]
        sums = self.options.sums(data)

        def at(epoch: float) -> None:
            for curve in curves:
                curve.until(epoch)
            self.show_moment(round(epoch, -2))

        at(0)
        self.say(
            "Two trainings from the same weights on the same sums.\n"
            "Only the precision of the log-softmax differs.",
            *map(mn.FadeIn, [*furniture, *(curve.line for curve in curves)]),
        )
        self.play(self.sweep(lambda s: at(s * last), *(curve.line for curve in curves),
                             run_time=TRAINING, rate=mn.linear))  # fmt: skip
        names = [
            words(kind, colour, bold=True, at=(1590, curve.end[1] + away), anchor="left")
            for kind, colour, curve, away in zip(("float64", "float32"), (train, ink), curves,
                                                 self._apart(curves), strict=True)
        ]  # fmt: skip
        (one, two), whole = self.options.leaps(data), data["member_last_epoch"].values
        self.say(
            "The sum of the logits' gradient, which should be 0:\n"
            f"{_power(sums[0])} in float32, {_power(sums[1])} in float64.",
            *map(mn.FadeIn, names),
        )
        self.say(
            (
                "With float32 the loss shoots up again and again: slingshots.\n"
                if one >= LEAPS
                else "How often does the loss shoot up with float32?\n"
            )
            + f"In {spaced(int(whole[members[0]]))} epochs {times(one)}, "
            f"with float64 {times(two)}.",
        )
        self.hold(0.5)

    def _apart(self, curves: list[Growing]) -> tuple[float, float]:
        """Shifts of the two names, so that they do not overlap."""
        first, second = curves[0].end[1], curves[1].end[1]
        if abs(first - second) > 44:
            return 10, 10
        return (36, -14) if first >= second else (-14, 36)


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
