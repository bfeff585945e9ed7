"""The embedding as waves: its frequencies, and its residues on circles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import (
    EMBEDDED,
    component_norms,
    fourier_basis,
    frequencies,
    frequency_norms,
)
from grokviz.errors import InputError


def embedding_frequencies(W_E: Float[np.ndarray, "d_model p"]) -> Int[np.ndarray, " embedded"]:
    """Frequencies whose norm is above a quarter of the largest frequency's.

    The norm is that of a whole frequency, sqrt(||W_E cos_k||^2 + ||W_E sin_k||^2), so that the
    answer does not depend on a wave's phase; the published demonstration applies the same
    quarter to cosine and sine separately. An embedding whose waves are all below a millionth of
    it, the precision of float32 weights, has no frequencies.
    """
    components = component_norms(W_E)
    norms = frequency_norms(components)
    above = ties.exceeds(norms, EMBEDDED * norms.max())
    above &= norms > ties.PRECISION * np.linalg.norm(components)
    embedded: Int[np.ndarray, " embedded"] = frequencies(W_E.shape[1])[above]
    return embedded


def plane_bases(
    W_E: Float[np.ndarray, "d_model p"], freqs: Sequence[int] | Int[np.ndarray, " frequency"]
) -> Float[np.ndarray, "frequency d_model 2"]:
    """Orthonormal axes of the plane that W_E cos_k and W_E sin_k span, for each frequency.

    The pair of axes is the orthonormal one nearest to the two embedded waves (the polar
    factor, also called Loewdin orthonormalisation): it treats cosine and sine alike and moves
    continuously as the weights do, which Gram-Schmidt and principal axes do not. A wave that
    the embedding holds along one direction only, or not at all, has no such pair: its axes are
    the shares of that direction, or 0, as in the polar factor of a matrix of lower rank.

    Raises :class:`InputError` for a frequency outside 1 .. (p - 1) / 2.
    """
    p = W_E.shape[1]
    wanted = np.asarray(freqs, dtype=int).reshape(-1)
    wrong = wanted[(wanted < 1) | (wanted > (p - 1) // 2)]
    if wrong.size:
        raise InputError(f"frequency {wrong[0]} does not exist for p = {p}; take 1 to {p // 2}")
    F = fourier_basis(p)
    waves = np.stack([F[2 * wanted - 1], F[2 * wanted]], axis=-1)
    left, size, right = np.linalg.svd(W_E @ waves, full_matrices=False)
    there = size > ties.ROUNDING * np.linalg.norm(W_E)
    bases: Float[np.ndarray, "frequency d_model 2"] = (left * there[:, None]) @ right
    return bases


def embedding_planes(
    W_E: Float[np.ndarray, "d_model p"], freqs: Sequence[int] | Int[np.ndarray, " frequency"]
) -> Float[np.ndarray, "frequency p 2"]:
    """Coordinates of the p residues in each frequency's plane of W_E, in the weights' unit.

    Axes as in :func:`plane_bases`; the origin is the residues' mean. A clean frequency k puts
    residue n at angle 2 pi k n / p of a circle, counted from residue 0 at about (r, 0).
    """
    centred = W_E - W_E.mean(axis=1, keepdims=True)
    bases = plane_bases(W_E, freqs)
    coordinates: Float[np.ndarray, "frequency p 2"] = centred.T @ bases
    return coordinates


def embedding_singular_values(
    W_E: Float[np.ndarray, "d_model p"],
) -> Float[np.ndarray, " rank"]:
    """Singular values of W_E over the p number tokens ('=' left out), largest first."""
    values: Float[np.ndarray, " rank"] = np.linalg.svd(W_E, compute_uv=False)
    return values
