"""What moves when: a dot where half of a tensor's movement is over, the earliest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._spoken import spoken
from grokviz.scenes.any._turns import LOSSES, rules_of, turns_of

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.timeline import Turn, Turns

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 18
"""So many rows have room for their names."""

APART = 2.0
"""Tensors move at times of their own where one is so many times as late as another at half way; a
turn is long after the last of them from so many times its epoch on.
"""

EARLY = 1.5
"""A logarithmic axis begins before the first mark, by at least this factor."""

BESIDE = 0.7
"""From so far along the axis on a number stands at the left of its dot."""

GAP = 0.16
"""How opaque the shade between the last dot and the turn is."""

BEFORE = {"generalised": "the run generalises", "test loss halved": "the test loss halves"}
"""Turns that the dots are compared with, as a sentence says them."""


@dataclass(frozen=True)
class Tensors(Scene):
    """A row for each tensor, with a dot where half of its movement is over."""

    name = "tensors"
    title = "Every part of the network moves at a time of its own"
    watch = "Dots: when half of a part's total movement is over"
    source = "after arXiv:1712.09913, section 7"
    needs = ("step_size", "start_distance")
    wishes = LOSSES
    reference = "modular-addition-59"
    clock = "step_epoch"
    aspect = 1.8
    narrow_aspect = 0.8

    tensors: str = option("*", "names of tensors, or patterns such as '*attn*', with commas")
    time: Literal["log", "linear"] = option("log", "how epochs are spaced")
    order: Literal["time", "model"] = option(
        "time", "rows by when they are half way, or from the input to the output"
    )

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a tensor moves."""
        super().check(data)
        if not (data["step_size"].values > 0).any():
            raise InputError(
                f"{cls.name} draws how tensors move from checkpoint to checkpoint, and none of "
                "this run moves; record or import checkpoints that differ"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """Whether all are half done long before the run turns; if not, which is first and last."""
        rows, word = self._rows(data), clocks.word(data)
        half = half_way(self._sizes(data, rows), data["step_epoch"].values)
        moving = np.flatnonzero(np.isfinite(half))
        if moving.size < 2:
            at = f"{word} {half[moving[0]]:,.0f}"
            return Claim.instead(f"Half of the movement of {rows.names[moving[0]]} is over by {at}")
        first, last = moving[half[moving].argmin()], moving[half[moving].argmax()]
        numbers = {"first": float(half[first]), "last": float(half[last])}
        later = _later(turns_of(data, self.clock), half)
        if later is not None and later.at >= APART * half[last]:
            words = f"Every part is half done moving long before {BEFORE[later.name]}"
            return Claim(words, self.watch, numbers=numbers | {"turn": float(later.at)})
        watch = self.watch
        if later is not None:
            watch = f"{watch}, always before {BEFORE[later.name]}"
        if not half[last] >= APART * half[first] > 0:
            words = "All parts of the network are half done at nearly the same time"
            return Claim.instead(words, watch, **numbers)
        one, other = spoken(rows.names[first]), spoken(rows.names[last])
        words = f"The first part half done is {one}, the last {other}"
        return Claim(words, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The rows with their names at the left, and when the first and the last are half way."""
        rows, narrow = self._rows(data), style().narrow(figure)
        names = rows.names
        if not narrow:
            names = [spoken(name).removeprefix("the ") for name in names]
        left = 0.55 * max(map(len, names)) + 1.6
        turns = turns_of(data, self.clock)
        (axes,), *_ = style().panels(
            figure, left=left, right=2.2, top=2.2 if turns else 1.0, bottom=3.2
        )
        epochs = data["step_epoch"].values.astype(float)
        half = half_way(self._sizes(data, rows), epochs)
        marks = [*half[np.isfinite(half)], *(turn.at for turn in turns)]
        moments = _begun(tensors.Moments.of(epochs, log=self.time == "log"), min(marks))
        self._frame(axes, names, data, moments)
        word = "" if narrow else clocks.word(data)
        dots = _half_ways(axes, half, epochs, word)
        later = _later(turns, half)
        if later is not None:
            dots = Drawing.of(dots, _gap(axes, (float(np.nanmax(half)), later), epochs))
        if word:
            turns = [
                turn._replace(name=f"{turn.name}, {word} {turn.at:,}") if turn == later else turn
                for turn in turns
            ]
        marker = panels.Marker.draw(axes)
        time = Drawing([marker.line], lambda i: marker.update(max(epochs[i], moments.left)))
        return Drawing.of(Turns(axes, data, self.clock, at=turns), dots, time)

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: half of a way is half of all of it."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """How far each has come at that moment."""
        rows = self._rows(data)
        sizes = self._sizes(data, rows)
        gone = np.nancumsum(np.nan_to_num(sizes), axis=0)
        told = [
            f"{name} {100 * one[i] / one[-1]:.0f}%" if one[-1] > 0 else f"{name} does not move"
            for name, one in zip(rows.names, gone.T, strict=True)
        ]
        at = clocks.at(data, self.clock, i)
        return f"A row for each tensor. At {at} of their movement is over: {', '.join(told)}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        order = "from the first to be half way" if self.order == "time" else "from the input"
        return (
            f"Rows, {order}: a dot is where half of the length of a tensor's path through weight "
            "space is behind it, so that detours count. Tensors of a part are one row where they "
            "are many. Distances after Li et al. (2018), arXiv:1712.09913."
        ) + rules_of(data, self.clock)

    def _rows(self, data: xr.Dataset) -> tensors.Rows:
        rows = tensors.rows_of(data, self.tensors, MOST)
        if self.order == "model":
            return rows
        half = half_way(self._sizes(data, rows), data["step_epoch"].values)
        order = np.argsort(half, kind="stable")
        return tensors.Rows([rows.names[k] for k in order], [rows.members[k] for k in order])

    def _sizes(self, data: xr.Dataset, rows: tensors.Rows) -> np.ndarray:
        return tensors.together(data["step_size"].values, rows)

    def _frame(
        self, axes: Axes, names: list[str], data: xr.Dataset, moments: tensors.Moments
    ) -> None:
        moments.frame(axes, clocks.word(data))
        axes.set(ylim=(len(names) - 0.5, -0.5), yticks=range(len(names)))
        axes.set_yticklabels(names, fontsize=style().small)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False)
        axes.spines["left"].set_visible(False)


def half_way(sizes: np.ndarray, epochs: np.ndarray) -> np.ndarray:
    """The epoch by which half of each row's way is gone; NaN of one that does not move."""
    gone = np.nancumsum(np.nan_to_num(sizes), axis=0)
    half = np.full(sizes.shape[1], np.nan)
    for k, way in enumerate(gone.T):
        if way[-1] > 0:
            after = int(np.searchsorted(way, way[-1] / 2))
            part = (way[-1] / 2 - way[after - 1]) / (way[after] - way[after - 1])
            half[k] = epochs[after - 1] + part * (epochs[after] - epochs[after - 1])
    return half


def _begun(moments: tensors.Moments, first: float) -> tensors.Moments:
    """The same on a logarithmic axis that begins at a round number a little before ``first``."""
    if not moments.log:
        return moments
    round_ones = [n * 10.0**k for k in range(8) for n in (1, 2, 5)]
    left = max((one for one in round_ones if EARLY * one <= first), default=moments.left)
    if left <= moments.left:
        return moments
    return tensors.Moments.of(np.maximum(moments.x, left), log=True)


def _later(turns: list[Turn], half: np.ndarray) -> Turn | None:
    """The turn of the test loss, if every row that moves is half way before it."""
    later = [turn for turn in turns if turn.name in BEFORE]
    return later[0] if later and np.nanmax(half) < later[0].at else None


def _gap(axes: Axes, ends: tuple[float, Turn], epochs: np.ndarray) -> Drawing:
    """The time between the last dot and a turn, shaded."""
    left, turn = ends
    band = axes.axvspan(left, turn.at, color=turn.colour, alpha=GAP, lw=0, zorder=0.5)

    def update(i: int) -> None:
        right = turn.at if style().ghost else min(float(epochs[i]), turn.at)
        band.set_width(max(right - left, 0.0))

    return Drawing([band], update)


def _half_ways(axes: Axes, half: np.ndarray, epochs: np.ndarray, word: str) -> Drawing:
    """Dots where half of the rows' movement is over, the first and the last with its number.

    Each is on a line across its whole row, and comes at its moment, faint before that in stills.
    """
    moving, ghost = np.flatnonzero(np.isfinite(half)), style().ghost
    ends = {int(moving[half[moving].argmin()]), int(moving[half[moving].argmax()])}
    for k, name in enumerate(axes.get_yticklabels()):
        axes.axhline(k, color=style().colours.rest, lw=0.4 * style().line, zorder=1)
        name.set_color(style().colours.ink if k in ends else style().colours.muted)
        name.set_fontweight("bold" if k in ends else "normal")
    drawn = [
        (float(half[k]), _dot(axes, (float(half[k]), k), k in ends, word)) for k in map(int, moving)
    ]

    def update(i: int) -> None:
        for at, parts in drawn:
            for part in parts:
                part.set_visible(ghost or bool(epochs[i] >= at))
                part.set_alpha(1.0 if epochs[i] >= at else 0.3)

    return Drawing([part for _, parts in drawn for part in parts], update)


def _dot(axes: Axes, at: tuple[float, int], strong: bool, word: str) -> list[Any]:
    """A dot, which has its number if it is strong."""
    current_style, colours = style(), style().colours
    colour, size = colours.ink if strong else colours.muted, current_style.points
    place = max(at[0], axes.get_xlim()[0]), at[1]
    (dot,) = axes.plot(
        *place, "o", color=colour, ms=(0.7 if strong else 0.5) * size, mew=0, zorder=6,
        clip_on=False,
    )  # fmt: skip
    if not strong:
        return [dot]
    across = axes.transAxes.inverted().transform(axes.transData.transform(place))[0]
    side = 1 if across < BESIDE else -1
    # lifted by next to nothing, so that it can stand beside its dot by ems
    number = current_style.label(
        axes, *place, f"{word} {at[0]:,.0f}".strip(), lift=0.01, va="center_baseline",
        color=colour, ha="left" if side > 0 else "right", zorder=7,
    )  # fmt: skip
    number.set_position((0.7 * side * current_style.small, 0))
    return [dot, number]
