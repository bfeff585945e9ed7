"""TensorBoard's event files: the scalars in them, read by TensorBoard's own reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from grokviz.errors import InputError, MissingExtra
from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.reading.tables import curves_of_rows

_LENGTH, _FRAME = 8, 16
"""Bytes of a record's length, and of all that stands around a record."""

_NUMBERS = ("DT_FLOAT", "DT_DOUBLE", "DT_HALF", "DT_INT32", "DT_INT64")


def _recognises(source: Source) -> bool:
    return ".tfevents." in source.path.name


def _read(source: Source, hints: Hints) -> list[RunContents]:
    path, reader = source.path, _reader(source.path)
    rows: list[tuple[int, Mapping[str, float]]] = []
    read, size = 0, path.stat().st_size
    try:
        for record in _whole(reader.records(str(path)).Load(), path, size):
            rows += _scalars(reader, reader.event.FromString(record))
            read += len(record) + _FRAME
    except MemoryError:
        raise
    except Exception as error:  # the errors of protobuf and of tensorboard have no common base
        reason = str(error).strip() or type(error).__name__
        raise _damaged(path, reason) from error
    if size and not read:
        raise _damaged(path, "its first record is cut short, or another one than was written")
    curves, beliefs = curves_of_rows(rows, path)
    if read < size:
        because = "a record there is cut short, or another one than was written"
        beliefs.append(Belief("left out", f"the last {size - read:,} bytes", because))
    task, said_by = evidence.task_of(source.name, {}, {}, hints)
    return [RunContents(task=task, curves=curves, beliefs=[*said_by, *beliefs], counts="step")]


class _Reader(NamedTuple):
    """The parts of tensorboard that read an event file."""

    records: Any
    event: Any
    array_of: Callable[[Any], np.ndarray]
    numbers: tuple[int, ...]


def _reader(path: Path) -> _Reader:
    """The reader of tensorboard; raises :class:`MissingExtra` where it cannot be imported."""
    try:
        from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
        from tensorboard.compat.proto import types_pb2
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.util.tensor_util import make_ndarray
    except Exception as error:  # old ones fail in any way at a newer numpy or protobuf
        raise MissingExtra(f"reading the event file {path}", "tensorboard") from error
    numbers = tuple(getattr(types_pb2, name) for name in _NUMBERS)
    return _Reader(RawEventFileLoader, Event, make_ndarray, numbers)


def _whole(records: Iterator[bytes], path: Path, size: int) -> Iterator[bytes]:
    """The records of a file, up to the first that is cut short or has another checksum."""
    start = 0
    with path.open("rb") as file:
        while _is_whole(file, start, size) and (record := next(records, None)) is not None:
            yield record
            start += len(record) + _FRAME


def _is_whole(file: BinaryIO, start: int, size: int) -> bool:
    """Whether the file has the bytes of the record there; its reader sets memory aside unasked."""
    file.seek(start)
    length = file.read(_LENGTH)
    return len(length) == _LENGTH and start + _FRAME + int.from_bytes(length, "little") <= size


def _scalars(reader: _Reader, event: Any) -> Iterator[tuple[int, Mapping[str, float]]]:
    """The step and the scalars of one event: simple values, and tensors of one number."""
    for value in event.summary.value if 0 <= event.step < 2**53 else ():
        kind, tensor = value.WhichOneof("value"), value.tensor
        if kind == "simple_value":
            yield event.step, {value.tag: float(value.simple_value)}
            continue
        is_number = kind == "tensor" and tensor.dtype in reader.numbers
        if is_number and all(part.size == 1 for part in tensor.tensor_shape.dim):
            yield event.step, {value.tag: float(reader.array_of(tensor).reshape(()))}


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} cannot be read as TensorBoard's events ({reason[:160]}); copy it again"
    )


IMPORTER = Importer(
    "tensorboard",
    "an event file of TensorBoard",
    _recognises,
    _read,
    order=1,
    unopened=True,
    patterns=("*.tfevents.*",),
)
