"""An executor of processes on this machine, each with an executor of its own.

So one that dies takes only its own tasks with it, and the next task has a new one.
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

from grokviz.parallel.errors import NoWorker, WorkerDied, ending
from grokviz.parallel.process import (
    Process,
    Task,
    broken,
    environment_of,
    folders_to_keep,
    packed,
)
from grokviz.parallel.worker import Setup

P = ParamSpec("P")
T = TypeVar("T")

GRACE_SECONDS = 3.0
"""What an interrupted task has for cleaning up before its process is killed."""


class Pool(Executor):
    """Processes on this machine, each serving one task at a time.

    Leaving a ``with`` block by an error, Ctrl-C among them, interrupts the tasks as Ctrl-C would
    and ends the processes; leaving it otherwise waits for the tasks.

    Args:
        jobs: the number of processes, started when there is work for them.
        environment: variables that they have in place of ours; without an ``OMP_NUM_THREADS``
            there or among ours they share the cores fairly.
        quiet: whether what they print goes nowhere.
        begin: called in each process before its first task.
        ahead: tasks sent to a process before it has ended its own; they die with it.

    """

    def __init__(
        self,
        jobs: int,
        *,
        environment: Mapping[str, str] | None = None,
        quiet: bool = False,
        begin: Callable[[], object] | None = None,
        ahead: int = 0,
    ) -> None:
        self._jobs, self._ahead = jobs, ahead
        self._environment = environment_of(jobs, environment or {})
        self._setup = Setup(packed(begin), quiet, folders_to_keep())
        self._lock = threading.RLock()
        self._waiting: deque[Task] = deque()
        self._processes: list[Process] = []
        self._closed = False
        self._failure: NoWorker | None = None

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The future of ``function(*args, **kwargs)``; it raises what the function raises."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._waiting.append(Task(future, partial(function, *args, **kwargs)))
        self._dispatch()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the processes end when their tasks are done; ``cancel_futures`` begins no more."""
        with self._lock:
            self._closed = True
            pending = [task.future for task in self._waiting] + self._running()
        if cancel_futures:
            self._cancel()
        if wait:
            futures.wait(pending)
            self._end(kill=False)

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Interrupt all tasks as Ctrl-C would, and kill what has not ended after ``grace``."""
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
            waiting, self._waiting = self._waiting, deque()
        for task in waiting:
            if task.future.cancel():
                task.future.set_running_or_notify_cancel()

    def _end(self, *, kill: bool) -> None:
        while self._processes:
            self._processes.pop().end(kill=kill)

    def _dispatch(self) -> None:
        """Give tasks that wait to processes that are free or can be started."""
        while True:
            with self._lock:
                if not self._waiting or not (self._free() or self._failure):
                    return
                task = self._waiting.popleft()
                if not task.future.set_running_or_notify_cancel():
                    continue
                failure: BaseException | None = self._failure
                if failure is None:
                    try:
                        process, done = self._given(task)
                    except Exception as error:
                        failure = error
            if failure is None:
                done.add_done_callback(partial(self._settle, process, task))
            else:
                task.future.set_exception(failure)

    def _free(self) -> bool:
        some = any(len(process.tasks) <= self._ahead for process in self._processes)
        return some or len(self._processes) < self._jobs

    def _given(self, task: Task) -> tuple[Process, Future[Any]]:
        """The process that a task was given to, and the future it has there."""
        payload = packed(task.call)
        for process in sorted(self._processes, key=lambda process: len(process.tasks)):
            if process.tasks and len(self._processes) < self._jobs:
                break
            try:
                return process, process.give(payload, task)
            except broken():  # it died while it had nothing to do
                self._processes.remove(process)
        try:
            process = Process(self._setup, self._environment)
            self._processes.append(process)
            return process, process.give(payload, task)
        except broken():
            self._failure = _cannot_run()
        except (OSError, NotImplementedError, ImportError) as error:
            self._failure = NoWorker(getattr(error, "strerror", None) or str(error))
        raise self._failure

    def _settle(self, process: Process, task: Task, done: Future[Any]) -> None:
        """Hand a result on, and the process to the next task."""
        error = done.exception()
        with self._lock:
            process.tasks.remove(task)
            if isinstance(error, broken()):
                if process in self._processes:
                    self._processes.remove(process)
                if not process.started and not self._closed:
                    self._failure = _cannot_run()
                error = self._failure or WorkerDied(ending(error))
            elif isinstance(error, KeyboardInterrupt) and not self._closed:
                error = WorkerDied(f"signal {signal.SIGTERM.value}")
        if error is None:
            task.future.set_result(done.result())
        else:
            task.future.set_exception(error)
        self._dispatch()


def _cannot_run() -> NoWorker:
    return NoWorker(f"{sys.executable} does not run grokviz")
