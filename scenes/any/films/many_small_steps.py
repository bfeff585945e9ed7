"""Many falls, one smooth mean.

Drawn alone by ``manim -qm scenes/any/films/many_small_steps.py ManySmallSteps``.
"""

from __future__ import annotations

from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, tens

from grokviz.dataset.families.pieces import NEAR, running_mean, steepest_fall
from grokviz.media.motion import FADE, MOVE
from grokviz.scene.films.toolkit import Dots, FilmScene, Line, words
from grokviz.scene.spoken import percent

START = 30.0
"""The first step on the axis, before which nothing falls."""
FIRST, MEAN = 4.5, 9.0
"""Seconds in which the first loss is drawn, and in which all phase changes are averaged."""
THIN = 0.5
"""Opacity of a single curve behind the mean."""


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
        self.axes = Axes(self, (250, 205, 1740, 780), (START, float(self.steps[-1])), (0, 1.08),
                         log="x")  # fmt: skip
        self.curves = [self.axes.pixels(self.steps[seen], row[seen]) for row in self.loss]
        self.mean_loss = running_mean(self.loss)
        self.means = [self.axes.pixels(self.steps[seen], row[seen]) for row in self.mean_loss]
        self.section("one")
        self.show_a_few()
        self.section("mean", *self.leaving)
        self.average()

    def show_a_few(self) -> None:
        """Show one phase change, then some more at other times."""
        first, *others = self.options.first(self.data)
        ink, train = self.colours.ink, self.colours.train
        up = {0.0: "0", 0.5: "0.5", 1.0: "1"}
        axes = self.axes.furniture(tens(START, self.steps[-1]), up,
                                   x=f"step of training, from {START:g} on",
                                   y="loss, as a share of its first value")  # fmt: skip
        line = Line(self.curves[first][:2], ink, 8)
        text = f"A real loss: {self.options.fell(self.data, first)}."
        self.add(line)
        self.say(
            text, *map(mn.FadeIn, axes),
            self.sweep(lambda share: self._draw(line, first, share), line, run_time=FIRST,
                       rate=mn.linear),
        )  # fmt: skip
        self.hold()
        window = _Window(self, self.loss[first])
        self.add(*window.shapes)
        text = (
            f"In a quarter more steps it loses {percent(window.fall)} of its start: a phase change."
        )
        self.say(text, self.sweep(window.seek, *window.shapes,
                                  run_time=0.7 * self.reading(text)))  # fmt: skip
        tag = window.tag(percent(window.fall))
        self.play(mn.FadeIn(tag), run_time=FADE)
        self.say(
            "Others do the same, at other times.",
            line.animate.set_stroke(train, opacity=0.9), mn.FadeOut(tag),
            *map(mn.FadeOut, window.shapes),
        )  # fmt: skip
        self.few, self.leaving = [line], []
        for piece in [first, *others]:
            spot = mn.FadeIn(Dots(np.array([self.axes.at(self.drops[piece], 0.5)]), 15, ink))
            if piece == first:
                self.play(spot, run_time=FADE)
            else:
                curve = Line(self.curves[piece][:2], train, 7, 0.9)
                self.add(curve)
                self.play(spot, self.sweep(lambda share, c=curve, n=piece: self._draw(c, n, share),
                                           curve, run_time=MOVE, rate=mn.linear))  # fmt: skip
                self.few.append(curve)
            self.leaving.append(spot.mobject)

    def _draw(self, line: Line, piece: int, share: float) -> None:
        """Draw a curve up to a share of its steps."""
        line.move_line(self.curves[piece][: max(round(share * len(self.curves[piece])), 2)])

    def average(self) -> None:
        """Add all curves, one after another, and their running mean."""
        ink, count = self.colours.ink, len(self.curves)
        smooth = self.options.claim(self.data).holds
        typical = float(np.median(steepest_fall(self.loss, self.steps, NEAR)))
        one, many = self.thin(range(1)), Line(self.means[0], ink, 13)
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
        self.add(one, many)
        mean = words("mean", ink, bold=True, px=48, at=(self.axes.plot.x0 + 30, 400),
                     anchor="left")  # fmt: skip
        begin = 0.25
        runs = len(set(self.data["piece_member"].values.tolist()))
        text = f"Here are {count} losses, one from each run, and their mean."
        if count > runs:
            text = f"{count} losses from {runs} runs, each with a sudden fall, and their mean."
        self.say(
            text, *map(mn.FadeOut, self.few), mn.FadeIn(mean),
            self.sweep(lambda share: add((begin * share) ** 1.7), one, many, rate=mn.linear,
                       run_time=self.reading(text)),
        )  # fmt: skip
        self.say(
            f"At its steepest, a typical one loses {percent(typical)} in a quarter more steps ...",
            self.sweep(lambda share: add((begin + (1 - begin) * share) ** 1.7), one, many,
                       run_time=(1 - begin) * MEAN, rate=mn.linear),
        )  # fmt: skip
        add(1.0)
        self.hold()
        window = _Window(self, self.mean_loss[-1])
        self.add(*window.shapes)
        only = "only " if smooth else ""
        text = f"... and the mean of all of them, at its steepest, {only}{percent(window.fall)}."
        self.say(
            text, one.animate.set_stroke(opacity=0.15),
            self.sweep(window.seek, *window.shapes, run_time=0.7 * self.reading(text)),
        )  # fmt: skip
        tag = window.tag(percent(window.fall))
        self.play(mn.FadeIn(tag), run_time=FADE)
        self.hold()
        if not smooth:
            return

        def again(share: float) -> None:
            last = max(round(share * len(self.means[-1])), 2)
            many.move_line(self.means[-1][:last])

        text = "A large network's loss is a mean of many things too, and looks smooth."
        self.say(
            text, *map(mn.FadeOut, [*window.shapes, tag]),
            one.animate(run_time=MOVE).set_stroke(opacity=0.0),
            self.sweep(again, many, run_time=self.reading(text), rate=mn.linear),
        )  # fmt: skip
        text = "Behind it there may be sudden changes, too many to see."
        one.set_stroke(opacity=THIN)

        def reveal(share: float) -> None:
            one.points = self.thin(range(1 + round(share * (count - 1)))).points

        self.say(text, self.sweep(reveal, one, run_time=self.reading(text), rate=mn.linear))

    def thin(self, numbers: range) -> Line:
        """Combine several curves into one faint object."""
        lines = Line(self.curves[0][:2], self.colours.train, 3, THIN)
        lines.points = np.concatenate(
            [Line(self.curves[i], self.colours.train, 3).points for i in numbers]
        )
        return lines


class _Window:
    """A band a quarter more steps wide, that finds where a curve falls by most within it."""

    def __init__(self, scene: ManySmallSteps, loss: np.ndarray) -> None:
        self.scene, self.loss, self.at = scene, loss, np.log(scene.steps)
        falls = loss - np.interp(self.at + np.log(NEAR), self.at, loss)
        self.best = float(scene.steps[int(falls.argmax())])
        self.fall = float(falls.max())
        self.band = scene.axes.plot.bars([0.0], [0.0], 1.0, scene.colours.grid)
        self.band.set_z_index(-3)
        self.drop = Line(np.zeros((2, 2)), scene.colours.ink, 10)
        self.shapes = [self.band, self.drop]
        self.seek(0.0)

    def seek(self, share: float) -> None:
        """Move the band from the first step towards the steepest fall."""
        start = START * (self.best / START) ** share
        low, high = (float(np.interp(np.log(step), self.at, self.loss))
                     for step in (start * NEAR, start))  # fmt: skip
        axes = self.scene.axes
        left, right = (axes.at(step, 0)[0] for step in (start, start * NEAR))
        top, floor = axes.plot.y0, axes.plot.y1
        corners = [(left, floor), (left, top), (right, top), (right, floor), (left, floor)]
        self.band.points = Line(np.array(corners, dtype=float), "#000000").points
        self.drop.move_line(np.array([[right, axes.at(start, max(high, low))[1]],
                                      [right, axes.at(start, min(high, low))[1]]]))  # fmt: skip
        self.right, self.middle = right, axes.at(start, (high + low) / 2)[1]

    def tag(self, text: str) -> Any:
        """How much it falls there, beside the band."""
        return words(text, self.scene.colours.ink, px=60, bold=True, anchor="left",
                     at=(self.right + 26, self.middle + 20))  # fmt: skip
