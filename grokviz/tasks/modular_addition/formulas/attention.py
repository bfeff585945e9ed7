"""Attention from '=': its mean, and the frequency of each head."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics.fourier import fourier_basis
from grokviz.tasks.modular_addition.formulas.marginals import marginals, share
from grokviz.tasks.modular_addition.formulas.neurons import NeuronFrequencies, largest_share


def attention_mean(pattern: Float[np.ndarray, "heads 3 p*p"]) -> Float[np.ndarray, "heads 3"]:
    """Mean attention from '=' to a, b and '=' over all pairs, for each head; rows sum to 1."""
    mean: Float[np.ndarray, "heads 3"] = pattern.mean(axis=2)
    return mean


def attention_shares(
    pattern: Float[np.ndarray, "heads 3 p*p"],
) -> Float[np.ndarray, "heads frequency"]:
    """Share of the variance of attention to a that each frequency explains, 0 to 1.

    The fit is A(a) = const + alpha (cos wa - cos wb) + beta (sin wa - sin wb), as in
    arXiv:2301.05217, section 4, where a head is explained to 97.9 % and more.
    """
    to_a = np.ascontiguousarray(pattern[:, 0].T)
    m = marginals(to_a)
    p = len(m.by_a)
    # cos wa and -cos wb in equal parts: the unit term is their sum over sqrt 2.
    coefficients = fourier_basis(p) @ (m.by_a - m.by_b) * np.sqrt(p / 2)
    squares = np.square(coefficients)
    shares: Float[np.ndarray, "heads frequency"] = share(squares[1::2] + squares[2::2], m.power).T
    return shares


def head_frequencies(pattern: Float[np.ndarray, "heads 3 p*p"]) -> NeuronFrequencies:
    """Each head's frequency, and the share of its attention's variance that it explains.

    A head has no frequency, written as 0, if its attention does not vary or no frequency has the
    largest share.
    """
    return largest_share(attention_shares(pattern).T)
