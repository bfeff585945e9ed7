"""Which frequencies of a run stand out, and the colours that they have in every scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset.numerics import ties
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr


def embedded(data: xr.Dataset) -> list[int]:
    """The frequencies whose colours hold in every scene: those embedded at the run's end.

    A dataset without the coordinate has them by its rule, from the norms.
    """
    if "embedded_frequency" in data.coords:
        return [int(k) for k in data["embedded_frequency"].values]
    from grokviz.dataset.numerics.fourier import EMBEDDED

    last = data["embedding_frequency_norm"].isel(epoch=-1)
    above = ties.exceeds(last.values, EMBEDDED * float(last.max()), ties.PRECISION)
    return [int(k) for k in last["frequency"].values[above]]


def by_size(frequencies: Sequence[int], sizes: xr.DataArray) -> list[int]:
    """Some frequencies by their size, the largest first; those that tie stay in their order."""
    values = np.array([float(sizes.sel(frequency=k)) for k in frequencies])
    return [frequencies[i] for i in ties.ordered(values)]


def key_frequencies(data: xr.Dataset) -> list[int]:
    """The frequencies that the trained model computes with; those embedded, where not known."""
    if "key_frequency" not in data.coords:
        return embedded(data)
    return [int(k) for k in data["key_frequency"].values]


def ticks(last: int, step: int = 10) -> list[int]:
    """Frequencies that are written on an axis of so many: the first, the last, and some between."""
    return [1, *range(step, last - 2, step), last]


def colour(k: int, data: xr.Dataset) -> str:
    """The colour of a frequency: its own where it is embedded at the run's end."""
    return style().colours.frequency(k, embedded(data))
