"""Each neuron as a wave: frequency, magnitudes, phases, and how they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, Published, Storage, dear, measure
from grokviz.tasks.two_layer_addition.checkpoint import TwoLayerCheckpoint, TwoLayerRun
from grokviz.tasks.two_layer_addition.formulas import waves

if TYPE_CHECKING:
    import xarray as xr

PAPER = "arXiv:2602.16849"
SMALL = Storage("int16")
ANGLE = Storage(step=1 / 128)
"""Angles are kept to less than half a degree."""
SIZE = Storage(bits=8)


def _counts(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    frequencies, counts = np.unique(values.values, return_counts=True)
    sizes = zip(frequencies.tolist(), counts.tolist(), strict=True)
    return {"neurons_per_frequency": {str(k): count for k, count in sizes}}


@measure("neuron", long_name="frequency of the neuron", source=PAPER, stored=SMALL,
         published=Published(_counts))  # fmt: skip
def neuron_frequency(at: TwoLayerCheckpoint) -> Int[np.ndarray, " neuron"]:
    """Frequency of the largest wave of the neuron's weights from the inputs, at that epoch; 0 for
    a neuron whose weights have no wave.
    """
    return at.frequency


@measure("neuron", on="run", long_name="final frequency of the neuron", source=PAPER,
         stored=SMALL)  # fmt: skip
def final_frequency(run: TwoLayerRun) -> Int[np.ndarray, " neuron"]:
    """The neuron's frequency at the last checkpoint."""
    return run.frequency


@measure("layer", "neuron", long_name="phase of the neuron's final wave", units="radians",
         source=PAPER, stored=ANGLE)  # fmt: skip
def neuron_phase(at: TwoLayerCheckpoint, run: TwoLayerRun) -> Float[np.ndarray, "layer neuron"]:
    """Phase in each layer of the wave whose frequency the neuron has in the end."""
    return waves.phase(waves.at_frequency(at.waves, run.frequency))


@measure("layer", "neuron", long_name="magnitude of the neuron's final wave", source=PAPER,
         stored=SIZE)  # fmt: skip
def neuron_magnitude(at: TwoLayerCheckpoint, run: TwoLayerRun) -> Float[np.ndarray, "layer neuron"]:
    """Magnitude in each layer of the wave whose frequency the neuron has in the end."""
    return np.abs(waves.at_frequency(at.waves, run.frequency))


@measure("layer", "neuron", "frequency", on="field_epoch", source=PAPER, stored=SIZE,
         long_name="magnitude of every wave")  # fmt: skip
@dear
def wave_magnitude(at: TwoLayerCheckpoint) -> Float[np.ndarray, "layer neuron frequency"]:
    """Magnitude of each neuron's weights at every frequency, in each layer."""
    return np.abs(at.waves)


@measure("layer", "neuron", "frequency", on="field_epoch", units="radians", source=PAPER,
         stored=ANGLE, long_name="phase of every wave")  # fmt: skip
@dear
def wave_phase(at: TwoLayerCheckpoint) -> Float[np.ndarray, "layer neuron frequency"]:
    """Phase of each neuron's weights at every frequency, in each layer."""
    return waves.phase(at.waves)


@measure(units="radians", long_name="mean misalignment", source=PAPER, stored=FLOAT64,
         published="mean_misalignment")  # fmt: skip
def mean_misalignment(at: TwoLayerCheckpoint) -> float:
    """Mean over the neurons of the size of the output's phase less twice the input's (less those
    of a and of b), at the neuron's frequency of that epoch; half of pi by chance.
    """
    return float(np.abs(_differences(at)).mean())


@measure(long_name="mean sine of the misalignment", source=PAPER, stored=FLOAT64,
         published="mean_sine_misalignment")  # fmt: skip
def mean_sine_misalignment(at: TwoLayerCheckpoint) -> float:
    """Mean over the neurons of the size of the misalignment's sine, which the paper draws; it is
    as small for a difference of pi as for none.
    """
    return float(np.abs(np.sin(_differences(at))).mean())


@measure(long_name="neurons of one frequency in both layers", source=PAPER, stored=FLOAT64,
         published="same_frequency_share")  # fmt: skip
def same_frequency_share(at: TwoLayerCheckpoint) -> float:
    """Share of the neurons whose largest wave has the same frequency in the weights from the
    inputs and in those to the answers.
    """
    output = waves.own_frequency(at.waves[-1:])
    return float((output == at.frequency).mean())


@measure(long_name="inverse participation ratio", source=f"{PAPER}, notebooks", stored=FLOAT64,
         published="participation_single")  # fmt: skip
def participation_single(at: TwoLayerCheckpoint) -> float:
    """Sum of fourth powers over squared sum of squares of the p single Fourier components, mean
    over the neurons and both layers; 1 for a neuron of one component.
    """
    return waves.single_participation(at.weights.layers)


@measure(long_name="inverse participation ratio of frequencies", source=f"{PAPER}, app",
         stored=FLOAT64, published="participation_paired")  # fmt: skip
def participation_paired(at: TwoLayerCheckpoint) -> float:
    """The same with each frequency's cosine and sine together, without the constant; 1 for a
    neuron of one wave.
    """
    return waves.paired_participation(at.weights.layers)


@measure("neuron", "residue", on="field_epoch", long_name="weights from a", source=PAPER,
         stored=Storage(bits=6))  # fmt: skip
@dear
def input_weight(at: TwoLayerCheckpoint) -> Float[np.ndarray, "neuron residue"]:
    """What the number a gives each neuron."""
    return at.weights.of_a


def _differences(at: TwoLayerCheckpoint) -> Float[np.ndarray, " neuron"]:
    return waves.misalignment(waves.at_frequency(at.waves, at.frequency))
