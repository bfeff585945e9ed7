"""Frames that are drawn once for several writers.

Each writer runs in a thread of its own and asks for the frames as often as it needs them. A pass
begins when all that are still at work wait for one, so a GIF's second one is drawn again.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from grokviz.errors import WorkError
from grokviz.media.film.encode import Frame, Frames

T = TypeVar("T")

WAITING = 4
"""Frames that wait for each writer."""


class _Pass:
    """The frames on their way to one writer, as long as it is ``open`` to them."""

    def __init__(self) -> None:
        self.open = True
        self._waiting: queue.Queue[Frame | WorkError | None] = queue.Queue(WAITING)

    def put(self, item: Frame | WorkError | None) -> None:
        """Hand on a frame, the end, or the error that ends it."""
        while self.open:
            with contextlib.suppress(queue.Full):
                self._waiting.put(item, timeout=0.1)
                return

    def frames(self) -> Iterator[Frame]:
        """What is put, in the writer's thread."""
        try:
            while (item := self._waiting.get()) is not None:
                if isinstance(item, WorkError):
                    raise item
                yield item
        finally:
            self.open = False


class _Writer(Generic[T]):
    """A writer in its thread; ``asked`` is the pass that it waits for, while it waits."""

    def __init__(self, write: Callable[[Frames], T], changed: threading.Condition) -> None:
        self._write, self._changed = write, changed
        self._passing: _Pass | None = None
        self.asked: _Pass | None = None
        self.ended = False
        self.results: list[T] = []
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="grokviz-writer", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.results.append(self._write(self._frames))
        except BaseException as error:  # raised again in the caller's thread
            self.error = error
        self._ask(None)

    def _frames(self) -> Iterator[Frame]:
        passing = _Pass()
        self._ask(passing)
        return passing.frames()

    def give_up(self) -> None:
        """End the pass that it reads or waits for."""
        if self._passing is not None:
            self._passing.put(WorkError("the frames ended early"))
        self.thread.join(timeout=0.05)

    def _ask(self, passing: _Pass | None) -> None:
        with self._changed:
            # a pass that was given up early
            if self._passing is not None:
                self._passing.open = False
            self._passing = self.asked = passing
            self.ended = passing is None
            self._changed.notify_all()


def write_together(frames: Frames, writers: Sequence[Callable[[Frames], T]]) -> list[T]:
    """What each of the ``writers`` makes of the same frames, which are drawn in this thread.

    Raises what the first of them raised, when all others have finished; and what drawing raised,
    when all have given up.
    """
    changed = threading.Condition()
    at_work = [_Writer(write, changed) for write in writers]
    try:
        while passes := _asked(at_work, changed):
            for frame in frames():
                for one in passes:
                    one.put(frame)
                if not any(one.open for one in passes):
                    break
            for one in passes:
                one.put(None)
    except BaseException:
        # a film of those that came would look whole
        while not all(one.ended for one in at_work):
            for writer in at_work:
                writer.give_up()
        raise
    finally:
        for writer in at_work:
            writer.thread.join()
    for writer in at_work:
        if writer.error is not None:
            raise writer.error
    return [result for writer in at_work for result in writer.results]


def _asked(at_work: Sequence[_Writer[T]], changed: threading.Condition) -> list[_Pass]:
    """The passes that writers wait for, when no other is still at work; none when all ended."""
    with changed:
        changed.wait_for(lambda: all(one.ended or one.asked for one in at_work))
        passes = [one.asked for one in at_work if one.asked is not None]
        for one in at_work:
            one.asked = None
    return passes
