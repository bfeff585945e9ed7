"""The first-layer weights of all neurons, above those of the solution that can be written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.media.theme import SLIDE_DPI
from grokviz.options import whole
from grokviz.scene import Claim, Drawing, Scene, grids, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent
from grokviz.tasks.two_layer_addition.formulas.analytic import analytic_weights
from grokviz.tasks.two_layer_addition.formulas.answers import all_logits, margins
from grokviz.tasks.two_layer_addition.formulas.waves import at_frequency, own_frequency, waves

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

PURE = 0.8
"""Share of the squared weights in one wave a neuron above which they are that solution's."""

BRIGHTEST = 0.98
"""Weights beyond this quantile of a moment's have the strongest colour."""


@dataclass(frozen=True, eq=False)
class _Solution:
    """First-layer weights of the solution, sorted, their waves, and its accuracy on all pairs."""

    weights: Float[np.ndarray, "neuron residue"]
    frequency: Int[np.ndarray, " neuron"]
    accuracy: float


@dataclass(frozen=True)
class WrittenByHand(Scene):
    """All neurons side by side, a column each, sorted by the wave they end with and its phase."""

    name = "written-by-hand"
    title = "Training comes close to a solution written down by hand"
    watch = "A column is a neuron's weights from all numbers; sorted by wave, and by phase"
    source = "arXiv:2301.02679; arXiv:2602.16849"
    needs = ("input_weight", "final_frequency", "neuron_phase", "accuracy")
    recipe = "two-layer-addition-quadratic"
    reference = "two-layer-quadratic"
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 1.0

    phases: int = option(0, "seed of the phases that are written down", whole(0))

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a neuron has a wave."""
        super().check(data)
        if not (data["final_frequency"].values > 0).any():
            raise InputError(f"{cls.name} sorts neurons by their waves, and no neuron has one")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the weights is one wave a neuron, and how often the network is right."""
        share, right = _share(data, -1), _accuracy(data)
        numbers = {"share": share, "accuracy": right, "by hand": self.by_hand(data).accuracy}
        watch = (
            f"A column is a neuron's weights from the numbers 0 to {data.sizes['residue'] - 1}; "
            "sorted by wave, and by phase"
        )
        if share >= PURE and right >= 0.95:
            return Claim(self.title, watch, numbers=numbers)
        sentence = f"One wave a neuron holds {percent(share)} of the weights from the inputs"
        return Claim.instead(sentence, watch, **numbers)

    def by_hand(self, data: xr.Dataset) -> _Solution:
        """The solution of as many neurons."""
        p, width = data.sizes["residue"], data.sizes["neuron"]
        weights = analytic_weights(p, width, np.random.default_rng(self.phases))
        amplitudes = waves(weights.layers[:1])
        frequency = own_frequency(amplitudes)
        own = np.angle(at_frequency(amplitudes, frequency)[0])
        right = float((margins(all_logits(weights, "quadratic")) > 0).mean())
        order = _order(frequency, own)
        return _Solution(weights.of_a[order], frequency[order], right)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The trained weights above, those written down below, and the waves' numbers between."""
        rows = style().stack(figure, (1, 1), left=4.2, right=2.0, top=2.2, bottom=2.4, vgap=4.2)
        frequency, order = _sorted(data)
        weights = data["input_weight"].values[:, order].astype(float)
        tops = np.quantile(np.abs(weights), BRIGHTEST, axis=(1, 2))
        count, p = weights.shape[1:]
        written = self.by_hand(data)
        for axes in rows:
            _whole_cells(figure, axes, (count, p))
        image = grids.heat(rows[0], (p, count), diverging=True)
        grids.heat(rows[1], (p, count), diverging=True).set_data(written.weights.T)
        _name_waves(rows[0], frequency[order])
        _name_waves(rows[1], written.frequency)
        notes: dict[str, Any] = {"fontweight": "bold", "color": style().colours.ink}
        style().note(rows[0], "trained", (0, 1), (0, 0.6), **notes)
        style().note(rows[1], "written down", (0, 1), (0, 0.6), **notes)
        muted: dict[str, Any] = {"ha": "right", "color": style().colours.muted}
        now = style().note(rows[0], "", (1, 1), (0, 0.6), **muted)
        style().note(
            rows[1], f"{percent(written.accuracy)} of the pairs right", (1, 1), (0, 0.6), **muted
        )
        epochs, known = data["field_epoch"].values, data["epoch"].values
        accuracy = data["accuracy"].sel(split="all").values

        def update(i: int) -> None:
            # noise is as bright as waves are, so that it is seen to become them
            image.set_data(weights[i].T / (tops[i] or 1.0))
            at = int(np.searchsorted(known, epochs[i]))
            now.set_text(f"{percent(accuracy[at])} of the pairs right")

        return Drawing([image, now], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of the weights is one wave a neuron."""
        count, p = data.sizes["neuron"], data.sizes["residue"]
        return (
            f"The weights of {count:,} neurons from each of {p} numbers, sorted by the frequency "
            "and the phase that they end with, above those of the solution written down. At "
            f"{clocks.at(data, 'field_epoch', i)} one wave a neuron holds "
            f"{percent(_share(data, i))} of "
            f"the squared weights; in the end {percent(_accuracy(data))} of all pairs are "
            f"answered right, by the written solution {percent(self.by_hand(data).accuracy)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Written down (Gromov 2023, arXiv:2301.02679): neurons that square cos(2πka/p + φ) + "
            "cos(2πkb/p + χ), with phases φ and χ drawn at random and the frequencies k dealt "
            "evenly, and answer q with cos(2πkq/p + φ + χ). Drawn: the weights from a, as shares "
            "of the largest of the moment; blue is below 0. Sorted by frequency, then by phase. "
            "After arXiv:2602.16849."
        )


def _order(
    frequency: Int[np.ndarray, " neuron"], phase: Float[np.ndarray, " neuron"]
) -> Int[np.ndarray, " neuron"]:
    order: Int[np.ndarray, " neuron"] = np.lexsort((phase, frequency))
    return order


def _sorted(data: xr.Dataset) -> tuple[Int[np.ndarray, " neuron"], Int[np.ndarray, " neuron"]]:
    """The final frequency of each neuron, and the order in which they are drawn."""
    frequency = data["final_frequency"].values.astype(int)
    return frequency, _order(frequency, data["neuron_phase"].values[-1, 0])


def _share(data: xr.Dataset, i: int) -> float:
    """Share of the squared weights in each neuron's own wave, of all but their means."""
    weights = data["input_weight"].values[i].astype(float)
    power = np.abs(waves(weights)) ** 2
    frequency = data["final_frequency"].values
    own = power[np.arange(len(power)), np.maximum(frequency, 1) - 1] * (frequency > 0)
    return float(own.sum() / max(power.sum(), 1e-300))


def _accuracy(data: xr.Dataset) -> float:
    return float(data["accuracy"].sel(split="all").values[-1])


def _whole_cells(figure: FigureBase, axes: Axes, cells: tuple[int, int]) -> None:
    """Make the axes so much smaller that on a slide a cell is a whole number of pixels."""
    scale = figure.get_figure(root=True).dpi / SLIDE_DPI
    box: Any = figure
    room = axes.get_window_extent()
    if not style().slide or room.width < cells[0] * scale or room.height < cells[1] * scale:
        return
    sizes = [
        side / scale // count * count * scale
        for side, count in zip((room.width, room.height), cells, strict=True)
    ]
    x = round(room.x0 - box.bbox.x0) / box.bbox.width
    y = round(room.y1 - box.bbox.y0 - sizes[1]) / box.bbox.height
    width, height = sizes[0] / box.bbox.width, sizes[1] / box.bbox.height
    axes.set_position((x, y, width, height))


def _name_waves(axes: Axes, frequency: Int[np.ndarray, " neuron"]) -> None:
    """The number of each wave below the middle of its neurons, where it has room."""
    current_style = style()
    known = sorted({int(k) for k in frequency if k > 0})
    room = axes.get_window_extent().width / len(frequency)
    for k in known:
        at = np.flatnonzero(frequency == k)
        if room * len(at) < 1.2 * current_style.pixels(axes, current_style.small):
            continue
        colour = current_style.colours.words(current_style.colours.frequency(k, known))
        axes.annotate(
            str(k), ((at.mean() + 0.5) / len(frequency), 0), (0, -0.35 * current_style.small),
            xycoords="axes fraction", textcoords="offset points", ha="center", va="top",
            fontsize=current_style.small, fontweight="bold", color=colour,
        )  # fmt: skip
