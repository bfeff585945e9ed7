"""Whose work it is, each beside what it showed.

Drawn alone by ``manim -qm scenes/thread/films/credits.py Credits``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import manim as mn
import numpy as np
from grokviz.scenes.any.films._axes import Axes, Growing, finite
from grokviz.scenes.thread.credits import CIRCLES, LEAPING, MADE, ROWS

from grokviz.scene import frequencies
from grokviz.scene.films.toolkit import FADE, MARGIN, Dots, FilmScene, Plot, words
from grokviz.scene.outcome import losses_of

FIRST, APART = 250.0, 190.0
"""Pixel row of the first work's middle, and the distance to the next."""
WIDE, HIGH, TEXT = 400.0, 152.0, 590.0
"""Size of the moving picture beside a work, and the pixel column at which its text begins."""
LAST_EPOCH = 16000.0
"""The last epoch in the pictures: by then the circles are round, and the loss has leapt often."""


@dataclass(frozen=True)
class Moving:
    """A small picture, its shapes, and what draws it at a share of its time."""

    shapes: list[Any]
    draw: Callable[[float], None]


class Credits(FilmScene):
    """The works one after another, each with a picture from a run that moves as one reads."""

    film = "credits"

    def setup(self) -> None:
        """Add the heading, and no run: each picture has its own."""
        self.add(words("Whose work this is", self.colours.ink, px=64, bold=True,
                       at=(MARGIN, 120), anchor="left"))  # fmt: skip

    def construct(self) -> None:
        """Play the only section."""
        self.section("credits")
        pictures = (self._circle, self._spectrum, self._grokking, self._leaps)
        shown: list[Moving] = []
        for n, ((what, who), picture) in enumerate(zip(ROWS, pictures, strict=True)):
            middle = FIRST + n * APART
            moving = picture(middle - HIGH / 2)
            moving.draw(0.0)
            self._show(f"{what}: {who}", moving, self._text(what, who, middle))
            shown.append(moving)
        ends = words(MADE, self.colours.muted, px=36, at=(TEXT, 1010), anchor="left")
        start = self.frame_number()
        self.play(mn.FadeIn(ends, run_time=FADE), *(
            self.sweep(moving.draw, *moving.shapes, run_time=self.reading(MADE) + 2.0)
            for moving in shown
        ))  # fmt: skip
        self.wait(1.0)
        self.captions.append((start, self.frame_number(), MADE))

    def tear_down(self) -> None:
        """Add no further time at the end."""

    def _show(self, text: str, moving: Moving, written: list[Any]) -> None:
        """Let a picture move for as long as the words beside it take to read."""
        start = self.frame_number()
        self.play(*map(mn.FadeIn, [*written, *moving.shapes]), run_time=FADE)
        self.play(self.sweep(moving.draw, *moving.shapes, run_time=self.reading(text),
                             rate=mn.linear))  # fmt: skip
        self.captions.append((start, self.frame_number(), " ".join(text.split())))

    def _text(self, what: str, who: str, middle: float) -> list[Any]:
        lines = what.count("\n")
        top = middle - 4 - 27 * lines
        return [
            words(what, self.colours.ink, px=42, bold=True, at=(TEXT, top), anchor="left"),
            words(who, self.colours.muted, px=34, at=(TEXT, top + 56 + 58 * lines), anchor="left"),
        ]

    # --- the pictures -------------------------------------------------------------------

    def _circle(self, top: float) -> Moving:
        """The numbers wind onto the circle of the largest frequency."""
        run = self.other(CIRCLES)
        known, last = frequencies.embedded(run), run["embedding_frequency_norm"].isel(epoch=-1)
        k = frequencies.by_size(known, last)[0]
        epochs = run["epoch"].values
        planes = run["embedding_plane"].sel(embedded_frequency=k).values[epochs <= LAST_EPOCH]
        radius = float(np.quantile(np.linalg.norm(planes, axis=-1), 0.98))
        centre = np.array([MARGIN + WIDE / 2, top + HIGH / 2])
        places = centre + HIGH / 2 / radius * planes.astype(float) * [1, -1]
        dots = Dots(places[0], 5, self.colours.frequency(k, known))
        return Moving(
            [dots], lambda share: dots.move_dots(places[round(share * (len(places) - 1))])
        )

    def _spectrum(self, top: float) -> Moving:
        """A few waves are left of the embedding."""
        run = self.other(CIRCLES)
        known = frequencies.embedded(run)
        norms = run["embedding_frequency_norm"].transpose("epoch", "frequency").values
        norms = norms[run["epoch"].values <= LAST_EPOCH].astype(float)
        names = [int(k) for k in run["frequency"].values]
        plot = Plot(MARGIN, top, MARGIN + WIDE, top + HIGH, (0, len(names) + 1),
                    (0, float(norms.max())))  # fmt: skip
        groups: dict[str, list[int]] = {}
        for i, k in enumerate(names):
            groups.setdefault(self.colours.frequency(k, known), []).append(i)
        bars = [(i, plot.bars(np.array(i) + 1.0, norms[0][i], 0.8, colour))
                for colour, i in groups.items()]  # fmt: skip

        def draw(share: float) -> None:
            now = norms[round(share * (len(norms) - 1))]
            for i, some in bars:
                some.set_heights(now[i])

        return Moving([some for _, some in bars], draw)

    def _grokking(self, top: float) -> Moving:
        """The losses of the run whose film this is."""
        curves = {split: losses_of(self.data, split) for split in ("train", "test")}
        colours = {"train": self.colours.train, "test": self.colours.test}
        ends = [float(x[-1]) for x, _ in curves.values() if len(x)]
        until = min(max([*ends, 1.0]), LAST_EPOCH)
        values = np.concatenate([y[np.isfinite(y) & (y > 0)] for _, y in curves.values()])
        low, high = (float(values.min()), float(values.max())) if values.size else (0.1, 1.0)
        return self._growing(
            top, until, (low, max(high, 2 * low)),
            [(x, y, colours[split]) for split, (x, y) in curves.items()],
        )  # fmt: skip

    def _leaps(self, top: float) -> Moving:
        """The loss in float32 leaps again and again."""
        run = self.other(LEAPING)
        member = int(np.argmax(run["member_precision"].values == "float32"))
        x, y = finite(run["member_epoch"].values[member], run["member_train_loss"].values[member])
        return self._growing(top, LAST_EPOCH, (1e-8, 10.0), [(x, y, self.colours.ink)])

    def _growing(
        self, top: float, until: float, within: tuple[float, float], curves: list[Any]
    ) -> Moving:
        """Losses over epochs, drawn from left to right."""
        axes = Axes(self, (MARGIN, top, MARGIN + WIDE, top + HIGH), (0, until), within, log="y")
        grow = []
        for x, y, colour in curves:
            keep = (x <= until) & (y > 0) & np.isfinite(y)
            if keep.any():
                grow.append(Growing(axes, x[keep], y[keep], colour, 5))

        def draw(share: float) -> None:
            for curve in grow:
                curve.until(share * until)

        return Moving([curve.line for curve in grow], draw)
