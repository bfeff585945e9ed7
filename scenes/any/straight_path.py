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

OLDEST, FADES = 0.07, 15
"""How opaque the oldest rays are, and after how many later ones half of the rest is gone."""

LOW = {False: 0.34, True: 0.19}
"""How low the name of training stands at most, in radii, in a wide figure or in a column."""

WALK = "random walk\n(illustration)"


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
        beside = f"; a random walk's are {walk:.0f}°" if np.isfinite(walk) else ""
        if not training < TURN:
            sentence = f"Half of training's turns are {training:.0f}° or more{beside}"
            return Claim.instead(sentence, self.watch, **numbers)
        most = int(np.floor(training)) + 1
        sentence = f"Half of training's turns are under {most}°{beside}"
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The protractor, and if wished the same angles over epochs."""
        kinds = ("walk", "path") if self.walk else ("path",)
        left, right = _rooms(figure) if self.curve else (_room(figure), None)
        _protractor(left)
        fans = [_fan(left, data, kind) for kind in kinds]
        if right is None:
            return Drawing.of(*fans, _median(left, data))
        curves = {_names()[kind][0]: _curve(data, kind) for kind in reversed(kinds)}
        top = max(100.0, 1.06 * max(curve.y.max(initial=0) for curve in curves.values()))
        panel = panels.CurvePanel(
            right, data, curves, ylabel="turn from the step before",
            ylim=(-4, top), yticks=[angle for angle in ANGLES if angle < top], clock="path_epoch",
            end=float(data["path_epoch"].values[-1]), phases="none",
        )  # fmt: skip
        right.yaxis.set_major_formatter("{x:.0f}°")
        _few_ticks(right)
        fans.append(_median(left, data))
        return Drawing.of(*fans, panel.along(data["path_epoch"]))

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
        step = int(np.diff(data["path_epoch"].values[:2]).sum())
        return (
            f"A step is the change of all weights in {step} {clocks.word(data)}s; its turn, the "
            "angle to the step before: 0 degrees is straight on, 90 a right angle. Rays: one a "
            "step, older ones fainter, the newest bold; dashed: the median so far. The random "
            "walk is an illustration, not training: the same step lengths in "
            f"independent random directions of the space of all weights. {THREAD}"
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


def _protractor(axes: Axes) -> None:
    """A half circle of angles, and an arrow for the step before."""
    current_style = style()
    colours, thin = current_style.colours, current_style.line * 0.4
    axes.set(xlim=(-1.36, 1.66), ylim=(-0.3, 1.2), aspect="equal")
    axes.axis("off")
    circle = np.radians(np.linspace(0, 180, 181))
    axes.plot(np.cos(circle), np.sin(circle), color=colours.rest, lw=thin, zorder=1)
    for angle, word in ANGLES.items():
        x, y = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        axes.plot([0.97 * x, 1.03 * x], [0.97 * y, 1.03 * y], color=colours.muted, lw=thin)
        side = "center" if angle == 90 else "left" if angle < 90 else "right"
        flat = angle in (0, 180)
        current_style.note(
            axes, word.replace(" ", "\n"), (1.07 * x, 1.07 * y), xycoords="data", linespacing=1.05,
            ha=side, va="center" if flat else "bottom", color=colours.muted,
        )  # fmt: skip
    axes.annotate(
        "", (-0.02, -0.09), (-1.0, -0.09),
        arrowprops={"arrowstyle": "-|>", "color": colours.muted, "lw": 1.6 * thin},
    )  # fmt: skip
    current_style.note(
        axes, "the step before", (-0.51, -0.12), (0, -0.2), xycoords="data", ha="center", va="top",
        color=colours.muted,
    )  # fmt: skip


def _fan(axes: Axes, data: xr.Dataset, kind: str) -> Drawing:
    """A ray for each turn so far, the newest strong, and the name of the path at its end."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgb

    current_style, (name, colour) = style(), _names()[kind]
    tint = to_rgb(colour)
    angles = np.radians(turns(data, kind))
    tips = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rays = np.stack([np.zeros_like(tips), tips], axis=1)
    thin = current_style.line * 0.35
    past = LineCollection([], linewidths=thin, zorder=2)
    axes.add_collection(past, autolim=False)
    (newest,) = axes.plot([], [], color=colour, lw=1.3 * current_style.line, zorder=4)
    size = current_style.points * 0.45
    (head,) = axes.plot([], [], "o", color=colour, ms=size, mew=0, zorder=5)
    label = current_style.label(
        axes, 0, 0, name, color=colour, va="center", zorder=6, linespacing=1.1,
        ha="left" if kind == "path" else "right",
    )  # fmt: skip

    known = np.flatnonzero(np.isfinite(angles))
    # an illustration stands there from the start; training's turns come as they are made
    least = int(known[0]) + 1 if kind == "walk" and known.size else 0

    def update(i: int) -> None:
        # the turn at a checkpoint is known when the step after it is over
        i = max(i, least)
        so_far = _finite(rays[:i])
        past.set_segments(list(so_far))
        # the older a ray, the paler it is: so many would fill their sector
        age = np.arange(len(so_far))[::-1]
        past.set_color([(*tint, OLDEST + (0.5 - OLDEST) * 0.5 ** (a / FADES)) for a in age])
        there = np.flatnonzero(np.isfinite(angles[:i]))
        shown: Any = rays[there[-1]] if there.size else np.zeros((0, 2))
        newest.set_data(shown[:, 0], shown[:, 1])
        head.set_data(shown[1:, 0], shown[1:, 1])
        label.set_visible(bool(there.size))
        if there.size:
            low = LOW[current_style.narrow(axes.figure)]
            label.set_position(_beside(shown[1], outside=kind == "path", low=low))

    return Drawing([past, newest, head, label], update)


def _median(axes: Axes, data: xr.Dataset) -> Drawing:
    """The median of training's turns so far, on the dial."""
    current_style, angles, colour = style(), turns(data, "path"), _names()["path"][1]
    (line,) = axes.plot([], [], color=colour, lw=current_style.line, ls=(0, (1.5, 1)), zorder=6)
    # beside the mark, or in a column below the dial, where no name comes
    wide = not current_style.narrow(axes.figure)
    at, side = ((1.07, 0.2), "center") if wide else ((0.06, -0.12), "top")
    text = current_style.note(
        axes, "", at, (0, 0 if wide else -0.2), xycoords="data", ha="left", va=side, color=colour
    )

    def update(i: int) -> None:
        so_far = angles[:i][np.isfinite(angles[:i])]
        for artist in (line, text):
            artist.set_visible(bool(so_far.size))
        if so_far.size:
            middle = float(np.median(so_far))
            x, y = np.cos(np.radians(middle)), np.sin(np.radians(middle))
            line.set_data([0.9 * x, 1.06 * x], [0.9 * y, 1.06 * y])
            median = f"dashed: median {middle:.1f}°"
            text.set_text(f"bold: the last step\n{median}" if wide else median)

    return Drawing([line, text], update)


def _beside(tip: Float[np.ndarray, " axis"], *, outside: bool, low: float) -> tuple[float, float]:
    """Where the name of a ray with this tip stands: outside the half circle, or left of the ray."""
    if outside:
        # above the words of the axis, and those of the median
        return 1.07 * float(tip[0]), max(1.07 * float(tip[1]), low)
    return 0.4 * float(tip[0]) - 0.06, 0.4 * float(tip[1])


def _finite(rays: Float[np.ndarray, "ray end axis"]) -> Float[np.ndarray, "finite end axis"]:
    finite: np.ndarray = rays[np.isfinite(rays).all(axis=(1, 2))]
    return finite


def _names() -> dict[str, tuple[str, str]]:
    """What each path is called, and its colour."""
    colours = style().colours
    return {"path": ("training", colours.accent), "walk": (WALK, colours.frequencies[1])}


def _curve(data: xr.Dataset, kind: str) -> panels.Curve:
    """The turns at the epochs at which they are known: when the step after them is over."""
    epochs, angles = data["path_epoch"].values, turns(data, kind)
    curve = panels.Curve.of(epochs[1:], angles[:-1], _names()[kind][1])
    return curve.where(np.isfinite(curve.y))


def _few_ticks(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    em = style().pixels(axes, style().small)
    axes.xaxis.set_major_locator(MaxNLocator(min(5, int(axes.bbox.width / em / 3.2))))
