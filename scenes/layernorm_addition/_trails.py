"""The ways of a race's runs through one plane: the norm of the weights, and the waves left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.layernorm_addition._track import by_epoch, epochs_in_words
from grokviz.scenes.layernorm_addition._ways import Way
from jaxtyping import Float

from grokviz.dataset.numerics import fourier
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

AWAY = (0.8, 2.6)
"""How far from it, in ems: beside it, or beyond a way that passes there."""

STEP = 4
"""Pixels between the points of ways that texts keep clear of."""

THICK, THIN = 1.3, 0.45
"""Widths of a way up to where its run is 95% right and from there on, in lines."""

PAIR = 2
"""Of so many optimisers each dot has its epoch beside it; of more there is one text for each."""

ROOM = 0.1
"""Room around the ways, as a share of the axes."""


def draw(figure: FigureBase, data: xr.Dataset, ways: Sequence[Way], *, after: bool) -> Drawing:
    """A way for each run, a dot where it is 95% right, and their names at their ends.

    With ``after`` the ways go on from there to the ends of their runs.
    """
    axes = style().panels(figure, left=4.6, right=2.0, top=1.4)[0][0]
    axes.set(xlabel="size of the hidden weights (norm)", ylabel=_waves(data))
    moments = data["epoch"].values.astype(float)
    trails = [_Trail(way, moments, after=after) for way in ways]
    trails = [trail for trail in trails if len(trail.known)]
    if not trails:
        style().note(axes, "no norms and waves to draw", (0.5, 0.5), ha="center", va="center",
                     color=style().colours.muted)  # fmt: skip
        return Drawing()
    _scale(axes, np.concatenate([trail.known for trail in trails]))
    named: dict[str, list[_Trail]] = {}
    for trail in trails:
        named.setdefault(trail.way.lane.name, []).append(trail)
    tints = dict(zip(named, style().colours.frequencies * len(named), strict=False))
    paths = [trail.draw(axes, tints[trail.way.lane.name]) for trail in trails]
    texts = _Texts(axes, [trail.known for trail in trails])
    word, split = clocks.word(data), len(named) <= PAIR
    texts.write("start", [trail.known[0] for trail in trails], style().colours.muted)
    told: list[tuple[int, Any]] = []
    for name, some in named.items():
        for epochs, places, words in _dots(some, word, split=split):
            told.append((max(epochs), texts.write(words, places, tints[name])))
    for name, some in named.items():
        goes_on = after or not any(trail.way.reached for trail in some)
        words = f"{name}, to {word} {_span(some)}" if goes_on else name
        texts.write(words, [trail.known[-1] for trail in some], tints[name], bold=True)
    right, never = (
        [trail for trail in trails if trail.way.reached == yes] for yes in (True, False)
    )
    dots = _marks(axes, [(trail.way.accurate, trail.right) for trail in right], hollow=False)
    ends = _marks(
        axes, [(float(trail.way.epochs[-1]), trail.known[-1]) for trail in never], hollow=True
    )
    ghost = style().ghost

    def update(i: int) -> None:
        for epoch, text in told:
            text.set_visible(bool(ghost or epoch <= moments[i]))
        for marks in (dots, ends):
            marks.update(np.inf if ghost else float(moments[i]))

    labels = Drawing([dots.line, ends.line, *(text for _, text in told)], update)
    return Drawing.of(*paths, labels)


def _waves(data: xr.Dataset) -> str:
    """What the axis of waves is called, with the number of them that there are."""
    settings = json.loads(data.attrs.get("settings") or "{}")
    of = f" (of {len(fourier.frequencies(int(settings['p'])))})" if "p" in settings else ""
    return f"waves that the embedding uses{of}"


class _Trail:
    """The way of one run through the plane.

    Attributes:
        way: the run.
        early: its points up to where it is 95% right, or to its end.
        whole: all of its points that may be drawn.
        known: those of them that are numbers.

    """

    def __init__(self, way: Way, moments: np.ndarray, *, after: bool) -> None:
        self.way = way
        points = np.column_stack(_at(way, moments[moments <= way.epochs[-1]]))
        self.early = points
        if way.reached:
            before = points[: np.searchsorted(moments, way.accurate, side="right")]
            self.early = np.vstack([before, self.right])
        self.whole = points if after else self.early
        self.known = self.whole[np.isfinite(self.whole).all(axis=1)]

    @property
    def right(self) -> Float[np.ndarray, " xy"]:
        """Where it is first 95% right."""
        return np.array(_at(self.way, self.way.accurate), float)

    def draw(self, axes: Axes, colour: str) -> Drawing:
        """Thick up to where it is 95% right, thin from there on."""
        first = panels.path(axes, *self.early.T, colour, dot=0.4)
        first.moving[0].set(lw=THICK * style().line, solid_capstyle="round",
                            solid_joinstyle="round")  # fmt: skip
        if len(self.whole) == len(self.early):
            return first
        whole = panels.path(axes, *self.whole.T, colour, dot=0.4)
        whole.moving[0].set(lw=THIN * style().line, alpha=0.8)
        return Drawing.of(whole, first)


def _dots(
    trails: Sequence[_Trail], word: str, *, split: bool
) -> list[tuple[list[int], list[Any], str]]:
    """The epochs, places and words of the dots of an optimiser, those of one epoch together.

    Of many there is one text for all.
    """
    right = [trail for trail in trails if trail.way.reached and np.isfinite(trail.right).all()]
    right.sort(key=lambda trail: trail.way.accurate)
    epochs = by_epoch([trail.way.accurate for trail in right])
    groups = [[trail for trail in right if trail.way.accurate in some] for some in epochs]
    if not split:
        groups = [right] if right else []
    return [
        (own, [trail.right for trail in some], epochs_in_words(own, len(trails), word))
        for some in groups
        for own in [[trail.way.accurate for trail in some]]
    ]


@dataclass(frozen=True)
class _Marks:
    """Dots that are there from an epoch on."""

    epochs: Float[np.ndarray, " dot"]
    places: Float[np.ndarray, "dot xy"]
    line: Any

    def update(self, now: float) -> None:
        """Show those up to an epoch."""
        self.line.set_data(*self.places[self.epochs <= now].T)


def _marks(axes: Axes, dots: Sequence[tuple[float, Any]], *, hollow: bool) -> _Marks:
    """Large dots at these epochs and places, none of them shown yet."""
    colours, line = style().colours, style().line
    (marks,) = axes.plot(
        [], [], "o", ms=0.7 * style().points, zorder=9,
        mfc=colours.background if hollow else colours.ink,
        mec=colours.ink if hollow else colours.background, mew=(0.6 if hollow else 0.25) * line,
    )  # fmt: skip
    epochs = np.array([epoch for epoch, _ in dots], float)
    return _Marks(epochs, np.array([at for _, at in dots], float).reshape(-1, 2), marks)


def _scale(axes: Axes, points: Points) -> None:
    """Limits around the ways, and few ticks."""
    from matplotlib.ticker import MaxNLocator

    low, high = points.min(axis=0), points.max(axis=0)
    room = ROOM * np.maximum(high - low, 1e-9 + 0.02 * np.abs(high))
    (left, bottom), (right, top) = low - room, high + room
    axes.set(xlim=(left, right), ylim=(bottom, top))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))


class _Texts:
    """Texts beside what they name, each where it covers the least of the ways and no other."""

    def __init__(self, axes: Axes, places: Sequence[Points]) -> None:
        self.axes = axes
        self.em = style().pixels(axes, style().small)
        self.lines = np.concatenate([_finer(self._pixels(xy)) for xy in places])
        self.boxes: list[np.ndarray] = []

    def write(self, text: str, points: Sequence[Any], colour: Any, *, bold: bool = False) -> Any:
        """Write a text beside some points."""
        at = self._pixels(np.array(points, float))
        wide = self.em * typefaces.width(text, weight=600 if bold else 400)
        size, middle = np.array([wide, self.em]), (at.min(axis=0) + at.max(axis=0)) / 2
        reach = (at.max(axis=0) - at.min(axis=0)) / 2 + size / 2
        boxes = [
            self._inside(middle + np.array(side) * (reach + away * self.em), size)
            for away in AWAY for side in AROUND
        ]  # fmt: skip
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


def _finer(pixels: Points) -> Points:
    """A way with points at most :data:`STEP` pixels apart."""
    gone = np.append(0.0, np.cumsum(np.hypot(*np.diff(pixels, axis=0).T)))
    along = np.linspace(0, gone[-1], int(gone[-1] / STEP) + 2)
    finer: Points = np.column_stack([np.interp(along, gone, pixels[:, k]) for k in range(2)])
    return finer


def _at(way: Way, epoch: Any) -> Any:
    """Norm and waves of a run at an epoch, or at many."""
    return tuple(np.interp(epoch, way.epochs, way.values[w]) for w in ("norm", "waves"))


def _span(trails: Sequence[_Trail]) -> str:
    """The last epochs of some runs."""
    ends = [int(trail.way.epochs[-1]) for trail in trails]
    low, high = min(ends), max(ends)
    return f"{low:,}" if low == high else f"{low:,}\u2013{high:,}"
