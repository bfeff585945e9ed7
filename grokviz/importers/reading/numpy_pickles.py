"""Numpy arrays inside a pickle, without giving the pickle numpy's own functions.

A pickled ``dtype`` may claim anything of itself, that its bytes are pointers for one, and
numpy takes its word. So the four names that a pickled array asks for are answered by these
stand-ins, which only remember; :func:`array` then makes a plain array of numbers, or refuses.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_NUMBERS = frozenset({"f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1"})


class PickledDtype:
    """What a pickle says of an element: only plain numbers are kept."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code, self.order = str(code), "|"

    def __setstate__(self, state: Any) -> None:
        self.order = str(state[1])

    def numpy(self) -> np.dtype[Any]:
        """The element type; ``ValueError`` unless it is a plain number."""
        code = self.code.lstrip("<>|=")
        if code not in _NUMBERS:
            raise ValueError(f"an array of {self.code[:20]} and not of numbers")
        return np.dtype((self.order if self.order in "<>" else "<") + code)


class PickledArray:
    """What a pickle says of an array: its shape, its elements' type, its bytes."""

    def __init__(self, *_: Any) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: Any) -> None:
        self.state = tuple(state)

    def numpy(self) -> np.ndarray:
        """The array; ``ValueError`` if bytes and shape do not fit, before memory is set aside."""
        *_, shape, dtype, columns_first, data = (None, *self.state)
        if not isinstance(dtype, PickledDtype) or not isinstance(data, bytes):
            raise ValueError("an array that does not hold plain numbers")
        kind, sizes = dtype.numpy(), [int(size) for size in shape]
        if min(sizes, default=0) < 0 or math.prod(sizes) * kind.itemsize != len(data):
            raise ValueError(f"an array of shape {sizes} with {len(data)} bytes")
        flat = np.frombuffer(data, kind)
        return flat.reshape(sizes, order="F" if columns_first else "C").copy()


class PickledScalar(PickledArray):
    """One number, pickled as numpy's own kind of scalar."""

    def __init__(self, dtype: Any, data: Any = b"") -> None:
        self.state = ((), dtype, False, data)


def _reconstruct(*_: Any) -> PickledArray:
    return PickledArray()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError("bytes in an unusual form")
    return text.encode("latin1")


STAND_INS: dict[str, Any] = {
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": PickledScalar,
    "numpy._core.multiarray.scalar": PickledScalar,
    "numpy.ndarray": PickledArray,
    "numpy.dtype": PickledDtype,
    "_codecs.encode": _encode,
}
"""What answers to the names in a pickled array."""


def array(value: PickledArray) -> np.ndarray:
    """The plain array of a stand-in; ``ValueError`` says why it is none."""
    try:
        return value.numpy()
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError("an array that cannot be read") from error
