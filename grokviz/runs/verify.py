"""Verification of every byte of a run directory against its index."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grokviz.runs import layout, metrics, tensors
from grokviz.runs.checksums import check_stored
from grokviz.runs.journal import read_index
from grokviz.runs.layout import FOLDERS, INDEX, METRICS, RESUME, RUN, DamagedFile, FileEntry

CACHE = "cache"
"""A folder for analyses inside a run directory, not part of the run."""

_ALLOWED = frozenset({RUN, INDEX, RESUME, layout.LOCK, *FOLDERS, CACHE})

_OLD_JOURNAL = "a journal that the index does not name; the next writer removes it"


@dataclass(frozen=True)
class Finding:
    """A finding about a file, whose path is relative to the run.

    ``note`` marks a harmless one: a trace of a killed writer, or a file that is not of the run.
    """

    file: str
    what: str
    note: bool = False

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def verify_run(path: str | Path) -> list[Finding]:
    """All findings about the run at ``path``; empty for an intact one.

    Damage is reported and never raised. Raises :class:`InputError` for a newer format, which
    cannot be verified.
    """
    path = Path(path)
    findings: list[Finding] = []
    with contextlib.suppress(DamagedFile, OSError):  # reported below
        layout.check_format(path, layout.read_regular(path / RUN), indent=2)

    def passes(file: str, read: Callable[[], None]) -> bool:
        try:
            read()
        except FileNotFoundError:
            findings.append(Finding(file, "it is missing"))
        except DamagedFile as error:
            name = str(error.file.relative_to(path)) if error.file else file
            findings.append(Finding(name, str(error)))
        except OSError as error:
            findings.append(Finding(file, f"it cannot be read ({error.strerror or error})"))
        else:
            return True
        return False

    def check_current(file: str, check: Callable[[layout.Index], None]) -> None:
        """Check a file against the index, again if a writer has replaced the index since."""
        known = index
        while not passes(file, partial(check, known)):
            with contextlib.suppress(DamagedFile, OSError):
                if (now := read_index(path)) != known:
                    known = now
                    findings.pop()
                    continue
            return

    passes(RUN, lambda: _check_facts(path))
    index = layout.Index()

    def load_index() -> None:
        nonlocal index
        index = read_index(path)

    if not passes(INDEX, load_index):
        return findings
    for epoch in sorted(index.checkpoints):
        check_current(layout.checkpoint_file(epoch), partial(_check_checkpoint, path, epoch))
    for epoch in sorted(index.arrays):
        check_current(layout.array_file(epoch), partial(_check_arrays, path, epoch))
    for name in sorted(index.metrics):
        check_current(layout.metric_file(name), partial(_check_metric, path, name))
    check_current(RESUME, lambda now: _check_stored(path / RESUME, now.resume))
    return findings + _notes(path, read_index(path) if not findings else index)


def _check_facts(path: Path) -> None:
    """Raise DamagedFile unless ``run.json`` matches its checksum."""
    layout.decode_facts(layout.read_regular(path / RUN))


def _check_stored(file: Path, allowed: list[FileEntry | None]) -> None:
    if None in allowed and not file.exists():
        return
    check_stored(file, [entry for entry in allowed if entry is not None])
    with tensors.TensorFile(file):
        pass


def _check_checkpoint(path: Path, epoch: int, index: layout.Index) -> None:
    _check_stored(path / layout.checkpoint_file(epoch), [index.checkpoints[epoch]])


def _check_arrays(path: Path, epoch: int, index: layout.Index) -> None:
    _check_stored(path / layout.array_file(epoch), [index.arrays[epoch]])


def _check_metric(path: Path, name: str, index: layout.Index) -> None:
    metrics.read_records(path / layout.metric_file(name), index.metrics[name], check=True)


def _notes(path: Path, index: layout.Index) -> list[Finding]:
    """Findings about files in the run directory that are not in the index."""
    notes = []
    named = {layout.checkpoint_file(epoch) for epoch in index.checkpoints}
    named |= {layout.array_file(epoch) for epoch in index.arrays}
    named |= {layout.metric_file(name) for name in index.metrics}
    named |= {layout.journal_file(index.journal)}
    for folder in ("", *FOLDERS):
        if not (path / folder).is_dir():
            continue
        for file in sorted((path / folder).iterdir()):
            name = f"{folder}/{file.name}" if folder else file.name
            if name in named or (not folder and file.name in _ALLOWED):
                what = _beyond(file, index) if folder == METRICS else ""
            elif layout.is_temporary(file.name):
                what = "a temporary file of a writer that was stopped; the next one removes it"
            elif layout.is_run_file(folder, file.name):
                what = "not in the index yet; it is ignored" if folder else _OLD_JOURNAL
            else:
                what = "not a file of the run; it is ignored"
            if what:
                notes.append(Finding(name, what, note=True))
    return notes


def _beyond(file: Path, index: layout.Index) -> str:
    """What a metric's file has after the records that the index counts, in words."""
    if not file.is_file():
        return ""  # it was named already
    records = {layout.metric_file(name): r.records for name, r in index.metrics.items()}
    more = file.stat().st_size - records[f"{METRICS}/{file.name}"] * metrics.RECORD_BYTES
    if more % metrics.RECORD_BYTES:
        return f"its last record is torn ({more % metrics.RECORD_BYTES} bytes); it is ignored"
    return f"{more} bytes after the records in the index; they are ignored" if more > 0 else ""
