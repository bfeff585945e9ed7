"""Conversion of a file's content to numbers, curves and state dicts."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.importers.contract import Belief, Curve, Hints, Source
from grokviz.importers.reading.numpy_pickles import PickledArray
from grokviz.importers.reading.numpy_pickles import array as plain_array
from grokviz.runs import tensors

CURVES = {
    "train_losses": "train_loss",
    "test_losses": "test_loss",
    "train_accs": "train_accuracy",
    "test_accs": "test_accuracy",
}
"""The lists in published files, and the metric that each becomes."""

PUBLISHED_TEST_EVERY = 10
_EXTRA = "_extra_state"


def is_list(value: Any) -> bool:
    """Whether a value looks like a list of numbers, or an array."""
    inside = 1 if isinstance(value, PickledArray) else 0  # of an array only its bytes say more
    return isinstance(value, (list, tuple)) or getattr(value, "ndim", inside) > 0


def numbers_in(value: Any, what: str, path: Path) -> np.ndarray:
    """A list, array or tensor as float64; raises :class:`InputError` for anything but numbers."""
    try:
        if isinstance(value, PickledArray):
            return plain_array(value).astype(np.float64)
        if isinstance(value, np.ndarray):
            return value.astype(np.float64)
        return np.array([_number(item) for item in value], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{what} in {path} is not a list of numbers ({error}); save it again as one"
        ) from error


def _number(item: Any) -> float:
    if isinstance(item, PickledArray):
        item = plain_array(item)
    if isinstance(item, np.ndarray) and item.size == 1:
        item = item.item()
    if isinstance(item, bool) or not isinstance(item, numbers.Real):
        raise TypeError(f"it holds a {type(item).__name__}")
    try:
        return float(item)
    except OverflowError:  # beyond float64 it is infinite
        return math.inf if item > 0 else -math.inf  # type: ignore[operator]


def number_in(value: Any) -> float | int | None:
    """A finite number, or None for anything else and for a whole one beyond 64 bits."""
    value = _scalar(value)
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value) if abs(int(value)) < 2**63 else None
    try:
        number = _number(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _scalar(value: Any) -> Any:
    """The number in an array or a tensor of one number, whole if that is; else the value."""
    if isinstance(value, PickledArray):
        try:
            value = plain_array(value)
        except ValueError:
            return None
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value


class Unreadable:
    """A tensor of a file that is no array of plain numbers, and the reason."""

    def __init__(self, reason: str) -> None:
        self.reason, self.shape = reason, ()


def is_state(value: Any) -> bool:
    """Whether a value looks like a state dict: names to arrays."""
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(name, str) for name in value)
        and any(map(_is_tensor, value.values()))
        and all(_is_tensor(v) or name.endswith(_EXTRA) for name, v in value.items())
    )


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "shape") or isinstance(value, PickledArray)


def state_arrays(
    state: Mapping[str, Any], path: Path
) -> tuple[dict[str, np.ndarray], list[Belief]]:
    """A state dict as plain arrays, and the beliefs about tensors left out.

    Raises :class:`InputError` for a tensor that lies about its size.
    """
    arrays, beliefs = {}, []
    for name, value in state.items():
        try:
            array = _array(value)
        except ValueError as error:
            raise InputError(
                f"{name} in {path} is {error}; save the file again, or take another checkpoint"
            ) from error
        if isinstance(array, Unreadable):
            beliefs.append(Belief("left out", str(name)[:100], array.reason))
        else:
            arrays[name] = array
    return tensors.as_arrays(arrays, f"weights in {path}"), beliefs


def _array(value: Any) -> np.ndarray | Unreadable:
    if isinstance(value, Unreadable):
        return value
    if isinstance(value, PickledArray):
        value = plain_array(value)
    if not hasattr(value, "shape"):
        return Unreadable("it is no tensor")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        return Unreadable(f"it holds {array.dtype} and not plain numbers")
    return array


def curves_in(
    data: Mapping[str, Any],
    source: Source,
    hints: Hints,
    clock: Sequence[int] | None = None,
) -> tuple[dict[str, Curve], list[Belief]]:
    """The curves of a file, each with its epochs, and the beliefs about those epochs.

    Training values are at every epoch (or step) from 0 on, unless there are exactly as many as
    ``clock`` has epochs. Test values are at a regular interval.
    """
    lists = {
        metric: numbers_in(data[name], name, source.path).reshape(-1)
        for name, metric in CURVES.items()
        if name in data and is_list(data[name])
    }
    curves, beliefs = {}, []
    for metric, values in lists.items():
        if not values.size:
            continue
        on_clock = clock is not None and len(values) == len(clock)
        if on_clock and clock is not None:
            curves[metric] = Curve(np.asarray(clock, dtype=np.int64), values)
            continue
        every, because = 1, ""
        if metric.startswith("test"):
            train_count = len(lists.get(metric.replace("test", "train"), ()))
            every, because = _every(train_count, len(values), source, hints)
        curves[metric] = Curve(np.arange(len(values), dtype=np.int64) * every, values)
        if because:
            beliefs.append(Belief(f"{metric} every", every, because))
    return curves, beliefs


def _every(train_count: int, test_count: int, source: Source, hints: Hints) -> tuple[int, str]:
    """The number of training values per test value, and the reason."""
    if hints.test_every is not None:
        return hints.test_every, "given"
    counts = f"{train_count:,} training values against {test_count:,} test values"
    if train_count in (0, test_count):
        return 1, ""
    fits = [s for s in range(1, train_count + 1) if -(-train_count // s) == test_count]
    if PUBLISHED_TEST_EVERY in fits:
        return PUBLISHED_TEST_EVERY, f"{counts} leave room for it, and it is the published cadence"
    if train_count % test_count == 0:
        return train_count // test_count, f"{counts} are exactly that many each"
    if len(fits) == 1:
        return fits[0], f"{counts} leave no other whole number"
    raise InputError(
        f"{source.path} has {counts}, which leave the test interval open; "
        "give it with --set test-every=N"
    )
