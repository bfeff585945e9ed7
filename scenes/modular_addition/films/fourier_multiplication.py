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
from grokviz.scenes.modular_addition.fourier_multiplication import WAVES

from grokviz.media.formulas import FORMULAS
from grokviz.media.motion import FADE, MOVE
from grokviz.scene.films.toolkit import (
    BODY,
    SMALL,
    Anchor,
    Dots,
    FilmScene,
    Line,
    Plot,
    formula,
    mathematics,
    mono,
    words,
)
from grokviz.scene.spoken import percent

ZERO, UNIT = 1510, 250
"""Pixel column of 0, and pixels per unit, of the bars of products."""
BEGIN, END, TRACK = 190.0, 1730.0, 560.0
"""Pixel columns of 0 and of 2 p on the line of the sum, and its row."""
PIECES, DOT = 8, 16
"""Parts in which the dots of all pairs are drawn, and the points of the outline of one."""
HIGH = 0.7
"""From this height on a wave is near its extreme."""
REACH = 23
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
        self.section("multiply")
        self.multiply()
        self.section("read")
        self.read()
        self.section("interfere")
        self.interfere()

    def _cut(self, *shapes: Any) -> None:
        """Put a new picture in the place of the last one."""
        self.remove(*self.leaving)
        self.add(*shapes)
        self.leaving = list(shapes)

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
        self.play(*map(mn.FadeIn, marks), run_time=FADE)
        law = mathematics(f"{FORMULAS['embedding'].typst}, quad w_k = 2 pi k \\/ {self.p}", ink,
                          px=52, at=(960, 815))  # fmt: skip
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
        self.leaving = [*texts, *dots, *(dial.ring for dial, _ in dials), *hands, *marks,
                        *shadows, *names, law]  # fmt: skip

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
        self.play(*map(mn.FadeIn, parts), run_time=FADE)
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
        self.play(mn.FadeIn(number), run_time=FADE)
        self.hold()
        self.play(*map(mn.FadeOut, [asked, line, wrap, *ticks, *bars, result, number]),
                  run_time=FADE)  # fmt: skip

    # --- attention and the MLP ------------------------------------------------------

    def multiply(self) -> None:
        """Show products of one frequency's cosines and sines and their sums, then the MLP's."""
        ink, k, w = self.colours.ink, self.k, f"w_{self.k}"
        shown = []
        for letter, n, y in (("a", self.a, 300), ("b", self.b, 655)):
            dial = Dial(self, k, (320, y), 135, dot=5)
            shown += [dial.ring, dial.dots, dial.hand(dial.angle(n), px=6), dial.mark(n, ink, 9),
                      words(f"${letter}$ = {n}", ink, px=42, at=(320, y + 192)),
                      *_projections(dial, dial.angle(n))]  # fmt: skip
        x, y = (2 * np.pi * k * n / self.p for n in (self.a, self.b))
        cosine = [np.cos(x) * np.cos(y), -np.sin(x) * np.sin(y)]
        sine = [np.sin(x) * np.cos(y), np.cos(x) * np.sin(y)]
        of_cosine = f"cos({w} a) cos({w} b)", f"- sin({w} a) sin({w} b)", f"= cos({w} (a + b))"
        of_sine = f"sin({w} a) cos({w} b)", f"+ cos({w} a) sin({w} b)", f"= sin({w} (a + b))"
        tables = [_Table(self, 245, cosine, of_cosine), _Table(self, 590, sine, of_sine)]
        axis = Line(np.array([[ZERO, 200], [ZERO, 800]]), self.colours.grid, 3)
        axis.set_z_index(-1)
        head = words(
            f"exact values for {self.a} and {self.b}",
            self.colours.muted,
            px=SMALL,
            at=(1235, 182),
            anchor="right",
        )
        bars = [shape for table in tables for shape in (*table.bars, *table.numbers)]
        self._cut(*shown, axis, head, *(law for table in tables for law in table.laws), *bars)
        aim = f"Multiplying is how it gets the angle of $a + b$, here at frequency {k}."

        def grow(share: float) -> None:
            for n, table in enumerate(tables):
                table.show(float(np.clip(2 * share - n, 0, 1)))

        self.say(aim, self.sweep(lambda s: grow(0.5 * s), *bars, run_time=self.reading(aim)))
        means = "Products of $a$'s waves and $b$'s add up to its cosine and its sine."
        self.say(means, self.sweep(lambda s: grow(0.5 + 0.5 * s), *bars,
                                   run_time=self.reading(means), rate=mn.linear))  # fmt: skip
        self.hold()
        self._measure()

    def _measure(self) -> None:
        """Draw the MLP of every pair along two directions over the angle of a + b."""
        ink, p, k = self.colours.ink, self.p, self.k
        n = np.arange(p)
        turns = (k * (n[:, None] + n) / p % 1).ravel()
        order, own = np.argsort(turns, kind="stable"), self.a * p + self.b
        fine = np.linspace(0, 1, 200)
        shares = self.options.shares(self.data)
        furniture: list[Any] = []
        clouds: list[list[Any]] = []
        marks: list[Any] = []
        curves, lines = [], [Line(np.zeros((2, 2)), ink, 5) for _ in WAVES]
        parts = zip(self.options.projections(self.data), WAVES.items(), shares, (230, 1110),
                    strict=True)  # fmt: skip
        for values, (name, wave), share, x0 in parts:
            plot = Plot(x0, 300, x0 + 660, 780, (0, 1), (-1.5, 1.5))
            dots = plot.pixels(np.stack([turns, values.ravel()], axis=1))
            clouds.append([Dots(some, 2.4, self.colour(k), 0.6)
                           for some in np.array_split(dots[order], PIECES)])  # fmt: skip
            curves.append(plot.pixels(np.stack([fine, wave(2 * np.pi * fine)], axis=1)))
            marks += [Dots(dots[[own]], 15, ink), self._own_name(dots[own], wave, turns[own])]
            law = mathematics(f"{name}(w_{k} (a + b))", ink, px=48, at=(x0, 205), anchor="left")
            furniture += [law, *self._frame(plot, share, "another" if clouds[1:] else "one")]
        self._cut(*furniture)
        one, two = shares
        text = (
            f"Measured, a dot a pair: {percent(one)} of the MLP's variance along one direction "
            f"is this cosine, along another {percent(two)} this sine."
        )
        seconds = 0.62 * self.reading(text) / PIECES
        for m, pair in enumerate(zip(*clouds, strict=True)):
            grow = self._appear(pair, seconds)
            if m:
                self.play(grow)
            else:
                self.say(text, grow)

        def draw(share: float) -> None:
            for line, pixels in zip(lines, curves, strict=True):
                line.move_line(pixels[: 2 + round(share * (len(fine) - 2))])

        self.add(*lines)
        self.play(self.sweep(draw, *lines, run_time=MOVE), *map(mn.FadeIn, marks))
        self.leaving += [*itertools.chain(*clouds), *lines, *marks]

    def _own_name(self, at: np.ndarray, wave: Any, turn: float) -> Any:
        """The sum beside its dot: within the wave near its extremes, else on its free side."""
        x, y = (float(pixel) for pixel in at)
        value, rise = (
            wave(2 * np.pi * turn),
            np.diff(wave(2 * np.pi * (turn + np.array([0, 0.01])))),
        )
        place: tuple[float, float, Anchor] = (
            (x, y + 12 + 110 * float(np.sign(value)), "centre") if abs(value) > HIGH
            else (x - 24, y - 18, "right") if rise > 0 else (x + 24, y - 18, "left")
        )  # fmt: skip
        return words(f"{self.a} + {self.b}", self.colours.ink, px=SMALL, bold=True,
                     at=place[:2], anchor=place[2])  # fmt: skip

    def _appear(self, clouds: tuple[Any, ...], seconds: float) -> Any:
        """Let clouds of dots appear from their first dot to the last."""
        whole = [cloud.points.copy() for cloud in clouds]

        def appear(share: float) -> None:
            for cloud, points in zip(clouds, whole, strict=True):
                cloud.points = points[: DOT * round(share * len(points) / DOT)]

        appear(0.0)
        self.add(*clouds)
        return self.sweep(appear, *clouds, run_time=seconds, rate=mn.linear)

    def _frame(self, plot: Plot, share: float, which: str) -> list[Any]:
        """What stands around the MLP's values along one direction."""
        muted = self.colours.muted
        return [
            words(percent(share), self.colours.ink, px=60, bold=True, at=(plot.x1, 225),
                  anchor="right"),
            words(f"MLP along {which} direction, scaled", muted, px=SMALL, at=(plot.x0, 275),
                  anchor="left"),
            words("angle of $a + b$", muted, px=SMALL, at=(plot.x1, 865), anchor="right"),
            *(words(text, muted, px=SMALL, at=(plot.at(turn, 0)[0], 822))
              for turn, text in ((0, "0°"), (0.5, "180°"), (1, "360°"))),
            *(words(text, muted, px=SMALL, at=(plot.x0 - 16, plot.at(0, y)[1] + 10),
                    anchor="right")
              for y, text in ((1, "1"), (0, "0"), (-1, "−1"))),
            *(plot.level(y, self.colours.grid) for y in (-1, 0, 1)),
        ]  # fmt: skip

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

        sweep(0.0)
        self._cut(dial.ring, dial.dots, hand, mark, named, law, *axis, pointer, curve, dots)
        for n, text in enumerate(texts):
            self.say(
                text, self.sweep(lambda share, n=n: sweep((n + share) / 2), curve, dots, pointer,
                           run_time=MOVE * self.reading(text), rate=mn.linear),
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
            text, mn.FadeIn(best), self.sweep(swell, rivals, run_time=MOVE * self.reading(text))
        )
        self.leaving += [best, rivals]

    def _answers(self, plot: Plot, reach: int, y: float | None = None) -> list[Any]:
        """Labels of some answers below a plot, the correct one in bold."""
        labels = [words("answer $c$", self.colours.muted, px=SMALL, anchor="right",
                        at=(plot.x0 - 40, (y or plot.y1) + 46))]  # fmt: skip
        for n in (-reach, 0, reach):
            colour = self.colours.muted if n else self.colours.ink
            labels.append(words(str((self.c + n) % self.p), colour, px=BODY, bold=not n,
                                at=(plot.at(n, 0)[0], (y or plot.y1) + 46)))  # fmt: skip
        return labels

    def _asked(self, plot: Plot, y: float) -> list[Any]:
        """The sum at the left of its answer, and at the right how many answers are shown."""
        left, right = (plot.at(side * REACH / 2, 0)[0] for side in (-1, 1))
        asked = f"{self.a} + {self.b} = {self.c} mod {self.p}"
        shapes = [words(asked, self.colours.ink, px=SMALL, bold=True, at=(left, y))]
        if self.p > 2 * REACH + 1:
            some = f"{2 * REACH + 1} of the {self.p} answers"
            shapes.append(words(some, self.colours.muted, px=SMALL, at=(right, y)))
        return shapes

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
            y, swing = 185 + row * (n + 0.5), 0.4 * row * abs(height) / largest
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
        every = sums.total(self.data, fine)
        limits = 1.02 * float(every.min()), 1.02 * float(every.max())
        plot = Plot(330, 604, 1590, 832, (-REACH, REACH), limits)
        axis = [
            Line(np.array([[128, 582], [1792, 582]]), self.colours.grid, 3),
            plot.level(0, self.colours.grid),
            words("sum", self.colours.ink, px=42, bold=True, anchor="right",
                  at=(290, plot.at(0, 0)[1] + 12)),
            *self._answers(plot, REACH, 828),
            *self._asked(plot, 874),
        ]  # fmt: skip
        self._cut(*lines, guide, head, names, *texts, *axis)
        self.say(text, self.sweep(draw, *lines, run_time=MOVE * self.reading(text)))
        self._add_up(plot, heights, fine)

    def _add_up(self, plot: Plot, heights: dict[int, float], fine: np.ndarray) -> None:
        ink, p = self.colours.ink, self.p
        high = float(sums.total(self.data, fine).max())
        line = plot.curve(fine, 0 * fine, ink, 7)
        self.say("At the answer all are high; elsewhere they disagree.", mn.FadeIn(line))
        before = 0 * fine
        for k in heights:
            after = before + sums.fit(self.data, k, fine)

            def grow(share: float, one: Any = before, two: Any = after) -> None:
                line.move_line(plot.pixels(np.stack([fine, one + share * (two - one)], axis=1)))

            self.play(self.sweep(grow, line, run_time=MOVE))
            self.wait(0.1)
            before = after
        whole = np.arange(-REACH, REACH + 1)
        wave = self.data["logit_wave"].isel(epoch=-1).values[-whole % p].astype(float)
        places = plot.pixels(np.stack([whole, wave], axis=1))
        dots = Dots(places[:1], 10, ink)
        y = plot.at(0, 0)[1]
        key = [Dots(np.array([[140.0, y + 52]]), 10, ink),
               words("network", ink, px=SMALL, at=(164, y + 64), anchor="left")]  # fmt: skip
        share = float(self.data["logit_variance_explained"].values[-1])
        held = f"waves explain {percent(share)} of all squared logits"
        text = f"Dots: mean logits over all sums; {held}."
        self.add(dots)
        self.say(text, *map(mn.FadeIn, key), self.sweep(
            lambda passed: dots.move_dots(places[: 1 + round(passed * 2 * REACH)]), dots,
            run_time=MOVE * self.reading(text),
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
        text = (
            f"The waves' sum is {high:.1f} logits at {self.c}, "
            f"at most {rival:.1f} at the other {p - 1} answers."
        )
        self.say(text, *map(mn.FadeIn, tags),
                 self.sweep(measure, *levels, run_time=0.7 * self.reading(text)))  # fmt: skip


class _Table:
    """Two products of waves and their sum as bars, each starting at the end of the last."""

    def __init__(self, scene: FourierMultiplication, top: float, values: list[float],
                 laws: tuple[str, ...]) -> None:  # fmt: skip
        ink = scene.colours.ink
        self.scene, self.values = scene, [*values, sum(values)]
        self.starts = [0.0, values[0], 0.0]
        self.rows = [top + 85 * n for n in range(3)]
        self.laws = [mathematics(law, ink, px=48, at=(560, y), anchor="left")
                     for law, y in zip(laws, self.rows, strict=True)]  # fmt: skip
        colours = (scene.colours.train, scene.colours.train, scene.colour(scene.k))
        rows = zip(self.starts, self.rows, colours, strict=True)
        self.bars = [_beam(start, start, y, colour) for start, y, colour in rows]
        self.numbers = [mono("", ink, px=44, at=(0, 0)) for _ in self.rows]

    def show(self, share: float) -> None:
        """Let them grow one after another."""
        rows = zip(self.values, self.starts, self.rows, self.bars, self.numbers, strict=True)
        for n, (value, start, y, bar, number) in enumerate(rows):
            part = float(np.clip(3 * share - n, 0, 1))
            bar.move_line(_ends(start, start + part * value, y))
            text = _signed(value) if part > 0 else ""
            at = (1235, y + 15)
            number.points = mono(text, self.scene.colours.ink, px=44, at=at, bold=n == 2).points


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


def _ends(start: float, stop: float, y: float) -> np.ndarray:
    return np.array([[ZERO + UNIT * start, y], [ZERO + UNIT * stop, y]])


def _beam(start: float, stop: float, y: float, colour: str) -> Line:
    """A horizontal bar from ``start`` to ``stop``."""
    line = Line(_ends(start, stop, y), colour, 34)
    line.cap_style = mn.CapStyleType.BUTT
    return line


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
