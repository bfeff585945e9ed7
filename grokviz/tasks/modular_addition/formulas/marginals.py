"""Fourier terms of a function of (a, b) by frequency, without its full 2-D transform.

A function of two residues has four means: by a, by b, by a + b and by a - b. Their 1-D
transforms hold every coefficient that the paper's measures use, because
cos wa cos wb = (cos w(a - b) + cos w(a + b)) / 2 and so on. One pass over the pairs
therefore replaces p * p coefficients of which all but 8 per frequency would be discarded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import fourier_basis, modulus_of_pairs


@dataclass(frozen=True, eq=False)
class Marginals:
    """Means of columns over the pairs, each centred on its mean over all pairs."""

    mean: Float[np.ndarray, " column"]
    """Mean over all pairs, which the others are centred on."""
    power: Float[np.ndarray, " column"]
    """Sum over the pairs of squared centred values; 0 for a column that varies by rounding."""
    by_a: Float[np.ndarray, "p column"]
    """Mean over b, for each a."""
    by_b: Float[np.ndarray, "p column"]
    """Mean over a, for each b."""
    by_sum: Float[np.ndarray, "p column"]
    """Mean over the pairs with one (a + b) mod p."""
    by_difference: Float[np.ndarray, "p column"]
    """Mean over the pairs with one (a - b) mod p."""


@dataclass(frozen=True, eq=False)
class FrequencyPower:
    """Sum of squared coefficients of each frequency's terms, in the columns' unit squared."""

    linear: Float[np.ndarray, "frequency column"]
    """cos wa, sin wa, cos wb, sin wb."""
    of_sum: Float[np.ndarray, "frequency column"]
    """cos w(a + b), sin w(a + b)."""
    of_difference: Float[np.ndarray, "frequency column"]
    """cos w(a - b), sin w(a - b)."""

    @property
    def quadratic(self) -> Float[np.ndarray, "frequency column"]:
        """The four products cos wa cos wb, cos wa sin wb, sin wa cos wb, sin wa sin wb."""
        products: Float[np.ndarray, "frequency column"] = self.of_sum + self.of_difference
        return products

    @property
    def total(self) -> Float[np.ndarray, "frequency column"]:
        """All eight terms of a frequency."""
        terms: Float[np.ndarray, "frequency column"] = self.linear + self.quadratic
        return terms


def marginals(x: Float[np.ndarray, "p*p column"]) -> Marginals:
    """The four means of each column over the pairs a * p + b, in one pass.

    A column whose standard deviation is below a millionth of its root mean square does not
    vary: such differences are below the precision of float32 weights, and may be rounding.
    """
    p = modulus_of_pairs(len(x))
    square = x.reshape(p, p, -1)
    mean = x.mean(axis=0)
    by_a, by_b, by_sum, by_difference = np.zeros((4, p, x.shape[1]))
    power = np.zeros(x.shape[1])
    slab = np.empty(square.shape[1:])
    for a in range(p):
        np.subtract(square[a], mean, out=slab)
        power += np.einsum("bc,bc->c", slab, slab)
        by_a[a] = slab.sum(axis=0)
        by_b += slab
        by_sum[a:] += slab[: p - a]
        by_sum[:a] += slab[p - a :]
        # Here by b - a, which fills without reversing; turned round below.
        by_difference[: p - a] += slab[a:]
        by_difference[p - a :] += slab[:a]
    by_difference[1:] = by_difference[:0:-1].copy()
    for total in (by_a, by_b, by_sum, by_difference):
        total /= p
    whole = power + p * p * np.square(mean)
    power[power <= ties.PRECISION**2 * whole] = 0
    return Marginals(mean, power, by_a, by_b, by_sum, by_difference)


def frequency_power(m: Marginals) -> FrequencyPower:
    """Squared coefficients of the centred columns at each frequency, summed by kind of term.

    Equal to sums over blocks of the orthonormal 2-D transform (arXiv:2301.05217, notebook):
    (0, k) and (k, 0) are ``linear``, the four (k, k) are ``quadratic``.
    """
    p = len(m.by_a)
    F = fourier_basis(p)

    def power(mean: Float[np.ndarray, "p column"]) -> Float[np.ndarray, "frequency column"]:
        squares = np.square(F @ mean)
        pairs: Float[np.ndarray, "frequency column"] = p * (squares[1::2] + squares[2::2])
        return pairs

    return FrequencyPower(
        linear=power(m.by_a) + power(m.by_b),
        of_sum=power(m.by_sum),
        of_difference=power(m.by_difference),
    )


def share(
    part: Float[np.ndarray, "... column"], power: Float[np.ndarray, " column"]
) -> Float[np.ndarray, "... column"]:
    """``part`` as a fraction of ``power``; 0 for a column that does not vary at all."""
    whole = np.broadcast_to(power, part.shape)
    fraction: Float[np.ndarray, "... column"] = np.divide(
        part, whole, out=np.zeros_like(part), where=whole > 0
    )
    return fraction


def trig_fraction(m: Marginals, power: FrequencyPower, rows: Int[np.ndarray, " key"]) -> float:
    """Mean over the columns that vary of the variance in cos and sin of w(a + b).

    ``rows`` are the rows of the frequencies (frequency minus 1); with the key frequencies it
    measures how far neurons or logits follow the paper's algorithm (arXiv:2301.05217, section 4).
    """
    varying = m.power > 0
    if not varying.any():
        return 0.0
    return float((power.of_sum[rows].sum(axis=0)[varying] / m.power[varying]).mean())


def trig_fit(
    m: Marginals, keep: Bool[np.ndarray, "frequency column"], *, of_sum_only: bool = False
) -> Float[np.ndarray, "p*p column"]:
    """Each column's mean plus its terms at the frequencies selected by ``keep``.

    ``keep`` is boolean (frequency, column), or (frequency, 1) for the same in all columns. With
    one frequency a column this is the least-squares fit of a polynomial of degree 2 in its
    waves of a and b. ``of_sum_only`` keeps just cos w(a + b) and sin w(a + b).
    """
    p = len(m.by_a)
    F = fourier_basis(p)
    mask = np.concatenate([np.zeros((1, keep.shape[1]), bool), np.repeat(keep, 2, axis=0)])
    residues = np.arange(p)
    sums = (residues[:, None] + residues) % p
    differences = (residues[:, None] - residues) % p

    def smooth(mean: Float[np.ndarray, "p column"]) -> Float[np.ndarray, "p column"]:
        wave: Float[np.ndarray, "p column"] = F.T @ np.where(mask, F @ mean, 0)
        return wave

    fit: Float[np.ndarray, "p p column"] = m.mean + smooth(m.by_sum)[sums]
    if not of_sum_only:
        fit += smooth(m.by_difference)[differences]
        fit += smooth(m.by_a)[:, None]
        fit += smooth(m.by_b)
    return fit.reshape(p * p, -1)
