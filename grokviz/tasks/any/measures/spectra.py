"""Singular values of every tensor, and what their distribution says; vectors have none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.contract import Storage, dimension, measure
from grokviz.tasks.any import spectra
from grokviz.tasks.any.norms import weight_names

MOST = 64
"""So many singular values of a matrix are in the dataset, the largest; the rest counts too."""

ROUNDED = Storage(bits=12)


@dimension
def singular_number(run: RunView) -> Int[np.ndarray, " singular_number"]:
    """Number of a singular value, the largest of its matrix first."""
    state = run.last.state
    matrices = [spectra.unfolding(state[name]) for name in weight_names(state)]
    longest = max((min(one.shape) for one in matrices if one is not None), default=1)
    return np.arange(1, min(longest, MOST) + 1)


@measure("parameter", "singular_number", on="field_epoch", stored=ROUNDED,
         long_name="singular value",
         source="doi.org/10.1137/090752286, of the unfolding")  # fmt: skip
def singular_value(at: Checkpoint, run: RunView) -> Float[np.ndarray, "parameter number"]:
    """Largest singular values of each tensor as a matrix, whose rows are along its leading
    dimensions and whose shorter side is as long as it can be; NaN of vectors and past the last.
    """
    count = len(singular_number(run))
    values = np.full((len(weight_names(at.state)), count), np.nan)
    for row, some in zip(values, _spectra(at), strict=True):
        if some is not None:
            row[: len(some)] = some[:count]
    return values


@measure("parameter", on="field_epoch", long_name="stable rank", source="arXiv:math/0503442")
def stable_rank(at: Checkpoint) -> Float[np.ndarray, " parameter"]:
    """Squared Frobenius norm of each tensor as a matrix over its squared largest singular value;
    NaN of vectors and of zeros.
    """
    return _each(at, spectra.stable_rank)


@measure("parameter", on="field_epoch", long_name="effective rank",
         source="Roy and Vetterli, The effective rank (EUSIPCO 2007)")  # fmt: skip
def effective_rank(at: Checkpoint) -> Float[np.ndarray, " parameter"]:
    """Exponential of the entropy of each tensor's singular values as shares of their sum; NaN of
    vectors and of zeros.
    """
    return _each(at, spectra.effective_rank)


@measure("parameter", on="field_epoch", long_name="entropy of the spectrum",
         source="Alter, Brown and Botstein, doi.org/10.1073/pnas.97.18.10101")  # fmt: skip
def spectral_entropy(at: Checkpoint) -> Float[np.ndarray, " parameter"]:
    """Entropy of each tensor's squared singular values as shares of their sum, over the logarithm
    of their number: 0 of one direction, 1 of all alike; NaN of vectors and of zeros.
    """
    return _each(at, spectra.spectral_entropy)


@measure("parameter", on="field_epoch", long_name="Gini coefficient of the spectrum",
         source="arXiv:0811.4706, table II")  # fmt: skip
def spectral_gini(at: Checkpoint) -> Float[np.ndarray, " parameter"]:
    """Gini coefficient of each tensor's singular values: 0 where all are alike, near 1 where one
    has all; NaN of vectors and of zeros.
    """
    return _each(at, spectra.gini)


def _each(at: Checkpoint, of: Callable[[np.ndarray], float]) -> Float[np.ndarray, " parameter"]:
    return np.array([
        np.nan if values is None or not np.isfinite(values).all() else of(values)
        for values in _spectra(at)
    ])  # fmt: skip


def _spectra(at: Checkpoint) -> list[Float[np.ndarray, " rank"] | None]:
    """All singular values of each tensor, computed once for all measures of a checkpoint."""
    memo = vars(at)
    if "_spectra" not in memo:
        matrices = (spectra.unfolding(at.state[name]) for name in weight_names(at.state))
        memo["_spectra"] = [None if m is None else spectra.singular_values(m) for m in matrices]
    values: list[Float[np.ndarray, " rank"] | None] = memo["_spectra"]
    return values
