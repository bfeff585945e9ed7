"""The losses that training logged, and the phases that they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import RunView
from grokviz.dataset.contract import Published, Storage, dimension, measure, nothing, requires
from grokviz.dataset.learning import Curve, learning
from grokviz.dataset.numerics import curves
from grokviz.dataset.variables import PAPER

if TYPE_CHECKING:
    import xarray as xr


@dimension
def logged_epoch(run: RunView) -> Int[np.ndarray, " logged_epoch"]:
    """Epochs at which the training loss was logged."""
    return run.metric("train_loss")[0]


@dimension
def tested_epoch(run: RunView) -> Int[np.ndarray, " tested_epoch"]:
    """Epochs at which the test loss was logged."""
    return run.metric("test_loss")[0]


@dimension
def phase(run: RunView) -> list[str]:
    """Phases of training, in order."""
    return list(curves.PHASES[:3])


def _train(loss: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    epochs, values = _finite(loss)
    if not len(epochs):
        return {}
    return {
        "train_loss": _nearest(epochs, values, epoch),
        "smallest_train_loss": float(values.min()),
    }


def _test(loss: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    epochs, values = _finite(loss)
    if not len(epochs):
        return {}
    return {
        "test_loss": _nearest(epochs, values, epoch),
        "largest_test_loss": float(values.max()),
        "smallest_test_loss": float(values.min()),
    }


@measure("logged_epoch", on="run", units="nats", long_name="training loss",
         source=f"{PAPER}, figure 2", published=Published(_train))  # fmt: skip
@requires(nothing)
def logged_train_loss(run: RunView) -> Float[np.ndarray, " logged_epoch"]:
    """Mean cross entropy over the training pairs as training logged it, all classes."""
    return run.metric("train_loss")[1]


@measure("tested_epoch", on="run", units="nats", long_name="test loss",
         source=f"{PAPER}, figure 2", published=Published(_test))  # fmt: skip
@requires(nothing)
def logged_test_loss(run: RunView) -> Float[np.ndarray, " tested_epoch"]:
    """Mean cross entropy over the held-out pairs as training logged it, all classes."""
    return run.metric("test_loss")[1]


@measure("phase", on="run", units="epochs", long_name="last epoch of each phase",
         source=f"phases after {PAPER}, section 5.2", stored=Storage("int64"))  # fmt: skip
@requires(nothing)
def phase_end(run: RunView) -> Int[np.ndarray, " phase"]:
    """By the running medians over 5 % of the epoch: memorisation ends where the test loss is
    largest, circuit formation where the run groks, clean-up where the test loss' logarithm has
    fallen 95 % of the way; -1 where it does not grok, or had not memorised by the maximum.
    """
    ends = learning(Curve(*run.metric("train_loss")), Curve(*run.metric("test_loss"))).ends
    return np.array((-1, -1, -1) if ends is None else ends)


def _finite(loss: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and finite values of a logged curve."""
    values = loss.values.astype(np.float64)
    finite = np.isfinite(values)
    return loss[loss.dims[0]].values[finite], values[finite]


def _nearest(epochs: np.ndarray, values: np.ndarray, epoch: int) -> float:
    return float(values[np.abs(epochs - epoch).argmin()])
