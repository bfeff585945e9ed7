"""The question.

Drawn alone by ``manim -qm scenes/thread/films/opening.py Opening``.
"""

from __future__ import annotations

from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, Growing
from grokviz.scenes.thread._answers import Told
from grokviz.scenes.thread.films._lines import Lines
from grokviz.scenes.thread.films._table import Table

from grokviz.scene.about import about
from grokviz.scene.clock import spaced, word
from grokviz.scene.films.toolkit import FADE, FilmScene, Line, mono, words

CORNER, COLUMN = (128.0, 64.0), 1000.0
"""Where the table begins, and the column of what is said of it."""
EDGE, BOX = 1368.0, (1500.0, 470.0, 1776.0, 800.0)
"""Where the percentages end, and the curves that they draw."""
NUMBER, LABELS = 130.0, (400.0, 640.0)
"""Size of the percentages, and the baselines of what is above them."""
RUSH = 0.55
"""The share of the time that is spent on the moments at which the others come to be right."""


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
        epochs = self.told.epochs
        self.first, self.second = (float(epochs[n or 0])
                                   for n in (self.told.first, self.told.second))  # fmt: skip
        self.last = min(float(epochs[-1]), 1.2 * self.second)
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
        text = f"Each cell is a sum on a clock of {hours} hours, lit where its answer is right."
        self.say(text, *map(mn.FadeIn, shapes),
                 self._through(0.0, 1.5 * self.first, self.reading(text)))  # fmt: skip

    def at(self, epoch: float, curves: bool = True) -> None:
        """Draw everything as it is at an epoch; the curves too, or only what runs beside them."""
        i = self.told.at(epoch) if self.told else 0
        self.table.show(i)
        for number, share, y in self.numbers:
            number.points = mono(f"{share[i]:.0%}".rjust(4), self.colours.ink, px=NUMBER, bold=True,
                                 at=(EDGE, y)).points  # fmt: skip
        for curve in self.curves if curves else ():
            curve.until(epoch)
        self.show_moment(round(epoch), self.word)

    def show_moment(self, value: float, unit: str = "epoch") -> None:
        """Write the epoch in the column, larger than in other films: it is what runs away here."""
        text = f"{unit} {spaced(value)}".rjust(len(f"{unit} {spaced(self.last)}"))
        self.moment.points = mono(text, self.colours.answer, px=60, bold=True,
                                  at=(1776, 320)).points  # fmt: skip
        if self.moment not in self.mobjects:
            self.add(self.moment)

    # --- training -----------------------------------------------------------------------

    def let_it_learn(self) -> None:
        """Run through training: it waits, and then the others come in a rush."""
        told, start = self.told, 1.5 * self.first
        assert told is not None
        dark = told.epochs[(told.others < 0.3) & (told.epochs < self.second)]
        rush = max(float(dark[-1]) if dark.size else start, start)
        text = (
            f"It learns those it is shown by {self.word} {spaced(self.first)}, "
            f"all the others by {spaced(self.second)}."
        )
        seconds = max(self.reading(text), 5.5)

        def epoch(share: float) -> float:
            if share < 1 - RUSH:
                return start + share / (1 - RUSH) * (rush - start)
            return rush + (share - 1 + RUSH) / RUSH * (self.last - rush)

        self.say(text, self.sweep(lambda share: self.at(epoch(share)), *self.moving,
                                  run_time=seconds, rate=mn.linear))  # fmt: skip

    def _through(self, start: float, stop: float, seconds: float) -> Any:
        return self.sweep(lambda share: self.at(start + share * (stop - start)), *self.moving,
                          run_time=seconds, rate=mn.linear)  # fmt: skip

    # --- the question ---------------------------------------------------------------------

    def ask(self) -> None:
        """Go back to where it had memorised, shade the time since then, and ask about it."""
        band = self.axes.plot.bars([0.0], [1.0], 1.0, self.colours.grid)
        band.set_z_index(-3)
        left, stop = (self.axes.at(epoch, 0)[0] for epoch in (self.first, self.second))
        top, low = self.axes.plot.y0, self.axes.plot.y1
        numbers = [number for number, _, _ in self.numbers]

        def back(share: float) -> None:
            at = stop + share * (left - stop)
            corners = [(at, low), (at, top), (stop + 1, top), (stop + 1, low), (at, low)]
            band.points = Line(np.array(corners, dtype=float), self.colours.grid).points
            self.at(self.second + share * (self.first - self.second), curves=False)

        back(0.0)
        self.add(band)
        asked = words("?", self.colours.ink, px=230, bold=True,
                      at=((left + stop) / 2, (top + low) / 2 + 80))  # fmt: skip
        self.say("What happened in between?", self.sweep(back, band, self.table.heat, *numbers,
                                                         run_time=2.2))  # fmt: skip
        self.play(mn.FadeIn(asked, scale=0.6), run_time=2 * FADE)
