"""Weight decay's view of grokking: the squared weights of each part, stacked to their sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._band_names import BandNames
from grokviz.scenes.any._papers import after

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, panels, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import Outcome, outcome
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LAYERS = {
    "MLP": ("W_in", "W_out", "b_in", "b_out"),
    "what heads write": ("W_V", "W_O"),
    "where heads look": ("W_Q", "W_K"),
    "embedding": ("W_E", "W_pos"),
    "unembedding": ("W_U",),
}

CLEAN = "end of clean-up"
"""What the second dot is called everywhere."""

HALF = 0.5
"""The sum of squares has come down where at most this share of its largest is left."""


GROWN = 1.1
"""So many times its first value has the sum to be at memorising, where that grew it."""

MOST = 8
"""Bands with a name of their own: more could not be told apart."""

STRONG = 0.5
"""So much of a band's colour is its own, the rest the ground's."""

END, END_NARROW = 10.6, 9.4
"""Room at the right for names of bands that are too thin for them, in ems."""

ABOVE = 1.16
"""The axis of the sum ends so many times as high as its largest, clear of the peak's name."""


@dataclass(frozen=True)
class WeightNorms(Scene):
    """Squared weights of each part over training, stacked to their sum."""

    name = "weight-norms"
    title = "Memorising takes large weights, generalising small ones"
    watch = "Bands are the squared weights of each part"
    source = "notebook of arXiv:2301.05217, analysis during training; paper, figure 7"
    disputed = (
        "Disputed: others get grokking without weight decay and without falling weights, by "
        "features that are learned late (arXiv:2310.06110)."
    )
    needs = ("sum_squared_weights", "logged_train_loss", "logged_test_loss", "phase_end")
    aspect = 1.9
    narrow_aspect = 1.0
    ends_with_film = True
    stills = ("last", "grok-3000")

    by: Literal["layer", "parameter"] = option("layer", "a band a layer, or a parameter")

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
        grown = _grown(data, run)
        numbers["grown"] = grown
        watch = f"{self.watch}; their sum falls {change}"
        if grown >= GROWN:
            return Claim(self.title, watch, numbers=numbers)
        sentence = f"The network generalises while its weights shrink to {percent(after / before)}"
        return Claim(sentence, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The bands, their sum with both its ends marked, and when the run turned."""
        narrow = style().narrow(figure)
        axes = style().panels(figure, left=5.0, right=2.2, top=1.6 if narrow else 2.0)[0][0]
        total = {"_all weights": panels.at_checkpoints(data, _total(data))}
        panel = panels.CurvePanel(
            axes, data, total, ylabel="sum of squared weights", phases="none",
            ylim=(0, ABOVE * float(np.nanmax(_total(data)))),
        )  # fmt: skip
        turned = timeline.Turns(axes, data)
        lines = [turn.at for turn, _, _ in turned.marks]
        bands = _Bands(axes, data, self._parts(data), panel, lines)
        return Drawing.of(panel.along(data["epoch"]), bands, turned, _mark(axes, data))

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
            "Bands of the squared weights of each part over training, stacked to their sum. "
            f"In all {now}.{words}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Sums of squared weights over training, by part, stacked to that of all weights, with "
            "the first moments of a train and of a test loss below 0.1. "
            f"Dots: the largest until the {CLEAN}, and at that. "
            f"{after('section 5.2')}"
        )

    def _parts(self, data: xr.Dataset) -> dict[str, np.ndarray]:
        """The sum of squares of each part at each checkpoint, the largest first; the rest last."""
        squares = data["sum_squared_weights"]
        names = [str(name).rsplit(".", 1)[-1] for name in data["parameter"].values]
        groups = LAYERS if self.by == "layer" else {_formula(n): (n,) for n in sorted(names)}
        places = {
            group: [i for i, name in enumerate(names) if name in members]
            for group, members in groups.items()
        }
        if not set(names) & {name for members in LAYERS.values() for name in members}:
            most = MOST if self.by == "layer" else len(names)
            rows = tensors.rows_of(data, "*", most)
            places = dict(zip(rows.names, rows.members, strict=True))
        values = {
            group: squares.isel(parameter=some).sum("parameter", skipna=False).values.astype(float)
            for group, some in places.items()
            if some
        }
        largest = {name: float(np.nan_to_num(v).max(initial=0)) for name, v in values.items()}
        # what never counts has no band of its own: biases and positions
        least = 0.02 * max(largest.values(), default=0.0)
        order = sorted((n for n in values if largest[n] > least), key=lambda n: -largest[n])[:MOST]
        parts = {name: values[name] for name in order}
        rest = _total(data) - sum(parts.values(), np.zeros(data.sizes["epoch"]))
        if np.nan_to_num(rest).max(initial=0) > least:
            parts["the rest"] = rest
        return parts


class _Bands:
    """The parts as bands on one another, the largest lowest, each named inside itself.

    What is too thin for its name has it at its right end.
    """

    def __init__(
        self,
        axes: Axes,
        data: xr.Dataset,
        parts: dict[str, np.ndarray],
        panel: panels.CurvePanel,
        lines: list[int],
    ) -> None:
        from matplotlib.colors import to_rgba

        self.axes, self.epochs, self.panel = axes, data["epoch"].values.astype(float), panel
        stacked = np.cumsum([np.zeros(len(self.epochs)), *parts.values()], axis=0)
        self.edges = np.nan_to_num(stacked, posinf=0.0)
        colours = style().colours
        tones = colour_map(colours.heights)(np.linspace(0.16, 0.6, max(len(parts), 2)))
        # on paper the darkest of them is nearest to the ink, as on a screen the lightest is
        tones = tones if style().slide else tones[::-1]
        # near the ground, so that names can be read on them and their sum stands out
        tones = STRONG * tones + (1 - STRONG) * np.array(to_rgba(colours.background))
        look: dict[str, Any] = {"lw": 0.25 * style().line, "ec": colours.background, "zorder": 1.5}
        self.bands = []
        for n in range(len(parts)):
            whole = self._band(n, np.inf)
            if style().ghost:
                axes.fill_between(*whole, color=tones[n], alpha=0.3, lw=0, zorder=1.4)
            self.bands.append(axes.fill_between(*whole, fc=tones[n], **look))
        self.inside = BandNames(axes, [*parts], (self.epochs, self.edges), lines)
        self.inside.place()
        if outside := {*self.inside.others}:
            # room for them at the right, which others may then lack
            width = style().ems(axes.figure)[0]
            box = axes.get_position()
            right = END_NARROW if style().narrow(axes.figure) else END
            axes.set_position((box.x0, box.y0, 1 - right / width - box.x0, box.height))
            self.inside.names = [name for name in parts if name not in outside]
            self.inside.place()
            outside |= {*self.inside.others}
        self.inside.draw()
        curves = {
            name: panels.Curve.of(self.epochs, (low + high) / 2, colours.muted)
            for name, low, high in zip(parts, self.edges[:-1], self.edges[1:], strict=True)
            if name in outside
        }
        self.names = panels.EndNames(axes, curves, leaders=True) if curves else None
        if self.names is not None:
            self.names.levels.lines = []

    @property
    def moving(self) -> list[Any]:
        outside = [] if self.names is None else self.names.moving
        return [*self.bands, *self.inside.moving, *outside]

    def update(self, i: int) -> None:
        moment = self.epochs[i]
        for n, band in enumerate(self.bands):
            band.set_data(*self._band(n, moment))
        # where the future is drawn the names are those of its end
        end = self.axes.get_xlim()[1]
        self.inside.update(moment)
        if self.names is not None:
            self.names.update(end if style().ghost else min(moment, end))

    def _band(self, n: int, moment: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        past = slice(0, max(int(np.searchsorted(self.epochs, moment, side="right")), 1))
        return self.epochs[past], self.edges[n, past], self.edges[n + 1, past]


def _mark(axes: Axes, data: xr.Dataset) -> Drawing:
    """A dot and the sum of squares at both ends, in films once they are reached."""
    current_style, total, epochs = style(), _total(data), data["epoch"].values
    artists: dict[int, list[Any]] = {}
    for name, j in _ends(data).items():
        dots = axes.plot(
            epochs[j], total[j], "o", color=current_style.colours.ink,
            ms=current_style.points * 0.45, mew=0, zorder=6,
        )  # fmt: skip
        peak = name == "peak"
        words = f"peak: {total[j]:,.0f}" if peak else f"{total[j]:,.0f}"
        # the sum falls from the left, and the names of the parts are at the right
        roomy = peak or epochs[j] < 0.75 * axes.get_xlim()[1]
        note = current_style.label(
            axes, float(epochs[j]), total[j], words, ha="left" if roomy else "right",
            lift=0.3 if peak else 0.5, zorder=6,
        )  # fmt: skip
        artists.setdefault(j, []).extend([*dots, note])
    if current_style.ghost:
        return Drawing()

    def update(i: int) -> None:
        for j, marks in artists.items():
            for mark in marks:
                mark.set_visible(i >= j)

    return Drawing(list(artists.values()), update)


def _grown(data: xr.Dataset, run: Outcome) -> float:
    """How many times its first value the sum is when the run has memorised; NaN without."""
    total, epochs = _total(data), data["epoch"].values
    if run.memorised is None or not total[0] > 0:
        return float("nan")
    return float(total[int(np.searchsorted(epochs, run.memorised))] / total[0])


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


def _formula(name: str) -> str:
    letter, _, index = name.partition("_")
    return f"${letter}_{{{index}}}$" if len(index) == 1 else rf"${letter}_{{\mathrm{{{index}}}}}$"
