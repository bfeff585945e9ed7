"""Figures 21 and 22: every digit of a sum is learned at a step of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any._papers import after

from grokviz.scene import Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

AFTER = 1.5
"""A film ends when so many times the steps until the last drop are over."""

LEVEL = 0.3
"""A digit has dropped where its loss is below this."""


@dataclass(frozen=True)
class DigitPhaseChanges(Scene):
    """The whole loss, and that of every digit of the answer with its drop marked."""

    name = "digit-phase-changes"
    panels = ("digits", "loss")
    title = "Each digit of the sum is learned in a phase change of its own"
    watch = "the sum of many drops looks smoother"
    source = "arXiv:2301.05217, figures 21 and 22; thread, tweet 13"
    needs = ("logged_train_loss", "token_train_loss", "digit_drop")
    recipe = "digit-addition"
    reference = "digit-addition"
    aspect = 1.6
    narrow_aspect = 0.72
    aspects = {"show": {"total": (2.2, 1.1), "digits": (2.2, 1.1)}}  # noqa: RUF012
    paper_figures = {  # noqa: RUF012
        "21": {"show": "total", "marks": False},
        "22": {"show": "digits"},
    }

    show: Literal["both", "total", "digits"] = option(
        "both", "the whole loss, the digits', or both"
    )
    loss: Literal["linear", "log"] = option("linear", "how the loss is spaced")
    time: Literal["linear", "log"] = option("linear", "how steps are spaced")
    marks: bool = option(True, "mark and name each digit's drop")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The panels asked for, and the drops through both."""
        wanted = {"both": ("total", "digits")}.get(self.show, (self.show,))
        rooms = style().stack(
            figure, (1.0, 1.5)[: len(wanted)], left=5.0, right=6.5, vgap=1.4,
            top=2.9 if self.marks else 1.0,
        )  # fmt: skip
        drawn = []
        for axes, kind in zip(rooms, wanted, strict=True):
            curves, ylabel = _total(data), "loss (nats)"
            if kind == "digits":
                curves, ylabel = _digits(data), "loss of a digit"
            panel = changes.ChangePanel(
                axes, data, curves, ylabel=ylabel, log=self.loss == "log", time=self.time,
                end=float(data["epoch"].values[-1]), phases="none",
            )  # fmt: skip
            if kind == "digits":
                for line in axes.lines[:-1]:
                    line.set(linewidth=style().line * 0.6, zorder=2.5)
            drawn.append(panel)
        panels.without_time(*rooms[:-1])
        if self.marks:
            _mark(rooms, data, self.show != "total", 6.0)
        return Drawing.of(*(panel.along(data["epoch"]) for panel in drawn))

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the last drop; the whole run where a digit never dropped."""
        last, drops = float(data["epoch"].values[-1]), data["digit_drop"].values
        return 0, last if (drops < 0).any() else min(last, AFTER * float(drops.max()))

    def description(self, data: xr.Dataset, i: int) -> str:
        """When each digit dropped, and the loss at that moment."""
        word, at = clocks.word(data), int(data["epoch"].values[i])
        now = int(np.searchsorted(data["logged_epoch"].values, at, side="right")) - 1
        drops = [
            f"{name} at {int(drop)}" if drop >= 0 else f"{name} never"
            for name, drop in zip(changes.digit_names(data), data["digit_drop"].values, strict=True)
        ]
        total = float(data["logged_train_loss"].values[max(now, 0)])
        return (
            f"Training loss over {word}s, in all and for each digit of the answer, marked at "
            f"{word} {at}, where it is {total:.3g}. A digit's loss drops below 0.3: "
            f"{', '.join(drops)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the rule of the drops and the citation."""
        return (
            "Training loss of a one-layer transformer that adds, fresh sums at every step, in all "
            "and for each digit of the answer. Marked: where the mean of 50 losses of a digit is "
            f"first below 0.3. {after('figures 21 and 22')}"
        )


def _total(data: xr.Dataset) -> dict[str, panels.Curve]:
    x, y = data["logged_epoch"].values, data["logged_train_loss"].values
    return {"all digits": panels.Curve.of(x, y, style().colours.ink)}


def _digits(data: xr.Dataset) -> dict[str, panels.Curve]:
    x, losses = data["logged_epoch"].values, data["token_train_loss"].values
    return {
        f"_{k}": panels.Curve.of(x, losses[:, k], colour)
        for k, colour in enumerate(changes.digit_colours(data))
    }


def _mark(rooms: list[Axes], data: xr.Dataset, level: bool, margin: float) -> None:
    """A line at each drop through all panels, and the digit's name above the first.

    ``level`` says that the last panel has the digits' curves, on which the drops are dots;
    names may reach ``margin`` ems beyond the panel's right end.
    """
    current_style, first = style(), rooms[0]
    drops = data["digit_drop"].values
    order = [int(k) for k in np.argsort(drops, kind="stable") if drops[k] >= 0]
    tints = changes.digit_colours(data)
    words = changes.digit_names(data, short=current_style.narrow(first.figure))
    em = current_style.pixels(first, current_style.small)
    wide, high = em / first.bbox.width, em / first.bbox.height
    across = first.transData + first.transAxes.inverted()
    at = {k: float(across.transform((float(drops[k]), 1.0))[0]) for k in order}
    widths = [(0.66 * len(words[k]) + 0.8) * wide for k in order]
    places = pushed_apart([at[k] for k in order], widths, -2 * wide, 1 + margin * wide)
    for k, place in zip(order, places, strict=True):
        line = {"color": tints[k], "lw": current_style.line * 0.5}
        for axes in rooms:
            axes.axvline(drops[k], alpha=0.75, zorder=1.8, **line)
        if level:
            rooms[-1].plot(drops[k], LEVEL, "o", color=tints[k], ms=3.2 * current_style.line,
                           zorder=4, mec=current_style.colours.background,
                           mew=0.5 * current_style.line)  # fmt: skip
        first.plot([at[k], place], [1, 1 + high], transform=first.transAxes, clip_on=False, **line)
        current_style.note(
            first, words[k], (place, 1.0 + 1.15 * high), ha="center", va="bottom",
            color=tints[k], fontweight="bold",
        )  # fmt: skip
