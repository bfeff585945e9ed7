"""Taking the measures of a run: one pass over its checkpoints for all of them.

Each checkpoint is read once, for the measures whose values are not kept beside the run already,
and not at all where every value is.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.dataset.build.facts import Undigestible, digest_of
from grokviz.dataset.build.source import source_of
from grokviz.dataset.build.values import Entry, ValueFile, row_of
from grokviz.dataset.build.workers import along
from grokviz.dataset.checkpoint import RunView
from grokviz.dataset.contract import Measure
from grokviz.dataset.table import Table
from grokviz.dataset.users import users_errors
from grokviz.errors import InputError
from grokviz.progress import ProgressCallback

ALONG = ("epoch", "field_epoch")

KEEP = 0.1
"""A measure of the whole run that takes less than so many seconds is taken again, not kept."""


@dataclass
class Measurement:
    """The measures to be taken of a run, and the values from before that still hold.

    Attributes:
        view: the run, at the epochs that are measured.
        own: every measure of its kind.
        names: those that are taken.
        cache: the folder where values are kept; None to keep none.

    """

    view: RunView
    own: Table
    names: Sequence[str]
    cache: Path | None
    entries: dict[str, Entry] = field(default_factory=dict, init=False)

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """The measures, by name."""
        return {name: self.own.measures[name] for name in self.names}

    @cached_property
    def files(self) -> dict[str, ValueFile]:
        """The file of each clock, and that of the run as a whole."""
        task = self.view.task or "any"
        plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in task[:40])
        names = {on: f"{plain}.{on}.safetensors" for on in (*ALONG, "run")}
        return {on: ValueFile(self.cache and self.cache / name) for on, name in names.items()}

    def values(self, report: ProgressCallback | None, workers: int | None) -> dict[str, Any]:
        """Every measure's values in the run, by name."""
        self._recall()
        values = self._along(report, workers)
        for name, one in self.measures.items():
            if one.on not in ALONG:
                values[name] = self._once(one, values)
        for file in self.files.values():
            file.write()
        return values

    def _recall(self) -> None:
        """Look up what is known already."""
        if self.cache is None:
            return
        digests: dict[str, str] = {}

        def digest(note: str) -> str:
            if note not in digests:
                digests[note] = digest_of(self.view, note)
            return digests[note]

        for name, one in self.measures.items():
            source = source_of(one)
            entry = source and self._file(one).known(name, source, digest)
            if entry:
                self.entries[name] = entry

    def _file(self, one: Measure) -> ValueFile:
        return self.files[one.on if one.on in ALONG else "run"]

    def _rows(self, one: Measure) -> Mapping[str, int]:
        """The rows whose values are known."""
        return self.entries[one.name].rows if one.name in self.entries else {}

    # --- along the clocks ------------------------------------------------------------

    def _along(self, report: ProgressCallback | None, workers: int | None) -> dict[str, Any]:
        """Values over the clocks of checkpoints."""
        if not self.view.has_weights:
            return {}
        measures = {name: one for name, one in self.measures.items() if one.on in ALONG}
        missing = {name: self._missing(one) for name, one in measures.items()}
        gather = {one.gather for one in self.measures.values() if one.gather and self._due(one)}
        epochs = set().union(*missing.values())
        if gather:
            epochs |= {*map(int, self.view.epochs)}
        work = [(e, [n for n in missing if e in missing[n]]) for e in sorted(epochs)]
        values: dict[str, dict[int, np.ndarray]] = {name: {} for name in missing}
        notes: dict[str, set[str]] = {name: set() for name in missing}
        with contextlib.closing(along(self.view, measures, work, workers)) as passing:
            done = 0
            for checkpoint, given in passing:
                done += 1  # noqa: SIM113
                for keep in gather:
                    keep(self.view, checkpoint)
                for name, value in given.values.items():
                    values[name][checkpoint.epoch] = value
                    notes[name] |= given.notes[name]
                if report:
                    report(done, len(work))
                # its weights would be held while the next are read; enumerate holds them too
                del checkpoint
        return {n: self._whole(one, values[n], notes[n]) for n, one in measures.items()}

    def _clock(self, one: Measure) -> list[int]:
        clock = self.view.field_epochs if one.on == "field_epoch" else self.view.epochs
        return [int(epoch) for epoch in clock]

    def _row(self, epoch: int) -> str:
        return row_of(epoch, self.view.run.checksum_of(epoch))

    def _missing(self, one: Measure) -> set[int]:
        """The epochs whose values are not known."""
        rows = self._rows(one)
        return {epoch for epoch in self._clock(one) if not rows or self._row(epoch) not in rows}

    def _whole(self, one: Measure, new: Mapping[int, np.ndarray], notes: set[str]) -> np.ndarray:
        """A measure's values along its clock, those from before and the new ones."""
        entry = self.entries.get(one.name)
        values = [
            entry.value(self._row(epoch)) if entry and epoch not in new else new[epoch]
            for epoch in self._clock(one)
        ]
        _check_shapes(one, values)
        if new:
            self._keep_rows(one, new, notes)
        return np.stack(values)

    def _keep_rows(self, one: Measure, new: Mapping[int, np.ndarray], notes: set[str]) -> None:
        source = source_of(one)
        if source is None or self.cache is None:
            return
        try:
            facts = {note: digest_of(self.view, note) for note in sorted(notes)}
        except Undigestible:
            return
        rows = {self._row(epoch): i for i, epoch in enumerate(new)}
        entry = Entry(source, facts, rows, np.stack(list(new.values())))
        valid = [self._row(int(epoch)) for epoch in self.view.run.epochs]
        self._file(one).add(one.name, entry, self.entries.get(one.name), valid)

    # --- once a run ------------------------------------------------------------------

    @cached_property
    def _once_row(self) -> str:
        """The name of a value of the whole run, at the epochs that are measured."""
        epochs = np.ascontiguousarray(self.view.epochs, dtype="<i8")
        return f"{self.view.run.checksum} {hashlib.sha256(epochs.tobytes()).hexdigest()}"

    def _due(self, one: Measure) -> bool:
        """Whether a measure of the whole run has to be taken."""
        return self._once_row not in self._rows(one)

    def _once(self, one: Measure, values: Mapping[str, Any]) -> np.ndarray:
        """A measure of the whole run, or over the finished series."""
        if not self._due(one):
            return self.entries[one.name].value(self._once_row)
        arguments = {"run": self.view, **values}
        begun = time.monotonic()
        with users_errors(one):
            value = one.variable.stored(one(**{name: arguments[name] for name in one.parameters}))
        source = source_of(one)
        # what a series gathers is read from all checkpoints
        dear = one.gather is not None or time.monotonic() - begun > KEEP
        if dear and source is not None and self.cache is not None:
            entry = Entry(source, {}, {self._once_row: 0}, value[None])
            self._file(one).add(one.name, entry, None, ())
        return value


def _check_shapes(one: Measure, values: Sequence[np.ndarray]) -> None:
    """Raise InputError unless a measure gave one shape at all checkpoints."""
    shapes = {value.shape for value in values}
    if len(shapes) > 1:
        some = " and ".join(map(str, sorted(shapes)[:2]))
        raise InputError(
            f"{one.name} has the shapes {some} at different checkpoints; let it return one shape"
        )
