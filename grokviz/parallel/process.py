"""The parent's handle of a worker process, with a loky executor of its own."""

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

_start_lock = threading.RLock()


def cores() -> int:
    """Number of cores that this process may use, by its affinity and its container's limits."""
    from loky import cpu_count

    return int(cpu_count())


def check_jobs(jobs: int) -> None:
    """Raise InputError unless ``jobs`` is at least 1."""
    if jobs < 1:
        raise InputError(f"-j {jobs} is not possible; give at least 1")


def in_worker() -> bool:
    """Whether this is a worker process, which should start no further processes."""
    import multiprocessing

    return multiprocessing.parent_process() is not None


class Task(NamedTuple):
    """A call, and the future of its result."""

    future: Future[Any]
    call: Callable[[], object]


class Process:
    """A worker process and its tasks.

    It runs the same installation of grokviz: its import path is that of this process, without
    the current folder. Raises such as ``OSError`` if no process can be started.
    """

    def __init__(self, setup: Setup, environment: Mapping[str, str]) -> None:
        from loky import ProcessPoolExecutor
        from loky.backend import get_context

        if not os.access(sys.executable or "", os.X_OK):
            raise OSError(f"there is no Python at {sys.executable!r}")
        self.tasks: list[Task] = []
        with _start_lock, _interrupts_deferred():
            _start_helpers()  # outside the block below, since they unblock signals themselves
            self._executor = ProcessPoolExecutor(
                1,
                context=get_context("loky"),
                initializer=worker.initialise,
                initargs=(setup, os.getpid()),
                env=dict(environment),
            )
            with (
                _signals_blocked()
            ):  # a signal must not reach the worker before it has installed its handlers
                self._pid: Future[int] = self._executor.submit(os.getpid)

    @property
    def started(self) -> bool:
        """Whether it has started up and can take tasks."""
        return self._pid.done() and self._pid.exception() is None

    def submit(self, payload: bytes, task: Task) -> Future[Any]:
        """Queue a task in the process; raises :func:`broken_pool_error` if it has died."""
        inner: Future[Any] = self._executor.submit(worker.run, payload)
        self.tasks.append(task)
        return inner

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in its current task."""
        if self.tasks and self.started:
            with contextlib.suppress(OSError):
                os.kill(self._pid.result(), signal.SIGTERM)

    def end(self, *, kill: bool) -> None:
        """End the process, at once with ``kill`` or else after its tasks."""
        self._executor.shutdown(wait=True, kill_workers=kill)


def broken_pool_error() -> type[Exception]:
    """The exception that loky raises for a process that has died."""
    from loky.process_executor import BrokenProcessPool

    error: type[Exception] = BrokenProcessPool
    return error


def pickle_call(call: Callable[[], object] | None) -> bytes:
    """Pickle a call; functions defined in a script or notebook are pickled with their code."""
    import cloudpickle

    data: bytes = cloudpickle.dumps(call, protocol=pickle.HIGHEST_PROTOCOL)
    return data


def environment_of(jobs: int, overrides: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for ``jobs`` processes; ``overrides`` come before our defaults."""
    defaults = {
        # a stack of C functions does not help a user
        "PYTHONFAULTHANDLER": "",
        # if psutil is installed, loky restarts processes that grew by 300 MB, as films make them do
        "LOKY_MAX_MEMORY_LEAK_SIZE": "1e18",
    }
    if jobs > 1:
        defaults["OMP_NUM_THREADS"] = str(max(cores() // jobs, 1))
    defaults = {name: value for name, value in defaults.items() if name not in os.environ}
    return {**defaults, **overrides, **_safe_path()}


def folders_to_keep() -> frozenset[str]:
    """Folders that stay on the import path even if they are the current folder.

    Those of the running script and of grokviz itself, and those named in ``PYTHONPATH``.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    folders = [Path(__file__).parents[2], *map(Path, _python_path())]
    folders += [Path(script).parent] if script else []
    return frozenset(str(folder.resolve()) for folder in folders)


def _python_path() -> list[str]:
    """The folders in ``PYTHONPATH``, without the empty name that means the current folder."""
    return [name for name in os.environ.get("PYTHONPATH", "").split(os.pathsep) if name]


def _safe_path() -> dict[str, str]:
    """Variables that stop Python from importing modules from the current folder."""
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(_python_path())}


def _start_helpers() -> None:
    """Start loky's and multiprocessing's trackers, which inherit this process's environment."""
    from loky.backend import resource_tracker

    # after a worker is killed, they would warn of the semaphores they clean up
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
    """Defer Ctrl-C to the end of the block."""
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
