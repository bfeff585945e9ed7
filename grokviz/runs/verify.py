"""Checking every byte of a run directory against its index."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grokviz.runs import layout, metrics, tensors
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

    index = layout.Index()

    def read_index() -> None:
        nonlocal index
        index = layout.Index.decode((path / INDEX).read_bytes())

    check(RUN, lambda: _check_facts(path))
    if not check(INDEX, read_index):
        return problems
    for epoch, entry in sorted(index.checkpoints.items()):
        file = layout.checkpoint_file(epoch)
        check(file, lambda f=file, e=entry: _check_stored(path / f, [e]))  # type: ignore[misc]
    for name, records in sorted(index.metrics.items()):
        file = layout.metric_file(name)
        check(file, lambda f=file, r=records: _check_metric(path / f, r))  # type: ignore[misc]
    check(RESUME, lambda: _check_stored(path / RESUME, index.resume))
    return problems + _notes(path, index)


def _check_facts(path: Path) -> None:
    layout.decode_facts((path / RUN).read_bytes())


def _check_stored(file: Path, allowed: list[Stored | None]) -> None:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        if None in allowed:
            return
        raise
    entries = [entry for entry in allowed if entry is not None]
    if not entries:
        raise Damaged("it is not in the index")
    digest = hashlib.sha256(data).hexdigest()
    if digest not in [entry.sha256 for entry in entries]:
        sizes = [entry.size for entry in entries]
        if len(data) not in sizes:
            kind = "cut short" if len(data) < min(sizes) else "of the wrong size"
            raise Damaged(f"it is {kind}: {len(data)} bytes instead of {sizes[-1]}")
        raise Damaged("its bytes do not match its checksum")
    with tensors.TensorFile(file):
        pass


def _check_metric(file: Path, entry: layout.Records) -> None:
    metrics.read(file, entry, check=True)


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
                torn = file.stat().st_size % metrics.RECORD if folder == METRICS else 0
                what = f"its last record is torn ({torn} bytes); it is ignored" if torn else ""
            elif layout.is_leftover(file.name):
                what = "a temporary file of a writer that was stopped; the next one removes it"
            elif layout.is_ours(folder, file.name):
                what = "not in the index yet; it is ignored"
            else:
                what = "not a file of the run; it is ignored"
            if what:
                notes.append(Problem(name, what, note=True))
    return notes
