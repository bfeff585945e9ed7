"""Any tensor as a matrix: its singular values, and what is said of them and of its entries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

ENTRIES_AT_ONCE = 1 << 22
"""So many entries of a tensor are in float64 at a time."""

RESOLVED = 1e-7
"""Share of the largest singular value below which one is rounding: weights are float32."""

DEAD = 0.01
"""A row is dead whose norm is below this share of the root mean square of all rows'."""


@dataclass(frozen=True)
class Moments:
    """Of the entries of a tensor: mean, variance, and excess kurtosis (NaN of equal entries)."""

    mean: float
    variance: float
    kurtosis: float


def unfolding(tensor: Float[np.ndarray, " ..."]) -> Float[np.ndarray, "m n"] | None:
    """The tensor as the matrix whose shorter side is longest, of its leading dimensions as rows and
    the rest as columns; None of a vector, of a number, and of what has a side of one.

    A convolution of (out, in, height, width) becomes (out, in x height x width), the weights of
    heads (head, d_head, d_model) become (head x d_head, d_model). Source: unfoldings of Oseledets,
    Tensor-train decomposition (2011), doi.org/10.1137/090752286.
    """
    shape = tensor.shape
    splits = [(int(np.prod(shape[:k])), int(np.prod(shape[k:]))) for k in range(1, len(shape))]
    best = max(splits, key=min, default=(0, 0))
    return tensor.reshape(best) if min(best) > 1 else None


def singular_values(matrix: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " rank"]:
    """All singular values, the largest first; those below :data:`RESOLVED` of it are 0.

    They are roots of the eigenvalues of the product of the shorter side with itself, which is
    summed in float64 over a part of the matrix at a time. NaN where an entry is no number.
    """
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    product = np.zeros((tall.shape[1],) * 2)
    rows = max(ENTRIES_AT_ONCE // tall.shape[1], 1)
    for start in range(0, len(tall), rows):
        part = np.asarray(tall[start : start + rows], dtype=np.float64)
        product += part.T @ part
    if not np.isfinite(product).all():
        return np.full(len(product), np.nan)
    values: np.ndarray = np.sqrt(np.maximum(np.linalg.eigvalsh(product)[::-1], 0))
    values[values <= RESOLVED * values[0]] = 0
    return values


def stable_rank(values: Float[np.ndarray, " rank"]) -> float:
    """Squared Frobenius norm over squared spectral norm; NaN of zeros.

    Source: Rudelson and Vershynin, Sampling from large matrices, arXiv:math/0503442.
    """
    return float(np.square(values).sum() / values[0] ** 2) if values[0] > 0 else float("nan")


def effective_rank(values: Float[np.ndarray, " rank"]) -> float:
    """Exponential of the entropy of the singular values, each divided by their sum.

    Source: Roy and Vetterli, The effective rank (EUSIPCO 2007).
    """
    return float(np.exp(_entropy(values)))


def spectral_entropy(values: Float[np.ndarray, " rank"]) -> float:
    """Entropy of the squared singular values, each divided by their sum, over its largest value:
    0 of one direction alone, 1 of directions that are all as strong; NaN of zeros.

    Source: Alter, Brown and Botstein (2000), doi.org/10.1073/pnas.97.18.10101.
    """
    return float(_entropy(np.square(values)) / np.log(len(values)))


def gini(values: Float[np.ndarray, " entry"]) -> float:
    """Gini coefficient of numbers from 0 up: 0 where all are equal, near 1 where one has all.

    Source: Hurley and Rickard, arXiv:0811.4706, table II. NaN of zeros.
    """
    ascending, count = np.sort(values), len(values)
    total = ascending.sum()
    if not total > 0:
        return float("nan")
    weights = (count - np.arange(1, count + 1) + 0.5) / count
    return float(1 - 2 * (ascending / total) @ weights)


def moments(tensor: Float[np.ndarray, " ..."]) -> Moments:
    """Mean, variance and excess kurtosis of all entries, summed in float64.

    Kurtosis is Fisher's, biased, as ``scipy.stats.kurtosis`` has it: 0 of a normal distribution.
    """
    flat = np.ravel(tensor)
    parts = range(0, len(flat), ENTRIES_AT_ONCE)
    mean = sum(flat[s : s + ENTRIES_AT_ONCE].sum(dtype=np.float64) for s in parts) / len(flat)
    second = fourth = 0.0
    for start in parts:
        squares = np.square(flat[start : start + ENTRIES_AT_ONCE].astype(np.float64) - mean)
        second += squares.sum() / len(flat)
        fourth += np.square(squares).sum() / len(flat)
    # a spread that float32 cannot tell from rounding of the mean is none
    spread = second > (RESOLVED * mean) ** 2
    return Moments(float(mean), float(second), fourth / second**2 - 3 if spread else float("nan"))


def row_norms(tensor: Float[np.ndarray, "row ..."]) -> Float[np.ndarray, " row"]:
    """Euclidean norm of each slice along the first dimension."""
    rows = tensor.reshape(len(tensor), -1)
    many = max(ENTRIES_AT_ONCE // rows.shape[1], 1)
    parts = (rows[s : s + many].astype(np.float64) for s in range(0, len(rows), many))
    return np.concatenate([np.sqrt(np.einsum("ij,ij->i", part, part)) for part in parts])


def dead_share(norms: Float[np.ndarray, " row"]) -> float:
    """Share of the rows whose norm is below :data:`DEAD` of the root mean square of all; 1 of
    zeros, NaN where one is no number.
    """
    size = np.sqrt(np.mean(np.square(norms)))
    if not np.isfinite(size):
        return float("nan")
    return float(np.mean(norms < DEAD * size)) if size > 0 else 1.0


def _entropy(values: Float[np.ndarray, " entry"]) -> float:
    """Entropy, in nats, of numbers from 0 up as shares of their sum; NaN of zeros."""
    total = values.sum()
    if not total > 0:
        return float("nan")
    shares = values[values > 0] / total
    return float(-(shares * np.log(shares)).sum())
