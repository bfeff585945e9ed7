"""A few measures of each of several runs: last losses, when it learned, its key frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


def summarise(data: xr.Dataset, epoch: int | str | None = None) -> dict[str, Any]:
    """Each member's last losses, when it learned, its spikes and its key frequencies, at its end.

    Raises :class:`InputError` for any epoch: members end at different ones.
    """
    return {"members": _members(data, epoch)}


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
