"""Slingshots: spikes of the training loss after it had vanished, and what is logged of them.

Source: thread, tweet 14; arXiv:2206.04817 (slingshots), arXiv:2605.06152 (their cause).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

LOW, HIGH = 1e-4, 1e-3
"""A spike rises above the second after the loss was below the first."""

SWING = 100
"""Epochs within which further rises count as part of the same spike."""

LOGGED = ("unembedding_norm", "logit_gradient_sum")


def spikes(
    epochs: Int[np.ndarray, " step"], loss: Float[np.ndarray, " step"]
) -> tuple[Int[np.ndarray, " spike"], Float[np.ndarray, " spike"]]:
    """Epoch and height of the maximum of each spike.

    A spike begins where the loss is above 0.001 after it was below 0.0001, and ends where it is
    below 0.0001 again, or with the run; the descent at the start does not count. Rises that
    begin within 100 epochs of the last maximum belong to the same spike.
    """
    tops: list[int] = []
    low = np.flatnonzero(loss < LOW)
    high = np.flatnonzero(loss > HIGH)
    at = int(low[0]) if low.size else len(loss)
    while True:
        rising = high[high > at]
        if not rising.size:
            break
        falling = low[low > rising[0]]
        stop = int(falling[0]) if falling.size else len(loss)
        top = int(rising[0] + np.argmax(loss[rising[0] : stop]))
        if tops and epochs[rising[0]] - epochs[tops[-1]] < SWING:
            tops[-1] = max(tops[-1], top, key=lambda i: float(loss[i]))
        else:
            tops.append(top)
        at = stop
    return epochs[tops], loss[tops]


def values_on(
    clock: Int[np.ndarray, " epoch"], epochs: Int[np.ndarray, " some"], values: np.ndarray
) -> Float[np.ndarray, " epoch"]:
    """Values at the epochs of a clock; NaN at epochs without a value."""
    series = np.full(len(clock), np.nan)
    on_clock = np.isin(epochs, clock)
    series[np.searchsorted(clock, epochs[on_clock])] = values[on_clock]
    return series
