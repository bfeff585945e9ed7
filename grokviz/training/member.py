"""Training of one member of a sweep in a worker process, on this machine or another.

The worker posts its progress on a board, and stops between two updates if the board says so.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.errors import GrokvizError
from grokviz.options import word
from grokviz.parallel import Board
from grokviz.runs.snapshot import Snapshot, read_snapshot, write_snapshot
from grokviz.strays import temporary_folder

if TYPE_CHECKING:
    from grokviz.training.loop import Progress

SWEEP = "sweep"
"""The name of the submitting process's note: ``stop``, and a heartbeat ``beat`` that changes."""

_training_lock = threading.Lock()
"""Allows one member at a time: threads, as of a Dask worker, share torch's settings."""


@dataclass(frozen=True)
class Request:
    """A member to train, as sent to a worker.

    Attributes:
        name: the name of its note on the board.
        recipe, settings, device, exact_path: as in :func:`grokviz.training.loop.train`.
        out: its run directory as the user gave it, for the command that trains it alone.
        path: the same directory, as a worker reaches it.
        witness: a file that exists only in a shared folder; a worker that does not see it
            sends the run back. None on this machine.
        snapshot: the run so far, for such a worker.

    """

    name: str
    recipe: str
    settings: Mapping[str, Any]
    device: str
    exact_path: bool
    out: str
    path: Path
    witness: Path | None = None
    snapshot: Snapshot | None = None


@dataclass(frozen=True)
class MemberOutcome:
    """The end of a member's training: its epoch, and the reason if it stopped early.

    ``epoch`` is None if training did not start; ``snapshot`` is the run if it is sent back.
    """

    epoch: int | None = None
    interrupted: bool = False
    failure: str = ""
    snapshot: Snapshot | None = None


def train_member(request: Request, board: Board) -> MemberOutcome:
    """Train a member until its end or a stop on the board; a failure is returned as text."""
    stop = StopSign(board)
    while not _training_lock.acquire(timeout=board.poll_interval):
        if stop():
            return MemberOutcome(interrupted=True)
    try:
        if stop():
            return MemberOutcome(interrupted=True)
        board.post(request.name, {"begun": True})
        if request.witness is None or request.witness.exists():
            return _train(request, request.path, board, stop)
        with temporary_folder("member") as folder:
            path = Path(folder, request.path.name)
            if request.snapshot is not None:
                write_snapshot(request.snapshot, path)
            outcome = _train(request, path, board, stop)
            return replace(outcome, snapshot=read_snapshot(path))
    except GrokvizError as error:
        return MemberOutcome(failure=str(error))
    except Exception as error:  # one member's failure must not stop the others
        return MemberOutcome(failure=f"{type(error).__name__}: {error}")
    finally:
        _training_lock.release()


def _train(request: Request, path: Path, board: Board, stop: Callable[[], bool]) -> MemberOutcome:
    from grokviz.training.loop import run_job, training_job

    def report(at: Progress) -> None:
        note = {
            "epoch": at.epoch,
            "epochs": at.epochs,
            "train_loss": at.train_loss,
            "counts": at.counts,
        }
        with contextlib.suppress(OSError):  # stop() will notice the lost board too
            board.post(request.name, note)

    job = training_job(
        request.recipe, request.settings, request.device, exact_path=request.exact_path
    )
    # the run stores the command that trains this member alone
    command_text = " ".join(command(request.recipe, request.out, request.settings))
    outcome = run_job(replace(job, command=command_text, report=report, stop=stop), path)
    return MemberOutcome(outcome.epoch, outcome.interrupted)


def command(recipe: str, out: str, settings: Mapping[str, Any]) -> list[str]:
    """The arguments of the command that trains this member alone."""
    pairs = [f"{key}={word(value)}" for key, value in settings.items()]
    return ["grokviz", "train", recipe, "--out", out, *(f"--set {pair}" for pair in pairs)]


class StopSign:
    """Tells whether to stop: the board says so, or the process that posts there has died."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.stopping, self.beat = False, -1
        self.check_time, self.beat_time = float("-inf"), time.monotonic()

    def __call__(self) -> bool:
        """Whether to stop now; reads the board at most once per ``pause``."""
        now = time.monotonic()
        if not self.stopping and now - self.check_time >= self.board.poll_interval:
            self.check_time = now
            self.stopping = self._check(now)
        return self.stopping

    def _check(self, now: float) -> bool:
        try:
            note = self.board.read(SWEEP)
        except Exception:  # whatever a lost connection raises
            return True
        if note is None or note["stop"]:
            return True
        if note["beat"] != self.beat:
            self.beat, self.beat_time = note["beat"], now
        timeout = self.board.timeout
        return timeout is not None and now - self.beat_time > timeout
