"""Safe opening of numpy's ``.npz`` archives: numbers alone, and no more memory than they take."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.errors import InputError

MOST_RATIO, ALWAYS = 100, 10**8
"""How many times its size, and how many bytes in any case, an archive may unpack to."""

_SCALARS = frozenset(
    ["epoch", "step", "iter_num", "train_loss", "test_loss", "train_accuracy", "test_accuracy"]
)


def is_npz(path: Path) -> bool:
    """Whether a file that begins like a zip archive has numpy's arrays alone in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)


def load_npz(path: Path) -> dict[str, Any]:
    """The arrays of an archive by name; single numbers such as ``epoch`` beside a ``model``.

    Raises :class:`InputError` for one that is damaged, or that holds objects.
    """
    arrays: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            inside = sum(part.file_size for part in archive.infolist())
            if inside > max(MOST_RATIO * path.stat().st_size, ALWAYS):
                raise InputError(
                    f"{path} has {path.stat().st_size:,} bytes and says it unpacks to {inside:,}; "
                    "save it again with numpy.savez"
                )
            for part in archive.infolist():
                name = part.filename.removesuffix(".npy")
                if name in arrays:
                    raise ValueError(f"{name} stands in it twice")
                arrays[name] = _array(archive, part)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, KeyError) as error:
        raise InputError(
            f"{path} cannot be read as numpy's .npz ({str(error)[:100]}); save its arrays of "
            "numbers again with numpy.savez"
        ) from error
    scalars = {n: a.item() for n, a in arrays.items() if n in _SCALARS and a.ndim == 0}
    if not scalars:
        return arrays
    return {"model": {n: a for n, a in arrays.items() if n not in scalars}, **scalars}


def _array(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> np.ndarray:
    """One array, if its header says as many bytes as are there."""
    with archive.open(part) as file:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0}.get(version)  # fmt: skip
        if read is None:
            raise ValueError(f"{part.filename} is of an unknown version")
        shape, columns_first, dtype = read(file)
        rest = part.file_size - file.tell()
        if (
            dtype.hasobject
            or math.prod(shape) * dtype.itemsize != rest
            or min(shape, default=0) < 0
        ):
            raise ValueError(f"{part.filename} is no array of numbers")
        data = file.read(rest)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if columns_first else "C")
