"""A summary of each of several runs: last losses, events, spikes and key frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


def summarise(data: xr.Dataset, epoch: int | str | None = None) -> dict[str, Any]:
    """Summarise each member at its end: last losses, events, spikes and key frequencies.

    Raises :class:`InputError` for any epoch but the last, since members end at different ones.
    """
    return {"members": _members(data, epoch)}


def _members(data: xr.Dataset, epoch: int | str | None) -> dict[str, dict[str, Any]]:
    """The summary of each member by name."""
    if epoch not in (None, "last"):
        raise InputError(
            f"--epoch {epoch} cannot be measured of several runs at once; leave it out, or "
            "measure a single member"
        )
    members: dict[str, dict[str, Any]] = {}
    for i in range(data.sizes["member"]):
        member = data.isel(member=i)
        row: dict[str, Any] = {"last_epoch": _epoch_or_none(member["member_last_epoch"])}
        for split in ("train", "test"):
            loss = member[f"member_{split}_loss"].values
            loss = loss[np.isfinite(loss)]
            row[f"{split}_loss"] = float(loss[-1]) if loss.size else None
        row["memorised_epoch"] = _epoch_or_none(member["memorised_epoch"])
        row["generalised_epoch"] = _epoch_or_none(member["generalised_epoch"])
        row["spikes"] = int(member["member_spike_count"])
        if "member_key_frequency" in member and "frequency" in member.coords:
            is_key = member["member_key_frequency"].values > 0
            row["key_frequencies"] = [int(k) for k in member["frequency"].values[is_key]]
        members[str(member["member_name"].values)] = row
    return members


def _epoch_or_none(number: xr.DataArray) -> int | None:
    return None if int(number) < 0 else int(number)
