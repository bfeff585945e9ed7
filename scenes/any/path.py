"""The way through weight space, in the plane that holds the most of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._glow import Glow
from grokviz.scenes.any._plane import epochs_beside, square
from grokviz.scenes.any._turns import LOSSES, rules_of, turns_of
from grokviz.scenes.any._two_paths import TwoPaths

from grokviz.errors import InputError
from grokviz.media import typefaces
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent
from grokviz.scene.timeline import Turn
from grokviz.tasks.any.steps import component_shares

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


ROOM = 1.26
"""So many times as long as the path its axes are."""

OUT = 100_000
"""What a place costs that is outside the axes, or where another text is."""

SPRINT = 2.0
"""Weights sprint that are so many times as fast as later."""

BEND = 45.0
"""They turn that go on in a direction so many degrees from that until then."""


@dataclass(frozen=True)
class WeightPath(Scene):
    """The path of all weights in the plane of its two widest directions."""

    name = "path"
    title = "Two directions hold most of the path through weight space"
    watch = "Each dot is all weights at one checkpoint, seen in the plane that holds the most"
    source = "arXiv:1712.09913, section 7; random walks: arXiv:1806.08805"
    needs = ("whole_plane", "whole_component_share", "step_size")
    wishes = LOSSES
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
        """How the weights go on once they have memorised; else the share of the plane.

        Of a plane that holds no more than half, or than of a random walk, nothing else is said.
        """
        training, walk = (float(one[:2].sum()) for one in (_shares(data), walk_shares(data)))
        numbers = {"training": training, "walk": walk}
        share, walked = percent(training), percent(walk)
        watch = f"A random walk of as many steps would have {walked} in its plane"
        watch = watch if self.walk else self.watch
        if not training > max(0.5, walk):
            most = ", no more than of a random walk" if training > 0.5 else " at most"
            return Claim.instead(f"A plane holds {share} of it{most}", watch, **numbers)
        speed, bend = _memorising(data, turns_of(data, self.clock))
        words = {
            (True, True): "The weights sprint to memorising, then turn and slow down",
            (True, False): "The weights sprint to memorising, then slow down",
            (False, True): "Once they have memorised, the weights turn",
        }.get((speed >= SPRINT, bend >= BEND))
        if words is None:
            words = f"A plane holds {share} of the weights' path through training"
            return Claim(words, watch, numbers=numbers)
        watch = f"Each dot is a checkpoint. This plane holds {share} of the path's variance"
        watch += f"; a random walk's would hold {walked}" if self.walk else ""
        return Claim(words, watch, numbers={**numbers, "speed": speed, "turn": bend})

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
            "holds much too, and in which it turns (Antognini and Sohl-Dickstein, 2018, "
            "arXiv:1806.08805). Shares of the path are of its length in all dimensions."
        ) + rules_of(data, self.clock)


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
    turns = turns_of(data, WeightPath.clock)
    words, names = _named(axes, data, points, turns)
    # no epoch stands where the name of a turn does
    taken = [np.array([axes.get_xlim()[0], axes.get_ylim()[0]]) / span + name for name in names]
    for i, texts in epochs_beside(axes, points, epochs, clocks.word(data), taken, ends=True):
        tick = axes.plot(
            *points[i], "o", color=colours.ink, ms=0.3 * current_style.points, mew=0, zorder=5
        )
        words.append((i, [*tick, *texts]))

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


def _nearest(epochs: np.ndarray, turn: Turn) -> int:
    """The checkpoint nearest to a turn."""
    return int(np.abs(epochs - turn.at).argmin())


def _covered(data: xr.Dataset) -> np.ndarray:
    """The share of the path's length, in all dimensions, that is covered by each checkpoint."""
    squares = np.square(np.nan_to_num(data["step_size"].values.astype(float))).sum(axis=1)
    way = np.cumsum(np.sqrt(squares))
    share: np.ndarray = way / max(way[-1], 1e-300)
    return share


def _memorising(data: xr.Dataset, turns: list[Turn]) -> tuple[float, float]:
    """How many times as fast the weights go until they have memorised as from then on, and by how
    many degrees they turn there in the plane; 0 of a run that did not memorise.
    """
    points, epochs = data["whole_plane"].values.astype(float), data["step_epoch"].values
    at = next((_nearest(epochs, turn) for turn in turns if turn.name == "memorised"), 0)
    if not 0 < at < len(points) - 1:
        return 0.0, 0.0
    covered, time = float(_covered(data)[at]), _time(epochs, epochs[at])
    one, other = points[at] - points[0], points[-1] - points[at]
    size = float(np.hypot(*one) * np.hypot(*other))
    if not (size > 0 and covered < 1):
        return 0.0, 0.0
    cosine = float(np.clip(one @ other / size, -1, 1))
    speed = (covered / time) / ((1 - covered) / (1 - time))
    return speed, float(np.degrees(np.arccos(cosine)))


def _time(epochs: np.ndarray, epoch: float) -> float:
    """The share of training that is over at an epoch."""
    return float((epoch - epochs[0]) / (epochs[-1] - epochs[0]))


def _named(
    axes: Axes, data: xr.Dataset, points: np.ndarray, turns: list[Turn]
) -> tuple[list[tuple[int, list[Any]]], list[np.ndarray]]:
    """A ring on the path at each turn; beside it its name, and how much is over by then.

    With the places that these texts take, in shares of the axes.
    """
    current_style, colours = style(), style().colours
    epochs, covered = data[WeightPath.clock].values, _covered(data)
    wide = not current_style.narrow(axes.figure)
    words: list[tuple[int, list[Any]]] = []
    taken: list[np.ndarray] = []
    for turn in turns:
        i = _nearest(epochs, turn)
        shares = percent(_time(epochs, turn.at)), percent(np.interp(turn.at, epochs, covered))
        told = f"{turn.name}\n{shares[0]} of training, {shares[1]} of the path"
        told = told if wide else turn.name.replace("loss ", "loss\n")
        ring = axes.plot(
            *points[i], "o", ms=0.85 * current_style.points, mfc=colours.background,
            mec=turn.colour, zorder=6, mew=0.16 * current_style.points,
        )  # fmt: skip
        text = current_style.label(
            axes, *points[i], told, color=colours.words(turn.colour), zorder=6, linespacing=1.15,
        )  # fmt: skip
        taken += _beside(axes, text, points, i, taken)
        words.append((i, [*ring, text]))
    return words, taken


def _beside(
    axes: Axes, text: Any, points: np.ndarray, i: int, taken: list[np.ndarray]
) -> list[np.ndarray]:
    """Put the text beside a checkpoint where least of the path runs; the places that it takes."""
    em = style().pixels(axes, style().small)
    lines = text.get_text().split("\n")
    size = np.array([max(map(typefaces.width, lines)) + 0.4, 1.25 * len(lines)]) * em
    room, inverse = axes.bbox, axes.transAxes.inverted()
    share = np.linspace(0, 1, 20)[:, None, None]
    way = axes.transData.transform(((1 - share) * points[:-1] + share * points[1:]).reshape(-1, 2))
    at = axes.transData.transform(points[i])
    others = axes.transAxes.transform(np.array(taken).reshape(-1, 2))
    # beside it, rather on the outer side, then above or below there, then above or below
    out = 1 if at[0] >= way[:, 0].mean() else -1
    places = ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1))
    ways = [(out * x, y) for x, y in places]
    costs, centres = [], []
    for x, y in ways:
        away = np.array([x, y]) * (1.3 * em + size / 2) * (1, 1 if not x else 0.75)
        centre = at + away
        inside = (np.abs(way - centre) < size / 2 + 0.5 * em).all(axis=1).sum()
        over = (np.abs(others - centre) < size / 2 + em).all(axis=1).any()
        off = centre - size / 2 < (room.x0, room.y0)
        off |= centre + size / 2 > (room.x1, room.y1)
        costs.append(int(inside) + OUT * (bool(off.any()) + bool(over)))
        centres.append(centre)
    best = int(np.argmin(costs))
    side = ways[best][0]
    text.set(ha=("center", "left", "right")[side], va="center")
    edge = centres[best] - (side * (size[0] / 2 - 0.2 * em), 0)
    text.set_position(axes.transData.inverted().transform(edge))
    across = np.linspace(-0.5, 0.5, 7)[:, None] * size * (1, 0)
    return [inverse.transform(centres[best] + one) for one in across]
