"""The thread's remark, measured: training does not wander through the weights at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.scene import Scene, option, panels, style
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
    aspect = 2.2
    narrow_aspect = 0.62
    stills = ("last",)

    walk: bool = option(True, "a random walk of the same step lengths beside it")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """The plane of the path, that of the walk, and both measures over epochs."""
        planes, (above, below) = _rooms(figure, 2 if self.walk else 1)
        colours = style().colours
        scale = _scale(planes, data)
        trails = [_trail(planes[0], data, "path_plane", colours.accent, "training", scale)]
        _mark(planes[0], data)
        if self.walk:
            trails.append(_trail(planes[1], data, "walk_plane", colours.faint, WALK, scale))
        timed = _timed(data)
        kinds = ("path", "walk") if self.walk else ("path",)
        cosine = {kind: data[f"{kind}_cosine"].values for kind in kinds}
        ratio = {
            kind: data["path_length"].values / np.maximum(data[f"{kind}_displacement"].values, 1e-9)
            for kind in kinds
        }
        drawn = [
            _measure(above, timed, cosine, "cosine from\nstep to step", (-0.12, 1.08)),
            _measure(below, timed, ratio, "path length\nover distance"),
        ]
        above.set_xlabel("")
        above.tick_params(labelbottom=False)
        return {
            "trails": trails,
            "panels": drawn,
            "moving": [[t["moving"] for t in trails], [panels.moving(p) for p in drawn]],
        }

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """How far each path has come, and the markers."""
        for trail in artists["trails"]:
            trail["past"].set_data(*trail["points"][: i + 1].T)
            trail["dot"].set_data(*trail["points"][i : i + 1].T)
        for panel in artists["panels"]:
            panels.update_loss_panel(panel, float(data["path_epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
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

    def caption(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        step = int(np.diff(data["path_epoch"].values[:2])[0])
        return (
            f"All weights every {step} epochs in the plane of the path's two first principal axes, "
            "the cosine between successive displacements, and the path's length over its "
            "distance from the start. The random walk is an illustration, not training: the same "
            "step lengths in independent random directions, in its own principal plane. After "
            "the thread on Nanda et al. (2023), arXiv:2301.05217."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: nothing moves later."""
        return 0, panels.horizon(_timed(data))


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
    em = style().points / 72 * planes[0].figure.get_figure(root=True).dpi
    scales = []
    for axes, name, aside in zip(planes, ("path_plane", "walk_plane"), (4.0, 4.0), strict=False):
        across, up = np.ptp(data[name].values.astype(float), axis=0)
        scales += [across / (axes.bbox.width - aside * em), up / (axes.bbox.height - 6.4 * em)]
    return float(max(*scales, 1e-9))


def _trail(
    axes: Axes, data: xr.Dataset, name: str, colour: str, label: str, scale: float
) -> dict[str, Any]:
    """A path in its plane: the whole of it faint, what is gone of it strong."""
    current_style, points = style(), data[name].values.astype(float)
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    half = scale * axes.bbox.width / 2, scale * axes.bbox.height / 2
    axes.set(xlim=middle[0] + np.array([-1, 1]) * half[0],
             ylim=middle[1] + np.array([-0.86, 1.14]) * half[1])  # fmt: skip
    axes.axis("off")
    axes.text(
        0.5, 0.99, label, transform=axes.transAxes, ha="center", va="top", color=colour,
        fontweight="bold", linespacing=1.1,
    )  # fmt: skip
    axes.plot(*points.T, color=colour, alpha=0.25, lw=current_style.line * 0.7, zorder=2)
    past = axes.plot([], [], color=colour, zorder=3)[0]
    dot = axes.plot([], [], "o", color=colour, ms=current_style.points * 0.42, mew=0, zorder=5)[0]
    start = axes.plot(*points[:1].T, "o", mfc=current_style.colours.background, mec=colour,
                      ms=current_style.points * 0.36, mew=current_style.line * 0.5,
                      zorder=4)  # fmt: skip
    return {"points": points, "past": past, "dot": dot, "start": start, "moving": [past, dot]}


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


def _timed(data: xr.Dataset) -> xr.Dataset:
    """The phases with the path's own clock as epochs, which is what panels count in."""
    return data[["phase_end"]].assign_coords(epoch=("epoch", data["path_epoch"].values))


def _measure(
    axes: Axes,
    data: xr.Dataset,
    values: dict[str, np.ndarray],
    ylabel: str,
    ylim: tuple[float, float] | None = None,
) -> dict[str, Any]:
    from matplotlib.ticker import MaxNLocator

    colours, epochs = style().colours, data["epoch"].values.astype(float)
    names = {"path": ("training", colours.accent), "walk": (WALK, colours.faint)}
    curves = {}
    for kind, value in values.items():
        there = np.isfinite(value) & (epochs > 0)
        name, colour = names[kind]
        curves[name] = panels.Curve(epochs[there], value[there].astype(float), colour)
    panel = panels.curve_panel(axes, data, curves, ylabel=ylabel)
    if ylim:
        axes.set(ylim=ylim, yticks=[0, 0.5, 1])
        for text in [*axes.texts]:  # they stand level with the curves
            text.remove()
        panels.name_ends(axes, curves, panel["end"])
    em = style().small / 72 * axes.figure.get_figure(root=True).dpi
    axes.xaxis.set_major_locator(MaxNLocator(min(5, int(axes.bbox.width / em / 3.2))))
    return panel
