"""Weight decay's view of grokking: sum of squares by parameter, and what a low loss costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after

from grokviz.scene import Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LAYERS = {
    "MLP": ("W_in", "W_out", "b_in", "b_out"),
    "attention OV": ("W_V", "W_O"),
    "attention QK": ("W_Q", "W_K"),
    "embedding": ("W_E", "W_pos"),
    "unembedding": ("W_U",),
}


@dataclass(frozen=True)
class WeightNorms(Scene):
    """Sum of squared weights in all and by parameter, and against the training loss."""

    name = "weight-norms"
    title = "Generalising is simpler: it needs a fraction of the weights"
    watch = "the training loss hardly changes; the weights that it costs collapse"
    source = "notebook of arXiv:2301.05217, analysis during training; paper, figure 7"
    needs = ("sum_squared_weights", "loss", "phase_end")
    aspect = 1.9
    narrow_aspect = 0.5
    stills = ("grok-3000", "last")

    by: Literal["layer", "parameter"] = option("layer", "a line a layer, or a parameter")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The total, the parts below it, and the path of the total against the loss."""
        wide = style().ems(figure)[0]
        if style().narrow(figure):
            heights = (1, 1.4, 1.6)
            upper, lower, right = style().stack(figure, heights, left=5.0, right=8.4, vgap=4.6)
        else:
            edge = 0.62 * wide
            upper, lower = style().stack(
                figure, (1, 1.3), left=5.0, right=wide - edge + 8.4, vgap=1.5
            )
            right = style().panels(figure, left=edge + 5.8, right=2.0)[0][0]
        total = {"all weights": panels.at_checkpoints(data, _total(data))}
        both = [
            panels.CurvePanel(upper, data, total, ylabel="sum of squares", phases="named"),
            panels.CurvePanel(lower, data, self._parts(data), ylabel="sum of squares"),
        ]
        upper.set_xlabel("")
        upper.tick_params(labelbottom=style().narrow(figure))
        return Drawing.of(*(panel.along(data["epoch"]) for panel in both), _path(right, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The total at that moment, and the two ends that are compared."""
        total, loss = _total(data), data["loss"].sel(split="train").values
        now = f"{total[i]:,.0f} at {clocks.at(data, 'epoch', i)}"
        ends = _ends(data)
        words = "; ".join(
            f"{name.capitalize()} at {clocks.at(data, 'epoch', j)}: training loss {loss[j]:.1e}, "
            f"sum of squares {total[j]:,.0f}"
            for name, j in ends.items()
        )
        return (
            "Sum of squared weights over epochs, in all and by part, and against the training "
            f"loss. In all {now}. {words}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Sum of squared weights over training, in all and by part, and against the training "
            "loss: once the pairs are memorised the loss hardly changes, while generalising lowers "
            "the weights that it takes. Memorised: end of memorisation; generalised: end of "
            f"clean-up. {after('section 5.2')}"
        )

    def _parts(self, data: xr.Dataset) -> dict[str, panels.Curve]:
        squares, colour = data["sum_squared_weights"], style().colours.muted
        names = [str(name).rsplit(".", 1)[-1] for name in data["parameter"].values]
        groups = LAYERS if self.by == "layer" else {_formula(n): (n,) for n in sorted(names)}
        curves = {}
        for group, members in groups.items():
            rows = [i for i, name in enumerate(names) if name in members]
            values = squares.isel(parameter=rows).sum("parameter").values
            # what never counts is left out: biases and positions
            if rows and values.max() > 0.02 * _total(data).max():
                curves[group] = panels.at_checkpoints(data, values, colour)
        if self.by == "parameter":
            return _shared_names(curves, panels.horizon(data))
        # neighbours differ in shade, so that each name finds its curve
        shades = (style().colours.ink, style().colours.faint)
        order = sorted(curves, key=lambda name: curves[name].y[-1])
        for i, name in enumerate(order):
            curves[name].colour = shades[i % 2]
        return curves


def _path(axes: Axes, data: xr.Dataset) -> Drawing:
    """The sum of squares against the training loss, with both ends that are compared."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    current_style, ink = style(), style().colours.ink
    loss, total = data["loss"].sel(split="train").values.astype(float), _total(data)
    axes.set_xscale("log")
    axes.set(
        xlim=(loss.max() * 2, loss.min() / 3), ylim=(0, 1.1 * total.max()),
        xlabel="training loss", ylabel="sum of squares, all weights",
    )  # fmt: skip
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    for name, j in _ends(data).items():
        colour = current_style.colours.muted if name == "memorised" else ink
        size = current_style.points * 0.4
        axes.plot(loss[j], total[j], "o", color=colour, ms=size, mew=0, zorder=4)
        current_style.note(
            axes, f"{name}\n{clocks.spaced(round(total[j]))}", (loss[j], total[j]), (-0.8, 0),
            xycoords="data", ha="right", va="top", fontweight="bold", color=colour, zorder=5,
        )  # fmt: skip
    return panels.path(axes, loss, total, ink)


def _total(data: xr.Dataset) -> np.ndarray:
    total: np.ndarray = data["sum_squared_weights"].sum("parameter").values.astype(float)
    return total


def _ends(data: xr.Dataset) -> dict[str, int]:
    """Checkpoints at the end of memorisation and at the end of clean-up."""
    ends = clocks.phase_ends(data)
    if ends is None:
        return {}
    nearest = [int(np.abs(data["epoch"].values - end).argmin()) for end in (ends[0], ends[2])]
    return dict(zip(("memorised", "generalised"), nearest, strict=True))


def _shared_names(curves: dict[str, panels.Curve], end: float) -> dict[str, panels.Curve]:
    """Curves that end at nearly the same height share one name, so that no names pile up."""
    height = {name: float(np.interp(end, c.x, c.y)) for name, c in curves.items()}
    top = max(float(c.y.max()) for c in curves.values())
    named: dict[str, panels.Curve] = {}
    group: list[str] = []
    for name in sorted(curves, key=lambda n: height[n]):
        if group and height[name] - height[group[0]] > 0.04 * top:
            named |= _one_name(group, curves)
            group = []
        group.append(name)
    return named | _one_name(group, curves)


def _one_name(group: list[str], curves: dict[str, panels.Curve]) -> dict[str, panels.Curve]:
    rows = [" ".join(group[i : i + 3]) for i in range(0, len(group), 3)]
    names = ["\n".join(rows), *(f"_{name}" for name in group[1:])]
    return {shown: curves[name] for shown, name in zip(names, group, strict=True)}


def _formula(name: str) -> str:
    letter, _, index = name.partition("_")
    return f"${letter}_{{{index}}}$" if len(index) == 1 else rf"${letter}_{{\mathrm{{{index}}}}}$"
