"""Recorded arrays as scenes see them: their entries, the part that is drawn, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any import _tensors as tensors

from grokviz.errors import InputError
from grokviz.media.plain import no_formula
from grokviz.tasks.any.measures.matrices import spread

if TYPE_CHECKING:
    import xarray as xr

Kind = Literal["heatmap", "curves", "scatter"]

FEWEST = 3
"""Fewer points than this are no cloud."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """An array of at most two dimensions, or a part of one, at all moments.

    Attributes:
        name: with the index of the part.
        values: its entries (moment, ...), NaN where it was not recorded.
        shape: as it was recorded; a large one has fewer places in ``values``.

    """

    name: str
    values: np.ndarray
    shape: tuple[int, ...]

    @property
    def known(self) -> np.ndarray:
        """Indices of the moments at which it has a number."""
        return np.flatnonzero(np.isfinite(self.values.reshape(len(self.values), -1)).any(axis=1))

    @property
    def kind(self) -> Kind:
        """How it is drawn without being asked."""
        if self.can("scatter"):
            return "scatter"
        return "heatmap" if self.can("heatmap") else "curves"

    def can(self, kind: str) -> bool:
        """Whether it can be drawn so."""
        if kind == "scatter":
            return len(self.shape) == 2 and self.shape[1] == 2 and self.shape[0] >= FEWEST
        return kind == "curves" or (len(self.shape) == 2 and min(self.shape) > 1)

    def places(self, axis: int) -> np.ndarray:
        """The places along a dimension of the recorded array that are drawn."""
        places: np.ndarray = spread(self.shape[axis], self.values.shape[1 + axis])
        return places

    def counted(self, axis: int, word: str) -> str:
        """How many rows, or columns, are drawn: "5 rows", or "64 of 512 rows"."""
        shown, size = self.values.shape[1 + axis], self.shape[axis]
        return f"{shown} of {size:,} {word}" if shown < size else f"{size} {word}"

    def differences(self) -> np.ndarray:
        """Its distance from its last known form as a share of that form's norm, at all moments;
        NaN where it has no number, and where the last one is 0.
        """
        flat, known = self.values.reshape(len(self.values), -1).astype(float), self.known
        shares = np.full(len(flat), np.nan)
        last = flat[known[-1]]
        size = np.sqrt(np.nansum(last**2))
        if size > 0:
            shares[known] = np.sqrt(np.nansum((flat[known] - last) ** 2, axis=1)) / size
        return shares


def recorded(data: xr.Dataset, pattern: str, part: str) -> list[Recorded]:
    """The arrays that a pattern chooses, in the order of their names, of those with more than two
    dimensions the part.

    Raises InputError for a pattern that fits none, and a part that there is not.
    """
    names = [str(name) for name in data["recorded_array"].values]
    places = [i for i, name in enumerate(names) if tensors.fits(name, pattern)]
    if not places:
        raise InputError(
            f"array={pattern} is the name of no recorded array of this run; it has "
            f"{', '.join(names[:6])}"
        )
    index = _index(part)
    every = (_one(data, i, names[i], index) for i in places)
    return [one for one in every if one.known.size]


def _one(data: xr.Dataset, place: int, name: str, index: Sequence[int]) -> Recorded:
    shape, kept_shape = (
        tuple(int(n) for n in data[one].values[place] if n >= 0)
        for one in ("array_shape", "array_kept_shape")
    )
    count = int(np.prod(kept_shape))
    entries = data["array_entry"].values[:, place, :count]
    values = entries.reshape(len(entries), *kept_shape)
    more = len(shape) - 2
    if more <= 0:
        return Recorded(no_formula(name), values, shape)
    if len(index) > more:
        raise InputError(
            f"part={','.join(map(str, index))} is of {len(index)} dimensions, and {name} has "
            f"{len(shape)}, of which the last two are drawn; give {more}"
        )
    taken = []
    for axis, wanted in enumerate([*index, *[0] * (more - len(index))]):
        if not -shape[axis] <= wanted < shape[axis]:
            raise InputError(
                f"part={','.join(map(str, index))}: dimension {axis} of {name} has "
                f"{shape[axis]} places; give a number from 0 to {shape[axis] - 1}"
            )
        places = spread(shape[axis], kept_shape[axis])
        near = int(np.abs(places - wanted % shape[axis]).argmin())
        taken.append(int(places[near]))
        values = values[:, near]
    words = ",".join(map(str, taken))
    return Recorded(f"{no_formula(name)}[{words}]", values, shape[more:])


def _index(part: str) -> list[int]:
    try:
        return [int(word) for word in part.split(",")] if part.strip() else []
    except ValueError:
        raise InputError(
            f"part={part} is no index; give whole numbers with commas, such as 3 or 0,3"
        ) from None
