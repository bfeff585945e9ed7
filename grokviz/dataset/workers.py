"""Checkpoints measured side by side: one process a core, results in order.

The processes are plain ``python -c`` children that import nothing of the caller's: a script
needs no ``if __name__ == "__main__"`` guard, and a notebook works as well. Each checkpoint is
read once, here, and sent. Where no process can be had, everything is measured here.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

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
    inside = multiprocessing.parent_process() is not None
    if inside or checkpoints <= WORTH or not any(part.heavy for part in parts):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return 0 if cores in (None, 1) else min(int(cores or 1), MOST)


def along(
    context: Context, parts: Sequence[Part], workers: int | None = None
) -> Generator[tuple[Checkpoint, Values], None, None]:
    """Every checkpoint of the pass with its values, in order of epochs.

    ``workers`` is the number of processes, 0 for none; chosen by the work if left out.
    """
    count = default_workers(parts, len(context.epochs)) if workers is None else workers
    helpers = _started(context, parts, count)
    states = context.checkpoints()
    with one_thread():
        if helpers:
            yield from _side_by_side(context, parts, states, helpers)
        else:
            for checkpoint in states:
                yield checkpoint, values_at(context, parts, checkpoint)


class Worker:
    """One process, and the exchange with it."""

    def __init__(self, setup: bytes) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from grokviz.dataset.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            # Ctrl-C is for this process, which then stops its workers
            start_new_session=True,
        )
        self.requests, self.answers = self.process.stdin, self.process.stdout
        self._write(setup)

    def ready(self) -> bool:
        """Whether it could import what it needs."""
        try:
            return bool(pickle.load(self._pipe(self.answers)) == ("ready", None))
        except (EOFError, OSError, pickle.UnpicklingError):
            return False

    def values(self, checkpoint: Checkpoint) -> Values:
        """The values of a checkpoint; its own error is raised here.

        Raises ``EOFError`` or ``OSError`` if the process is gone.
        """
        self._write(pickle.dumps((checkpoint.epoch, dict(checkpoint.state)), protocol=5))
        values, error = pickle.load(self._pipe(self.answers))
        if error is not None:
            raise error
        found: Values = values
        return found

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.requests, self.answers):
            try:
                self._pipe(pipe).close()
            except OSError:
                continue

    def _write(self, data: bytes) -> None:
        pipe = self._pipe(self.requests)
        pipe.write(data)
        pipe.flush()

    @staticmethod
    def _pipe(pipe: Any) -> Any:
        assert pipe is not None
        return pipe


def _environment() -> dict[str, str]:
    """This environment, set up for arithmetic, with the grokviz that is running here."""
    here = str(Path(__file__).resolve().parents[2])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**KEEP_MEMORY, **os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(paths)}


def _started(context: Context, parts: Sequence[Part], count: int) -> list[Worker]:
    if count < 1:
        return []
    setup = pickle.dumps((context, list(parts)), protocol=pickle.HIGHEST_PROTOCOL)
    helpers: list[Worker] = []
    try:
        helpers.extend(Worker(setup) for _ in range(count))
        if all(helper.ready() for helper in helpers):
            return helpers
        reason = f"{sys.executable} does not import grokviz"
    except OSError as error:
        reason = str(error)
    except BaseException:
        _stop(helpers)
        raise
    log.info("measuring in one process, because others could not be started: %s", reason)
    _stop(helpers)
    return []


def _stop(helpers: Sequence[Worker]) -> None:
    for helper in helpers:
        helper.stop()


def _side_by_side(
    context: Context,
    parts: Sequence[Part],
    states: Iterator[Checkpoint],
    helpers: list[Worker],
) -> Iterator[tuple[Checkpoint, Values]]:
    idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    for helper in helpers:
        idle.put(helper)

    def values(checkpoint: Checkpoint) -> Values | None:
        helper = idle.get()
        try:
            return helper.values(checkpoint)
        except (EOFError, OSError, pickle.UnpicklingError):
            return None
        finally:
            idle.put(helper)

    waiting: deque[tuple[Checkpoint, Future[Values | None]]] = deque()
    threads = ThreadPoolExecutor(len(helpers))
    try:
        more = True
        while more or waiting:
            while more and len(waiting) < 2 * len(helpers):
                checkpoint = next(states, None)
                if checkpoint is None:
                    more = False
                else:
                    waiting.append((checkpoint, threads.submit(values, checkpoint)))
            if waiting:
                checkpoint, future = waiting.popleft()
                yield checkpoint, _received(context, parts, checkpoint, future)
    finally:
        _stop(helpers)
        threads.shutdown(cancel_futures=True)


def _received(
    context: Context, parts: Sequence[Part], checkpoint: Checkpoint, future: Future[Values | None]
) -> Values:
    found = future.result()
    if found is None:
        log.warning("a worker ended early; epoch %d is measured without it", checkpoint.epoch)
        return values_at(context, parts, checkpoint)
    return found
