"""Inputs to logits.

Drawn alone by
``manim -qm scenes/modular_addition/films/fourier_multiplication.py FourierMultiplication``.
"""

from __future__ import annotations

import itertools
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

ZERO, UNIT = 1510, 250
"""Pixel column of 0, and pixels per unit, of the bars of products."""
BEGIN, END, TRACK = 190.0, 1730.0, 560.0
"""Pixel columns of 0 and of 2 p on the line of the sum, and its row."""
REACH = 20
"""Distance from the answer up to which single waves are shown."""
NEARLY = 0.9
"""A wave that is so high at another answer is nearly as high as at the right one."""


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
        self._ask()
        ink, columns = self.colours.ink, np.linspace(440, 1670, len(self.waves))
        rows = {f"$a$ = {self.a}": (self.a, 330), f"$b$ = {self.b}": (self.b, 610)}
        dials, texts = [], []
        for text, (n, y) in rows.items():
            texts.append(words(text, ink, px=46, at=(128, y + 16), anchor="left"))
            dials += [(Dial(self, k, (x, y), 115, dot=4), n)
                      for k, x in zip(self.waves, columns, strict=True)]  # fmt: skip
        names = [words(f"frequency {k}", self.colour(k), px=SMALL, bold=True, at=(x, 185))
                 for k, x in zip(self.waves, columns, strict=True)]  # fmt: skip
        places = [dial.pixels() for dial, _ in dials]
        dots, hands = [dial.dots for dial, _ in dials], [dial.hand(0, px=6) for dial, _ in dials]

        def appear(share: float) -> None:
            for some, where in zip(dots, places, strict=True):
                some.move_dots(where[: max(round(share * self.p), 1)])

        appear(0.0)
        self.add(*dots)
        text = "It embeds every number on circles, one for each key frequency."
        self.say(text, *map(mn.FadeIn, [*texts, *names, *(dial.ring for dial, _ in dials)]),
                 self.sweep(appear, *dots, run_time=self.reading(text)))  # fmt: skip

        def turn(share: float) -> None:
            for (dial, n), hand in zip(dials, hands, strict=True):
                dial.turn(hand, share * dial.angle(n))

        marks = [dial.mark(n, ink, 9) for dial, n in dials]
        self.add(*hands)
        self.play(self.sweep(turn, *hands, run_time=1.6))
        self.play(*map(mn.FadeIn, marks), run_time=0.4)
        law = formula("embedding", ink, px=58, at=(960, 815))
        text = "So it knows of each number a cosine (across) and a sine (up)."
        shadows = [shadow for dial, n in dials for shadow in _projections(dial, dial.angle(n))]
        grown = [shadow.points.copy() for shadow in shadows]

        def cast(share: float) -> None:
            for n, (shadow, points) in enumerate(zip(shadows, grown, strict=True)):
                # the cosine first, then the sine from its end
                passed = np.clip(2 * share - n % 2, 0, 1)
                shadow.points = points[0] + passed * (points - points[0])

        cast(0.0)
        self.add(*shadows)
        self.say(text, mn.FadeIn(law),
                 self.sweep(cast, *shadows, run_time=0.75 * self.reading(text)))  # fmt: skip
        drawn = [*texts, *dots, *(dial.ring for dial, _ in dials), *hands, *marks, *shadows,
                 *names, law]  # fmt: skip
        n, count = self.waves.index(self.k), len(self.waves)
        self.followed = [
            shape for i in (n, n + count)
            for shape in (dials[i][0].ring, dots[i], hands[i], marks[i],
                          *shadows[2 * i : 2 * i + 2])
        ]  # fmt: skip
        self.leaving = [shape for shape in drawn if all(shape is not one for one in self.followed)]

    def _ask(self) -> None:
        """Lay both numbers on a line; what is beyond p starts again at 0."""
        ink, muted, total = self.colours.ink, self.colours.muted, self.a + self.b

        def at(n: float) -> float:
            return BEGIN + (END - BEGIN) * n / (2 * self.p)

        asked = words(f"{self.a} + {self.b} = ?  mod {self.p}", ink, px=110, at=(960, 350))
        line = Line(np.array([[BEGIN, TRACK + 40], [END, TRACK + 40]]), self.colours.grid, 4)
        wrap = Line(np.array([[at(self.p), TRACK - 80], [at(self.p), TRACK + 70]]), muted, 4)
        ticks = [words(str(n), muted, px=BODY, at=(at(n), TRACK + 100))
                 for n in (0, self.p, 2 * self.p)]  # fmt: skip
        bars = [_block(at(0), at(0), colour) for colour in (self.colours.train, ink)]
        spans = [(0, self.a), (self.a, total)]

        def grow(share: float) -> None:
            for n, (bar, (start, stop)) in enumerate(zip(bars, spans, strict=True)):
                passed = float(np.clip(2 * share - n, 0, 1))
                bar.move_line(_across(at(start), at(start + passed * (stop - start))))

        grow(0.0)
        text = f"The network is asked for {self.a} + {self.b}, mod {self.p}."
        self.say(text, *map(mn.FadeIn, [asked, line, wrap, *ticks]),
                 self.sweep(grow, *bars, run_time=self.reading(text)))  # fmt: skip
        beyond = total >= self.p
        parts = [words(str(n), ink, px=54, at=(at(sum(span) / 2), TRACK - 50))
                 for n, span in zip((self.a, self.b), spans, strict=True)]  # fmt: skip
        self.play(*map(mn.FadeIn, parts), run_time=0.5)
        result = _block(at(self.p), at(total), ink) if beyond else _block(at(0), at(total), ink)
        rest = (
            f"Beyond {self.p} one starts again at 0: the answer is {self.c}."
            if beyond
            else f"The answer is {self.c}."
        )

        def slide(share: float) -> None:
            away = share * self.p if beyond else 0.0
            start = self.p if beyond else 0
            result.move_line(_across(at(start - away), at(total - away)))

        number = words(str(self.c), ink, px=54, bold=True, at=(at(self.c), TRACK - 50))
        self.add(result)
        self.say(rest, *(bar.animate.set_stroke(opacity=0.22) for bar in bars),
                 *map(mn.FadeOut, parts),
                 self.sweep(slide, result, run_time=0.6 * self.reading(rest)))  # fmt: skip
        self.play(mn.FadeIn(number), run_time=0.4)
        self.hold()
        self.play(*map(mn.FadeOut, [asked, line, wrap, *ticks, *bars, result, number]),
                  run_time=0.5)  # fmt: skip

    # --- attention and the MLP ------------------------------------------------------

    def multiply(self) -> None:
        """Show products of one frequency's cosines and sines, and their sums."""
        ink = self.colours.ink
        one = Dial(self, self.k, (320, 300), 135, dot=5)
        two = Dial(self, self.k, (320, 655), 135, dot=5)
        shown = []
        for dial, letter, n in ((one, "a", self.a), (two, "b", self.b)):
            y = float(dial.centre[1]) + 182
            shown += [dial.ring, dial.dots, dial.hand(dial.angle(n), px=6), dial.mark(n, ink, 9),
                      words(f"${letter}$ = {n}", ink, px=42, at=(320, y + 10)),
                      *_projections(dial, dial.angle(n))]  # fmt: skip
        if self._begins:
            self.remove(*self.followed)
        leaving = [] if self._begins else [mn.FadeOut(mn.Group(*self.followed))]
        self.say(f"Follow one of them, frequency {self.k}.", *map(mn.FadeIn, shown), *leaving)
        x, y = one.angle(self.a), one.angle(self.b)
        cosines = [np.cos(x) * np.cos(y), -np.sin(x) * np.sin(y)]
        sines = [np.sin(x) * np.cos(y), np.cos(x) * np.sin(y)]
        laws = [
            ["cos(w a) cos(w b)", "- sin(w a) sin(w b)", "= cos(w (a + b))"],
            ["sin(w a) cos(w b)", "+ cos(w a) sin(w b)", "= sin(w (a + b))"],
        ]
        axis = Line(np.array([[ZERO, 190], [ZERO, 790]]), self.colours.grid, 3)
        axis.set_z_index(-1)
        self.say("Attention and the MLP multiply: each wave of $a$ with each of $b$.",
                 mn.FadeIn(axis))  # fmt: skip
        rows: list[Any] = []
        for law, values, top in ((laws[0], cosines, 225), (laws[1], sines, 570)):
            rows += self._products(law, values, top)
        shares = self.options.directions(self.data)
        boxes = [Line(_around(610, top + 124, 1790, top + 216), self.colour(self.k), 6)
                 for top in (225, 570)]  # fmt: skip
        whole = [box.points.copy() for box in boxes]

        def draw(share: float) -> None:
            for n, (box, points) in enumerate(zip(boxes, whole, strict=True)):
                part = float(np.clip(2 * share - n, 0, 1))
                box.points = points[: 4 * round(part * len(points) / 4)]

        draw(0.0)
        text = (
            "Measured in the MLP: this cosine and sine explain "
            f"{shares[0]:.0%} of its variance along one direction, {shares[1]:.0%} along another."
        )
        self.say(text, self.sweep(draw, *boxes, run_time=0.8 * self.reading(text)))
        self.leaving = [*shown, axis, *rows, *boxes]

    def _products(self, laws: list[str], values: list[float], top: float) -> list[Any]:
        """Draw two products and their sum as bars, each starting at the end of the last."""
        ink, colour = self.colours.ink, self.colour(self.k)
        start, shapes = 0.0, []
        for n, value in enumerate([*values, sum(values)]):
            y, last = top + 85 * n, n == 2
            begin = 0.0 if last else start
            law = mathematics(laws[n], ink, px=52, at=(640, y), anchor="left")
            number = mono(_signed(value), ink, px=44, bold=last, at=(1235, y + 15))
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
        law = formula("angle-difference", ink, px=48, at=(960, 190), k=k)
        plot = Plot(820, 330, 1760, 730, (-REACH, REACH), (-1.15, 1.15))
        fine = np.linspace(-REACH, REACH, 40 * REACH + 1)
        curve = plot.curve(fine[:2], np.cos(2 * np.pi * k * fine[:2] / self.p), dial.colour, 4)
        whole = np.arange(-REACH, REACH + 1)
        height = np.cos(2 * np.pi * k * whole / self.p)
        dots = plot.dots(whole[:1], height[:1], 8, dial.colour)
        pointer = Dots(dial.pixels()[[(self.c - REACH) % self.p]], 13, muted)
        axis = [plot.level(0, self.colours.grid), *self._answers(plot, REACH)]
        texts = [
            f"The unembedding turns both into a wave over the answers $c$, here from "
            f"{(self.c - REACH) % self.p} to {(self.c + REACH) % self.p}.",
            "Where $c$ lies under the hand it is high, opposite it is low.",
        ]

        def sweep(share: float) -> None:
            n = round(share * 2 * REACH)
            stop = round(share * (len(fine) - 1)) + 1
            curve.move_line(plot.pixels(np.stack(
                [fine[:stop], np.cos(2 * np.pi * k * fine[:stop] / self.p)], axis=1)))  # fmt: skip
            dots.move_dots(plot.pixels(np.stack([whole[: n + 1], height[: n + 1]], axis=1)))
            pointer.move_dots(dial.pixels()[[(self.c - REACH + n) % self.p]])

        self.add(curve, dots)
        for n, text in enumerate(texts):
            shown = [dial.ring, dial.dots, hand, mark, named, law, *axis, pointer]
            self.say(
                text, *map(mn.FadeIn, () if n else shown),
                self.sweep(lambda share, n=n: sweep((n + share) / 2), curve, dots, pointer,
                           run_time=1.1 * self.reading(text), rate=mn.linear),
            )  # fmt: skip
        best = plot.dots([0.0], [1.0], 15, ink)
        near = whole[(height > NEARLY) & (whole != 0)]
        rivals = Dots(plot.pixels(np.stack([near, height[near + REACH]], axis=1)), 0.1, muted)
        text = f"It is highest at {self.c}" + (
            ", and nearly as high at others." if len(near) else ", and lower at all others."
        )

        def swell(share: float) -> None:
            rivals.move_dots(plot.pixels(np.stack([near, height[near + REACH]], axis=1)),
                             max(14 * share, 0.1))  # fmt: skip

        self.add(rivals)
        self.say(
            text, mn.FadeIn(best), self.sweep(swell, rivals, run_time=0.9 * self.reading(text))
        )
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
            rivals,
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
        row = 385 / len(heights)
        largest = max(heights.values())
        guide = Line(np.array([[960, 180], [960, 850]]), self.colours.grid, 6)
        guide.set_z_index(-1)
        curves: list[Any] = []
        texts: list[Any] = []
        for n, (k, height) in enumerate(heights.items()):
            y, swing = 185 + row * (n + 0.5), 0.47 * row * abs(height) / largest
            plot = Plot(330, y - swing, 1590, y + swing, (-REACH, REACH), (-1, 1))
            wave = np.sign(height) * np.cos(2 * np.pi * k * fine / self.p)
            colour = self.colour(k)
            curves.append((plot.curve(fine, wave, colour, 6), fine, plot, wave))
            texts += [
                words(str(k), colour, px=42, bold=True, at=(290, y + 15), anchor="right"),
                words(f"{height:.1f}", colour, px=42, at=(1790, y + 15), anchor="right"),
            ]
        head = words("height in logits", muted, px=SMALL, at=(1792, 165), anchor="right")
        names = words("frequency", muted, px=SMALL, at=(128, 165), anchor="left")
        text = self.first(
            "Each key frequency gives such a wave, as high as training made it.",
            "Each key frequency scores all answers $c$ with a wave, high at the sum.",
        )

        def draw(share: float) -> None:
            stop = round(share * (len(fine) - 1)) + 1
            for curve, x, plot, wave in curves:
                curve.move_line(plot.pixels(np.stack([x[:stop], wave[:stop]], axis=1)))

        draw(0.0)
        lines = [curve for curve, *_ in curves]
        self.add(*lines)
        self.say(text, *map(mn.FadeIn, [guide, head, names, *texts]),
                 self.sweep(draw, *lines, run_time=0.9 * self.reading(text)))  # fmt: skip
        self._add_up(heights, fine)

    def _add_up(self, heights: dict[int, float], fine: np.ndarray) -> None:
        ink, p = self.colours.ink, self.p
        every = sums.total(self.data, fine)
        low, high = float(every.min()), float(every.max())
        plot = Plot(330, 604, 1590, 832, (-REACH, REACH), (1.02 * low, 1.02 * high))
        rule = Line(np.array([[128, 582], [1792, 582]]), self.colours.grid, 3)
        line = plot.curve(fine, 0 * fine, ink, 7)
        axis = [
            rule,
            plot.level(0, self.colours.grid),
            words("sum", ink, px=42, bold=True, at=(290, plot.at(0, 0)[1] + 12), anchor="right"),
        ]
        answers = self._answers(plot, REACH, 828)
        self.say(
            "At the answer all are high; elsewhere they disagree.",
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
        places = plot.pixels(np.stack([whole, wave], axis=1))
        dots = Dots(places[:1], 10, ink)
        share = float(self.data["logit_variance_explained"].values[-1])
        text = (
            f"Dots are the network's logits; the waves explain {share:.0%} of the squared logits."
        )
        self.add(dots)
        self.say(text, self.sweep(
            lambda passed: dots.move_dots(places[: 1 + round(passed * 2 * REACH)]), dots,
            run_time=0.8 * self.reading(text),
        ))  # fmt: skip
        rival = float(sums.total(self.data, np.arange(1, p)).max())
        levels = [Line(np.zeros((2, 2)), colour, 4)
                  for colour in (ink, self.colours.muted)]  # fmt: skip
        tags = [
            words(f"{value:.1f}", colour, px=42, bold=value == high, anchor="left",
                  at=(1606, plot.at(0, value)[1] + 15))
            for value, colour in ((high, ink), (rival, self.colours.muted))
        ]  # fmt: skip

        def measure(share: float) -> None:
            for level, value in zip(levels, (high, rival), strict=True):
                y, reach = plot.at(0, value)[1], share * 630
                level.move_line(np.array([[960, y], [960 + reach, y]]))

        measure(0.01)
        self.add(*levels)
        text = f"{self.c} wins with {high:.1f} logits. The next best of all {p} has {rival:.1f}."
        self.say(text, *map(mn.FadeIn, tags),
                 self.sweep(measure, *levels, run_time=0.7 * self.reading(text)))  # fmt: skip


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


def _across(start: float, stop: float) -> np.ndarray:
    return np.array([[start, TRACK], [max(stop, start + 1), TRACK]])


def _block(start: float, stop: float, colour: str) -> Line:
    """A thick bar on the line of the sum."""
    line = Line(_across(start, stop), colour, 60)
    line.cap_style = mn.CapStyleType.BUTT
    return line


def _around(left: float, top: float, right: float, low: float) -> np.ndarray:
    """A rectangle's outline in many short steps, so that it can be drawn bit by bit."""
    corners = np.array([[left, top], [right, top], [right, low], [left, low], [left, top]])
    steps = [np.linspace(one, two, 40) for one, two in itertools.pairwise(corners)]
    return np.concatenate(steps)


def _ends(start: float, stop: float, y: float) -> np.ndarray:
    return np.array([[ZERO + UNIT * start, y], [ZERO + UNIT * stop, y]])


def _beam(start: float, stop: float, y: float, colour: str) -> Line:
    """A horizontal bar from ``start`` to ``stop``."""
    line = Line(_ends(start, stop, y), colour, 34)
    line.cap_style = mn.CapStyleType.BUTT
    return line


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
