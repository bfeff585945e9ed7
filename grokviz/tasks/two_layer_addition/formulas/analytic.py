"""The solution that can be written down: neurons that square two waves, and answer with a third.

Source: arXiv:2301.02679, with amplitudes of one: neuron n computes
(cos(wka + φ) + cos(wkb + χ))², w = 2π/p, and adds cos(wkq + φ + χ) / N of it to the answer q.
Where all phases occur equally often, all terms but cos(wk(a + b - q)) cancel.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics.fourier import frequencies
from grokviz.tasks.two_layer_addition.weights import TwoLayerWeights


def analytic_weights(p: int, width: int, rng: np.random.Generator) -> TwoLayerWeights:
    """The solution with concatenated inputs, phases drawn, and frequencies dealt evenly.

    The mean logit of the right answers is 1/2 but for what the drawn phases leave.
    """
    every = frequencies(p)
    frequency = np.resize(every, width)
    phase_a, phase_b = rng.uniform(0, 2 * np.pi, (2, width))
    phases = np.stack([phase_a, phase_b, phase_a + phase_b])
    layers = cosines(frequency, phases, p)
    layers[-1] /= width
    return TwoLayerWeights(layers, summed=False)


def cosines(
    frequency: Int[np.ndarray, " neuron"], phases: Float[np.ndarray, "layer neuron"], p: int
) -> Float[np.ndarray, "layer neuron p"]:
    """cos(2 pi k j / p + phase) over the residues j, of each neuron in each layer."""
    turns = np.outer(frequency, np.arange(p)) % p
    values: Float[np.ndarray, "layer neuron p"] = np.cos(2 * np.pi * turns / p + phases[..., None])
    return values
