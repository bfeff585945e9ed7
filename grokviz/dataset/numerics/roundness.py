"""Circularity of an embedding of residues (arXiv:2306.17844, section 4)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import fft1d


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
