"""Members of a sweep trained in processes of their own, so many at the same time.

A process serves one member after another. One that ends early takes only its member with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from grokviz.errors import InputError
from grokviz.runs import open_run
from grokviz.training.grid import Member
from grokviz.training.stopping import stop_asked

TICK = 0.2


@dataclass(frozen=True)
class Standing:
    """Where a member's training stands."""

    epoch: int
    epochs: int
    train_loss: float


@dataclass(frozen=True)
class Result:
    """How a member ended.

    Attributes:
        member: the run.
        path: its run directory.
        state: ``finished``, ``stopped`` on the way, ``waiting`` to be begun, or ``failed``.
        epoch: the epoch it has come to, where that is known.
        reason: why it failed, as a sentence.

    """

    member: Member
    path: Path
    state: Literal["finished", "stopped", "waiting", "failed"]
    epoch: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Work:
    """A member to be trained into ``path``, unless it is ``finished`` already."""

    member: Member
    path: Path
    finished: bool


Report = Callable[[Member, Standing], None]
Ended = Callable[[Result], None]


def train_all(
    work: Sequence[Work],
    how: Mapping[str, Any],
    *,
    jobs: int = 1,
    report: Report | None = None,
    ended: Ended | None = None,
) -> tuple[list[Result], bool]:
    """Train all of ``work``, ``jobs`` members at the same time.

    Args:
        work: the members, and where their runs are.
        how: what all requests to a process share: ``recipe``, ``device``, ``exact_path``.
        jobs: how many processes.
        report: called with each standing that a process tells.
        ended: called with each result as it comes.

    Returns:
        The results in the order of ``work``, and whether a signal stopped the rest.

    """
    results: dict[int, Result] = {}

    def end(result: Result) -> None:
        results[result.member.number] = result
        if ended:
            ended(result)

    for one in work:
        if one.finished:
            end(Result(one.member, one.path, "finished", int(one.member.settings["epochs"])))
    todo = deque(one for one in work if not one.finished)
    crew = _Crew(todo, how, min(jobs, len(todo)))
    with stop_asked() as asked:
        try:
            for member, told in crew.run(asked):
                if isinstance(told, Result):
                    end(told)
                elif report:
                    report(member, told)
        finally:
            crew.kill()
    for one in work:
        if one.member.number not in results:
            results[one.member.number] = _untouched(one)
    return [results[one.member.number] for one in work], bool(asked)


def _untouched(one: Work) -> Result:
    """A member that was not begun this time."""
    try:
        epochs = open_run(one.path).epochs
    except InputError:
        return Result(one.member, one.path, "waiting")
    return Result(one.member, one.path, "stopped", int(epochs[-1]) if epochs.size else None)


Told = tuple[Member, "Standing | Result"]


@dataclass
class _Crew:
    """Threads that each look after one process, and the one queue in which they tell."""

    todo: deque[Work]
    how: Mapping[str, Any]
    jobs: int
    told: queue.SimpleQueue[Told | None] = field(default_factory=queue.SimpleQueue)
    stopping: bool = False
    processes: dict[int, subprocess.Popen[str]] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def run(self, asked: Sequence[int]) -> Iterator[Told]:
        """Everything that is told, until all members have ended or a signal has stopped them."""
        self.threads = [threading.Thread(target=self._serve, args=(i,)) for i in range(self.jobs)]
        for thread in self.threads:
            thread.start()
        working = len(self.threads)
        while working:
            with contextlib.suppress(queue.Empty):
                message = self.told.get(timeout=TICK)
                if message is None:
                    working -= 1
                else:
                    yield message
            if asked:
                self._stop(now=len(asked) > 1)

    def _stop(self, now: bool) -> None:
        """Ask every process to stop; again at each tick, for one may not have listened yet."""
        self.stopping = True
        for process in list(self.processes.values()):
            if process.poll() is None:
                with contextlib.suppress(OSError):
                    process.kill() if now else process.terminate()

    def kill(self) -> None:
        """End whatever still runs, and wait for the threads."""
        self._stop(now=True)
        for thread in self.threads:
            thread.join()

    def _serve(self, place: int) -> None:
        """Train members as long as there are any."""
        process: subprocess.Popen[str] | None = None
        try:
            while not self.stopping:
                try:
                    work = self.todo.popleft()
                except IndexError:
                    return
                try:
                    if process is None or process.poll() is not None:
                        process = self.processes[place] = self._started()
                    result = self._trained(process, work)
                except OSError as error:
                    reason = f"no process could be started for it ({error.strerror or error})"
                    result = Result(work.member, work.path, "failed", reason=reason)
                self.told.put((work.member, result))
        finally:
            if process is not None:
                _close(process)
            self.told.put(None)

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", "from grokviz.training.member import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(self.jobs),
            text=True,
            encoding="utf-8",
            # Ctrl-C is for this process, which then stops the others
            start_new_session=True,
        )

    def _trained(self, process: subprocess.Popen[str], work: Work) -> Result:
        assert process.stdin is not None
        assert process.stdout is not None
        settings = dict(work.member.settings)
        request = {**self.how, "out": str(work.path), "settings": settings}
        with contextlib.suppress(BrokenPipeError):  # the process is gone, as below
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                answer = json.loads(line)
                if "failed" in answer:
                    return Result(work.member, work.path, "failed", reason=answer["failed"])
                if "ended" in answer:
                    state: Any = "stopped" if answer["interrupted"] else "finished"
                    return Result(work.member, work.path, state, answer["ended"])
                self.told.put((work.member, Standing(**answer)))
        status = process.wait()
        if self.stopping:
            return _untouched(work)
        how = f"signal {-status}" if status < 0 else f"status {status}"
        reason = f"its process ended with {how}; was there enough memory for it?"
        return Result(work.member, work.path, "failed", reason=reason)


def _close(process: subprocess.Popen[str]) -> None:
    """Let a process go: it ends with its input."""
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            pipe.close()  # type: ignore[union-attr]
    process.wait()


def _environment(jobs: int) -> dict[str, str]:
    """This environment with the grokviz that is running here, and a fair share of the cores."""
    here = str(Path(__file__).resolve().parents[2])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = {"OMP_NUM_THREADS": str(max((os.cpu_count() or 1) // jobs, 1))} if jobs > 1 else {}
    return {**threads, **os.environ, "PYTHONPATH": os.pathsep.join(paths)}
