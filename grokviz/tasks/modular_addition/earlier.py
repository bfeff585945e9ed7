"""Datasets that earlier versions wrote, read by the rules of this one.

Bundled references are never rewritten, and users keep files too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr

OWN = ("all_neuron_frequency", "all_neuron_variance_explained")


def by_present_rules(data: xr.Dataset) -> xr.Dataset:
    """The dataset with no frequency where no frequency explains a neuron better than another.

    Version 0.1 stored the frequency of the largest share even where all shares are equal and
    the largest is a rounding error. Those are the neurons that are active on one pair alone:
    such a spike is all waves in equal parts. ``active_pairs`` says which they are, at the epochs
    of the field clock.
    """
    if not {*OWN, "active_pairs"} <= set(data.data_vars):
        return data
    _, at, field = np.intersect1d(
        data["epoch"].values, data["field_epoch"].values, return_indices=True
    )
    spikes = np.zeros(data[OWN[0]].shape, dtype=bool)
    spikes[at] = data["active_pairs"].values[field] == 1
    if not (spikes & (data[OWN[0]].values != NO_FREQUENCY)).any():
        return data
    return data.assign({name: data[name].where(~spikes, data[name].dtype.type(0)) for name in OWN})
