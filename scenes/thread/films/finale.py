"""The answer.

Drawn alone by ``manim -qm scenes/thread/films/finale.py Finale``.
"""

from __future__ import annotations

import manim as mn
import numpy as np
from grokviz.scenes.thread.films._table import Table
from grokviz.scenes.thread.opening import QUESTION

from grokviz.scene import frequencies
from grokviz.scene.about import about
from grokviz.scene.clock import spaced, word
from grokviz.scene.films.toolkit import SMALL, Dots, FilmScene, mono, words
from grokviz.scene.spoken import percent, running_percent

CORNER, CENTRE, ROOM, EDGE = (128.0, 64.0), (1388.0, 470.0), 360.0, 420.0
"""Where the table begins, the middle of the rings, how far from it all but a few of their dots are,
and how far the last one."""
APART = 0.72
"""A ring's radius, of that of the next one outside."""
DOT, SMOOTH = 6.5, 12
"""Radius of a dot, and over how many checkpoints the scale of the rings is a mean."""
STEPS = 12
"""How much is added at the end, by turning."""


class Finale(FilmScene):
    """The table fills while the dots find their rings, and then these turn."""

    film = "finale"

    def setup(self) -> None:
        """Add the run of the data; the table takes the place of a title."""
        self.show_source(about(self.data))

    def construct(self) -> None:
        """Play the only section."""
        self.told, self.rings = self.options.told(self.data), self.options.rings(self.data)
        self.word = word(self.data)
        self.section("answer")
        self.first, self.second = map(self.told.at, self.options.moments(self.data))
        self.last = self.told.at(self.options.film_span(self.data)[1])
        self.show_both()
        self.let_it_wind()
        self.answer()

    # --- what is drawn ----------------------------------------------------------------

    def show_both(self) -> None:
        """Show the table as it was memorised, and where the network keeps its numbers."""
        self.table = Table(self.data, self.colours, CORNER)
        keys = self.rings.keys
        known = self.options.palette() or frequencies.coloured(self.data)
        self.share = APART ** np.arange(len(keys) - 1, -1, -1.0)
        self.scale = self._scale()
        self.dots = [
            Dots(np.zeros((1, 2)), DOT * (0.4 + 0.6 * share), self.colours.frequency(k, known))
            for k, share in zip(keys, self.share, strict=True)
        ]
        self.numbers = [mono("", c, at=CENTRE) for c in (self.colours.train, self.colours.test)]
        self.moving = [self.table.heat, *self.dots, *self.numbers]
        self.at(float(self.told.epochs[self.first]))
        names = [
            words("shown", self.colours.train, px=SMALL, at=(985, 860), anchor="left"),
            words("others", self.colours.test, px=SMALL, at=(1790, 860), anchor="right"),
        ]
        self.add(*self.moving)
        self.starts = self.rings.starts
        early = self.starts[0] if self.starts and self.starts[0] < self.second else self.first
        self.reached = self.first + max(early - self.first, 1) // 3
        text = "The table once more, and the numbers as the network holds them."
        self.say(text, *map(mn.FadeIn, names),
                 self._through(self.first, self.reached, self.reading(text)))  # fmt: skip

    def _scale(self) -> np.ndarray:
        """Pixels of the outermost ring's radius at each checkpoint, so that all dots fit."""
        far = np.linalg.norm(self.rings.points, axis=-1) * self.share[:, None]
        fits = ROOM / np.quantile(far, 0.99, axis=(1, 2))
        padded = np.pad(fits, SMOOTH, mode="edge")
        window = np.ones(2 * SMOOTH + 1) / (2 * SMOOTH + 1)
        return np.minimum(np.convolve(padded, window, mode="valid"), EDGE / far.max(axis=(1, 2)))

    def at(self, epoch: float) -> None:
        """Draw everything as it is at an epoch."""
        i = self.told.at(epoch)
        self.table.show(i)
        self._show_rings(i, 0.0)
        places = zip(self.numbers, (self.told.shown, self.told.others), (1090, 1790), strict=True)
        for number, share, x in places:
            number.points = mono(running_percent(share[i]), self.colours.ink, px=52, bold=True,
                                 at=(x, 815)).points  # fmt: skip
        self.show_moment(round(epoch), self.word)

    def _show_rings(self, i: int, added: float) -> None:
        """Each ring at a checkpoint, turned by what is added to its numbers."""
        p = self.data.sizes["residue"]
        for n, (k, dots) in enumerate(zip(self.rings.keys, self.dots, strict=True)):
            angle = 2 * np.pi * k * added / p
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            points = self.rings.points[i, n] @ turn * self.share[n] * self.scale[i]
            dots.move_dots(np.array(CENTRE) + points * [1, -1])

    # --- training -----------------------------------------------------------------------

    def let_it_wind(self) -> None:
        """Go through training: rings come out of the clouds, and then the table fills."""
        epochs, word, counted = self.told.epochs, self.word, self.options.counted(self.data)
        ahead = bool(self.starts) and self.starts[0] < self.second
        half = self.starts[0] if ahead else (self.reached + self.second) // 2
        text = f"They wind onto {counted}"
        if ahead:
            text += f"; the first is round by {word} {spaced(epochs[half])}"
        text += ", while most others stay wrong." if self.told.others[half] < 0.5 else "."
        self.say(text, self._through(self.reached, half, max(self.reading(text), 5.5)))
        share = percent(self.told.others[self.second])
        learned = spaced(self.options.moments(self.data)[1])
        text = f"By {word} {learned}, {share} of the others are right."
        if self.starts and self.starts[-1] <= self.second:
            last = spaced(epochs[self.starts[-1]])
            text = f"The last is round by {last}; b{text[1:]}"
        self.say(text, self._through(half, self.last, max(self.reading(text), 4.5)))

    def _through(self, start: int, stop: int, seconds: float) -> object:
        """An animation of training from one checkpoint to another, each for as long."""
        epochs = self.told.epochs
        return self.sweep(
            lambda share: self.at(float(epochs[round(start + share * (stop - start))])),
            *self.moving, run_time=seconds, rate=mn.linear,
        )  # fmt: skip

    # --- the answer -----------------------------------------------------------------------

    def answer(self) -> None:
        """Turn the circles, each as far as a number is: this is how it adds."""
        added = mono("", self.colours.answer, at=CENTRE)

        def turn(share: float) -> None:
            self._show_rings(self.last, STEPS * share)
            text = f"+{int(STEPS * share)}"
            added.points = mono(text, self.colours.answer, px=64, bold=True,
                                at=(CENTRE[0] + 17 * len(text), CENTRE[1] + 22)).points  # fmt: skip

        self.hold()
        turn(0.0)
        self.add(added)
        counted = self.options.counted(self.data)
        text = f"{QUESTION}\nIt built {counted}, and on a circle to add is to turn."
        self.say(text, self.sweep(turn, added, *self.dots, run_time=self.reading(text) + 1.5,
                                  rate=mn.linear))  # fmt: skip
