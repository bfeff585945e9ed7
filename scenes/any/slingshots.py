"""Slingshots: spikes that come from the loss's precision, and are not needed for grokking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.scene import Drawing, Scene, members, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

ROWS = {
    "loss": "loss (nats)",
    "unembedding_norm": "norm of $W_U$",
    "logit_gradient_sum": "|gradient sum|",
}
SMALLEST = 1e-18
"""Sums below this are drawn here: exact zeros have no place on a logarithmic axis."""


@dataclass(frozen=True)
class Slingshots(Scene):
    """The same start in each precision, side by side: losses, last layer, sum of gradients."""

    name = "slingshots"
    title = "Loss spikes come from float32; grokking does not need them"
    watch = "the same weights at the start: float64 never spikes, and both generalise"
    source = "thread, tweet 14; arXiv:2206.04817; arXiv:2605.06152"
    needs = (
        *members.NEEDS, "member_precision", "member_unembedding_norm",
        "member_logit_gradient_sum", "member_spike_count",
    )  # fmt: skip
    recipe = "modular-addition-float32"
    reference = "slingshots"
    aspect = 1.6
    narrow_aspect = 0.85

    until: int | None = option(20000, "last epoch shown; none for all")
    test: bool = option(True, "the test loss, beside the training loss")

    def __post_init__(self) -> None:
        if self.until is not None and self.until < 1:
            raise ValueError(f"until={self.until} is before any update; give 1 or more")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A column for each of the first two runs, the same axes in both."""
        runs, wide = _shown(data), not style().narrow(figure)
        grid = style().panels(
            figure, (1,) * len(runs), (1.8, 1, 1.1), left=6.0, right=1.6, gap=2.6, vgap=1.2,
            top=2.0 if wide else 3.0,
        )  # fmt: skip
        traces, markers = [], []
        for (name, label), row in zip(ROWS.items(), grid, strict=True):
            limits = self._limits(data, name)
            for axes, member in zip(row, runs, strict=True):
                traces += self._traces(axes, data, member, name)
                self._frame(axes, data, name, limits, last=row is grid[-1])
                axes.tick_params(labelleft=axes is row[0])
                markers.append(panels.Marker.draw(axes))
            row[0].set_ylabel(label)
        for axes, member in zip(grid[0], runs, strict=True):
            axes.set_title(_heading(data, member, wide=wide), fontsize=style().small)
        self._name_losses(grid[0][-1], data, runs[-1])
        return members.drawing(traces, markers, data)

    def description(self, data: xr.Dataset, i: int) -> str:
        """Spikes, generalising, and the numbers at that moment, for each run."""
        epoch, runs = int(data["epoch"].values[i]), []
        word = clocks.word(data)
        for member in _shown(data):
            now = {
                name: _at(self._curve(data, member, name), epoch)
                for name in ("train_loss", "unembedding_norm", "logit_gradient_sum")
            }
            last = int(data["member_epoch"].values[member].max())
            runs.append(
                f"{_precision(data, member)}: {_spikes(data, member)} in {last} {word}s, "
                f"{members.learnt(data, member)}; at {word} {epoch} training loss "
                f"{now['train_loss']:.2g}, norm of the last layer {now['unembedding_norm']:.3g}, "
                f"size of the sum of the logits' gradient {now['logit_gradient_sum']:.1e}"
            )
        return (
            "Losses, norm of the unembedding, and size of the sum of the logits' gradient over "
            f"epochs, a column for each precision of the loss. {'. '.join(runs)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "The same initial weights and data trained with the log-softmax in two precisions. A "
            "spike: the training loss rises above 0.001 after it was below 0.0001. The loss's "
            "gradient sums to 0 over the logits but for rounding: where it does not, the last "
            "layer drifts. After Nanda et al. (2023), arXiv:2301.05217; Thilak et al. (2022), "
            "arXiv:2206.04817; and arXiv:2605.06152."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """The epochs that are shown."""
        return 0, self._end(data)

    def _end(self, data: xr.Dataset) -> float:
        last = float(data["epoch"].values[-1])
        return last if self.until is None else min(float(self.until), last)

    def _curve(self, data: xr.Dataset, member: int, name: str) -> panels.Curve:
        colours = style().colours
        colour = {"train_loss": colours.train, "test_loss": colours.test}.get(name, colours.ink)
        curve = members.curve(data, member, name, colour)
        if name == "logit_gradient_sum":
            curve.y = np.maximum(np.abs(curve.y), SMALLEST)
        return curve

    def _traces(self, axes: Axes, data: xr.Dataset, member: int, name: str) -> list[panels.Trace]:
        curves = [self._curve(data, member, one) for one in reversed(self._names(name))]
        traces = [curve.draw(axes) for curve in curves if curve.x.size]
        for trace in traces:
            trace.line.set_linewidth(style().line * 0.7)
        if not traces:
            axes.text(
                0.5, 0.5, "not logged", transform=axes.transAxes, ha="center", va="center",
                color=style().colours.muted, fontsize=style().small,
            )  # fmt: skip
        return traces

    def _names(self, row: str) -> list[str]:
        """What is drawn in a row."""
        return ["train_loss", "test_loss"][: 1 + self.test] if row == "loss" else [row]

    def _frame(self, axes: Axes, data: xr.Dataset, name: str, limits: Any, *, last: bool) -> None:
        from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator

        if name != "unembedding_norm":
            axes.set_yscale("log")
            ticks: Any = LogLocator(numticks=5)
            if name == "loss":
                ticks = FixedLocator([1e-6, 1e-4, 1e-2, 1])
            axes.yaxis.set_major_locator(ticks)
            axes.yaxis.set_minor_locator(NullLocator())
        else:
            axes.yaxis.set_major_locator(MaxNLocator(3))
        panels.thousands(axes)
        if style().narrow(axes.figure):
            axes.xaxis.set_major_locator(MaxNLocator(2, integer=True))
        axes.set(xlim=(0, self._end(data)), ylim=limits, xlabel=clocks.word(data) if last else "")
        axes.tick_params(labelbottom=last)

    def _limits(self, data: xr.Dataset, name: str) -> tuple[float, float]:
        values = [
            curve.y[curve.x <= self._end(data)]
            for member in _shown(data)
            for curve in (self._curve(data, member, one) for one in self._names(name))
        ]
        flat = np.concatenate(values)
        if not flat.size:
            return 0.1, 1.0
        if name == "unembedding_norm":
            return 0.0, 1.1 * float(flat.max())
        return float(flat.min()) / 3, float(flat.max()) * 4

    def _name_losses(self, axes: Axes, data: xr.Dataset, member: int) -> None:
        current_style, end = style(), self._end(data)
        for name, va, lift in (("train_loss", "bottom", 0.4), ("test_loss", "top", -0.4)):
            curve = self._curve(data, member, name)
            if curve.x.size and (self.test or name == "train_loss"):
                x = 0.22 * end
                word = name.partition("_")[0]
                current_style.label(
                    axes, x, _at(curve, x), word, lift=lift, va=va, color=curve.colour, zorder=6
                )


def _shown(data: xr.Dataset) -> list[int]:
    """The first two runs: those of lower precision first."""
    order = sorted(range(data.sizes["member"]), key=lambda m: _precision(data, m))
    return order[:2]


def _precision(data: xr.Dataset, member: int) -> str:
    """The precision, or the run's name where it does not say it."""
    precision = str(data["member_precision"].values[member])
    return precision or members.display(str(data["member_name"].values[member]))


def _spikes(data: xr.Dataset, member: int) -> str:
    count = int(data["member_spike_count"].values[member])
    return f"{count or 'no'} spike{'' if count == 1 else 's'}"


def _heading(data: xr.Dataset, member: int, *, wide: bool) -> str:
    if not wide:
        return f"{_precision(data, member)}\n{_spikes(data, member)}"
    last = f"{int(data['member_epoch'].values[member].max()):,}".replace(",", "\u2009")
    return f"{_precision(data, member)}: {_spikes(data, member)} in {last} {clocks.word(data)}s"


def _at(curve: panels.Curve, epoch: float) -> float:
    return float(np.interp(epoch, curve.x, curve.y)) if curve.x.size else 0.0
