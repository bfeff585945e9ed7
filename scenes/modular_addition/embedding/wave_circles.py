"""Each embedded frequency's plane: the residues line up into a circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after

from grokviz.scene import Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MARKED = (0, 1, 2)


@dataclass(frozen=True)
class WaveCircles(Scene):
    """The embedding of the residues in the plane of each frequency, and the loss."""

    name = "wave-circles"
    panels = ("circles", "loss")
    title = "Every key frequency winds the numbers onto a circle"
    watch = "from one number to the next is always the same turn"
    source = "thread, tweet 9; arXiv:2301.05217, section 4.1 and figure 3"
    loops = True
    needs = ("embedding_plane", "embedding_frequency_norm", "logged_train_loss",
             "logged_test_loss", "phase_end")  # fmt: skip
    aspect = 1.9
    narrow_aspect = 0.72
    stills = ("grok-3000", "last")

    most: int = option(6, "how many frequencies to show, the largest first")

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 12:
            raise ValueError(f"most={self.most} is not possible; give 1 to 12")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A plane for every frequency, and the loss."""
        shown = self._shown(data)
        planes, losses = _rooms(figure, len(shown))
        limit = _limit(data, shown)
        circles = [_Circle.of(axes, data, k, limit) for axes, k in zip(planes, shown, strict=False)]
        loss = panels.LossPanel(losses, data)
        return Drawing.of(*circles, loss.along(data["epoch"]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """How round each circle is, from the data."""
        words = []
        for k in self._shown(data):
            points = data["embedding_plane"].sel(embedded_frequency=k).isel(epoch=i).values
            radius = np.linalg.norm(points, axis=1)
            spread = radius.std() / max(radius.mean(), 1e-12)
            words.append(f"frequency {k} has radius {radius.mean():.2f}, spread {spread:.0%}")
        return (
            f"The {data.sizes['residue']} residues in the plane of each of {len(words)} embedded "
            f"frequencies at {clocks.at(data, 'epoch', i)}: {'; '.join(words)}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Embedding of the residues, less its mean, in the plane spanned by $W_E\\cos_k$ and "
            "$W_E\\sin_k$ of each embedded frequency k; a clean wave is a circle. "
            f"{after('section 4.1')}"
        )

    def _shown(self, data: xr.Dataset) -> list[int]:
        """The embedded frequencies of the largest norm at the end, in ascending order."""
        last = data["embedding_frequency_norm"].isel(epoch=-1)
        return sorted(frequencies.by_size(frequencies.embedded(data), last)[: self.most])


def _rooms(figure: FigureBase, count: int) -> tuple[list[Axes], Axes]:
    """Axes for the planes, near to square, and one for the loss."""
    current_style = style()
    wide, high = current_style.ems(figure)
    if current_style.narrow(figure):
        share, columns = 0.38, min(count, 3)
        lower = current_style.panels(figure, top=(1 - share) * high + 2.6)[0][0]
        upper = _grid(figure, count, columns, (0.02, share + 0.02, 0.98, 0.99))
        return upper, lower
    share = 0.33
    columns = math.ceil(count / 2) if count > 2 else count
    right = current_style.panels(figure, left=(1 - share) * wide + 5.5)[0][0]
    return _grid(figure, count, columns, (0.03, 0.02, 1 - share - 0.01, 0.99)), right


def _grid(
    figure: FigureBase, count: int, columns: int, box: tuple[float, float, float, float]
) -> list[Axes]:
    x0, y0, x1, y1 = box
    rows = math.ceil(count / columns)
    wide, high = (x1 - x0) / columns, (y1 - y0) / rows
    return [
        figure.add_axes((x0 + (i % columns) * wide, y1 - (i // columns + 1) * high, wide, high))
        for i in range(count)
    ]


def _limit(data: xr.Dataset, shown: list[int]) -> float:
    """How far from the origin nearly every dot stays within the film: one scale for all of it."""
    inside = data["epoch"].values <= panels.horizon(data)
    plane = data["embedding_plane"].sel(embedded_frequency=shown).values[inside]
    return float(np.quantile(np.linalg.norm(plane, axis=-1), 0.95, axis=-1).max())


@dataclass
class _Circle:
    """One plane: the dots, the line that joins them, and the numbers 0, 1 and 2."""

    points: np.ndarray
    order: np.ndarray
    line: Any
    dots: Any
    marks: Any
    texts: list[Any]
    limit: float

    @classmethod
    def of(cls, axes: Axes, data: xr.Dataset, k: int, limit: float) -> _Circle:
        """Draw everything that does not move, and make what does."""
        current_style, p = style(), data.sizes["residue"]
        colours = current_style.colours
        colour = frequencies.colour(k, data)
        room = 1.22 * limit
        axes.set_aspect("equal")
        # the name stands above all dots, and above the numbers beside them
        axes.set(xlim=(-room, room), ylim=(-room, 1.3 * room))
        axes.axis("off")
        axes.text(
            0.5, 0.985, f"frequency {k}", transform=axes.transAxes, ha="center", va="top",
            color=colour, fontweight="bold",
        )  # fmt: skip
        for ends in (([-limit, limit], [0, 0]), ([0, 0], [-limit, limit])):
            axes.plot(*ends, color=colours.grid, lw=current_style.line * 0.35, zorder=0)
        joined = axes.plot(
            [], [], color=colour, lw=current_style.line * 0.35, alpha=0.55, zorder=2
        )[0]
        dots = axes.plot(
            [], [], "o", color=colour, ms=current_style.points * 0.26, mew=0, alpha=0.9, zorder=3
        )[0]
        marks = axes.plot(
            [], [], "o", color=colours.ink, ms=current_style.points * 0.36, mew=0, zorder=4
        )[0]
        texts = [current_style.label(axes, 0, 0, str(n), va="center", zorder=5) for n in MARKED]
        order = np.argsort((np.arange(p) * k) % p, kind="stable")
        points = data["embedding_plane"].sel(embedded_frequency=k).values.astype(float)
        return cls(points, np.append(order, order[0]), joined, dots, marks, texts, limit)

    @property
    def moving(self) -> list[Any]:
        """The artists that move."""
        return [self.line, self.dots, self.marks, *self.texts]

    def update(self, i: int) -> None:
        """Set the plane at clock index ``i``."""
        now = self.points[i]
        self.line.set_data(*now[self.order].T)
        self.dots.set_data(*now.T)
        self.marks.set_data(*now[list(MARKED)].T)
        for n, text in zip(MARKED, self.texts, strict=True):
            length = max(float(np.linalg.norm(now[n])), 1e-9)
            text.set_position(tuple(now[n] * (1 + 0.15 * self.limit / length)))
