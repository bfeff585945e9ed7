"""Each neuron's weights as waves over the residues: magnitude and phase at every frequency.

Source: arXiv:2602.16849, sections 3 and 4: the weights of one neuron in one layer are
sum over k of magnitude_k cos(2 pi k j / p + phase_k), and a constant.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Complex, Float, Int

from grokviz.dataset.numerics.fourier import fft1d


def waves(layers: Float[np.ndarray, "... p"]) -> Complex[np.ndarray, "... frequency"]:
    """Magnitude exp(i phase) of every frequency k = 1 ... (p - 1) / 2, in the weights' unit."""
    components = fft1d(layers)
    turned = components[..., 1::2] - 1j * components[..., 2::2]
    amplitudes: Complex[np.ndarray, "... frequency"] = turned * np.sqrt(2 / layers.shape[-1])
    return amplitudes


def own_frequency(
    amplitudes: Complex[np.ndarray, "layer neuron frequency"],
) -> Int[np.ndarray, " neuron"]:
    """The frequency of each neuron's largest wave in any of these layers.

    0 for a neuron whose weights have no wave. The published code takes the largest single cosine
    or sine, which favours waves whose phase is near one of these.
    """
    sizes = np.abs(amplitudes).max(axis=0)
    frequency: Int[np.ndarray, " neuron"] = np.where(
        sizes.max(axis=-1) > 0, sizes.argmax(axis=-1) + 1, 0
    )
    return frequency


def at_frequency(
    amplitudes: Complex[np.ndarray, "layer neuron frequency"], frequency: Int[np.ndarray, " neuron"]
) -> Complex[np.ndarray, "layer neuron"]:
    """Each neuron's wave of one frequency of its own; 0 where that is 0."""
    at = np.maximum(frequency, 1) - 1
    own = np.take_along_axis(amplitudes, at[None, :, None], axis=2)[..., 0]
    one: Complex[np.ndarray, "layer neuron"] = np.where(frequency > 0, own, 0)
    return one


def phase(amplitudes: Complex[np.ndarray, " ..."]) -> Float[np.ndarray, " ..."]:
    """The phase of each wave, from -pi to pi."""
    angles: Float[np.ndarray, " ..."] = np.angle(amplitudes)
    return angles


def misalignment(own: Complex[np.ndarray, "layer neuron"]) -> Float[np.ndarray, " neuron"]:
    """The output's phase less those of a and of b, from -pi to pi; 0 is perfect alignment.

    With summed inputs a and b have one phase, and this is the output's less twice the input's.
    """
    angles: Float[np.ndarray, " neuron"] = np.angle(own[-1] * np.conj(own[0] * own[-2]))
    return angles


def single_participation(layers: Float[np.ndarray, "layer neuron p"]) -> float:
    """Inverse participation ratio over single components, mean over the neurons and both layers.

    sum c^4 / (sum c^2)^2 over the constant, each cosine and each sine; 1 where one has all.
    """
    return _participation(fft1d(layers) ** 2)


def paired_participation(layers: Float[np.ndarray, "layer neuron p"]) -> float:
    """The same over frequencies, each the squares of its cosine and its sine together."""
    return _participation(np.abs(waves(layers)) ** 2)


def _participation(power: Float[np.ndarray, "layer neuron component"]) -> float:
    total = power.sum(axis=-1)
    ratio = np.divide(
        (power**2).sum(axis=-1), total**2, out=np.full(total.shape, np.nan), where=total > 0
    )
    # a and b of concatenated inputs are one layer
    return float(np.nanmean([ratio[:-1].mean(), ratio[-1].mean()]))
