"""One worker process as its parent sees it, with a loky executor of its own."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from grokviz.errors import InputError
from grokviz.parallel import worker
from grokviz.parallel.worker import SIGNALS, Setup

_starting = threading.RLock()


def cores() -> int:
    """Cores that this process may use, by its affinity and its container's limits."""
    from loky import cpu_count

    return int(cpu_count())


def check_jobs(jobs: int) -> None:
    """Raise InputError unless this is a number of processes."""
    if jobs < 1:
        raise InputError(f"-j {jobs} is not possible; give at least 1")


def in_worker() -> bool:
    """Whether this is a worker process itself, which should start no further ones."""
    import multiprocessing

    return multiprocessing.parent_process() is not None


class Task(NamedTuple):
    """A call, and the future of its result."""

    future: Future[Any]
    call: Callable[[], object]


class Process:
    """A worker process and the tasks that it was given.

    It runs the grokviz that runs here: its import path is ours, without the current folder.
    Raises ``OSError`` and the like where no process can be had.
    """

    def __init__(self, setup: Setup, environment: Mapping[str, str]) -> None:
        from loky import ProcessPoolExecutor
        from loky.backend import get_context

        if not os.access(sys.executable or "", os.X_OK):
            raise OSError(f"there is no Python at {sys.executable!r}")
        self.tasks: list[Task] = []
        with _starting, _interrupts_deferred():
            _start_helpers()  # they unblock signals themselves, so not in the next block
            self._executor = ProcessPoolExecutor(
                1,
                context=get_context("loky"),
                initializer=worker.begin,
                initargs=(setup, os.getpid()),
                env=dict(environment),
            )
            with _signals_blocked():  # until it has its own handlers
                self._pid: Future[int] = self._executor.submit(os.getpid)

    @property
    def started(self) -> bool:
        """Whether it came so far as to take a task."""
        return self._pid.done() and self._pid.exception() is None

    def give(self, payload: bytes, task: Task) -> Future[Any]:
        """Have it do a task after those that it has; raises :func:`broken` if it has died."""
        done: Future[Any] = self._executor.submit(worker.run, payload)
        self.tasks.append(task)
        return done

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in its task."""
        if self.tasks and self.started:
            with contextlib.suppress(OSError):
                os.kill(self._pid.result(), signal.SIGTERM)

    def end(self, *, kill: bool) -> None:
        """End it: by killing it, or after its tasks."""
        self._executor.shutdown(wait=True, kill_workers=kill)


def broken() -> type[Exception]:
    """What loky raises of a process that has died."""
    from loky.process_executor import BrokenProcessPool

    error: type[Exception] = BrokenProcessPool
    return error


def packed(call: Callable[[], object] | None) -> bytes:
    """A call as bytes; what a script or a notebook defines itself goes with its code."""
    import cloudpickle

    data: bytes = cloudpickle.dumps(call, protocol=pickle.HIGHEST_PROTOCOL)
    return data


def environment_of(jobs: int, more: Mapping[str, str]) -> dict[str, str]:
    """Variables of ``jobs`` processes that differ from ours; ``more`` goes before everything."""
    own = {
        # a stack of C functions says nothing to a user
        "PYTHONFAULTHANDLER": "",
        # with psutil, loky starts processes anew that have grown by 300 MB, as for a film
        "LOKY_MAX_MEMORY_LEAK_SIZE": "1e18",
    }
    if jobs > 1:
        own["OMP_NUM_THREADS"] = str(max(cores() // jobs, 1))
    own = {name: value for name, value in own.items() if name not in os.environ}
    return {**own, **more, **_safe_path()}


def folders_to_keep() -> frozenset[str]:
    """Folders to import from even where they are the current one.

    Those of the running script, of grokviz itself, and named in ``PYTHONPATH``.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    folders = [Path(__file__).parents[2], *map(Path, _python_path())]
    folders += [Path(script).parent] if script else []
    return frozenset(str(folder.resolve()) for folder in folders)


def _python_path() -> list[str]:
    """What ``PYTHONPATH`` names; an empty name there would mean the current folder."""
    return [name for name in os.environ.get("PYTHONPATH", "").split(os.pathsep) if name]


def _safe_path() -> dict[str, str]:
    """Variables with which Python does not look for modules in the current folder."""
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(_python_path())}


def _start_helpers() -> None:
    """Start the two processes that clean up after workers; they take no variables but ours."""
    from loky.backend import resource_tracker

    # of a process that was killed they would tell how many semaphores they clean up
    variables = {**_safe_path(), "PYTHONWARNINGS": "ignore"}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        if os.name == "posix":
            from multiprocessing.resource_tracker import ensure_running

            ensure_running()
        resource_tracker.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Put Ctrl-C off to the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        yield
        return
    pending: list[Any] = []
    signal.signal(signal.SIGINT, lambda *call: pending.append(call))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if pending:
            handler(*pending[0])


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block Ctrl-C and SIGTERM for this thread and for the processes that it starts."""
    if os.name != "posix":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
