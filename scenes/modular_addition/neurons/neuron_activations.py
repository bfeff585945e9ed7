"""The thread's neurons: each a periodic function of a and b, of one frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.scene import Claim, Drawing, Scene, grids, option, style
from grokviz.scene import clock as clocks
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase


MOST = 0.5
"""The share of all neurons that have to be waves for the sentence to speak of the neurons."""


@dataclass(frozen=True)
class NeuronActivations(Scene):
    """Activations of chosen neurons over all pairs (a, b), after the ReLU, at '='."""

    name = "neuron-activations"
    panels = ("neuron", "spectrum")
    title = "Most neurons become waves in a and b, each of one frequency"
    watch = "lines of single numbers give way to one wave as the test loss falls"
    source = "thread, tweet 10; arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "all_neuron_cluster", "embedding_frequency_norm",
        "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"4b": {"order": "number"}}  # noqa: RUF012
    clock = "field_epoch"
    aspect = 2.05
    narrow_aspect = 0.86
    stills = ("last", "grok-3000")

    most: int = option(10, "how many of the stored neurons to show, of each frequency in turn")
    order: Literal["number", "phase"] = option(
        "phase", "a and b in order, or k a and k b mod p at the neuron's own frequency k"
    )

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 12:
            raise ValueError(f"most={self.most} is not possible; give 1 to 12")

    def claim(self, data: xr.Dataset) -> Claim:
        """How many of all neurons are waves of one frequency, of a run that generalised."""
        waves = data["all_neuron_cluster"].values > NO_FREQUENCY
        count, share = int(waves.sum()), float(waves.mean())
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, share=share)
        if share < MOST:
            sentence = f"{count} of {waves.size} neurons are waves of one frequency"
            return Claim.instead(sentence, share=share)
        sentence = f"{count} of {waves.size} neurons become waves, each of one frequency"
        return Claim(sentence, self.watch, numbers={"share": share})

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A heatmap a neuron, its frequency above it."""
        current_style, p = style(), data.sizes["row"] // 2
        most = min(self.most, 9) if current_style.narrow(figure) else self.most
        order, columns = _neurons.neurons_in_columns(data, most, figure)
        axes = grids.square_axes(figure, len(order), columns, p)
        images = [grids.heat(ax, (p, p)) for ax in axes]
        frequency = data["neuron_frequency"].values
        names = [
            _neurons.name_frequency(ax, int(frequency[n]), data, numbered=True)
            for n, ax in zip(order, axes, strict=True)
        ]
        held = [grids.figure_above(ax) for ax in axes]
        colours = [name.get_color() for name in names]
        ends = _neurons.input_names(figure, self.order)
        grids.name_inputs(axes[(len(order) - 1) // columns * columns], p - 1, *ends)
        grids.note(
            axes[-1],
            "%: of its variance in its frequency; colour: from 0 to its largest activation",
        )

        def update(i: int) -> None:
            activations = fields.activations(data, i)
            parts = zip(images, names, held, colours, order, strict=True)
            for image, name, percent, colour, n in parts:
                k, field = int(frequency[n]), activations[n]
                image.set_data(_neurons.in_phase(field, k if self.order == "phase" else 0).T)
                image.set_clim(0, max(float(np.nan_to_num(field).max()), 1e-9))
                share = _neurons.own_share(field, k)
                _neurons.tint(name, colour, share)
                percent.set_text(_neurons.floored_percent(share) if k else "")

        return Drawing([images, names, held], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of each shown neuron its frequency explains at that epoch."""
        activations, frequency = fields.activations(data, i), data["neuron_frequency"].values
        neurons = _neurons.neurons_in_turn(data, self.most)
        largest = [float(activations[n].max()) for n in neurons]
        reach = f"the largest activations are {min(largest):.2g} to {max(largest):.2g}."
        what = (
            f"Heatmaps over a and b of the activations of {len(largest)} neurons at "
            f"{clocks.at(data, 'field_epoch', i)}"
        )
        waves = [n for n in neurons if frequency[n] != NO_FREQUENCY]
        if not waves:
            return f"{what}, none of which has a frequency; {reach}"
        shares = [_neurons.own_share(activations[n], int(frequency[n])) for n in waves]
        keys = sorted({int(frequency[n]) for n in waves})
        return (
            f"{what}, of the frequencies {', '.join(map(str, keys))}. Its frequency explains "
            f"{min(shares):.0%} to {max(shares):.0%} of a neuron's variance; {reach}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        p = data.sizes["row"] // 2
        order = "" if self.order == "number" else ", a and b in the order of k a and k b mod p"
        return (
            f"Activations at '=' after the ReLU over all {p} x {p} pairs (a, b), of neurons that "
            f"show their frequency best{order}; each map runs from 0 to the neuron's largest "
            "activation. "
            f"{after('figure 4, and the thread, tweet 10')}"
        )
