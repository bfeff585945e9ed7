"""Metric files: append-only records of (epoch, value), each two little-endian float64."""

from __future__ import annotations

import hashlib
import math
import numbers
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from grokviz.errors import InputError
from grokviz.runs.durable import write_at
from grokviz.runs.layout import DamagedFile, MetricEntry, check_regular

RECORD_BYTES = 16
"""Size of a record."""


class _MetricState(NamedTuple):
    records: int
    digest: Any  # hashlib.sha256 over these records
    last: float  # epoch of the last one
    pending: list[tuple[float, float]]


class MetricFile:
    """Writer of one metric's file.

    The records on the disk and the pending ones change in a single assignment, so that they
    stay consistent if an interrupt comes at any instruction.
    """

    def __init__(self, name: str, path: Path, records: bytes = b"") -> None:
        self.name, self.path = name, path
        last = float(decode_records(records)[-1, 0]) if records else -math.inf
        self._state = _MetricState(len(records) // RECORD_BYTES, hashlib.sha256(records), last, [])

    def check_epoch(self, epoch: int) -> None:
        """Raise InputError unless the epoch is later than the last one."""
        pending = self._state.pending
        last = pending[-1][0] if pending else self._state.last
        if epoch <= last:
            already = "was already logged at" if epoch == last else "was logged past"
            raise InputError(
                f"the metric {self.name} {already} epoch {epoch}; "
                "log each metric once an epoch, in order (or count steps instead)"
            )

    def append(self, epoch: int, value: float) -> None:
        """Add a pending record, whose epoch :meth:`check_epoch` must have passed."""
        self._state.pending.append((float(epoch), value))

    def flush(self) -> None:
        """Write the pending records to the disk."""
        records, digest, _, pending = self._state
        if not pending:
            return
        data = np.array(pending, dtype="<f8").tobytes()
        write_at(self.path, records * RECORD_BYTES, data)
        digest = digest.copy()
        digest.update(data)
        self._state = _MetricState(records + len(pending), digest, pending[-1][0], [])

    @property
    def entry(self) -> MetricEntry:
        """The index's entry for the records on the disk."""
        return MetricEntry(self._state.records, self._state.digest.hexdigest())


def metric_value(name: str, value: Any) -> float:
    """The value as a float, finite or not; raises :class:`InputError` unless it is one number."""
    item = getattr(value, "item", None)
    try:
        scalar = item() if item is not None else value
    except (ValueError, RuntimeError):  # an array or tensor of several numbers
        scalar = None
    if not isinstance(scalar, numbers.Real):
        raise InputError(
            f"the metric {name} is a {type(value).__name__} and not one number; "
            "give a float, for a tensor loss.item()"
        )
    return float(scalar)


def decode_records(data: bytes) -> Float[np.ndarray, "records 2"]:
    """The records in ``data``, one row of (epoch, value) each, without an incomplete last one."""
    size = len(data) - len(data) % RECORD_BYTES
    return np.frombuffer(data[:size], dtype="<f8").reshape(-1, 2)


def read_records(path: Path, entry: MetricEntry, *, check: bool = False) -> bytes:
    """The bytes of a file's indexed records, compared with their checksum if ``check``.

    Raises :class:`DamagedFile` if some are missing or the checksum differs, and ``OSError``.
    """
    check_regular(path)
    with path.open("rb") as handle:
        size = os.fstat(handle.fileno()).st_size  # the index may count more than memory holds
        if not 0 <= entry.records * RECORD_BYTES <= size:
            raise DamagedFile(
                f"it is cut short: {size // RECORD_BYTES} of {entry.records} records are there"
            )
        data = handle.read(entry.records * RECORD_BYTES)
    if check and hashlib.sha256(data).hexdigest() != entry.sha256:
        raise DamagedFile(f"its first {entry.records} records do not match their checksum")
    return data
