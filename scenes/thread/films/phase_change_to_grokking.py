"""The gap opens.

Drawn alone by ``manim -qm scenes/thread/films/phase_change_to_grokking.py PhaseChangeToGrokking``.
"""

from __future__ import annotations

import itertools
from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, Growing, finite, tens
from grokviz.scenes.thread.phase_change_to_grokking import TOGETHER
from matplotlib.colors import to_rgb

from grokviz.media.motion import FADE, MOVE
from grokviz.scene.about import about
from grokviz.scene.clock import spaced
from grokviz.scene.films.toolkit import SMALL, Dots, FilmScene, Heat, Line, mono, words
from grokviz.scene.spoken import percent

RUN = "modular-addition"
WHY = "Memory takes large weights, the rule small ones"
"""What stands above the last section, which is about weights."""
LEARNED = 0.1
"""The loss below which a run has learned, as in the dataset."""
TABLE, ROOM = (128, 195), 570
"""Corner and size of the table of pairs in pixels."""
FAINT = 70
"""Opacity, of 255, of the columns that are yet to be filled."""
APART, BESIDE = 80.0, 18.0
"""Pixels below the highest sum of squares from which on there is room for a lower one's number, and
how far left of its dot this ends."""
NAMED, TOUCH = 0.5, 40.0
"""The loss at which curves have their names, and the pixels below which two of them touch."""
FILLED, BEGUN = 0.5, 0.5
"""The share of the first caption in which the table fills, and how far the losses are drawn in the
rest of it: empty axes say nothing."""
SLOW = 3.0
"""Least seconds in which the losses of the last run are drawn; the others are drawn faster."""


class PhaseChangeToGrokking(FilmScene):
    """A table of pairs, and the losses of one run after another."""

    film = "phase-change-to-grokking"

    def construct(self) -> None:
        """Play the three sections in order."""
        self.members = self.options.members(self.data)
        self.axes = Axes(self, (900, 205, 1770, 770), (10, 1e5), (0.02, 40), log="xy")
        most, least = self.options.shares(self.data)
        self.show_source(
            f"{about(self.data)}  ·  trained on {percent(most)} to {percent(least)} of the sums"
        )
        self.section("together")
        self.show_the_first()
        self.section("gap")
        self.take_data_away()
        self.section("why", *self.leaving)
        self.show_title(WHY)
        self.say_why()

    # --- one run -------------------------------------------------------------------

    def show_the_first(self) -> None:
        """Show a run on nearly all pairs, whose losses fall together."""
        ink, first = self.colours.ink, self.members[0]
        p = int(self.data["member_p"].values[first])
        cell = max(ROOM // p, 1)
        self.table = Heat(self._pairs(first), TABLE, cell)
        middle, low = TABLE[0] + cell * p / 2, TABLE[1] + cell * p
        share = self._share(first)
        shown = [
            words(f"all {p} \u00d7 {p} sums", ink, at=(middle, TABLE[1] - 24)),
            words("trained on", self.colours.train, at=(middle - 20, low + 52), anchor="right",
                  bold=True),
            words("tested on", self.colours.test, at=(middle - 20, low + 100), anchor="right",
                  bold=True),
        ]  # fmt: skip
        self.numbers = self._numbers(first, middle, low)
        self.middle, self.low = middle, low
        up = {0.1: "0.1", 1.0: "1", 10.0: "10"}
        self.furniture = self.axes.furniture(tens(10, 1e4), up, x="epoch", y="loss")
        text = f"More networks learn to add: this one from {share} of all sums."
        cells = self._pairs(first)

        def fill(passed: float) -> None:
            part = cells.copy()
            part[:, max(round(passed * p), 1) :, 3] = FAINT
            self.table.recolour(part)

        x, y = self._curve(first, "train")
        train = Growing(self.axes, x, y, self.colours.train, 6)
        test = Growing(self.axes, *self._curve(first, "test"), self.colours.test, 6)
        ends = [float(e) for e in self.options.wait(self.data, first)]
        last = 3 * ends[1] if ends[1] > 10 else max(float(x.max(initial=100)), *ends)

        def draw(passed: float) -> None:
            for curve in (train, test):
                curve.until(10 * (last / 10) ** passed)

        def begin(passed: float) -> None:
            fill(min(passed / FILLED, 1.0))
            draw(BEGUN * max(passed - FILLED, 0.0) / (1 - FILLED))

        begin(0.0)
        self.add(train.line, test.line)
        self.say(
            text, mn.FadeIn(self.table),
            *map(mn.FadeIn, [*shown, *self.numbers, *self.furniture]),
            self.sweep(begin, self.table, train.line, test.line, run_time=self.reading(text),
                       rate=mn.linear),
        )  # fmt: skip
        together = self.options.together(self.data, first)
        text = (
            "Both losses fall at once: what it learns holds for all sums."
            if together else "Do both losses fall?"
        )  # fmt: skip
        seconds = max(self.reading(text), 4.5)
        self.say(text, self.sweep(lambda passed: draw(BEGUN + (1 - BEGUN) * passed), train.line,
                                  test.line, run_time=seconds, rate=mn.linear))  # fmt: skip
        for curve in (train, test):
            curve.until(1e9)
        self.lines = [train.line, test.line]
        self.marks = self._marks(first)
        text = (
            f"Each is learned where it passes {LEARNED:g}: "
            f"{'a phase change' if together else 'here are both'}."
        )
        self.say(text, mn.LaggedStart(*map(mn.FadeIn, self.marks), lag_ratio=0.8,
                                      run_time=MOVE * self.reading(text)))  # fmt: skip
        self.shown = shown

    def _share(self, member: int) -> str:
        return percent(self.data["member_fraction"].values[member])

    def _pairs(self, member: int) -> np.ndarray:
        """The table's cells: training pairs and test pairs in their colours, with b upwards."""
        back = np.array(to_rgb(self.colours.background))
        kinds = [0.55 * np.array(to_rgb(c)) + 0.45 * back
                 for c in (self.colours.test, self.colours.train)]  # fmt: skip
        trained = self.options.trained(self.data, member).T[::-1].astype(int)
        cells = np.full((*trained.shape, 4), 255, dtype=np.uint8)
        cells[..., :3] = np.rint(255 * np.array(kinds)[trained])
        return cells

    def _numbers(self, member: int, middle: float, low: float) -> list[Any]:
        share = float(self.data["member_fraction"].values[member])
        return [
            words(text, colour, px=44, bold=True, at=(middle + 10, y), anchor="left")
            for text, colour, y in (
                (percent(share), self.colours.train, low + 52),
                (percent(1 - share), self.colours.test, low + 100),
            )
        ]

    def _curve(self, member: int, split: str) -> tuple[np.ndarray, np.ndarray]:
        epochs = "member_epoch" if split == "train" else "member_test_epoch"
        x, y = finite(self.data[epochs].values[member],
                      self.data[f"member_{split}_loss"].values[member])  # fmt: skip
        keep = x >= 10
        x, y = x[keep], y[keep]
        # only within the picture, since a line along its lower edge is not informative
        stop = int(np.argmax(y < self.axes.y[0])) + 1 if (y < self.axes.y[0]).any() else len(y)
        return x[:stop], y[:stop]

    def _marks(self, member: int) -> list[Any]:
        """Dots where each loss is first below 0.1, their epochs, and the gap between them."""
        at = [int(self.data[f"{word}_epoch"].values[member]) for word in
              ("memorised", "generalised")]  # fmt: skip
        marks: list[Any] = []
        level = self.axes.at(10, LEARNED)[1]
        if min(at) > 0:
            xs = [self.axes.at(e, LEARNED)[0] for e in at]
            marks.append(Line(np.array([[x, level] for x in xs]), self.colours.ink, 8))
            wide = abs(xs[1] - xs[0])
            # the wait has its number where the film ends: how it changes is not the same everywhere
            if wide > 110 and member == self.members[-1]:
                times = f"{at[1] / at[0]:.0f}"
                gap = f"{times} times as long" if wide > 420 else f"{times}\u00d7"
                marks.append(words(gap, self.colours.ink, bold=True,
                                   at=((xs[0] + xs[1]) / 2, level - 26)))  # fmt: skip
        sides = (
            ("train", self.colours.train, -24, "right"),
            ("test", self.colours.test, 24, "left"),
        )
        for epoch, (name, colour, away, anchor) in zip(at, sides, strict=True):
            if epoch > 0:
                x = self.axes.at(epoch, LEARNED)[0]
                marks.append(Dots(np.array([[x, level]]), 13, colour))
                marks.append(words(f"{name}: {spaced(epoch)}", colour, px=SMALL, bold=True,
                                   at=(x + away, level + 44), anchor=anchor))  # fmt: skip
        return marks

    # --- less and less data ----------------------------------------------------------

    def take_data_away(self) -> None:
        """Show runs with less and less data; earlier test losses stay, faintly."""
        rest = self.members[1:]
        cuts = sorted({0, -(-len(rest) // 2), len(rest) - 1, len(rest)})
        groks = self.options.apart(self.data, rest[-1])
        least = f"with {self._share(rest[-1])}"
        sentences = [
            "Now give it less and less of the data.",
            "What it is trained on, it learns as early as before: it memorises."
            if self._as_early()
            else "When does it learn what it is trained on, and when the rest?",
            f"What it is tested on comes much later: {least} it groks{self._later_still()}."
            if groks
            else f"And {least}? Dots are where a loss counts as learned.",
        ]
        ghosts: list[Any] = []
        for n, (start, stop) in enumerate(itertools.pairwise(cuts)):
            if n:
                self.hold()
            text = sentences[n] if len(cuts) == 4 else sentences[-1]
            self.say(text)
            slow = max(SLOW, self.reading(text) - 1.2)
            for member in rest[start:stop]:
                self._show_run(member, ghosts, slow if member == rest[-1] else 1.0)
        names = self._name_curves()
        self.play(*map(mn.FadeIn, names), run_time=FADE)
        self.leaving = [*names, *ghosts, *self.lines, *self.marks, *self.furniture, self.table,
                     *self.numbers, *self.shown]  # fmt: skip

    def _name_curves(self) -> list[Any]:
        """The shares of data left of the test losses, curves that touch under one name."""
        places = []
        for member in self.members:
            x, y = self._curve(member, "test")
            if (y < NAMED).any():
                at = self.axes.at(float(x[np.argmax(y < NAMED)]), NAMED)[0]
                places.append((at, float(self.data["member_fraction"].values[member])))
        places.sort()
        groups: list[list[tuple[float, float]]] = []
        for one in places:
            if groups and one[0] - groups[-1][-1][0] < TOUCH:
                groups[-1].append(one)
            else:
                groups.append([one])
        names, y = [], self.axes.at(10, NAMED)[1]
        before = self.axes.plot.x0
        for group in groups:
            low, high = (f(share for _, share in group) for f in (min, max))
            text = percent(low) if low == high else f"{100 * low:.0f}–{percent(high)}"
            x = group[0][0] - 16
            if x - before > 0.7 * SMALL * len(text):
                text = text if names else f"trained on\n{text}"
                names.append(words(text, self.colours.test, px=SMALL, anchor="right", at=(x, y)))
            before = group[-1][0]
        return names

    def _later_still(self) -> str:
        """The share with which the rest is learned last, unless it is the smallest."""
        last = max(self.members, key=lambda m: self.options.wait(self.data, m)[1])
        slower = self.options.apart(self.data, last) and last != self.members[-1]
        return f"; with {self._share(last)}, later still" if slower else ""

    def _as_early(self) -> bool:
        """Whether all runs memorise about as early as each other."""
        firsts = [self.options.wait(self.data, m)[0] for m in self.members]
        return min(firsts) > 0 and max(firsts) < TOGETHER * min(firsts)

    def _show_run(self, member: int, ghosts: list[Any], seconds: float) -> None:
        """Draw the losses of a run over those before it, and mark where it has learned."""
        colours = {"train": self.colours.train, "test": self.colours.test}
        new = [Growing(self.axes, *self._curve(member, split), colour, 7)
               for split, colour in colours.items()]  # fmt: skip
        last = max(float(curve.x.max(initial=100.0)) for curve in new)

        def draw(passed: float) -> None:
            for curve in new:
                curve.until(10 * (last / 10) ** passed)

        marks = self._marks(member)
        numbers = self._numbers(member, self.middle, self.low)
        old_train, old_test = self.lines
        self.table.recolour(self._pairs(member))
        self.remove(*self.marks, *self.numbers, old_train)
        draw(0.0)
        lines = [curve.line for curve in new]
        self.add(*lines, *numbers)
        self.play(
            old_test.animate(run_time=FADE).set_stroke(
                opacity=0.25, width=old_test.get_stroke_width() / 2
            ),
            self.sweep(draw, *lines, run_time=seconds, rate=mn.linear),
        )  # fmt: skip
        self.play(*map(mn.FadeIn, marks), run_time=FADE)
        self.wait(FADE / 2)
        ghosts.append(old_test)
        self.lines, self.marks, self.numbers = lines, marks, numbers

    # --- why -----------------------------------------------------------------------------

    def say_why(self) -> None:
        """Show the losses and squared weights of the run with 30% of the pairs."""
        run, ink = self.other(RUN), self.colours.ink
        end = 1.5 * float(run["phase_end"].values[-1])
        epochs = run["epoch"].values.astype(float)
        weights = run["sum_squared_weights"].sum("parameter").values.astype(float)
        keep = epochs <= end
        epochs, weights = epochs[keep], weights[keep]
        losses = Axes(self, (300, 195, 1580, 475), (0, end), (1e-7, 100), log="y")
        below = Axes(self, (300, 570, 1580, 790), (0, end), (0, 1.3 * float(weights.max())))
        curves = []
        for split, clock in (("train", "logged_epoch"), ("test", "tested_epoch")):
            x, y = finite(run[clock].values, run[f"logged_{split}_loss"].values)
            colour = self.colours.train if split == "train" else self.colours.test
            curves.append(Growing(losses, x[x <= end], y[x <= end], colour, 7))
        curves.append(Growing(below, epochs, weights, ink, 9))
        thousand = {float(e): spaced(e) for e in range(0, int(end), 5000)}
        axes = [
            *losses.furniture({}, {1e-6: "0.000001", 1e-3: "0.001", 1.0: "1"}, y="loss"),
            *below.furniture(thousand, {0.0: "0", 2000.0: "2,000"},
                             x="epoch (linear)", y="sum of squared weights"),
        ]  # fmt: skip
        axes += [
            words("train loss", self.colours.train, px=SMALL, bold=True, anchor="right",
                  at=(1330, 169)),
            words("test loss", self.colours.test, px=SMALL, bold=True, anchor="right",
                  at=(1580, 169)),
        ]  # fmt: skip
        top = int(weights.argmax())
        fraction = float(_setting(run, "train-fraction", 0.3))
        self.show_source(about(run))
        self._go(curves, 0)
        self.add(*(curve.line for curve in curves))
        highest, falls = float(epochs[top]), float(run["phase_end"].values[1])
        # each caption has its share of the axis, so that none stands still
        early = max(highest, falls / 4)
        between = (early + falls) / 2
        text = f"Why does it go on at all? Here with {percent(fraction)} of the sums."
        self.say(text, *map(mn.FadeIn, axes),
                 self._through(curves, 0, early, self.reading(text)))  # fmt: skip
        peak = weights[top]
        x, y = below.at(highest, peak)
        mark = Dots(np.array([[x, y]]), 13, ink)
        value = words(spaced(round(peak)), ink, px=42, bold=True, at=(x + 26, y - 8), anchor="left")
        stops = [
            ("To memorise is quick, and takes large weights.", early, between),
            ("Weight decay pulls all weights to 0, so training never rests.", between, falls),
            ("The rule is harder to find; once there, it needs less.", falls, end),
        ]
        for n, (text, start, stop) in enumerate(stops):
            new = () if n else map(mn.FadeIn, [mark, value])
            self.say(text, *new, self._through(curves, start, stop, self.reading(text)))
        level, fall = (Line(np.array([[x, y], [x + 1, y]]), colour, 4)
                       for colour in (self.colours.faint, ink))  # fmt: skip
        marker, number = Dots(np.array([[x, y]]), 13, ink), mono("", ink, at=(x, y))
        after = slice(top, None)
        path = below.pixels(epochs[after], weights[after])

        def measure(share: float) -> None:
            at = x + share * (path[-1, 0] - x)
            low = float(np.interp(at, path[:, 0], path[:, 1]))
            level.move_line(np.array([[x, y], [at + 1, y]]))
            fall.move_line(np.array([[at, y], [at, low + 1]]))
            marker.move_dots(np.array([[at, low]]))
            now = float(np.interp(at, path[:, 0], weights[after]))
            text = spaced(round(now)) if low - y > APART else ""
            beside = (at - BESIDE, y + 46)
            number.points = mono(text, ink, px=42, bold=True, at=beside).points

        measure(0.0)
        self.add(level, fall, number, marker)
        text = f"After grokking, this sum of squares is {peak / weights[-1]:.1f} times smaller."
        self.say(text, self.sweep(measure, level, fall, number, marker,
                                  run_time=self.reading(text), rate=mn.linear))  # fmt: skip

    def _go(self, curves: list[Growing], epoch: float) -> None:
        for curve in curves:
            curve.until(epoch)
        self.show_moment(round(epoch))

    def _through(self, curves: list[Growing], start: float, stop: float, seconds: float) -> Any:
        """An animation of training from one epoch to another."""

        def move(passed: float) -> None:
            epoch = start + passed * (stop - start)
            known = curves[-1].x[curves[-1].x <= epoch + 1e-6]
            self._go(curves, float(known[-1]) if len(known) else 0)

        lines = [curve.line for curve in curves]
        return self.sweep(move, *lines, run_time=seconds, rate=mn.linear)


def _setting(run: Any, name: str, otherwise: Any) -> Any:
    import json

    return json.loads(run.attrs.get("settings") or "{}").get(name, otherwise)
