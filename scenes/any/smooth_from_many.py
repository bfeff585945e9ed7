"""Many small phase changes, averaged: why a large model's loss may look smooth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import THREAD

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

KINDS = {
    "digit": "of one digit of a sum",
    "train": "of a whole run on fresh data",
    "test": "of a whole run on test data",
}

GENTLE = 0.5
"""The mean is smoother where its steepest fall is at most this share of the first curve's."""


@dataclass(frozen=True)
class SmoothFromMany(Scene):
    """Real losses that each fall at once, and the mean of the first 1, 2, ... of them."""

    name = "smooth-from-many"
    title = "One loss drops suddenly, the mean of many smoothly"
    watch = "thin: losses that each fall at once; thick: their mean"
    source = "thread, claim that smooth loss curves are many phase changes; tweet 13"
    needs = (
        "piece_name", "piece_kind", "piece_member", "piece_drop", "piece_loss",
        "mean_steepest_fall",
    )  # fmt: skip
    recipe = "digit-addition"
    reference = "smooth-from-many"
    clock = "count"
    aspect = 2.1
    narrow_aspect = 1.0
    aspects = {"fall": {True: (2.1, 0.72)}}  # noqa: RUF012
    stills = ("last", "8", "1")

    time: Literal["log", "linear"] = option("log", "how steps are spaced")
    drops: bool = option(False, "a mark under each curve where it is below half of its start")
    fall: bool = option(False, "how steep the mean is by how many losses it is of, beside it")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless there are curves of numbers."""
        super().check(data)
        if not np.isfinite(data["piece_loss"].values).all(axis=1).any():
            raise InputError(
                f"{cls.name} averages losses that fall at once, and these runs have none; "
                "give a family of runs that learn something"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """The steepest fall of the mean of all curves, beside that of the first, in colour."""
        falls, count = data["mean_steepest_fall"].values.astype(float), data.sizes["count"]
        alone, mean = float(falls[0]), float(falls[-1])
        numbers = {"alone": alone, "mean": mean, "curves": count}
        watch = f"the {count} losses: {_mix(data, count - 1)}"
        if count < 2 or not alone > 0 or not mean <= GENTLE * alone:
            sentence = (
                f"One loss falls at once by {100 * alone:.0f}% of its start, "
                f"the mean of {count} by {100 * mean:.0f}%"
            )
            return Claim.instead(sentence, watch, **numbers)
        sentence = f"One loss drops suddenly, the mean of {count} smoothly"
        return Claim(sentence, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The curves and their mean, and where asked for the mean's steepest fall beside them."""
        if not self.fall:
            room = style().panels(figure, left=5.0, right=2.0, top=1.2)[0][0]
            self._frame(room, data)
            return _pieces(room, data, drops=self.drops)
        room = {"right": 2.0, "top": 1.2} if style().narrow(figure) else {}
        left, right = style().beside(
            figure, (1.7, 1), (1.2, 1), **{"left": 5.0, "gap": 7.0, "vgap": 5.2, **room}
        )
        self._frame(left, data)
        return Drawing.of(_pieces(left, data, drops=self.drops), _fall(right, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """What has been averaged, where they fell, and how steep the mean is."""
        count = int(data["count"].values[i])
        drop = data["piece_drop"].values[: i + 1]
        fall = data["mean_steepest_fall"].values
        return (
            f"Loss curves as shares of their start over steps on a logarithmic axis, and the mean "
            f"of the first {count}: {_mix(data, i)}. They fall below half between steps "
            f"{drop.min()} and {drop.max()}. The mean falls by at most {percent(fall[i])} of its "
            f"start within a quarter more steps, against {percent(fall[0])} for the first curve "
            "alone."
        )

    def definition(self, data: xr.Dataset) -> str:
        """What the curves are, how they were chosen, and the citation."""
        every = _mix(data, data.sizes["count"] - 1)
        beside = (
            "Right: the largest fall of the mean while the step number grows by 25%. "
            if self.fall
            else ""
        )
        return (
            f"Real loss curves ({every}) as shares of their start, averaged one after another in "
            "an order drawn once: all those of these runs that end below a fifth of their start "
            "and lose half of it within a doubling of the steps; in colour the first. "
            f"{beside}{THREAD}"
        )

    def _frame(self, axes: Axes, data: xr.Dataset) -> None:
        """Axes over steps with room for the marks below."""

        last, highest = data["step"].values[-1], 100 * _largest(data)
        axes.set_xscale(self.time)
        axes.set(
            xlim=(10 if self.time == "log" else 0, max(last, 11)),
            ylim=(-12, max(118, 1.05 * highest)),
        )
        axes.set(xlabel="step", ylabel="loss, share of its start (%)")
        axes.set_yticks([0, 50, 100])
        if self.time == "log":
            panels.decades(axes)
        else:
            panels.thousands(axes)


def _largest(data: xr.Dataset) -> float:
    loss = data["piece_loss"].values.astype(float)
    return float(loss[np.isfinite(loss)].max(initial=1.0))


def _mix(data: xr.Dataset, i: int) -> str:
    """How many curves of each kind are averaged at index ``i``."""
    kinds = data["piece_kind"].values[: i + 1].astype(str)
    counts = {word: int((kinds == kind).sum()) for kind, word in KINDS.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _pieces(axes: Axes, data: xr.Dataset, *, drops: bool) -> Drawing:
    """The curves so far, the newest darker than the rest and before them, and their mean."""
    from matplotlib.collections import LineCollection

    current_style, colours = style(), style().colours
    curves = 100 * data["piece_loss"].values.astype(float)
    means = np.cumsum(curves, axis=0) / np.arange(1, len(curves) + 1)[:, None]
    step, drop = data["step"].values, data["piece_drop"].values
    thin = current_style.line * 0.4
    pieces = LineCollection([], colors=colours.rest, linewidths=thin, zorder=2)
    axes.add_collection(pieces, autolim=False)
    (newest,) = axes.plot([], [], color=colours.muted, lw=2 * thin, zorder=3)
    (mean,) = axes.plot([], [], color=colours.ink, lw=1.5 * current_style.line, zorder=4)
    name = current_style.label(
        axes, step[0], means[0, 0], "mean", lift=-0.4, ha="right", va="top", zorder=5
    )
    colour = colours.frequencies[0]
    axes.plot(step, curves[0], color=colour, lw=current_style.line, zorder=3.5)
    half = _half(curves[0])
    one = current_style.label(
        axes, step[half], curves[0][half], "one\nloss", lift=0.6, ha="left", va="bottom",
        color=colour, zorder=5,
    )  # fmt: skip
    one.set_position((0.4 * current_style.small, one.xyann[1]))
    size = current_style.points * 0.55
    (marks,) = axes.plot([], [], "|", color=colours.muted, ms=size, mew=thin, zorder=3)

    def update(i: int) -> None:
        pieces.set_segments([np.column_stack([step, curve]) for curve in curves[: i + 1]])
        # in a still nothing says that it is the newest
        newest.set_data(step, np.full(len(step), np.nan) if current_style.ghost else curves[i])
        mean.set_data(step, means[i])
        # below the middle of its fall, on the side where it is not
        middle = _half(means[i])
        name.set_visible(i > 0)
        name.xy = step[middle], means[i, middle]
        if drops:
            marks.set_data(drop[: i + 1], np.full(i + 1, -6.0))

    return Drawing([pieces, mean, newest, marks, name], update)


def _half(curve: np.ndarray) -> int:
    """Where a curve is first at half of its start; in the middle for one that never is."""
    below = np.flatnonzero(curve <= curve[0] / 2)
    return int(below[0]) if below.size else len(curve) // 2


def _fall(axes: Axes, data: xr.Dataset) -> Drawing:
    """The steepest fall of the mean by how many curves it is of."""
    from matplotlib.ticker import MaxNLocator

    counts, falls = data["count"].values, 100 * data["mean_steepest_fall"].values.astype(float)
    axes.set(ylim=(0, 1.1 * max(float(np.nan_to_num(falls).max()), 1e-9)), xlabel="losses averaged")
    axes.set(
        xlim=(0, counts[-1] * 1.03),
        ylabel="largest fall of the mean while\nsteps grow by 25% (% of its start)",
    )
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    curve = panels.path(axes, counts, falls, style().colours.ink)
    ink, alone = style().colours.ink, style().colours.frequencies[0]
    first, last = (
        style().label(
            axes, counts[k], falls[k], f"{name}: {falls[k]:.0f}%", lift=0.35, ha=side, va="bottom",
            color=colour, zorder=6,
        )
        for k, side, colour, name in (
            (0, "left", alone, "one loss"), (-1, "right", ink, "mean")
        )
    )  # fmt: skip
    axes.plot(counts[:1], falls[:1], "o", color=alone, ms=0.4 * style().points, mew=0, zorder=6)

    def update(i: int) -> None:
        curve.update(i)
        last.set_visible(i > 0 and (style().ghost or counts[i] == counts[-1]))

    return Drawing([curve.moving, first, last], update)
