"""The thread's remark, measured: training does not wander through the weights at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any._papers import THREAD

from grokviz.scene import Drawing, Scene, option, panels, style
from grokviz.scene.clock import phase_ends

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MARKS = ("memorised", "test loss falls", "cleaned up")
WALK = "random walk\n(illustration)"


@dataclass(frozen=True)
class StraightPath(Scene):
    """The path of all weights beside a random walk of the same step lengths."""

    name = "straight-path"
    title = "Training is no random walk: its steps keep their direction"
    watch = "a random walk turns at right angles at every step"
    source = "thread: 'it is NOT a random walk'"
    needs = (
        "path_length", "path_displacement", "path_cosine", "path_plane",
        "walk_displacement", "walk_cosine", "walk_plane", "phase_end",
    )  # fmt: skip
    clock = "path_epoch"
    narrow_aspect = 0.62

    walk: bool = option(True, "a random walk of the same step lengths beside it")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The plane of the path, that of the walk, and both measures over epochs."""
        planes, (above, below) = _rooms(figure, 2 if self.walk else 1)
        scale = _scale(planes, data)
        kinds = ("path", "walk") if self.walk else ("path",)
        trails = [_trail(axes, data, k, scale) for axes, k in zip(planes, kinds, strict=True)]
        _mark(planes[0], data)
        cosines = {kind: data[f"{kind}_cosine"].values for kind in kinds}
        distances = {k: np.maximum(data[f"{k}_displacement"].values, 1e-9) for k in kinds}
        ratios = {kind: data["path_length"].values / distances[kind] for kind in kinds}
        cosine = panels.CurvePanel(
            above, data, _curves(data, cosines), ylabel="cosine from\nstep to step",
            ylim=(-0.12, 1.08), yticks=(0, 0.5, 1), clock="path_epoch",
        )  # fmt: skip
        ratio = panels.CurvePanel(
            below, data, _curves(data, ratios), ylabel="path length\nover distance",
            clock="path_epoch",
        )  # fmt: skip
        _few_ticks(above)
        _few_ticks(below)
        panels.without_time(above)
        epochs = data["path_epoch"]
        return Drawing.of(*trails, cosine.along(epochs), ratio.along(epochs))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Lengths, distances and cosines up to that epoch."""
        now = data.isel(path_epoch=i)
        inner = data["path_cosine"].values[1 : max(i, 2)]
        walk = data["walk_cosine"].values[1 : max(i, 2)]
        text = (
            f"The path of all weights in the plane of its two widest axes, up to epoch "
            f"{int(now['path_epoch'])}: {float(now['path_length']):.3g} long and "
            f"{float(now['path_displacement']):.3g} from its start; the median cosine between "
            f"successive steps is {np.nanmedian(inner):.2f}."
        )
        if self.walk:
            text += (
                " Beside it, as an illustration, a random walk of the same step lengths: "
                f"{float(now['walk_displacement']):.3g} from its start, median cosine "
                f"{np.nanmedian(walk):.2f}."
            )
        return text

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        step = int(np.diff(data["path_epoch"].values[:2])[0])
        return (
            f"All weights every {step} epochs in the plane of the path's two first principal axes, "
            "the cosine between successive displacements, and the path's length over its "
            "distance from the start. The random walk is an illustration, not training: the same "
            "step lengths in independent random directions, in its own principal plane. "
            f"{THREAD}"
        )


def _rooms(figure: FigureBase, count: int) -> tuple[list[Axes], list[Axes]]:
    """Square axes for the planes, and two panels over epochs."""
    current_style = style()
    wide, high = current_style.ems(figure)
    widths = (2, 1)[:count]
    if current_style.narrow(figure):
        tall = 0.64 * wide
        planes = current_style.panels(
            figure, widths, left=0.3, right=0.3, top=0.2, bottom=high - tall, gap=0.4
        )
        grid = current_style.panels(
            figure, heights=(1, 1), top=tall + 1.6, left=5.6, right=8.2, vgap=1.6
        )
    else:
        planes = current_style.panels(
            figure, widths, left=1.0, right=0.44 * wide, bottom=0.4, top=0.6, gap=0.8
        )
        grid = current_style.panels(
            figure, heights=(1, 1), left=0.56 * wide + 5.6, right=8.4, top=1.2, vgap=1.8
        )
    return planes[0], [row[0] for row in grid]


def _scale(planes: list[Axes], data: xr.Dataset) -> float:
    """Length a pixel, the same in both planes, with room around the paths for words."""
    em = style().pixels(planes[0], style().points)
    scales = []
    for axes, name, aside in zip(planes, ("path_plane", "walk_plane"), (4.0, 4.0), strict=False):
        across, up = np.ptp(data[name].values.astype(float), axis=0)
        scales += [across / (axes.bbox.width - aside * em), up / (axes.bbox.height - 6.4 * em)]
    return float(max(*scales, 1e-9))


def _trail(axes: Axes, data: xr.Dataset, kind: str, scale: float) -> Drawing:
    """A path in its plane, its name above it, and a ring where it begins."""
    current_style, (label, colour) = style(), _names()[kind]
    points = data[f"{kind}_plane"].values.astype(float)
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    half = scale * axes.bbox.width / 2, scale * axes.bbox.height / 2
    axes.set(xlim=middle[0] + np.array([-1, 1]) * half[0],
             ylim=middle[1] + np.array([-0.86, 1.14]) * half[1])  # fmt: skip
    axes.axis("off")
    axes.text(
        0.5, 0.99, label, transform=axes.transAxes, ha="center", va="top", color=colour,
        fontweight="bold", linespacing=1.1,
    )  # fmt: skip
    axes.plot(*points[:1].T, "o", mfc=current_style.colours.background, mec=colour,
              ms=current_style.points * 0.36, mew=current_style.line * 0.5,
              zorder=4)  # fmt: skip
    return panels.path(axes, points[:, 0], points[:, 1], colour, dot=0.42, faint=0.25)


def _mark(axes: Axes, data: xr.Dataset) -> None:
    """What happens where, along the trained path."""
    current_style, ends = style(), phase_ends(data)
    colours = current_style.colours
    points, epochs = data["path_plane"].values.astype(float), data["path_epoch"].values
    places = [("start", 0)] if ends is None else [
        ("start", 0), *((text, int(np.abs(epochs - end).argmin()))
                        for text, end in zip(MARKS, ends, strict=True))
    ]  # fmt: skip
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    for text, at in places:
        if at:
            axes.plot(*points[at], "o", color=colours.accent,
                      ms=current_style.points * 0.24, mew=0, zorder=4)  # fmt: skip
        out = points[at] - middle
        out = out / max(float(np.linalg.norm(out)), 1e-9) * 0.6 * current_style.small
        # beside the path there is room within its bend, above and below it without
        aside = abs(out[0]) > abs(out[1])
        inside, up = out[0] < 0, out[1] > 0
        axes.annotate(
            text, points[at], -out if aside else out, textcoords="offset points",
            fontsize=current_style.small, color=colours.muted, zorder=6,
            ha=("left" if inside else "right") if aside else "center",
            va=("top" if up else "bottom") if aside else ("bottom" if up else "top"),
        )  # fmt: skip


def _names() -> dict[str, tuple[str, str]]:
    """What each path is called, and its colour."""
    return {"path": ("training", style().colours.accent), "walk": (WALK, style().colours.faint)}


def _curves(data: xr.Dataset, values: dict[str, np.ndarray]) -> dict[str, panels.Curve]:
    epochs, curves = data["path_epoch"].values, {}
    for kind, value in values.items():
        name, colour = _names()[kind]
        measured = np.isfinite(value) & (epochs > 0)
        curves[name] = panels.Curve.of(epochs, value, colour).where(measured)
    return curves


def _few_ticks(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    em = style().pixels(axes, style().small)
    axes.xaxis.set_major_locator(MaxNLocator(min(5, int(axes.bbox.width / em / 3.2))))
