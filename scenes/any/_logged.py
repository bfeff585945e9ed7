"""Logged metrics: what they are called, what goes together, and when each moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from grokviz.media.plain import no_formula
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr

SPLITS = ("train", "test", "valid", "val", "eval")
"""Metrics that differ by such a word alone share a panel."""

MUCH = 2.0
"""A metric moves where what it comes from and where it ends differ by this factor."""

PEAK = 1.5
"""A metric peaks where its largest value is so many times its first one."""


class Move(NamedTuple):
    """Where a metric is half way from its farthest value to its last one, for good."""

    name: str
    at: float
    value: float
    start: float
    end: float
    much: bool

    @property
    def verb(self) -> str:
        """What it does."""
        return "falls" if self.end < self.start else "rises"


class Turn(NamedTuple):
    """Where a metric is largest, or smallest, between two much other ends."""

    name: str
    at: float
    value: float
    peak: bool


def logged(data: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values of a metric, where they are numbers."""
    values = data["logged_metric"].sel(logged_name=name).values
    known = np.isfinite(values)
    return data["metric_epoch"].values[known], values[known]


def move_of(name: str, epochs: np.ndarray, values: np.ndarray) -> Move:
    """When a metric is half way from the value farthest from its last one, for good."""
    away = np.abs(values - values[-1])
    far = int(away.argmax())
    start, end = float(values[far]), float(values[-1])
    largest = max(abs(start), abs(end))
    much = bool(away[far] >= (1 - 1 / MUCH) * largest > 0)
    # what stays has not come half way before that
    after = int(np.flatnonzero(2 * away > away[far]).max(initial=-1)) + 1
    after = min(after, len(values) - 1)
    return Move(name, float(epochs[after]), float(values[after]), start, end, much)


def turn_of(data: xr.Dataset, name: str) -> Turn | None:
    """Where a metric peaks that falls again, or is lowest before it rises; else None."""
    epochs, values = logged(data, name)
    if not min(values[0], values[-1]) > 0:
        return None
    top, low = int(values.argmax()), int(values.argmin())
    if values[top] >= PEAK * values[0] and MUCH * values[-1] <= values[top]:
        return Turn(name, float(epochs[top]), float(values[top]), True)
    if 0 < MUCH * values[low] <= min(values[0], values[-1]):
        return Turn(name, float(epochs[low]), float(values[low]), False)
    return None


def when(move: Move, data: xr.Dataset) -> str:
    """When a metric is half way: "epoch 3,750"."""
    return f"{clocks.word(data)} {clocks.spaced(round(move.at))}"


def gap(first: Move, last: Move, data: xr.Dataset) -> str:
    """How much later one of them moves, in two digits: half way is no sharper."""
    return f"{clocks.spaced(float(f'{last.at - first.at:.2g}'))} {clocks.word(data)}s later"


def labels(row: Sequence[Move]) -> dict[str, str]:
    """What each metric of a row is called at its curve, by its name.

    That is its split, above the rest of its name where it is alone.
    """
    parts = {move.name: split_of(move.name) for move in row}
    if len(row) == 1:
        return {name: "\n".join(filter(None, split)) for name, split in parts.items()}
    short = {name: split or rest for name, (split, rest) in parts.items()}
    return short if len({*short.values()}) == len(row) else {name: name for name in parts}


def split_of(name: str) -> tuple[str, str]:
    """The split that a name speaks of, if any, and what is left of it in words."""
    name = no_formula(name)
    parts = name.replace("/", "_").replace(".", "_").split("_")
    for split in SPLITS:
        if split in parts and len(parts) > 1:
            rest = [part for part in parts if part != split]
            return ("valid" if split == "val" else split), " ".join(rest)
    return "", name.replace("_", " ")


def short(value: float) -> str:
    """Two digits, as 4.1, 0.23 or 1.1e-7."""
    mantissa, e, power = f"{value:.2g}".partition("e")
    return f"{mantissa}e{int(power)}" if e else mantissa


def words_of(name: str) -> str:
    """A metric's name in a sentence: "training loss" of a train_loss."""
    split, rest = split_of(name)
    return f"{'training' if split == 'train' else split} {rest}".strip()


def change(first: float, last: float) -> float:
    """How much larger or smaller a value has become, as a logarithm; 0 of a change of sign."""
    if first == last or not first * last > 0:
        return 0.0
    return float(abs(np.log(last / first)))
