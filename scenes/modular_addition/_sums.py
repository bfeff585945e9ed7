"""What the films of one sum share: its options' meaning, and the waves of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset.numerics import ties
from grokviz.errors import InputError
from grokviz.scene import frequencies
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr

EXPLAINED = 0.5
"""Share of the logits that the waves must explain, or it is not waves that answer."""

SHARES = (0.77, 0.717)
"""The two numbers of a sum as shares of p, where none are given: 87 and 81 mod 113."""

WEAK = 0.05
"""Share of the highest wave up to which another has no part in the answer."""

MOST = 12
"""So many waves can be drawn beside each other."""

APART = 0.8
"""The next answer's share of the right one's height, below which the waves tell them apart."""


def numbers(data: xr.Dataset, a: int | None, b: int | None, name: str) -> tuple[int, int]:
    """The two numbers that are added; ``InputError`` for one that the network does not know."""
    p = data.sizes["residue"]
    given = (a, b)
    a, b = (round(share * p) if number is None else number
            for share, number in zip(SHARES, given, strict=True))  # fmt: skip
    for letter, number in (("a", a), ("b", b)):
        if not 0 <= number < p:
            raise InputError(
                f"{name}: {letter}={number} is no number mod {p}; give one from 0 to {p - 1}"
            )
    return a, b


def wave_heights(data: xr.Dataset) -> dict[int, float]:
    """Height in logits of each key frequency's wave at the last checkpoint, measured.

    Those that hardly matter beside the highest are left out.
    """
    last = data["cosine_coefficient"].isel(epoch=-1)
    scale = np.sqrt(2 / data.sizes["residue"] ** 3)
    heights = {k: float(last.sel(frequency=k)) * scale for k in frequencies.key_frequencies(data)}
    largest = max(map(abs, heights.values()), default=0.0)
    return {k: height for k, height in heights.items() if abs(height) > WEAK * largest}


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


def explained(data: xr.Dataset) -> float:
    """Share of the variance of the last checkpoint's logits that its waves explain."""
    return float(data["logit_variance_explained"].values[-1])


def rival(data: xr.Dataset) -> float:
    """Height of the highest wrong answer in the sum of all waves, over that of the right one."""
    heights = total(data, np.arange(data.sizes["residue"]))
    return float(heights[1:].max() / heights[0]) if heights[0] > 0 else float("inf")


def what_lacks(data: xr.Dataset) -> str:
    """In words what keeps the waves from being what answers; nothing where they do."""
    count = len(wave_heights(data))
    if not count:
        return "No key frequencies yet: no waves answer"
    if not np.isfinite(explained(data)):
        return "The logits of the last checkpoint are no numbers"
    if not explained(data) >= EXPLAINED:
        waves = "one wave explains" if count == 1 else f"{count} waves explain"
        return f"The {waves} {percent(explained(data))} of the logits: they do not answer"
    low = [k for k, height in wave_heights(data).items() if not height > 0]
    if low:
        return f"The wave of frequency {low[0]} is low at the answer"
    if not rival(data) < APART:
        alone = "One wave alone does" if count == 1 else f"Added up, {count} waves do"
        return (
            f"{alone} not single out one answer: the next has {percent(rival(data))} of its height"
        )
    return ""


def require_waves(data: xr.Dataset, name: str) -> None:
    """Raise InputError unless the waves are what answers in this run."""
    lacks = what_lacks(data)
    if lacks:
        raise InputError(f"{name} needs a run that adds by waves. {lacks}; train it further")
    count = len(wave_heights(data))
    if count > MOST:
        raise InputError(
            f"{name} draws up to {MOST} waves and this run adds by {count}; draw logit-waves, "
            "which has room for all of them"
        )


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
