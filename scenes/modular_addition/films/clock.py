"""Adding is turning, and several clocks agree.

Drawn alone by ``manim -qm scenes/modular_addition/films/clock.py Clock``.
"""

from __future__ import annotations

from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.modular_addition import _sums as sums
from grokviz.scenes.modular_addition.films._dial import Dial, embedded_circle

from grokviz.media.motion import FADE, MOVE, TRANSFORM
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
from grokviz.scene.films.writing import PER_UNIT
from grokviz.scene.spoken import percent

MIDDLE, LEFT = (960.0, 520.0), (500.0, 520.0)
"""The dial's position at first, and its position beside something else."""
RIGHT = 1390
"""Centre of the right half in pixels."""
CLOCKS, ROW = 345, 790
"""Rows of the clocks above the logits, and of the sum below them before."""
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
        self.play(shown.animate.shift(place(*LEFT) - place(*MIDDLE)), run_time=MOVE)
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

        self.play(self.sweep(move, self.hand, self.arc, run_time=MOVE))
        label = dial.label(n, str(n), self.colours.ink, px=44)
        self.labels.append(label)
        self.play(mn.FadeIn(label), run_time=FADE)

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
                  run_time=MOVE),
        )  # fmt: skip
        self.play(mn.FadeIn(mark_a), mn.FadeIn(label_a), run_time=FADE)
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
            self.sweep(turn_from_zero, second, first, run_time=MOVE * self.reading(text)),
        )  # fmt: skip
        self.play(mn.FadeOut(second), run_time=FADE)

        def move(share: float) -> None:
            dial.turn(self.hand, to_a + share * by_b)
            first.move_line(dial.arc(to_a, to_a + share * by_b, 0.5 * dial.radius))

        def slide(share: float) -> None:
            first.move_line(dial.arc(share * to_a, share * to_a + by_b, 0.5 * dial.radius))

        text = f"To add {self.b} is to turn the hand on by just that much."
        self.say(text, self.sweep(slide, first, run_time=FADE * self.reading(text)))
        self.play(self.sweep(move, self.hand, first, run_time=TRANSFORM))
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
            self.sweep(ring, mark_c, run_time=MOVE * self.reading(text)),
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
        self.play(mn.FadeOut(walkers), run_time=FADE)
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
        self.play(*map(mn.FadeIn, wide), run_time=FADE)
        shares = [
            words(f"{fits[n] / fits[c]:.{int(n != c)}%}", muted if n != c else ink, px=SMALLEST,
                  bold=n == c, at=(bars.plot.at(x[n], 0)[0], bars.plot.at(0, 0)[1] + 44))
            for n in order[: 2 * int(CLOSE) + 1]
        ]  # fmt: skip
        text = "Each step along the circle costs little: one clock is not enough."
        self.say(text, mn.LaggedStart(*map(mn.FadeIn, shares), lag_ratio=0.7,
                                      run_time=MOVE * self.reading(text)))  # fmt: skip
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

    def _axis(self, plot: Plot) -> list[Any]:
        """The level of 0 with some answers and their name, in the wider gap between them."""
        middle = (self.c if 2 * self.c > self.p else self.c + self.p) / 2
        name = words("answer $c$", self.colours.muted, px=SMALL,
                     at=(plot.at(middle, 0)[0], plot.y1 + 42))  # fmt: skip
        zero = plot.level(0, self.colours.faint)
        return [zero, *self.ticks(plot, (0, self.c, self.p - 1)), name]

    # --- all clocks agree -------------------------------------------------------------

    def let_all_agree(self) -> None:
        """Show a clock for each key frequency, and the sum of their waves."""
        c, middle, room = self.c, (len(self.waves) - 1) / 2, min(344.0, 1600 / len(self.waves))
        # all dots of all clocks lie within their rims
        self.rim = 0.04 + max(float(np.linalg.norm(embedded_circle(self.data, k), axis=1).max())
                              for k in self.waves)  # fmt: skip
        radius = min(0.41 * room, 134.0) / self.rim
        dials = [
            Dial(self, k, (960 + (n - middle) * room, 480), radius, dot=8 * radius / 290)
            for n, k in enumerate(self.waves)
        ]
        large = self.waves.index(self.k)
        shrunk = mn.VGroup(*self.left[:3])
        hands = [dial.hand(dial.angle(c if n == large else 0), px=6)
                 for n, dial in enumerate(dials)]  # fmt: skip
        others = [shape for n, dial in enumerate(dials) if n != large
                  for shape in (dial.ring, dial.dots, hands[n])]  # fmt: skip
        names = [dial.name(self._name(dial.k, room), 480 - self.rim * radius - 22, SMALL)
                 for dial in dials]  # fmt: skip
        self.remove(*self.left[3:])
        self.play(
            shrunk.animate.scale(radius / 290, scale_stroke=True, about_point=mn.ORIGIN).shift(
                self._from_to(self.dial.centre, dials[large].centre, radius / 290)
            ),
            run_time=MOVE,
        )
        self.remove(self.left[2])
        self.add(hands[large])
        text = f"The network has {self.count().lower()} such clocks, each of another frequency."
        self.say(text, mn.LaggedStart(*map(mn.FadeIn, [*others, *names]),
                                      run_time=MOVE * self.reading(text)))  # fmt: skip
        moved = [*others, *shrunk[:2], hands[large], *names, *self._turn_all(dials, hands, large)]
        self.hold()
        self.play(
            mn.Group(*moved).animate.shift(place(0, CLOCKS) - place(0, 480)),
            self.key.animate.shift(self._to_its_side()), run_time=MOVE,
        )  # fmt: skip
        for dial in dials:
            dial.centre = dial.centre - [0, 480 - CLOCKS]
        self._add_up(dials, room)

    def _name(self, k: int, room: float) -> str:
        """A dial's name, short where there are many."""
        return f"frequency {k}" if room > 250 else str(k)

    def _weight(self, height: float, room: float) -> str:
        """What a clock gives the answer under its hand, short where there are many."""
        return f"up to {height:.1f} logits" if room > 300 else f"{height:.1f}"

    def _sum_as_key(self) -> Any:
        """The sum, each of its numbers behind what it is on the dials."""
        ink, muted, x = self.colours.ink, self.colours.muted, 0.0
        angles = np.linspace(np.pi, 0, 33)
        bow = np.stack([22 * np.cos(angles), 10 - 22 * np.sin(angles)], axis=1)
        shapes: list[Any] = []
        for sign, half, text in (
            (Dots(np.zeros((1, 2)), 9, muted), 9, f"$a$ = {self.a}"),
            (Line(bow, ink, 5), 22, f"+ $b$ = {self.b}"),
            (Dots(np.zeros((1, 2)), 9, ink), 9, f"= {self.c} mod {self.p}"),
        ):
            name = words(text, ink, px=BODY, bold=True, at=(x + 2 * half + 16, 12), anchor="left")
            shapes += [sign.shift(place(x + half, 0) - place(0, 0)), name]
            x += 2 * half + 16 + name.width * PER_UNIT + 48
        key = mn.Group(*shapes)
        return key.move_to(place(960, ROW))

    def _to_its_side(self) -> np.ndarray:
        """From where the sum stands to beside the answer's bar, on the side with more room."""
        left = 2 * self.c > self.p
        half = self.key.width * PER_UNIT / 2
        return place(128 + half if left else 1792 - half, 600) - place(960, ROW)

    def _turn_all(self, dials: list[Dial], hands: list[Any], large: int) -> list[Any]:
        """Put every hand on a, and turn all of them at once by their angles of b.

        Returns what is drawn on the dials.
        """
        c, big = self.c, dials[large]
        arcs = [Line(dial.arc(0, 0, 0.5 * dial.radius), dial.colour, 5) for dial in dials]
        starts = [dial.mark(self.a, self.colours.muted, 9) for dial in dials]
        self.key = self._sum_as_key()
        from_, by, to = (self.key[i : i + 2] for i in (0, 2, 4))
        behind = [dial.hand(dial.angle(self.a), self.colours.faint, px=3) for dial in dials]
        for dial, hand in zip(dials, behind, strict=True):
            dial.turn(hand.set_z_index(-0.5), dial.angle(self.a), dial.away(self.a))

        def point_at_a(share: float) -> None:
            for n, (dial, hand) in enumerate(zip(dials, hands, strict=True)):
                # the large clock's hand is where the last section left it
                if n == large:
                    dial.turn(hand, big.angle(self.a) + (1 - share) * big.angle(self.b))
                else:
                    dial.turn(hand, share * dial.angle(self.a))

        text = f"Point all the hands at {self.a}, and turn every one of them on by {self.b}."
        self.say(text, *map(mn.FadeIn, [*starts, *from_]),
                 self.sweep(point_at_a, *hands, run_time=FADE * self.reading(text)))  # fmt: skip

        def turn_on(share: float) -> None:
            for dial, hand, arc in zip(dials, hands, arcs, strict=True):
                start, by = dial.angle(self.a), dial.angle(self.b)
                dial.turn(hand, start + share * by)
                arc.move_line(dial.arc(start, start + share * by, 0.5 * dial.radius))

        self.add(*behind)
        for hand in hands:
            hand.set_z_index(0.5)
        self.play(self.sweep(turn_on, *hands, *arcs, run_time=0.6 * self.reading(text)),
                  *map(mn.FadeIn, by))  # fmt: skip
        marks = [dial.mark(c, self.colours.ink, 9).set_z_index(1) for dial in dials]

        def reach(share: float) -> None:
            for dial, hand in zip(dials, hands, strict=True):
                end = dial.angle(self.a) + dial.angle(self.b)
                dial.turn(hand, end, 0.9 + share * (dial.away(c) - 0.9))

        text = f"All at once, each by its own angle. Now all point at {c}, the bold dot."
        self.say(text, *map(mn.FadeIn, to), self.sweep(reach, *hands, run_time=MOVE),
                 mn.LaggedStart(*map(mn.FadeIn, marks), lag_ratio=0.8,
                                run_time=MOVE * self.reading(text)))  # fmt: skip
        return [*arcs, *starts, *behind, *marks]

    def count(self) -> str:
        """The number of clocks as a word."""
        number = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven"}
        return number.get(len(self.waves), str(len(self.waves)))

    def _from_to(self, old: np.ndarray, new: np.ndarray, scale: float) -> np.ndarray:
        return place(*new) - scale * place(*old)

    def _add_up(self, dials: list[Dial], room: float) -> None:
        """Add the waves of all clocks, each as high as its clock's weight."""
        ink, c, x = self.colours.ink, self.c, np.arange(self.p)
        total = self.options.total(self.data)
        top = 1.08 * total.max()
        plot = Plot(128, 575, 1792, 820, (-1, self.p), (min(total.min(), -0.3 * top), top))
        bars = plot.bars(x, 0.0 * x, 0.74, self.colours.train)
        best = plot.bars(x[[c]], [0.0], 0.74, ink)
        left = 2 * c > self.p
        axis = self._axis(plot)
        weights = [
            dial.name(self._weight(height, room),
                      float(dial.centre[1]) + self.rim * dial.radius + 46, SMALL)
            for dial, height in zip(dials, sums.wave_heights(self.data).values(), strict=True)
        ]  # fmt: skip
        self.say(
            "Every clock gives each answer logits, most where its hand points. Add them up ...",
            *map(mn.FadeIn, axis),
        )
        before = np.zeros(self.p)
        for dial, weight in zip(dials, weights, strict=True):
            after = before + self.options.fit(self.data, dial.k)
            ring = Line(dial.arc(0, 2 * np.pi, self.rim * dial.radius), dial.colour, 5)

            def grow(share: float, low: Any = before, high: Any = after) -> None:
                now = low + share * (high - low)
                bars.set_heights(now)
                best.set_heights(now[[c]])

            self.play(
                mn.FadeIn(ring, run_time=FADE), mn.FadeIn(weight, run_time=FADE),
                self.sweep(grow, bars, best, run_time=MOVE),
            )  # fmt: skip
            self.wait(FADE / 2)
            before = after
        rival = float(np.delete(total, c).max())
        height = plot.at(c, total[c])
        # on the side without the sum, unless the bar is near an edge
        right = height[0] < plot.x0 + 430 or (left and height[0] < plot.x1 - 430)
        tag = words(f"{total[c]:.1f} logits", ink, px=48, bold=True,
                    at=(height[0] + (22 if right else -22), height[1] + 36),
                    anchor="left" if right else "right")  # fmt: skip
        level = plot.level(rival, self.colours.muted, 4)
        y = plot.at(0, rival)[1]

        def measure(share: float) -> None:
            left, right = (height[0] + share * (end - height[0]) for end in (plot.x0, plot.x1))
            level.move_line(np.array([[left, y], [right + 1, y]]))

        measure(0.0)
        self.add(level)
        text = f"... one answer is left: {c}, with {total[c]:.1f} logits. The next has {rival:.1f}."
        self.say(text, mn.FadeIn(tag),
                 self.sweep(measure, level, run_time=MOVE * self.reading(text)))  # fmt: skip
        self.hold()
        share = float(self.data["logit_variance_explained"].values[-1])
        wave = self.data["logit_wave"].isel(epoch=-1).values[(c - x) % self.p].astype(float)
        places = plot.pixels(np.stack([x, wave], axis=1))
        dots = Dots(places[:1], 7, ink)
        self.add(dots)
        text = (
            "Dots: its mean logits over all sums; "
            f"{self.count().lower()} waves explain {percent(share)} of all squared logits."
        )
        self.say(
            text, mn.FadeOut(level),
            self.sweep(lambda passed: dots.move_dots(places[: 1 + round(passed * (self.p - 1))]),
                       dots, run_time=MOVE * self.reading(text), rate=mn.linear),
        )  # fmt: skip
