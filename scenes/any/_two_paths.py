"""The ways of two runs through weight space, in the plane that holds the most of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._plane import epochs_beside, square

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent
from grokviz.tasks.any.pair import NEEDS

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

NEAR = 0.1
"""Runs end near one another where their ends are no farther apart than this share of the larger
of their ways.
"""


@dataclass(frozen=True)
class TwoPaths(Scene):
    """The paths of two runs in one plane."""

    name = "path"
    title = "Two runs go ways of their own through weight space"
    watch = "Each dot is all weights of a run at one checkpoint, in the plane that holds the most"
    source = "arXiv:1712.09913, section 7"
    needs = NEEDS
    reference = "modular-addition-59"
    clock = "pair_epoch"
    aspect = 1.9
    narrow_aspect = 0.75

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the weights of a run move."""
        super().check(data)
        if not (data["pair_component_share"].values > 0).any():
            raise InputError(
                f"{cls.name} draws the way of the weights, and those of these runs do not move; "
                "record or import checkpoints that differ"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How far apart the runs begin and end, in the plane."""
        first, second = _ways(data)
        began, ended = (float(np.hypot(*(second[k][1] - first[k][1]))) for k in (0, -1))
        long = max(float(np.hypot(*(way[-1][1] - way[0][1]))) for way in (first, second))
        share = float(data["pair_component_share"].values[:2].sum())
        numbers = {"began": began, "ended": ended, "share": share}
        words = f"The runs end {ended:.2g} apart in this plane, from {began:.2g} at the start"
        if not ended > NEAR * long:
            return Claim.instead(words, self.watch, **numbers)
        return Claim(words, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Both paths, all over the figure."""
        (axes,), *_ = style().panels(figure, left=4.4, right=1.4, top=1.0, bottom=3.3)
        return _plane(axes, data)

    def film_span(self, data: xr.Dataset) -> None:
        """All of both runs: the plane is that of their whole paths."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """Where each has come to."""
        told, now = [], data["pair_epoch"].values[i]
        for name, way in zip(data["pair_member"].values, _ways(data), strict=True):
            gone = [place for epoch, place in way if epoch <= now]
            if gone:
                told.append(f"{name} at {gone[-1][0]:.3g} and {gone[-1][1]:.3g}")
        at = clocks.at(data, "pair_epoch", i)
        return (
            "The paths of all weights of two runs in the plane of their first two principal "
            f"components. At {at} along them: {', '.join(told) or 'neither has begun'}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "All weights of both runs at their checkpoints, in the plane of the two first "
            "principal components of all checkpoints together, the same scale along both (Li et "
            "al., 2018, arXiv:1712.09913). Distances in the plane are at most those in all "
            "dimensions. Runs of other initial weights differ by permutations of their neurons "
            "too, which is not undone here."
        )


def _ways(data: xr.Dataset) -> list[list[tuple[float, np.ndarray]]]:
    """Of each run its epochs, each with its place in the plane."""
    ways = []
    for points in data["pair_plane"].values.astype(float):
        known = np.isfinite(points).all(axis=1)
        epochs = data["pair_epoch"].values[known]
        ways.append(list(zip(map(float, epochs), points[known], strict=True)))
    return ways


def _plane(axes: Axes, data: xr.Dataset) -> Drawing:
    """Both paths as far as they have come, their names at their ends, and epochs beside them."""
    ways, word = _ways(data), clocks.word(data)
    every = np.concatenate([[place for _, place in way] for way in ways])
    square(axes, every)
    shares = data["pair_component_share"].values
    axes.set(
        xlabel=f"first main direction of both: {percent(shares[0])}",
        ylabel=f"second main direction: {percent(shares[1])}",
    )
    axes.grid(visible=False)
    tints = style().colours.frequencies
    names = [str(name) for name in data["pair_member"].values]
    span = np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])
    # no epoch stands where the name of the other one does
    texts = [way[-1][1] / span for way in ways]
    parts = [
        _path(axes, way, (name, tint, one_word), texts)
        for way, name, tint, one_word in zip(ways, names, tints, (word, ""), strict=False)
    ]
    moments = data["pair_epoch"].values

    def update(i: int) -> None:
        for _, move in parts:
            move(float(moments[i]))

    return Drawing([artists for artists, _ in parts], update)


def _path(
    axes: Axes,
    way: list[tuple[float, np.ndarray]],
    look: tuple[str, Any, str],
    texts: list[np.ndarray],
) -> tuple[list[Any], Any]:
    """A path: what of it moves, and what moves it to an epoch.

    ``look`` is its name, its colour and what the run counts; ``texts`` are places of texts.
    """
    current_style, (name, tint, word) = style(), look
    epochs = np.array([epoch for epoch, _ in way])
    points = np.array([place for _, place in way])
    width = 0.7 * current_style.line
    if current_style.ghost:
        axes.plot(*points.T, color=tint, lw=width, alpha=0.3, zorder=2)
    small = 0.3 * current_style.points
    (past,) = axes.plot([], [], "o-", color=tint, lw=width, ms=small, mew=0, zorder=3)
    (head,) = axes.plot(
        [], [], "o", color=tint, ms=0.6 * current_style.points, zorder=7,
        mec=current_style.colours.background, mew=0.08 * current_style.points,
    )  # fmt: skip
    words = epochs_beside(axes, points, epochs, word, texts)
    legend = current_style.label(axes, *points[-1], name, color=tint, zorder=8, lift=0.8)

    def move(moment: float) -> None:
        stop = int(np.searchsorted(epochs, moment, side="right"))
        past.set_data(*points[:stop].T)
        head.set_data(*points[max(stop - 1, 0) : stop].T)
        legend.set_visible(stop > 0)
        if stop:
            legend.xy = tuple(points[stop - 1])
        for at, artists in words:
            for artist in artists:
                artist.set_visible(current_style.ghost or stop > at)

    return [past, head, legend, [artists for _, artists in words]], move
