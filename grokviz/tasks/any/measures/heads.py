"""What the circuits of attention heads do, of any run whose tensors have heads."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.contract import Storage, dimension, measure, requires
from grokviz.runs import Run
from grokviz.tasks.any import heads, spectra

MOST = 64
"""So many singular values of a circuit are in the dataset, the largest; the rest counts too."""

ROUNDED = Storage(bits=12)

CIRCUITS = "Elhage et al. (2021), transformer-circuits.pub/2021/framework"
RANK = "Roy and Vetterli, The effective rank (EUSIPCO 2007)"


def _heads(run: Run) -> str:
    """What a run lacks of attention heads, as in "it has no ..."."""
    shapes, count = run.shapes(), heads.stated_heads(run.facts.get("settings") or run.facts)
    if not shapes:
        return "checkpoints"
    if heads.layers(shapes, count):
        return ""
    if next(heads.attention(shapes), None) and count is None:
        return "setting heads (how many heads an attention layer has; record it with heads=N)"
    return "attention heads in tensors whose names are known"


@dimension
def circuit_head(run: RunView) -> list[str]:
    """Attention head: number of its layer, a dot, and its number in it, both from 0."""
    layers = _layers(run.last, run)
    return [f"{n}.{h}" for n, layer in enumerate(layers) for h in range(layer.heads)]


@dimension
def head_direction(run: RunView) -> Int[np.ndarray, " head_direction"]:
    """Number of a singular value of a head's circuit, the largest first."""
    return np.arange(1, _directions(_circuits(run.last, run)) + 1)


@measure("circuit_head", "head_direction", on="field_epoch", stored=ROUNDED, source=CIRCUITS,
         long_name="singular value of a QK circuit")  # fmt: skip
@requires(_heads)
def qk_singular_value(at: Checkpoint, run: RunView) -> Float[np.ndarray, "head direction"]:
    """Largest singular values of W_Q^T W_K of each attention head; NaN past the last."""
    return _values(at, run, "qk_values")


@measure("circuit_head", "head_direction", on="field_epoch", stored=ROUNDED, source=CIRCUITS,
         long_name="singular value of an OV circuit")  # fmt: skip
@requires(_heads)
def ov_singular_value(at: Checkpoint, run: RunView) -> Float[np.ndarray, "head direction"]:
    """Largest singular values of W_O W_V of each attention head; NaN past the last."""
    return _values(at, run, "ov_values")


@measure("circuit_head", on="field_epoch", source=RANK, long_name="effective rank of a QK circuit")
@requires(_heads)
def qk_rank(at: Checkpoint, run: RunView) -> Float[np.ndarray, " head"]:
    """Exponential of the entropy of the singular values of W_Q^T W_K of each attention head, as
    shares of their sum; NaN of zeros.
    """
    return _ranks(at, run, "qk_values")


@measure("circuit_head", on="field_epoch", source=RANK, long_name="effective rank of an OV circuit")
@requires(_heads)
def ov_rank(at: Checkpoint, run: RunView) -> Float[np.ndarray, " head"]:
    """Exponential of the entropy of the singular values of W_O W_V of each attention head, as
    shares of their sum; NaN of zeros.
    """
    return _ranks(at, run, "ov_values")


@measure("circuit_head", on="field_epoch", source=f"{CIRCUITS}, of queries and keys",
         long_name="positivity of a QK circuit")  # fmt: skip
@requires(_heads)
def qk_positivity(at: Checkpoint, run: RunView) -> Float[np.ndarray, " head"]:
    """Sum of the eigenvalues of W_Q^T W_K of each attention head over the sum of their absolute
    values: 1 of one that looks for what is like its own place, -1 for the opposite.
    """
    return np.concatenate([one.qk_positivity for one in _circuits(at, run)])


@measure("circuit_head", on="field_epoch",
         source=f"{CIRCUITS}, copying matrices, in the residual stream",
         long_name="copying score of an OV circuit")  # fmt: skip
@requires(_heads)
def ov_positivity(at: Checkpoint, run: RunView) -> Float[np.ndarray, " head"]:
    """Sum of the eigenvalues of W_O W_V of each attention head over the sum of their absolute
    values: 1 of one that writes copies of what it reads, -1 of one that writes the opposite.
    """
    return np.concatenate([one.ov_positivity for one in _circuits(at, run)])


def _ranks(at: Checkpoint, run: RunView, of: str) -> Float[np.ndarray, " head"]:
    every = [row for one in _circuits(at, run) for row in getattr(one, of)]
    return np.array([
        spectra.effective_rank(row) if np.isfinite(row).all() else np.nan for row in every
    ])  # fmt: skip


def _values(at: Checkpoint, run: RunView, of: str) -> Float[np.ndarray, "head direction"]:
    layers = _circuits(at, run)
    count, every = _directions(layers), [row for one in layers for row in getattr(one, of)]
    values = np.full((len(every), count), np.nan)
    for row, some in zip(values, every, strict=True):
        row[: len(some)] = some[:count]
    return values


def _directions(layers: list[heads.Circuits]) -> int:
    return min(max((one.qk_values.shape[1] for one in layers), default=1), MOST)


def _circuits(at: Checkpoint, run: RunView) -> list[heads.Circuits]:
    """The circuits of each layer, computed once for all measures of a checkpoint."""
    memo = vars(at)
    if "_circuits" not in memo:
        layers = _layers(at, run)
        memo["_circuits"] = [heads.circuits(heads.matrices(one, at.state)) for one in layers]
    circuits: list[heads.Circuits] = memo["_circuits"]
    return circuits


def _layers(at: Checkpoint, run: RunView) -> list[heads.Layer]:
    shapes = {name: np.shape(array) for name, array in at.state.items()}
    return heads.layers(shapes, heads.stated_heads(run.settings))
