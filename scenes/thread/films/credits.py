"""Whose work it is, each below what it showed.

Drawn alone by ``manim -qm scenes/thread/films/credits.py Credits``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, Growing, finite
from grokviz.scenes.thread.credits import CIRCLES, LEAPING, MADE, NAMES, ROWS

from grokviz.scene import frequencies
from grokviz.scene.films.toolkit import MARGIN, SMALLEST, Dots, FilmScene, Plot, words
from grokviz.scene.outcome import losses_of

ACROSS, DOWN = (MARGIN, 1000.0), (186.0, 646.0)
"""Left edges of the columns and upper edges of the rows in which the works' pictures stand."""
WIDE, HIGH = 620.0, 168.0
"""Size of the moving picture above a work's title."""
SECONDS, SAID = 5.0, "Whose work this is, and where to read it."
"""How long the card stands, and its caption: who wants to read all of it stops the film."""
LAST_EPOCH = 16000.0
"""The last epoch in the pictures: by then the circles are round, and the loss has leapt often."""


@dataclass(frozen=True)
class Moving:
    """A small picture, its shapes, and what draws it at a share of its time."""

    shapes: list[Any]
    draw: Callable[[float], None]


class Credits(FilmScene):
    """The works, each below a picture from a run that moves as one reads."""

    film = "credits"

    def setup(self) -> None:
        """Add the heading, and no run: each picture has its own."""
        self.add(words("Whose work this is", self.colours.ink, px=64, display=True,
                       at=(MARGIN, 100), anchor="left"))  # fmt: skip

    def construct(self) -> None:
        """Play the only section."""
        self.section("credits")
        kinds = (self._circle, self._spectrum, self._grokking, self._leaps)
        corners = [(left, top) for top in DOWN for left in ACROSS]
        pictures = [kind(*corner) for kind, corner in zip(kinds, corners, strict=True)]
        for moving, row, name, (left, top) in zip(pictures, ROWS, NAMES, corners, strict=True):
            moving.draw(0.0)
            self.add(*self._text(*row, (left, top)), *moving.shapes)
            self.add(words(name, self.colours.muted, px=SMALLEST, at=(left, top - 22),
                           anchor="left"))  # fmt: skip
        self.add(words(MADE, self.colours.muted, px=36, at=(1792, 100), anchor="right"))
        shapes = [shape for moving in pictures for shape in moving.shapes]

        def draw(share: float) -> None:
            for moving in pictures:
                moving.draw(share)

        self.play(self.sweep(draw, *shapes, run_time=SECONDS, rate=mn.linear))
        self.captions.append((0, self.frame_number(), SAID))

    def tear_down(self) -> None:
        """Add no further time at the end."""

    def _text(self, what: str, who: str, corner: tuple[float, float]) -> list[Any]:
        left, top = corner
        below = top + HIGH + 50
        return [
            words(what, self.colours.ink, px=40, bold=True, at=(left, below), anchor="left"),
            words(who, self.colours.muted, px=34, anchor="left",
                  at=(left, below + 50 + 54 * what.count("\n"))),
        ]  # fmt: skip

    # --- the pictures -------------------------------------------------------------------

    def _circle(self, left: float, top: float) -> Moving:
        """The numbers wind onto the circle of the largest frequency."""
        run = self.other(CIRCLES)
        known, last = frequencies.embedded(run), run["embedding_frequency_norm"].isel(epoch=-1)
        k = frequencies.by_size(known, last)[0]
        epochs = run["epoch"].values
        planes = run["embedding_plane"].sel(embedded_frequency=k).values[epochs <= LAST_EPOCH]
        radius = float(np.quantile(np.linalg.norm(planes, axis=-1), 0.98))
        centre = np.array([left + HIGH / 2, top + HIGH / 2])
        places = centre + HIGH / 2 / radius * planes.astype(float) * [1, -1]
        dots = Dots(places[0], 3.5, self.colours.frequency(k, known))
        return Moving(
            [dots], lambda share: dots.move_dots(places[round(share * (len(places) - 1))])
        )

    def _spectrum(self, left: float, top: float) -> Moving:
        """A few waves are left of the embedding."""
        run = self.other(CIRCLES)
        known = frequencies.embedded(run)
        norms = run["embedding_frequency_norm"].transpose("epoch", "frequency").values
        norms = norms[run["epoch"].values <= LAST_EPOCH].astype(float)
        names = [int(k) for k in run["frequency"].values]
        plot = Plot(left, top, left + WIDE, top + HIGH, (0, len(names) + 1),
                    (0, float(norms.max())))  # fmt: skip
        groups: dict[str, list[int]] = {}
        keys = frequencies.key_frequencies(run)
        for i, k in enumerate(names):
            colour = self.colours.frequency(k, known) if k in keys else self.colours.rest
            groups.setdefault(colour, []).append(i)
        bars = [(i, plot.bars(np.array(i) + 1.0, norms[0][i], 0.8, colour))
                for colour, i in groups.items()]  # fmt: skip

        def draw(share: float) -> None:
            now = norms[round(share * (len(norms) - 1))]
            for i, some in bars:
                some.set_heights(now[i])

        return Moving([some for _, some in bars], draw)

    def _grokking(self, left: float, top: float) -> Moving:
        """The losses of the run whose film this is."""
        curves = {split: losses_of(self.data, split) for split in ("train", "test")}
        colours = {"train": self.colours.train, "test": self.colours.test}
        ends = [float(x[-1]) for x, _ in curves.values() if len(x)]
        until = min(max([*ends, 1.0]), LAST_EPOCH)
        values = np.concatenate([y[np.isfinite(y) & (y > 0)] for _, y in curves.values()])
        low, high = (float(values.min()), float(values.max())) if values.size else (0.1, 1.0)
        return self._growing(
            (left, top), until, (low, max(high, 2 * low)),
            [(x, y, colours[split]) for split, (x, y) in curves.items()],
        )  # fmt: skip

    def _leaps(self, left: float, top: float) -> Moving:
        """The loss in float32 leaps again and again."""
        run = self.other(LEAPING)
        member = int(np.argmax(run["member_precision"].values == "float32"))
        x, y = finite(run["member_epoch"].values[member], run["member_train_loss"].values[member])
        return self._growing((left, top), LAST_EPOCH, (1e-8, 10.0), [(x, y, self.colours.ink)])

    def _growing(
        self,
        corner: tuple[float, float],
        until: float,
        within: tuple[float, float],
        curves: list[Any],
    ) -> Moving:
        """Losses over epochs, drawn from left to right."""
        left, top = corner
        axes = Axes(self, (left, top, left + WIDE, top + HIGH), (0, until), within, log="y")
        grow = []
        for x, y, colour in curves:
            keep = (x <= until) & (y > 0) & np.isfinite(y)
            if keep.any():
                grow.append(Growing(axes, x[keep], y[keep], colour, 5))

        def draw(share: float) -> None:
            for curve in grow:
                curve.until(share * until)

        return Moving([curve.line for curve in grow], draw)
