"""How much of the way of the weights training covers when."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._glow import Glow
from grokviz.scenes.any._spoken import spoken

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 6
"""So many parts of the model have a line with a name."""

EARLY = 0.25
"""Steps become smaller where half of the way is gone before this share of the time."""

BEND = 40
"""Points of a strand between two levels."""


@dataclass(frozen=True)
class Steps(Scene):
    """A strand for each checkpoint, from its place in time to its place on the way."""

    name = "steps"
    title = "Half of the weights' journey is over early in training"
    watch = "Each strand leads from a moment, above, to how far the weights have gone by then"
    source = "thread: 'it is NOT a random walk'; arXiv:1712.09913, section 7"
    needs = ("step_size", "step_cosine", "step_whole_cosine", "start_distance")
    reference = "modular-addition-59"
    clock = "step_epoch"
    aspect = 1.8
    narrow_aspect = 0.75

    tensors: str = option("*", "names of tensors, or patterns such as '*attn*', with commas")
    parts: bool = option(
        False, "the way of each part of the model below, as for tensors chosen by name"
    )

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the weights take two steps."""
        super().check(data)
        if not np.isfinite(whole_cosines(data)[0]).any():
            raise InputError(
                f"{cls.name} draws the steps of training and their turns, and the weights of this "
                "run take no two steps; record or import three checkpoints or more that differ"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """When half of the way is over, as a share of the time."""
        half, share = _half(data)
        before, whole = whole_cosines(data)
        numbers = {
            "half": half, "share": share,
            "turn": float(np.degrees(np.arccos(np.nanmedian(before)))),
            "angle": _degrees(whole[np.isfinite(whole)][-1]),
        }  # fmt: skip
        if share <= EARLY:
            sentence = f"Half of the weights' journey is over after {percent(share)} of training"
            return Claim(sentence, self.watch, numbers=numbers)
        sentence = f"Half of the weights' journey takes {percent(share)} of training"
        return Claim.instead(sentence, self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Time above, the way of all weights below, and below that the ways of parts."""
        rows = tensors.rows_of(data, self.tensors, MOST)
        if not self.parts and self.tensors == "*":
            rows = tensors.Rows([], [])
        names = [spoken(name).removeprefix("the ") for name in rows.names]
        ways = [("all weights", _gone(data, None))] * bool(names)
        ways = ways or [("", _gone(data, None))]
        ways += [
            (name, _gone(data, members)) for name, members in zip(names, rows.members, strict=True)
        ]
        right = 0.6 * max(map(len, names), default=0) + (7.0 if names else 2.2)
        (axes,), *_ = style().panels(figure, left=4.2, right=right, top=3.4, bottom=3.4)
        return _strands(axes, data, ways)

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the whole way is that of all of it."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The step that ends at that moment."""
        speed, (last, whole) = _speed(data), whole_cosines(data)
        told = [f"{100 * _gone(data, None)[i]:.3g}% of the way is gone"]
        if np.isfinite(speed[i]):
            told.append(f"the weights move {speed[i]:.3g} per {clocks.word(data)}")
        for cosine, words in ((last, "the step before"), (whole, "the whole way")):
            if np.isfinite(cosine[i]):
                told.append(f"the cosine of their step with {words} is {cosine[i]:.2f}")
        at = clocks.at(data, self.clock, i)
        begin = "How far all weights have gone at each moment, time above, their way below"
        return f"{begin}. Up to {at} {', '.join(told)}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        word = clocks.word(data)
        spacing = f"{np.diff(data['step_epoch'].values[-2:])[0]:g} {word}s"
        return (
            "Strands: from each checkpoint's place in time, above, to the share of the way that "
            "is gone by then, below; marked, half of the way. The way is the sum of the "
            "Euclidean lengths of the changes from checkpoint to checkpoint, so it depends on "
            f"their spacing, here {spacing} at the end. After the thread on Nanda et al. (2023), "
            "arXiv:2301.05217, and Li et al. (2018), arXiv:1712.09913."
        )


def _speed(data: xr.Dataset) -> np.ndarray:
    """Way of all weights per epoch; NaN at the first checkpoint."""
    squares = np.square(data["step_size"].values.astype(float)).sum(axis=1)
    spacing = np.concatenate([[1.0], np.diff(data["step_epoch"].values.astype(float))])
    speed: np.ndarray = np.sqrt(squares) / spacing
    return speed


def _gone(data: xr.Dataset, members: list[int] | None) -> np.ndarray:
    """The share of a way that is gone at each checkpoint: of all weights, or of some tensors."""
    sizes = np.nan_to_num(data["step_size"].values.astype(float))
    sizes = sizes if members is None else sizes[:, members]
    way = np.cumsum(np.sqrt(np.square(sizes).sum(axis=1)))
    share: np.ndarray = way / way[-1] if way[-1] > 0 else way
    return share


def _half(data: xr.Dataset) -> tuple[float, float]:
    """When half of the way of all weights is over: the epoch, and its share of the time."""
    epochs, gone = data["step_epoch"].values.astype(float), _gone(data, None)
    after = int(np.searchsorted(gone, 0.5))
    part = (0.5 - gone[after - 1]) / (gone[after] - gone[after - 1])
    half = epochs[after - 1] + part * (epochs[after] - epochs[after - 1])
    return float(half), float((half - epochs[0]) / (epochs[-1] - epochs[0]))


def _strand(levels: np.ndarray) -> np.ndarray:
    """A smooth line (n, 2) that passes these places, each a level below the one before."""
    share = np.linspace(0, 1, BEND)
    ease = share * share * (3 - 2 * share)
    x = [a + (b - a) * ease for a, b in itertools.pairwise(levels)]
    y = [-n - share for n in range(len(levels) - 1)]
    return np.column_stack([np.concatenate(x), np.concatenate(y)])


def _strands(axes: Axes, data: xr.Dataset, ways: list[tuple[str, np.ndarray]]) -> Drawing:
    """Strands up to the moment, and a wedge of those of the first half of the way."""
    from matplotlib.collections import LineCollection

    current_style, colours = style(), style().colours
    epochs = data["step_epoch"].values.astype(float)
    first, long = epochs[0], epochs[-1] - epochs[0]
    places = np.stack([epochs, *(first + long * gone for _, gone in ways)], axis=1)
    lines = [_strand(one) for one in places]
    half, _ = _half(data)
    middle = _strand(np.array([
        half, *(first + long * float(np.interp(half, epochs, gone)) for _, gone in ways)
    ]))  # fmt: skip
    axes.set(xlim=(epochs[0], epochs[-1]), ylim=(-len(ways), 0))
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    panels.thousands(axes)
    axes.set_xlabel(clocks.word(data))
    axes.set_yticks([])
    axes.grid(visible=False)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("top", "bottom"))
    for level in range(1, len(ways)):
        axes.axhline(-level, color=colours.faint, lw=0.3 * current_style.line, zorder=1)
    scale = colour_map(colours.sequential)
    tints = [scale(t) for t in np.linspace(0.45, 0.9, len(lines))]
    thin = 0.35 * current_style.line
    if current_style.ghost:
        axes.add_collection(LineCollection(lines, colors=tints, linewidths=thin, alpha=0.25))
    past = LineCollection([], colors=tints, linewidths=thin, zorder=3)
    axes.add_collection(past, autolim=False)
    wedge = _wedge(axes, lines[0], middle, epochs, half)
    _ends(axes, ways, (float(epochs[0]), float(epochs[-1])))
    (now,) = axes.plot([], [], color=colours.ink, lw=1.2 * current_style.line, zorder=7)

    def update(i: int) -> None:
        past.set_segments(lines[: i + 1])
        now.set_data(*lines[i].T)

    return Drawing.of(Drawing([past, now], update), wedge)


def _wedge(
    axes: Axes, first: np.ndarray, middle: np.ndarray, epochs: np.ndarray, half: float
) -> Drawing:
    """The strands of the first half of the way as a surface, and its edge with what it is."""
    current_style, gold = style(), style().colours.answer
    surface = axes.fill_betweenx(
        middle[:, 1], first[:, 0], middle[:, 0], color=gold, alpha=0.16, lw=0, zorder=2
    )
    glow = Glow(axes, [gold], 1.3 * current_style.line, zorder=4)
    (edge,) = axes.plot(*middle.T, color=gold, lw=1.3 * current_style.line, zorder=5)
    glow.update([middle])
    share = (half - epochs[0]) / (epochs[-1] - epochs[0])
    above = current_style.label(
        axes, half, 0, f"{percent(share)} of the time", color=gold, ha="left", va="top", zorder=6,
        lift=-0.5,
    )  # fmt: skip
    above.set_position((1.2 * current_style.small, -0.5 * current_style.small))
    below = current_style.label(
        axes, (epochs[0] + middle[-1, 0]) / 2, middle[-1, 1], "half of the journey",
        color=gold, va="bottom", zorder=6, lift=0.6,
    )  # fmt: skip
    parts = [surface, edge, above, below]

    def update(i: int) -> None:
        over = current_style.ghost or bool(epochs[i] >= half)
        for part in [*parts, *glow.moving]:
            part.set_visible(over)

    return Drawing([*glow.moving, *parts], update)


def _ends(axes: Axes, ways: list[tuple[str, np.ndarray]], ends: tuple[float, float]) -> None:
    """Shares of the way below, between these epochs, and at the right whose way each level is."""
    current_style, colours = style(), style().colours
    below: dict[str, Any] = {
        "xycoords": ("data", "axes fraction"), "annotation_clip": False, "color": colours.ink,
    }  # fmt: skip
    marks = ((0.0, "left", "0%"), (0.5, "center", "50%"), (1.0, "right", "100%"))
    for share, side, word in marks:
        at = ends[0] + share * (ends[1] - ends[0])
        current_style.note(axes, word, (at, 0), (0, -1.2), ha=side, **below)
    current_style.note(
        axes, "distance that the weights have gone", ((ends[0] + ends[1]) / 2, 0), (0, -2.5),
        ha="center", fontsize=current_style.points, **below,
    )  # fmt: skip
    for level, (name, _) in enumerate(ways, 1):
        current_style.note(
            axes, name, (1, 1 - level / len(ways)), (0.6, 0), va="center", color=colours.muted
        )


def _degrees(cosine: float) -> float:
    """The angle of a cosine, which may be past 1 by rounding."""
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def whole_cosines(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of the steps of all weights with the step before, and with the whole way; NaN where
    there is none.
    """
    size = data["step_size"].values.astype(float)
    way = data["start_distance"].values.astype(float)[-1]
    whole = np.sqrt(np.square(size).sum(axis=1))
    before = np.concatenate([[np.nan], whole[:-1]])
    # inner products of all weights are the sums of those of the tensors
    last = np.nan_to_num(data["step_cosine"].values.astype(float))[1:] * size[1:] * size[:-1]
    along = np.nan_to_num(data["step_whole_cosine"].values.astype(float)) * size * way
    turns = np.concatenate([[np.nan], np.nansum(last, axis=1)])
    return _ratio(turns, whole * before), _ratio(
        np.nansum(along, axis=1), whole * np.sqrt(np.square(way).sum())
    )


def _ratio(product: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    known = np.isfinite(product) & (lengths > 0)
    return np.clip(
        np.divide(product, lengths, out=np.full(len(lengths), np.nan), where=known), -1, 1
    )
