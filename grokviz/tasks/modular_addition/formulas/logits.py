"""Logits over (a, b, c) as waves of a + b - c."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics.fourier import fft2d, fourier_basis, frequencies
from grokviz.tasks.modular_addition.formulas.losses import answers
from grokviz.tasks.modular_addition.formulas.marginals import Marginals


def logit_spectrum(logits: Float[np.ndarray, "p*p p"]) -> Float[np.ndarray, "p p"]:
    """Norm over the classes of the logits' 2-D transform over (a, b), in logits.

    Entry [i, j] belongs to component i of a times component j of b.
    Source: arXiv:2301.05217, figure 4 (right).
    """
    spectrum: Float[np.ndarray, "p p"] = np.linalg.norm(fft2d(logits), axis=2)
    return spectrum


def cosine_coefficients(m: Marginals) -> Float[np.ndarray, " frequency"]:
    """v_k = <c_k, logits>, where c_k is cos(2 pi k (a + b - c) / p) of unit norm over p^3.

    Takes the logits' marginals: a wave of a + b - c needs only their means by a + b.
    In logits times sqrt(p^3). Source: arXiv:2301.05217, appendix (figures 11 and 14).
    """
    p = m.by_sum.shape[1]
    F = fourier_basis(p)
    # The Fourier transform over a + b and over c; its diagonal pairs cos with cos, sin with sin.
    diagonal = np.einsum("is,sc,ic->i", F, m.by_sum, F, optimize=True)
    coefficients: Float[np.ndarray, " frequency"] = np.sqrt(p / 2) * (
        diagonal[1::2] + diagonal[2::2]
    )
    return coefficients


def squared_norm(m: Marginals) -> float:
    """Sum of all p^3 squared logits, not centred."""
    p = len(m.mean)
    return float(m.power.sum() + p * p * np.square(m.mean).sum())


def variance_explained(coefficients: Float[np.ndarray, " key"], m: Marginals) -> float:
    """Share of the squared logits in the given cosine waves: sum of v_k^2 / ||logits||^2."""
    norm = squared_norm(m)
    return float(np.square(coefficients).sum() / norm) if norm > 0 else 0.0


def cosine_waves(
    coefficients: Float[np.ndarray, " frequency"], p: int
) -> Float[np.ndarray, "frequency sum p"]:
    """v_k c_k of each frequency as a table over ((a + b) mod p, c), in logits.

    These are the terms that the 3-D excluded losses remove one at a time.
    """
    residues = np.arange(p)
    apart = (residues[:, None] - residues) % p
    waves = np.cos(2 * np.pi * (np.outer(frequencies(p), residues) % p) / p)
    scaled = coefficients[:, None] * waves * np.sqrt(2 / p**3)
    table: Float[np.ndarray, "frequency sum p"] = scaled[:, apart]
    return table


def sum_waves(m: Marginals) -> Float[np.ndarray, "frequency sum p"]:
    """Each frequency's cos w(a + b) and sin w(a + b) part of the logits over ((a + b) mod p, c).

    These are the terms that the 2-D excluded losses remove one at a time, and of which the
    restricted loss keeps the key ones. Source: arXiv:2301.05217, section 5.1.
    """
    F = fourier_basis(len(m.by_sum))
    coefficients = F @ m.by_sum
    parts = F[1:, :, None] * coefficients[1:, None, :]
    waves: Float[np.ndarray, "frequency sum p"] = parts[0::2] + parts[1::2]
    return waves


def wave_by_distance(
    logits: Float[np.ndarray, "p*p p"],
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Mean (less the mean of all) and standard deviation of the logits by (a + b - c) mod p."""
    p = logits.shape[1]
    classes = (answers(p)[:, None] - np.arange(p)) % p
    by_distance = np.take_along_axis(logits, classes, axis=1)
    mean = by_distance.mean(axis=0)
    by_distance -= mean
    spread = np.sqrt(np.einsum("pd,pd->d", by_distance, by_distance) / len(logits))
    return mean - mean.mean(), spread
