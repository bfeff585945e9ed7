"""Metric files: little-endian float64 records of (epoch, value), 16 bytes each, appended."""

from __future__ import annotations

import hashlib
import math
import numbers
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from grokviz.errors import InputError
from grokviz.runs.durable import write_at
from grokviz.runs.layout import Damaged, Records

RECORD = 16
"""Bytes of one record."""


class _Written(NamedTuple):
    records: int
    digest: Any  # a running hashlib.sha256 over exactly those records
    last: float
    pending: list[tuple[float, float]]


class MetricFile:
    """The growing end of one metric's file, written by one process.

    What is on the disk and what is pending change together in one assignment, so an
    interrupt at any instruction leaves the two consistent.
    """

    def __init__(self, name: str, path: Path, records: bytes = b"") -> None:
        self.name, self.path = name, path
        last = float(decode(records)[-1, 0]) if records else -math.inf
        self._written = _Written(len(records) // RECORD, hashlib.sha256(records), last, [])

    def check(self, epoch: int) -> None:
        """Raise :class:`InputError` unless the epoch is later than the last one."""
        pending = self._written.pending
        last = pending[-1][0] if pending else self._written.last
        if epoch <= last:
            already = "was already logged at" if epoch == last else "was logged past"
            raise InputError(
                f"the metric {self.name} {already} epoch {epoch}; "
                "log each metric once an epoch, in order (or count steps instead)"
            )

    def append(self, epoch: int, value: float) -> None:
        """Remember one record, of an epoch that :meth:`check` has let pass."""
        self._written.pending.append((float(epoch), value))

    def flush(self) -> None:
        """Flush pending records to the disk."""
        records, digest, _, pending = self._written
        if not pending:
            return
        data = np.array(pending, dtype="<f8").tobytes()
        write_at(self.path, records * RECORD, data)
        digest = digest.copy()
        digest.update(data)
        self._written = _Written(records + len(pending), digest, pending[-1][0], [])

    @property
    def entry(self) -> Records:
        """The index's entry for the records on the disk."""
        return Records(self._written.records, self._written.digest.hexdigest())


def number(name: str, value: Any) -> float:
    """A metric's value as a float (NaN and infinity too); :class:`InputError` otherwise."""
    item = getattr(value, "item", None)
    try:
        plain = item() if item is not None else value
    except (ValueError, RuntimeError):  # an array or tensor of several numbers
        plain = None
    if not isinstance(plain, numbers.Real):
        raise InputError(
            f"the metric {name} is a {type(value).__name__} and not one number; "
            "give a float, for a tensor loss.item()"
        )
    return float(plain)


def decode(data: bytes) -> Float[np.ndarray, "records 2"]:
    """The whole records in ``data``, (epoch, value) a row; a torn last one is ignored."""
    whole = len(data) - len(data) % RECORD
    return np.frombuffer(data[:whole], dtype="<f8").reshape(-1, 2)


def read(path: Path, entry: Records, *, check: bool = False) -> bytes:
    """Exactly the indexed records of a file; :class:`Damaged` if they are not all there."""
    with path.open("rb") as handle:
        data = handle.read(entry.records * RECORD)
    if len(data) < entry.records * RECORD:
        raise Damaged(
            f"it is cut short: {len(data) // RECORD} of {entry.records} records are there"
        )
    if check and hashlib.sha256(data).hexdigest() != entry.sha256:
        raise Damaged(f"its first {entry.records} records do not match their checksum")
    return data
