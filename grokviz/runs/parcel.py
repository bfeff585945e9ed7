"""A run as it travels between machines that share no disk.

Its facts, its curves, its last checkpoint and the state from which it goes on; its other
checkpoints stay where they are. What is unpacked is written by :class:`RunWriter`, so the files
that travel are the same to the byte, and a kill spoils nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from grokviz.runs.layout import RESUME, RUN
from grokviz.runs.reader import open_run, read_state
from grokviz.runs.writer import RunWriter

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Parcel:
    """What travels of a run.

    Attributes:
        facts: what ``run.json`` says.
        curves: records of (epoch, value) by metric.
        checkpoint: epoch and weights of the last checkpoint; None before the first.
        state: arrays and metadata of the newest resumable state; None before the first.
        finished: whether the run came to its end.

    """

    facts: Mapping[str, Any]
    curves: Mapping[str, Float[np.ndarray, "records 2"]]
    checkpoint: tuple[int, Arrays] | None
    state: tuple[Arrays, Mapping[str, Any]] | None
    finished: bool


def pack(path: Path) -> Parcel | None:
    """The parcel of the run at ``path``, which nobody writes; None where there is no run."""
    if not (path / RUN).exists():
        return None
    run = open_run(path)
    last = int(run.epochs[-1]) if len(run.epochs) else None
    facts = {key: value for key, value in run.facts.items() if key != "format"}
    return Parcel(
        facts,
        {name: run.records(name, check=True) for name in run.metrics},
        None if last is None else (last, run.weights(last)),
        read_state(path) if (path / RESUME).exists() else None,
        run.finished,
    )


def unpack(parcel: Parcel, path: Path) -> None:
    """Write a run, or go on with the one at ``path`` that the parcel's was begun from.

    Raises :class:`InputError` where something else lies there, :class:`WorkError` for a full disk.
    """
    begun = (path / RUN).exists()
    writer = RunWriter.resume(path) if begun else RunWriter.create(path, parcel.facts)
    with writer:
        if writer.facts != parcel.facts:
            writer.update_facts(**parcel.facts)
        start = writer.resume_state[1]["epoch"] if writer.resume_state else 0
        for epoch, values in _by_epoch(parcel, start):
            writer.log(epoch, **values)
        if parcel.checkpoint is not None:
            writer.checkpoint(*parcel.checkpoint)
        if parcel.state is not None:
            arrays, metadata = parcel.state
            writer.save_state(metadata["epoch"], arrays, metadata)
        writer.close(finished=parcel.finished)


def _by_epoch(parcel: Parcel, start: int) -> Iterator[tuple[int, dict[str, float]]]:
    """What was logged at each epoch from ``start`` on, in order."""
    logged: dict[int, dict[str, float]] = {}
    for name, records in parcel.curves.items():
        for epoch, value in records[records[:, 0] >= start].tolist():
            logged.setdefault(int(epoch), {})[name] = value
    yield from sorted(logged.items())
