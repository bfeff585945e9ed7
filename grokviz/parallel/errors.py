"""Errors that a task's future raises if its process failed rather than the task."""

from __future__ import annotations

import re
from typing import Any

from grokviz.errors import WorkError


class ProcessFailed(WorkError):
    """The worker process failed, not the task itself."""


class WorkerDied(ProcessFailed):
    """A process ended before its task; ``cause`` is such as "signal 9", or empty if unknown."""

    def __init__(self, cause: str = "") -> None:
        self.cause = cause
        suffix = f" with {cause}" if cause else ""
        super().__init__(
            f"a worker process ended{suffix}; was there enough memory for it? a lower -j needs less"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return WorkerDied, (self.cause,)


class NoWorker(ProcessFailed):
    """A worker process could not be started, for the given ``reason``."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"no worker process could be started ({reason}); -j 1 needs none")

    def __reduce__(self) -> tuple[Any, ...]:
        return NoWorker, (self.reason,)


def exit_cause(error: BaseException) -> str:
    """The signal or status of a dead process, from loky's message such as ``{SIGKILL(-9)}``."""
    code = re.search(r"\w+\((-?\d+)\)\}", str(error))
    if code is None:
        return ""
    status = int(code[1])
    return f"signal {-status}" if status < 0 else f"status {status}"
