"""The loss of every digit of the answer, as logged and on fresh sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import metric
from grokviz.dataset.contract import Published, Storage, dimension, logged, measure, requires
from grokviz.dataset.numerics import curves
from grokviz.dataset.numerics.spikes import values_on
from grokviz.dataset.variables import PAPER
from grokviz.runs import Run
from grokviz.tasks._sequences.checkpoint import SequenceCheckpoint
from grokviz.tasks.digit_addition.checkpoint import DigitAdditionRun

if TYPE_CHECKING:
    import xarray as xr

DIGITS = f"{PAPER}, figures 21 to 23; thread, tweet 13"

DROP_LEVEL, DROP_WIDTH = 0.3, 50
"""A digit drops where the mean of so many losses, from there on, is first below that."""

_NEVER = -1
_LOGGED = logged("train_loss_token_0", "loss logged for each digit")


@dimension
def digit(run: DigitAdditionRun) -> Int[np.ndarray, " digit"]:
    """Digits of the answer, the most significant (the carry) first."""
    return np.arange(_digits(run.run) or run.sample.task.scored)


def _published(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    return {"digit_drop": [None if one < 0 else int(one) for one in values.values]}


@measure("logged_epoch", "digit", on="run", units="nats", source=DIGITS,
         long_name="train loss of the digit")  # fmt: skip
@requires(_LOGGED)
def token_train_loss(run: DigitAdditionRun) -> Float[np.ndarray, "logged_epoch digit"]:
    """Training loss of one digit of the answer, as logged."""
    return _by_digit(run.run, "train_loss")


@measure("tested_epoch", "digit", on="run", units="nats", source=DIGITS,
         long_name="test loss of the digit")  # fmt: skip
@requires(_LOGGED)
def token_test_loss(run: DigitAdditionRun) -> Float[np.ndarray, "tested_epoch digit"]:
    """Test loss of one digit of the answer, as logged."""
    return _by_digit(run.run, "test_loss")


@measure("digit", on="run", units="epoch", source=DIGITS, long_name="drop of the digit",
         stored=Storage("int64"), published=Published(_published))  # fmt: skip
@requires(_LOGGED)
def digit_drop(run: DigitAdditionRun) -> list[int]:
    """The first epoch from which on the mean of 50 training losses of the digit is below 0.3; -1
    if it never is.
    """
    names = [f"train_loss_token_{k}" for k in range(_digits(run.run))]
    drops = [drop_of(*run.metric(name)) for name in names]
    return [_NEVER if drop is None else drop for drop in drops]


@measure("digit", units="nats", source=DIGITS, long_name="loss of the digit on fresh sums",
         published="held_out_digit_loss")  # fmt: skip
def held_out_digit_loss(
    at: SequenceCheckpoint, run: DigitAdditionRun
) -> Float[np.ndarray, " digit"]:
    """Mean cross entropy of one digit of the answer of fresh sums, by float64 forward pass."""
    return at.sample_measures(run.sample, run.skip_weight).loss


def drop_of(epochs: Int[np.ndarray, " step"], loss: np.ndarray) -> int | None:
    """The first epoch whose loss and the 49 after it have a mean below 0.3; None without one."""
    if len(loss) < DROP_WIDTH:
        return None
    mean = curves.running_mean(loss, DROP_WIDTH)[DROP_WIDTH - 1 :]
    return curves.first_below(epochs[: len(mean)], mean, DROP_LEVEL)


def _digits(run: Run) -> int:
    """How many digits have losses that were logged."""
    count = 0
    while f"train_loss_token_{count}" in run.metrics:
        count += 1
    return count


def _by_digit(run: Run, whole: str) -> np.ndarray:
    """Each digit's losses at the epochs at which the whole loss was logged; NaN elsewhere."""
    clock = metric(run, whole)[0]
    names = [f"{whole}_token_{k}" for k in range(_digits(run))]
    return np.stack([values_on(clock, *metric(run, name)) for name in names], axis=1)
