"""The ways of a race's runs through one plane: the norm of the weights, and the waves left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.layernorm_addition import _ways
from grokviz.scenes.layernorm_addition._track import epochs_in_words
from grokviz.scenes.layernorm_addition._ways import Way
from jaxtyping import Float

from grokviz.media import typefaces
from grokviz.scene import Drawing, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

    Points = Float[np.ndarray, "point xy"]

AROUND = tuple((x, y) for y in (0, 1, -1) for x in (1, -1, 0) if x or y)
"""Where a text may stand beside what it names: right, left, above and below."""

AWAY = 0.8
"""How far from it, in ems."""

THICK, THIN = 1.3, 0.45
"""Widths of a way up to where its run is 95% right and from there on, in lines."""

ROOM = 0.1
"""Room around the ways, as a share of the axes."""


def draw(figure: FigureBase, data: xr.Dataset, ways: Sequence[Way]) -> Drawing:
    """A way for each run, a dot where it is 95% right, and their names at their ends."""
    axes = style().panels(figure, left=4.6, right=2.0, top=1.4)[0][0]
    axes.set(xlabel="norm of the hidden weights", ylabel="waves the embedding is spread over")
    moments = data["epoch"].values.astype(float)
    drawn = {way: xy for way in ways if len(xy := _through(way, moments)[1])}
    if not drawn:
        style().note(axes, "no norms and waves to draw", (0.5, 0.5), ha="center", va="center",
                     color=style().colours.muted)  # fmt: skip
        return Drawing()
    _scale(axes, np.concatenate(list(drawn.values())))
    named = _ways.named(list(drawn))
    tints = dict(zip(named, style().colours.frequencies * len(named), strict=False))
    trails = [_trail(axes, way, moments, tints[way.lane.name]) for way in drawn]
    texts = _Texts(axes, list(drawn.values()), clocks.word(data))
    starts, ends = ({way: xy[at] for way, xy in drawn.items()} for at in (0, -1))
    texts.write("start", list(starts.values()), style().colours.muted)
    for name, some in named.items():
        words = f"{name}, to {texts.word} {_span(some)}"
        texts.write(words, [ends[way] for way in some], tints[name], bold=True)
    right = {way: at for way in drawn if np.isfinite(at := _right(way)).all()}
    told: list[tuple[int, Any]] = []
    for name, some in named.items():
        own = [way for way in some if way in right]
        if own:
            epochs = [way.accurate for way in own]
            words = f"95% right: {epochs_in_words(epochs, len(some), texts.word)}"
            told.append((max(epochs), texts.write(words, [right[w] for w in own], tints[name])))
    current, ghost = style(), style().ghost
    (dots,) = axes.plot(
        [], [], "o", color=current.colours.ink, ms=0.55 * current.points, zorder=9,
        mec=current.colours.background, mew=0.25 * current.line,
    )  # fmt: skip

    def update(i: int) -> None:
        for trail in trails:
            trail.update(i)
        now = np.inf if ghost else moments[i]
        seen = [place for way, place in right.items() if way.accurate <= now]
        dots.set_data(*np.reshape(seen, (-1, 2)).T)
        for epoch, text in told:
            text.set_visible(bool(epoch <= now))

    moving = [trail.moving for trail in trails]
    return Drawing([moving, dots, *(text for _, text in told)], update)


def _scale(axes: Axes, points: Points) -> None:
    """Limits around the ways, and few ticks."""
    from matplotlib.ticker import MaxNLocator

    low, high = points.min(axis=0), points.max(axis=0)
    room = ROOM * np.maximum(high - low, 1e-9 + 0.02 * np.abs(high))
    (left, bottom), (right, top) = low - room, high + room
    axes.set(xlim=(left, right), ylim=(bottom, top))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))


def _trail(axes: Axes, way: Way, moments: np.ndarray, colour: str) -> Drawing:
    """The way of a run, thin from where it is 95% right on."""
    xy, _ = _through(way, moments)
    early = xy
    if 0 <= way.accurate <= way.epochs[-1]:
        early = np.vstack([xy[: np.searchsorted(moments, way.accurate, side="right")], _right(way)])
    whole = panels.path(axes, *xy.T, colour, dot=0.4)
    whole.moving[0].set(lw=THIN * style().line, alpha=0.8)
    first = panels.path(axes, *early.T, colour, dot=0.4)
    first.moving[0].set(lw=THICK * style().line, solid_capstyle="round")
    return Drawing.of(whole, first)


class _Texts:
    """Texts beside what they name, each where it covers the least of the ways and no other."""

    def __init__(self, axes: Axes, places: Sequence[Points], word: str) -> None:
        self.axes, self.word = axes, word
        self.em = style().pixels(axes, style().small)
        fine = [np.column_stack([_finer(xy[:, k]) for k in range(2)]) for xy in places]
        self.lines = self._pixels(np.concatenate(fine))
        self.boxes: list[np.ndarray] = []

    def write(self, text: str, points: Sequence[Any], colour: Any, *, bold: bool = False) -> Any:
        """Write a text beside some points."""
        at = self._pixels(np.array(points, float))
        wide = self.em * typefaces.width(text, weight=600 if bold else 400)
        size, middle = np.array([wide, self.em]), (at.min(axis=0) + at.max(axis=0)) / 2
        reach = (at.max(axis=0) - at.min(axis=0)) / 2 + size / 2 + AWAY * self.em
        boxes = [self._inside(middle + np.array(side) * reach, size) for side in AROUND]
        best = boxes[int(np.argmin([self._covered(box) for box in boxes]))]
        self.boxes.append(best)
        x, y = self.axes.transAxes.inverted().transform(best.mean(axis=0))
        return style().note(
            self.axes, text, (float(x), float(y)), ha="center", va="center",
            color=style().colours.words(colour), fontweight="bold" if bold else "normal", zorder=8,
        )  # fmt: skip

    def _inside(self, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """A box around a centre, moved into the axes."""
        box = self.axes.bbox
        low, high = np.array([box.x0, box.y0]) + size / 2, np.array([box.x1, box.y1]) - size / 2
        centre = np.clip(centre, np.minimum(low, high), np.maximum(low, high))
        return np.array([centre - size / 2, centre + size / 2])

    def _covered(self, box: np.ndarray) -> float:
        """How much a text there would cover: of other texts, then of the ways."""
        low, high = box[0] - 0.3 * self.em, box[1] + 0.3 * self.em
        on = sum(bool((low < b[1]).all() and (high > b[0]).all()) for b in self.boxes)
        ways = ((self.lines > low) & (self.lines < high)).all(axis=1).sum()
        return 1e6 * on + float(ways)

    def _pixels(self, points: Points) -> np.ndarray:
        pixels: np.ndarray = self.axes.transData.transform(points)
        return pixels


def _through(way: Way, moments: np.ndarray) -> tuple[Points, Points]:
    """Norm and waves of a run at the moments of the film up to its end, and those of them that
    are numbers.
    """
    inside = moments[moments <= way.epochs[-1]]
    xy = np.column_stack(_at(way, inside))
    return xy, xy[np.isfinite(xy).all(axis=1)]


def _finer(values: np.ndarray) -> np.ndarray:
    """Values with four steps between each two."""
    steps = np.arange(4 * (len(values) - 1) + 1) / 4
    finer: np.ndarray = np.interp(steps, np.arange(len(values)), values)
    return finer


def _at(way: Way, epoch: Any) -> Any:
    """Norm and waves of a run at an epoch, or at many."""
    return tuple(np.interp(epoch, way.epochs, way.values[w]) for w in ("norm", "waves"))


def _right(way: Way) -> tuple[float, float]:
    """Where a run is first 95% right; nowhere if it never is."""
    if not 0 <= way.accurate <= way.epochs[-1]:
        return np.nan, np.nan
    return way.at_learning("norm"), way.at_learning("waves")


def _span(ways: Sequence[Way]) -> str:
    """The last epochs of some runs."""
    ends = [int(way.epochs[-1]) for way in ways]
    low, high = min(ends), max(ends)
    return f"{low:,}" if low == high else f"{low:,}\u2013{high:,}"
