"""Checking every byte of a run directory against its index."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grokviz.runs import layout, metrics, tensors
from grokviz.runs.checksums import check_stored
from grokviz.runs.layout import CHECKPOINTS, INDEX, METRICS, RESUME, RUN, Damaged, Stored

CACHE = "cache"
"""A folder that analyses may keep in a run; it is no part of it."""

_ALLOWED = frozenset({RUN, INDEX, RESUME, layout.LOCK, METRICS, CHECKPOINTS, CACHE})


@dataclass(frozen=True)
class Problem:
    """One finding: the file, relative to the run, and what is wrong with it.

    ``note`` marks what a kill leaves behind or somebody put there; the run is sound all the same.
    """

    file: str
    what: str
    note: bool = False

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def verify_run(path: str | Path) -> list[Problem]:
    """Every finding about the run at ``path``; empty for a sound one. Never raises for damage.

    Raises :class:`InputError` for a run of a newer format, of which nothing can be said.
    """
    path = Path(path)
    problems: list[Problem] = []
    for file in (RUN, INDEX):
        with contextlib.suppress(Damaged, OSError):  # said below
            layout.refuse_newer(path, layout.parse((path / file).read_bytes()))

    def check(file: str, look: Callable[[], None]) -> bool:
        try:
            look()
        except FileNotFoundError:
            problems.append(Problem(file, "it is missing"))
        except Damaged as error:
            problems.append(Problem(file, str(error)))
        except OSError as error:
            problems.append(Problem(file, f"it cannot be read ({error.strerror or error})"))
        else:
            return True
        return False

    def index_now() -> layout.Index:
        return layout.Index.decode((path / INDEX).read_bytes())

    def current(file: str, look: Callable[[layout.Index], None]) -> None:
        """Check a file against the index, and again where a writer has gone on since."""
        known = index
        while not check(file, partial(look, known)):
            with contextlib.suppress(Damaged, OSError):
                if (now := index_now()) != known:
                    known = now
                    problems.pop()
                    continue
            return

    check(RUN, lambda: _check_facts(path))
    index = layout.Index()

    def read_index() -> None:
        nonlocal index
        index = index_now()

    if not check(INDEX, read_index):
        return problems
    for epoch in sorted(index.checkpoints):
        current(layout.checkpoint_file(epoch), partial(_check_checkpoint, path, epoch))
    for name in sorted(index.metrics):
        current(layout.metric_file(name), partial(_check_metric, path, name))
    current(RESUME, lambda now: _check_stored(path / RESUME, now.resume))
    return problems + _notes(path, index_now() if not problems else index)


def _check_facts(path: Path) -> None:
    layout.decode_facts((path / RUN).read_bytes())


def _check_stored(file: Path, allowed: list[Stored | None]) -> None:
    if None in allowed and not file.exists():
        return
    check_stored(file, [entry for entry in allowed if entry is not None])
    with tensors.TensorFile(file):
        pass


def _check_checkpoint(path: Path, epoch: int, index: layout.Index) -> None:
    _check_stored(path / layout.checkpoint_file(epoch), [index.checkpoints[epoch]])


def _check_metric(path: Path, name: str, index: layout.Index) -> None:
    metrics.read(path / layout.metric_file(name), index.metrics[name], check=True)


def _notes(path: Path, index: layout.Index) -> list[Problem]:
    """What lies in the folder beyond the index."""
    notes = []
    named = {layout.checkpoint_file(epoch) for epoch in index.checkpoints}
    named |= {layout.metric_file(name) for name in index.metrics}
    for folder in ("", METRICS, CHECKPOINTS):
        if not (path / folder).is_dir():
            continue
        for file in sorted((path / folder).iterdir()):
            name = f"{folder}/{file.name}" if folder else file.name
            if name in named or (not folder and file.name in _ALLOWED):
                what = _beyond(file, index) if folder == METRICS else ""
            elif layout.is_leftover(file.name):
                what = "a temporary file of a writer that was stopped; the next one removes it"
            elif layout.is_ours(folder, file.name):
                what = "not in the index yet; it is ignored"
            else:
                what = "not a file of the run; it is ignored"
            if what:
                notes.append(Problem(name, what, note=True))
    return notes


def _beyond(file: Path, index: layout.Index) -> str:
    """What a metric's file has after the records that the index counts, in words."""
    records = {layout.metric_file(name): r.records for name, r in index.metrics.items()}
    more = file.stat().st_size - records[f"{METRICS}/{file.name}"] * metrics.RECORD
    if more % metrics.RECORD:
        return f"its last record is torn ({more % metrics.RECORD} bytes); it is ignored"
    return f"{more} bytes after the records in the index; they are ignored" if more > 0 else ""
