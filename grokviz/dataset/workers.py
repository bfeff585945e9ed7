"""Checkpoints measured side by side: one process a core, results in order.

Each checkpoint is read once, here, and sent. Where no process can be had, everything is measured
here.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import numpy as np

from grokviz import parallel, plugins
from grokviz.dataset.part import Checkpoint, Context, Part, Values, values_at
from grokviz.dataset.threads import ENVIRONMENT, one_thread

WORTH = 40
"""Fewer checkpoints than this are measured before a process has started."""

MOST = 8
"""More processes would take more than 4 GiB for p = 113."""

KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}
"""glibc then keeps freed arrays, whose page faults would take a third of the time."""

log = logging.getLogger(__name__)


def default_workers(parts: Sequence[Part], checkpoints: int) -> int:
    """How many processes: one a core for long work, none for short work or inside a process."""
    if checkpoints <= WORTH or not any(part.heavy for part in parts) or parallel.in_worker():
        return 0
    cores = parallel.cores()
    return 0 if cores == 1 else min(cores, MOST)


def along(
    context: Context, parts: Sequence[Part], workers: int | None = None
) -> Generator[tuple[Checkpoint, Values], None, None]:
    """Every checkpoint of the pass with its values, in order of epochs.

    ``workers`` is the number of processes, 0 for none; chosen by the work if left out.
    """
    count = default_workers(parts, len(context.epochs)) if workers is None else workers
    states = context.checkpoints()
    with one_thread():
        if count > 0:
            yield from _side_by_side(context, parts, states, count)
        else:
            for checkpoint in states:
                yield checkpoint, values_at(context, parts, checkpoint)


def _side_by_side(
    context: Context, parts: Sequence[Part], states: Iterator[Checkpoint], count: int
) -> Iterator[tuple[Checkpoint, Values]]:
    import cloudpickle

    keep = {name: value for name, value in KEEP_MEMORY.items() if name not in os.environ}
    pickled = cloudpickle.dumps((context, list(parts)))
    pool = parallel.Pool(
        count,
        environment={**keep, **ENVIRONMENT},
        quiet=True,
        begin=partial(_begin, plugins.files_of([context, *parts]), pickled),
        ahead=1,
    )
    with pool:
        pending: deque[tuple[Checkpoint, Future[Values]]] = deque()
        for checkpoint in states:
            future = pool.submit(plugins.as_here(_values), checkpoint.epoch, dict(checkpoint.state))
            pending.append((checkpoint, future))
            if len(pending) == 2 * count:
                yield _received(context, parts, *pending.popleft())
        while pending:
            yield _received(context, parts, *pending.popleft())


def _received(
    context: Context, parts: Sequence[Part], checkpoint: Checkpoint, future: Future[Values]
) -> tuple[Checkpoint, Values]:
    """The values that a process computed, or computed here where it could not."""
    try:
        return checkpoint, future.result()
    except parallel.WorkerDied:
        log.warning("a worker ended early; epoch %d is measured without it", checkpoint.epoch)
    except parallel.NoWorker as error:
        log.info("measuring in one process: %s", error)
    return checkpoint, values_at(context, parts, checkpoint)


_pass: list[tuple[Context, list[Part]]] = []
"""In a worker process: what stays the same along the run."""


def _begin(files: Sequence[Path], pickled: bytes) -> None:
    plugins.load_files(files)  # before what is theirs can be received
    _pass[:] = [pickle.loads(pickled)]


def _values(epoch: int, state: dict[str, np.ndarray]) -> Values:
    ((context, parts),) = _pass
    return values_at(context, parts, context.checkpoint_type(epoch, state))
