"""The first-layer weights of all neurons, above those of the solution that can be written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.media import typefaces
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

DRAWN = 4
"""How many waves are drawn, the lowest first, so that a weight can be seen."""

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
    """Neurons side by side, a column each, in blocks by the wave they end with, by its phase."""

    name = "written-by-hand"
    title = "Training comes close to a solution written down by hand"
    watch = "A column is a neuron: its weight from each number, orange above 0, blue below"
    source = "arXiv:2301.02679; arXiv:2602.16849"
    needs = ("input_weight", "final_frequency", "neuron_phase", "accuracy")
    recipe = "two-layer-addition-quadratic"
    reference = "two-layer-quadratic"
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 1.0

    phases: int = option(0, "seed of the phases that are written down", whole(0))
    waves: int = option(DRAWN, "how many waves are drawn, the lowest first", whole(1))

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
        if share >= PURE and right >= 0.95:
            return Claim(self.title, self.watch, numbers=numbers)
        sentence = f"One wave a neuron holds {percent(share)} of the weights from the inputs"
        return Claim.instead(sentence, self.watch, **numbers)

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
        """The trained weights above, those written down below, in blocks of the same waves."""
        rows = style().stack(figure, (1, 1), left=4.2, right=2.0, top=2.2, bottom=3.8, vgap=2.6)
        frequency, order = _sorted(data)
        written, p = self.by_hand(data), data.sizes["residue"]
        drawn = _blocks(frequency[order], written.frequency, self.waves)
        weights = data["input_weight"].values[:, order[drawn.trained]].astype(float)
        tops = np.quantile(np.abs(weights), BRIGHTEST, axis=(1, 2))
        count = weights.shape[1]
        for axes in rows:
            _whole_cells(figure, axes, (count, p))
        image = grids.heat(rows[0], (p, count), diverging=True)
        by_hand = written.weights[drawn.written].T
        grids.heat(rows[1], (p, by_hand.shape[1]), diverging=True).set_data(by_hand)
        known = sorted({int(k) for k in frequency if k > 0})
        names = frequency[order[drawn.trained]], written.frequency[drawn.written]
        _name_waves(rows[1], names[1], known)
        for axes, wave in zip(rows, names, strict=True):
            _part_waves(axes, wave)
            _name_numbers(axes, p)
        _name_neurons(rows[1], len(set(names[0])), len(known))
        notes: dict[str, Any] = {"fontweight": "bold", "color": style().colours.ink}
        style().note(rows[0], "trained", (0, 1), (0, 0.5), **notes)
        style().note(rows[1], "written down", (0, 1), (0, 0.5), **notes)
        muted: dict[str, Any] = {"ha": "right", "color": style().colours.muted}
        now = style().note(rows[0], "", (1, 1), (0, 0.5), **muted)
        epochs, saved = data["field_epoch"].values, data["epoch"].values
        accuracy, narrow = data["accuracy"].sel(split="all").values, style().narrow(figure)

        def beside(accuracy: float, alike: float) -> str:
            pure = f"correlation with a pure wave {alike:.2f}   \u00b7   "
            return f"{'' if narrow else pure}{_answers(accuracy)}"

        by_hand_alike = _mean_correlation(*_in_waves(written.weights, written.frequency))
        style().note(rows[1], beside(written.accuracy, by_hand_alike), (1, 1), (0, 0.5), **muted)

        def update(i: int) -> None:
            # noise is as bright as waves are, so that it is seen to become them
            image.set_data(weights[i].T / (tops[i] or 1.0))
            right = accuracy[int(np.searchsorted(saved, epochs[i]))]
            now.set_text(beside(right, _correlation(data, i)))

        return Drawing([image, now], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of the weights is one wave a neuron."""
        count, p = data.sizes["neuron"], data.sizes["residue"]
        return (
            f"The weights of {count:,} neurons from each of {p} numbers, sorted by the frequency "
            "and the phase that they end with, above those of the solution written down. At "
            f"{clocks.at(data, 'field_epoch', i)} one wave a neuron holds "
            f"{percent(_share(data, i))} of the squared weights, and a neuron's weights correlate "
            f"with it by {_correlation(data, i):.2f} on average; in the end "
            f"{percent(_accuracy(data))} of all pairs are answered right, by the written solution "
            f"{percent(self.by_hand(data).accuracy)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Written down (Gromov 2023, arXiv:2301.02679): neurons that square cos(2πka/p + φ) + "
            "cos(2πkb/p + χ), with phases φ and χ drawn at random and the frequencies k dealt "
            "evenly, and answer q with cos(2πkq/p + φ + χ). Drawn: the weights from a, as shares "
            "of the largest of the moment; blue is below 0. Of the lowest frequencies, each with "
            "as many neurons of both, evenly from all by phase. Correlation: of each neuron's "
            "weights with its own wave, the mean over all neurons that have one. "
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


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Which of the sorted neurons are drawn, trained and written down."""

    trained: Int[np.ndarray, " drawn"]
    written: Int[np.ndarray, " drawn"]


def _blocks(
    trained: Int[np.ndarray, " neuron"], written: Int[np.ndarray, " neuron"], most: int
) -> _Blocks:
    """The lowest waves that both have, each with as many neurons of both, evenly from its own.

    Where they share none, each has its own lowest.
    """
    shared = sorted({int(k) for k in trained if k > 0} & {int(k) for k in written})[:most]
    sides = []
    for frequency in (trained, written):
        lowest = shared or sorted({int(k) for k in frequency if k > 0})[:most]
        at = [np.flatnonzero(frequency == k) for k in lowest]
        counts = [min((trained == k).sum(), (written == k).sum()) for k in shared]
        sides.append(np.concatenate([
            members[np.arange(count) * len(members) // count]
            for members, count in zip(at, counts or map(len, at), strict=True)
        ]))  # fmt: skip
    return _Blocks(*sides)


def _power(
    data: xr.Dataset, i: int
) -> tuple[Float[np.ndarray, " neuron"], Float[np.ndarray, " neuron"]]:
    """The squared weights of each neuron in its own wave, and in all; their means left out."""
    return _in_waves(data["input_weight"].values[i], data["final_frequency"].values)


def _in_waves(
    weights: Float[np.ndarray, "neuron residue"], frequency: Int[np.ndarray, " neuron"]
) -> tuple[Float[np.ndarray, " neuron"], Float[np.ndarray, " neuron"]]:
    """The same of some weights, whose neurons have these waves; 0 is none."""
    power = np.abs(waves(weights.astype(float))) ** 2
    own = power[np.arange(len(power)), np.maximum(frequency, 1) - 1] * (frequency > 0)
    return own, power.sum(axis=1)


def _share(data: xr.Dataset, i: int) -> float:
    """Share of the squared weights in each neuron's own wave, of all but their means."""
    own, power = _power(data, i)
    return float(own.sum() / max(power.sum(), 1e-300))


def _correlation(data: xr.Dataset, i: int) -> float:
    """The correlation of a neuron's weights with its own wave, at the phase that fits best.

    The mean over the neurons that have one.
    """
    own, power = _power(data, i)
    known = data["final_frequency"].values > 0
    return _mean_correlation(own[known], power[known])


def _mean_correlation(
    own: Float[np.ndarray, " neuron"], power: Float[np.ndarray, " neuron"]
) -> float:
    """Of neurons with so much power in their waves, and in all."""
    return float(np.sqrt(own / np.maximum(power, 1e-300)).mean())


def _answers(accuracy: float) -> str:
    return f"{percent(accuracy)} of sums right"


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


def _part_waves(axes: Axes, frequency: Int[np.ndarray, " neuron"]) -> None:
    """A gap between the blocks of two waves."""
    for at in np.flatnonzero(np.diff(frequency)):
        axes.axvline(at + 0.5, color=style().colours.background, lw=1.4 * style().line)


def _name_numbers(axes: Axes, p: int) -> None:
    """The first and the last number at the left of their rows."""
    axes.set_yticks([0, p - 1])
    axes.tick_params(axis="y", length=0, labelcolor=style().colours.muted)
    axes.set_ylabel("number", labelpad=-0.6 * style().small)


def _name_neurons(axes: Axes, drawn: int, known: int) -> None:
    """Below the waves what stands side by side, and how many of the waves present are drawn."""
    some = f"{drawn} of the {known} waves present" if drawn < known else "each wave"
    narrow = style().narrow(axes.figure)
    words = "neurons, by phase" if narrow else f"neurons of {some}, sorted by phase"
    axes.annotate(
        words, (0.5, 0), (0, -1.75 * style().small), xycoords="axes fraction",
        textcoords="offset points", ha="center", va="top", fontsize=style().points,
    )  # fmt: skip


def _name_waves(axes: Axes, frequency: Int[np.ndarray, " neuron"], known: list[int]) -> None:
    """How often each wave goes round, below the middle of its neurons, where it has room."""
    current_style = style()
    room = axes.get_window_extent().width / len(frequency)
    small = current_style.pixels(axes, current_style.small)
    for k in sorted({int(k) for k in frequency if k > 0}):
        at = np.flatnonzero(frequency == k)
        words = f"{k} cycle" if k == 1 else f"{k} cycles"
        if room * len(at) < small * (typefaces.width(words) + 1):
            words = str(k)
        if room * len(at) < 1.2 * small:
            continue
        colour = current_style.colours.words(current_style.colours.frequency(k, known))
        axes.annotate(
            words, ((at.mean() + 0.5) / len(frequency), 0), (0, -0.35 * current_style.small),
            xycoords="axes fraction", textcoords="offset points", ha="center", va="top",
            fontsize=current_style.small, fontweight="bold", color=colour,
        )  # fmt: skip
