"""The way through weight space, in the plane that holds the most of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._glow import Glow
from grokviz.scenes.any._plane import aside, epochs_beside, square
from grokviz.scenes.any._two_paths import TwoPaths

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome
from grokviz.scene.spoken import percent
from grokviz.tasks.any.steps import component_shares

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


ROOM = 1.26
"""So many times as long as the path its axes are."""


@dataclass(frozen=True)
class WeightPath(Scene):
    """The path of all weights in the plane of its two widest directions."""

    name = "path"
    title = "Two directions hold most of the path through weight space"
    watch = "Each dot is all weights at one checkpoint, seen in the plane that holds the most"
    source = "arXiv:1712.09913, section 7; random walks: arXiv:1806.08805"
    needs = ("whole_plane", "whole_component_share")
    wishes = ("logged_train_loss", "logged_test_loss")
    reference = "modular-addition-59"
    clock = "step_epoch"
    aspect = 1.9
    narrow_aspect = 0.75

    walk: bool = option(
        True, "what a plane would hold of a random walk, in the line below the title"
    )

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
        watch = self.watch
        if self.walk:
            watch = f"A random walk of as many steps would have {percent(walk)} in its plane"
        sentence = f"A plane holds {percent(training)} of the weights' path through training"
        if not training > max(0.5, walk):
            most = ", no more than of a random walk" if training > 0.5 else " at most"
            return Claim.instead(f"A plane holds {percent(training)} of it{most}", watch, **numbers)
        return Claim(sentence, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The path, all over the figure."""
        (axes,), *_ = style().panels(figure, left=4.4, right=1.4, top=0.6, bottom=3.3)
        return _plane(axes, data)

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the plane is that of the whole path."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """Where the path has come to, and the shares."""
        x, y = data["whole_plane"].values[i]
        one, other = both(_shares(data))
        return (
            "The path of all weights in the plane of its two first principal components. At "
            f"{clocks.at(data, self.clock, i)} it is {x:.3g} and {y:.3g} from its start along "
            f"them. They hold {one} and {other} of its variance."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            f"All weights at {data.sizes['step_epoch']} checkpoints, from the first one, in the "
            "plane of the two first principal components of their path, the same scale along both "
            "(Li et al., 2018, arXiv:1712.09913). What a plane holds: the share of the variance of "
            "the checkpoints, here and of a random walk of as many equal and independent steps, in "
            "so many dimensions that each is at a right angle to all others, of which a plane "
            "holds much too (Antognini and Sohl-Dickstein, 2018, arXiv:1806.08805)."
        )


def walk_shares(data: xr.Dataset) -> np.ndarray:
    """Shares of the components of a random walk of as many steps, in very many dimensions."""
    steps = data.sizes["step_epoch"] - 1
    return component_shares(np.eye(steps), len(_shares(data)))


def both(shares: np.ndarray) -> tuple[str, str]:
    """The first two shares in percent, with so many decimals that they add up to what both hold."""
    one, other = 100 * shares[:2]
    digits = next(
        (n for n in range(3) if round(round(one, n) + round(other, n)) == round(one + other)), 3
    )
    return f"{one:.{digits}f}%", f"{other:.{digits}f}%"


def _shares(data: xr.Dataset) -> np.ndarray:
    """The shares of the components that there are."""
    shares = data["whole_component_share"].values.astype(float)
    return shares[: max(2, min(len(shares), data.sizes["step_epoch"] - 1))]


def _plane(axes: Axes, data: xr.Dataset) -> Drawing:
    """The path as far as it has come, its colour the time, and epochs beside it."""
    from matplotlib.collections import LineCollection

    current_style, colours = style(), style().colours
    points, epochs = data["whole_plane"].values.astype(float), data["step_epoch"].values
    square(axes, points, ROOM)
    shares = _shares(data)
    one, other = both(shares)
    axes.set(xlabel=f"first main direction: {one}", ylabel=f"second main direction: {other}")
    axes.grid(visible=False)
    axes.locator_params(nbins=5)
    scale = colour_map(colours.sequential)
    tints = [scale(t) for t in np.linspace(0.35, 0.95, len(points))]
    segments = np.stack([points[:-1], points[1:]], axis=1)
    width, size = 1.2 * current_style.line, (0.42 * current_style.points) ** 2
    if current_style.ghost:
        axes.add_collection(
            LineCollection(list(segments), colors=tints[1:], linewidths=width, alpha=0.25)
        )
    glow = Glow(axes, tints[1:], width)
    past = LineCollection([], colors=tints[1:], linewidths=width, capstyle="round", zorder=3)
    axes.add_collection(past, autolim=False)
    dots = axes.scatter([], [], s=size, color=tints[0], lw=0, zorder=4)
    (head,) = axes.plot(
        [], [], "o", color=colours.ink, ms=0.8 * current_style.points, zorder=7,
        mec=colours.background, mew=0.1 * current_style.points,
    )  # fmt: skip
    span = np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])
    events = _events(data, points, epochs)
    # no epoch stands where the name of an event does
    taken = [points[i] / span for i in events.values()]
    words = [*_named(axes, points, events), *epochs_beside(
        axes, points, epochs, clocks.word(data), taken, ends=True
    )]  # fmt: skip

    def update(i: int) -> None:
        past.set_segments(list(segments[:i]))
        glow.update(segments[:i])
        dots.set_offsets(points[: i + 1])
        dots.set_facecolors(tints[: i + 1])
        head.set_data(points[i : i + 1, 0], points[i : i + 1, 1])
        for at, artists in words:
            for artist in artists:
                artist.set_visible(current_style.ghost or i >= at)

    return Drawing([glow.moving, past, dots, head, [artists for _, artists in words]], update)


def _events(data: xr.Dataset, points: np.ndarray, epochs: np.ndarray) -> dict[str, int]:
    """What the losses say happened on the way, each at the checkpoint nearest to it."""
    if any(name not in data for name in WeightPath.wishes):
        return {}
    run = outcome(data)
    happens = {"memorised": run.memorised, "test loss halved": run.grokked}
    return {
        name: int(np.abs(epochs - at).argmin())
        for name, at in happens.items()
        if at is not None and epochs[0] < at < epochs[-1]
    }


def _named(axes: Axes, points: np.ndarray, events: dict[str, int]) -> list[tuple[int, list[Any]]]:
    """A ring on the path and its name, on the side that leads away from the path's middle."""
    current_style, gold = style(), style().colours.answer
    span = np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])
    em = current_style.pixels(axes, current_style.small)
    wide = not current_style.narrow(axes.figure)
    words: list[tuple[int, list[Any]]] = []
    for name, i in events.items():
        away = aside(points / span, i, (points / span).mean(axis=0))
        told = name if wide else name.replace("loss ", "loss\n")
        # on the outer side, unless the name would leave the axes there
        room = (0.62 * max(map(len, told.split("\n"))) + 1) * em
        at = float(axes.transData.transform(points[i])[0])
        right = at + room <= axes.bbox.x1 if away[0] >= 0 else at - room < axes.bbox.x0
        ring = axes.plot(
            *points[i], "o", ms=0.85 * current_style.points, mfc="none", mec=gold, zorder=6,
            mew=0.14 * current_style.points,
        )  # fmt: skip
        text = axes.annotate(
            told, points[i], ((0.9 if right else -0.9) * current_style.small, 0), color=gold,
            textcoords="offset points", fontsize=current_style.small, fontweight="bold",
            ha="left" if right else "right", va="center", zorder=6, linespacing=1.05,
        )  # fmt: skip
        words.append((i, [*ring, text]))
    return words
