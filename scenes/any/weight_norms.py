"""Weight decay's view of grokking: the sum of squared weights, above the training loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._papers import after

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import Outcome, outcome

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

CLEAN = "end of clean-up"
"""What the second dot is called everywhere."""

HALF = 0.5
"""The sum of squares has come down where at most this share of its largest is left."""


ABOVE = 1.22
"""The axis of the sum ends so many times as high as its largest, clear of the peak's name."""


@dataclass(frozen=True)
class WeightNorms(Scene):
    """Sum of squared weights in all and by parameter, and the training loss below it."""

    name = "weight-norms"
    title = "The sum of squared weights falls as the network generalises"
    watch = "the training loss is all but gone before the weights begin to shrink"
    source = "notebook of arXiv:2301.05217, analysis during training; paper, figure 7"
    disputed = (
        "Disputed: others get grokking without weight decay and without falling weights, by "
        "features that are learned late (arXiv:2310.06110)."
    )
    needs = ("sum_squared_weights", "logged_train_loss", "logged_test_loss", "phase_end")
    aspect = 1.9
    narrow_aspect = 0.62
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
        """The sum of squares at its largest and when the run had generalised."""
        run, ends = outcome(data), _ends(data)
        if run.delay is None or not ends:
            return Claim.instead(_in_place(data, run))
        before, after = (float(_total(data)[i]) for i in ends.values())
        numbers = {"peak": before, "end": after}
        change = f"from {before:,.0f} to {after:,.0f}"
        if not after <= HALF * before:
            sentence = f"The sum of squared weights goes {change} as the network generalises"
            return Claim.instead(sentence, **numbers)
        sentence = f"Squared weights fall {change} by the {CLEAN}"
        part = self._shrinks_most(data)
        watch = f"dots: the peak and the {CLEAN}"
        watch = f"{watch}; in absolute terms {part} falls most" if part else watch
        return Claim(sentence, watch, numbers=numbers)

    def _shrinks_most(self, data: xr.Dataset) -> str:
        """The part that loses most between both ends; empty where several share its name."""
        ends = [float(data["epoch"].values[i]) for i in _ends(data).values()]
        falls = {
            name: -float(np.diff(np.interp(ends, curve.x, curve.y))[0])
            for name, curve in self._parts(data).items()
        }
        part = max(falls, key=lambda name: np.nan_to_num(falls[name]), default="")
        return "" if part.startswith("_") or "\n" in part or " $" in part else part

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The total above the training loss; beside them the total by its parts."""
        train, narrow = panels.losses(data)["train"], style().narrow(figure)
        known = bool((np.isfinite(train.y) & (train.y > 0)).any())
        upper, right, *lower = _rooms(figure, with_loss=known)
        total = {"_all weights": panels.at_checkpoints(data, _total(data))}
        # in a column there is no room for the names of the phases
        named: Any = "none" if narrow else "named"
        shaded: Any = "none" if narrow else "shaded"
        drawn = [
            panels.CurvePanel(
                upper, data, total, ylabel="sum of squares", phases=named,
                ylim=(0, ABOVE * float(np.nanmax(_total(data)))),
            ),
            _Parts(
                right, data, self._parts(data), phases=shaded,
                ylabel="by part" if narrow else "sum of squares, by part",
            ),
        ]  # fmt: skip
        for axes in lower:
            loss = {"_train": train}
            drawn.append(
                panels.CurvePanel(axes, data, loss, ylabel="train loss", log=True, phases=shaded)
            )
        panels.without_time(*((upper, *lower) if narrow else (upper,) if lower else ()))
        moving = [panel.along(data["epoch"]) for panel in drawn]
        return Drawing.of(*moving, _mark(upper, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The total at that moment, and the two ends that are compared."""
        total = _total(data)
        now = f"{total[i]:,.0f} at {clocks.at(data, 'epoch', i)}"
        words = "".join(
            f" {name.capitalize()} at {clocks.at(data, 'epoch', j)}: training loss "
            f"{panels.loss_at(data, 'train', j)}, sum of squares {total[j]:,.0f}."
            for name, j in _ends(data).items()
        )
        return (
            "Sum of squared weights over epochs, in all and by part, and the training loss. "
            f"In all {now}.{words}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Sum of squared weights over training, in all and by part, and the training loss. "
            f"Peak: the largest until the {CLEAN}. "
            f"{after('section 5.2')}"
        )

    def _parts(self, data: xr.Dataset) -> dict[str, panels.Curve]:
        squares, palette = data["sum_squared_weights"], style().colours.frequencies
        names = [str(name).rsplit(".", 1)[-1] for name in data["parameter"].values]
        groups = LAYERS if self.by == "layer" else {_formula(n): (n,) for n in sorted(names)}
        places = {
            group: [i for i, name in enumerate(names) if name in members]
            for group, members in groups.items()
        }
        if not set(names) & {name for members in LAYERS.values() for name in members}:
            most = len(palette) if self.by == "layer" else len(names)
            rows = tensors.rows_of(data, "*", most)
            places = dict(zip(rows.names, rows.members, strict=True))
        values = {
            group: squares.isel(parameter=some).sum("parameter", skipna=False).values
            for group, some in places.items()
            if some
        }
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


class _Parts(panels.CurvePanel):
    """Parts whose names a line leads to, as many end near one another."""

    def name_curves(self, end: float) -> panels.EndNames:
        """The names, farther off."""
        return panels.EndNames(self.axes, self.curves, leaders=True)


def _rooms(figure: FigureBase, *, with_loss: bool) -> list[Axes]:
    """Axes for the total, for its parts, and for the training loss where there is one."""
    current_style = style()
    if current_style.narrow(figure):
        heights = (1.5, 0.9, 1.5) if with_loss else (1, 1)
        upper, *lower, parts = current_style.stack(
            figure, heights, left=5.0, right=9.0, vgap=1.4, top=1.2
        )
        return [upper, parts, *lower]
    wide = current_style.ems(figure)[0]
    edge = 0.5 * wide
    heights = (1.4, 1) if with_loss else (1,)
    upper, *lower = current_style.stack(figure, heights, left=5.0, right=wide - edge, vgap=1.4)
    parts = current_style.panels(figure, left=edge + 5.6, right=9.3)[0][0]
    return [upper, parts, *lower]


def _mark(axes: Axes, data: xr.Dataset) -> Drawing:
    """A dot and the sum of squares at both ends, in films once they are reached."""
    current_style, total, epochs = style(), _total(data), data["epoch"].values
    artists: dict[int, list[Any]] = {}
    for name, j in _ends(data).items():
        dots = axes.plot(
            epochs[j], total[j], "o", color=current_style.colours.ink,
            ms=current_style.points * 0.45, mew=0, zorder=6,
        )  # fmt: skip
        if name == "peak":
            place: dict[str, Any] = {"ha": "left", "lift": 0.3}
        else:
            # a falling curve leaves room below it
            place = {"ha": "center", "va": "top", "lift": -0.45}
        narrow = name != "peak" and current_style.narrow(axes.figure)
        half = 0.34 * current_style.pixels(axes, current_style.small) * len(name) if narrow else 0
        right = axes.transData.inverted().transform((axes.bbox.x1 - half, axes.bbox.y0))[0]
        words = f"{name}\n{total[j]:,.0f}" if narrow else f"{name}: {total[j]:,.0f}"
        x = min(float(epochs[j]), float(right))
        note = current_style.label(axes, x, total[j], words, zorder=6, **place)
        artists.setdefault(j, []).extend([*dots, note])
    if current_style.ghost:
        return Drawing()

    def update(i: int) -> None:
        for j, marks in artists.items():
            for mark in marks:
                mark.set_visible(i >= j)

    return Drawing(list(artists.values()), update)


def _in_place(data: xr.Dataset, run: Outcome) -> str:
    """What is said of a run that did not grok: what its losses say of it, else its two ends."""
    memorised_only = run.memorised is not None and run.tested and not run.learned
    total, epochs = _total(data), data["epoch"].values
    known = np.flatnonzero(np.isfinite(total))
    if memorised_only or run.diverged is not None or known.size < 2:
        return run.sentence
    (first, last), end = total[known[[0, -1]]], epochs[known[-1]]
    return f"Squared weights go from {first:,.3g} to {last:,.3g} by {run.word} {end:,}"


def _total(data: xr.Dataset) -> np.ndarray:
    total: np.ndarray = (
        data["sum_squared_weights"].sum("parameter", skipna=False).values.astype(float)
    )
    total[~np.isfinite(total)] = np.nan
    return total


def _ends(data: xr.Dataset) -> dict[str, int]:
    """Checkpoints of the largest sum until the end of clean-up, and at that end."""
    ends, total = clocks.phase_ends(data), _total(data)
    if ends is None:
        return {}
    last = int(np.abs(data["epoch"].values - ends[2]).argmin())
    if not np.isfinite(total[last]):
        return {}
    return {"peak": int(np.nanargmax(total[: last + 1])), CLEAN: last}


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
