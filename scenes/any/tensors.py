"""What moves when: every tensor's way through training as a ribbon, the earliest first."""

from __future__ import annotations

from collections.abc import Iterable
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

WORDS = {
    "embed": "embedding", "pos_embed": "positions", "attn": "attention", "mlp": "MLP",
    "unembed": "unembedding",
}  # fmt: skip
"""What parts of the published model are called."""


@dataclass(frozen=True)
class Tensors(Scene):
    """A ribbon for each tensor: when it moves how much, and a dot where it is half way."""

    name = "tensors"
    title = "Every part of the network moves at a time of its own"
    watch = "thickness: share of its movement per doubling of the epoch; dot: half of it done"
    source = "after arXiv:1712.09913, section 7"
    needs = ("step_size", "start_distance")
    reference = "modular-addition-59"
    clock = "step_epoch"
    aspect = 1.8
    narrow_aspect = 0.8

    tensors: str = option("*", "names of tensors, or patterns such as '*attn*', with commas")
    time: Literal["log", "linear"] = option("log", "how epochs are spaced")
    order: Literal["time", "model"] = option(
        "time", "ribbons by when they are half way, or from the input to the output"
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
        watch = f"thickness: share of its movement per {self._unit(data)}; dot: half of it done"
        if not half[last] >= APART * half[first] > 0:
            return Claim.instead(
                f"All are half way between {word}s {half[first]:,.0f} and {half[last]:,.0f}",
                watch, **numbers,
            )  # fmt: skip
        return Claim(
            f"{rows.names[first]} moves first, {rows.names[last]} last: "
            f"half way by {word}s {half[first]:,.0f} and {half[last]:,.0f}", watch, numbers=numbers,
        )  # fmt: skip

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The ribbons, their names at the left, and when they are half way at the right."""
        rows = self._rows(data)
        left = 0.58 * max(map(len, rows.names)) + 1.6
        parts, tints = tensors.parts_of(rows, data), self._tints(data)
        legend = _legend(tints, style().ems(figure)[0] - left - 6.6)
        (axes,), *_ = style().panels(
            figure, left=left, right=6.6, top=2.4 + 0.5 * (len(legend) > 1), bottom=3.2
        )
        moments = tensors.Moments.of(data["step_epoch"].values, log=self.time == "log")
        self._frame(axes, rows, data, moments)
        sizes, colours = self._sizes(data, rows), [tints[part] for part in parts]
        if legend and len(tints) < len(parts):
            _name_parts(axes, legend, tints)
            for label, colour in zip(axes.get_yticklabels(), colours, strict=True):
                label.set_color(colour)
        else:
            colours = [style().colours.frequencies[0]] * len(parts)
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
        order = "from the first to be half way" if self.order == "time" else "from the input"
        return (
            f"Ribbons, {order}: of the length of each tensor's path through weight space the share "
            f"that falls on a {self._unit(data)}, so that all ribbons have one area; the number at "
            "the end is when half of the path is done. Tensors of a part are one ribbon where they "
            "are many. Distances after Li et al. (2018), arXiv:1712.09913."
        )

    def _unit(self, data: xr.Dataset) -> str:
        """What a share of a path is told per."""
        word = clocks.word(data)
        return f"doubling of the {word}" if self.time == "log" else word

    def _rows(self, data: xr.Dataset) -> tensors.Rows:
        rows = tensors.rows_of(data, self.tensors, MOST)
        if self.order == "model":
            return rows
        half = half_way(self._sizes(data, rows), data["step_epoch"].values)
        order = np.argsort(half, kind="stable")
        return tensors.Rows([rows.names[k] for k in order], [rows.members[k] for k in order])

    def _tints(self, data: xr.Dataset) -> dict[str, Any]:
        """The colour of each part, from the input to the output."""
        rows = tensors.rows_of(data, self.tensors, MOST)
        parts = tensors.parts_of(rows, data)
        return dict(zip(parts, tensors.colours_of(rows, data), strict=True))

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

    steps = np.nan_to_num(sizes[1:])
    way = steps.sum(axis=0)
    share = np.divide(steps, way, out=np.zeros_like(steps), where=way > 0)
    speed = share / moments.width[:, None]
    thick = HALF * speed / max(float(speed.max()), 1e-30)
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


def _legend(parts: Iterable[str], room: float) -> list[list[str]]:
    """Names of parts in lines of so many ems; none where one alone is left, or they do not fit."""
    lines: list[list[str]] = [[]]
    for part in parts:
        if lines[-1] and sum(_wide(one) for one in (*lines[-1], part)) > room:
            lines.append([])
        lines[-1].append(part)
    fits = len(lines) < 3 and max(sum(map(_wide, line)) for line in lines) <= room
    return lines if fits and sum(map(len, lines)) > 1 else []


def _wide(part: str) -> float:
    """Room for the name of a part, in ems."""
    return 0.68 * len(_word(part)) + 1.3


def _word(part: str) -> str:
    """What a part is called: all but the numbers of blocks where these have one."""
    return WORDS.get(part.rsplit(".", 1)[-1], part)


def _name_parts(axes: Axes, legend: list[list[str]], colours: dict[str, Any]) -> None:
    """What the colours mean, above the ribbons."""
    current_style = style()
    em = current_style.pixels(axes, current_style.small) / axes.bbox.width
    for n, line in enumerate(reversed(legend)):
        at = 0.0
        for part in line:
            current_style.note(
                axes, _word(part), (at, 1), (0, 0.45 + 1.35 * n), fontweight="bold",
                color=colours[part],
            )  # fmt: skip
            at += _wide(part) * em


def _half_ways(axes: Axes, half: np.ndarray, data: xr.Dataset, moments: tensors.Moments) -> Drawing:
    """A dot on each ribbon where half of its way is gone, and the epoch at its right.

    A line along dots that are in order.
    """
    current_style, colours = style(), style().colours
    epochs = data["step_epoch"].values
    size = current_style.points * 0.45
    (way,) = axes.plot([], [], color=colours.ink, lw=0.35 * current_style.line, zorder=5)
    places = np.column_stack([np.maximum(half, moments.left), np.arange(len(half))])
    marks: list[tuple[float, list[Any]]] = []
    head = current_style.note(
        axes, f"half by\n{clocks.word(data)}", (1, 1), (0.6, 0.35), ha="left", va="bottom",
        linespacing=1.0, color=colours.muted,
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
    linked = bool((np.diff(half[np.isfinite(half)]) >= 0).all())
    way.set_visible(linked)
    way.set_data(*places[np.isfinite(half)].T)
    if current_style.ghost:
        return Drawing()

    def update(i: int) -> None:
        way.set_data(*places[half <= epochs[i]].T)
        head.set_visible(any(epochs[i] >= at for at, _ in marks))
        for at, artists in marks:
            for artist in artists:
                artist.set_visible(bool(epochs[i] >= at))

    return Drawing([head, way, [artists for _, artists in marks]], update)
