"""The neurons' two-dimensional spectra: of thousands of waves a few remain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, style
from grokviz.scene import clock as clocks
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BEND, FULL = 0.5, 0.05
"""The haze shows shares of variance to this power, and from this share on in full colour."""


THREE_DOTS = 0.8
"""The share of its variance that makes a neuron the three dots of its frequency."""


@dataclass(frozen=True)
class NeuronSpectra(Scene):
    """2-D Fourier transforms of the same neurons that neuron-activations shows."""

    name = "neuron-spectra"
    panels = ("spectrum", "neuron")
    title = "Of each neuron's spectrum three dots stay"
    watch = "the haze goes; three dots of the neuron's own frequency stay, and their share"
    source = "thread, tweet 10; arXiv:2301.05217, section 4.3"
    loops = True
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "embedding_frequency_norm", "logged_train_loss",
        "logged_test_loss", "phase_end",
    )  # fmt: skip
    clock = "field_epoch"
    aspect = 2.05
    narrow_aspect = 0.86
    stills = ("last", "grok-3000")

    most: int = option(10, "how many of the stored neurons to show, of each frequency in turn")

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 12:
            raise ValueError(f"most={self.most} is not possible; give 1 to 12")

    def claim(self, data: xr.Dataset) -> Claim:
        """The least that three dots hold of a neuron shown, of a run that generalised."""
        neurons = _neurons.neurons_in_turn(data, self.most)
        frequency = data["neuron_frequency"].values[neurons]
        shares = data["neuron_variance_explained"].values[neurons].astype(float)
        least = float(np.where(frequency == NO_FREQUENCY, 0, shares).min())
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, share=least)
        before, dots = self._before(data), (data.sizes["row"] // 2 + 1) // 2
        numbers = {"share": least, "before": before}
        if not least >= THREE_DOTS or before > THREE_DOTS / 2:
            sentence = f"Three dots hold {_neurons.percent(least)} of a neuron shown, or more"
            return Claim.instead(sentence, **numbers)
        three = f"3 of {dots * dots - 1:,} waves"
        sentence = f"In each neuron shown, {three} come to hold at least {_neurons.percent(least)}"
        return Claim(sentence, self.watch, numbers=numbers)

    def _before(self, data: xr.Dataset) -> float:
        """The most that the three dots hold of a neuron shown at the first moment."""
        activations, frequency = fields.activations(data, 0), data["neuron_frequency"].values
        neurons = _neurons.neurons_in_turn(data, self.most)
        return max(_neurons.own_share(activations[n], int(frequency[n])) for n in neurons)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A spectrum a neuron, rings where its own frequency lies."""
        current_style = style()
        count = (data.sizes["row"] // 2 + 1) // 2
        most = min(self.most, 9) if current_style.narrow(figure) else self.most
        order, columns = _neurons.neurons_in_columns(data, most, figure)
        axes = grids.square_axes(figure, len(order), columns, count + 4)
        spectra = [_Spectrum(ax, data, int(n), count) for ax, n in zip(axes, order, strict=True)]
        first = axes[(len(order) - 1) // columns * columns]
        grids.name_inputs(first, count - 1, "in a", "in b")
        grids.note(axes[-1], "dots and number: the frequency's share of the variance")

        def update(i: int) -> None:
            activations = fields.activations(data, i)
            for spectrum in spectra:
                spectrum.show(_neurons.shares_by_frequency(activations[spectrum.neuron]))

        return Drawing([spectrum.moving for spectrum in spectra], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of each neuron its own three dots hold."""
        neurons = _neurons.neurons_in_turn(data, self.most)
        frequency, activations = data["neuron_frequency"].values, fields.activations(data, i)
        waves = [n for n in neurons if frequency[n] != NO_FREQUENCY]
        what = (
            f"Two-dimensional spectra of {len(neurons)} neurons at "
            f"{clocks.at(data, 'field_epoch', i)}, frequency in a by frequency in b."
        )
        if not waves:
            return f"{what} None of them has a frequency of its own."
        shares = [_neurons.own_share(activations[n], int(frequency[n])) for n in waves]
        keys = sorted({int(frequency[n]) for n in waves})
        return (
            f"{what} The three "
            f"places of a neuron's own frequency ({', '.join(map(str, keys))}: in a, in b, in "
            f"both) hold {min(shares):.0%} to {max(shares):.0%} of its variance."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Share of each neuron's variance over (a, b) by frequency in a and in b, from the 2-D "
            "Fourier transform of its activations after the ReLU, cosine and sine together "
            "(colour: square root of the share). Rings: the frequency in a alone, in b alone, "
            f"and in both. {after('section 4.3')}"
        )


class _Spectrum:
    """One neuron: the haze of all waves, and a dot for each of the three of its frequency."""

    def __init__(self, axes: Axes, data: xr.Dataset, neuron: int, count: int) -> None:
        self.neuron, self.k = neuron, int(data["neuron_frequency"].values[neuron])
        k, colour = self.k, frequencies.colour(self.k, data)
        self.haze = grids.heat(axes, (count, count), top=FULL**BEND)
        axes.set(xlim=(-3.5, count + 0.5), ylim=(-3.5, count + 0.5))
        self.name = _neurons.name_frequency(axes, k, data, numbered=True)
        self.colour = colour
        self.dots = axes.scatter([k, 0, k], [0, k, k], [0] * 3, color=colour, lw=0, clip_on=False)
        self.dots.set_zorder(3)
        self.text = grids.figure_above(axes)

    @property
    def moving(self) -> list[Any]:
        return [self.haze, self.dots, self.text, self.name]

    def show(self, shares: np.ndarray) -> None:
        """Set these shares of variance, [frequency in a, frequency in b]."""
        own = np.array([shares[self.k, 0], shares[0, self.k], shares[self.k, self.k]])
        self.dots.set_sizes(own * (1.8 * style().points) ** 2)
        self.haze.set_data(shares.T**BEND)
        _neurons.tint(self.name, self.colour, float(own.sum()))
        self.text.set_text("" if self.k == NO_FREQUENCY else f"{own.sum():.0%}")
