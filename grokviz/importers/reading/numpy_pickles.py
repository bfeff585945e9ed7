"""Numpy arrays inside a pickle, without access to numpy's own functions.

A pickled ``dtype`` may make false claims, such as that its bytes are pointers, and numpy trusts
them. So the names that a pickled array imports are replaced by these stand-ins, which only store
their arguments; :func:`array` then builds an array of numbers, or raises ``ValueError``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from grokviz.importers.reading.stubs import Call

_NUMBERS = frozenset({"f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1"})


class PickledDtype:
    """The element type of a pickled array; only numbers are allowed."""

    code, order = "", "|"

    def __init__(self, code: Any, *_: Any) -> None:
        self.code = str(code)

    def __setstate__(self, state: Any) -> None:
        self.order = str(state[1])

    def numpy(self) -> np.dtype[Any]:
        """The element type; ``ValueError`` unless it is a plain number."""
        code = self.code.lstrip("<>|=")
        if code not in _NUMBERS:
            raise ValueError(f"an array of {self.code[:20]} and not of numbers")
        return np.dtype((self.order if self.order in "<>" else "<") + code)


class PickledArray:
    """A pickled array: its shape, element type and bytes."""

    state: tuple[Any, ...] = ()

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        self.state = tuple(state)

    def numpy(self) -> np.ndarray:
        """The array; raises ``ValueError``, before any allocation, unless bytes and shape match."""
        *_, shape, dtype, columns_first, data = (None, *self.state)
        if not isinstance(dtype, PickledDtype) or not isinstance(data, bytes):
            raise ValueError("an array that does not hold plain numbers")
        kind, sizes = dtype.numpy(), [int(size) for size in shape]
        if min(sizes, default=0) < 0 or math.prod(sizes) * kind.itemsize != len(data):
            raise ValueError(f"an array of shape {sizes} with {len(data)} bytes")
        flat = np.frombuffer(data, kind)
        return flat.reshape(sizes, order="F" if columns_first else "C").copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(array(self), dtype=dtype)


class PickledScalar(PickledArray):
    """A number pickled as a numpy scalar."""

    def __init__(self, dtype: Any, data: Any = b"") -> None:
        self.state = ((), dtype, False, data)


def _reconstruct(*_: Any) -> PickledArray:
    return PickledArray()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> PickledArray:
    """An array as protocol 5 has it."""
    if not isinstance(data, (bytes, bytearray)):
        raise ValueError("an array without its numbers")
    array = PickledArray()
    array.state = (shape, dtype, order == "F", bytes(data))
    return array


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError("bytes in an unusual form")
    return text.encode("latin1")


STAND_INS: dict[str, Any] = {
    "numpy.core.multiarray._reconstruct": Call(_reconstruct),
    "numpy._core.multiarray._reconstruct": Call(_reconstruct),
    "numpy.core.numeric._frombuffer": Call(_from_buffer),
    "numpy._core.numeric._frombuffer": Call(_from_buffer),
    "numpy.core.multiarray.scalar": PickledScalar,
    "numpy._core.multiarray.scalar": PickledScalar,
    "numpy.ndarray": PickledArray,
    "numpy.dtype": PickledDtype,
    "_codecs.encode": Call(_encode),
}
"""The stand-in for each name in a pickled array."""


def array(value: PickledArray) -> np.ndarray:
    """The array of a stand-in; raises ``ValueError`` with the reason if there is none."""
    try:
        return value.numpy()
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError("an array that cannot be read") from error
