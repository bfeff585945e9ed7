"""Many small phase changes, averaged: why a large model's loss may look smooth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from grokviz.scene import Scene, option, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

KINDS = {
    "digit": "training losses of single digits",
    "train": "training losses on fresh data",
    "test": "test losses",
}


@dataclass(frozen=True)
class SmoothFromMany(Scene):
    """Real losses that each fall at once, and the mean of the first 1, 2, ... of them."""

    name = "smooth-from-many"
    title = "Many small phase changes add up to a smooth curve"
    watch = "each grey curve falls at once; their mean comes down ever more evenly"
    source = "thread, claim that smooth loss curves are many phase changes; tweet 13"
    needs = ("piece_name", "piece_kind", "piece_drop", "piece_loss", "mean_steepest_fall")
    recipe = "digit-addition"
    reference = "smooth-from-many"
    clock = "count"
    aspect = 2.1
    narrow_aspect = 0.72
    stills = ("1", "8", "last")

    time: Literal["log", "linear"] = option("log", "how steps are spaced")
    drops: bool = option(True, "a mark under each curve where it is below half of its start")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """The curves and their mean on the left, the mean's steepest fall on the right."""
        current_style = style()
        if current_style.narrow(figure):
            grid = current_style.panels(
                figure, heights=(1.2, 1), left=5.0, right=2.0, vgap=5.2, top=1.2
            )
            left, right = grid[0][0], grid[1][0]
        else:
            left, right = current_style.panels(figure, widths=(1.7, 1), left=5.0, gap=7.0)[0]
        artists = self._draw_curves(left, data) | self._draw_fall(right, data)
        artists["moving"] = [artists[name] for name in ("pieces", "mean", "newest", "dot")]
        artists["moving"] += [artists["marks"], artists["past"]]
        return artists

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """The curves averaged so far, the newest of them stronger, and their mean."""
        curves, means = artists["curves"], artists["means"]
        step = data["step"].values
        artists["pieces"].set_segments([np.column_stack([step, c]) for c in curves[: i + 1]])
        artists["newest"].set_data(step, curves[i])
        artists["mean"].set_data(step, means[i])
        if artists["marks"]:
            artists["marks"][0].set_data(artists["drop"][: i + 1], artists["floor"][: i + 1])
        falls, counts = artists["falls"], data["count"].values
        artists["past"].set_data(counts[: i + 1], falls[: i + 1])
        artists["dot"].set_data([counts[i]], [falls[i]])

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """What has been averaged, where they fell, and how steep the mean is."""
        count = int(data["count"].values[i])
        drop = data["piece_drop"].values[: i + 1]
        fall = data["mean_steepest_fall"].values
        kinds = data["piece_kind"].values[: i + 1].astype(str)
        mix = ", ".join(
            f"{int((kinds == kind).sum())} {word}"
            for kind, word in KINDS.items() if (kinds == kind).any()
        )  # fmt: skip
        return (
            f"Loss curves as shares of their start over steps on a logarithmic axis, and the mean "
            f"of the first {count}: {mix}. They fall below half between steps {drop.min()} and "
            f"{drop.max()}. The mean falls by at most {fall[i]:.0%} of its start within a quarter "
            f"more steps, against {fall[0]:.0%} for the first curve alone."
        )

    def caption(self, data: xr.Dataset) -> str:
        """What the curves are, how they were chosen, and the citation."""
        kinds = data["piece_kind"].values.astype(str)
        mix = ", ".join(
            f"{int((kinds == kind).sum())} {word}"
            for kind, word in KINDS.items() if (kinds == kind).any()
        )  # fmt: skip
        return (
            f"Real loss curves ({mix}) as shares of their start, averaged one after another in an "
            "order drawn once: all those of these runs that end below a fifth of their start and "
            "lose half of it within a doubling of the steps. Right: the largest fall of the mean "
            "while the steps grow by a quarter. After the thread on Nanda et al. (2023), "
            "arXiv:2301.05217."
        )

    def _draw_curves(self, axes: Axes, data: xr.Dataset) -> dict[str, Any]:
        from matplotlib.collections import LineCollection
        from matplotlib.ticker import LogLocator, NullLocator

        current_style, colours = style(), style().colours
        curves = 100 * data["piece_loss"].values.astype(float)
        means = np.cumsum(curves, axis=0) / np.arange(1, len(curves) + 1)[:, None]
        step = data["step"].values
        axes.set_xscale(self.time)
        axes.set(
            xlim=(10 if self.time == "log" else 0, max(step[-1], 11)),
            ylim=(-12, max(118, 1.05 * curves.max())),
        )
        axes.set(xlabel="step", ylabel="loss, share of its start (%)")
        axes.set_yticks([0, 50, 100])
        if self.time == "log":
            axes.xaxis.set_major_locator(LogLocator(numticks=6))
            axes.xaxis.set_minor_locator(NullLocator())
        else:
            panels.thousands(axes)
        thin = current_style.line * 0.4
        # the newest is darker than the rest, and in front of them
        pieces = LineCollection([], colors=colours.rest, linewidths=thin, zorder=2)
        axes.add_collection(pieces, autolim=False)
        newest = axes.plot([], [], color=colours.muted, lw=2 * thin, zorder=3)[0]
        mean = axes.plot([], [], color=colours.ink, lw=1.5 * current_style.line, zorder=4)[0]
        axes.annotate(
            "their mean", (0.98, 0.98), xycoords="axes fraction", ha="right", va="top", zorder=5,
            fontsize=current_style.points, fontweight="bold",
        )  # fmt: skip
        marks = []
        if self.drops:
            size = current_style.points * 0.55
            marks = axes.plot([], [], "|", color=colours.muted, ms=size, mew=thin, zorder=3)
        return {
            "curves": curves, "means": means, "pieces": pieces, "newest": newest, "mean": mean,
            "marks": marks, "drop": data["piece_drop"].values,
            "floor": np.full(len(curves), -6.0),
        }  # fmt: skip

    def _draw_fall(self, axes: Axes, data: xr.Dataset) -> dict[str, Any]:
        from matplotlib.ticker import MaxNLocator

        current_style, colours = style(), style().colours
        counts = data["count"].values
        falls = 100 * data["mean_steepest_fall"].values.astype(float)
        axes.plot(
            counts, falls, color=colours.ink, alpha=0.28, lw=current_style.line * 0.7, zorder=2
        )
        past = axes.plot([], [], color=colours.ink, zorder=3)[0]
        dot = axes.plot(
            [], [], "o", color=colours.ink, ms=current_style.points * 0.5, mew=0, zorder=4
        )[0]
        axes.set(ylim=(0, 1.1 * max(falls.max(), 1e-9)), xlabel="curves averaged")
        axes.set(xlim=(0, counts[-1] * 1.03), ylabel="steepest fall of mean (%)")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        return {"falls": falls, "past": past, "dot": dot}
