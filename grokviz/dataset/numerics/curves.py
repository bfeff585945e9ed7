"""Curves over training: their means, where they fall, and moments on them."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError

PHASES = ("memorisation", "circuit formation", "clean-up", "stable")
FALL_WIDTH = 50


def spread(epochs: Int[np.ndarray, " epoch"], most: int) -> Int[np.ndarray, " chosen"]:
    """At most ``most`` of ``epochs``, evenly spaced, including the first and the last."""
    if len(epochs) <= most:
        return epochs
    index = np.unique(np.linspace(0, len(epochs) - 1, most).round().astype(int))
    subset: Int[np.ndarray, " chosen"] = epochs[index]
    return subset


def running_mean(values: Float[np.ndarray, " step"], width: int) -> Float[np.ndarray, " step"]:
    """Mean of each value and the ``width - 1`` before it; of fewer values at the start."""
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - width, 0)
    mean: Float[np.ndarray, " step"] = (total[stop] - total[start]) / (stop - start)
    return mean


def first_below(
    epochs: Int[np.ndarray, " epoch"], loss: Float[np.ndarray, " epoch"], level: float
) -> int | None:
    """The first epoch whose loss is below ``level``; None if there is none."""
    below = loss < level
    return int(epochs[np.argmax(below)]) if below.any() else None


def fall(
    epochs: Int[np.ndarray, " epoch"], loss: Float[np.ndarray, " epoch"]
) -> tuple[int, int] | None:
    """First and last epoch of a loss' fall: nine tenths and one tenth above its lowest mean.

    Means are of 50 values; None for a loss that never falls to half of its start.
    """
    finite = np.isfinite(loss)
    epochs, mean = epochs[finite], running_mean(loss[finite], FALL_WIDTH)
    if not mean.size or mean.min() > mean[0] / 2:
        return None
    low = float(mean.min())
    levels = [low + share * (float(mean[0]) - low) for share in (0.9, 0.1)]
    ends = [first_below(epochs, mean, level) for level in levels]
    return (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None


def index_of(
    values: Int[np.ndarray, " clock"],
    epoch_text: str | int | None,
    grokked: Callable[[], int | None],
    name: str,
) -> int:
    """Index among ``values`` of ``N``, ``last``, ``grok``, ``grok-N`` or ``grok+N``.

    The nearest one is taken. ``grokked`` gives the epoch of grokking, if the run called
    ``name`` has one. Raises :class:`InputError` for any other text or an epoch outside.
    """
    text = "last" if epoch_text is None else str(epoch_text).strip()
    if text == "last":
        return len(values) - 1
    match = re.fullmatch(r"(grok)?([+-]?\d+)?", text)
    if not match or not text or (match[1] and match[2] and match[2][0] not in "+-"):
        raise InputError(
            f"--epoch {text} is not an epoch; write a number, last, grok, grok-3000 or grok+3000"
        )
    at = int(match[2] or 0)
    if match[1]:
        epoch = grokked()
        if epoch is None:
            raise InputError(
                f"{name} did not grok: its test loss did not come down for good after it had "
                "memorised; give --epoch a number or last"
            )
        at += epoch
    elif text.startswith("-") or at > values[-1]:
        raise InputError(
            f"--epoch {text} is outside the run; give a number from {values[0]} to {values[-1]}"
        )
    return int(np.abs(values - at).argmin())
