"""What a loss curve says by itself: when a run grokked, and its phases, by stated rules.

The rules need nothing but the test loss, so they serve any run that logged one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError

PHASES = ("memorisation", "circuit formation", "clean-up", "stable")
CLEANED = 0.95
OVERFIT = 1.5
FALL_WIDTH = 50


def grok_index(test_loss: Float[np.ndarray, " epoch"]) -> int | None:
    """Index of the first value after the maximum that is below half of it; None without one.

    A run that never overfitted has its maximum at the start and so groks where it first
    learns; :func:`phase_ends` tells the two apart.
    """
    finite = np.flatnonzero(np.isfinite(test_loss))
    if finite.size < 2:
        return None
    top = finite[np.argmax(test_loss[finite])]
    below = np.flatnonzero(test_loss[top + 1 :] < test_loss[top] / 2)
    return int(top + 1 + below[0]) if below.size else None


def phase_ends(
    epochs: Int[np.ndarray, " epoch"], test_loss: Float[np.ndarray, " epoch"]
) -> Int[np.ndarray, " 3"] | None:
    """Last epochs of memorisation, circuit formation and clean-up; None for a run without them.

    Memorisation ends where the test loss is largest, circuit formation where it first is
    below half of that, clean-up where its logarithm has made 95 % of the way down to its
    lowest value. A run whose test loss never rises to 1.5 times its start, or never falls
    again, has no such phases. The published ends are 1,400, 9,400 and 14,000
    (arXiv:2301.05217, section 5.2), drawn there by hand.
    """
    finite = np.isfinite(test_loss) & (test_loss > 0)
    epochs, loss = epochs[finite], test_loss[finite]
    grokked = grok_index(loss)
    if grokked is None:
        return None
    top = int(np.argmax(loss))
    if loss[top] < OVERFIT * loss[0]:
        return None
    depth = np.log(loss[top]) - np.log(loss[top:])
    cleaned = top + int(np.argmax(depth >= CLEANED * depth.max()))
    if cleaned <= grokked:
        return None
    return epochs[[top, grokked, cleaned]]


def spread(epochs: Int[np.ndarray, " epoch"], most: int) -> Int[np.ndarray, " chosen"]:
    """At most ``most`` of ``epochs``, evenly spread, the first and the last among them."""
    if len(epochs) <= most:
        return epochs
    index = np.unique(np.linspace(0, len(epochs) - 1, most).round().astype(int))
    subset: Int[np.ndarray, " chosen"] = epochs[index]
    return subset


def running_mean(values: Float[np.ndarray, " step"], width: int) -> Float[np.ndarray, " step"]:
    """Mean of each value and the ``width - 1`` before it; of fewer at the start."""
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - width, 0)
    mean: Float[np.ndarray, " step"] = (total[stop] - total[start]) / (stop - start)
    return mean


def first_below(
    epochs: Int[np.ndarray, " epoch"], loss: Float[np.ndarray, " epoch"], level: float
) -> int | None:
    """The first epoch whose loss is below ``level``; None where none is."""
    below = loss < level
    return int(epochs[np.argmax(below)]) if below.any() else None


def fall(
    epochs: Int[np.ndarray, " epoch"], loss: Float[np.ndarray, " epoch"]
) -> tuple[int, int] | None:
    """First and last epoch of a loss' fall: nine tenths and one tenth above its lowest mean.

    Means are of 50 values; None for a loss that never comes down to half of its start.
    """
    mean = running_mean(loss, FALL_WIDTH)
    finite = np.isfinite(mean)
    epochs, mean = epochs[finite], mean[finite]
    if not mean.size or mean.min() > mean[0] / 2:
        return None
    low = float(mean.min())
    levels = [low + share * (float(mean[0]) - low) for share in (0.9, 0.1)]
    ends = [first_below(epochs, mean, level) for level in levels]
    return (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None


def index_of(
    values: Int[np.ndarray, " clock"],
    wanted: str | int | None,
    grokked: Callable[[], int | None],
    name: str,
) -> int:
    """Index among ``values`` of ``N``, ``last``, ``grok``, ``grok-N`` or ``grok+N``.

    The nearest one is taken. ``grokked`` gives the epoch of grokking, if the run called
    ``name`` has one. Raises :class:`InputError` for any other word and an epoch outside.
    """
    text = "last" if wanted is None else str(wanted).strip()
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
                f"{name} did not grok: its test loss never fell below half of its maximum; "
                "give --epoch a number or last"
            )
        at += epoch
    elif text.startswith("-") or at > values[-1]:
        raise InputError(
            f"--epoch {text} is outside the run; give a number from {values[0]} to {values[-1]}"
        )
    return int(np.abs(values - at).argmin())
