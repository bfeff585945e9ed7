"""Which wave a neuron will carry, told from its initial weights alone."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, Storage, measure
from grokviz.tasks.two_layer_addition.checkpoint import TwoLayerCheckpoint, TwoLayerRun
from grokviz.tasks.two_layer_addition.formulas import lottery
from grokviz.tasks.two_layer_addition.measures.neurons import PAPER, SMALL

UNKNOWN = -1


@measure("neuron", "frequency", on="run", long_name="time until the wave is large", source=PAPER,
         stored=Storage(bits=10))  # fmt: skip
def crossing_time(run: TwoLayerRun) -> Float[np.ndarray, "neuron frequency"]:
    """Time after which the wave, growing by itself from the initial weights as a squaring neuron's
    does, has a magnitude of 0.15: learning rate times updates times the number of pairs. Infinite
    for never, NaN without initial weights.
    """
    return run.crossing_times


@measure("neuron", on="run", long_name="frequency forecast", source=PAPER, stored=SMALL)
def forecast_frequency(run: TwoLayerRun) -> Int[np.ndarray, " neuron"]:
    """The wave that is large first by that forecast; 0 for none, -1 without initial weights."""
    if not run.has_start:
        return np.full(run.last.weights.width, UNKNOWN)
    return lottery.forecast(run.crossing_times)


@measure("neuron", on="run", long_name="largest initial wave", source=PAPER, stored=SMALL)
def first_frequency(run: TwoLayerRun) -> Int[np.ndarray, " neuron"]:
    """The wave of the largest initial magnitude in the first layer; -1 without initial weights."""
    if not run.has_start:
        return np.full(run.last.weights.width, UNKNOWN)
    sizes = np.abs(run.first.waves[:-1]).max(axis=0)
    largest: Int[np.ndarray, " neuron"] = sizes.argmax(axis=1) + 1
    return largest


@measure(long_name="neurons at their forecast frequency", source=PAPER, stored=FLOAT64,
         published="forecast_share")  # fmt: skip
def forecast_share(at: TwoLayerCheckpoint, run: TwoLayerRun) -> float:
    """Share of the neurons whose frequency at that epoch is the one forecast; NaN without initial
    weights.
    """
    if not run.has_start:
        return float("nan")
    return float((at.frequency == lottery.forecast(run.crossing_times)).mean())
