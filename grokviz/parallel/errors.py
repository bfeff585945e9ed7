"""What a task's future raises when it is the process that failed, and not the task."""

from __future__ import annotations

import re
from typing import Any

from grokviz.errors import WorkError


class ProcessFailed(WorkError):
    """The process failed, and not the task."""


class WorkerDied(ProcessFailed):
    """A process ended before its task did; ``how`` is "signal 9" and the like, or ""."""

    def __init__(self, how: str = "") -> None:
        self.how = how
        ended = f" with {how}" if how else ""
        super().__init__(
            f"a worker process ended{ended}; was there enough memory for it? a lower -j needs less"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return WorkerDied, (self.how,)


class NoWorker(ProcessFailed):
    """A process could not be started; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"no worker process could be started ({reason}); -j 1 needs none")

    def __reduce__(self) -> tuple[Any, ...]:
        return NoWorker, (self.reason,)


def ending(error: BaseException) -> str:
    """How a process ended, from loky's list of exit codes such as ``{SIGKILL(-9)}``."""
    code = re.search(r"\w+\((-?\d+)\)\}", str(error))
    if code is None:
        return ""
    status = int(code[1])
    return f"signal {-status}" if status < 0 else f"status {status}"
