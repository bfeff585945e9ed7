"""The question.

Drawn alone by ``manim -qm scenes/thread/films/opening.py Opening``.
"""

from __future__ import annotations

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, Growing
from grokviz.scenes.thread._answers import Told
from grokviz.scenes.thread.films._lines import Lines
from grokviz.scenes.thread.films._table import Table
from grokviz.scenes.thread.opening import QUESTION

from grokviz.media.motion import FADE, TRANSFORM
from grokviz.scene.about import about
from grokviz.scene.clock import spaced, word
from grokviz.scene.films.toolkit import SMALL, FilmScene, Line, mono, words
from grokviz.scene.spoken import percent, running_percent

CORNER, COLUMN = (128.0, 64.0), 1000.0
"""Where the table begins, and the column of what is said of it."""
EDGE, BOX = 1368.0, (1500.0, 470.0, 1776.0, 800.0)
"""Where the percentages end, and the curves that they draw."""
NUMBER, LABELS = 130.0, (410.0, 650.0)
"""Size of the percentages, and the baselines of what is above them."""
MEMORISING, RUSH = 0.35, 0.6
"""The share of the time in which it memorises, and of the rest that in which the others come."""
HALF = 0.5
"""The share of the others that is right where the film stops."""


class Opening(FilmScene):
    """The table of answers, two percentages and the epoch; without a table, two lines."""

    film = "opening"

    def setup(self) -> None:
        """Add the name of the whole in place of the film's title, and the run of the data."""
        self.told: Told | None = self.options.told(self.data)
        name, at = ("A network\nlearns to add", (COLUMN, 140)) if self.told else (
            "Grokking", (128, 110))  # fmt: skip
        self.add(words(name, self.colours.ink, px=76 if self.told else 64, display=True, at=at,
                       anchor="left"))  # fmt: skip
        self.show_source(about(self.data))

    def construct(self) -> None:
        """Play the only section."""
        self.section("question")
        if self.told is None:
            Lines(self).play()
            return
        self.word = word(self.data)
        self.first, self.second = map(float, self.options.epochs(self.data))
        self.last = self.options.film_span(self.data)[1]
        self.show_table(self.told)
        self.let_it_learn()
        self.ask()

    # --- what is drawn ----------------------------------------------------------------

    def show_table(self, told: Told) -> None:
        """Show the table, what is right of either kind of sum, and empty axes that wait."""
        self.table = Table(self.data, self.colours, CORNER)
        self.axes = Axes(self, BOX, (0, self.last), (0, 1))
        shapes = self.axes.furniture({}, {0.0: "0", 1.0: "100%"})
        sides = (
            ("right, of sums it is shown", self.colours.train, told.shown),
            ("right, of all the others", self.colours.test, told.others),
        )
        self.curves, self.numbers = [], []
        for (name, colour, share), y in zip(sides, LABELS, strict=True):
            shapes.append(words(name, colour, px=40, bold=True, at=(COLUMN, y), anchor="left"))
            self.curves.append(Growing(self.axes, told.epochs, share, colour, 7))
            self.numbers.append((mono("", colour, at=(EDGE, y)), share, y + 140))
        numbers = [number for number, _, _ in self.numbers]
        self.moving = [self.table.heat, *numbers, *[curve.line for curve in self.curves]]
        self.at(0.0)
        self.add(*self.moving)
        hours = self.data.sizes["residue"]
        cells = f"each cell is a sum on a clock of {hours} hours, lit if right"
        shapes.append(words(cells, self.colours.muted, px=SMALL, at=(COLUMN, 310), anchor="left"))
        self.add(*shapes)

    def at(self, epoch: float, curves: bool = True) -> None:
        """Draw everything as it is at an epoch; the curves too, or only what runs beside them."""
        i = self.told.at(epoch) if self.told else 0
        self.table.show(i)
        for number, share, y in self.numbers:
            number.points = mono(running_percent(share[i]), self.colours.ink, px=NUMBER, bold=True,
                                 at=(EDGE, y)).points  # fmt: skip
        for curve in self.curves if curves else ():
            curve.until(epoch)
        self.show_moment(round(epoch), self.word)

    def show_moment(self, value: float, unit: str = "epoch") -> None:
        """Write the epoch above, larger than in other films: it is what runs away here."""
        text = f"{unit} {spaced(value)}".rjust(len(f"{unit} {spaced(self.last)}"))
        self.moment.points = mono(text, self.colours.answer, px=60, bold=True,
                                  at=(1776, 140)).points  # fmt: skip
        self.note_moment(value)
        if self.moment not in self.mobjects:
            self.add(self.moment)

    # --- training -----------------------------------------------------------------------

    def let_it_learn(self) -> None:
        """Run through training: it memorises, waits, and then the others come in a rush."""
        told = self.told
        assert told is not None
        start = 1.5 * self.first
        dark = told.epochs[(told.others < 0.3) & (told.epochs < self.second)]
        self.rush = max(float(dark[-1]) if dark.size else start, start)
        i, (shown, others) = told.at(self.last), told.sums
        right = (told.shown[i] * shown + told.others[i] * others) / (shown + others)
        end = "them all" if right == 1 else f"{np.floor(100 * right):.0f}% of them"
        share = percent(shown / (shown + others))
        text = f"It is shown {share} of these sums. In the end it knows {end}."

        def passed(share: float) -> None:
            early = share < MEMORISING
            self.at(share / MEMORISING * start if early else self._epoch(
                (share - MEMORISING) / (1 - MEMORISING), start, self.last))  # fmt: skip

        self.say(text, self.sweep(passed, *self.moving, run_time=self.reading(text),
                                  rate=mn.linear))  # fmt: skip

    def _epoch(self, share: float, start: float, stop: float) -> float:
        """Which epoch is shown on the way: most of the time is the rush's."""
        rush = min(self.rush, stop)
        if share < 1 - RUSH:
            return start + share / (1 - RUSH) * (rush - start)
        return rush + (share - 1 + RUSH) / RUSH * (stop - rush)

    # --- the question ---------------------------------------------------------------------

    def ask(self) -> None:
        """Ask; go back to where it had memorised, shade the time since then, and begin it anew."""
        told = self.told
        assert told is not None
        band = self.axes.plot.bars([0.0], [1.0], 1.0, self.colours.grid)
        band.set_z_index(-3)
        left, stop = (self.axes.at(epoch, 0)[0] for epoch in (self.first, self.second))
        top, low = self.axes.plot.y0, self.axes.plot.y1
        numbers = [number for number, _, _ in self.numbers]

        def back(share: float) -> None:
            at = stop + share * (left - stop)
            corners = [(at, low), (at, top), (stop + 1, top), (stop + 1, low), (at, low)]
            band.points = Line(np.array(corners, dtype=float), self.colours.grid).points
            self.at(self.last + share * (self.first - self.last), curves=False)

        back(0.0)
        self.add(band)
        asked = words("?", self.colours.ink, px=230, bold=True,
                      at=((left + stop) / 2, (top + low) / 2 + 80))  # fmt: skip
        self.say(QUESTION, self.sweep(back, band, self.table.heat, *numbers, run_time=TRANSFORM))
        self.play(mn.FadeIn(asked, scale=0.6), run_time=2 * FADE)
        share = percent(told.others[told.at(self.second)])
        text = (
            f"Those it is shown it knows by {self.word} {spaced(self.first)}, {share} of the "
            f"rest by {spaced(self.second)}.\nWhat happened in between?"
        )
        half = told.epochs[(told.others < HALF) & (told.epochs < self.second)]
        end = float(half[-1]) if half.size else self.second
        self.say(text, self.sweep(
            lambda share: self.at(self._epoch(share, self.first, end), curves=False),
            self.table.heat, *numbers, run_time=self.reading(text) + 1.0, rate=mn.linear,
        ))  # fmt: skip
