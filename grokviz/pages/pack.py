"""Arrays as a page carries them: typed, small, and decoded by a few lines of JavaScript.

All arrays of a page form one block of bytes, deflated and written in base64; the browser's
own ``DecompressionStream`` opens it, also in a page read from the disk. Integers and long
fields are kept as differences along their first axis, because neighbouring checkpoints are
alike, and bytes of equal weight lie together. ``web/data.js`` is the reader.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

EXACT = 70_000
"""Arrays of up to so many numbers keep float32; longer ones are quantised to 16 bits."""
LEVELS = 65_534
LEVEL = 7
"""Of zlib's levels: 9 makes a page 1 % smaller, and takes seven times as long."""
MISSING = 65_535
"""The 16-bit code of NaN."""


def pack(arrays: Mapping[str, np.ndarray]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Arrays as one text, and where and how each of them lies in it.

    Returns the base64 text and, by name, ``shape``, ``type``, ``start`` (bytes into the
    inflated block) and, where they apply, ``scale`` and ``offset`` of quantised numbers and
    ``differences`` for those kept as differences along the first axis.
    """
    block, where, start = [], {}, 0
    for name, array in arrays.items():
        content, entry = _encoded(np.atleast_1d(array))
        where[name] = {"shape": list(array.shape), "start": start, **entry}
        block.append(content)
        start += len(content)
    return deflated(b"".join(block)), where


def deflated(content: bytes) -> str:
    """Bytes, deflated (zlib) and in base64."""
    return base64.b64encode(zlib.compress(content, LEVEL)).decode("ascii")


def _encoded(array: np.ndarray) -> tuple[bytes, dict[str, Any]]:
    if array.dtype.kind in "iub":
        return _integers(array)
    if array.size <= EXACT:
        return _shuffled(array.astype("<f4")), {"type": "f4"}
    return _quantised(array)


def _integers(array: np.ndarray) -> tuple[bytes, dict[str, Any]]:
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    kind = next(
        k for k in ("<i2", "<i4", "<i8") if np.iinfo(k).min <= low and high <= np.iinfo(k).max
    )
    if kind == "<i8":
        return _shuffled(array.astype("<f8")), {"type": "f8"}
    return _shuffled(_differences(array.astype(kind))), {"type": kind[1:], "differences": True}


def _quantised(array: np.ndarray) -> tuple[bytes, dict[str, Any]]:
    """Codes of 16 bits: value = offset + scale * code; numbers on a coarse grid stay exact."""
    values = array.astype(np.float64)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    scale = (high - low) / LEVELS or 1.0
    for step in (1 / 64, 1 / 256, 1 / 4096):
        if (high - low) / step <= LEVELS and np.array_equal(known, np.round(known / step) * step):
            scale = step
            break
    with np.errstate(invalid="ignore"):
        codes = np.round((values - low) / scale)
    codes = np.where(np.isfinite(values), codes, MISSING).astype("<u2")
    entry = {"type": "u2", "differences": True, "scale": scale, "offset": low}
    return _shuffled(_differences(codes)), entry


def _differences(array: np.ndarray) -> np.ndarray:
    """Each entry less the one before it along the first axis; wraps around, as its sum does."""
    changed = array.copy()
    changed[1:] -= array[:-1]
    return changed


def _shuffled(array: np.ndarray) -> bytes:
    """All first bytes of the numbers, then all second ones, and so on: compresses better."""
    flat = np.ascontiguousarray(array).view(np.uint8).reshape(-1, array.dtype.itemsize)
    return flat.T.tobytes()
