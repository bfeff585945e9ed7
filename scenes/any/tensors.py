"""What moves when: every tensor's row lights up as it covers its path, the earliest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._spoken import sentence, spoken
from grokviz.scenes.any._turns import LOSSES, rules_of, turns_of

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.timeline import Turns

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 18
"""So many rows have room for their names."""

APART = 2.0
"""Tensors move at times of their own where one is so many times as late as another at half way."""

THICK = 0.8
"""Height of a row's light, in rows."""

BEFORE = {"generalised": "the run generalises", "test loss halved": "the test loss halves"}
"""Turns that the dots are compared with, as a sentence says them."""

COLUMNS = 600
"""Into so many places the axis of time is divided."""

STEEP = 0.5
"""Power by which the light grows from half of the way on: below 1, so that half is seen."""


@dataclass(frozen=True)
class Tensors(Scene):
    """A row for each tensor, as bright as the share of its path that is over; half with a dot."""

    name = "tensors"
    title = "Every part of the network moves at a time of its own"
    watch = "Colour: how much of its path a part has covered; dots: half of it"
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
        """Which row has covered half of its path first, and which last."""
        rows, word = self._rows(data), clocks.word(data)
        half = half_way(self._sizes(data, rows), data["step_epoch"].values)
        moving = np.flatnonzero(np.isfinite(half))
        if moving.size < 2:
            at = f"{word} {half[moving[0]]:,.0f}"
            return Claim.instead(f"{rows.names[moving[0]]} has covered half of its path by {at}")
        first, last = moving[half[moving].argmin()], moving[half[moving].argmax()]
        numbers = {"first": float(half[first]), "last": float(half[last])}
        if not half[last] >= APART * half[first] > 0:
            words = "All parts of the network are half way at nearly the same time"
            return Claim.instead(words, self.watch, **numbers)
        one, other = spoken(rows.names[first]), spoken(rows.names[last])
        # a name of the user's is not written with a capital
        begin = sentence(one) if one != rows.names[first] else f"Of all parts {one}"
        watch = self.watch
        # after memorising: when it generalised, or its test loss halved
        later = [turn for turn in turns_of(data, self.clock) if turn.name in BEFORE]
        if later and half[last] < later[0].at:
            watch = f"{watch}, always before {BEFORE[later[0].name]}"
        return Claim(f"{begin} moves first, {other} last", watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The rows, their names at the left, and when they are half way at the right."""
        rows = self._rows(data)
        names = rows.names
        if not style().narrow(figure):
            names = [spoken(name).removeprefix("the ") for name in names]
        left = 0.55 * max(map(len, names)) + 1.6
        turns = turns_of(data, self.clock)
        (axes,), *_ = style().panels(
            figure, left=left, right=6.0, top=3.1 if turns else 2.0, bottom=3.2
        )
        moments = tensors.Moments.of(data["step_epoch"].values, log=self.time == "log")
        self._frame(axes, names, data, moments)
        sizes, epochs = self._sizes(data, rows), data["step_epoch"].values.astype(float)
        lights = _lights(axes, moments, epochs, _gone(sizes))
        head = style().note(
            axes, f"half by {clocks.word(data)}", (1, 1), (3.2, 1.6 if turns else 0.5),
            ha="right", va="bottom", color=style().colours.muted,
        )  # fmt: skip
        dots = _half_ways(axes, half_way(sizes, epochs), moments, head, epochs)
        marker = panels.Marker.draw(axes)
        time = Drawing([marker.line], lambda i: marker.update(max(epochs[i], moments.left)))
        lines = Turns(axes, data, self.clock, at=turns)
        for _, line, _ in lines.marks:
            line.set_zorder(4)  # over the rows
        return Drawing.of(lights, lines, dots, time)

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
        return f"A row for each tensor. At {at} they have gone of their ways: {', '.join(told)}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        order = "from the first to be half way" if self.order == "time" else "from the input"
        return (
            f"Rows, {order}: of the length of each tensor's path through weight space the share "
            "that is gone, from the ground's colour to the strongest, which change most about the "
            "half; the number at the end is when half of the path is gone. Tensors of a part are "
            "one row where they are many. Distances after Li et al. (2018), arXiv:1712.09913."
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


def _gone(sizes: np.ndarray) -> np.ndarray:
    """The share of each row's way that is gone; 0 throughout of one that does not move."""
    gone = np.nancumsum(np.nan_to_num(sizes), axis=0)
    share: np.ndarray = np.divide(gone, gone[-1], out=np.zeros_like(gone), where=gone[-1] > 0)
    return share


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


def _light(share: np.ndarray) -> np.ndarray:
    """How bright a share of a way is: dark before its half, light after it."""
    past = 2 * share - 1
    light: np.ndarray = (1 + np.sign(past) * np.abs(past) ** STEEP) / 2
    return light


def _lights(axes: Axes, moments: tensors.Moments, epochs: np.ndarray, gone: np.ndarray) -> Drawing:
    """Rows as bright as what is gone of their ways, up to the moment; the rest faint in stills."""
    space = np.geomspace if moments.log else np.linspace
    edges = space(moments.left, moments.right, COLUMNS + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    # at half of the first checkpoint stands epoch 0
    clock = moments.x if moments.zero else epochs
    shares = np.stack([_light(np.interp(middle, clock, one)) for one in gone.T])
    # between two rows is a strip of none
    rows = np.repeat(shares, 2, axis=0)[:-1]
    rows[1::2] = np.nan
    ends = np.arange(len(shares))[:, None] + (-THICK / 2, THICK / 2)
    look: dict[str, Any] = {
        "cmap": colour_map(style().colours.sequential), "vmin": 0, "vmax": 1, "lw": 0,
        "rasterized": True, "antialiased": False,
    }  # fmt: skip
    if style().ghost:
        axes.pcolormesh(edges, ends.ravel(), rows, alpha=0.3, zorder=2, **look)
    past = axes.pcolormesh(edges, ends.ravel(), np.full_like(rows, np.nan), zorder=3, **look)

    def update(i: int) -> None:
        past.set_array(np.where(middle <= moments.x[i], rows, np.nan))

    return Drawing([past], update)


def _half_ways(
    axes: Axes, half: np.ndarray, moments: tensors.Moments, head: Any, epochs: np.ndarray
) -> Drawing:
    """Dots where half of the rows' paths is over, and the epochs at the right below a head."""
    current_style, colours = style(), style().colours
    size = current_style.points * 0.6
    marks: list[tuple[float, list[Any]]] = []
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
