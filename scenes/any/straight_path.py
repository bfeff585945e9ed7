"""The thread's remark, measured: training does not wander through the weights at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import THREAD
from jaxtyping import Float

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

TURN = 45.0
"""A path keeps its direction where half of its turns are below this: half of a right angle."""

ANGLES = {0: "straight on", 45: "45°", 90: "90°", 135: "135°", 180: "back"}
"""What is written around the protractor."""

QUARTER = 105.0
"""Turns all below this have a quarter circle, which is larger; others a half."""

FAINTEST, FILLED = 0.12, 40.0
"""How opaque rays are at least, and the number of them that would fill their sector if opaque."""


@dataclass(frozen=True)
class StraightPath(Scene):
    """The turn from each step of training to the next, on a protractor and over epochs."""

    name = "straight-path"
    title = "Training is no random walk: its steps keep their direction"
    watch = "Each ray is a step's direction, seen from the step before it"
    source = "thread: 'it is NOT a random walk'"
    # the length is a number at the last checkpoint too, which has no turn
    needs = ("path_length", "path_cosine", "walk_cosine")
    clock = "path_epoch"
    aspect = 2.0
    narrow_aspect = 1.5
    aspects = {"curve": {True: (2.0, 0.8)}}  # noqa: RUF012

    walk: bool = option(True, "a random walk of the same step lengths beside it")
    curve: bool = option(False, "the same turns over epochs, beside the protractor")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the weights turn somewhere."""
        super().check(data)
        if not np.isfinite(data["path_cosine"].values).any():
            raise InputError(
                f"{cls.name} draws the turns between steps of training, and the weights of this "
                "run take no two steps; record or import three checkpoints or more that differ"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """The median of the turns, beside that of the random walk."""
        training, walk = (float(np.nanmedian(turns(data, kind))) for kind in ("path", "walk"))
        numbers = {"training": training, "walk": walk}
        watch = f"{self._step(data)}. Each ray is a step's direction, seen from the one before"
        beside = f"; a random walk's are {walk:.0f}°" if np.isfinite(walk) else ""
        if not training < TURN:
            sentence = f"Half of training's turns are {training:.0f}° or more{beside}"
            return Claim.instead(sentence, watch, **numbers)
        most = int(np.floor(training)) + 1
        sentence = f"Half of training's turns are under {most}°{beside}"
        return Claim(sentence, watch, numbers=numbers)

    def _step(self, data: xr.Dataset) -> str:
        """What a step is."""
        step = int(np.diff(data["path_epoch"].values[:2]).sum())
        return f"A step is {step:,} {clocks.word(data)}s of training"

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The protractor, and if wished the same angles over epochs."""
        kinds = ("walk", "path") if self.walk else ("path",)
        left, right = _rooms(figure) if self.curve else (_room(figure), None)
        _protractor(left, whole=_most(data, kinds) > QUARTER)
        fans = [_fan(left, data, kind) for kind in kinds]
        names = [_Name(left, data, kind) for kind in kinds]
        if right is None:
            return Drawing.of(*fans, *names)
        curves = {_names()[kind][0]: _curve(data, kind) for kind in reversed(kinds)}
        top = max(100.0, 1.06 * max(curve.y.max(initial=0) for curve in curves.values()))
        panel = panels.CurvePanel(
            right, data, curves, ylabel="turn from the step before",
            ylim=(-4, top), yticks=[angle for angle in ANGLES if angle < top], clock="path_epoch",
            end=float(data["path_epoch"].values[-1]), phases="none",
        )  # fmt: skip
        right.yaxis.set_major_formatter("{x:.0f}°")
        _few_ticks(right)
        return Drawing.of(*fans, *names, panel.along(data["path_epoch"]))

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the sentence is of all its turns."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The turns up to that epoch."""
        at = clocks.at(data, "path_epoch", i)
        text = f"The turn from each step of the weights to the next, up to {at}"
        for kind, word in (("path", "training"), ("walk", "the random walk"))[: 1 + self.walk]:
            so_far = turns(data, kind)[: max(i, 0)]
            so_far = so_far[np.isfinite(so_far)]
            text += f"; {word}: " + (
                f"median {np.median(so_far):.1f} degrees, from {so_far.min():.1f} to "
                f"{so_far.max():.1f}" if so_far.size else "no turn yet"
            )  # fmt: skip
        return f"{text}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            f"{self._step(data)}, by the change of all weights; its turn, the angle to the "
            "step before: 0 degrees is straight on, 90 a right angle. Rays: one a step; the arc: "
            "half of training's turns so far, up to their median. The random walk is simulated: "
            "the same "
            f"step lengths in independent random directions of the space of all weights. {THREAD}"
        )


def turns(data: xr.Dataset, kind: str) -> Float[np.ndarray, " path_epoch"]:
    """Degrees between the step that ends at each checkpoint and the next; NaN where there is none.

    ``kind`` is ``path`` or ``walk``.
    """
    cosine = data[f"{kind}_cosine"].values.astype(float)
    angles: np.ndarray = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return angles


def _room(figure: FigureBase) -> Axes:
    """Axes for the protractor alone."""
    return style().panels(figure, left=0.6, right=0.6, top=0.2, bottom=0.2)[0][0]


def _rooms(figure: FigureBase) -> tuple[Axes, Axes]:
    """Axes for the protractor, and beside it, or below, for the angles over epochs."""
    current_style = style()
    wide, high = current_style.ems(figure)
    if current_style.narrow(figure):
        tall = 0.5 * wide
        above = current_style.panels(figure, left=0.4, right=0.4, top=0.2, bottom=high - tall)
        below = current_style.panels(figure, left=5.4, right=8.2, top=tall + 1.2)
        return above[0][0], below[0][0]
    share = 0.5 * wide
    left = current_style.panels(figure, left=0.6, right=wide - share, top=0.4, bottom=1.0)
    right = current_style.panels(figure, left=share + 5.6, right=8.4, top=1.2)
    return left[0][0], right[0][0]


def _most(data: xr.Dataset, kinds: tuple[str, ...]) -> float:
    """The largest turn drawn."""
    return max(float(np.nanmax(turns(data, kind), initial=0)) for kind in kinds)


def _protractor(axes: Axes, *, whole: bool) -> None:
    """A quarter circle of angles, or a half, and an arrow for the step before."""
    current_style = style()
    colours, thin = current_style.colours, current_style.line * 0.4
    left = -1.36 if whole else -0.75
    axes.set(xlim=(left, 1.72), ylim=(-0.15, 1.19), aspect="equal")
    axes.axis("off")
    circle = np.radians(np.linspace(0, 180 if whole else 90, 181))
    axes.plot(np.cos(circle), np.sin(circle), color=colours.rest, lw=thin, zorder=1)
    for angle, word in ANGLES.items():
        if angle > 90 and not whole:
            continue
        x, y = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        axes.plot([0.97 * x, 1.03 * x], [0.97 * y, 1.03 * y], color=colours.muted, lw=thin)
        side = "center" if angle == 90 else "left" if angle < 90 else "right"
        low = -0.06 if angle in (0, 180) else 1.07 * y
        current_style.note(
            axes, word, (1.07 * x, low), xycoords="data",
            ha=side, va="top" if angle in (0, 180) else "bottom", color=colours.muted,
        )  # fmt: skip
    axes.annotate(
        "", (-0.01, 0), (-0.62, 0),
        arrowprops={"arrowstyle": "-|>", "color": colours.muted, "lw": 1.6 * thin},
    )  # fmt: skip
    current_style.note(
        axes, "the step before", (-0.32, -0.03), (0, -0.2), xycoords="data", ha="center", va="top",
        color=colours.muted,
    )  # fmt: skip


def _fan(axes: Axes, data: xr.Dataset, kind: str) -> Drawing:
    """A ray for each turn so far."""
    from matplotlib.collections import LineCollection

    current_style, (_, colour) = style(), _names()[kind]
    angles = np.radians(turns(data, kind))
    tips = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rays = np.stack([np.zeros_like(tips), tips], axis=1)
    count = int(np.isfinite(angles).sum())
    alpha = float(np.clip(FILLED / max(count, 1), FAINTEST, 1.0))
    past = LineCollection(
        [], colors=[colour], linewidths=current_style.line * 0.35, alpha=alpha, zorder=2
    )
    axes.add_collection(past, autolim=False)
    known = np.flatnonzero(np.isfinite(angles))
    # a simulated walk stands there from the start; training's turns come as they are made
    least = (int(known[-1]) + 1 if known.size else 0) if kind == "walk" else 0

    def update(i: int) -> None:
        # the turn at a checkpoint is known when the step after it is over
        past.set_segments(list(_finite(rays[: max(i, least)])))

    return Drawing([past], update)


class _Name:
    """What a fan is, beside the dial; of training an arc over half of its turns so far."""

    def __init__(self, axes: Axes, data: xr.Dataset, kind: str) -> None:
        current_style, (self.name, colour) = style(), _names()[kind]
        self.angles, self.kind = turns(data, kind), kind
        self.narrow = current_style.narrow(axes.figure)
        (self.arc,) = axes.plot(
            [], [], color=colour, lw=1.6 * current_style.line, solid_capstyle="butt", zorder=4
        )
        at = (1.12, 0.0) if kind == "path" else (0.14, 1.07)
        self.text = current_style.note(
            axes, "", at, xycoords="data", ha="left", va="bottom", color=colour, linespacing=1.15,
            fontweight="bold",
        )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        """The words and the arc."""
        return [self.text, self.arc]

    def update(self, i: int) -> None:
        """Say how far the turns go that were made by then; of the walk those of all of it."""
        known = self.angles[: max(i, 0)] if self.kind == "path" else self.angles
        known = known[np.isfinite(known)]
        for artist in self.moving:
            artist.set_visible(bool(known.size))
        if not known.size:
            return
        middle, count = float(np.median(known)), len(known)
        if self.kind == "walk":
            away = float(np.abs(known - middle).max())
            turned = f"{middle:.0f}\u00b0"
            full = f"a simulated random walk:\nall {count:,} turns {turned} \u00b1 {away:.1f}\u00b0"
            self.text.set_text(f"a random walk: {turned}" if self.narrow else full)
            return
        arc = np.radians(np.linspace(0, middle, 30))
        self.arc.set_data(1.04 * np.cos(arc), 1.04 * np.sin(arc))
        self.text.set_text(
            f"half below\n{middle:.1f}\u00b0"
            if self.narrow
            else f"training: half of\n{count:,} turns below {middle:.1f}\u00b0"
        )


def _finite(rays: Float[np.ndarray, "ray end axis"]) -> Float[np.ndarray, "finite end axis"]:
    finite: np.ndarray = rays[np.isfinite(rays).all(axis=(1, 2))]
    return finite


def _names() -> dict[str, tuple[str, str]]:
    """What each path is called, and its colour."""
    colours = style().colours
    return {"path": ("training", colours.accent), "walk": ("random walk", colours.frequencies[1])}


def _curve(data: xr.Dataset, kind: str) -> panels.Curve:
    """The turns at the epochs at which they are known: when the step after them is over."""
    epochs, angles = data["path_epoch"].values, turns(data, kind)
    curve = panels.Curve.of(epochs[1:], angles[:-1], _names()[kind][1])
    return curve.where(np.isfinite(curve.y))


def _few_ticks(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    em = style().pixels(axes, style().small)
    axes.xaxis.set_major_locator(MaxNLocator(min(5, int(axes.bbox.width / em / 3.2))))
