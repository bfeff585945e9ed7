"""Named arrays to safetensors bytes, and back by header and ranged reads.

Writing uses the ``safetensors`` package; reading needs numpy alone, so a run can be
analysed without the [train] extra. Torch is never imported: anything with
``.detach().cpu().numpy()`` is taken as a tensor.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.errors import InputError, MissingExtra
from grokviz.runs.layout import Damaged

_KINDS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BF16": "<u2",
}  # fmt: skip
_WRITABLE = frozenset("fiub")
_HEADER_LIMIT = 100_000_000


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
    try:
        from safetensors.numpy import save
    except ImportError as error:
        raise MissingExtra("writing a run", "train") from error
    return bytes(save(dict(arrays), {"grokviz": metadata}))


def kind(array: np.ndarray) -> str:
    """The safetensors name of an array's type, such as ``F32``."""
    return next(name for name, code in _KINDS.items() if np.dtype(code) == array.dtype)


@dataclass(frozen=True)
class Slot:
    """Where one array lies in a file: kind, shape, first byte, number of bytes."""

    kind: str
    shape: tuple[int, ...]
    start: int
    size: int


@dataclass(frozen=True)
class Header:
    """The parsed beginning of a safetensors file, with its raw bytes for comparison."""

    raw: bytes
    slots: dict[str, Slot]
    metadata: str

    @property
    def end(self) -> int:
        """Size of a whole file with this header, in bytes."""
        return max((s.start + s.size for s in self.slots.values()), default=len(self.raw))


def read_header(handle: BufferedReader, known: Header | None = None) -> Header:
    """The header at the start of ``handle``; ``known`` is returned when it is the same bytes.

    Raises :class:`Damaged` for anything that is not a safetensors header, or a file too short
    for what its header says.
    """
    length = os.fstat(handle.fileno()).st_size
    if known is not None and known.end <= length and handle.read(len(known.raw)) == known.raw:
        return known
    handle.seek(0)
    size = int.from_bytes(handle.read(8), "little")
    if not 0 < size <= _HEADER_LIMIT:
        raise Damaged("it is not a safetensors file")
    text = handle.read(size)
    if len(text) < size:
        raise Damaged("it is cut short")
    try:
        content = json.loads(text)
        metadata = content.pop("__metadata__", {}).get("grokviz", "")
        slots = {name: _slot(entry, 8 + size) for name, entry in content.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged("its safetensors header is not readable") from error
    header = Header(size.to_bytes(8, "little") + text, slots, metadata)
    if header.end > length:  # before anybody sets memory aside for what is not there
        raise Damaged("it is cut short")
    return header


def _slot(entry: Mapping[str, Any], base: int) -> Slot:
    first, last = entry["data_offsets"]
    shape = tuple(int(n) for n in entry["shape"])
    size = int(np.dtype(_KINDS[entry["dtype"]]).itemsize * np.prod(shape, dtype=object))
    if first < 0 or last - first != size or min(shape, default=0) < 0:
        raise ValueError("an array's place does not fit its shape")
    return Slot(entry["dtype"], shape, base + int(first), size)


def read_arrays(
    handle: BufferedReader, header: Header, names: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """The named arrays (default all) of an open file, each by one ranged read."""
    arrays = {}
    for name in header.slots if names is None else names:
        slot = header.slots[name]
        data = bytearray(slot.size)
        handle.seek(slot.start)
        if handle.readinto(data) != slot.size:
            raise Damaged("it is cut short")
        arrays[name] = _array(data, slot)
    return arrays


def _array(data: bytearray, slot: Slot) -> np.ndarray:
    array = np.frombuffer(data, dtype=_KINDS[slot.kind])
    if slot.kind == "BF16":
        array = (array.astype("<u4") << 16).view("<f4")
    return array.reshape(slot.shape)


def load(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """Every array and the metadata text of a file; raises :class:`Damaged` or ``OSError``."""
    with path.open("rb") as handle:
        header = read_header(handle)
        return read_arrays(handle, header), header.metadata
