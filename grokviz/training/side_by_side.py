"""Members of a sweep trained in worker processes, so many at the same time.

A process serves one member after another. One that ends early takes only its member with it.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
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
from grokviz.runs.parcel import pack, unpack
from grokviz.training.grid import Member
from grokviz.training.member import SWEEP, Ending, Request, train_member
from grokviz.training.stopping import stop_asked


@dataclass(frozen=True)
class Standing:
    """Where a member's training stands; ``counts`` is what an update is called."""

    epoch: int
    epochs: int
    train_loss: float
    counts: str = "epoch"


@dataclass(frozen=True)
class Result:
    """How a member ended.

    Attributes:
        member: the run.
        path: its run directory.
        state: ``finished``, ``stopped`` on the way, ``waiting`` to be begun, or ``failed``.
        epoch: the epoch it has come to, where that is known.
        reason: why it failed, as a sentence.
        sent: whether its curves and its last checkpoint were sent here, and its other
            checkpoints not, by a worker that does not share the folder.

    """

    member: Member
    path: Path
    state: Literal["finished", "stopped", "waiting", "failed"]
    epoch: int | None = None
    reason: str = ""
    sent: bool = False


@dataclass(frozen=True)
class Work:
    """A member to be trained into ``path``, unless it is ``finished`` already."""

    member: Member
    path: Path
    finished: bool


MemberProgress = Callable[[Member, Standing], None]
MemberEnded = Callable[[Result], None]


@dataclass(frozen=True)
class SweepOptions:
    """How members are trained; see :func:`grokviz.training.sweep.sweep`."""

    device: str = "auto"
    exact_path: bool = True
    jobs: int = 1
    report: MemberProgress | None = None
    ended: MemberEnded | None = None


def train_all(
    recipe: str, work: Sequence[Work], options: SweepOptions, workers: Cluster | None = None
) -> tuple[list[Result], bool]:
    """Train all of ``work``, members of ``recipe``, here or by the ``workers`` of a cluster.

    Returns:
        The results in the order of ``work``, and whether a signal stopped the rest.

    """
    results: dict[int, Result] = {}

    def end(result: Result) -> None:
        results[result.member.number] = result
        if options.ended:
            options.ended(result)

    for one in work:
        if one.finished:
            end(Result(one.member, one.path, "finished", int(one.member.settings["epochs"])))
    todo = [one for one in work if not one.finished]
    with stop_asked() as asked, _crew(recipe, todo, options, workers) as crew:
        for news in crew.run(asked):
            if isinstance(news, Result):
                end(news)
            elif options.report:
                options.report(*news)
    for one in work:
        if one.member.number not in results:
            results[one.member.number] = _untouched(one)
    return [results[one.member.number] for one in work], bool(asked)


def _untouched(one: Work) -> Result:
    """The result of a member that was not started this time, or not waited for."""
    try:
        epochs = open_run(one.path).epochs
    except InputError:
        return Result(one.member, one.path, "waiting")
    return Result(one.member, one.path, "stopped", int(epochs[-1]) if epochs.size else None)


@contextlib.contextmanager
def _crew(
    recipe: str, todo: Sequence[Work], options: SweepOptions, workers: Cluster | None
) -> Iterator[_Crew]:
    """What trains ``todo``: processes of this machine, or those of a cluster."""
    if not todo:
        yield _Crew(recipe, [], options)
    elif workers is None:
        with (
            tempfile.TemporaryDirectory(prefix="grokviz-sweep-") as folder,
            Pool(min(options.jobs, len(todo)), quiet=True) as pool,
        ):
            crew = _Crew(recipe, todo, options)
            crew.begin(pool, FolderBoard(folder))
            yield crew
            if crew.pending:  # a second Ctrl-C does not wait
                pool.stop(grace=0)
    else:
        with _witness(todo[0].path) as file:
            crew = _Crew(recipe, todo, options, file, send=not workers.all_see(file))
            crew.begin(workers.executor, workers.board)
            yield crew


@contextlib.contextmanager
def _witness(member: Path) -> Iterator[Path]:
    """A file in the sweep's folder, named like what a killed writer leaves."""
    file = member.absolute().parent / f".shared.{secrets.token_hex(4)}.part"
    file.touch()
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


News = Result | tuple[Member, Standing]


class _Crew:
    """Members in training, and the news of them."""

    def __init__(
        self,
        recipe: str,
        todo: Sequence[Work],
        options: SweepOptions,
        witness: Path | None = None,
        *,
        send: bool = False,
    ) -> None:
        self.recipe, self.todo, self.options = recipe, todo, options
        self.witness, self.send = witness, send
        self.pending: dict[Future[Ending], Work] = {}
        self.heard: dict[str, object] = {}
        self.beats = itertools.count()

    def begin(self, executor: Executor, board: Board) -> None:
        """Give all members to the executor."""
        self.executor, self.board = executor, board
        self._beat(stop=False)
        for one in self.todo:
            self._submit(one)

    def run(self, asked: Sequence[int]) -> Iterator[News]:
        """All news, until every member has ended or a second signal came."""
        while self.pending and len(asked) < 2:
            done, _ = futures.wait(self.pending, self.board.pause, futures.FIRST_COMPLETED)
            try:
                self._beat(stop=bool(asked))
                yield from self._standings()
            except OSError as error:
                yield from self._lost(error)
            for future in done:
                one = self.pending.pop(future, None)
                result = None if one is None else self._result(one, future, bool(asked))
                if result is not None:
                    yield result
            if asked:
                self._drop()

    def _submit(self, one: Work) -> None:
        member, path = one.member, one.path
        request = Request(
            name=str(member.number),
            recipe=self.recipe,
            settings=dict(member.settings),
            device=self.options.device,
            exact_path=self.options.exact_path,
            out=str(path),
            path=path if self.witness is None else path.absolute(),
            witness=self.witness,
            begun=pack(path) if self.send else None,
        )
        train = plugins.with_current_places(train_member)
        self.pending[self.executor.submit(train, request, self.board)] = one

    def _beat(self, *, stop: bool) -> None:
        self.board.post(SWEEP, {"stop": stop, "beat": next(self.beats)})

    def _standings(self) -> Iterator[News]:
        members = {str(one.member.number): one.member for one in self.pending.values()}
        for name, note in self.board.notes().items():
            if name in members and self.heard.get(name) != note:
                self.heard[name] = note
                if "epoch" in note:
                    yield members[name], Standing(**note)

    def _drop(self) -> None:
        """Give up members that nobody has begun."""
        for future, one in list(self.pending.items()):
            if str(one.member.number) not in self.heard and future.cancel():
                del self.pending[future]

    def _lost(self, error: OSError) -> Iterator[Result]:
        """A failed result for each pending member, since no news of it can come any more."""
        reason = "the scheduler does not answer any more"
        if self.witness is None:
            reason = f"where it stands cannot be read ({error.strerror or error})"
        for one in self.pending.values():
            yield Result(one.member, one.path, "failed", reason=reason)
        self.pending.clear()

    def _result(self, one: Work, future: Future[Ending], asked: bool) -> Result | None:
        """How a member ended; None for one that was started again."""
        try:
            ending = future.result()
            if ending.parcel is not None:
                unpack(ending.parcel, one.path)
        except (KeyboardInterrupt, CancelledError) as error:
            ending = Ending(interrupted=asked, failure=f"it was dropped ({type(error).__name__})")
        except Exception as error:
            ending = Ending(failure=_reason(error))
        member, path, sent = one.member, one.path, ending.parcel is not None
        if not ending.interrupted:
            state: Literal["finished", "failed"] = "failed" if ending.failure else "finished"
            return Result(member, path, state, ending.epoch, ending.failure, sent)
        if asked:
            if ending.epoch is None:
                return _untouched(one)
            return Result(member, path, "stopped", ending.epoch, sent=sent)
        self._submit(one)  # it had heard nothing of us for too long
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, WorkerDied):
        manner = f"with {error.cause}" if error.cause else "early"
        return f"its process ended {manner}; was there enough memory for it?"
    if isinstance(error, NoWorker):
        return f"no process could be started for it ({error.reason})"
    if type(error).__name__ == "KilledWorker":  # of Dask, which need not be there
        return "the processes that trained it died, one after another; was there enough memory?"
    if isinstance(error, GrokvizError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
