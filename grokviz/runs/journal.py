"""The index of a run on the disk, as ``index.json`` alone or with a journal beside it.

A small index is written whole each time. A large one would make every checkpoint dearer than the
last, so it names a journal, ``index.<number>.jsonl``, to which each change adds a line. Once the
journal is as large as the index, both are folded into a new ``index.json``; so is a closed run,
which therefore has no journal.

A journal begins with the checksum of its ``index.json`` and each line with that of the line
before, so that no line can be changed, lost or doubled without notice. Only a last line without
its end, which a kill leaves, is ignored.
"""

from __future__ import annotations

import dataclasses
import hashlib
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from grokviz.runs import durable, layout
from grokviz.runs.layout import INDEX, DamagedFile, FileEntry, Index, MetricEntry

WHOLE_BYTES = 2**16
"""Size of an ``index.json`` up to which it is written whole."""

_TRIES = 20


class _Journal(NamedTuple):
    """What is on the disk: a journal of ``size`` bytes, and the state of the index it ends in."""

    file: Path
    size: int
    limit: int  # the size at which it is folded
    previous: str  # SHA-256 of its last line
    checkpoints: int
    arrays: int
    metrics: dict[str, MetricEntry]
    resume: list[FileEntry | None]
    finished: bool


class IndexWriter:
    """Writer of a run's index, in the manner that suits its size."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal: _Journal | None = None  # without one the next write is whole

    def write(self, index: Index) -> None:
        """Write an index whose checkpoints and arrays continue those of the last one written."""
        # None until the write has succeeded: after a failed one nobody knows what is on the disk
        journal, self._journal = self._journal, None
        if journal is None or journal.size > journal.limit:
            self.replace(index)
        else:
            self._journal = _append(journal, index)

    def replace(self, index: Index, *, closed: bool = False) -> None:
        """Write any index whole, without a journal if it is small or the run ``closed``."""
        self._journal, old = None, index.journal
        new = dataclasses.replace(index, journal=None)
        data = new.encode()
        if not closed and len(data) > WHOLE_BYTES:
            new = dataclasses.replace(index, journal=(old or 0) + 1)
            data = new.encode()
            header = _line({}, hashlib.sha256(data).hexdigest())
            file = self._folder / layout.journal_file(new.journal)
            durable.replace_file(file, header)
        durable.replace_file(self._folder / INDEX, data)
        index.journal = new.journal
        if old is not None:
            durable.remove(self._folder / layout.journal_file(old))
        if new.journal is not None:
            self._journal = _state(index, file, len(header), len(data), header)


def _state(index: Index, file: Path, size: int, limit: int, line: bytes) -> _Journal:
    previous, metrics = hashlib.sha256(line).hexdigest(), dict(index.metrics)
    counts, resume = (len(index.checkpoints), len(index.arrays)), list(index.resume)
    return _Journal(file, size, limit, previous, *counts, metrics, resume, index.finished)


def _append(journal: _Journal, index: Index) -> _Journal:
    """The journal with one line more: what differs between its end and ``index``."""
    change: dict[str, Any] = {}
    if newest := _newest(index.checkpoints, journal.checkpoints):
        change["checkpoints"] = [layout.checkpoint_content(entry) for entry in newest]
    if newest := _newest(index.arrays, journal.arrays):
        change["arrays"] = [layout.array_content(entry) for entry in newest]
    metrics = {n: m for n, m in index.metrics.items() if journal.metrics.get(n) != m}
    if metrics:
        change["metrics"] = layout.metrics_content(metrics)
    if index.resume != journal.resume:
        change["resume"] = layout.resume_content(index.resume)
    if index.finished != journal.finished:
        change["finished"] = index.finished
    if not change:
        return journal
    line = _line(change, journal.previous)
    durable.write_at(journal.file, journal.size, line)
    return _state(index, journal.file, journal.size + len(line), journal.limit, line)


def _newest(entries: dict[int, FileEntry], count: int) -> list[FileEntry]:
    """The entries after the first ``count``, in their order."""
    return list(islice(reversed(entries.values()), len(entries) - count))[::-1]


def _line(change: dict[str, Any], previous: str) -> bytes:
    return layout.encode_document({**change, "previous": previous}, indent=None)


def read_index(folder: Path) -> Index:
    """The index of the run in ``folder``, with its journal, if it has one.

    Raises :class:`InputError` for a newer format, :class:`DamagedFile`, and ``OSError``.
    """
    for _ in range(_TRIES):
        data = layout.read_regular(folder / INDEX)
        layout.check_format(folder, data, indent=None)
        index = Index.decode(data)
        if index.journal is None:
            return index
        file = folder / layout.journal_file(index.journal)
        try:
            lines = layout.read_regular(file)
        except FileNotFoundError:
            if (folder / INDEX).read_bytes() != data:
                continue  # a writer has folded the journal in between
            break
        try:
            return _with_journal(index, data, lines)
        except DamagedFile as error:
            raise DamagedFile(str(error), file) from error
    raise DamagedFile("it is missing", file)


def _with_journal(index: Index, data: bytes, lines: bytes) -> Index:
    """The index after every complete line of its journal; raises :class:`DamagedFile`."""
    previous = hashlib.sha256(data).hexdigest()
    *complete, last = lines.split(b"\n")
    if _is_line(last):
        complete.append(last)  # a kill spared all but the line's end
    elif _is_line(last[:-1]):
        raise DamagedFile("its last line does not end as it was written")
    if not complete:
        raise DamagedFile("it is cut short: not even its first line is there")
    for number, text in enumerate(complete):
        line = text + b"\n"
        try:
            content = layout.decode_document(line, indent=None)
            if content.pop("previous", None) != previous:
                raise DamagedFile("it does not follow the line before")
            if number:
                _apply(index, content)
        except DamagedFile as error:
            raise DamagedFile(f"its line {number + 1}: {error}") from error
        previous = hashlib.sha256(line).hexdigest()
    return index


def _is_line(text: bytes) -> bool:
    try:
        layout.decode_document(text + b"\n", indent=None)
    except DamagedFile:
        return False
    return True


def _apply(index: Index, content: dict[str, Any]) -> None:
    """Change an index as a line says; raises :class:`DamagedFile`."""
    change: dict[str, Any] = {}
    try:
        if "checkpoints" in content:
            entries = [layout.parse_file_entry(entry) for entry in content["checkpoints"]]
            index.checkpoints.update((entry.epoch, entry) for entry in entries)
            change["checkpoints"] = [layout.checkpoint_content(entry) for entry in entries]
        if "arrays" in content:
            entries = [layout.parse_file_entry(entry) for entry in content["arrays"]]
            index.arrays.update((entry.epoch, entry) for entry in entries)
            change["arrays"] = [layout.array_content(entry) for entry in entries]
        if "metrics" in content:
            metrics = layout.parse_metrics(content["metrics"])
            index.metrics.update(metrics)
            change["metrics"] = layout.metrics_content(metrics)
        if "resume" in content:
            index.resume = layout.parse_resume(content["resume"])
            change["resume"] = layout.resume_content(index.resume)
        if "finished" in content:
            index.finished = change["finished"] = bool(content["finished"])
    except layout.INDEX_ERRORS as error:
        raise DamagedFile(f"it is not a change of an index ({error!r})") from error
    if change != content:
        raise DamagedFile("it names files that a run does not have")
