"""A pool of processes on this machine.

Each process has a loky executor of its own, so that one that dies loses only its own tasks and
is replaced for the next one.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent import futures
from concurrent.futures import Executor, Future
from functools import partial
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from grokviz.parallel.errors import NoWorker, WorkerDied, exit_cause
from grokviz.parallel.process import (
    Process,
    Task,
    broken_pool_error,
    environment_of,
    folders_to_keep,
    pickle_call,
)
from grokviz.parallel.worker import Setup

P = ParamSpec("P")
T = TypeVar("T")

GRACE_SECONDS = 3.0
"""Seconds that an interrupted task has to clean up before its process is killed."""


class Pool(Executor):
    """Processes on this machine, each serving one task at a time.

    If an error or Ctrl-C ends a ``with`` block, the tasks are interrupted as by Ctrl-C and the
    processes ended; a block that ends normally waits for its tasks.

    Args:
        jobs: the maximum number of processes; each is started when it is first needed.
        environment: environment variables that override those of this process; unless either
            sets ``OMP_NUM_THREADS``, the processes share the cores equally.
        quiet: whether to discard their output.
        initializer: called in each process before its first task.
        prefetch: tasks queued in a process behind its current one; they are lost if it dies.

    """

    def __init__(
        self,
        jobs: int,
        *,
        environment: Mapping[str, str] | None = None,
        quiet: bool = False,
        initializer: Callable[[], object] | None = None,
        prefetch: int = 0,
    ) -> None:
        self._jobs, self._prefetch = jobs, prefetch
        self._environment = environment_of(jobs, environment or {})
        self._setup = Setup(pickle_call(initializer), quiet, folders_to_keep())
        self._lock = threading.RLock()
        self._queue: deque[Task] = deque()
        self._processes: list[Process] = []
        self._closed = False
        self._failure: NoWorker | None = None

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Submit ``function(*args, **kwargs)``; its future raises what the function raises."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._queue.append(Task(future, partial(function, *args, **kwargs)))
        self._dispatch()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes after their tasks; ``cancel_futures`` cancels tasks not yet started."""
        with self._lock:
            self._closed = True
            pending = [task.future for task in self._queue] + self._running()
        if cancel_futures:
            self._cancel()
        if wait:
            futures.wait(pending)
            self._end(kill=False)

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Interrupt all tasks as by Ctrl-C, and kill those that still run after ``grace`` s."""
        with self._lock:
            self._closed = True
            processes, pending = [*self._processes], self._running()
        self._cancel()
        try:
            if grace and pending:
                for process in processes:
                    process.interrupt()
                futures.wait(pending, grace)
        finally:
            self._end(kill=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.shutdown()
        else:
            self.stop()

    def _running(self) -> list[Future[Any]]:
        return [task.future for process in self._processes for task in process.tasks]

    def _cancel(self) -> None:
        with self._lock:
            queue, self._queue = self._queue, deque()
        for task in queue:
            if task.future.cancel():
                task.future.set_running_or_notify_cancel()

    def _end(self, *, kill: bool) -> None:
        while self._processes:
            self._processes.pop().end(kill=kill)

    def _dispatch(self) -> None:
        """Assign queued tasks to processes that are free or can be started."""
        while True:
            with self._lock:
                if not self._queue or not (self._has_capacity() or self._failure):
                    return
                task = self._queue.popleft()
                if not task.future.set_running_or_notify_cancel():
                    continue
                failure: BaseException | None = self._failure
                if failure is None:
                    try:
                        process, inner = self._assign(task)
                    except Exception as error:
                        failure = error
            if failure is None:
                inner.add_done_callback(partial(self._finish, process, task))
            else:
                task.future.set_exception(failure)

    def _has_capacity(self) -> bool:
        """Whether a process is free or can be started."""
        idle = any(len(process.tasks) <= self._prefetch for process in self._processes)
        return idle or len(self._processes) < self._jobs

    def _assign(self, task: Task) -> tuple[Process, Future[Any]]:
        """Assign a task to a process; returns the process and its own future of the task."""
        payload = pickle_call(task.call)
        for process in sorted(self._processes, key=lambda process: len(process.tasks)):
            if process.tasks and len(self._processes) < self._jobs:
                break
            try:
                return process, process.submit(payload, task)
            except broken_pool_error():  # it died while idle
                self._processes.remove(process)
        try:
            process = Process(self._setup, self._environment)
            self._processes.append(process)
            return process, process.submit(payload, task)
        except broken_pool_error():
            self._failure = _start_failure()
        except (OSError, NotImplementedError, ImportError) as error:
            self._failure = NoWorker(getattr(error, "strerror", None) or str(error))
        raise self._failure

    def _finish(self, process: Process, task: Task, inner: Future[Any]) -> None:
        """Pass a task's result or error to its future, and start the next task."""
        error = inner.exception()
        with self._lock:
            process.tasks.remove(task)
            if isinstance(error, broken_pool_error()):
                if process in self._processes:
                    self._processes.remove(process)
                if not process.started and not self._closed:
                    self._failure = _start_failure()
                error = self._failure or WorkerDied(exit_cause(error))
            elif isinstance(error, KeyboardInterrupt) and not self._closed:
                error = WorkerDied(f"signal {signal.SIGTERM.value}")
        if error is None:
            task.future.set_result(inner.result())
        else:
            task.future.set_exception(error)
        self._dispatch()


def _start_failure() -> NoWorker:
    return NoWorker(f"{sys.executable} does not run grokviz")
