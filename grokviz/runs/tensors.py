"""Reading and writing of named arrays in safetensors files.

Torch is never imported: anything with ``.detach().cpu().numpy()`` counts as a tensor.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grokviz.errors import InputError
from grokviz.runs.layout import DamagedFile

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
}  # fmt: skip
_BFLOAT16 = "BF16"
_FLOAT8 = {"F8_E5M2": (5, 2), "F8_E4M3": (4, 3), "F8_E5M2FNUZ": (5, 2), "F8_E4M3FNUZ": (4, 3)}
"""Bits of the exponent and of the significand of numbers of 8 bits."""

_SCALES8 = "F8_E8M0"
_EIGHT_BITS = (*_FLOAT8, _SCALES8)

_DAMAGE_TEXTS = {
    "header too large": "it is not a safetensors file",
    "header too small": "it is cut short",
    "invalid header length": "it is cut short",
    "not fully covered": "it is cut short, or longer than its header says",
    "invalid offset": "its arrays overlap or leave gaps",
}
"""Our text for parts of the error messages of ``safetensors``."""

LARGE = 1 << 24
"""Bytes of numbers from which on they are written without a copy."""

_WRITABLE = frozenset("fiub")


def as_arrays(values: Mapping[str, Any], what: str) -> dict[str, np.ndarray]:
    """The values as contiguous little-endian numpy arrays; half precision becomes float32.

    Raises :class:`InputError` for a value that is not an array of real numbers, or an invalid name.
    """
    if not isinstance(values, Mapping):
        raise InputError(
            f"{what} must be a mapping of names to arrays, not a {type(values).__name__}; "
            "give model.state_dict()"
        )
    return {_require_name(name, what): _as_array(value, name) for name, value in values.items()}


def _require_name(name: Any, what: str) -> str:
    """The name itself; raises :class:`InputError` unless a safetensors file can hold it."""
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
        tensor = tensor.float()  # exact; numpy has no bfloat16 or float8
    return np.asarray(tensor.cpu().numpy())


def encode(arrays: Mapping[str, np.ndarray], metadata: str) -> bytes:
    """The bytes of a safetensors file with the text ``metadata``.

    The metadata has the single key ``grokviz``, because the order of several keys would differ
    between processes.
    """
    from safetensors.numpy import save

    return bytes(save(dict(arrays), {"grokviz": metadata}))


def buffers(arrays: Mapping[str, np.ndarray], metadata: str) -> list[Any]:
    """The bytes of :func:`encode` in parts, which of a large model are its own memory."""
    if sum(array.nbytes for array in arrays.values()) < LARGE:
        return [encode(arrays, metadata)]
    header: dict[str, Any] = {"__metadata__": {"grokviz": metadata}}
    parts, offset = [], 0
    for name in sorted(arrays, key=lambda name: (_rank()[dtype_name(arrays[name])], name)):
        array = arrays[name]
        span = [offset, offset + array.nbytes]
        header[name] = {
            "dtype": dtype_name(array), "shape": list(array.shape), "data_offsets": span,
        }  # fmt: skip
        parts.append(array.reshape(-1).view(np.uint8).data)
        offset = span[1]
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return [len(text).to_bytes(8, "little") + text, *parts]


@lru_cache(maxsize=1)
def _rank() -> dict[str, int]:
    """The place of each dtype in a file, which safetensors itself decides."""
    data = encode({name: np.zeros(1, code) for name, code in _DTYPES.items()}, "")
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    header.pop("__metadata__")
    in_order = sorted(header, key=lambda name: header[name]["data_offsets"])
    return {name: i for i, name in enumerate(in_order)}


def dtype_name(array: np.ndarray) -> str:
    """The safetensors name of an array's dtype, such as ``F32``."""
    return next(name for name, code in _DTYPES.items() if np.dtype(code) == array.dtype)


class TensorType(NamedTuple):
    """Dtype and shape of an array, from the file's header."""

    dtype: str
    shape: tuple[int, ...]


class TensorFile:
    """An open safetensors file, and a context manager that closes it; arrays are read lazily.

    Raises :class:`DamagedFile` unless the header is that of a complete safetensors file, and
    ``OSError``.
    """

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self._path = path
        try:
            # not mapped, since a mapped file that is truncated would crash the process
            self._file = safe_open(path, "np", backend="pread")
        except SafetensorError as error:
            raise DamagedFile(_damage_text(str(error))) from error

    def __enter__(self) -> TensorFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.__exit__(*error)

    @property
    def metadata(self) -> str:
        """The metadata given to :func:`encode`; empty in files of other programs."""
        return str((self._file.metadata() or {}).get("grokviz", ""))

    @cached_property
    def types(self) -> dict[str, TensorType]:
        """Dtypes and shapes of all arrays by name, in the order of the file."""
        return {name: self._type(name) for name in self._file.offset_keys()}

    def read(self, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """The named arrays, by default all; bfloat16 and numbers of 8 bits become float32.

        Raises ``KeyError`` for a name that is not in the file.
        """
        return {n: self._array(n) for n in (self._file.offset_keys() if names is None else names)}

    def read_whole(self) -> tuple[dict[str, np.ndarray], str]:
        """All arrays, as :meth:`read` gives them, and the SHA-256 of the file as it was read."""
        digest, arrays = hashlib.sha256(), {}
        with self._path.open("rb") as file:
            size = file.read(8)
            header = file.read(int.from_bytes(size, "little"))
            digest.update(size + header)
            for name, (dtype, shape) in self.types.items():  # which lie one after the other
                if not is_readable(dtype):
                    raise DamagedFile(f"{name} holds {dtype} values, which are not plain numbers")
                data = np.empty(math.prod(shape) * size_of(dtype), np.uint8)
                if file.readinto(data.data) < data.nbytes:
                    raise DamagedFile("it is cut short")
                digest.update(data.data)
                arrays[name] = _array_in(data, dtype, shape)
            digest.update(file.read(1))  # one byte more than there should be is another file
        return arrays, digest.hexdigest()

    def read_rows(self, name: str, rows: slice) -> np.ndarray:
        """A part of an array's first dimension, alone of it; raises as :meth:`read` does."""
        kind = self._type(name)
        start, stop, _ = rows.indices(kind.shape[0])
        part = TensorType(kind.dtype, (max(stop - start, 0), *kind.shape[1:]))
        return self._at(name, part, start * math.prod(kind.shape[1:]))

    def _array(self, name: str) -> np.ndarray:
        from safetensors import SafetensorError

        kind = self._type(name)
        if kind.dtype not in _DTYPES:
            return self._at(name, kind, 0)
        try:
            array: np.ndarray = self._file.get_tensor(name)
        except SafetensorError as error:  # truncated since it was opened
            raise DamagedFile("it is cut short") from error
        except (ValueError, OverflowError) as error:
            raise DamagedFile(f"{name} has a shape that cannot be: {error}") from error
        return array

    def _at(self, name: str, part: TensorType, skipped: int) -> np.ndarray:
        """Numbers of an array that lie one after the other, after so many that do not count.

        safetensors reads all of an array for a slice of it, and has no numbers of 8 or 16 bits.
        """
        if not is_readable(part.dtype):
            raise DamagedFile(f"{name} holds {part.dtype} values, which are not plain numbers")
        size = size_of(part.dtype)
        data = np.empty(math.prod(part.shape) * size, np.uint8)
        with self._path.open("rb") as file:
            file.seek(self._begins[name] + skipped * size)
            if file.readinto(data.data) < data.nbytes:  # truncated since it was opened
                raise DamagedFile("it is cut short")
        return _array_in(data, *part)

    @cached_property
    def _begins(self) -> dict[str, int]:
        """The byte at which each array begins, by the header."""
        with self._path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
        return {name: 8 + size + header[name]["data_offsets"][0] for name in self.types}

    def _type(self, name: str) -> TensorType:
        from safetensors import SafetensorError

        try:
            part = self._file.get_slice(name)
        except SafetensorError as error:
            raise KeyError(name) from error
        return TensorType(part.get_dtype(), tuple(part.get_shape()))


def is_readable(dtype: str) -> bool:
    """Whether arrays of this safetensors dtype are read."""
    return dtype in _DTYPES or dtype == _BFLOAT16 or dtype in _EIGHT_BITS


def size_of(dtype: str) -> int:
    """Bytes of one number of a readable dtype."""
    if dtype == _BFLOAT16:
        return 2
    return 1 if dtype in _EIGHT_BITS else np.dtype(_DTYPES[dtype]).itemsize


def _array_in(data: np.ndarray, dtype: str, shape: Sequence[int]) -> np.ndarray:
    """As :func:`array_of`; plain numbers stay in the memory of ``data``."""
    if dtype not in _DTYPES:
        return array_of(data.tobytes(), dtype, shape)
    try:
        return data.view(_DTYPES[dtype]).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise DamagedFile(f"it has a shape that cannot be: {error}") from error


def array_of(data: bytes, dtype: str, shape: Sequence[int]) -> np.ndarray:
    """The array with these bytes; bfloat16 and numbers of 8 bits become float32."""
    if dtype == _BFLOAT16:
        array = bfloat16_values(np.frombuffer(data, "<u2"))
    elif dtype in _EIGHT_BITS:
        array = float8_values(dtype)[np.frombuffer(data, "u1")]
    else:
        array = np.frombuffer(data, _DTYPES[dtype])
    return array.reshape(shape)


def bfloat16_values(bits: np.ndarray) -> np.ndarray:
    """The numbers with these 16 bits each, exactly, as float32."""
    values: np.ndarray = (bits.astype("<u4") << 16).view("<f4")
    return values


def float8_values(dtype: str) -> np.ndarray:
    """The 256 numbers of an 8-bit dtype, as float32, by their codes.

    E5M2 has infinities like other floats; E4M3 has none, and NaN only where all bits are set
    (arXiv:2209.05433, table 1). The FNUZ kinds have neither infinities nor a negative zero, whose
    code is their NaN, and a bias one larger (arXiv:2206.02915). E8M0 are powers of two without a
    sign, the scales of blocks (OCP Microscaling Formats 1.0, section 5.4.1).
    """
    if dtype == _SCALES8:
        powers = np.exp2(np.arange(256) - 127.0)
        return np.where(np.arange(256) == 255, np.nan, powers).astype(np.float32)
    exponent_bits, bits = _FLOAT8[dtype]
    code = np.arange(128)
    exponent, rest = code >> bits, code & ((1 << bits) - 1)
    unsigned_zero = dtype.endswith("FNUZ")
    bias = (1 << (exponent_bits - 1)) - (0 if unsigned_zero else 1)
    normal = (1 + rest / (1 << bits)) * 2.0 ** (exponent - bias)
    values = np.where(exponent == 0, rest / (1 << bits) * 2.0 ** (1 - bias), normal)
    if unsigned_zero:
        return np.concatenate([values, [np.nan], -values[1:]]).astype(np.float32)
    if dtype == "F8_E5M2":
        top = exponent == (1 << exponent_bits) - 1
        values = np.where(top, np.where(rest == 0, np.inf, np.nan), values)
    else:
        values = np.where(code == 127, np.nan, values)
    return np.concatenate([values, -values]).astype(np.float32)


def _damage_text(message: str) -> str:
    texts = (text for part, text in _DAMAGE_TEXTS.items() if part in message)
    return next(texts, "its safetensors header is not readable")


def load(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """All arrays and the metadata of a file; raises :class:`DamagedFile` or ``OSError``."""
    with TensorFile(path) as file:
        return file.read(), file.metadata
