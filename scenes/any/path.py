"""The way through weight space, in the plane that holds the most of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any._plane import epochs_beside, percent, square
from grokviz.scenes.any._two_paths import TwoPaths

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.tasks.any.steps import component_shares

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


@dataclass(frozen=True)
class WeightPath(Scene):
    """The path of all weights in the plane of its two widest directions, and what these hold."""

    name = "path"
    title = "Two directions hold most of the path through weight space"
    watch = "all weights, in principal components; outlined: a random walk of as many steps"
    source = "arXiv:1712.09913, section 7; random walks: arXiv:1806.08805"
    needs = ("whole_plane", "whole_component_share")
    reference = "modular-addition-59"
    clock = "step_epoch"
    aspect = 1.9
    narrow_aspect = 0.75

    walk: bool = option(True, "the shares of a random walk beside those of training")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the weights take two steps."""
        super().check(data)
        if not (data["whole_component_share"].values > 0).any() or data.sizes["step_epoch"] < 3:
            raise InputError(
                f"{cls.name} draws the way of the weights, and those of this run take no two "
                "steps; record or import three checkpoints or more that differ"
            )

    def of_two(self) -> Scene:
        """Two runs in one plane."""
        return TwoPaths()

    def claim(self, data: xr.Dataset) -> Claim:
        """The share of the plane, and what it would be of a random walk."""
        training, walk = (float(one[:2].sum()) for one in (_shares(data), walk_shares(data)))
        numbers = {"training": training, "walk": walk}
        watch = self.watch if self.walk else self.watch.partition(";")[0]
        sentence = f"Two directions hold {percent(training)} of the path of the weights"
        if not training > 0.5:
            return Claim.instead(sentence, watch, **numbers)
        return Claim(f"{sentence}, {percent(walk)} of a random one", watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The path at the left, or above; the shares beside it, or below."""
        left, right = style().beside(
            figure, (1.9, 1), (1.7, 1), left=4.4, right=1.4, top=1.6, gap=5.4, vgap=4.4
        )
        plane = _plane(left, data)
        self._bars(right, data)
        return plane

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the plane is that of the whole path."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """Where the path has come to, and the shares."""
        x, y = data["whole_plane"].values[i]
        shares = _shares(data)
        return (
            "The path of all weights in the plane of its two first principal components. At "
            f"{clocks.at(data, self.clock, i)} it is {x:.3g} and {y:.3g} from its start along "
            f"them. They hold {percent(shares[0])} and {percent(shares[1])} of its variance."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            f"All weights at {data.sizes['step_epoch']} checkpoints, from the first one, in the "
            "plane of the two first principal components of their path, the same scale along both "
            "(Li et al., 2018, arXiv:1712.09913). Bars: shares of the variance of the checkpoints; "
            "outlines: those of a random walk of as many equal and independent steps, in so many "
            "dimensions that each is at a right angle to all others, which has such shares too "
            "(Antognini and Sohl-Dickstein, 2018, arXiv:1806.08805)."
        )

    def _bars(self, axes: Axes, data: xr.Dataset) -> None:
        """Bars of training, and beside them outlines of a random walk."""
        current_style, shares = style(), 100 * _shares(data)
        scale, ink = colour_map(current_style.colours.sequential), current_style.colours.ink
        numbers = data["path_component"].values[: len(shares)]
        colour = scale(0.75)
        walk = 100 * walk_shares(data)
        if self.walk:
            axes.bar(numbers - 0.21, shares, width=0.4, color=colour, zorder=2)
            axes.bar(
                numbers + 0.21, walk, width=0.36, facecolor="none", edgecolor=ink,
                lw=0.4 * current_style.line, zorder=3,
            )  # fmt: skip
            both = (percent(one[:2].sum() / 100) for one in (shares, walk))
            lines = zip(("training", "random walk"), both, (colour, ink), strict=True)
            muted = ("1 and 2", "together", current_style.colours.muted)
            for n, (words, share, tint) in enumerate((muted, *lines)):
                current_style.note(
                    axes, f"{words} {share}", (0.98, 0.93), (0, -1.4 * n), ha="right", color=tint,
                    fontweight="bold" if n else "normal",
                )  # fmt: skip
        else:
            axes.bar(numbers, shares, width=0.68, color=colour, zorder=2)
        highest = max(*shares, *(walk if self.walk else ()))
        axes.set(
            xlabel="component", ylabel="share of the variance (%)", xlim=(0.4, len(shares) + 0.6),
            ylim=(0, 108 if highest > 85 else 1.2 * highest),
        )  # fmt: skip
        axes.set_xticks(numbers if len(numbers) < 6 else [1, *numbers[4::5]])


def walk_shares(data: xr.Dataset) -> np.ndarray:
    """Shares of the components of a random walk of as many steps, in very many dimensions."""
    steps = data.sizes["step_epoch"] - 1
    return component_shares(np.eye(steps), len(_shares(data)))


def _shares(data: xr.Dataset) -> np.ndarray:
    """The shares of the components that there are."""
    shares = data["whole_component_share"].values.astype(float)
    return shares[: max(2, min(len(shares), data.sizes["step_epoch"] - 1))]


def _plane(axes: Axes, data: xr.Dataset) -> Drawing:
    """The path as far as it has come, its colour the time, and epochs beside it."""
    from matplotlib.collections import LineCollection

    current_style, colours = style(), style().colours
    points, epochs = data["whole_plane"].values.astype(float), data["step_epoch"].values
    square(axes, points)
    shares = _shares(data)
    axes.set(
        xlabel=f"first component ({100 * shares[0]:.1f}% of the variance)",
        ylabel=f"second ({100 * shares[1]:.1f}%)",
    )
    axes.grid(visible=False)
    scale = colour_map(colours.sequential)
    tints = [scale(t) for t in np.linspace(0.35, 0.95, len(points))]
    segments = np.stack([points[:-1], points[1:]], axis=1)
    width, size = 0.7 * current_style.line, (0.3 * current_style.points) ** 2
    if current_style.ghost:
        axes.add_collection(
            LineCollection(list(segments), colors=tints[1:], linewidths=width, alpha=0.25)
        )
    past = LineCollection([], colors=tints[1:], linewidths=width, capstyle="round", zorder=3)
    axes.add_collection(past, autolim=False)
    dots = axes.scatter([], [], s=size, color=tints[0], lw=0, zorder=4)
    (head,) = axes.plot(
        [], [], "o", color=colours.ink, ms=0.55 * current_style.points, zorder=7,
        mec=colours.background, mew=0.08 * current_style.points,
    )  # fmt: skip
    words = epochs_beside(axes, points, epochs, clocks.word(data))

    def update(i: int) -> None:
        past.set_segments(list(segments[:i]))
        dots.set_offsets(points[: i + 1])
        dots.set_facecolors(tints[: i + 1])
        head.set_data(points[i : i + 1, 0], points[i : i + 1, 1])
        for at, artists in words:
            for artist in artists:
                artist.set_visible(current_style.ghost or i >= at)

    return Drawing([past, dots, head, [artists for _, artists in words]], update)
