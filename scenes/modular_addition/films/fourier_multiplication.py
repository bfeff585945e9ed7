"""Inputs to logits.

Drawn alone by
``manim -qm scenes/modular_addition/films/fourier_multiplication.py FourierMultiplication``.
"""

from __future__ import annotations

from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.modular_addition import _sums as sums
from grokviz.scenes.modular_addition.films._dial import Dial

from grokviz.scene.films.toolkit import (
    BODY,
    SMALL,
    Dots,
    FilmScene,
    Line,
    Plot,
    formula,
    mathematics,
    mono,
    words,
)

ZERO, UNIT = 1480, 230
"""Pixel column of 0, and pixels per unit, of the bars of products."""
REACH = 20
"""Distance from the answer up to which single waves are shown."""


class FourierMultiplication(FilmScene):
    """The algorithm in four steps."""

    film = "fourier-multiplication"

    def construct(self) -> None:
        """Play the four sections in order."""
        self.a, self.b = self.options.sum_of(self.data)
        self.p = self.data.sizes["residue"]
        self.waves = list(sums.wave_heights(self.data))
        self.c = self.options.answer(self.data)
        self.k = self.options.followed(self.data)
        self.leaving: list[Any] = []
        self.show_last_moment()
        self.section("embed")
        self.embed()
        self.section("multiply", *self.leaving)
        self.multiply()
        self.section("read", *self.leaving)
        self.read()
        self.section("interfere", *self.leaving)
        self.interfere()

    # --- the embedding ------------------------------------------------------------

    def embed(self) -> None:
        """Show both numbers on the circles of all key frequencies, with their cosines and sines."""
        ink, columns = self.colours.ink, np.linspace(390, 1660, len(self.waves))
        rows = {f"$a$ = {self.a}": (self.a, 310), f"$b$ = {self.b}": (self.b, 590)}
        dials, hands, shadows, texts = [], [], [], []
        for text, (n, y) in rows.items():
            texts.append(words(text, ink, px=40, at=(128, y + 14), anchor="left"))
            for k, x in zip(self.waves, columns, strict=True):
                dial = Dial(self, k, (x, y), 108, dot=3.5)
                dials += [dial.ring, dial.dots]
                hands += [dial.hand(dial.angle(n), px=6), dial.mark(n, ink, 8)]
                shadows += _projections(dial, dial.angle(n))
        names = [words(f"frequency {k}", self.colour(k), px=SMALL, bold=True, at=(x, 172))
                 for k, x in zip(self.waves, columns, strict=True)]  # fmt: skip
        asked = words(f"{self.a} + {self.b} = ?  mod {self.p}", ink, px=120, at=(960, 520))
        self.say(
            f"The network gets two numbers, {self.a} and {self.b}. "
            f"It should answer {self.c}, their sum mod {self.p}.",
            mn.FadeIn(asked),
        )  # fmt: skip
        self.hold()
        self.play(mn.FadeOut(asked), run_time=0.4)
        self.say(
            "It embeds every number on circles, one for each key frequency.",
            *map(mn.FadeIn, [*texts, *dials, *names]),
        )  # fmt: skip
        self.play(*map(mn.FadeIn, hands), run_time=0.6)
        law = formula("embedding", ink, px=46, at=(960, 800))
        self.say(
            "So it knows of each number a cosine (across) and a sine (upwards), "
            f"{_count(len(self.waves))}.",
            *map(mn.FadeIn, [*shadows, law]),
        )  # fmt: skip
        self.leaving = [*texts, *dials, *hands, *shadows, *names, law]

    # --- attention and the MLP ------------------------------------------------------

    def multiply(self) -> None:
        """Show products of one frequency's cosines and sines, and their sums."""
        ink = self.colours.ink
        one = Dial(self, self.k, (330, 310), 125, dot=4)
        two = Dial(self, self.k, (330, 640), 125, dot=4)
        shown = []
        for dial, letter, n in ((one, "a", self.a), (two, "b", self.b)):
            y = float(dial.centre[1]) + 172
            shown += [dial.ring, dial.dots, dial.hand(dial.angle(n), px=6), dial.mark(n, ink, 9),
                      words(f"${letter}$ = {n}", ink, at=(330, y + 10)),
                      *_projections(dial, dial.angle(n))]  # fmt: skip
        self.say(f"Follow one of them, frequency {self.k}.", *map(mn.FadeIn, shown))
        x, y = one.angle(self.a), one.angle(self.b)
        cosines = [np.cos(x) * np.cos(y), -np.sin(x) * np.sin(y)]
        sines = [np.sin(x) * np.cos(y), np.cos(x) * np.sin(y)]
        laws = [
            ["cos(w a) cos(w b)", "- sin(w a) sin(w b)", "= cos(w (a + b))"],
            ["sin(w a) cos(w b)", "+ cos(w a) sin(w b)", "= sin(w (a + b))"],
        ]
        axis = Line(np.array([[ZERO, 190], [ZERO, 790]]), self.colours.grid, 3)
        axis.set_z_index(-1)
        self.say("Attention and the MLP multiply: every cosine and sine of $a$ with those of $b$.",
                 mn.FadeIn(axis))  # fmt: skip
        rows: list[Any] = []
        for law, values, top in ((laws[0], cosines, 230), (laws[1], sines, 570)):
            rows += self._products(law, values, top)
        shares = self.options.directions(self.data)
        self.say(
            f"This is measured: of the MLP the output reads two directions at frequency {self.k},\n"
            f"one {shares[0]:.0%} this cosine, one {shares[1]:.0%} this sine."
        )
        self.leaving = [*shown, axis, *rows]

    def _products(self, laws: list[str], values: list[float], top: float) -> list[Any]:
        """Draw two products and their sum as bars, each starting at the end of the last."""
        ink, colour = self.colours.ink, self.colour(self.k)
        start, shapes = 0.0, []
        for n, value in enumerate([*values, sum(values)]):
            y, last = top + 85 * n, n == 2
            begin = 0.0 if last else start
            law = mathematics(laws[n], ink, px=44, at=(640, y), anchor="left")
            number = mono(_signed(value), ink, px=36, bold=last, at=(1215, y + 13))
            bar = _beam(begin, begin, y, colour if last else self.colours.train)

            def grow(share: float, bar: Any = bar, begin: float = begin, value: float = value,
                     y: float = y) -> None:  # fmt: skip
                bar.move_line(_ends(begin, begin + share * value, y))

            self.play(mn.FadeIn(law), mn.FadeIn(number), self.sweep(grow, bar, run_time=0.9))
            shapes += [law, number, bar]
            self.wait(0.9 if last else 0.3)
            start += value
        return shapes

    # --- the unembedding ---------------------------------------------------------------

    def read(self) -> None:
        """Draw the wave over the answers, number by number from the circle."""
        ink, muted, k = self.colours.ink, self.colours.muted, self.k
        dial = Dial(self, k, (400, 560), 210, dot=6)
        hand, mark = dial.hand(dial.angle(self.c)), dial.mark(self.c, ink, 13)
        named = dial.label(self.c, str(self.c), ink, px=36)
        law = formula("angle-difference", ink, px=38, at=(960, 195), k=k)
        plot = Plot(820, 330, 1760, 730, (-REACH, REACH), (-1.15, 1.15))
        fine = np.linspace(-REACH, REACH, 40 * REACH + 1)
        curve = plot.curve(fine[:2], np.cos(2 * np.pi * k * fine[:2] / self.p), dial.colour, 4)
        whole = np.arange(-REACH, REACH + 1)
        height = np.cos(2 * np.pi * k * whole / self.p)
        dots = plot.dots(whole[:1], height[:1], 8, dial.colour)
        pointer = Dots(dial.pixels()[[(self.c - REACH) % self.p]], 13, muted)
        axis = [plot.level(0, self.colours.grid), *self._answers(plot, REACH)]
        self.say(
            "The unembedding turns cosine and sine into one wave over all answers $c$.",
            *map(mn.FadeIn, [dial.ring, dial.dots, hand, mark, named, law, *axis]),
        )  # fmt: skip

        def sweep(share: float) -> None:
            n = round(share * 2 * REACH)
            stop = round(share * (len(fine) - 1)) + 1
            curve.move_line(plot.pixels(np.stack(
                [fine[:stop], np.cos(2 * np.pi * k * fine[:stop] / self.p)], axis=1)))  # fmt: skip
            dots.move_dots(plot.pixels(np.stack([whole[: n + 1], height[: n + 1]], axis=1)))
            pointer.move_dots(dial.pixels()[[(self.c - REACH + n) % self.p]])

        self.say("Where $c$ lies under the hand the wave is high, opposite it is low.",
                 mn.FadeIn(pointer))  # fmt: skip
        self.play(self.sweep(sweep, curve, dots, pointer, run_time=9, rate=mn.linear))
        best = plot.dots([0.0], [1.0], 13, ink)
        self.say(f"It is highest at {self.c}, and nearly as high at many others.", mn.FadeIn(best))
        self.leaving = [
            dial.ring,
            dial.dots,
            hand,
            mark,
            named,
            law,
            *axis,
            curve,
            dots,
            pointer,
            best,
        ]

    def _answers(self, plot: Plot, reach: int, y: float | None = None) -> list[Any]:
        """Labels of some answers below a plot, the correct one in bold."""
        labels = [words("answer $c$", self.colours.muted, px=SMALL, anchor="right",
                        at=(plot.x0 - 40, (y or plot.y1) + 46))]  # fmt: skip
        for n in (-reach, 0, reach):
            colour = self.colours.muted if n else self.colours.ink
            labels.append(words(str((self.c + n) % self.p), colour, px=BODY, bold=not n,
                                at=(plot.at(n, 0)[0], (y or plot.y1) + 46)))  # fmt: skip
        return labels

    # --- the logits --------------------------------------------------------------------

    def interfere(self) -> None:
        """Show all waves with their measured amplitudes, their sum, and the network's logits."""
        muted, heights = self.colours.muted, sums.wave_heights(self.data)
        fine = np.linspace(-REACH, REACH, 40 * REACH + 1)
        row = 400 / len(heights)
        largest = max(heights.values())
        guide = Line(np.array([[960, 165], [960, 850]]), self.colours.grid, 5)
        guide.set_z_index(-1)
        waves: list[Any] = []
        for n, (k, height) in enumerate(heights.items()):
            y, swing = 165 + row * (n + 0.5), 0.47 * row * abs(height) / largest
            plot = Plot(330, y - swing, 1590, y + swing, (-REACH, REACH), (-1, 1))
            wave = np.sign(height) * np.cos(2 * np.pi * k * fine / self.p)
            colour = self.colour(k)
            waves += [
                plot.curve(fine, wave, colour, 4),
                words(str(k), colour, px=34, bold=True, at=(290, y + 12), anchor="right"),
                words(f"{height:.1f}", colour, px=34, at=(1790, y + 12), anchor="right"),
            ]
        head = words("height in logits", muted, px=SMALL, at=(1792, 150), anchor="right")
        self.say(
            self.first(
                "Each key frequency gives such a wave, with a height that training has found.",
                "Each key frequency scores all answers $c$ with a wave, high at the sum.",
            ),
            mn.FadeIn(guide), mn.FadeIn(head), mn.LaggedStart(*map(mn.FadeIn, waves), run_time=2.5),
        )  # fmt: skip
        self._add_up(heights, fine)

    def _add_up(self, heights: dict[int, float], fine: np.ndarray) -> None:
        ink, p = self.colours.ink, self.p
        every = sums.total(self.data, fine)
        low, high = float(every.min()), float(every.max())
        plot = Plot(330, 590, 1590, 835, (-REACH, REACH), (1.02 * low, 1.02 * high))
        line = plot.curve(fine, 0 * fine, ink, 5)
        axis = [
            plot.level(0, self.colours.grid),
            words("sum", ink, px=34, bold=True, at=(290, plot.at(0, 0)[1] + 12), anchor="right"),
        ]
        answers = self._answers(plot, REACH, 828)
        self.say(
            "At the answer all of them are high. Elsewhere they pull up and down.",
            *map(mn.FadeIn, [*axis, *answers, line]),
        )  # fmt: skip
        before = 0 * fine
        for k in heights:
            after = before + sums.fit(self.data, k, fine)

            def grow(share: float, one: Any = before, two: Any = after) -> None:
                line.move_line(plot.pixels(np.stack([fine, one + share * (two - one)], axis=1)))

            self.play(self.sweep(grow, line, run_time=1.1))
            self.wait(0.3)
            before = after
        whole = np.arange(-REACH, REACH + 1)
        wave = self.data["logit_wave"].isel(epoch=-1).values[-whole % p].astype(float)
        dots = plot.dots(whole, wave, 8, ink)
        tag = words(f"{high:.1f}", ink, px=34, bold=True, at=(1790, plot.at(0, high)[1] + 26),
                    anchor="right")  # fmt: skip
        share = float(self.data["logit_variance_explained"].values[-1])
        self.say(
            f"The dots are the network's own logits, averaged over all sums.\n"
            f"The waves explain {share:.0%} of them.",
            mn.FadeIn(dots), mn.FadeIn(tag),
        )  # fmt: skip
        rival = float(sums.total(self.data, np.arange(1, p)).max())
        self.say(
            f"So {self.c} wins with {high:.1f} logits. No other answer has more than {rival:.1f}."
        )
        self.hold(1.0)


def _projections(dial: Dial, angle: float) -> list[Any]:
    """The hand's cosine along the horizontal, and its sine along the vertical."""
    tip = dial.at(angle, 0.9)
    foot = np.array([tip[0], dial.centre[1]])
    lines = []
    for ends in ((dial.centre, foot), (foot, tip)):
        line = Line(np.stack(ends), dial.scene.colours.muted, 4)
        line.set_z_index(0.5)
        lines.append(line)
    return lines


def _ends(start: float, stop: float, y: float) -> np.ndarray:
    return np.array([[ZERO + UNIT * start, y], [ZERO + UNIT * stop, y]])


def _beam(start: float, stop: float, y: float, colour: str) -> Line:
    """A horizontal bar from ``start`` to ``stop``."""
    line = Line(_ends(start, stop, y), colour, 34)
    line.cap_style = mn.CapStyleType.BUTT
    return line


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _count(number: int) -> str:
    names = {1: "once", 2: "twice", 3: "three times", 4: "four times", 5: "five times",
             6: "six times", 7: "seven times"}  # fmt: skip
    return names.get(number, f"{number} times")
