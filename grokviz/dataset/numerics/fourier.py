"""The real Fourier basis of the residues modulo an odd p, and norms in it.

Conventions are the paper's (arXiv:2301.05217, section 3 and its notebook): row 0 is the
constant, row 2k - 1 is cos(2 pi k n / p) and row 2k is sin(2 pi k n / p) for
k = 1 .. (p - 1) / 2, each row of unit length.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError

EMBEDDED = 0.25
"""A frequency counts as embedded above this share of the largest frequency norm."""


def check_modulus(p: int) -> None:
    """Raise InputError unless ``p`` is odd and at least 3."""
    if p < 3:
        raise InputError(
            f"p is {p}; a Fourier basis of cosines and sines needs an odd p of at least 3"
        )
    if p % 2 == 0:
        raise InputError(
            f"p is {p}, an even number: its highest frequency p/2 has a cosine and no sine, so the "
            "pairs of waves measured here do not exist; use an odd p"
        )


@lru_cache(maxsize=8)
def fourier_basis(p: int) -> Float[np.ndarray, "p p"]:
    """Orthonormal waves over the residues, one per row: constant, cos 1, sin 1, cos 2, ...

    Returns a read-only array (component, residue), without unit.
    Raises :class:`InputError` for an even p, whose frequency p/2 has no sine.
    Source: arXiv:2301.05217, section 3.
    """
    check_modulus(p)
    # Angles reduced modulo p as integers keep high frequencies as exact as low ones.
    phases = np.outer(frequencies(p), np.arange(p)) % p
    angles = 2 * np.pi * phases / p
    basis = np.empty((p, p))
    basis[0] = 1 / np.sqrt(p)
    basis[1::2] = np.cos(angles) * np.sqrt(2 / p)
    basis[2::2] = np.sin(angles) * np.sqrt(2 / p)
    basis.flags.writeable = False
    return basis


def component_names(p: int) -> list[str]:
    """Names of the p rows of :func:`fourier_basis`: Const, cos 1, sin 1, cos 2, ..."""
    return ["Const"] + [f"{wave} {k}" for k in frequencies(p) for wave in ("cos", "sin")]


def frequencies(p: int) -> Int[np.ndarray, " frequency"]:
    """The (p - 1) / 2 frequencies 1, 2, ..., in turns per p residues."""
    return np.arange(1, (p - 1) // 2 + 1)


def fft1d(x: Float[np.ndarray, "... p"]) -> Float[np.ndarray, "... p"]:
    """Coefficients of ``x`` in the Fourier basis along its last axis, in x's unit."""
    coefficients: Float[np.ndarray, "... p"] = x @ fourier_basis(x.shape[-1]).T
    return coefficients


def fft2d(x: Float[np.ndarray, "pairs ..."]) -> Float[np.ndarray, "p p ..."]:
    """Coefficients over both inputs of a function of (a, b), in x's unit.

    ``x`` runs over the pairs a * p + b on its first axis; entry [i, j] of the result
    belongs to component i of a times component j of b.
    Source: arXiv:2301.05217, notebook ("fft2d").
    """
    p = modulus_of_pairs(x.shape[0])
    F = fourier_basis(p)
    over_a = F @ x.reshape(p, -1)
    over_b: Float[np.ndarray, "p p rest"] = F @ over_a.reshape(p, p, -1)
    return over_b.reshape(p, p, *x.shape[1:])


def modulus_of_pairs(pairs: int) -> int:
    """The p of an axis that runs over all p * p pairs.

    Raises :class:`InputError` if ``pairs`` is not the square of an odd number.
    """
    p = int(pairs**0.5 + 0.5)
    if p * p != pairs:
        raise InputError(f"an axis over pairs has {pairs} entries, which is not p * p for any p")
    check_modulus(p)
    return p


def component_norms(W: Float[np.ndarray, "rest p"]) -> Float[np.ndarray, " p"]:
    """Euclidean norm of each Fourier component of ``W`` (residues on its last axis).

    Entry i is ||W F_i|| over the other axis, in the weights' unit: the bars of
    arXiv:2301.05217, figure 3, and of the thread's "norm of the embedding of each wave".
    """
    norms: Float[np.ndarray, " p"] = np.linalg.norm(fft1d(W), axis=0)
    return norms


def frequency_norms(components: Float[np.ndarray, "... p"]) -> Float[np.ndarray, "... frequency"]:
    """Norm of each frequency, sqrt(cos^2 + sin^2), from the norms of its two components."""
    norms: Float[np.ndarray, "... frequency"] = np.hypot(
        components[..., 1::2], components[..., 2::2]
    )
    return norms


def gini(x: Float[np.ndarray, "... n"]) -> Float[np.ndarray, " ..."]:
    """Gini coefficient along the last axis: 0 if all are equal, (n - 1) / n if one has all.

    G = 2 sum_i i x_(i) / (n sum x) - (n + 1) / n over the sorted entries, which must not be
    negative; 0 if all are zero. For Fourier-component norms (constant included) it measures
    the sparsity of a weight matrix in the Fourier basis (arXiv:2301.05217, figure 7).
    """
    sorted_values = np.sort(x, axis=-1)
    n = sorted_values.shape[-1]
    total = sorted_values.sum(axis=-1)
    weighted_sum = (sorted_values * np.arange(1, n + 1)).sum(axis=-1)
    share = np.divide(weighted_sum, total, out=np.full_like(total, (n + 1) / 2), where=total > 0)
    coefficient: Float[np.ndarray, " ..."] = 2 * share / n - (n + 1) / n
    return coefficient
