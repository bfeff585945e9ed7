"""Writing of run directories, in an order that survives a kill at any moment.

Each method writes to the disk in this order:

``create``
    folders, an empty ``index.json``, then ``run.json``. A folder is a run once it contains
    ``run.json``; ``create`` repeats an interrupted creation.
``log``
    nothing at once; every few seconds the pending records, to the metric files and the index.
``checkpoint``
    1. metric files: append, fsync. 2. ``checkpoints/<epoch>.safetensors``: temporary sibling,
    fsync, rename, fsync of the folder. 3. ``index.json``, which lists both, in the same way.
    After a kill before 3 the file and the records are not in the index; readers ignore them and
    ``resume`` removes them.
``arrays``
    as a checkpoint, to ``arrays/<epoch>.safetensors``.
``save_state``
    1. metric files. 2. the new ``resume.safetensors`` as a temporary sibling with fsync.
    3. ``index.json``, which allows the old *or* the new state. 4. rename, fsync of the folder.
    After a kill at any point the resume file is one that the index lists, and so is every metric
    record and checkpoint before its epoch. The next index, written by ``close`` at the latest,
    lists the new state alone.
``resume``
    1. an index that ends at the resumable state's epoch. 2. metric files are truncated, later
    checkpoints and temporary files removed, none of which are in the index any more.
``close``
    metric files, then the index with ``finished``; the lock is released.

An index therefore lists only files that are complete on the disk, and the files of a resumed run
are equal to the byte to those of an uninterrupted one.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from grokviz.errors import GrokvizError, InputError
from grokviz.files import replacing
from grokviz.runs import durable, layout, tensors
from grokviz.runs.destination import check_destination
from grokviz.runs.journal import IndexWriter
from grokviz.runs.layout import (
    ARRAYS,
    CHECKPOINTS,
    FOLDERS,
    METRICS,
    RESUME,
    RUN,
    DamagedFile,
    FileEntry,
)
from grokviz.runs.metrics import (
    RECORD_BYTES,
    MetricFile,
    decode_records,
    metric_value,
    read_records,
)
from grokviz.runs.reader import read_documents, read_error, read_state

FLUSH_SECONDS = 5.0
"""Seconds between two flushes of pending metric records."""

_END = 2**53  # after every epoch
_Types = dict[str, tuple[str, tuple[int, ...]]]


class RunWriter:
    """The writer of a run directory, from :meth:`create`, :meth:`resume` or :meth:`reopen`.

    ``facts`` is the content of ``run.json``; ``resume_state`` is ``(arrays, metadata)`` of the
    newest resumable state, with ``metadata["epoch"]``, or None if there is none.
    """

    facts: dict[str, Any]
    resume_state: tuple[dict[str, np.ndarray], dict[str, Any]] | None

    def __init__(self, path: Path, facts: dict[str, Any], lock: durable.Lock) -> None:
        self.path, self.facts, self._lock = path, facts, lock
        self.resume_state = None
        self._index, self._index_file = layout.Index(), IndexWriter(path)
        self._metrics: dict[str, MetricFile] = {}
        self._types: _Types | None = None
        self._flushed, self._closed = time.monotonic(), False
        # the state to which a finished run is rewound before the first write
        self._deferred_rewind: tuple[layout.Index, dict[str, MetricFile]] | None = None

    @classmethod
    def create(cls, path: str | Path, facts: Mapping[str, Any]) -> RunWriter:
        """Create a run in ``path``, a new or empty folder or an interrupted creation.

        Raises :class:`InputError` if the folder holds a run or anything else.
        """
        path = Path(path)
        data = layout.encode_facts(_content_facts(facts))
        check_destination(path)
        durable.make_folder(path)
        lock = durable.Lock(path)
        try:
            check_destination(path)
            durable.make_folder(path / METRICS)
            durable.make_folder(path / CHECKPOINTS)
            writer = cls(path, _content_facts(layout.decode_facts(data)), lock)
            writer._write_index(whole=True)
            writer._remove_extra_files()
            durable.replace_file(path / RUN, data)
        except BaseException:
            lock.release()
            raise
        return writer

    @classmethod
    def resume(cls, path: str | Path) -> RunWriter:
        """Continue a run from its newest resumable state, at epoch E.

        Metrics and arrays of epochs >= E and checkpoints of epochs > E are deleted; without a state
        all of them are. A finished run stays unchanged until the first write.

        Raises :class:`InputError` if there is no run or a necessary file is damaged.
        """
        writer = cls._open(Path(path))
        try:
            start = writer.resume_state[1]["epoch"] if writer.resume_state else None
            if writer.finished:
                writer.rewind(_END)
                writer._deferred_rewind = writer._state_at(start)
            else:
                writer.rewind(start)
        except BaseException:
            writer._lock.release()
            raise
        return writer

    @classmethod
    def reopen(cls, path: str | Path) -> RunWriter:
        """Continue a run from its end, or from the epoch to which :meth:`rewind` goes back."""
        writer = cls._open(Path(path))
        try:
            writer.rewind(_END)
        except BaseException:
            writer._lock.release()
            raise
        return writer

    @classmethod
    def _open(cls, path: Path) -> RunWriter:
        """Lock a run and read its state, without a change to it."""
        read_documents(path)  # before a lock file is created, since the folder may not be a run
        lock = durable.Lock(path)
        try:
            facts, index = read_documents(path)
            writer = cls(path, _content_facts(facts), lock)
            writer._index = index
            writer._read_state()
        except BaseException:
            lock.release()
            raise
        return writer

    @property
    def epochs(self) -> list[int]:
        """Epochs of the checkpoints, ascending."""
        return sorted(self._index.checkpoints)

    @property
    def parameter_names(self) -> set[str]:
        """The names in the last checkpoint; empty without one."""
        return set(self._types or ())

    @property
    def finished(self) -> bool:
        """Whether training has ended, with no write since."""
        return self._index.finished

    def log(self, epoch: int, **metrics: float) -> None:
        """Log one value of each metric for ``epoch``, written to the disk within seconds.

        Raises :class:`InputError`, and logs nothing, if a value is not one number or the epoch is
        not later than the metric's last one.
        """
        self._check_open()
        epoch = layout.epoch_number(epoch)
        values = {name: metric_value(name, value) for name, value in metrics.items()}
        files = dict(self._next_state()[1])
        for name in values:  # all of them, before any is logged
            self._metric_file(name, files).check_epoch(epoch)
        self._begin_write()
        self._metrics = files
        for name, value in values.items():
            files[name].append(epoch, value)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._commit()

    def checkpoint(self, epoch: int, weights: Mapping[str, Any]) -> None:
        """Write the checkpoint of ``epoch``.

        Raises :class:`InputError` for an epoch that is not later than the last, other keys, dtypes
        or shapes than in the last checkpoint, or anything but numbers; :class:`WorkError` for a
        full disk.
        """
        self._check_open()
        epoch = layout.epoch_number(epoch)
        arrays = tensors.as_arrays(weights, "weights")
        before = self._next_state()[0].checkpoints  # ascending
        types = {name: (tensors.dtype_name(a), a.shape) for name, a in arrays.items()}
        self._check_types(types, self._types if before else None)
        data = tensors.buffers(arrays, json.dumps({"epoch": epoch}))
        entry = FileEntry.from_buffers(epoch, data)
        last = next(reversed(before), -1)
        if before.get(epoch) == entry:
            self._begin_write()
            self._commit()  # a resumed run repeats the checkpoint of its first epoch
            return
        if epoch <= last:
            raise InputError(
                f"a checkpoint of epoch {epoch} cannot follow that of epoch {last} in {self.path}; "
                "checkpoint each epoch once, in order"
            )
        self._begin_write()
        self._types = types
        self._flush()
        durable.replace_file(self.path / layout.checkpoint_file(epoch), data)
        self._index.checkpoints[epoch] = entry
        self._write_index()

    def arrays(self, epoch: int, arrays: Mapping[str, Any]) -> None:
        """Keep named arrays of any shape beside the weights of ``epoch``, or without any.

        Raises :class:`InputError` for an epoch that is not later than that of the last arrays,
        and for anything but numbers; :class:`WorkError` for a full disk.
        """
        self._check_open()
        epoch = layout.epoch_number(epoch)
        if not arrays:
            return
        data = tensors.buffers(tensors.as_arrays(arrays, "arrays"), json.dumps({"epoch": epoch}))
        last = next(reversed(self._next_state()[0].arrays), -1)
        if epoch <= last:
            raise InputError(
                f"arrays of epoch {epoch} cannot follow those of epoch {last} in {self.path}; "
                "give all arrays of an epoch at once, in order"
            )
        self._begin_write()
        self._flush()
        durable.make_folder(self.path / ARRAYS)
        durable.replace_file(self.path / layout.array_file(epoch), data)
        self._index.arrays[epoch] = FileEntry.from_buffers(epoch, data)
        self._write_index()

    def save_state(
        self, epoch: int, arrays: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Replace the resumable state; ``epoch`` is the next epoch of a run that resumes from it.

        ``metadata`` takes any JSON values, and ``epoch`` is added to it. After this a kill loses
        nothing before ``epoch``.
        """
        self._check_open()
        epoch = layout.epoch_number(epoch)
        text = _metadata_text({**(metadata or {}), "epoch": epoch})
        data = tensors.buffers(tensors.as_arrays(arrays, "resumable state"), text)
        entry = FileEntry.from_buffers(epoch, data)
        self._begin_write()
        self._flush()
        target = self.path / RESUME
        with replacing(target) as part:
            durable.write_buffers(part, data)
            if entry not in self._index.resume:
                previous = self._index.resume
                previous = previous if len(previous) == 1 else self._resume_on_disk()
                self._index.resume = [*previous, entry]
            self._write_index()
        durable.sync_folder(self.path)
        self._index.resume = [entry]

    def update_facts(self, **facts: Any) -> None:
        """Update facts in ``run.json``, such as the number of epochs when a run is extended."""
        self._check_open()
        data = layout.encode_facts(_content_facts({**self.facts, **facts}))
        self._begin_write()
        durable.replace_file(self.path / RUN, data)
        self.facts = _content_facts(layout.decode_facts(data))

    def close(self, finished: bool = False) -> None:
        """Write pending records and the index, and release the lock; a second call does nothing."""
        if self._closed:
            return
        try:
            self._index.finished = finished or self._index.finished
            self._index.resume = self._resume_on_disk()
            self._flush()
            self._write_index(closed=True)
        finally:
            self._closed = True
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except GrokvizError:
            if error is None:  # the error that ended the block comes first; the run stays valid
                raise

    def rewind(self, epoch: int | None, *, keep: bool = True) -> None:
        """Delete the metrics and arrays of ``epoch`` and later, and the checkpoints after it.

        ``keep`` is whether the checkpoint of ``epoch`` itself stays; None deletes everything.
        """
        self._apply_rewind(*self._state_at(epoch, keep=keep))

    def _state_at(
        self, epoch: int | None, *, keep: bool = True
    ) -> tuple[layout.Index, dict[str, MetricFile]]:
        """The index and the metric files after :meth:`rewind`."""
        end = -1 if epoch is None else epoch
        last = end if keep else end - 1
        old, metrics = self._index, {}
        index = layout.Index(
            {e: entry for e, entry in old.checkpoints.items() if e <= last},
            resume=[None if s is None or s.epoch > end else s for s in self._resume_on_disk()],
            finished=old.finished,
            format=old.format,
            journal=old.journal,
            arrays={e: entry for e, entry in old.arrays.items() if e < end},
        )
        for name, entry in old.metrics.items():
            file = self.path / layout.metric_file(name)
            records = _records_before(file, entry, end)
            if records:
                metrics[name] = MetricFile(name, file, records)
        index.metrics = {name: file.entry for name, file in metrics.items()}
        return index, metrics

    def _apply_rewind(self, new: layout.Index, metrics: dict[str, MetricFile]) -> None:
        """Write a rewound index, then shorten or remove the files that it no longer covers."""
        old, self._index, self._metrics = self._index, new, metrics
        if (new.checkpoints, new.arrays, new.metrics) != (
            old.checkpoints, old.arrays, old.metrics,
        ):  # fmt: skip
            new.finished = False
        if new.resume == [None]:  # the index allows both until the file is removed
            new.resume = [*dict.fromkeys([None, *old.resume])]
        if new.journal is not None or new.encode() != old.encode():
            self._write_index(whole=True)
        if None in new.resume:
            durable.remove(self.path / RESUME)
            new.resume, self.resume_state = [None], None
        for file in self._metrics.values():
            durable.truncate(file.path, file.entry.records * RECORD_BYTES)
        self._remove_extra_files()
        self._read_types()

    def _remove_extra_files(self) -> None:
        """Remove temporary files, and checkpoints and metric files that are not in the index."""
        named = {layout.checkpoint_file(epoch) for epoch in self._index.checkpoints}
        named |= {layout.array_file(epoch) for epoch in self._index.arrays}
        named |= {layout.metric_file(name) for name in self._metrics}
        named |= {layout.journal_file(self._index.journal)}
        for folder in ("", *FOLDERS):
            if folder != ARRAYS:
                durable.make_folder(self.path / folder)
            elif not (self.path / ARRAYS).is_dir():
                continue
            for file in list((self.path / folder).iterdir()):
                owned = layout.is_run_file(folder, file.name)
                name = f"{folder}/{file.name}" if folder else file.name
                extra = owned and name not in named
                if extra or layout.is_temporary(file.name):
                    durable.remove(file)

    def _read_state(self) -> None:
        """Read the resumable state; raises :class:`InputError` unless all checkpoints are there."""
        self._index.resume = self._resume_on_disk()
        files = {layout.checkpoint_file(e): entry for e, entry in self._index.checkpoints.items()}
        files |= {layout.array_file(e): entry for e, entry in self._index.arrays.items()}
        for name, entry in files.items():
            file = self.path / name
            if not file.is_file() or file.stat().st_size != entry.size:
                raise InputError(f"{file} is missing or cut short; restore it from a copy")
        if self._index.resume != [None]:
            self.resume_state = read_state(self.path, check=False)  # it was compared above

    def _resume_on_disk(self) -> list[FileEntry | None]:
        """The index's entry for the resume file that is on the disk, as a list."""
        file = self.path / RESUME
        if not file.exists():
            entry: FileEntry | None = None
        else:
            try:
                data = layout.read_regular(file)
            except (DamagedFile, OSError) as error:
                raise read_error(file, error) from error
            digest = hashlib.sha256(data).hexdigest()
            match = [s for s in self._index.resume if s and s.sha256 == digest]
            if not match:
                raise read_error(file, DamagedFile("its checksum does not match"))
            entry = match[0]
        if entry not in self._index.resume:
            raise InputError(f"{file} is missing; restore it from a copy, or start a new run")
        return [entry]

    def _read_types(self) -> None:
        self._types = None
        if self._index.checkpoints:
            file = self.path / layout.checkpoint_file(self.epochs[-1])
            try:
                with tensors.TensorFile(file) as last:
                    self._types = dict(last.types)
            except (DamagedFile, OSError) as error:
                raise read_error(file, error) from error

    def _check_types(self, types: _Types, before: _Types | None) -> None:
        """Raise InputError unless a checkpoint has arrays, of the dtypes and shapes ``before``."""
        if before is None:
            if not types:
                raise InputError("there are no weights to keep; give model.state_dict()")
            return
        for name in sorted(before.keys() | types.keys()):
            if before.get(name) != types.get(name):
                raise InputError(
                    f"{name} was {_type_text(before.get(name))} and is now "
                    f"{_type_text(types.get(name))}; give every checkpoint of {self.path} the "
                    "same arrays"
                )

    def _metric_file(self, name: str, files: dict[str, MetricFile]) -> MetricFile:
        """The file of a metric, added to ``files`` if it is new; raises :class:`InputError`."""
        if name not in files:
            file = self.path / layout.metric_file(name)
            if any(file.name.casefold() == m.path.name.casefold() for m in files.values()):
                raise InputError(
                    f"the metric {name} differs from another only in capitals, which "
                    "some disks cannot tell apart; rename it"
                )
            files[name] = MetricFile(name, file)
        return files[name]

    def _flush(self) -> None:
        """Write all pending metric records to the disk."""
        self._flushed = time.monotonic()
        for metric in self._metrics.values():
            metric.flush()
        if self._metrics.keys() - self._index.metrics.keys():
            durable.sync_folder(self.path / METRICS)

    def _commit(self) -> None:
        self._flush()
        self._write_index()

    def _write_index(self, *, whole: bool = False, closed: bool = False) -> None:
        # from the files, since an interrupt may come between a flush and the next statement
        self._index.metrics = {
            name: file.entry for name, file in self._metrics.items() if file.entry.records
        }
        if whole or closed:
            self._index_file.replace(self._index, closed=closed)
        else:
            self._index_file.write(self._index)

    def _check_open(self) -> None:
        """Raise InputError unless the writer is open."""
        if self._closed:
            raise InputError(f"the run {self.path} was closed; open it again with resume")

    def _next_state(self) -> tuple[layout.Index, dict[str, MetricFile]]:
        """The index and the metric files that the next write will find."""
        return self._deferred_rewind or (self._index, self._metrics)

    def _begin_write(self) -> None:
        """Apply a deferred rewind, now that the input of a write has passed all checks."""
        rewind, self._deferred_rewind = self._deferred_rewind, None
        if rewind is not None:
            self._apply_rewind(*rewind)
        self._index.finished = False


def _content_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts without those that every document has."""
    return {key: value for key, value in facts.items() if key not in ("format", "checksum")}


def _metadata_text(metadata: Mapping[str, Any]) -> str:
    content = {}
    for key, value in metadata.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"the metadata {key} cannot be kept as JSON ({error}); give it as an array"
            ) from error
        content[str(key)] = value
    return json.dumps(content, sort_keys=True)


def _records_before(file: Path, entry: layout.MetricEntry, end: int) -> bytes:
    """The bytes of a metric file's records before epoch ``end``."""
    if end <= 0:
        return b""
    try:
        data = read_records(file, entry, check=True)
    except (DamagedFile, OSError) as error:
        raise read_error(file, error) from error
    count = int(np.searchsorted(decode_records(data)[:, 0], end, side="left"))
    return data[: count * RECORD_BYTES]


def _type_text(entry: tuple[str, tuple[int, ...]] | None) -> str:
    return "absent" if entry is None else f"{entry[0]} {entry[1]}"
