"""Numbers, curves and state dicts out of what a file held."""

from __future__ import annotations

import math
import numbers
import re
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
"""Lists of a published file, and the metric that each becomes."""

PUBLISHED_TEST_EVERY = 10

_KEYWORD = re.compile(r"(?:step|epoch|iter|iteration|ckpt|checkpoint)s?[-_= ]?(\d+)", re.IGNORECASE)


def is_list(value: Any) -> bool:
    """Whether a value looks like a list of numbers, or an array."""
    return isinstance(value, (list, tuple, PickledArray)) or getattr(value, "ndim", 0) > 0


def numbers_in(value: Any, what: str, path: Path) -> np.ndarray:
    """A list, array or tensor as float64; :class:`InputError` for anything but numbers."""
    try:
        if isinstance(value, PickledArray):
            return plain_array(value).astype(np.float64)
        if hasattr(value, "detach"):
            return dense(value).astype(np.float64)
        if isinstance(value, np.ndarray):
            return value.astype(np.float64)
        return np.array([_number(item) for item in value], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{what} in {path} is not a list of numbers ({error}); save it anew as one"
        ) from error


def _number(item: Any) -> float:
    if isinstance(item, PickledArray):
        item = plain_array(item)
    elif hasattr(item, "detach"):
        item = dense(item)
    if isinstance(item, np.ndarray) and item.size == 1:
        item = item.item()
    if isinstance(item, bool) or not isinstance(item, numbers.Real):
        raise TypeError(f"it holds a {type(item).__name__}")
    return float(item)


def number_in(value: Any) -> float | int | None:
    """One number, or None for anything else."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    try:
        number = _number(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def dense(tensor: Any) -> np.ndarray:
    """A tensor's own copy as an array; ``ValueError`` if it claims more than its bytes hold."""
    tensor = tensor.detach()
    if str(tensor.layout) != "torch.strided" or tensor.is_complex() or tensor.is_quantized:
        raise ValueError("a tensor of an unusual kind")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise ValueError(
            f"a tensor of shape {tuple(tensor.shape)} over {tensor.untyped_storage().nbytes()} "
            "bytes"
        )
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()
    return np.array(tensor.numpy())


def is_state(value: Any) -> bool:
    """Whether a value looks like a state dict: names to arrays."""
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(name, str) for name in value)
        and all(hasattr(v, "shape") or isinstance(v, PickledArray) for v in value.values())
    )


def state_arrays(state: Mapping[str, Any], path: Path) -> dict[str, np.ndarray]:
    """A state dict as plain arrays; :class:`InputError` names the tensor that is none."""
    arrays = {}
    for name, value in state.items():
        try:
            if isinstance(value, PickledArray):
                value = plain_array(value)
            arrays[name] = dense(value) if hasattr(value, "detach") else value
        except ValueError as error:
            raise InputError(
                f"{name} in {path} is {error}; save the file anew, or take another checkpoint"
            ) from error
    return tensors.as_arrays(arrays, f"weights in {path}")


def curves_in(
    data: Mapping[str, Any],
    source: Source,
    hints: Hints,
    clock: Sequence[int] | None = None,
) -> tuple[dict[str, Curve], list[Belief]]:
    """The curves of a file, each on its clock, and how the clocks were told.

    Training values stand at every epoch (or step) from 0 on, unless there are exactly as
    many as ``clock`` has epochs. Test values stand at every so many.
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
            trained = len(lists.get(metric.replace("test", "train"), ()))
            every, because = _every(trained, len(values), source, hints)
        curves[metric] = Curve(np.arange(len(values), dtype=np.int64) * every, values)
        if because:
            beliefs.append(Belief(f"{metric} every", every, because))
    return curves, beliefs


def _every(trained: int, tested: int, source: Source, hints: Hints) -> tuple[int, str]:
    """How many training values lie between two test values, and how that was told."""
    if hints.test_every is not None:
        return hints.test_every, "given"
    counts = f"{trained:,} training values against {tested:,} test values"
    if trained in (0, tested):
        return 1, ""
    fits = [s for s in range(1, trained + 1) if -(-trained // s) == tested]
    if PUBLISHED_TEST_EVERY in fits:
        return PUBLISHED_TEST_EVERY, f"{counts} leave room for it, and it is the published cadence"
    if trained % tested == 0:
        return trained // tested, f"{counts} are exactly that many each"
    if len(fits) == 1:
        return fits[0], f"{counts} leave no other whole number"
    raise InputError(
        f"{source.path} has {counts}, so it does not say when it was tested; "
        "say it with --set test-every=N"
    )


def epoch_in_name(name: str) -> int | None:
    """The step in a file's name: after a word such as ``step``, else its last whole number."""
    stem = name.rsplit(".", 1)[0]
    steps = _KEYWORD.findall(stem) or re.findall(r"(?<![\d.])\d+(?![\d.])", stem)
    return int(steps[-1]) if steps else None
