"""Upgrade of datasets from earlier versions to the current rules.

Bundled references are never rewritten, and users keep old files too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr

FREQUENCY_VARIABLES = ("all_neuron_frequency", "all_neuron_variance_explained")


def by_present_rules(data: xr.Dataset) -> xr.Dataset:
    """Clear the frequency of neurons for which no frequency has the largest share.

    Version 0.1 stored the frequency of the largest share even if all shares are equal and the
    largest is a rounding error. That is so for neurons that are active on a single pair, since
    such a spike has all waves in equal parts; ``active_pairs`` identifies them at the epochs of
    the field clock.
    """
    if not {*FREQUENCY_VARIABLES, "active_pairs"} <= set(data.data_vars):
        return data
    _, at, field = np.intersect1d(
        data["epoch"].values, data["field_epoch"].values, return_indices=True
    )
    spikes = np.zeros(data[FREQUENCY_VARIABLES[0]].shape, dtype=bool)
    spikes[at] = data["active_pairs"].values[field] == 1
    if not (spikes & (data[FREQUENCY_VARIABLES[0]].values != NO_FREQUENCY)).any():
        return data
    return data.assign(
        {name: data[name].where(~spikes, data[name].dtype.type(0)) for name in FREQUENCY_VARIABLES}
    )
