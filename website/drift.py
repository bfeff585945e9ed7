"""What the pages say of two runs of one recipe: ours and the published one, and repeats of ours."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise

import numpy as np
import xarray as xr

from grokviz.dataset.references.reference import reference
from website.quantities import CURVES, Value, curve, quantity, value

REPEATS = (
    ("modular-addition", ""),
    ("modular-addition-answers", ""),
    ("fraction-sweep", "train-fraction=0.3"),
)
"""The runs of the main recipe, seed and split: a reference, and of a family its member."""


@quantity("loss")
def setting(data: xr.Dataset, name: str) -> Value:
    """A setting of the run."""
    return json.loads(data.attrs["settings"])[name]


# --- ours and the published run ----------------------------------------------------------


@quantity("excluded_loss_2d_by_frequency", "published_excluded_loss_by_frequency")
def wave_passes(data: xr.Dataset, run: str, wave: str, level: str) -> int:
    """The epoch at which the loss without a wave, once below a level, first is above it.

    Of ``ours`` or of the ``published`` run, among the epochs that each has.
    """
    prefix = "published_" if run == "published" else ""
    losses = data[f"{prefix}excluded_loss_{'' if prefix else '2d_'}by_frequency"]
    values = losses.sel({f"{prefix}frequency": int(wave)}).values
    above = (values > float(level)) & np.maximum.accumulate(values < float(level))
    return int(data[f"{prefix}epoch"].values[np.flatnonzero(above)[0]])


@quantity("logged_test_loss", "published_test_loss")
def peaks_apart(data: xr.Dataset) -> float:
    """By how much the largest test losses of both runs differ, as a share of the published."""
    ours, published = (float(data[f"{name}_test_loss"].max()) for name in ("logged", "published"))
    return abs(ours / published - 1)


@quantity("loss", "published_train_loss", "published_test_loss")
def published_times(data: xr.Dataset, split: str, epoch: str) -> float:
    """The published loss over ours."""
    theirs = data[f"published_{split}_loss"].sel(published_epoch=int(epoch))
    return float(theirs / data["loss"].sel(split=split, epoch=int(epoch)))


@quantity("loss", "published_test_loss")
def times_apart(data: xr.Dataset) -> float:
    """The largest factor between our test loss and the published one at one epoch."""
    return float(np.exp(np.abs(_logs_apart(data)[1]).max()))


@quantity("loss", "published_test_loss")
def times_apart_at(data: xr.Dataset) -> int:
    """The epoch of that factor."""
    epochs, apart = _logs_apart(data)
    return int(epochs[np.abs(apart).argmax()])


@quantity("loss", "published_test_loss")
def published_lower_until(data: xr.Dataset, after: str) -> int:
    """The last epoch, of those after one, up to which the published test loss is the lower."""
    epochs, apart = _logs_apart(data)
    until = np.flatnonzero((epochs > int(after)) & (apart < 0))[0] - 1
    return int(epochs[until])


@quantity("loss", "published_test_loss")
def published_lower_from(data: xr.Dataset, before: str) -> int:
    """The first epoch from which on, up to one, the published test loss is the lower."""
    epochs, apart = _logs_apart(data)
    since = np.flatnonzero((epochs < int(before)) & (apart <= 0))[-1] + 1
    return int(epochs[since])


@quantity("loss", "published_test_loss")
def ours_lower_until(data: xr.Dataset, after: str) -> int:
    """The last epoch, of those after one, up to which our test loss is the lower."""
    epochs, apart = _logs_apart(data)
    until = np.flatnonzero((epochs > int(after)) & (apart > 0))[0] - 1
    return int(epochs[until])


def _logs_apart(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Epochs that both runs have, and the logarithm of our test loss over the published one."""
    both = np.intersect1d(data["epoch"].values, data["published_epoch"].values)
    ours = data["loss"].sel(split="test", epoch=both)
    theirs = data["published_test_loss"].sel(published_epoch=both)
    return both, np.log(ours.values / theirs.values)


# --- repeats of ours ---------------------------------------------------------------------


@quantity()
def repeats_apart(_: xr.Dataset, name: str, until: str = "1000000") -> float:
    """The largest factor between two of the runs in ``REPEATS``, at an epoch that all have."""
    epochs, factors = factors_apart(*repeats(name))
    return float(factors[epochs <= int(until)].max())


@quantity()
def repeats_apart_at(_: xr.Dataset, name: str) -> int:
    """The epoch of that factor."""
    epochs, factors = factors_apart(*repeats(name))
    return int(epochs[factors.argmax()])


PLACES = {"below": -1, "among": 0, "above": 1}


@quantity("published_test_loss")
def published_place(data: xr.Dataset, place: str, which: str) -> int:
    """The ``first`` or the ``last`` epoch of the longest stretch in which the published test loss
    is ``below``, ``among`` or ``above`` those of the runs in ``REPEATS``, as far as all go.

    Theirs are read between bundled records, along a straight line of their logarithm.
    """
    epochs, published = curve(data, "published-test")
    runs = repeats("test")
    inside = epochs <= min(clock[-1] for clock, _ in runs)
    epochs, published = epochs[inside], published[inside]
    ours = np.exp([np.interp(epochs, clock, np.log(losses)) for clock, losses in runs])
    places = (published > ours.max(axis=0)).astype(int) - (published < ours.min(axis=0))
    edges = np.flatnonzero(np.diff(places, prepend=9, append=9))
    stretches = [(a, b - 1) for a, b in pairwise(edges) if places[a] == PLACES[place]]
    longest = max(stretches, key=lambda one: epochs[one[1]] - epochs[one[0]])
    return int(epochs[longest[which == "last"]])


def factors_apart(*curves: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Epochs that all curves have, and the largest of their values there over the smallest."""
    epochs = sorted(set.intersection(*(set(clock.tolist()) for clock, _ in curves)))
    values = np.stack([losses[np.searchsorted(clock, epochs)] for clock, losses in curves])
    return np.array(epochs), values.max(axis=0) / values.min(axis=0)


@cache
def repeats(name: str) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """A curve of each of the runs in ``REPEATS``."""
    found = []
    for run, member in REPEATS:
        data = reference(run, {"member_name", *CURVES[name]})
        if member:
            data = data.isel(member=data["member_name"].values.tolist().index(member))
        found.append(curve(data, name))
    return tuple(found)


# --- runs that differ in their seed ------------------------------------------------------


@quantity("member_key_frequency")
def keys_shared(data: xr.Dataset, place: str) -> int:
    """How many of the key frequencies of a member, by its place, any other member has too."""
    names = data["member_name"].values.tolist()
    sets = [set(value(data, "member-keys", f"member={name}").tolist()) for name in names]
    own = sets.pop(int(place))
    return len(own & set().union(*sets))
