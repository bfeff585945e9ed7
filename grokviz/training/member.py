"""One member of a sweep, trained in a worker process of this machine or of another one.

It says on a board where it stands, and stops between two updates when that is asked there.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.errors import GrokvizError
from grokviz.options import word
from grokviz.parallel import Board
from grokviz.runs.parcel import Parcel, pack, unpack

if TYPE_CHECKING:
    from grokviz.training.loop import Progress

SWEEP = "sweep"
"""The note of the process that gives members away: ``stop``, and a ``beat`` that changes."""

_training = threading.Lock()
"""Threads, like those of a Dask worker, share torch's settings: one member at a time."""


@dataclass(frozen=True)
class Request:
    """What is to be trained.

    Attributes:
        name: of its note on the board.
        recipe, settings, device, exact_path: as :func:`grokviz.training.loop.train` takes them.
        out: its run directory as the user names it, for the command that trains it alone.
        path: the same, as a worker finds it.
        witness: a file of ours; a worker that does not see it shares no folder with us and
            sends the run back. None on this machine.
        begun: the run so far, for such a worker.

    """

    name: str
    recipe: str
    settings: Mapping[str, Any]
    device: str
    exact_path: bool
    out: str
    path: Path
    witness: Path | None = None
    begun: Parcel | None = None


@dataclass(frozen=True)
class Ending:
    """How training ended: at which epoch, and why before the last one.

    ``epoch`` is None for a member that was not begun; ``parcel`` is the run where it is sent back.
    """

    epoch: int | None = None
    interrupted: bool = False
    failure: str = ""
    parcel: Parcel | None = None


def train_member(request: Request, board: Board) -> Ending:
    """Train a member to its end, or until the board says to stop; failures come back as words."""
    stop = StopSign(board)
    while not _training.acquire(timeout=board.pause):
        if stop():
            return Ending(interrupted=True)
    try:
        if stop():
            return Ending(interrupted=True)
        board.post(request.name, {"begun": True})
        if request.witness is None or request.witness.exists():
            return _train(request, request.path, board, stop)
        with tempfile.TemporaryDirectory(prefix="grokviz-") as folder:
            path = Path(folder, request.path.name)
            if request.begun is not None:
                unpack(request.begun, path)
            ending = _train(request, path, board, stop)
            return replace(ending, parcel=pack(path))
    except GrokvizError as error:
        return Ending(failure=str(error))
    except Exception as error:  # the other members are worth more than the traceback
        return Ending(failure=f"{type(error).__name__}: {error}")
    finally:
        _training.release()


def _train(request: Request, path: Path, board: Board, stop: Callable[[], bool]) -> Ending:
    from grokviz.training.loop import train_work, work_on

    def report(at: Progress) -> None:
        note = {
            "epoch": at.epoch,
            "epochs": at.epochs,
            "train_loss": at.train_loss,
            "counts": at.counts,
        }
        with contextlib.suppress(OSError):  # then stop() will know as well
            board.post(request.name, note)

    work = work_on(request.recipe, request.settings, request.device, exact_path=request.exact_path)
    # the run says the command that trains this member alone
    words = " ".join(command(request.recipe, request.out, request.settings))
    outcome = train_work(replace(work, command=words, report=report, stop=stop), path)
    return Ending(outcome.epoch, outcome.interrupted)


def command(recipe: str, out: str, settings: Mapping[str, Any]) -> list[str]:
    """The words of the command that trains one member by itself."""
    given = [f"{key}={word(value)}" for key, value in settings.items()]
    return ["grokviz", "train", recipe, "--out", out, *(f"--set {pair}" for pair in given)]


class StopSign:
    """Whether the board asks to stop, or whoever posts there is gone; looked at now and then."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.asked, self.beat = False, -1
        self.looked, self.heard = float("-inf"), time.monotonic()

    def __call__(self) -> bool:
        """Whether to stop now."""
        now = time.monotonic()
        if not self.asked and now - self.looked >= self.board.pause:
            self.looked = now
            self.asked = self._look(now)
        return self.asked

    def _look(self, now: float) -> bool:
        try:
            note = self.board.read(SWEEP)
        except Exception:  # whatever a lost connection raises
            return True
        if note is None or note["stop"]:
            return True
        if note["beat"] != self.beat:
            self.beat, self.heard = note["beat"], now
        patience = self.board.patience
        return patience is not None and now - self.heard > patience
