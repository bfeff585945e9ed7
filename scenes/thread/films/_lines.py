"""The question by losses: how sure a network is of the right answer, seen and unseen."""

from __future__ import annotations

from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, Growing

from grokviz.media.motion import FADE, MOVE
from grokviz.scene.clock import spaced, word
from grokviz.scene.films.toolkit import BODY, FilmScene, Line, mono, words
from grokviz.scene.spoken import percent, running_percent

BOX = (830, 215, 1770, 760)
"""The axes in pixels."""
NUMBER, EDGE = 190.0, 600.0
"""Size of the two percentages, and the pixel column at which they end."""
NOTHING = 0.01
"""Less sure than this it knows nothing."""
POINTS = 1400
"""Points of a line: more than there are pixels across or up."""


class Lines:
    """Two percentages, the epoch, and the lines that they draw, on the scene of a film."""

    def __init__(self, scene: FilmScene) -> None:
        self.scene, self.colours = scene, scene.colours
        options: Any = scene.options
        self.word = word(scene.data)
        self.first, self.second = options.epochs(scene.data)
        self.known = {split: options.sureness(scene.data, split) for split in ("train", "test")}
        self.last = max(float(x[-1]) for x, _ in self.known.values())

    def play(self) -> None:
        """Play the only section."""
        self.show_both()
        self.let_it_learn()
        self.ask()

    # --- what is drawn ----------------------------------------------------------------

    def show_both(self) -> None:
        """Show both percentages before training, and empty axes that wait."""
        self.axes = Axes(self.scene, BOX, (0, self.last), (0, 1))
        furniture = self.axes.furniture(
            {float(e): spaced(e) for e in np.arange(0, self.last, _step(self.last))},
            {0.0: "0%", 0.5: "50%", 1.0: "100%"},
            x=self.word, y="sure of the right answer",
        )  # fmt: skip
        sides = {"train": (self.colours.train, 400), "test": (self.colours.test, 690)}
        self.curves, self.numbers, labels = {}, {}, []
        for split, (colour, y) in sides.items():
            self.known[split] = x, share = _thinned(*self.known[split])
            self.curves[split] = Growing(self.axes, x, share, colour, 8)
            self.numbers[split] = (mono("", colour, at=(EDGE, y)), y)
            name = "on examples it has seen" if split == "train" else "on all the others"
            labels.append(words(name, colour, px=BODY + 3, bold=True, at=(128, y - 185),
                                anchor="left"))  # fmt: skip
        self.at(0.0)
        shapes = [number for number, _ in self.numbers.values()]
        lines = [curve.line for curve in self.curves.values()]
        self.moving = [*shapes, *lines]
        self.scene.add(*self.moving)
        text = "How sure is a network of the right answer?"
        self.scene.say(text, *map(mn.FadeIn, [*furniture, *labels]),
                 self._through(0.0, 0.9 * self.first, self.scene.reading(text)))  # fmt: skip

    def at(self, epoch: float) -> None:
        """Draw everything as it is at an epoch."""
        for split, (number, y) in self.numbers.items():
            x, share = self.known[split]
            i = max(int(np.searchsorted(x, epoch + 1e-6, side="right")) - 1, 0)
            number.points = mono(running_percent(share[i]), self.colours.ink, px=NUMBER, bold=True,
                                 at=(EDGE, y)).points  # fmt: skip
            self.curves[split].until(epoch)
        self._show_moment(round(epoch))

    def _show_moment(self, value: float) -> None:
        """Write the epoch above, larger than in other films: it is what runs away here."""
        moment, at = self.scene.moment, (BOX[2], 120)
        moment.points = mono(f"{self.word} {spaced(value)}", self.colours.answer, px=64, bold=True,
                             at=at).points  # fmt: skip
        self.scene.note_moment(value)
        if moment not in self.scene.mobjects:
            self.scene.add(moment)

    # --- training -----------------------------------------------------------------------

    def let_it_learn(self) -> None:
        """Run through training: it memorises, nothing happens, and then it understands."""
        first, second = float(self.first), float(self.second)
        unseen = self.known["test"]
        learned = min(2 * first, (first + second) / 2)
        half = unseen[0][unseen[1] < 0.5]
        stuck = max(float(half[half < second].max(initial=learned)), learned)
        text = f"After {spaced(self.first)} {self.word}s it knows its examples by heart."
        self.scene.say(text, self._through(0.9 * first, learned, self.scene.reading(text)))
        waiting = unseen[1][(unseen[0] >= learned) & (unseen[0] < stuck)]
        typical = float(np.median(waiting)) if waiting.size else 0.0
        knows = "it knows nothing" if typical < NOTHING else f"it is {percent(typical)} sure"
        text = f"Of all the others {knows}, however long it trains ..."
        self.scene.say(text, self._through(learned, 0.97 * stuck, self.scene.reading(text)))
        text = f"... until, at {self.word} {spaced(self.second)}, it gets those right too."
        self.scene.say(text, self._through(0.97 * stuck, self.last, 0.8 * self.scene.reading(text)))

    def _through(self, start: float, stop: float, seconds: float) -> Any:
        return self.scene.sweep(lambda share: self.at(start + share * (stop - start)), *self.moving,
                          run_time=seconds, rate=mn.linear)  # fmt: skip

    # --- the question ---------------------------------------------------------------------

    def ask(self) -> None:
        """Shade the time in between, and ask what happened in it."""
        wide, middle = self.second - self.first, (self.second + self.first) / 2
        band = self.axes.plot.bars([middle], [1.0], wide, self.colours.grid)
        band.set_z_index(-3)

        def open_(share: float) -> None:
            stop = self.first + share * wide
            left, right = (self.axes.at(epoch, 0)[0] for epoch in (self.first, stop))
            top, low = self.axes.plot.y0, self.axes.plot.y1
            corners = [(left, low), (left, top), (right, top), (right, low), (left, low)]
            band.points = Line(np.array(corners, dtype=float), self.colours.grid).points

        open_(0.01)
        self.scene.add(band)
        x, y = self.axes.at(middle, 0.5)
        asked = words("?", self.colours.ink, px=340, bold=True, at=(x, y + 120))
        self.scene.say("What happened in between?", self.scene.sweep(open_, band, run_time=MOVE))
        self.scene.play(mn.FadeIn(asked, scale=0.6), run_time=2 * FADE)


def _thinned(x: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points that a line needs, evenly along it, so that it ends where the number says."""
    way = np.cumsum(np.abs(np.diff(x, prepend=x[0])) / x[-1] + np.abs(np.diff(share, prepend=0.0)))
    at = np.searchsorted(way, np.linspace(way[0], way[-1], POINTS))
    at = np.unique(np.append(at.clip(0, len(x) - 1), [0, len(x) - 1]))
    return x[at], share[at]


def _step(last: float) -> float:
    """A round distance of at most six ticks."""
    power = 10.0 ** np.floor(np.log10(last))
    return float(next(power * share for share in (0.2, 0.5, 1.0) if last / (power * share) < 6))
