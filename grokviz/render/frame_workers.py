"""Frames of one film drawn by several processes, and when that is worth their start.

Each process builds the picture once and draws every so many frames of it into a file that all
share; this one reads them in their order. It is measured how long frames take to draw and to
encode while the first are drawn here, so a film that the encoder holds up stays in one process.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import UInt8

from grokviz.errors import WorkError
from grokviz.strays import temporary_folder

if TYPE_CHECKING:
    from grokviz.media.film.encode import Frame
    from grokviz.parallel import Pool

log = logging.getLogger(__name__)

EVERY = 12
"""After how many pictures drawn here it is asked again whether workers would be done earlier."""

IMPORTS = 1.5
"""Seconds of a core that a process takes until it can build a picture."""

MARGIN = 1.3
"""How many times what their start takes workers have to save."""

MOST_WORKERS = 16
"""More than an encoder keeps up with."""

TASK_SECONDS, MOST_FRAMES, MOST_BYTES = 0.05, 8, 400_000_000
"""How long one task takes, how many frames it draws at most, and the size of the shared file."""


class Maker(Protocol):
    """What draws frames by their numbers."""

    def draw(self, frame: int, *, layered: bool) -> Frame:
        """One frame; in layers where these are known to be exact."""


Build = Callable[[contextlib.ExitStack], Maker]


@dataclass(frozen=True)
class Costs:
    """Seconds of a core.

    Attributes:
        drawing: of a picture.
        encoding: of a frame.
        copying: of a frame, from one process to the other.
        start: of a worker.

    """

    drawing: float
    encoding: float
    copying: float
    start: float


def worth(costs: Costs, pictures: int, frames: int, available: int) -> int:
    """How many workers draw what is left earlier than this process does; 0 for none.

    Args:
        costs: as measured.
        pictures: that are left to draw.
        frames: that are left to encode, held ones too.
        available: cores.

    """
    drawing, encoding = pictures * costs.drawing, frames * costs.encoding
    # an encoder has threads of its own
    alone = max(drawing, (drawing + encoding) / available)
    work = drawing + encoding + pictures * costs.copying
    wanted = math.ceil(available * drawing / max(work, 1e-9))
    count = min(wanted, available, pictures, MOST_WORKERS)
    saved = alone - work / available
    return count if count > 1 and saved > MARGIN * costs.start * count / available else 0


class FrameWorkers:
    """Processes that draw a film's frames, where they are started.

    Args:
        build: what each of them calls once; None where none could.
        starts: the first frames of all pictures, and the number of frames.

    """

    def __init__(self, build: Build | None, starts: Sequence[int]) -> None:
        self._build, self._starts = build, starts
        self._able = build is not None
        self._stack = contextlib.ExitStack()
        self._pool: Pool | None = None
        self._warm: list[Future[None]] = []
        self._shared: Any = None
        self._pending: deque[tuple[Future[None], int, range]] = deque()

    @property
    def waiting(self) -> bool:
        """Whether they could still be started."""
        return self._able and self._pool is None

    @property
    def ready(self) -> bool:
        """Whether one has built its picture, or could not."""
        return self._pool is not None and any(one.done() for one in self._warm)

    def wait(self) -> None:
        """Return when all have built their pictures."""
        for one in self._warm:
            one.result()

    def consider(self, costs: Costs, at: int, frame: Frame, *, layered: bool) -> None:
        """Start them where they would draw the frames after ``at`` earlier."""
        from grokviz.parallel import cores, in_worker

        self._able = self._able and not in_worker()
        left = len(self._starts) - 1 - bisect_left(self._starts, at + 1)
        count = worth(costs, left, self._starts[-1] - at - 1, cores())
        if count and self._able:
            size = round(TASK_SECONDS / max(costs.drawing, 1e-9))
            self.start(count, frame, size, layered=layered)

    def start(self, count: int, frame: Frame, size: int, *, layered: bool) -> None:
        """Start so many, which draw ``size`` pictures like ``frame`` at a time."""
        from grokviz.parallel import Pool

        if self._build is None:
            return
        slots = 2 * count + 1
        most = min(MOST_FRAMES, MOST_BYTES // (slots * frame.nbytes))
        shape = (slots, max(min(size, most), 1), *frame.shape)
        try:
            folder = self._stack.enter_context(temporary_folder("frames"))
            file = _reserved(folder / "frames", shape)
        except (OSError, WorkError) as error:
            self._give_up(error)
            return
        self._shared = np.memmap(file, np.uint8, "r", shape=shape)
        begin = partial(_begin, self._build, file, shape, layered)
        self._pool = Pool(count, quiet=True, initializer=begin, prefetch=1)
        self._warm = [self._pool.submit(_nothing) for _ in range(count)]

    def frames(self, first: int) -> Iterator[Frame]:
        """The frames from ``first`` on, which begins a picture; none where no worker is ready.

        It ends early, after a whole picture, where a process died or could not draw.
        """
        if not self.ready:
            return
        # of a pass that was given up, which may still write
        while self._pending:
            self._pending.popleft()[0].exception()
        slots, size = self._shared.shape[:2]
        last, free = len(self._starts) - 1, deque(range(slots))
        batches = deque(
            range(n, min(n + size, last))
            for n in range(bisect_left(self._starts, first), last, size)
        )
        try:
            while True:
                while free and batches:
                    self._submit(batches.popleft(), free.popleft())
                if not self._pending:
                    return
                done, slot, drawn = self._pending.popleft()
                done.result()
                for n, picture in enumerate(drawn):
                    frame: Frame = np.array(self._shared[slot, n])
                    for _ in range(self._starts[picture], self._starts[picture + 1]):
                        yield frame
                free.append(slot)
        except Exception as error:
            # drawn here it is the same error again, if it is the scene's
            self._give_up(error)

    def _submit(self, pictures: range, slot: int) -> None:
        if self._pool is None:
            return
        frames = [self._starts[picture] for picture in pictures]
        self._pending.append((self._pool.submit(_draw, frames, slot), slot, pictures))

    def _give_up(self, error: Exception) -> None:
        log.warning("the film is drawn in one process: %s", error)
        self._able = False
        self.stop()

    def stop(self) -> None:
        """End the processes, at once, and remove what they wrote."""
        pool, self._pool, self._shared = self._pool, None, None
        self._pending.clear()
        try:
            if pool is not None:
                pool.stop()
        finally:
            self._stack.close()


class Meter:
    """Measures what frames cost while they are drawn here, and starts workers where these pay."""

    def __init__(self, workers: FrameWorkers, starts: Sequence[int]) -> None:
        self._workers, self._firsts = workers, frozenset(starts[:-1])
        self._entered = time.process_time()
        self._pictures = self._frames = 0
        self._drawing = self._start = self._process = 0.0

    @contextlib.contextmanager
    def drawing(self, at: int) -> Iterator[None]:
        """Measure the block, in which frame ``at`` is drawn."""
        before = time.thread_time()
        yield
        if self._frames:
            self._drawing += time.thread_time() - before
            self._pictures += at in self._firsts
        else:  # with the first one the layers are checked, as long as a start takes
            self._start = time.thread_time() - before
            self._process = time.process_time()
        self._frames += 1

    def passed(self, at: int, frame: Frame, *, layered: bool) -> None:
        """Frame ``at`` is with the encoder."""
        if not self._workers.waiting or self._pictures < EVERY:
            return
        encoding = time.process_time() - self._process - self._drawing
        before = time.thread_time()
        np.array(frame)
        # written, read and kept
        copying = 3 * (time.thread_time() - before)
        costs = Costs(
            self._drawing / self._pictures, encoding / self._frames, copying, IMPORTS + self._start
        )
        self._workers.consider(costs, at, frame, layered=layered)
        self._pictures, self._frames = 0, 1
        self._drawing, self._process = 0.0, time.process_time()


# --- in a worker process ---------------------------------------------------------------


@dataclass
class _State:
    maker: Any = None
    shared: Any = None
    layered: bool = True


_STATE, _STACK = _State(), contextlib.ExitStack()


def _begin(build: Build, file: Path, shape: tuple[int, ...], layered: bool) -> None:
    """Build the picture, for as long as this process lasts."""
    _STATE.maker, _STATE.layered = build(_STACK), layered
    _STATE.shared = np.memmap(file, np.uint8, "r+", shape=shape)


def _nothing() -> None:
    """Tell that the process has begun."""


def _draw(frames: Sequence[int], slot: int) -> None:
    for n, frame in enumerate(frames):
        picture: UInt8[np.ndarray, "height width 4"] = _STATE.maker.draw(
            frame, layered=_STATE.layered
        )
        _STATE.shared[slot, n] = picture


def _reserved(file: Path, shape: tuple[int, ...]) -> Path:
    """A file of so many bytes that are there: a full disk is an error here, not a signal later."""
    row = bytes(math.prod(shape[2:]))
    with file.open("wb") as handle:
        for _ in range(shape[0] * shape[1]):
            handle.write(row)
    return file
