"""Clock or pizza: distance irrelevance and circularity (arXiv:2306.17844, section 4)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import fft1d, modulus_of_pairs
from grokviz.tasks.modular_addition.formulas.losses import answers


def correct_logits(logits: Float[np.ndarray, "p*p p"]) -> Float[np.ndarray, "sum difference"]:
    """The correct answer's logit, with (a + b) mod p as rows and (a - b) mod p as columns."""
    p = modulus_of_pairs(len(logits))
    a, b = np.divmod(np.arange(p * p), p)
    table = np.empty((p, p))
    table[answers(p), (a - b) % p] = logits[np.arange(p * p), answers(p)]
    return table


def distance_irrelevance(logits: Float[np.ndarray, "p*p p"]) -> float:
    """How little the correct logit depends on a - b: near 1 for a clock, below 0.4 for a pizza.

    Mean over the differences of the standard deviation over the sums, divided by the standard
    deviation over all pairs; 0 for logits that do not vary.
    """
    table = correct_logits(logits)
    spread = table.std()
    # Below rounding there is nothing to compare: every pair has the same correct logit.
    if spread <= ties.ROUNDING * np.abs(table).max():
        return 0.0
    return float(table.std(axis=0).mean() / spread)


def circularity(W_E: Float[np.ndarray, "d_model p"], components: int = 4) -> float:
    """How nearly the first principal components of W_E are single waves: 1 if each is one.

    Mean over the first four principal components v (of the p residues' embeddings) of the
    largest share of ||v||^2 at one frequency; components without variance count 0. Components
    of equal variance define only a space; the axes in it that are nearest to single waves are
    taken.
    """
    centred = W_E - W_E.mean(axis=1, keepdims=True)
    _, size, axes = np.linalg.svd(centred, full_matrices=False)
    there = size > ties.ROUNDING * np.linalg.norm(W_E)
    size, waves = size[there], fft1d(axes[there])
    ends = np.flatnonzero(np.append(size[:-1] - size[1:] > ties.PRECISION * size[:-1], True)) + 1
    shares: list[float] = []
    for space in np.split(waves, ends[:-1]):
        if len(shares) < components:
            shares += _wave_shares(space, components - len(shares))
    return float(sum(shares) / components)


def _wave_shares(space: Float[np.ndarray, "axis p"], most: int) -> list[float]:
    """Largest share at one frequency of each axis of a space, the axes nearest to waves first."""
    shares: list[float] = []
    while len(space) and len(shares) < most:
        pairs = space[:, 1:].reshape(len(space), -1, 2)
        overlaps = np.einsum("ikw,jkw->kij", pairs, pairs)
        values, turns = np.linalg.eigh(overlaps)
        best = ties.first_largest(values[:, -1], ties.ROUNDING)
        shares.append(float(values[best, -1]))
        space = turns[best][:, :-1].T @ space
    return shares
