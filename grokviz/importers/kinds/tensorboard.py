"""TensorBoard's event files: the scalars in them, read without TensorBoard.

A file is a sequence of records (length, its checksum, data, its checksum), and each record an
``Event`` in the encoding of protocol buffers. A last record that is cut short is one that was
being written.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Hints, Importer, RunContents, Source
from grokviz.importers.reading.tables import curves_of_rows

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_EVENT_STEP, _EVENT_SUMMARY, _SUMMARY_VALUE = 2, 5, 1
_TAG, _SIMPLE, _TENSOR = 1, 2, 8
_DTYPE, _CONTENT, _FLOATS, _DOUBLES = 1, 4, 5, 6
_FORMATS = {1: "<f", 2: "<d"}
_HEADER = struct.Struct("<QI")


def _recognises(source: Source) -> bool:
    return ".tfevents." in source.path.name


def _read(source: Source, hints: Hints) -> list[RunContents]:
    path = source.path
    try:
        rows = [row for record in _records(path) for row in _scalars(record)]
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise InputError(
            f"{path} cannot be read as TensorBoard's events ({error}); copy it again"
        ) from error
    curves, beliefs = curves_of_rows(rows, path)
    task, task_beliefs = evidence.task_of(source.name, {}, {}, hints)
    return [RunContents(task=task, curves=curves, beliefs=[*task_beliefs, *beliefs], counts="step")]


def _records(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        while len(header := file.read(_HEADER.size)) == _HEADER.size:
            length, _ = _HEADER.unpack(header)
            if length + 4 > size - file.tell():
                if file.tell() == _HEADER.size:
                    raise ValueError("its first record is cut short")
                return
            yield file.read(length)
            file.read(4)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The numbers of a message's fields, with a whole number or the bytes of each."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        field, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield field, value
            continue
        length = {_EIGHT: 8, _FOUR: 4}.get(kind)
        if kind == _BYTES:
            length, at = _varint(data, at)
        if length is None or at + length > len(data):
            raise ValueError("a record is damaged")
        yield field, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        value, at = value | (byte & 127) << shift, at + 1
        if byte < 128:
            return value, at
    raise ValueError("a record is damaged")


def _scalars(event: bytes) -> Iterator[tuple[int, Mapping[str, float]]]:
    """The step and the scalars of one event."""
    fields = dict(_fields(event))
    step, summary = fields.get(_EVENT_STEP, 0), fields.get(_EVENT_SUMMARY)
    if not isinstance(summary, bytes) or not isinstance(step, int) or step >= 2**53:
        return
    for field, value in _fields(summary):
        parts = dict(_fields(value)) if field == _SUMMARY_VALUE and isinstance(value, bytes) else {}
        scalar = _scalar(parts)
        if scalar is not None and isinstance(parts.get(_TAG), bytes):
            yield step, {parts[_TAG].decode("utf-8", "replace"): scalar}


def _scalar(parts: Mapping[int, Any]) -> float | None:
    """The number of a summary's value: a simple one, or a tensor of one number."""
    simple, tensor = parts.get(_SIMPLE), parts.get(_TENSOR)
    if isinstance(simple, bytes) and len(simple) == 4:
        return float(struct.unpack("<f", simple)[0])
    if not isinstance(tensor, bytes):
        return None
    content = dict(_fields(tensor))
    form = _FORMATS.get(content.get(_DTYPE, 0))
    for field in (_CONTENT, _FLOATS, _DOUBLES):
        data = content.get(field)
        if form and isinstance(data, bytes) and len(data) == struct.calcsize(form):
            return float(struct.unpack(form, data)[0])
    return None


IMPORTER = Importer(
    "tensorboard",
    "an event file of TensorBoard",
    _recognises,
    _read,
    order=1,
    unopened=True,
    patterns=("*.tfevents.*",),
)
