"""Which frequencies of a run stand out, and the colours that they have in every scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from grokviz.dataset.numerics import ties
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

LEAD = 1.1
"""A wave leads when it is a tenth larger than all that are not embedded: ties are no lead."""

NONE = "no key frequencies yet"
"""What stands in a picture whose waves are all alike."""


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


def coloured(data: xr.Dataset) -> list[int]:
    """The frequencies that have a colour of their own: no more than there are colours.

    Those embedded; of more of them the key frequencies, where they are known; of more of these
    the largest. Where more than half of all frequencies are embedded, none stands out.
    """
    most, shown = len(style().colours.frequencies), embedded(data)
    if len(shown) <= most:
        return shown
    if "key_frequency" in data.coords:
        shown = key_frequencies(data)
    elif "frequency" in data.sizes and 2 * len(shown) > data.sizes["frequency"]:
        return []
    return largest(data, shown, most)


def largest(data: xr.Dataset, shown: Sequence[int], most: int) -> list[int]:
    """So many of some frequencies, in ascending order: the largest in the embedding at the end."""
    if len(shown) <= most:
        return sorted(shown)
    if "embedding_frequency_norm" not in data:
        return sorted(shown)[:most]
    return sorted(by_size(shown, data["embedding_frequency_norm"].isel(epoch=-1))[:most])


def ticks(last: int, step: int = 10) -> list[int]:
    """Frequencies that are written on an axis of so many: the first, the last, and some between."""
    # more than a dozen would touch
    step *= max(1, -(-last // (12 * step)))
    between = [k for k in range(step, last - step // 5, step) if k > 1]
    return list(dict.fromkeys([1, *between, last]))


def colour(k: int, data: xr.Dataset) -> str:
    """The colour of a frequency: its own where it is one of those :func:`coloured`."""
    return style().colours.frequency(k, coloured(data))


def ink(k: int, data: xr.Dataset) -> str:
    """The colour of a frequency's name, which can be read where it has no colour of its own."""
    return colour(k, data) if k in coloured(data) else style().colours.muted


def note_none(axes: Axes, text: str = NONE) -> None:
    """Write in the middle of axes that no frequency stands out."""
    look: dict[str, Any] = {"ha": "center", "va": "center", "color": style().colours.muted}
    axes.text(0.5, 0.5, text, transform=axes.transAxes, zorder=6, **look)


def leading(
    sizes: Float[np.ndarray, "moment frequency"], known: Sequence[int]
) -> Bool[np.ndarray, "moment known"]:
    """Whether each of some frequencies has by then been larger than every other one.

    Others are those that are not among ``known``; ``sizes`` are of frequencies 1, 2, ... Larger
    is by :data:`LEAD`.
    """
    columns = np.array(known, dtype=int) - 1
    others = np.delete(sizes, columns, axis=1)
    rest = others.max(axis=1) if others.shape[1] else np.zeros(len(sizes))
    ahead: Bool[np.ndarray, "moment known"] = np.logical_or.accumulate(
        sizes[:, columns] > LEAD * rest[:, None], axis=0
    )
    return ahead
