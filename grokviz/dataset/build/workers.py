"""Checkpoints measured side by side: one process a core, results in order.

Each checkpoint is read once, here, and sent. The first are measured here: where these say that
the rest would take long, processes are started, and where none can be had, everything is
measured here. The results are the same.
"""

from __future__ import annotations

import logging
import os
import pickle
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from grokviz import parallel, plugins
from grokviz.dataset.build.facts import Noting, notes_of
from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.contract import Measure
from grokviz.dataset.threads import ENVIRONMENT, one_thread
from grokviz.dataset.users import users_errors

FIRST = 1.0
"""Seconds of measuring here before it is asked how long the rest will take."""

WORTH = 2.5
"""Seconds that the rest must take for processes to be worth starting."""

MOST = 8
"""More processes would take more than 4 GiB for p = 113."""

WAITING = 1 << 30
"""So many bytes of weights may wait for processes; a model too large for that is measured here."""

KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}
"""glibc then keeps freed arrays, whose page faults would take a third of the time."""

log = logging.getLogger(__name__)


@dataclass
class CheckpointValues:
    """What the measures of one checkpoint gave.

    Attributes:
        values: by name of the measure, as the dataset stores them.
        notes: what each read of the run.

    """

    values: dict[str, np.ndarray] = field(default_factory=dict)
    notes: dict[str, set[str]] = field(default_factory=dict)


Work = tuple[int, Sequence[str]]
"""An epoch, and the names of the measures that are taken there."""


def values_at(
    view: RunView, measures: Mapping[str, Measure], checkpoint: Checkpoint, names: Sequence[str]
) -> CheckpointValues:
    """These measures of one checkpoint."""
    given = CheckpointValues()
    for name in names:
        one, run = measures[name], Noting(view)
        arguments: dict[str, Any] = {"at": checkpoint, "run": run}
        with users_errors(one):
            value = one(**{key: arguments[key] for key in one.parameters})
            given.values[name] = one.variable.stored(value)
        given.notes[name] = notes_of(run)
    return given


def processes_worth(seconds: float) -> int:
    """How many processes are worth starting for work of so many seconds; none inside one."""
    if seconds < WORTH or parallel.in_worker():
        return 0
    cores = parallel.cores()
    return 0 if cores == 1 else min(cores, MOST)


def processes_fed(checkpoint: Checkpoint) -> int:
    """How many processes can be sent such checkpoints: two wait for each, and are pickled."""
    size = sum(array.nbytes for array in checkpoint.state.values())
    return WAITING // max(4 * size, 1)


def along(
    view: RunView,
    measures: Mapping[str, Measure],
    work: Sequence[Work],
    workers: int | None = None,
) -> Generator[tuple[Checkpoint, CheckpointValues], None, None]:
    """Every checkpoint of the work with what its measures gave, in order of epochs.

    ``workers`` is the number of processes, 0 for none; if left out, what the first checkpoints
    say.
    """
    names = dict(work)
    states = view.checkpoints(np.array([epoch for epoch, _ in work], dtype=np.int64))
    with one_thread():
        begun, count, done = time.monotonic(), 0, 0
        for checkpoint in states:
            done += 1  # noqa: SIM113
            # what the first needs of the run is worked out here, and sent
            yield checkpoint, values_at(view, measures, checkpoint, names[checkpoint.epoch])
            spent = time.monotonic() - begun
            if workers is not None:
                count = workers
            elif spent > FIRST:
                count = processes_worth(spent / done * (len(work) - done))
                count = min(count, processes_fed(checkpoint))
            if count > 0:
                break
            if workers is None and spent > FIRST:
                workers = 0
            # its weights would be held while the next are read; enumerate holds them too
            del checkpoint
        if count > 0:
            yield from _side_by_side(view, measures, (states, names), count)


def _side_by_side(
    view: RunView,
    measures: Mapping[str, Measure],
    work: tuple[Iterable[Checkpoint], Mapping[int, Sequence[str]]],
    count: int,
) -> Iterator[tuple[Checkpoint, CheckpointValues]]:
    import cloudpickle

    states, names = work
    keep = {name: value for name, value in KEEP_MEMORY.items() if name not in os.environ}
    pickled = cloudpickle.dumps((view.sent(_facts(view)), dict(measures)))
    modules = {type(view).__module__, *(one.module for one in measures.values())}
    files = sorted(file for file in map(plugins.file_of, modules) if file is not None)
    pool = parallel.Pool(
        count,
        environment={**keep, **ENVIRONMENT},
        quiet=True,
        initializer=partial(_begin, files, pickled),
        prefetch=1,
    )
    with pool:
        pending: deque[tuple[Checkpoint, Future[CheckpointValues]]] = deque()

        def received() -> tuple[Checkpoint, CheckpointValues]:
            checkpoint, future = pending.popleft()
            try:
                return checkpoint, future.result()
            except parallel.WorkerDied:
                log.warning(
                    "a worker ended early; epoch %d is measured without it", checkpoint.epoch
                )
            except parallel.NoWorker as error:
                log.info("measuring in one process: %s", error)
            return checkpoint, values_at(view, measures, checkpoint, names[checkpoint.epoch])

        for one in states:
            state = (one.epoch, dict(one.state), one.checksum)
            pending.append(
                (one, pool.submit(plugins.with_current_places(_values), *state, names[one.epoch]))
            )
            if len(pending) == 2 * count:
                yield received()
        while pending:
            yield received()


def _facts(view: RunView) -> set[str]:
    """The cached properties of the run that have been worked out so far."""
    kind = type(view)
    return {n for n in view.__dict__ if isinstance(getattr(kind, n, None), cached_property)}


_pass: list[tuple[RunView, dict[str, Measure]]] = []
"""In a worker process: what stays the same along the run."""


def _begin(files: Sequence[Path], pickled: bytes) -> None:
    plugins.load_files(files)  # before what is theirs can be received
    _pass[:] = [pickle.loads(pickled)]


def _values(
    epoch: int, state: dict[str, np.ndarray], checksum: str, names: Sequence[str]
) -> CheckpointValues:
    ((view, measures),) = _pass
    return values_at(view, measures, view.checkpoint_type(epoch, state, checksum), names)
