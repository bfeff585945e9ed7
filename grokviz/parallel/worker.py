"""What runs in a worker process: how it begins, takes a task, is interrupted and ends.

Only the standard library is imported here before the current folder is off the import path.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

WATCH_SECONDS = 0.2
"""How often it looks whether the process that started it is still there."""

CLEAN_UP_SECONDS = 1.0
"""What an interrupted task has for cleaning up when that process was killed."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Setup:
    """What a worker process begins with.

    Attributes:
        begin: a packed call, made before the first task.
        quiet: whether what it prints goes nowhere.
        folders: stay on the import path even where they are the current one.

    """

    begin: bytes
    quiet: bool
    folders: frozenset[str]


_pending: list[bytes] = []
_busy = False


def begin(setup: Setup, parent: int) -> None:
    """Begin a process that ``parent`` started deaf to signals."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    atexit.register(_leave)  # the first registered is called last
    sys.path[:] = [name for name in sys.path if not _is_current(name, setup.folders)]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    if os.name == "posix":
        # a session of its own: Ctrl-C is for the process that started this one
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    if setup.quiet:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    _pending.append(setup.begin)


def run(payload: bytes) -> object:
    """The result of a packed call."""
    global _busy
    _busy = True
    try:
        while _pending:
            _called(_pending[0])
            del _pending[0]
        return _called(payload)
    except BaseException as error:
        raise _portable(error) from None
    finally:
        _busy = False


def _called(payload: bytes) -> object:
    call = pickle.loads(payload)
    return call and call()


def _is_current(name: str, keep: frozenset[str]) -> bool:
    """Whether a name on the import path is the current folder, and is not to be kept."""
    folder = str(Path(name).resolve())
    return not name or (folder == str(Path.cwd().resolve()) and folder not in keep)


def _end_with(parent: int) -> None:
    """End this process when ``parent`` is no longer its parent, as a killed one is not."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    if _busy:
        os.kill(os.getpid(), signal.SIGTERM)
    last = time.monotonic() + CLEAN_UP_SECONDS
    while _busy and time.monotonic() < last:
        time.sleep(0.02)
    os._exit(1)


def _leave() -> None:
    """Leave without taking libraries apart, which takes torch a second."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(0)


def _interrupt(number: int, frame: object) -> None:
    if _busy:
        raise KeyboardInterrupt


def _portable(error: BaseException) -> BaseException:
    """The error, or its message where it cannot be sent to another process."""
    import cloudpickle

    try:
        pickle.loads(cloudpickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
