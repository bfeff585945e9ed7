"""The code of a worker process: start-up, tasks, interruption and end.

Only the standard library is imported before the current folder is off the import path.
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
"""Seconds between two checks that the parent process is still alive."""

CLEAN_UP_SECONDS = 1.0
"""Seconds that an interrupted task has to clean up after its parent was killed."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Setup:
    """The settings with which a worker process starts.

    Attributes:
        initializer: a pickled call, run before the first task.
        quiet: whether to discard its output.
        folders: folders that stay on the import path even if they are the current one.

    """

    initializer: bytes
    quiet: bool
    folders: frozenset[str]


_pending: list[bytes] = []
_busy = False


def initialise(setup: Setup, parent: int) -> None:
    """Initialise a process that the process ``parent`` started with signals blocked."""
    threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()
    atexit.register(_exit_now)  # registered first, so called last
    sys.path[:] = [name for name in sys.path if not _is_current_folder(name, setup.folders)]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    if os.name == "posix":
        # a session of its own, so that Ctrl-C reaches only the parent
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    if setup.quiet:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    _pending.append(setup.initializer)


def run(payload: bytes) -> object:
    """Run a pickled call and return its result."""
    global _busy
    _busy = True
    try:
        while _pending:
            _run_pickle(_pending[0])
            del _pending[0]
        return _run_pickle(payload)
    except BaseException as error:
        raise _picklable_error(error) from None
    finally:
        _busy = False


def _run_pickle(payload: bytes) -> object:
    call = pickle.loads(payload)
    return call and call()


def _is_current_folder(name: str, keep: frozenset[str]) -> bool:
    """Whether an entry of the import path is the current folder and not one to keep."""
    folder = str(Path(name).resolve())
    return not name or (folder == str(Path.cwd().resolve()) and folder not in keep)


def _exit_after(parent: int) -> None:
    """End this process after ``parent`` has died, which changes the parent's id."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    if _busy:
        os.kill(os.getpid(), signal.SIGTERM)
    deadline = time.monotonic() + CLEAN_UP_SECONDS
    while _busy and time.monotonic() < deadline:
        time.sleep(0.02)
    os._exit(1)


def _exit_now() -> None:
    """Exit without the clean-up of libraries, which takes torch a second."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(0)


def _interrupt(number: int, frame: object) -> None:
    if _busy:
        raise KeyboardInterrupt


def _picklable_error(error: BaseException) -> BaseException:
    """The error, or a RuntimeError with its message if it cannot be pickled."""
    import cloudpickle

    try:
        pickle.loads(cloudpickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
