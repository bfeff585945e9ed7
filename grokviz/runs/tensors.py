"""Named arrays to safetensors files and back, by the ``safetensors`` package.

Torch is never imported: anything with ``.detach().cpu().numpy()`` is taken as a tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grokviz.errors import InputError
from grokviz.runs.layout import Damaged

_KINDS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
}  # fmt: skip
_BFLOAT16 = "BF16"
_DAMAGE = {
    "header too large": "it is not a safetensors file",
    "header too small": "it is cut short",
    "invalid header length": "it is cut short",
    "not fully covered": "it is cut short, or longer than its header says",
    "invalid offset": "its arrays overlap or leave gaps",
}
"""What is said for the words of ``safetensors``; other words mean an unreadable header."""

_WRITABLE = frozenset("fiub")


def as_arrays(values: Mapping[str, Any], what: str) -> dict[str, np.ndarray]:
    """Plain contiguous little-endian arrays of a mapping; half precision becomes float32.

    Raises :class:`InputError` naming the key of anything that is not an array of numbers.
    """
    if not isinstance(values, Mapping):
        raise InputError(
            f"{what} must be a mapping of names to arrays, not a {type(values).__name__}; "
            "give model.state_dict()"
        )
    return {_key(name, what): _as_array(value, name) for name, value in values.items()}


def _key(name: Any, what: str) -> str:
    if isinstance(name, str) and name != "__metadata__":
        try:
            name.encode()
        except UnicodeEncodeError:
            pass
        else:
            return name
    raise InputError(f"{name!r} cannot name an array of the {what}; use ordinary text")


def _as_array(value: Any, name: str) -> np.ndarray:
    try:
        array = _numpy(value)
    except Exception as error:
        raise InputError(f"{name} cannot be read as an array of numbers: {error}") from error
    if array.dtype.name in ("float16", "bfloat16"):
        array = array.astype(np.float32)
    if array.dtype.kind not in _WRITABLE or array.dtype.itemsize > 8:
        raise InputError(
            f"{name} holds {array.dtype} and not plain numbers; "
            "give a real array or tensor, or leave it out"
        )
    return np.array(array, dtype=array.dtype.newbyteorder("<"), order="C", copy=None)


def _numpy(value: Any) -> np.ndarray:
    if not hasattr(value, "detach"):
        return np.asarray(value)
    tensor = value.detach()
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()  # numpy has no bfloat16 or float8; the widening is exact
    return np.asarray(tensor.cpu().numpy())


def pack(arrays: Mapping[str, np.ndarray], metadata: str) -> bytes:
    """The bytes of a safetensors file; ``metadata`` is kept under the one key ``grokviz``.

    A single key, because safetensors orders several of them differently in every process.
    """
    from safetensors.numpy import save

    return bytes(save(dict(arrays), {"grokviz": metadata}))


def kind(array: np.ndarray) -> str:
    """The safetensors name of an array's type, such as ``F32``."""
    return next(name for name, code in _KINDS.items() if np.dtype(code) == array.dtype)


class Slot(NamedTuple):
    """Type and shape of one array of a file, as its header states them."""

    kind: str
    shape: tuple[int, ...]


class TensorFile:
    """An open safetensors file: its header is checked at once, arrays are read when asked for.

    A context manager. Raises :class:`Damaged` for anything that is not a whole safetensors
    file, and ``OSError``.
    """

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self._path = path
        try:
            # a file that is cut while it is mapped would end the process
            self._file = safe_open(path, "np", backend="pread")
        except SafetensorError as error:
            raise Damaged(_damage(str(error))) from error

    def __enter__(self) -> TensorFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.__exit__(*error)

    @property
    def metadata(self) -> str:
        """What :func:`pack` was given; empty for a file of another writer."""
        return str((self._file.metadata() or {}).get("grokviz", ""))

    @cached_property
    def slots(self) -> dict[str, Slot]:
        """Type and shape of every array, in the order in which they lie in the file."""
        return {name: self._slot(name) for name in self._file.offset_keys()}

    def read(self, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """The named arrays (default all), each by one ranged read; bfloat16 becomes float32.

        Raises ``KeyError`` for a name that is not in the file.
        """
        return {n: self._array(n) for n in (self._file.offset_keys() if names is None else names)}

    def _array(self, name: str) -> np.ndarray:
        from safetensors import SafetensorError

        kind = self._slot(name).kind
        if kind == _BFLOAT16:
            return self._widened(name)
        if kind not in _KINDS:
            raise Damaged(f"{name} holds {kind} values, which are not plain numbers")
        try:
            array: np.ndarray = self._file.get_tensor(name)
        except SafetensorError as error:  # cut since it was opened
            raise Damaged("it is cut short") from error
        except (ValueError, OverflowError) as error:
            raise Damaged(f"{name} has a shape that cannot be: {error}") from error
        return array

    def _widened(self, name: str) -> np.ndarray:
        """An array of bfloat16, which numpy has not, as float32; the widening is exact."""
        entry = self._whole[name]
        bits = np.frombuffer(entry["data"], "<u2").astype("<u4") << 16
        return bits.view("<f4").reshape(entry["shape"])

    @cached_property
    def _whole(self) -> dict[str, Any]:
        from safetensors import deserialize

        return dict(deserialize(self._path.read_bytes()))

    def _slot(self, name: str) -> Slot:
        from safetensors import SafetensorError

        try:
            part = self._file.get_slice(name)
        except SafetensorError as error:
            raise KeyError(name) from error
        return Slot(part.get_dtype(), tuple(part.get_shape()))


def _damage(words: str) -> str:
    known = [sentence for part, sentence in _DAMAGE.items() if part in words]
    return known[0] if known else "its safetensors header is not readable"


def load(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """Every array and the metadata text of a file; raises :class:`Damaged` or ``OSError``."""
    with TensorFile(path) as file:
        return file.read(), file.metadata
