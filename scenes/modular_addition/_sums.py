"""What the films of one sum share: its options' meaning, and the waves of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset.numerics import ties
from grokviz.errors import InputError
from grokviz.scene import frequencies

if TYPE_CHECKING:
    import xarray as xr


def answer(data: xr.Dataset, a: int, b: int, name: str) -> int:
    """a + b mod p; ``InputError`` for a number that the network does not know."""
    p = data.sizes["residue"]
    for letter, number in (("a", a), ("b", b)):
        if not 0 <= number < p:
            raise InputError(
                f"{name}: {letter}={number} is no number mod {p}; give one from 0 to {p - 1}"
            )
    return (a + b) % p


def wave_heights(data: xr.Dataset) -> dict[int, float]:
    """Height in logits of each key frequency's wave at the last checkpoint, measured."""
    last = data["cosine_coefficient"].isel(epoch=-1)
    scale = np.sqrt(2 / data.sizes["residue"] ** 3)
    return {k: float(last.sel(frequency=k)) * scale for k in frequencies.key_frequencies(data)}


def strongest(data: xr.Dataset, wanted: int | None, name: str) -> int:
    """The wanted key frequency, or that of the largest height; ``InputError`` if it is none."""
    heights = wave_heights(data)
    if not heights:
        raise InputError(f"{name} needs a run with key frequencies; this one has none")
    if wanted is None:
        return list(heights)[ties.first_largest(np.array(list(heights.values())))]
    if wanted not in heights:
        listed = ", ".join(map(str, heights))
        raise InputError(f"{name}: {wanted} is no key frequency; there are {listed}")
    return wanted


def fit(data: xr.Dataset, k: int, apart: np.ndarray) -> np.ndarray:
    """The wave of a frequency, in logits, at answers this far from the right one."""
    p = data.sizes["residue"]
    wave: np.ndarray = wave_heights(data)[k] * np.cos(2 * np.pi * k * np.asarray(apart) / p)
    return wave


def total(data: xr.Dataset, apart: np.ndarray) -> np.ndarray:
    """The sum of the waves of all key frequencies, in logits."""
    zero = np.zeros(np.shape(apart))
    logits: np.ndarray = sum((fit(data, k, apart) for k in wave_heights(data)), zero)
    return logits
