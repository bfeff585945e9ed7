"""What the pages say of the bundled runs, by name: functions of a reference's dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np
import xarray as xr

from grokviz.dataset.numerics.langevin import convergence
from grokviz.dataset.numerics.spikes import spikes
from grokviz.errors import InputError, nearest

Value = Any
"""A number, or an array of the numbers of a list."""

CURVES = {
    "train": ("logged_epoch", "logged_train_loss", "member_epoch", "member_train_loss"),
    "test": ("tested_epoch", "logged_test_loss", "member_test_epoch", "member_test_loss"),
    "held-out": ("epoch", "held_out_loss"),
    "accuracy": ("epoch", "accuracy"),
    "published-train": ("published_epoch", "published_train_loss"),
    "published-test": ("published_epoch", "published_test_loss"),
    "published-restricted": ("published_epoch", "published_restricted_loss"),
    "published-excluded": ("published_epoch", "published_excluded_loss"),
    "unembedding-norm": ("member_epoch", "member_unembedding_norm"),
    "gradient-sum": ("member_epoch", "member_logit_gradient_sum"),
}
"""Curves by the names that the pages give them: a clock and its values, of a run or of a member."""

NEAR = 0.01
"""How far the nearest bundled record of a thinned curve may be, as a share of the epoch."""


@dataclass(frozen=True)
class Quantity:
    """A function of a dataset, and the variables that it reads."""

    of: Callable[..., Value]
    needs: tuple[str, ...] = ()


QUANTITIES: dict[str, Quantity] = {}
"""Every quantity by its name. A variable's own name is one too and need not be here."""


def quantity(*needs: str) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Register a function under its name, with dashes for underscores, and what it reads."""

    def register(of: Callable[..., Value]) -> Callable[..., Value]:
        QUANTITIES[of.__name__.replace("_", "-")] = Quantity(of, needs)
        return of

    return register


def value(data: xr.Dataset, name: str, *words: str) -> Value:
    """The value of a quantity or of a variable.

    Words with ``=`` select first: ``epoch=40000``, ``epoch=100,200``, ``epoch=last``, ``split=all``
    or ``member=NAME``; the others are the quantity's arguments. Nothing is interpolated, and a
    label that the data have not raises :class:`InputError`.
    """
    rest = [word for word in words if "=" not in word]
    for word in words:
        if "=" in word:
            data = _select(data, *word.split("=", 1))
    if name in QUANTITIES:
        return QUANTITIES[name].of(data, *rest)
    if rest:
        raise InputError(f"{name} is a variable and takes no {rest[0]}; write DIMENSION=LABEL")
    return variable(data, name).values


def variable(data: xr.Dataset, name: str) -> xr.DataArray:
    """A variable or coordinate; an ``InputError`` names the nearest there is."""
    if name not in data.variables:
        known = [*map(str, data.variables), *QUANTITIES]
        raise InputError(f"there is no quantity {name} here: {nearest(name, known)}")
    return data[name]


def _select(data: xr.Dataset, dimension: str, labels: str) -> xr.Dataset:
    if dimension not in data.dims:
        raise InputError(
            f"there is no dimension {dimension}: {nearest(dimension, [*map(str, data.dims)])}"
        )
    if labels == "last":
        return data.isel({dimension: -1})
    clock = data["member_name" if dimension == "member" else dimension].values
    # members of a sweep over seeds have commas in their names
    each = [labels] if dimension == "member" and labels in clock else labels.split(",")
    places = [_places(clock, label) for label in each]
    for label, place in zip(each, places, strict=True):
        if not place.size:
            raise InputError(f"there is no {dimension} {label}; name one that the data have")
    index = [int(place[0]) for place in places]
    return data.isel({dimension: index[0] if len(index) == 1 else index})


def _places(labels: np.ndarray, label: str) -> np.ndarray:
    if labels.dtype.kind == "f":
        return np.flatnonzero(np.isclose(labels, float(label), rtol=1e-9))
    return np.flatnonzero(labels == labels.dtype.type(label))


# --- curves ----------------------------------------------------------------------------


def curve(data: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values of a curve of a run, or of the member selected; numbers alone."""
    if name not in CURVES:
        raise InputError(f"there is no curve {name}: {nearest(name, [*CURVES])}")
    parts = CURVES[name]
    clock, values = next(
        (pair for pair in zip(parts[::2], parts[1::2], strict=True) if pair[1] in data), parts[:2]
    )
    epochs, numbers = variable(data, clock).values, variable(data, values).values.astype(float)
    if numbers.ndim > 1:
        raise InputError(f"{name} is a curve of each member; select one with member=NAME")
    real = np.isfinite(numbers)
    return epochs[real], numbers[real]


def _curve_quantity(of: Callable[..., Value]) -> Callable[..., Value]:
    """Register a function of epochs and values, whose first argument on the page is the curve."""

    @wraps(of)
    def with_curve(data: xr.Dataset, name: str, *words: str) -> Value:
        return of(*curve(data, name), *(float(word.replace(",", "")) for word in words))

    needs = [name for parts in CURVES.values() for name in parts[1::2]]
    return quantity(*needs)(with_curve)


@_curve_quantity
def at(epochs: np.ndarray, values: np.ndarray, *moments: float) -> Value:
    """The values recorded at these epochs, each of which must have a record."""
    missing = sorted({*moments} - {*epochs.tolist()})
    if missing:
        raise InputError(f"no record of epoch {missing[0]:g} is bundled; ask for near and near-at")
    return values[np.searchsorted(epochs, moments)]


def _nearest(epochs: np.ndarray, moment: float) -> int:
    """The index of the nearest record, which is no further than a hundredth of the epoch."""
    index = int(np.abs(epochs - moment).argmin())
    if abs(epochs[index] - moment) > NEAR * moment:
        raise InputError(
            f"no record near epoch {moment:g} is bundled; the nearest is at {epochs[index]}"
        )
    return index


@_curve_quantity
def near(epochs: np.ndarray, values: np.ndarray, moment: float) -> float:
    """The value of the nearest record."""
    return float(values[_nearest(epochs, moment)])


@_curve_quantity
def near_at(epochs: np.ndarray, _: np.ndarray, moment: float) -> int:
    """The epoch of the nearest record."""
    return int(epochs[_nearest(epochs, moment)])


@_curve_quantity
def as_published_512(epochs: np.ndarray, values: np.ndarray, moment: float) -> float:
    """The mean of the records within a twentieth of the step, counted as the published losses of
    repeated subsequences are: 85/84 times.
    """
    around = np.abs(epochs - moment) <= moment / 20
    if around.sum() < 2:
        raise InputError(f"fewer than two records around step {moment:g} are bundled")
    return float(values[around].mean() * 85 / 84)


@_curve_quantity
def final(_: np.ndarray, values: np.ndarray) -> float:
    """The last value."""
    return float(values[-1])


@_curve_quantity
def largest(epochs: np.ndarray, values: np.ndarray, after: float = -1) -> float:
    """The largest value, after an epoch if one is given."""
    return float(values[epochs > after].max())


@_curve_quantity
def largest_at(epochs: np.ndarray, values: np.ndarray) -> int:
    """The first epoch with the largest value."""
    return int(epochs[values.argmax()])


@_curve_quantity
def lowest(_: np.ndarray, values: np.ndarray) -> float:
    """The lowest value."""
    return float(values.min())


@_curve_quantity
def lowest_at(epochs: np.ndarray, values: np.ndarray) -> int:
    """The first epoch with the lowest value."""
    return int(epochs[values.argmin()])


@_curve_quantity
def first_below(epochs: np.ndarray, values: np.ndarray, level: float) -> int:
    """The first record below a level."""
    return int(epochs[np.flatnonzero(values < level)[0]])


@_curve_quantity
def first_above(epochs: np.ndarray, values: np.ndarray, level: float) -> int:
    """The first record above a level."""
    return int(epochs[np.flatnonzero(values > level)[0]])


@_curve_quantity
def last_above(epochs: np.ndarray, values: np.ndarray, level: float) -> int:
    """The last record above a level."""
    return int(epochs[np.flatnonzero(values > level)[-1]])


@_curve_quantity
def halved(epochs: np.ndarray, values: np.ndarray) -> int:
    """The first record after the largest that is below half of it."""
    below = (values < values.max() / 2) & (epochs > epochs[values.argmax()])
    return int(epochs[np.flatnonzero(below)[0]])


@_curve_quantity
def halved_for_good(epochs: np.ndarray, values: np.ndarray) -> int:
    """The record after the last that is not below half of the largest."""
    return int(epochs[np.flatnonzero(values >= values.max() / 2)[-1] + 1])


@_curve_quantity
def size_after(epochs: np.ndarray, values: np.ndarray, after: float) -> float:
    """The median size after an epoch."""
    return float(np.median(np.abs(values[epochs > after])))


@_curve_quantity
def positive_after(epochs: np.ndarray, values: np.ndarray, after: float) -> float:
    """The share of the records after an epoch that are above 0."""
    return float((values[epochs > after] > 0).mean())


# --- reductions of a variable ----------------------------------------------------------


def _reduction(of: Callable[[np.ndarray], Value], name: str) -> None:
    """Register a reduction of a variable, or of a quantity with its words."""

    def reduced(data: xr.Dataset, which: str, *words: str) -> Value:
        values = np.asarray(value(data, which, *words))
        return of(values.astype(float) if values.dtype.kind in "iuf" else values)

    QUANTITIES[name] = Quantity(reduced)


_reduction(np.sum, "sum")
_reduction(np.mean, "mean")
_reduction(np.median, "median")
_reduction(np.max, "max")
_reduction(np.min, "min")
_reduction(np.size, "count")
_reduction(np.ptp, "gap")
_reduction(lambda values: np.abs(values).max(), "size")
_reduction(lambda values: np.sqrt(values.sum()), "root-of-sum")
_reduction(lambda values: values * (85 / 84), "times-85-84")
"""A loss of repeated subsequences as the published runs count it."""
_reduction(lambda values: values.reshape(len(values), -1).max(axis=1), "best")
"""The largest of each of the epochs selected, of heads for example."""


@quantity("event_epoch")
def event(data: xr.Dataset, name: str) -> int:
    """The epoch of an event of the run, which must have had it."""
    epoch = int(data["event_epoch"].sel(event=name))
    if epoch < 0:
        raise InputError(f"this run has no event {name}; say so in words")
    return epoch


@quantity("phase_end")
def phase(data: xr.Dataset, name: str) -> int:
    """The last epoch of a phase of the run."""
    return int(data["phase_end"].sel(phase=name))


@quantity("first_frequency", "final_frequency")
def first_share(data: xr.Dataset) -> float:
    """Share of the neurons that end with the wave that was largest in them at first."""
    return float((data["first_frequency"] == data["final_frequency"]).mean())


@quantity("crossing_time")
def chance(data: xr.Dataset) -> float:
    """One in as many as there are frequencies."""
    return 1 / data.sizes["frequency"]


# --- families --------------------------------------------------------------------------


@quantity("member_key_frequency")
def member_keys(data: xr.Dataset) -> np.ndarray:
    """The key frequencies of the member selected."""
    return data["frequency"].values[data["member_key_frequency"].values > 0]


@quantity()
def last_of(data: xr.Dataset, name: str) -> float:
    """The last value of a series of the member selected."""
    values = variable(data, f"member_{name}").values.astype(float)
    return float(values[np.isfinite(values)][-1])


@quantity("member_train_loss")
def spike_epochs(data: xr.Dataset, most: str = "1000000", until: str = "1000000") -> np.ndarray:
    """The epochs of the first spikes of the training loss."""
    tops, _ = spikes(*curve(data, "train"))
    return tops[tops <= int(until)][: int(most)]


@quantity("member_train_loss")
def spike_heights(data: xr.Dataset) -> np.ndarray:
    """The heights of the spikes."""
    return spikes(*curve(data, "train"))[1]


@quantity("member_train_loss")
def spike_count(data: xr.Dataset, until: str = "1000000") -> int:
    """How many spikes there are up to an epoch."""
    return len(spike_epochs(data, until=until))


@quantity("member_train_loss")
def spike_periods(data: xr.Dataset) -> np.ndarray:
    """The epochs from each spike to the next."""
    return np.diff(spike_epochs(data))


_REACHED = ("member_recipe", "memorised_epoch", "accurate_epoch", "generalised_epoch")


@quantity(*_REACHED)
def reached(data: xr.Dataset, event: str, recipe: str) -> np.ndarray:
    """The epochs at which a recipe's runs were memorised, accurate or generalised, in order."""
    epochs = data[f"{event}_epoch"].values[data["member_recipe"].values.astype(str) == recipe]
    return np.sort(epochs[epochs >= 0], kind="stable")


@quantity(*_REACHED)
def reached_count(data: xr.Dataset, event: str, recipe: str) -> int:
    """How many of a recipe's runs were ever memorised, accurate or generalised."""
    return len(reached(data, event, recipe))


@quantity("member_recipe", "member_test_accuracy", "member_test_loss")
def ends(data: xr.Dataset, what: str, recipe: str) -> np.ndarray:
    """The last test accuracies, or the last test losses, of a recipe's runs, in order."""
    rows = data[f"member_test_{what}"].values[data["member_recipe"].values.astype(str) == recipe]
    return np.sort([row[np.isfinite(row)][-1] for row in rows], kind="stable")


@quantity("member_recipe", "accurate_epoch", "member_kept_epoch", "member_weight_norm")
def norms_when_accurate(data: xr.Dataset, recipe: str) -> np.ndarray:
    """The norms of hidden weights at which a recipe's runs are first 95 % right, in order."""
    norms = []
    for i in np.flatnonzero(data["member_recipe"].values.astype(str) == recipe):
        epochs, at = data["member_kept_epoch"].values[i], int(data["accurate_epoch"].values[i])
        norm = data["member_weight_norm"].values[i].astype(float)
        if at >= 0:
            norms.append(float(np.interp(at, epochs[epochs >= 0], norm[epochs >= 0])))
    return np.sort(norms, kind="stable")


@quantity("mean_steepest_fall")
def steepest(data: xr.Dataset, *counts: str) -> np.ndarray:
    """The steepest fall of the mean of so many curves, as a share of its start."""
    return data["mean_steepest_fall"].sel(count=[int(count) for count in counts]).values


@quantity("piece_kind")
def pieces(data: xr.Dataset, kind: str) -> int:
    """How many curves of a kind there are."""
    return int((data["piece_kind"].values == kind).sum())


@quantity("learning_coefficient_trace")
def chains_agree(data: xr.Dataset, first: str, last: str = "1000000") -> np.ndarray:
    """Split R-hat of the chains of each checkpoint from one epoch to another."""
    clock = slice(int(first), int(last))
    traces = data["learning_coefficient_trace"].sel(field_epoch=clock).values
    ends = data["stretch"]
    burn_in = int(np.searchsorted(ends.values, int(ends.attrs["burn_in"]), side="right"))
    return np.array([convergence(trace, burn_in) for trace in traces])
