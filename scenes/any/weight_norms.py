"""Weight decay's view of grokking: sum of squares by parameter, and against the training loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any._papers import after

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome

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

HALF = 0.5
"""The sum of squares has come down where at most this share of what memorising took is left."""


@dataclass(frozen=True)
class WeightNorms(Scene):
    """Sum of squared weights in all and by parameter, and against the training loss."""

    name = "weight-norms"
    title = "The sum of squared weights falls as the network generalises"
    watch = "the sum of squares falls long after the training loss is all but gone"
    source = "notebook of arXiv:2301.05217, analysis during training; paper, figure 7"
    needs = ("sum_squared_weights", "loss", "phase_end")
    aspect = 1.9
    narrow_aspect = 0.5
    ends_with_film = True
    stills = ("last", "grok-3000")

    by: Literal["layer", "parameter"] = option("layer", "a line a layer, or a parameter")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless weights change: numbers, at more than one checkpoint."""
        super().check(data)
        changes.require_checkpoints(cls.name, data)
        if not np.isfinite(_total(data)).any():
            raise InputError(f"{cls.name}: no weight of this run is a number at any checkpoint")

    def claim(self, data: xr.Dataset) -> Claim:
        """The sum of squares when it had memorised and when it had generalised."""
        run, ends = outcome(data), _ends(data)
        if run.delay is None or not ends:
            return Claim.instead(run.sentence)
        before, after = (float(_total(data)[i]) for i in ends.values())
        numbers = {"memorised": before, "generalised": after}
        sentence = f"Squared weights sum to {before:,.0f} memorised, to {after:,.0f} generalised"
        if not after <= HALF * before:
            return Claim.instead(sentence, **numbers)
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The path of the total against the loss; beside it the total, and its parts."""
        upper, lower, *main = _rooms(figure, with_loss=bool(_positive(data).any()))
        total = {"all weights": panels.at_checkpoints(data, _total(data))}
        # in a column there is no room for the names of the phases
        shown: tuple[Any, Any] = ("none", "none") if style().narrow(figure) else ("named", "shaded")
        both = [
            panels.CurvePanel(axes, data, curves, ylabel="sum of squares", phases=phases)
            for axes, curves, phases in zip(
                (upper, lower), (total, self._parts(data)), shown, strict=True
            )
        ]
        upper.set_xlabel("")
        upper.tick_params(labelbottom=style().narrow(figure))
        parts = [panel.along(data["epoch"]) for panel in both]
        return Drawing.of(*parts, *(part for axes in main for part in _path(axes, data)))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The total at that moment, and the two ends that are compared."""
        total, loss = _total(data), data["loss"].sel(split="train").values
        now = f"{total[i]:,.0f} at {clocks.at(data, 'epoch', i)}"
        words = "".join(
            f" {name.capitalize()} at {clocks.at(data, 'epoch', j)}: training loss {loss[j]:.1e}, "
            f"sum of squares {total[j]:,.0f}."
            for name, j in _ends(data).items()
        )
        return (
            "Sum of squared weights over epochs, in all and by part, and against the training "
            f"loss. In all {now}.{words}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Sum of squared weights over training, in all and by part, and against the training "
            "loss. Memorised: end of memorisation; generalised: end of "
            f"clean-up. {after('section 5.2')}"
        )

    def _parts(self, data: xr.Dataset) -> dict[str, panels.Curve]:
        squares, palette = data["sum_squared_weights"], style().colours.frequencies
        names = [str(name).rsplit(".", 1)[-1] for name in data["parameter"].values]
        groups = LAYERS if self.by == "layer" else {_formula(n): (n,) for n in sorted(names)}
        if not set(names) & {name for members in groups.values() for name in members}:
            groups = {name: (name,) for name in names}
        values = {}
        for group, members in groups.items():
            rows = [i for i, name in enumerate(names) if name in members]
            if rows:
                values[group] = squares.isel(parameter=rows).sum("parameter", skipna=False).values
        largest = {name: float(np.nan_to_num(v).max(initial=0)) for name, v in values.items()}
        # what never counts is left out: biases and positions, and more than have a colour
        least = 0.02 * max(largest.values(), default=0.0)
        order = sorted((n for n in values if largest[n] > least), key=lambda n: -largest[n])
        if self.by == "layer":
            order = order[: len(palette)]
        curves = {
            name: panels.at_checkpoints(data, values[name], palette[k % len(palette)])
            for k, name in enumerate(order)
        }
        return _shared_names(curves, panels.horizon(data)) if self.by == "parameter" else curves


def _rooms(figure: FigureBase, *, with_loss: bool) -> list[Axes]:
    """Axes for the total, the parts, and the path against the loss where there is a loss.

    The path has the main place: the larger one on the left, in a column the first.
    """
    current_style = style()
    wide = current_style.ems(figure)[0]
    if current_style.narrow(figure) or not with_loss:
        heights = (1.6, 1, 1.4)[not with_loss :]
        rooms = current_style.stack(figure, heights, left=5.0, right=8.4, vgap=4.6)
        return [*rooms[-2:], *rooms[:-2]]
    edge = 0.48 * wide
    path = current_style.panels(figure, left=5.8, right=wide - edge)[0][0]
    return [
        *current_style.stack(figure, (1, 1.3), left=edge + 5.6, right=8.4, vgap=1.5), path,
    ]  # fmt: skip


def _path(axes: Axes, data: xr.Dataset) -> list[Drawing]:
    """The sum of squares against the training loss, and both ends that are compared."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    total, positive = _total(data), _positive(data)
    loss = data["loss"].sel(split="train").values.astype(float)
    lowest, highest = float(loss[positive].min()), float(loss[positive].max())
    # a loss of 0, which has no place on the axis, is drawn at its end
    shown = np.where(loss <= 0, lowest / 3, loss)
    axes.set_xscale("log")
    axes.set(
        xlim=(highest * 2, lowest / 3), ylim=(0, 1.1 * float(np.nanmax(total))),
        xlabel="training loss" + (" (0 at the right edge)" if (loss <= 0).any() else ""),
        ylabel="sum of squares, all weights",
    )  # fmt: skip
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    return [panels.path(axes, shown, total, style().colours.ink), _mark(axes, data, shown)]


def _mark(axes: Axes, data: xr.Dataset, loss: np.ndarray) -> Drawing:
    """A dot and the sum of squares at both ends, in films once they are reached."""
    current_style, total, colours = style(), _total(data), style().colours
    artists: dict[int, list[Any]] = {}
    for name, j in _ends(data).items():
        colour = colours.muted if name == "memorised" else colours.ink
        size = current_style.points * 0.4
        dots = axes.plot(loss[j], total[j], "o", color=colour, ms=size, mew=0, zorder=4)
        note = current_style.note(
            axes, f"{name}\n{total[j]:,.0f}", (loss[j], total[j]), (-0.8, 0),
            xycoords="data", ha="right", va="top", fontweight="bold", color=colour, zorder=5,
        )  # fmt: skip
        artists.setdefault(j, []).extend([*dots, note])
    if current_style.ghost:
        return Drawing()

    def update(i: int) -> None:
        for j, marks in artists.items():
            for mark in marks:
                mark.set_visible(i >= j)

    return Drawing(list(artists.values()), update)


def _positive(data: xr.Dataset) -> np.ndarray:
    """Where the training loss and the sum of squares have a place on a logarithmic axis."""
    loss = data["loss"].sel(split="train").values.astype(float)
    positive: np.ndarray = np.isfinite(loss) & (loss > 0) & np.isfinite(_total(data))
    return positive


def _total(data: xr.Dataset) -> np.ndarray:
    total: np.ndarray = (
        data["sum_squared_weights"].sum("parameter", skipna=False).values.astype(float)
    )
    total[~np.isfinite(total)] = np.nan
    return total


def _ends(data: xr.Dataset) -> dict[str, int]:
    """Checkpoints at the end of memorisation and at the end of clean-up."""
    ends = clocks.phase_ends(data)
    if ends is None:
        return {}
    nearest = [int(np.abs(data["epoch"].values - end).argmin()) for end in (ends[0], ends[2])]
    if not np.isfinite(_total(data)[nearest]).all():
        return {}
    return dict(zip(("memorised", "generalised"), nearest, strict=True))


def _shared_names(curves: dict[str, panels.Curve], end: float) -> dict[str, panels.Curve]:
    """Curves that end at nearly the same height share one name, so that no names pile up."""
    height = {name: float(np.interp(end, c.x, c.y)) for name, c in curves.items()}
    top = max((float(np.nanmax(c.y)) for c in curves.values()), default=0.0)
    named: dict[str, panels.Curve] = {}
    group: list[str] = []
    for name in sorted(curves, key=lambda n: np.nan_to_num(height[n])):
        if group and height[name] - height[group[0]] > 0.04 * top:
            named |= _one_name(group, curves)
            group = []
        group.append(name)
    return named | (_one_name(group, curves) if group else {})


def _one_name(group: list[str], curves: dict[str, panels.Curve]) -> dict[str, panels.Curve]:
    rows = [" ".join(group[i : i + 3]) for i in range(0, len(group), 3)]
    names = ["\n".join(rows), *(f"_{name}" for name in group[1:])]
    colour = curves[group[0]].colour
    return {
        shown: replace(curves[name], colour=colour)
        for shown, name in zip(names, group, strict=True)
    }


def _formula(name: str) -> str:
    letter, _, index = name.partition("_")
    return f"${letter}_{{{index}}}$" if len(index) == 1 else rf"${letter}_{{\mathrm{{{index}}}}}$"
