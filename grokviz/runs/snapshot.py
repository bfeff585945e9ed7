"""Snapshots of runs, for transfer between machines that share no disk.

A snapshot has everything but the checkpoints before the last one. :class:`RunWriter` writes it
to the other disk, so that the files are equal to the byte and survive a kill.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from grokviz.runs.layout import RESUME, RUN
from grokviz.runs.reader import open_run, read_documents, read_state
from grokviz.runs.writer import RunWriter

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Snapshot:
    """The facts, metrics, last checkpoint and resumable state of a run.

    Attributes:
        facts: the content of ``run.json``.
        curves: records of (epoch, value) by metric.
        checkpoint: epoch and weights of the last checkpoint; None if there is none.
        state: arrays and metadata of the resumable state; None if there is none.
        finished: whether training has ended.

    """

    facts: Mapping[str, Any]
    curves: Mapping[str, Float[np.ndarray, "records 2"]]
    checkpoint: tuple[int, Arrays] | None
    state: tuple[Arrays, Mapping[str, Any]] | None
    finished: bool


def read_snapshot(path: Path) -> Snapshot | None:
    """Read the run at ``path``, which no process may be writing; None if there is no run."""
    if not (path / RUN).exists():
        return None
    run = open_run(path)
    last = int(run.epochs[-1]) if len(run.epochs) else None
    facts = {key: value for key, value in run.facts.items() if key != "format"}
    none = None in read_documents(path)[1].resume and not (path / RESUME).exists()
    return Snapshot(
        facts,
        {name: run.records(name, check=True) for name in run.metrics},
        None if last is None else (last, run.weights(last)),
        None if none else read_state(path),
        run.finished,
    )


def write_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write the snapshot to ``path``, or continue the earlier state of the same run there.

    Raises :class:`InputError` if it holds anything else, :class:`WorkError` for a full disk.
    """
    exists = (path / RUN).exists()
    writer = RunWriter.resume(path) if exists else RunWriter.create(path, snapshot.facts)
    with writer:
        if writer.facts != snapshot.facts:
            writer.update_facts(**snapshot.facts)
        start = writer.resume_state[1]["epoch"] if writer.resume_state else 0
        for epoch, values in _metrics_by_epoch(snapshot, start):
            writer.log(epoch, **values)
        if snapshot.checkpoint is not None:
            writer.checkpoint(*snapshot.checkpoint)
        if snapshot.state is not None:
            arrays, metadata = snapshot.state
            writer.save_state(metadata["epoch"], arrays, metadata)
        writer.close(finished=snapshot.finished)


def _metrics_by_epoch(snapshot: Snapshot, start: int) -> Iterator[tuple[int, dict[str, float]]]:
    """Epochs from ``start`` on in ascending order, each with its metrics."""
    values: dict[int, dict[str, float]] = {}
    for name, records in snapshot.curves.items():
        for epoch, value in records[records[:, 0] >= start].tolist():
            values.setdefault(int(epoch), {})[name] = value
    yield from sorted(values.items())
