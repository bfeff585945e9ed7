"""The neurons of one frequency as one surface over (a, b): a disc, or a torus.

Source: arXiv:2512.25060: before the ReLU a neuron is nearly cos(w a + left) + cos(w b + right).
Where left and right are the same in every neuron, all pairs lie on a disc; where they are
independent, on a torus.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int

from grokviz.dataset.numerics.fourier import fft1d

AXES = 4
LEAST = 1e-9
"""A plane that is so small beside the first is rounding."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What a alone and b alone add to each neuron's input, less its mean over all pairs.

    Attributes:
        tables: by number (a, b), residue and neuron.
        share: how much of the variance of each neuron's input these two explain.

    """

    tables: Float[np.ndarray, "2 p neuron"]
    share: Float[np.ndarray, " neuron"]


def parts(before: Float[np.ndarray, "p p neuron"]) -> Parts:
    """Main effects of a and of b on the neurons' inputs."""
    mean = before.mean(axis=(0, 1))
    tables = np.stack([before.mean(axis=1) - mean, before.mean(axis=0) - mean])
    total = before.var(axis=(0, 1))
    both = (tables**2).mean(axis=1).sum(axis=0)
    share = np.divide(both, total, out=np.zeros_like(total), where=total > 0)
    return Parts(tables, share)


def waves(tables: Float[np.ndarray, "2 p neuron"]) -> Complex[np.ndarray, "2 neuron frequency"]:
    """Magnitude exp(i phase) of each neuron's waves over a and over b."""
    coefficients = fft1d(np.moveaxis(tables, 1, 2))
    size = np.sqrt(2 / tables.shape[1])
    amplitudes: Complex[np.ndarray, "2 neuron frequency"] = (
        coefficients[..., 1::2] - 1j * coefficients[..., 2::2]
    ) * size
    return amplitudes


def own_frequency(
    amplitudes: Complex[np.ndarray, "2 neuron frequency"],
) -> Int[np.ndarray, " neuron"]:
    """The frequency of each neuron's largest wave, over a and b together; 0 without waves."""
    power = (np.abs(amplitudes) ** 2).sum(axis=0)
    frequency: Int[np.ndarray, " neuron"] = np.where(
        power.max(axis=1) > 0, power.argmax(axis=1) + 1, 0
    )
    return frequency


def at_frequency(
    amplitudes: Complex[np.ndarray, "2 neuron frequency"], frequency: Int[np.ndarray, " neuron"]
) -> Complex[np.ndarray, "2 neuron"]:
    """Each neuron's waves of one frequency of its own; 0 where that is 0."""
    at = np.maximum(frequency, 1) - 1
    own = np.take_along_axis(amplitudes, at[None, :, None], axis=2)[..., 0]
    one: Complex[np.ndarray, "2 neuron"] = np.where(frequency > 0, own, 0)
    return one


def largest_group(
    amplitudes: Complex[np.ndarray, "2 neuron frequency"], frequency: Int[np.ndarray, " neuron"]
) -> int:
    """The frequency whose neurons have the largest waves together; 0 where none has any."""
    own = at_frequency(amplitudes, frequency)
    power = np.bincount(frequency, (np.abs(own) ** 2).sum(axis=0), amplitudes.shape[2] + 1)
    power[0] = 0
    return int(power.argmax())


def phase_differences(own: Complex[np.ndarray, "2 neuron"]) -> Float[np.ndarray, " neuron"]:
    """The phase over a less the phase over b, from -pi to pi."""
    angles: Float[np.ndarray, " neuron"] = np.angle(own[0] * np.conj(own[1]))
    return angles


def planes(own: Complex[np.ndarray, "2 neuron"]) -> tuple[Float[np.ndarray, "neuron 4"], float]:
    """Four directions among the neurons of one frequency, and how much of b is not a's.

    The first two are the plane in which a goes round, in the order cosine, sine; the others what
    is left of b's plane. The number is the share of b's squared waves outside of a's plane, from 0
    for a disc to 1 for a torus. Directions in which nothing happens are zero.
    """
    of_a, of_b = (np.stack([wave.real, -wave.imag], axis=1) for wave in own)
    first = _axes(of_a, float((own.real**2 + own.imag**2).sum()) ** 0.5)
    rest = of_b - first @ (first.T @ of_b)
    size = float((of_b**2).sum())
    second = _axes(rest, max(size, float((of_a**2).sum())) ** 0.5)
    outside = float((rest**2).sum()) / size if size > 0 else 0.0
    return np.concatenate([first, second], axis=1), outside


def _axes(pair: Float[np.ndarray, "neuron 2"], size: float) -> Float[np.ndarray, "neuron 2"]:
    """The orthonormal pair nearest to two directions; zero for those that are rounding."""
    left, sizes, right = np.linalg.svd(pair, full_matrices=False)
    real = (sizes > LEAST * size).astype(float)
    nearest: Float[np.ndarray, "neuron 2"] = (left * real) @ right
    return nearest


def surface(
    tables: Float[np.ndarray, "2 p neuron"], axes: Float[np.ndarray, "neuron 4"]
) -> Float[np.ndarray, "2 p 4"]:
    """What a and b add in those four directions, in units of the surface's mean radius."""
    placed: Float[np.ndarray, "2 p 4"] = tables @ axes
    radius = float(np.sqrt((placed**2).mean(axis=1).sum()))
    return placed / radius if radius > 0 else placed
