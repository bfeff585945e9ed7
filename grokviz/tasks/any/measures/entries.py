"""The size of every tensor, and how its entries and its rows are distributed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.contract import Storage, dimension, measure
from grokviz.tasks.any import spectra
from grokviz.tasks.any.norms import sums_of_squares, weight_names

LEVELS = (
    0, 0.001, 0.005, 0.01, 0.025, *(round(0.05 * n, 2) for n in range(1, 20)),
    0.975, 0.99, 0.995, 0.999, 1,
)  # fmt: skip
"""Quantiles closer at both ends, where few entries are far apart."""


@dimension
def level(run: RunView) -> Float[np.ndarray, " level"]:
    """Share of a tensor's entries at or below the quantile."""
    return np.array(LEVELS, dtype=float)


@measure("parameter", long_name="norm", source="arXiv:2301.05217, figure 7")
def tensor_norm(at: Checkpoint) -> Float[np.ndarray, " parameter"]:
    """Frobenius norm of each tensor: root of the sum of its squared entries."""
    return np.sqrt(np.array(list(sums_of_squares(at.state).values())))


@measure("parameter", "level", on="field_epoch", stored=Storage(bits=12),
         long_name="quantile of the entries",
         source="doi.org/10.1080/00031305.1996.10473566, definition 7")  # fmt: skip
def entry_quantile(at: Checkpoint) -> Float[np.ndarray, "parameter level"]:
    """Quantiles of each tensor's entries, between two entries by a straight line; NaN where one
    is no number.
    """
    return np.stack([_quantiles(at.state[name]) for name in weight_names(at.state)])


@measure("parameter", on="field_epoch", long_name="excess kurtosis of the entries",
         source="Fisher's, as in DeCarlo, doi.org/10.1037/1082-989X.2.3.292")  # fmt: skip
def entry_kurtosis(at: Checkpoint) -> Float[np.ndarray, " parameter"]:
    """Fourth central moment of each tensor's entries over the squared variance, less 3: 0 of a
    normal distribution, more of one with heavy tails; NaN of equal entries.
    """
    return _each(at, lambda tensor: spectra.moments(tensor).kurtosis)


@measure("parameter", on="field_epoch", long_name="share of dead rows",
         source="after arXiv:1903.06733, of weights rather than outputs")  # fmt: skip
def dead_row_share(at: Checkpoint) -> Float[np.ndarray, " parameter"]:
    """Share of each tensor's slices along its first dimension whose norm is below 1 % of the root
    mean square of all; NaN of vectors.
    """
    return _each(
        at,
        lambda tensor: (
            spectra.dead_share(spectra.row_norms(tensor)) if tensor.ndim > 1 else float("nan")
        ),
    )


def _each(at: Checkpoint, of: Callable[[np.ndarray], float]) -> Float[np.ndarray, " parameter"]:
    with np.errstate(invalid="ignore", over="ignore"):  # of what is no number
        tensors = (at.state[name] for name in weight_names(at.state))
        return np.array([of(tensor) if tensor.size else np.nan for tensor in tensors])


def _quantiles(tensor: np.ndarray) -> Float[np.ndarray, " level"]:
    if not tensor.size or not np.isfinite(tensor).all():
        return np.full(len(LEVELS), np.nan)
    values: Float[np.ndarray, " level"] = np.quantile(np.ravel(tensor), LEVELS)
    return values
