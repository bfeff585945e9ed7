"""What the measures of two-layer networks run along."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from grokviz.dataset.contract import dimension
from grokviz.dataset.numerics import fourier
from grokviz.tasks._scores import SETS
from grokviz.tasks.two_layer_addition.checkpoint import TwoLayerRun

STAGES = ("memorised", "generalised")


@dimension
def split(run: TwoLayerRun) -> list[str]:
    """Which pairs: train, test or all."""
    return list(SETS)


@dimension
def layer(run: TwoLayerRun) -> list[str]:
    """Weights from the inputs, which concatenated ones have twice, and weights to the answers."""
    names: list[str] = run.last.weights.names
    return names


@dimension
def neuron(run: TwoLayerRun) -> Int[np.ndarray, " neuron"]:
    """Numbers of the neurons."""
    return np.arange(run.last.weights.width)


@dimension
def frequency(run: TwoLayerRun) -> Int[np.ndarray, " frequency"]:
    """Whole turns of a wave over the p residues."""
    return fourier.frequencies(run.p)


@dimension
def residue(run: TwoLayerRun) -> Int[np.ndarray, " residue"]:
    """The numbers 0 to p - 1."""
    return np.arange(run.p)


@dimension
def stage(run: TwoLayerRun) -> list[str]:
    """What has been learnt at the end of a stage."""
    return list(STAGES)
