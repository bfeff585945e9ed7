"""What moves when: every tensor's way through training as a ribbon, in the model's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _tensors as tensors

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 18
"""So many ribbons have room for their names."""

APART = 2.0
"""Tensors move at times of their own where one is so many times as late as another at half way."""

HALF = 0.46
"""Half of the height of a ribbon where it is thickest, in rows."""


@dataclass(frozen=True)
class Tensors(Scene):
    """A ribbon for each tensor, whose area is its way, and a dot where it is half way."""

    name = "tensors"
    title = "Every part of the network moves at a time of its own"
    watch = "a ribbon's area is its tensor's way, each to its scale; at the dot half of it is gone"
    source = "after arXiv:1712.09913, section 7"
    needs = ("step_size", "start_distance")
    reference = "modular-addition-59"
    clock = "step_epoch"
    aspect = 1.8
    narrow_aspect = 0.8

    tensors: str = option("*", "names of tensors, or patterns such as '*attn*', with commas")
    time: Literal["log", "linear"] = option("log", "how epochs are spaced")

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
        """Which row has gone half of its way first, and which last."""
        rows, word = self._rows(data), clocks.word(data)
        half = half_way(self._sizes(data, rows), data["step_epoch"].values)
        moving = np.flatnonzero(np.isfinite(half))
        if moving.size < 2:
            return Claim.instead(
                f"{rows.names[moving[0]]} has gone half of its way by {word} {half[moving[0]]:,.0f}"
            )
        first, last = moving[half[moving].argmin()], moving[half[moving].argmax()]
        numbers = {"first": float(half[first]), "last": float(half[last])}
        if not half[last] >= APART * half[first] > 0:
            return Claim.instead(
                f"All are half way between {word}s {half[first]:,.0f} and {half[last]:,.0f}",
                self.watch, **numbers,
            )  # fmt: skip
        return Claim(
            f"{rows.names[first]} is half way by {word} {half[first]:,.0f}, "
            f"{rows.names[last]} by {half[last]:,.0f}", self.watch, numbers=numbers,
        )  # fmt: skip

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The ribbons, their names at the left, and when they are half way at the right."""
        rows = self._rows(data)
        longest = max(map(len, rows.names))
        axes = style().panels(figure, left=0.58 * longest + 1.6, right=6.6, top=2.4, bottom=3.2)[0][
            0
        ]
        moments = tensors.Moments.of(data["step_epoch"].values, log=self.time == "log")
        self._frame(axes, rows, data, moments)
        sizes, colours = self._sizes(data, rows), tensors.colours_of(rows, data)
        ribbons = _ribbons(axes, moments, sizes, colours)
        dots = _half_ways(axes, half_way(sizes, data["step_epoch"].values), data, moments)
        marker = panels.Marker.draw(axes)
        at = data["step_epoch"].values.astype(float)
        time = Drawing([marker.line], lambda i: marker.update(max(at[i], moments.left)))
        return Drawing.of(ribbons, dots, time)

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
        return f"A ribbon for each tensor. At {at} they have gone of their ways: {', '.join(told)}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        axis = "doubling of the epoch" if self.time == "log" else "epoch"
        return (
            "Ribbons, from the input to the output: the length of each tensor's path through "
            f"weight space per {axis}, each to its own scale, so that its area is its way; the "
            "number at its end is when half of it is gone. Tensors of a part are one ribbon where "
            "they are many. Distances after Li et al. (2018), arXiv:1712.09913."
        )

    def _rows(self, data: xr.Dataset) -> tensors.Rows:
        return tensors.rows_of(data, self.tensors, MOST)

    def _sizes(self, data: xr.Dataset, rows: tensors.Rows) -> np.ndarray:
        return tensors.together(data["step_size"].values, rows)

    def _frame(
        self, axes: Axes, rows: tensors.Rows, data: xr.Dataset, moments: tensors.Moments
    ) -> None:
        current_style = style()
        moments.frame(axes, clocks.word(data))
        axes.set(
            ylim=(len(rows.names) - 0.4, -0.6), yticks=range(len(rows.names)),
        )  # fmt: skip
        axes.set_yticklabels(rows.names, fontsize=current_style.small)
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


def _ribbons(
    axes: Axes, moments: tensors.Moments, sizes: np.ndarray, colours: list[Any]
) -> Drawing:
    """What is gone of each ribbon strong, and the whole of it faint in stills."""
    from matplotlib.collections import PolyCollection

    speed = np.nan_to_num(sizes[1:]) / moments.width[:, None]
    top = speed.max(axis=0)
    thick = HALF * np.divide(speed, top, out=np.zeros_like(speed), where=top > 0)
    # a tensor that rests is a thin line
    thick = np.maximum(np.vstack([thick[:1], thick]), 0.012)

    def outlines(stop: int) -> list[np.ndarray]:
        x = moments.x[:stop]
        return [
            np.column_stack([
                np.concatenate([x, x[::-1]]),
                np.concatenate([k - half[:stop], k + half[:stop][::-1]]),
            ])
            for k, half in enumerate(thick.T)
        ]  # fmt: skip

    if style().ghost:
        axes.add_collection(
            PolyCollection(outlines(len(moments.x)), facecolors=colours, alpha=0.3, lw=0, zorder=2)
        )
    past = PolyCollection(outlines(1), facecolors=colours, lw=0, zorder=3)
    axes.add_collection(past, autolim=False)
    return Drawing([past], lambda i: past.set_verts(outlines(i + 1)))


def _half_ways(axes: Axes, half: np.ndarray, data: xr.Dataset, moments: tensors.Moments) -> Drawing:
    """A dot on each ribbon where half of its way is gone, and the epoch at its right."""
    current_style, colours = style(), style().colours
    epochs = data["step_epoch"].values
    size = current_style.points * 0.36
    marks: list[tuple[float, list[Any]]] = []
    head = current_style.note(
        axes, "half way\nby", (1, 1), (0.6, 0.35), ha="left", va="bottom", linespacing=1.0,
        color=colours.muted,
    )  # fmt: skip
    for k, at in enumerate(half):
        if not np.isfinite(at):
            continue
        dot = axes.plot(
            max(at, moments.left), k, "o", color=colours.ink, ms=size, zorder=6,
            mec=colours.background, mew=0.25 * size,
        )  # fmt: skip
        text = axes.annotate(
            f"{at:,.0f}", (1, k), (0.6 * current_style.small, 0), va="center", ha="left",
            xycoords=("axes fraction", "data"), textcoords="offset points",
            fontsize=current_style.small, color=colours.ink,
        )  # fmt: skip
        marks.append((at, [*dot, text]))
    if current_style.ghost:
        return Drawing()

    def update(i: int) -> None:
        head.set_visible(any(epochs[i] >= at for at, _ in marks))
        for at, artists in marks:
            for artist in artists:
                artist.set_visible(bool(epochs[i] >= at))

    return Drawing([head, [artists for _, artists in marks]], update)
