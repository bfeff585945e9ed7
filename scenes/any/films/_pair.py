"""Two trainings in two panels, one above the other: their losses, and something else below."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from grokviz.scenes.any.films._axes import Axes

from grokviz.scene.clock import spaced
from grokviz.scene.films.toolkit import FilmScene, Line, place, words

UPPER, LOWER = (330, 225, 1600, 475), (330, 565, 1600, 790)
LOSS = (3e-8, 100)
LOSS_TICKS = {1e-6: "0.000001", 1e-3: "0.001", 1.0: "1"}
Curves = Mapping[str, np.ndarray]


class Pair:
    """Curves by name, drawn up to an epoch: of the losses, and of what is below.

    Args:
        scene: the film.
        looks: the colour of each name.
        losses, others: epochs and values, (2, point), by name.
        epochs: the first and the last epoch shown.
        up: range of the lower panel, its ticks, and what it shows.
        log: whether the lower panel is logarithmic.

    """

    def __init__(
        self, scene: FilmScene, looks: Mapping[str, str], losses: Curves, others: Curves,
        epochs: tuple[float, float],
        up: tuple[tuple[float, float], Mapping[float, str], str], *, log: bool,
    ) -> None:  # fmt: skip
        span, ticks, name = up
        self.axes = [Axes(scene, UPPER, epochs, LOSS, log="y"),
                     Axes(scene, LOWER, epochs, span, log="y" if log else "")]  # fmt: skip
        self.furniture = [
            *self.axes[0].furniture({}, LOSS_TICKS, y="training loss"),
            *self.axes[1].furniture(_ticks(*epochs), ticks, x="epoch", y=name),
        ]
        self._pixels = [
            {kind: axes.pixels(*curve[:, curve[0] >= epochs[0]]) for kind, curve in curves.items()}
            for axes, curves in zip(self.axes, (losses, others), strict=True)
        ]
        # the first of them above the second
        self._lines = [{kind: Line(np.zeros((2, 2)), looks[kind], px)
                        for kind, px in zip(reversed(looks), (8, 6), strict=True)}
                       for _ in self.axes]  # fmt: skip
        self._names = [{kind: words(kind, look, bold=True) for kind, look in looks.items()}
                       for _ in self.axes]  # fmt: skip
        self.shapes = [shape for group in (*self._lines, *self._names) for shape in group.values()]

    def until(self, epoch: float) -> None:
        """Show both curves of each panel up to an epoch, their names at the ends."""
        for axes, curves, lines, names in zip(
            self.axes, self._pixels, self._lines, self._names, strict=True
        ):
            at = axes.at(max(epoch, axes.x[0]), axes.y[0])[0]
            shown = {kind: _until(pixels, at) for kind, pixels in curves.items()}
            ends = _apart({kind: float(pixels[-1, 1]) for kind, pixels in shown.items()})
            for kind, pixels in shown.items():
                lines[kind].move_line(pixels)
                names[kind].move_to(place(pixels[-1, 0] + 88, ends[kind]))

    def rows(self, kind: str, x: float) -> list[float]:
        """The pixel rows of a curve of each panel at a pixel column."""
        return [float(np.interp(x, *curves[kind].T)) for curves in self._pixels]


def _ticks(first: float, last: float) -> dict[float, str]:
    """The epochs written below the panels."""
    step = next(step for step in (500, 1000, 5000, 10000, int(last)) if last - first < 6 * step)
    start = -(-int(first) // step) * step
    return {float(e): spaced(e) for e in range(start, int(last) + 1, step)}


def _until(pixels: np.ndarray, x: float) -> np.ndarray:
    """The part of a line left of ``x``, up to there."""
    end = np.interp(x, pixels[:, 0], pixels[:, 1])
    return np.concatenate([pixels[pixels[:, 0] < x], [[x, end], [x + 0.5, end]]])


def _apart(rows: dict[str, float], room: float = 44.0) -> dict[str, float]:
    """Two rows, moved apart where one name would touch the other."""
    (one, a), (two, b) = sorted(rows.items(), key=lambda item: item[1])
    push = max(room - (b - a), 0) / 2
    return {one: a - push, two: b + push}
