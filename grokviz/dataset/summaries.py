"""A few measures of any run at one epoch: losses, when they fell, and its task's scores.

They are read from a dataset, so that a bundled reference, a ``.nc`` file and a run directory
give the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.dataset import curves
from grokviz.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PARTS = ("run", "events", "digits", "held_out", "heads", "digit_answers", "key")
"""The parts of a dataset that they are read from."""

SCORES = (
    "held_out_loss", "held_out_accuracy", "held_out_digit_loss",
    "induction_score", "previous_token_score", "key_attention",
)  # fmt: skip
"""Variables over ``epoch`` that are given under their own names."""


def summarise(data: xr.Dataset, epoch: int | str | None = None) -> dict[str, Any]:
    """Losses, falls and scores of a dataset at one epoch, as plain numbers and lists.

    ``train_loss`` and ``test_loss`` are the logged ones nearest to the epoch.
    ``fall_begins`` and ``fall_ends`` are where the mean of the last 50 training losses is nine
    tenths and one tenth above its lowest; ``memorised_epoch`` and ``generalised_epoch``, where
    there is a test loss, the first whose train or test loss is below 0.1. None says that a run
    never came to it. What a run does not have is left out.

    Of a family of runs the same few of each member, at its end.

    Raises :class:`InputError` for an epoch outside the run, any epoch of a family, and a dataset
    of no run at all.
    """
    if "member_name" in data:
        return {"members": _members(data, epoch)}
    if "epoch" not in data.coords:
        raise InputError(
            "there is no run in this dataset to measure; write its numbers with grokviz data"
        )
    epochs = data["epoch"].values
    name = str(data.attrs.get("run_name", "the dataset"))
    at = curves.index_of(epochs, epoch, lambda: _event(data, "grokked"), name)
    now = data.isel(epoch=at)
    summary: dict[str, Any] = {"epoch": int(epochs[at])}
    summary |= _train(data, int(epochs[at])) | _test(data, int(epochs[at]))
    if "spike_epoch" in data:
        summary["spikes"] = [int(e) for e in data["spike_epoch"].values]
    if "digit_drop" in data:
        summary["digit_drop"] = [None if e < 0 else int(e) for e in data["digit_drop"].values]
    summary |= {score: now[score].values.tolist() for score in SCORES if score in data}
    if "sum_squared_weights" in data:
        summary["sum_squared_weights"] = float(
            now["sum_squared_weights"].values.astype(float).sum()
        )
    return summary


def _train(data: xr.Dataset, epoch: int) -> dict[str, Any]:
    epochs, loss = _logged(data, "logged_epoch", "logged_train_loss")
    if not len(epochs):
        return {}
    return {
        "train_loss": _at(epochs, loss, epoch),
        "smallest_train_loss": float(np.nanmin(loss)),
        "fall_begins": _event(data, "fall begins"),
        "fall_ends": _event(data, "fall ends"),
    }


def _test(data: xr.Dataset, epoch: int) -> dict[str, Any]:
    epochs, loss = _logged(data, "tested_epoch", "logged_test_loss")
    if not len(epochs):
        return {}
    return {
        "test_loss": _at(epochs, loss, epoch),
        "largest_test_loss": float(np.nanmax(loss)),
        "smallest_test_loss": float(np.nanmin(loss)),
        "memorised_epoch": _event(data, "memorised"),
        "generalised_epoch": _event(data, "generalised"),
        "grok_epoch": _event(data, "grokked"),
    }


def _members(data: xr.Dataset, epoch: int | str | None) -> dict[str, dict[str, Any]]:
    """Each member's last losses, when it learned, its spikes and its key frequencies."""
    if epoch not in (None, "last"):
        raise InputError(
            f"--epoch {epoch} cannot be measured of several runs at once; leave it out, or "
            "measure a member by itself"
        )
    members: dict[str, dict[str, Any]] = {}
    for i in range(data.sizes["member"]):
        one = data.isel(member=i)
        row: dict[str, Any] = {"last_epoch": _known(one["member_last_epoch"])}
        for split in ("train", "test"):
            loss = one[f"member_{split}_loss"].values
            loss = loss[np.isfinite(loss)]
            row[f"{split}_loss"] = float(loss[-1]) if loss.size else None
        row["memorised_epoch"] = _known(one["memorised_epoch"])
        row["generalised_epoch"] = _known(one["generalised_epoch"])
        row["spikes"] = int(one["member_spike_count"])
        if "member_key_frequency" in one and "frequency" in one.coords:
            is_key = one["member_key_frequency"].values > 0
            row["key_frequencies"] = [int(k) for k in one["frequency"].values[is_key]]
        members[str(one["member_name"].values)] = row
    return members


def _known(number: xr.DataArray) -> int | None:
    return None if int(number) < 0 else int(number)


def _event(data: xr.Dataset, name: str) -> int | None:
    """The epoch of an event; None for one that never happened, or that nobody looked for."""
    if "event_epoch" not in data:
        return None
    epoch = int(data["event_epoch"].sel(event=name))
    return None if epoch < 0 else epoch


def _logged(data: xr.Dataset, clock: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and finite losses of a logged curve; both empty where there is none."""
    if name not in data:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    epochs, loss = data[clock].values, data[name].values.astype(np.float64)
    finite = np.isfinite(loss)
    return epochs[finite], loss[finite]


def _at(epochs: np.ndarray, loss: np.ndarray, epoch: int) -> float:
    return float(loss[np.abs(epochs - epoch).argmin()])
