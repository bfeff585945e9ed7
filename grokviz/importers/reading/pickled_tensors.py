"""Tensors inside a file of ``torch.save``, read from its bytes without torch.

A pickled tensor is a storage (a type, a key and a number of elements), an offset, a shape and
strides. These stand-ins keep what is claimed; :meth:`PickledTensor.numpy` compares it with the
bytes that are there before anything is allocated.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from grokviz.importers.reading.numpy_pickles import PickledArray
from grokviz.importers.reading.stubs import Call
from grokviz.importers.reading.values import Unreadable
from grokviz.runs.tensors import bfloat16_values, float8_values

_STORAGES = {
    "Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16",
    "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8",
    "Bool": "bool", "ComplexFloat": "complex64", "ComplexDouble": "complex128",
    "QInt8": "qint8", "QUInt8": "quint8", "QInt32": "qint32",
}  # fmt: skip
_FLOAT8 = {
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ", "float8_e8m0fnu": "F8_E8M0",
}  # fmt: skip
"""The safetensors name of each of torch's types of 8 bits."""

_NUMPY = {
    **{name: np.dtype(name) for name in
       ("float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool",
        "uint16", "uint32", "uint64", "complex64", "complex128")},
    "bfloat16": np.dtype("u2"), **dict.fromkeys(_FLOAT8, np.dtype("u1")),
}  # fmt: skip
"""The numpy type of the bytes of each of torch's types of numbers that is read."""

_ALIASES = {"float": "float32", "double": "float64", "half": "float16", "long": "int64",
            "int": "int32", "short": "int16", "cfloat": "complex64"}  # fmt: skip
_DTYPES = [*_NUMPY, *_ALIASES, "complex32", "float4_e2m1fn_x2",
           "quint8", "qint8", "qint32", "quint4x2", "quint2x4"]  # fmt: skip
_SIZES = {**{name: kind.itemsize for name, kind in _NUMPY.items()}, "qint32": 4, "complex32": 4}
_LAYOUTS = ["strided", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc"]


Order = Literal["<", ">"]


class StorageType:
    """The class of a storage, such as FloatStorage: its type of numbers."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __setstate__(self, state: Any) -> None:
        raise ValueError("it changes what it has imported")


class Storage:
    """The bytes of a storage, which a file of the old format has only after its pickle.

    ``held`` is a list of one array of bytes once they are known, ``start`` the element with which
    this part of them begins, ``order`` that of bytes in a number.
    """

    __slots__ = ("dtype", "held", "order", "start")

    def __init__(
        self, dtype: str, held: list[np.ndarray], order: Order = "<", start: int = 0
    ) -> None:
        self.dtype, self.held, self.order, self.start = dtype, held, order, start

    def __setstate__(self, state: Any) -> None:
        raise ValueError("it changes what it has imported")


class PickledTensor(PickledArray):
    """A tensor: a storage, the offset of its first element, its shape and its strides."""

    def __init__(
        self, storage: Storage, dtype: str, start: Any, shape: Sequence[Any], strides: Sequence[Any]
    ) -> None:
        super().__init__()
        self.storage, self.dtype = storage, dtype
        self.start = operator.index(start)
        self.shape = tuple(operator.index(size) for size in shape)
        self.strides = tuple(operator.index(step) for step in strides)

    def __setstate__(self, state: Any) -> None:
        """A tensor's attributes are left out."""

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def numpy(self) -> np.ndarray:
        """The array; raises ``ValueError`` if its shape exceeds the bytes that are there."""
        if not self.storage.held:
            raise ValueError("a tensor without its numbers")
        data = self.storage.held[0]
        kind = _NUMPY[self.dtype].newbyteorder(self.storage.order)
        flat = data[: len(data) // kind.itemsize * kind.itemsize].view(kind)
        start = self.start + self.storage.start
        count = math.prod(self.shape)
        wrong = len(self.strides) != self.ndim or min((start, *self.shape, *self.strides)) < 0
        last = start + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=False))
        if wrong or (count and (last >= len(flat) or count > len(flat))):
            raise ValueError(f"a tensor of shape {self.shape} over {len(data)} bytes")
        if not count:
            return np.empty(self.shape, kind)
        steps = [step * kind.itemsize for step in self.strides]
        array = np.lib.stride_tricks.as_strided(flat[start:], self.shape, steps, writeable=False)
        return self._numbers(array)

    def _numbers(self, array: np.ndarray) -> np.ndarray:
        if self.dtype == "bfloat16":
            return bfloat16_values(array)
        if self.dtype in _FLOAT8:
            array = float8_values(_FLOAT8[self.dtype])[array]
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype)


def size_of(dtype: str) -> int:
    """Bytes of one number; those of types that are not read have one, unless listed."""
    return _SIZES.get(dtype, 1)


def tensor(storage: Any, dtype: str, *place: Any) -> PickledTensor | Unreadable:
    """A tensor over a storage, or what says why its numbers are not read."""
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without a storage")
    if dtype not in _NUMPY:
        return Unreadable(f"it holds {dtype} and not plain numbers")
    return PickledTensor(storage, dtype, *place[:3])


def _v2(storage: Any, *place: Any) -> Any:
    return tensor(storage, getattr(storage, "dtype", ""), *place)


def _v3(storage: Any, *place: Any) -> Any:
    start, shape, strides, _grad, _hooks, dtype, *_ = place
    name = str(getattr(dtype, "name", dtype))  # a type that is not known is a stub
    return tensor(storage, name.removeprefix("torch."), start, shape, strides)


def _of_type(function: Any, kind: Any, arguments: Any, *_: Any) -> Any:
    """A tensor of a subclass, or one with attributes: the tensor alone."""
    if not isinstance(function, Call):
        return Unreadable(f"it is a tensor of {getattr(kind, 'name', 'another class')}")
    return function(*arguments)


def _first(value: Any, *_: Any) -> Any:
    return value


def _sparse(layout: Any, *_: Any) -> Unreadable:
    return Unreadable(f"it is sparse ({str(layout)[:60]})")


TENSORS: dict[str, Any] = {
    "torch._utils._rebuild_tensor": Call(_v2),
    "torch._utils._rebuild_tensor_v2": Call(_v2),
    "torch._utils._rebuild_tensor_v3": Call(_v3),
    "torch._utils._rebuild_parameter": Call(_first),
    "torch._utils._rebuild_parameter_with_state": Call(_first),
    "torch._utils._rebuild_device_tensor_from_numpy": Call(_first),
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": Call(_first),
    "torch._utils._rebuild_sparse_tensor": Call(_sparse),
    "torch._utils._rebuild_sparse_csr_tensor": Call(_sparse),
    "torch._utils._rebuild_qtensor": Call(lambda *_: Unreadable("its numbers are quantised")),
    "torch._utils._rebuild_nested_tensor": Call(lambda *_: Unreadable("it is a nested tensor")),
    "torch._utils._rebuild_meta_tensor_no_storage": Call(
        lambda *_: Unreadable("it was saved without its numbers")
    ),
    "torch._tensor._rebuild_from_type_v2": Call(_of_type),
    "torch.serialization._get_layout": Call(lambda name: str(name)),
    "torch.nn.parameter.Parameter": Call(_first),
    "torch.Tensor": Call(_first),
    "torch.Size": Call(lambda sizes=(): tuple(sizes)),
    "torch.device": Call(lambda *parts: ":".join(map(str, parts))),
    "torch.storage.UntypedStorage": StorageType("uint8"),
    "torch.UntypedStorage": StorageType("uint8"),
    **{
        f"torch.{place}{kind}Storage": StorageType(dtype)
        for kind, dtype in _STORAGES.items()
        for place in ("", "cuda.")
    },
    **{f"torch.{name}": f"torch.{_ALIASES.get(name, name)}" for name in _DTYPES},
    **{f"torch.{name}": f"torch.{name}" for name in _LAYOUTS},
}
"""Stand-ins for what torch puts into a pickle around its tensors."""
