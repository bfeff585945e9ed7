"""When a run memorised, when it grokked, and its phases: what its losses say, by stated rules.

The rules need nothing but the logged losses, so they serve any run that has them. Real losses have
spikes, dips and single lucky batches, so a loss is read through its running median: at each epoch
the median over the epochs up to 5 % earlier and later. So a leap that is short beside the time
since the start says nothing, however often the loss was logged.

- *Memorised*: the first epoch whose training loss is below 0.1 nats.
- *Grokked*: the last time that the test loss comes down to half of its maximum, if by then the run
  had memorised for at least half of the time. A run that learns train and test together does not
  grok, nor does one whose test loss is up again at its end.
- *Phases*: memorisation ends where the test loss is largest, circuit formation where the run
  groks, clean-up where the logarithm of the test loss has come 95 % of the way down to its lowest
  value. A run has them if it groks and had memorised by the maximum.

The published ends are 1,400, 9,400 and 14,000 (arXiv:2301.05217, section 5.2), drawn by hand.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics.curves import first_below

if TYPE_CHECKING:
    import xarray as xr

AROUND = 0.05
"""How far the running median looks back and ahead, as a share of the epoch."""

LOW = 0.1
"""A loss below this counts as learned, in nats."""

LATER = 2.0
"""A run groks at no less than so many times the epoch at which it had memorised."""

OVERFIT = 1.5
"""Without a training loss, the rise of the test loss that stands for having memorised."""

RECORDS = 20_000
"""Of a longer curve so many records are read, evenly."""

CLEANED = 0.95
"""The share of the way down at which clean-up ends."""


class Curve(NamedTuple):
    """Epochs and values of a logged loss, in nats."""

    epochs: Int[np.ndarray, " record"]
    loss: Float[np.ndarray, " record"]


@dataclass(frozen=True)
class Learning:
    """What the losses of a run say; None for what did not happen, or cannot be told."""

    memorised: int | None = None
    grokked: int | None = None
    ends: tuple[int, int, int] | None = None


def learning(train: Curve, test: Curve) -> Learning:
    """When a run memorised and grokked, and the last epochs of its phases."""
    memorised = first_low(train)
    epochs, loss = smooth(test)
    if len(loss) < 2:
        return Learning(memorised)
    top = int(np.argmax(loss))
    above = np.flatnonzero(loss >= loss[top] / 2)
    after = int(above[-1]) + 1
    grokked = int(epochs[after]) if after < len(loss) else None
    if not len(train.epochs):
        waited = bool(loss[top] >= OVERFIT * loss[0])
    else:
        waited = memorised is not None and grokked is not None and grokked >= LATER * memorised
    if grokked is None or not waited:
        return Learning(memorised)
    # a loss of 0, which float32 comes to, is as low as the lowest above it
    positive = np.maximum(loss[top:], loss[top:][loss[top:] > 0].min())
    depth = np.log(loss[top]) - np.log(positive)
    cleaned = int(epochs[top + int(np.argmax(depth >= CLEANED * depth.max()))])
    at_top = int(epochs[top])
    phases = (memorised is None or memorised <= at_top) and cleaned > grokked
    return Learning(memorised, grokked, (at_top, grokked, cleaned) if phases else None)


def first_low(curve: Curve, level: float = LOW) -> int | None:
    """The first epoch whose loss, by its running median, is below ``level``; None without one."""
    return first_below(*smooth(curve), level)


def smooth(curve: Curve) -> Curve:
    """The running median of the values that are losses, at their epochs."""
    epochs, loss = (np.ascontiguousarray(part) for part in curve)
    # every sentence about a run asks anew
    key = (epochs.dtype.str, epochs.tobytes(), loss.dtype.str, loss.tobytes())
    return _smooth(*key)


@lru_cache(maxsize=16)
def _smooth(epochs_type: str, epochs_bytes: bytes, loss_type: str, loss_bytes: bytes) -> Curve:
    """:func:`smooth` of a curve's bytes; nobody changes the arrays."""
    epochs, loss = np.frombuffer(epochs_bytes, epochs_type), np.frombuffer(loss_bytes, loss_type)
    real = np.isfinite(loss) & (loss >= 0)
    epochs, loss = epochs[real], np.asarray(loss[real], dtype=np.float64)
    if len(epochs) < 2:
        return Curve(epochs, loss)
    every = -(-len(epochs) // RECORDS)
    epochs, loss = epochs[::every], loss[::every]
    first = np.searchsorted(epochs, epochs * (1 - AROUND), side="left")
    last = np.searchsorted(epochs, epochs * (1 + AROUND), side="right")
    # the window's values in order, from which those that fall out are taken and new ones added
    values = loss.tolist()
    window: list[float] = []
    start = stop = 0
    medians = np.empty(len(values))
    for i, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for value in values[stop:b]:
            bisect.insort(window, value)
        for value in values[start:a]:
            del window[bisect.bisect_left(window, value)]
        start, stop = a, b
        medians[i] = window[(len(window) - 1) // 2]
    medians.flags.writeable = False
    return Curve(epochs, medians)


def grok_epoch(data: xr.Dataset) -> int | None:
    """When the run of a dataset grokked; None for one that did not.

    By its phases, if it has them, which were told before its curves were thinned; else by its
    logged losses, and only without these by those measured at the checkpoints.
    """
    ends = data["phase_end"].values if "phase_end" in data else np.array([-1])
    if (ends >= 0).all():
        return int(ends[1])
    logged = _curve(data, "tested_epoch", "logged_test_loss")
    if len(logged.epochs):
        return learning(_curve(data, "logged_epoch", "logged_train_loss"), logged).grokked
    if "loss" not in data:
        return None
    train, test = (
        Curve(data["epoch"].values, data["loss"].sel(split=split).values)
        for split in ("train", "test")
    )
    return learning(train, test).grokked


def _curve(data: xr.Dataset, clock: str, name: str) -> Curve:
    """A logged curve of a dataset; an empty one where it has none."""
    if name not in data:
        return Curve(np.zeros(0, dtype=np.int64), np.zeros(0))
    return Curve(data[clock].values, data[name].values)
