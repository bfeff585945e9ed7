"""One neuron over all pairs: from noise to waves of one frequency, beside its Fourier transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.modular_addition import _neurons

from grokviz.dataset.numerics import ties
from grokviz.errors import InputError
from grokviz.scene import Claim, option, panels
from grokviz.scene import clock as clocks
from grokviz.scene.film import Film
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr

AWAKE = 0.05
"""Share of the pairs at which a neuron is active before training, so that it has noise."""

WAVE = 0.5
"""Share of its variance that a neuron's own frequency must be, or it is no wave."""

TIMES = 2.0
"""How much larger that share must be than at the first checkpoint, or it was a wave before."""


@dataclass(frozen=True)
class NeuronWave(Film):
    """A real neuron's activations over (a, b) and their 2-D transform, as training goes on."""

    name = "neuron-wave"
    title = "A neuron comes to follow one frequency"
    watch = "at the right, thousands of dots fade until a few are left"
    source = "thread, tweet 10; arXiv:2301.05217, figure 4"
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "embedding_frequency_norm", "logged_train_loss",
        "logged_test_loss", "phase_end",
    )  # fmt: skip
    drawn_by = "films.neuron_wave:NeuronWave"
    seconds = 80
    counts = True
    parts = {  # noqa: RUF012
        "noise": "a neuron before training",
        "training": "a frequency takes over",
        "dots": "what is left",
    }

    neuron: int | None = option(
        None, "number of a stored neuron; if none, a clear one of low frequency"
    )

    def shown(self, data: xr.Dataset) -> int:
        """Where the neuron is among the stored ones."""
        numbers = [int(n) for n in data["neuron"].values]
        if self.neuron is None:
            k = data["neuron_frequency"].values
            place = ties.ranks(data["neuron_variance_explained"].values)
            first = fields.activations(data, int(self.moments(data)[0]))
            silent = (first > 0).mean(axis=(1, 2)) < AWAKE
            # few waves across are seen better than many
            at = int(np.lexsort((place, k, silent, k == NO_FREQUENCY))[0])
        elif self.neuron in numbers:
            at = numbers.index(self.neuron)
        else:
            listed = ", ".join(map(str, numbers))
            raise InputError(f"{self.name}: neuron {self.neuron} is not stored; there are {listed}")
        if data["neuron_frequency"].values[at] == NO_FREQUENCY:
            raise InputError(
                f"{self.name}: neuron {numbers[at]} has no frequency, as none explains it better "
                "than another; give another neuron, or train the run further"
            )
        return at

    def moments(self, data: xr.Dataset) -> np.ndarray:
        """Indices on the field clock that the film goes through: until nothing moves."""
        epochs = data["field_epoch"].values
        known = np.isin(epochs, data["epoch"].values)
        # weights that are no numbers any more have no picture
        offset = data["neuron_offset"].transpose("field_epoch", ...).values
        known &= np.isfinite(offset).reshape(len(epochs), -1).all(axis=1)
        indices: np.ndarray = np.flatnonzero(known & (epochs <= panels.horizon(data)))
        if not indices.size:
            raise InputError(f"{self.name}: no checkpoint has activations that are numbers")
        return indices

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """From the first to the last of its moments."""
        epochs = data["field_epoch"].values[self.moments(data)]
        return float(epochs[0]), float(epochs[-1])

    def share(self, data: xr.Dataset, i: int) -> float:
        """Share of the neuron's variance in its own frequency, on the field clock."""
        at = self.shown(data)
        k = int(data["neuron_frequency"].values[at])
        return _neurons.own_share(fields.activations(data, i)[at], k)

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the neuron is its frequency at first and in the end."""
        if (data["neuron_frequency"].values == NO_FREQUENCY).all():
            return Claim.instead("No neuron that is stored has a frequency")
        moments, number = self.moments(data), int(data["neuron"].values[self.shown(data)])
        first, last = (self.share(data, int(moments[j])) for j in (0, -1))
        end = int(data["field_epoch"].values[moments[-1]])
        word = clocks.word(data)
        if len(moments) == 1:
            return Claim.instead(
                f"Neuron {number} is {percent(last)} one frequency at {word} {end:,}"
            )
        if not (last >= WAVE and last >= TIMES * first):
            return Claim.instead(
                f"Neuron {number} is {percent(last)} one frequency at {word} {end:,}, and "
                f"{percent(first)} at first", first=first, last=last,
            )  # fmt: skip
        way = f"from {percent(first)} to {percent(last)} one frequency"
        sentence = f"Neuron {number} goes {way} by {word} {end:,}"
        return Claim(sentence, self.watch, numbers={"first": first, "last": last})

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless the neuron is stored and has a frequency."""
        self.shown(data)

    def description(self, data: xr.Dataset, i: int) -> str:
        """Which neuron, and how much of it is its frequency before and after."""
        at, moments = self.shown(data), self.moments(data)
        number, k = int(data["neuron"].values[at]), int(data["neuron_frequency"].values[at])
        first, last = (self.share(data, int(moments[j])) for j in (0, -1))
        epochs = data["field_epoch"].values
        return (
            f"A heatmap of neuron {number} over all pairs (a, b), and its 2-D Fourier transform, "
            f"from {clocks.word(data)} {epochs[moments[0]]} to {epochs[moments[-1]]}: "
            f"frequency {k} explains {first:.1%} of its variance at first and {last:.1%} in the "
            "end."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Activations at '=' after the ReLU of one MLP neuron over all pairs (a, b), and their "
            "2-D Fourier transform, less the mean: a dot for each pair of frequencies in a and b, "
            "cosines and sines together, its area in proportion to their power. "
            "After Nanda et al. (2023), arXiv:2301.05217, figure 4, and the thread, tweet 10."
        )
