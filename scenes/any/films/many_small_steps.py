"""Many falls, one smooth mean.

Drawn alone by ``manim -qm scenes/any/films/many_small_steps.py ManySmallSteps``.
"""

from __future__ import annotations

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, tens

from grokviz.dataset.families.pieces import running_mean
from grokviz.scene.films.toolkit import BODY, Dots, FilmScene, Line, words

START = 30.0
"""The first step on the axis, before which nothing falls."""
MEAN = 7.5
"""Seconds in which all phase changes are averaged."""


class ManySmallSteps(FilmScene):
    """Loss curves over steps, and their mean."""

    film = "many-small-steps"

    def construct(self) -> None:
        """Play the two sections in order."""
        data = self.data
        self.steps = data["step"].values.astype(float)
        self.loss = data["piece_loss"].values.astype(float)
        self.drops = data["piece_drop"].values.astype(float)
        seen = self.steps >= START
        self.axes = Axes(self, (250, 215, 1740, 780), (START, float(self.steps[-1])), (0, 1.08),
                         log="x")  # fmt: skip
        self.curves = [self.axes.pixels(self.steps[seen], row[seen]) for row in self.loss]
        self.means = [self.axes.pixels(self.steps[seen], row[seen])
                      for row in running_mean(self.loss)]  # fmt: skip
        self.section("one")
        self.show_a_few()
        self.section("mean", *self.leaving)
        self.average()

    def show_a_few(self) -> None:
        """Show one phase change, then some more at other times."""
        first, *others = self.options.first(self.data)
        ink, train = self.colours.ink, self.colours.train
        up = {0.0: "0", 0.5: "0.5", 1.0: "1"}
        axes = self.axes.furniture(tens(START, self.steps[-1]), up, x="step of training",
                                   y="loss, as a share of its start")  # fmt: skip
        line = Line(self.curves[first][:2], ink, 6)

        def draw(share: float) -> None:
            count = max(round(share * len(self.curves[first])), 2)
            line.move_line(self.curves[first][:count])

        self.say(
            f"A real loss: {self.options.fell(self.data, first)}.",
            *map(mn.FadeIn, axes), self.sweep(draw, line, run_time=4.5, rate=mn.linear),
        )  # fmt: skip
        at = self.axes.at(self.drops[first], 0.5)
        dot = Dots(np.array([at]), 13, ink)
        named = words(f"step {self.drops[first]:,.0f}", ink, px=BODY,
                      at=(at[0] + 30, at[1] - 4), anchor="left", bold=True)  # fmt: skip
        self.say(
            "It loses half of its start within a doubling of the steps: a phase change.",
            mn.FadeIn(dot), mn.FadeIn(named),
        )  # fmt: skip
        self.say("Others do the same, at other times.",
                 line.animate.set_stroke(train, opacity=0.9), mn.FadeOut(named))  # fmt: skip
        self.few, self.leaving = [line], [dot]
        for piece in others:
            curve = Line(self.curves[piece], train, 6, 0.9)
            spot = Dots(np.array([self.axes.at(self.drops[piece], 0.5)]), 13, ink)
            self.play(mn.FadeIn(curve), mn.FadeIn(spot), run_time=0.7)
            self.few.append(curve)
            self.leaving.append(spot)

    def average(self) -> None:
        """Add all curves, one after another, and their running mean."""
        ink, train, count = self.colours.ink, self.colours.train, len(self.curves)
        falls, smooth = self.data["mean_steepest_fall"].values, self.options.claim(self.data).holds
        one, many = self.thin(range(count)), Line(self.means[0], ink, 10)
        one.set_z_index(-1)
        shown = [0]

        def add(share: float) -> None:
            number = 1 + round(share * (count - 1))
            if number != shown[0]:
                shown[0] = number
                one.points = self.thin(range(number)).points
                many.move_line(self.means[number - 1])
                self.show_moment(number, "mean of")

        add(0.0)
        mean = words("mean", ink, bold=True, px=38, at=(self.axes.plot.x0 + 30, 420),
                     anchor="left")  # fmt: skip
        self.say(
            self.first(
                "Now take their mean, adding one after another.",
                "Take the mean of many such curves, one after another.",
            ),
            *map(mn.FadeOut, self.few), mn.FadeIn(one), mn.FadeIn(many), mn.FadeIn(mean),
        )  # fmt: skip
        self.hold(0.2)
        self.say(f"{count} changes, each of them sudden ...")
        self.play(self.sweep(add, one, many, run_time=MEAN, rate=lambda s: s**1.7))
        add(1.0)
        mean = "a smooth mean" if smooth else "their mean"
        self.say(
            f"... and {mean}. In a quarter more steps it loses {falls[-1]:.0%} at most;\n"
            f"one of them alone lost {falls[0]:.0%}.",
        )
        self.hold(0.5)
        if smooth:
            self.say(
                "So a smooth loss curve may be made of sudden changes,\nmany more than we can see.",
                one.animate.set_stroke(train, opacity=0.12),
            )
            self.hold(1.0)

    def thin(self, numbers: range) -> Line:
        """Combine several curves into one faint object."""
        lines = Line(self.curves[0][:2], self.colours.train, 3, 0.45)
        lines.points = np.concatenate(
            [Line(self.curves[i], self.colours.train, 3).points for i in numbers]
        )
        return lines
