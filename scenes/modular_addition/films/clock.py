"""Adding is turning, and several clocks agree.

Drawn alone by ``manim -qm scenes/modular_addition/films/clock.py Clock``.
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
    SMALLEST,
    Dots,
    FilmScene,
    Line,
    Plot,
    formula,
    mathematics,
    place,
    words,
)

MIDDLE, LEFT = (960.0, 520.0), (500.0, 520.0)
"""The dial's position at first, and its position beside something else."""
RIGHT = 1390
"""Centre of the right half in pixels."""
CLOSE = 3.5
"""Steps along the circle on either side of the answer that are shown from close by."""


class Clock(FilmScene):
    """One sum on the network's own circles."""

    film = "clock"

    def construct(self) -> None:
        """Play the four sections in order."""
        self.a, self.b = self.options.sum_of(self.data)
        self.k = self.options.large(self.data)
        self.p = self.data.sizes["residue"]
        self.waves = list(sums.wave_heights(self.data))
        self.c = self.options.answer(self.data)
        self.dial = Dial(self, self.k, MIDDLE, 290, dot=8)
        self.leaving: list[Any] = []
        self.show_last_moment()
        self.section("dial")
        self.number_the_dial()
        self.section("turn", *self.leaving)
        self.add_on_the_dial()
        self.section("rivals", *self.leaving)
        self.find_rivals()
        self.section("agree", *self.leaving)
        self.let_all_agree()

    # --- numbers are angles ------------------------------------------------------

    def number_the_dial(self) -> None:
        """Show the embedded numbers, and the rotation from each to the next."""
        dial, ink = self.dial, self.colours.ink
        text = f"The network puts each number from 0 to {self.p - 1} on a circle."
        waiting = Dots(dial.pixels(), 6, dial.colour, 0.5)
        self._appear(0.0)
        self.add(waiting, dial.dots)
        self.say(
            text, mn.FadeIn(dial.ring),
            self.sweep(self._appear, dial.dots, run_time=self.reading(text)),
        )  # fmt: skip
        self.remove(waiting)
        zero = dial.label(0, "0", ink, px=44)
        self.hand = dial.hand(0)
        self.say(
            f"From each number to the next is the same turn: {self.k} / {self.p} of a circle.",
            mn.FadeIn(self.hand), mn.FadeIn(zero),
        )  # fmt: skip
        self.labels = [zero]
        for n in (1, 2, 3):
            self._step_to(n)
        self._step_aside()
        law = [
            words("number $n$ stands at the angle", ink, px=44, at=(RIGHT, 450)),
            mathematics(f"w n = (2 pi dot {self.k}) / {self.p} n", ink, px=66, at=(RIGHT, 550)),
        ]
        self.say("So on this circle a number is an angle.", *map(mn.FadeIn, law))
        for n in (4, 5, 6):
            self._step_to(n)
        self.leaving = [*law, *self.labels, self.arc]

    def _step_aside(self) -> None:
        """Move the dial to the left, to make room."""
        shown = mn.Group(self.dial.ring, self.dial.dots, self.hand, *self.labels, self.arc)
        self.play(shown.animate.shift(place(*LEFT) - place(*MIDDLE)), run_time=1.0)
        self.dial.centre = np.array(LEFT)

    def _appear(self, share: float) -> None:
        shown = max(round(share * self.p), 1)
        self.dial.dots.move_dots(self.dial.pixels()[:shown])

    def _step_to(self, n: int) -> None:
        """Turn the hand by one number, drawing an arc."""
        dial, start = self.dial, self.dial.angle(n - 1)
        turn = self.dial.angle(1)
        if n == 1:
            self.arc = Line(dial.arc(start, start, 0.5 * dial.radius), dial.colour, 5)

        def move(share: float) -> None:
            dial.turn(self.hand, start + share * turn)
            self.arc.move_line(dial.arc(start, start + share * turn, 0.5 * dial.radius))

        self.play(self.sweep(move, self.hand, self.arc, run_time=0.9))
        label = dial.label(n, str(n), self.colours.ink, px=44)
        self.labels.append(label)
        self.play(mn.FadeIn(label), run_time=0.3)

    # --- adding is turning ---------------------------------------------------------

    def add_on_the_dial(self) -> None:
        """Turn the hand from a by the angle of b to c."""
        dial, ink, p = self.dial, self.colours.ink, self.p
        to_a, by_b = dial.angle(self.a), dial.angle(self.b)
        start = dial.angle(6)
        sum_ = [
            words(f"$a$ = {self.a}", ink, px=56, at=(RIGHT - 240, 400), anchor="left"),
            words(f"$b$ = {self.b}", ink, px=56, at=(RIGHT - 240, 490), anchor="left"),
        ]
        mark_a = dial.mark(self.a, ink)
        label_a = dial.label(self.a, f"a = {self.a}", ink, px=44, away=1.22)
        self.say(
            self.first(
                f"Take a sum, {self.a} + {self.b}. The hand points at {self.a}.",
                "The network puts every number on a circle.\n"
                f"To add {self.a} and {self.b}, start at {self.a}.",
            ),
            *map(mn.FadeIn, sum_),
            self.sweep(lambda s: dial.turn(self.hand, start + s * (to_a - start)), self.hand,
                  run_time=1.0),
        )  # fmt: skip
        self.play(mn.FadeIn(mark_a), mn.FadeIn(label_a), run_time=0.4)
        first = Line(dial.arc(0, 0.01, 0.5 * dial.radius), ink, 8)
        second = dial.hand(0, self.colours.muted)
        origin = dial.mark(0, self.colours.muted, 13)
        of_b = dial.label(self.b, f"b = {self.b}", ink, px=44, away=1.22)
        zero = dial.label(0, "0", self.colours.muted, px=44)

        def turn_from_zero(share: float) -> None:
            dial.turn(second, share * by_b)
            first.move_line(dial.arc(0, share * by_b, 0.5 * dial.radius))

        self.hold()
        self.add(second, first)
        text = f"The angle of {self.b} is the turn from 0 to {self.b}."
        self.say(
            text, mn.FadeIn(of_b), mn.FadeIn(zero), mn.FadeIn(origin),
            self.sweep(turn_from_zero, second, first, run_time=0.8 * self.reading(text)),
        )  # fmt: skip
        self.play(mn.FadeOut(second), run_time=0.3)

        def move(share: float) -> None:
            dial.turn(self.hand, to_a + share * by_b)
            first.move_line(dial.arc(to_a, to_a + share * by_b, 0.5 * dial.radius))

        def slide(share: float) -> None:
            first.move_line(dial.arc(share * to_a, share * to_a + by_b, 0.5 * dial.radius))

        text = f"To add {self.b} is to turn the hand on by just that much."
        self.say(text, self.sweep(slide, first, run_time=0.5 * self.reading(text)))
        self.play(self.sweep(move, self.hand, first, run_time=2.4))
        mark_c = dial.mark(self.c, self.colours.ink)
        label_c = dial.label(self.c, f"{self.c}", self.colours.ink, px=50)
        result = words(f"{self.a} + {self.b} = {self.c}  mod {p}", self.colours.ink, px=50,
                       bold=True, at=(RIGHT - 240, 620), anchor="left")  # fmt: skip
        where = dial.pixels()[[self.c]]

        def ring(share: float) -> None:
            mark_c.move_dots(where, 15 + 16 * np.sin(np.pi * share))

        text = f"It points at {self.c}, which is {self.a} + {self.b} mod {p}."
        self.say(
            text, mn.FadeIn(label_c), mn.FadeIn(result), mn.FadeOut(of_b),
            self.sweep(ring, mark_c, run_time=0.8 * self.reading(text)),
        )  # fmt: skip
        self.left = [dial.ring, dial.dots, self.hand, mark_c, label_c]
        self.leaving = [*sum_, result, first, zero, origin, mark_a, label_a]

    # --- one clock is not sure -----------------------------------------------------

    def find_rivals(self) -> None:
        """Show how well each answer fits on this clock, and which fit nearly as well."""
        dial, ink, muted, c = self.dial, self.colours.ink, self.colours.muted, self.c
        fits, x = self.options.fit(self.data, self.k), self._around(self.k)
        high, half = 1.05 * float(fits.max()), self.p / 2 + 1
        box = (1000.0, 330.0, 1790.0, 780.0)
        plot = Plot(*box, (-half, half), (-high, high))
        bars = plot.bars(x, 0 * fits, 0.74, dial.colour)
        best = plot.bars(x[[c]], [0.0], 0.74, ink)
        law = formula("cos-sum", ink, px=56, at=(1395, 210), k=self.k)
        axis = [
            plot.level(0, self.colours.faint),
            words(str(c), ink, px=44, bold=True, at=(1395, 850)),
            words(
                "how well each answer $c$ fits, around the circle", muted, px=SMALL, at=(1395, 300)
            ),
        ]
        walkers = dial.mark(c, muted, 16)
        order = np.argsort(np.abs(x), kind="stable")

        def grow(share: float) -> None:
            # from the hand outwards on both sides
            near = np.abs(x) <= share * self.p / 2
            bars.set_heights(np.where(near, fits, 0.0))
            best.set_heights(fits[[c]])
            walkers.move_dots(dial.pixels()[order[: int(near.sum())][-2:]])

        self.add(bars, best)
        text = "How well an answer fits is the cosine of its angle to the hand."
        self.say(text, *map(mn.FadeIn, [law, *axis, walkers]),
                 self.sweep(grow, bars, best, walkers, run_time=self.reading(text)))  # fmt: skip
        self.play(mn.FadeOut(walkers), run_time=0.3)
        beside = pow(self.k, -1, self.p)
        rivals = np.array([(c + beside) % self.p, (c - beside) % self.p])
        near = [dial.mark(n, muted, 15) for n in rivals]
        wide = [words(str(n), muted, px=44, at=(1395 + x[n] * 790 / (2 * CLOSE), 850))
                for n in order[1 : 2 * int(CLOSE) + 1]]  # fmt: skip

        def approach(share: float) -> None:
            reach = half * (CLOSE / half) ** share
            closer = Plot(*box, (-reach, reach), (-high, high))
            seen = np.abs(x) <= reach - 0.5
            bars.plot = best.plot = closer
            bars.x = x[seen]
            bars.set_heights(fits[seen])
            best.set_heights(fits[[c]])

        share = fits[rivals[0]] / fits[c]
        text = (
            f"{c} fits best, but its neighbours {rivals[1]} and {rivals[0]} "
            f"fit {share:.1%} as well."
        )
        self.say(text, *map(mn.FadeIn, near),
                 self.sweep(approach, bars, best, run_time=0.7 * self.reading(text)))  # fmt: skip
        self.play(*map(mn.FadeIn, wide), run_time=0.4)
        shares = [
            words(f"{fits[n] / fits[c]:.{int(n != c)}%}", muted if n != c else ink, px=SMALLEST,
                  bold=n == c, at=(bars.plot.at(x[n], 0)[0], bars.plot.at(0, 0)[1] + 44))
            for n in order[: 2 * int(CLOSE) + 1]
        ]  # fmt: skip
        text = "Each step along the circle costs little: one clock is not enough."
        self.say(text, mn.LaggedStart(*map(mn.FadeIn, shares), lag_ratio=0.7,
                                      run_time=0.9 * self.reading(text)))  # fmt: skip
        self.leaving = [law, *axis, bars, best, *near, *wide, *shares]

    def _around(self, k: int) -> np.ndarray:
        """Number of steps along the circle from each number to the answer."""
        places = k * (np.arange(self.p) - self.c) % self.p
        distances: np.ndarray = np.where(places > self.p / 2, places - self.p, places)
        return distances

    def ticks(self, plot: Plot, numbers: tuple[int, ...]) -> list[Any]:
        """Labels of some candidate answers below a plot, the correct one in bold."""
        labels = []
        for n in dict.fromkeys(numbers):
            if n == self.c or abs(n - self.c) * (plot.x1 - plot.x0) / self.p > 50:
                right = n == self.c
                labels.append(words(str(n), self.colours.ink if right else self.colours.muted,
                                    px=BODY if right else SMALL, bold=right,
                                    at=(plot.at(n, 0)[0], plot.y1 + 42)))  # fmt: skip
        return labels

    # --- all clocks agree -------------------------------------------------------------

    def let_all_agree(self) -> None:
        """Show a clock for each key frequency, and the sum of their waves."""
        c, middle, room = self.c, (len(self.waves) - 1) / 2, min(344.0, 1600 / len(self.waves))
        radius = min(0.44 * room, 150.0)
        dials = [
            Dial(self, k, (960 + (n - middle) * room, 480), radius, dot=radius / 30)
            for n, k in enumerate(self.waves)
        ]
        large = self.waves.index(self.k)
        shrunk = mn.VGroup(*self.left[:3])
        hands = [dial.hand(dial.angle(c if n == large else 0), px=6)
                 for n, dial in enumerate(dials)]  # fmt: skip
        others = [shape for n, dial in enumerate(dials) if n != large
                  for shape in (dial.ring, dial.dots, hands[n])]  # fmt: skip
        names = [dial.name(self._name(dial.k, room), 480 + radius + 62, SMALL) for dial in dials]
        self.remove(*self.left[3:])
        self.play(
            shrunk.animate.scale(radius / 290, scale_stroke=True, about_point=mn.ORIGIN).shift(
                self._from_to(self.dial.centre, dials[large].centre, radius / 290)
            ),
            run_time=1.0,
        )
        self.remove(self.left[2])
        self.add(hands[large])
        text = f"The network has {self.count().lower()} such clocks, each of another frequency."
        self.say(text, mn.LaggedStart(*map(mn.FadeIn, [*others, *names]),
                                      run_time=0.8 * self.reading(text)))  # fmt: skip
        moved = [*others, *shrunk[:2], hands[large], *names, *self._turn_all(dials, hands, large)]
        self.hold()
        self.play(mn.Group(*moved).animate.shift(place(0, 310) - place(0, 480)), run_time=0.8)
        for dial in dials:
            dial.centre = dial.centre - [0, 170]
        self._add_up(dials, names)

    def _name(self, k: int, room: float) -> str:
        """A dial's name, short where there are many."""
        return f"frequency {k}" if room > 250 else str(k)

    def _turn_all(self, dials: list[Dial], hands: list[Any], large: int) -> list[Any]:
        """Put every hand on a, and turn all of them at once by their angles of b.

        Returns what is drawn on the dials.
        """
        c, big = self.c, dials[large]
        arcs = [Line(dial.arc(0, 0, 0.5 * dial.radius), dial.colour, 5) for dial in dials]
        starts = [dial.mark(self.a, self.colours.muted, 8) for dial in dials]

        def point_at_a(share: float) -> None:
            for n, (dial, hand) in enumerate(zip(dials, hands, strict=True)):
                # the large clock's hand is where the last section left it
                if n == large:
                    dial.turn(hand, big.angle(self.a) + (1 - share) * big.angle(self.b))
                else:
                    dial.turn(hand, share * dial.angle(self.a))

        text = f"Point all the hands at {self.a}, and turn every one of them on by {self.b}."
        self.say(text, *map(mn.FadeIn, starts),
                 self.sweep(point_at_a, *hands, run_time=0.4 * self.reading(text)))  # fmt: skip

        def turn_on(share: float) -> None:
            for dial, hand, arc in zip(dials, hands, arcs, strict=True):
                start, by = dial.angle(self.a), dial.angle(self.b)
                dial.turn(hand, start + share * by)
                arc.move_line(dial.arc(start, start + share * by, 0.5 * dial.radius))

        self.play(self.sweep(turn_on, *hands, *arcs, run_time=0.6 * self.reading(text)))
        marks = [dial.mark(c, self.colours.ink, 8) for dial in dials]
        text = f"All at once, each by its own angle. Now all point at {c}, the dark dot."
        self.say(text, mn.LaggedStart(*map(mn.FadeIn, marks), lag_ratio=0.8,
                                      run_time=0.8 * self.reading(text)))  # fmt: skip
        return [*arcs, *starts, *marks]

    def count(self) -> str:
        """The number of clocks as a word."""
        number = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven"}
        return number.get(len(self.waves), str(len(self.waves)))

    def _from_to(self, old: np.ndarray, new: np.ndarray, scale: float) -> np.ndarray:
        return place(*new) - scale * place(*old)

    def _add_up(self, dials: list[Dial], names: list[Any]) -> None:
        """Add the waves of all clocks, each as high as its clock's weight."""
        ink, c, x = self.colours.ink, self.c, np.arange(self.p)
        total = self.options.total(self.data)
        top = 1.08 * total.max()
        plot = Plot(128, 560, 1792, 820, (-1, self.p), (min(total.min(), -0.3 * top), top))
        bars = plot.bars(x, 0.0 * x, 0.74, self.colours.train)
        best = plot.bars(x[[c]], [0.0], 0.74, ink)
        axis = [plot.level(0, self.colours.faint), *self.ticks(plot, (0, c, self.p - 1))]
        weights = [
            dial.name(f"{height:.1f} × fit", float(dial.centre[1] + dial.radius) + 62, SMALL)
            for dial, height in zip(dials, sums.wave_heights(self.data).values(), strict=True)
        ]
        self.say(
            "Each clock has a weight in logits. Add up, for every answer, weight × fit ...",
            *map(mn.FadeIn, axis),
        )
        before = np.zeros(self.p)
        for dial, name, weight in zip(dials, names, weights, strict=True):
            after = before + self.options.fit(self.data, dial.k)
            ring = Line(dial.arc(0, 2 * np.pi, 1.1 * dial.radius), dial.colour, 5)

            def grow(share: float, low: Any = before, high: Any = after) -> None:
                now = low + share * (high - low)
                bars.set_heights(now)
                best.set_heights(now[[c]])

            self.play(
                *(animation(what, run_time=0.3) for animation, what in
                  ((mn.FadeIn, ring), (mn.FadeOut, name), (mn.FadeIn, weight))),
                self.sweep(grow, bars, best, run_time=1.1),
            )  # fmt: skip
            self.wait(0.5)
            before = after
        rival = float(np.delete(total, c).max())
        height = plot.at(c, total[c])
        tag = words(f"{total[c]:.1f}", ink, px=48, bold=True, at=(height[0] + 22, height[1] + 36),
                    anchor="left")  # fmt: skip
        level = plot.level(rival, self.colours.muted, 4)
        y = plot.at(0, rival)[1]

        def measure(share: float) -> None:
            left, right = (height[0] + share * (end - height[0]) for end in (plot.x0, plot.x1))
            level.move_line(np.array([[left, y], [right + 1, y]]))

        measure(0.0)
        self.add(level)
        text = f"... one answer is left: {c}, with {total[c]:.1f} logits. The next has {rival:.1f}."
        self.say(text, mn.FadeIn(tag),
                 self.sweep(measure, level, run_time=0.8 * self.reading(text)))  # fmt: skip
        self.hold()
        share = float(self.data["logit_variance_explained"].values[-1])
        wave = self.data["logit_wave"].isel(epoch=-1).values[(c - x) % self.p].astype(float)
        places = plot.pixels(np.stack([x, wave], axis=1))
        dots = Dots(places[:1], 7, ink)
        self.add(dots)
        text = (
            f"Dots are the network's own logits: {self.count().lower()} waves explain "
            f"{share:.0%} of the squared logits."
        )
        self.say(
            text, mn.FadeOut(level),
            self.sweep(lambda passed: dots.move_dots(places[: 1 + round(passed * (self.p - 1))]),
                       dots, run_time=0.9 * self.reading(text), rate=mn.linear),
        )  # fmt: skip
