"""The writing end of a run directory, in an order that no kill can spoil.

What is on the disk, and in which order it gets there:

``create``
    folders, empty ``index.json``, then ``run.json``. A folder is a run from the moment
    ``run.json`` is in it; one that was killed before is begun again by ``create``.
``log``
    only remembers; every few seconds the records go to the metric files and the index.
``checkpoint``
    1. metric files: records appended, fsynced. 2. ``checkpoints/<epoch>.safetensors``:
    temporary sibling, fsync, rename, folder fsync. 3. ``index.json``, the same way, names
    both. Killed before 3: the file and the records lie beyond the index, which readers
    ignore and ``resume`` clears away.
``save_state``
    1. metric files. 2. the new ``resume.safetensors`` as a fsynced temporary sibling.
    3. ``index.json`` says that the resume file is the old *or* the new one. 4. rename,
    folder fsync. Killed at any point, the file that is there is one the index knows, and
    every metric record and checkpoint before its epoch is in the index. The next index
    (at ``close`` at the latest) names the new one alone.
``resume``
    1. the index is replaced by one that ends at the resume state's epoch. 2. metric files are cut,
    later checkpoints and temporary files removed: all of them are beyond the index by now.
``close``
    metric files, then the index with ``finished``; the lock is released.

An index therefore never names what is not whole on the disk, and a resumed run ends with
the same bytes in every file as an uninterrupted one.
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
from grokviz.runs.layout import CHECKPOINTS, INDEX, METRICS, RESUME, RUN, Damaged, Stored
from grokviz.runs.metrics import RECORD, MetricFile, decode, number, read
from grokviz.runs.reader import damaged, read_documents, read_state
from grokviz.runs.starting import refuse_foreign

FLUSH_SECONDS = 5.0
_FOREVER = 2**53
_Shapes = dict[str, tuple[str, tuple[int, ...]]]


class RunWriter:
    """Writes one run directory; made by :meth:`create` or :meth:`resume`.

    ``facts`` is what ``run.json`` holds; ``resume_state`` is ``(arrays, metadata)`` of the
    newest resumable state, with ``metadata["epoch"]``, or None when there is none.
    """

    facts: dict[str, Any]
    resume_state: tuple[dict[str, np.ndarray], dict[str, Any]] | None

    def __init__(self, path: Path, facts: dict[str, Any], lock: durable.Lock) -> None:
        self.path, self.facts, self._lock = path, facts, lock
        self.resume_state = None
        self._index = layout.Index()
        self._metrics: dict[str, MetricFile] = {}
        self._shapes: _Shapes | None = None
        self._flushed, self._closed = time.monotonic(), False
        # what a finished run is cut back to when something is written to it
        self._put_off: tuple[layout.Index, dict[str, MetricFile]] | None = None

    @classmethod
    def create(cls, path: str | Path, facts: Mapping[str, Any]) -> RunWriter:
        """Begin a new run at ``path``, which must not exist, be empty, or be a creation cut short.

        Raises :class:`InputError` when the folder holds a run or anything else.
        """
        path = Path(path)
        data = layout.encode_facts(_own(facts))
        refuse_foreign(path)
        durable.make_folder(path)
        lock = durable.Lock(path)
        try:
            refuse_foreign(path)
            durable.make_folder(path / METRICS)
            durable.make_folder(path / CHECKPOINTS)
            writer = cls(path, _own(layout.decode_facts(data)), lock)
            writer._publish_index()
            writer._sweep()
            durable.publish(path / RUN, data)
        except BaseException:
            lock.release()
            raise
        return writer

    @classmethod
    def resume(cls, path: str | Path) -> RunWriter:
        """Continue an existing run from its newest resumable state, at epoch E.

        Metric records of epochs >= E and checkpoints of epochs > E are dropped, to be written
        again. Without a state everything but ``run.json`` is emptied. A finished run stays as it
        is until something is written to it.

        Raises :class:`InputError` when there is no run or a file it needs is damaged.
        """
        writer = cls._open(Path(path))
        try:
            start = writer.resume_state[1]["epoch"] if writer.resume_state else None
            if writer.finished:
                writer.rewind(_FOREVER)
                writer._put_off = writer._rewound(start)
            else:
                writer.rewind(start)
        except BaseException:
            writer._lock.release()
            raise
        return writer

    @classmethod
    def reopen(cls, path: str | Path) -> RunWriter:
        """Continue an existing run from its end; :meth:`rewind` says from where instead."""
        writer = cls._open(Path(path))
        try:
            writer.rewind(_FOREVER)
        except BaseException:
            writer._lock.release()
            raise
        return writer

    @classmethod
    def _open(cls, path: Path) -> RunWriter:
        """Lock an existing run and read where it stands, changing nothing in it."""
        read_documents(path)  # before the lock's file is made in what may not be a run
        lock = durable.Lock(path)
        try:
            facts, index = read_documents(path)
            writer = cls(path, _own(facts), lock)
            writer._index = index
            writer._read_state()
        except BaseException:
            lock.release()
            raise
        return writer

    @property
    def epochs(self) -> list[int]:
        """The checkpointed epochs, ascending."""
        return sorted(self._index.checkpoints)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end and nothing was written to it since."""
        return self._index.finished

    def log(self, epoch: int, **metrics: float) -> None:
        """Add one value of each metric for ``epoch``; on the disk within seconds.

        Raises :class:`InputError` for a value that is not one number, or an epoch that is
        not later than the metric's last; then none of the values is kept.
        """
        self._refuse_closed()
        epoch = layout.whole(epoch)
        values = {name: number(name, value) for name, value in metrics.items()}
        files = dict(self._standing()[1])
        for name in values:  # all of them, before a single one is kept
            self._metric(name, files).check(epoch)
        self._writing()
        self._metrics = files
        for name, value in values.items():
            files[name].append(epoch, value)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._commit()

    def checkpoint(self, epoch: int, weights: Mapping[str, Any]) -> None:
        """Store the weights of ``epoch`` permanently.

        Raises :class:`InputError` for an epoch before the last, for other keys or shapes
        than before, and for anything that is not numbers; :class:`WorkError` for a full disk.
        """
        self._refuse_closed()
        epoch = layout.whole(epoch)
        arrays = tensors.as_arrays(weights, "weights")
        before = self._standing()[0].checkpoints
        shapes = self._check_shapes(arrays, self._shapes if before else None)
        data = tensors.pack(arrays, json.dumps({"epoch": epoch}))
        entry = Stored.of(epoch, data)
        last = max(before, default=-1)
        if before.get(epoch) == entry:
            self._writing()
            self._commit()  # a resumed run writes the checkpoint it resumed at once more
            return
        if epoch <= last:
            raise InputError(
                f"a checkpoint of epoch {epoch} cannot follow that of epoch {last} in {self.path}; "
                "checkpoint each epoch once, in order"
            )
        self._writing()
        self._shapes = shapes
        self._flush()
        durable.publish(self.path / layout.checkpoint_file(epoch), data)
        self._index.checkpoints[epoch] = entry
        self._publish_index()

    def save_state(
        self, epoch: int, arrays: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Replace the newest resumable state by one from which epoch ``epoch`` comes next.

        ``metadata`` is anything JSON holds; ``epoch`` is added to it. After this a kill loses
        nothing before ``epoch``.
        """
        self._refuse_closed()
        epoch = layout.whole(epoch)
        text = _metadata({**(metadata or {}), "epoch": epoch})
        data = tensors.pack(tensors.as_arrays(arrays, "resumable state"), text)
        entry = Stored.of(epoch, data)
        self._writing()
        self._flush()
        target = self.path / RESUME
        with replacing(target) as part:
            part.write_bytes(data)
            if entry not in self._index.resume:
                known = self._index.resume
                known = known if len(known) == 1 else self._known_resume()
                self._index.resume = [*known, entry]
            self._publish_index()
        durable.sync_folder(self.path)
        self._index.resume = [entry]

    def update_facts(self, **facts: Any) -> None:
        """Change facts of ``run.json``, such as the number of epochs of a run that is extended."""
        self._refuse_closed()
        data = layout.encode_facts(_own({**self.facts, **facts}))
        self._writing()
        durable.publish(self.path / RUN, data)
        self.facts = _own(layout.decode_facts(data))

    def close(self, finished: bool = False) -> None:
        """Flush everything to the disk and release the lock; a second call does nothing."""
        if self._closed:
            return
        try:
            self._index.finished = finished or self._index.finished
            self._index.resume = self._known_resume()
            self._commit()
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
            if error is None:  # what ended the block is the news; the run opens either way
                raise

    def rewind(self, epoch: int | None, *, keep: bool = True) -> None:
        """Drop the metric records of ``epoch`` and later, and the checkpoints after it.

        ``keep`` says whether the checkpoint of ``epoch`` itself stays; None drops everything.
        """
        self._settle_rewind(*self._rewound(epoch, keep=keep))

    def _rewound(
        self, epoch: int | None, *, keep: bool = True
    ) -> tuple[layout.Index, dict[str, MetricFile]]:
        """The index and the metric files that :meth:`rewind` leaves; it changes nothing."""
        end = -1 if epoch is None else epoch
        last = end if keep else end - 1
        old, metrics = self._index, {}
        index = layout.Index(
            {e: entry for e, entry in old.checkpoints.items() if e <= last},
            resume=[None if s is None or s.epoch > end else s for s in self._known_resume()],
            finished=old.finished,
            format=old.format,
        )
        for name, entry in old.metrics.items():
            file = self.path / layout.metric_file(name)
            records = _records_before(file, entry, end)
            if records:
                metrics[name] = MetricFile(name, file, records)
        index.metrics = {name: file.entry for name, file in metrics.items()}
        return index, metrics

    def _settle_rewind(self, new: layout.Index, metrics: dict[str, MetricFile]) -> None:
        old, self._index, self._metrics = self._index, new, metrics
        if new.checkpoints != old.checkpoints or new.metrics != old.metrics:
            new.finished = False
        if new.resume == [None]:  # until the file is gone, the index allows for both
            new.resume = [*dict.fromkeys([None, *old.resume])]
        if new.encode() != old.encode():
            self._publish_index()
        if None in new.resume:
            durable.remove(self.path / RESUME)
            new.resume, self.resume_state = [None], None
        for file in self._metrics.values():
            durable.cut(file.path, file.entry.records * RECORD)
        self._sweep()
        self._read_shapes()

    def _sweep(self) -> None:
        """Remove what lies beyond the index: temporary files, unfinished checkpoints."""
        named = {layout.checkpoint_file(epoch) for epoch in self._index.checkpoints}
        named |= {layout.metric_file(name) for name in self._metrics}
        for folder in ("", METRICS, CHECKPOINTS):
            durable.make_folder(self.path / folder)
            for file in list((self.path / folder).iterdir()):
                ours = layout.is_ours(folder, file.name)
                beyond = ours and f"{folder}/{file.name}" not in named
                if beyond or layout.is_leftover(file.name):
                    durable.remove(file)

    def _read_state(self) -> None:
        known = self._known_resume()
        self._index.resume = known
        for epoch, entry in self._index.checkpoints.items():
            file = self.path / layout.checkpoint_file(epoch)
            if not file.is_file() or file.stat().st_size != entry.size:
                raise InputError(f"{file} is missing or cut short; restore it from a copy")
        if known[0] is None:
            return
        self.resume_state = read_state(self.path)

    def _known_resume(self) -> list[Stored | None]:
        """The index's one entry that matches the resume file on the disk."""
        file = self.path / RESUME
        if not file.exists():
            entry: Stored | None = None
        else:
            data = file.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            match = [s for s in self._index.resume if s and s.sha256 == digest]
            if not match:
                raise damaged(file, Damaged("its checksum does not match"))
            entry = match[0]
        if entry not in self._index.resume:
            raise InputError(f"{file} is missing; restore it from a copy, or start a new run")
        return [entry]

    def _read_shapes(self) -> None:
        self._shapes = None
        if self._index.checkpoints:
            file = self.path / layout.checkpoint_file(self.epochs[-1])
            try:
                with tensors.TensorFile(file) as last:
                    self._shapes = dict(last.slots)
            except (Damaged, OSError) as error:
                raise damaged(file, error) from error

    def _check_shapes(self, arrays: Mapping[str, np.ndarray], before: _Shapes | None) -> _Shapes:
        """The shapes of a checkpoint; :class:`InputError` unless they are those ``before``."""
        shapes = {name: (tensors.kind(a), a.shape) for name, a in arrays.items()}
        if before is None:
            if not shapes:
                raise InputError("there are no weights to keep; give model.state_dict()")
            return shapes
        for name in sorted(before.keys() | shapes.keys()):
            if before.get(name) != shapes.get(name):
                raise InputError(
                    f"{name} was {_shape(before.get(name))} and is now {_shape(shapes.get(name))}; "
                    f"give every checkpoint of {self.path} the same arrays"
                )
        return shapes

    def _metric(self, name: str, files: dict[str, MetricFile]) -> MetricFile:
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
        """Flush all pending metric records to the disk."""
        self._flushed = time.monotonic()
        for metric in self._metrics.values():
            metric.flush()
        if self._metrics.keys() - self._index.metrics.keys():
            durable.sync_folder(self.path / METRICS)

    def _commit(self) -> None:
        self._flush()
        self._publish_index()

    def _publish_index(self) -> None:
        # asked of the files: an interrupt may come between a flush and what follows it
        self._index.metrics = {
            name: file.entry for name, file in self._metrics.items() if file.entry.records
        }
        durable.publish(self.path / INDEX, self._index.encode())

    def _refuse_closed(self) -> None:
        if self._closed:
            raise InputError(f"the run {self.path} was closed; open it again with resume")

    def _standing(self) -> tuple[layout.Index, dict[str, MetricFile]]:
        """The index and the metric files that the next write goes on from."""
        return self._put_off or (self._index, self._metrics)

    def _writing(self) -> None:
        """Begin to write, once it is sure that there is something that can be written."""
        put_off, self._put_off = self._put_off, None
        if put_off is not None:
            self._settle_rewind(*put_off)
        self._index.finished = False


def _own(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if key not in ("format", "checksum")}


def _metadata(metadata: Mapping[str, Any]) -> str:
    plain = {}
    for key, value in metadata.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"the metadata {key} cannot be kept as JSON ({error}); give it as an array"
            ) from error
        plain[str(key)] = value
    return json.dumps(plain, sort_keys=True)


def _records_before(file: Path, entry: layout.Records, end: int) -> bytes:
    if end <= 0:
        return b""
    try:
        data = read(file, entry, check=True)
    except (Damaged, OSError) as error:
        raise damaged(file, error) from error
    count = int(np.searchsorted(decode(data)[:, 0], end, side="left"))
    return data[: count * RECORD]


def _shape(entry: tuple[str, tuple[int, ...]] | None) -> str:
    return "absent" if entry is None else f"{entry[0]} {entry[1]}"
