"""Parallel training of a sweep's members in worker processes.

A process trains one member after another; if it dies, only its current member is lost.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grokviz import plugins
from grokviz.errors import GrokvizError, InputError
from grokviz.parallel import Board, Cluster, FolderBoard, NoWorker, Pool, WorkerDied
from grokviz.runs import open_run
from grokviz.runs.snapshot import read_snapshot, write_snapshot
from grokviz.strays import remove_strays, temporary_folder, temporary_sibling
from grokviz.training.grid import Member
from grokviz.training.member import SWEEP, MemberOutcome, Request, train_member
from grokviz.training.stopping import stop_signals


@dataclass(frozen=True)
class MemberState:
    """The progress of a member's training; ``counts`` is the unit of an update."""

    epoch: int
    epochs: int
    train_loss: float
    counts: str = "epoch"


@dataclass(frozen=True)
class MemberResult:
    """The outcome of one member.

    Attributes:
        member: the run.
        path: its run directory.
        state: ``finished``, ``stopped`` early, ``waiting`` to be started, or ``failed``.
        epoch: the epoch it has reached, if known.
        reason: why it failed, as a sentence.
        sent: whether a worker without access to the folder sent back its curves and its last
            checkpoint, but not its other checkpoints.

    """

    member: Member
    path: Path
    state: Literal["finished", "stopped", "waiting", "failed"]
    epoch: int | None = None
    reason: str = ""
    sent: bool = False


@dataclass(frozen=True)
class MemberJob:
    """A member to train into ``path``, unless it is already ``finished``."""

    member: Member
    path: Path
    finished: bool


MemberProgress = Callable[[Member, MemberState], None]
MemberEnded = Callable[[MemberResult], None]


@dataclass(frozen=True)
class SweepOptions:
    """How members are trained; see :func:`grokviz.training.sweep.sweep`."""

    device: str = "auto"
    exact_path: bool = True
    jobs: int = 1
    report: MemberProgress | None = None
    ended: MemberEnded | None = None


def train_all(
    recipe: str,
    member_jobs: Sequence[MemberJob],
    options: SweepOptions,
    workers: Cluster | None = None,
) -> tuple[list[MemberResult], bool]:
    """Train members of ``recipe``, on this machine or on the ``workers`` of a cluster.

    Returns:
        The results in the order of ``member_jobs``, and whether a signal stopped the rest.

    """
    results: dict[int, MemberResult] = {}

    def end(result: MemberResult) -> None:
        results[result.member.number] = result
        if options.ended:
            options.ended(result)

    for job in member_jobs:
        if job.finished:
            end(MemberResult(job.member, job.path, "finished", int(job.member.settings["epochs"])))
    pending = [job for job in member_jobs if not job.finished]
    with stop_signals() as signals, _crew(recipe, pending, options, workers) as crew:
        for news in crew.run(signals):
            if isinstance(news, MemberResult):
                end(news)
            elif options.report:
                options.report(*news)
    for job in member_jobs:
        if job.member.number not in results:
            results[job.member.number] = _result_on_disk(job)
    return [results[job.member.number] for job in member_jobs], bool(signals)


def _result_on_disk(job: MemberJob) -> MemberResult:
    """The result of a member as its run on the disk shows it."""
    try:
        epochs = open_run(job.path).epochs
    except InputError:
        return MemberResult(job.member, job.path, "waiting")
    return MemberResult(job.member, job.path, "stopped", int(epochs[-1]) if epochs.size else None)


@contextlib.contextmanager
def _crew(
    recipe: str, member_jobs: Sequence[MemberJob], options: SweepOptions, workers: Cluster | None
) -> Iterator[_Crew]:
    """The crew that trains ``member_jobs``: processes of this machine, or workers of a cluster."""
    if not member_jobs:
        yield _Crew(recipe, [], options)
        remove_strays(Path(tempfile.gettempdir()))  # of a process that was killed at its end
    elif workers is None:
        with (
            temporary_folder("sweep") as folder,
            Pool(min(options.jobs, len(member_jobs)), quiet=True) as pool,
        ):
            crew = _Crew(recipe, member_jobs, options)
            crew.begin(pool, FolderBoard(folder))
            yield crew
            if crew.pending:  # a second Ctrl-C: kill the processes at once
                pool.stop(grace=0)
    else:
        with _witness(member_jobs[0].path) as file:
            crew = _Crew(recipe, member_jobs, options, file, send=not workers.has_file(file))
            crew.begin(workers.executor, workers.board)
            yield crew


@contextlib.contextmanager
def _witness(member: Path) -> Iterator[Path]:
    """Create a temporary file in the sweep's folder."""
    file = temporary_sibling(member.absolute().parent / "shared")
    file.touch()
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
        remove_strays(file.parent)


News = MemberResult | tuple[Member, MemberState]


class _Crew:
    """Submits members to an executor, and follows their progress on a board."""

    def __init__(
        self,
        recipe: str,
        member_jobs: Sequence[MemberJob],
        options: SweepOptions,
        witness: Path | None = None,
        *,
        send: bool = False,
    ) -> None:
        self.recipe, self.member_jobs, self.options = recipe, member_jobs, options
        self.witness, self.send = witness, send
        self.pending: dict[Future[MemberOutcome], MemberJob] = {}
        self.last_notes: dict[str, object] = {}
        self.beats = itertools.count()

    def begin(self, executor: Executor, board: Board) -> None:
        """Submit all members to the executor."""
        self.executor, self.board = executor, board
        self._beat(stop=False)
        for job in self.member_jobs:
            self._submit(job)

    def run(self, signals: Sequence[int]) -> Iterator[News]:
        """Yield all news, until every member has ended or a second signal arrives."""
        while self.pending and len(signals) < 2:
            interval = self.board.poll_interval
            completed, _ = futures.wait(self.pending, interval, futures.FIRST_COMPLETED)
            try:
                self._beat(stop=bool(signals))
                yield from self._progress()
            except OSError as error:
                yield from self._lost_results(error)
            for future in completed:
                job = self.pending.pop(future, None)
                result = None if job is None else self._result(job, future, bool(signals))
                if result is not None:
                    yield result
            if signals:
                self._drop()

    def _submit(self, job: MemberJob) -> None:
        member, path = job.member, job.path
        request = Request(
            name=str(member.number),
            recipe=self.recipe,
            settings=dict(member.settings),
            device=self.options.device,
            exact_path=self.options.exact_path,
            out=str(path),
            path=path if self.witness is None else path.absolute(),
            witness=self.witness,
            snapshot=read_snapshot(path) if self.send else None,
        )
        train = plugins.with_current_places(train_member)
        self.pending[self.executor.submit(train, request, self.board)] = job

    def _beat(self, *, stop: bool) -> None:
        self.board.post(SWEEP, {"stop": stop, "beat": next(self.beats)})

    def _progress(self) -> Iterator[News]:
        members = {str(job.member.number): job.member for job in self.pending.values()}
        for name, note in self.board.notes().items():
            if name in members and self.last_notes.get(name) != note:
                self.last_notes[name] = note
                if "epoch" in note:
                    yield members[name], MemberState(**note)

    def _drop(self) -> None:
        """Cancel members that no worker has started."""
        for future, job in list(self.pending.items()):
            if str(job.member.number) not in self.last_notes and future.cancel():
                del self.pending[future]

    def _lost_results(self, error: OSError) -> Iterator[MemberResult]:
        """Yield a failed result for each pending member, because the board is unreachable."""
        reason = "the scheduler no longer answers"
        if self.witness is None:
            reason = f"its progress cannot be read ({error.strerror or error})"
        for job in self.pending.values():
            yield MemberResult(job.member, job.path, "failed", reason=reason)
        self.pending.clear()

    def _result(
        self, job: MemberJob, future: Future[MemberOutcome], stopping: bool
    ) -> MemberResult | None:
        """The result of a member that ended; None if it was submitted again."""
        try:
            outcome = future.result()
            if outcome.snapshot is not None:
                write_snapshot(outcome.snapshot, job.path)
        except (KeyboardInterrupt, CancelledError) as error:
            outcome = MemberOutcome(
                interrupted=stopping, failure=f"it was dropped ({type(error).__name__})"
            )
        except Exception as error:
            outcome = MemberOutcome(failure=_reason(error))
        member, path, sent = job.member, job.path, outcome.snapshot is not None
        if not outcome.interrupted:
            state: Literal["finished", "failed"] = "failed" if outcome.failure else "finished"
            return MemberResult(member, path, state, outcome.epoch, outcome.failure, sent)
        if stopping:
            if outcome.epoch is None:
                return _result_on_disk(job)
            return MemberResult(member, path, "stopped", outcome.epoch, sent=sent)
        self._submit(job)  # the worker had stopped because it missed our heartbeat for too long
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, WorkerDied):
        manner = f"with {error.cause}" if error.cause else "early"
        return f"its process ended {manner}; was there enough memory for it?"
    if isinstance(error, NoWorker):
        return f"no process could be started for it ({error.reason})"
    if type(error).__name__ == "KilledWorker":  # from Dask, which may not be installed
        return "the processes that trained it died, one after another; was there enough memory?"
    if isinstance(error, GrokvizError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
