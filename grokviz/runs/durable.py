"""File operations that survive a kill or a power cut, and the lock of a run directory."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grokviz.errors import InputError
from grokviz.files import replacing, write_error
from grokviz.runs.layout import LOCK

_BINARY = getattr(os, "O_BINARY", 0)
_LOCKS_UNSUPPORTED = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK})
"""Errors of file systems without locks, on which writers do without one."""


def replace_file(path: Path, data: bytes | Sequence[Any]) -> None:
    """Replace the content of ``path`` by ``data`` atomically, and flush both to the disk.

    ``data`` are bytes, or buffers one after the other.
    """
    with replacing(path, tidy=False) as part:  # a writer removes its own as it resumes
        write_buffers(part, [data] if isinstance(data, bytes) else data)
    sync_folder(path.parent)


def write_buffers(path: Path, buffers: Sequence[Any]) -> None:
    """Write buffers one after the other to a file of their own."""
    with path.open("wb") as file:
        file.writelines(buffers)


def sync_folder(folder: Path) -> None:
    """Flush the folder's entries to the disk; does nothing on Windows, which does so itself."""
    if os.name == "nt":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise write_error(error, folder) from error


def write_at(path: Path, offset: int, data: bytes) -> None:
    """Write ``data`` at ``offset`` and fsync; a failed write changes nothing before ``offset``."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o666)
        try:
            os.lseek(handle, offset, os.SEEK_SET)
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise write_error(error, path) from error


def truncate(path: Path, size: int) -> None:
    """Truncate a file to ``size`` bytes if it is longer."""
    try:
        if path.stat().st_size > size:
            os.truncate(path, size)
    except OSError as error:
        raise write_error(error, path) from error


def remove(path: Path) -> None:
    """Delete a file if it exists."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(error, path) from error


def make_folder(path: Path) -> None:
    """Create a folder and its parents, and flush its entry to the disk."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, path) from error
    sync_folder(path.parent)


class Lock:
    """Advisory lock on a run directory; the kernel releases it if its holder dies.

    Raises :class:`InputError` if another process holds it. Platforms without ``fcntl`` have no
    such lock, so users must avoid two writers there.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK
        try:
            self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise write_error(error, path) from error
        try:
            import fcntl

            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass
        except BlockingIOError:
            self.release()
            raise InputError(
                f"{folder} is being written by another process; wait for it or stop it first"
            ) from None
        except OSError as error:
            if error.errno not in _LOCKS_UNSUPPORTED:
                self.release()
                raise write_error(error, path) from error

    def release(self) -> None:
        """Release the lock; a second call does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)
