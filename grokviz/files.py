"""Atomic writes: a file is complete or absent, whatever interrupts the program."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grokviz.errors import GrokvizError, InputError, WorkError
from grokviz.strays import backup_sibling, remove, remove_strays, temporary_sibling


class FileList(list[Path]):
    """The files that a command wrote; a notebook displays their contents."""


def cache_home() -> Path:
    """Our cache folder: ``GROKVIZ_CACHE``, or else a folder in the user's cache folder."""
    folder = os.environ.get("GROKVIZ_CACHE")
    if folder:
        return Path(folder)
    import platformdirs  # here, so that grokviz doctor can report that it is missing

    return platformdirs.user_cache_path("grokviz", appauthor=False)


NAME_BYTES = 255
"""Bytes that a name may have in the usual file systems."""


def write_error(error: OSError, path: Path) -> GrokvizError:
    """The ``InputError`` or ``WorkError`` that explains an ``OSError`` on writing ``path``."""
    if error.errno == errno.ENOSPC:
        return WorkError(f"the disk is full: {path} was not written; free some space and run again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(f"cannot write {path}: permission denied; {_another_place(path)}")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return InputError(f"cannot write {path}: a part of it is a file; {_another_place(path)}")
    if error.errno == errno.ENOENT:
        return InputError(f"cannot write {path}: its folder cannot be made; {_another_place(path)}")
    if error.errno == errno.EISDIR:
        return InputError(f"cannot write {path}: it is a folder; give a file name")
    return WorkError(f"cannot write {path}: {error.strerror or error}")


def _another_place(path: Path) -> str:
    """The remedy for a place that takes nothing: that of the cache has a variable."""
    if path.is_relative_to(cache_home()):
        return "name a folder that can be written in GROKVIZ_CACHE"
    return "choose another place"


def _require_file_name(path: str | os.PathLike[str]) -> Path:
    """The path itself; raises :class:`InputError` unless it ends in a name."""
    path = Path(path)
    if path.name in ("", ".."):
        raise InputError(f"{path} names no file; give the name of a file or of a new folder")
    longest = max(path.parts, key=lambda part: len(os.fsencode(part)))
    if len(os.fsencode(longest)) > NAME_BYTES or "\0" in longest:
        raise InputError(
            f"{longest[:40]}... is longer than a name can be ({NAME_BYTES} bytes); shorten it"
        )
    return path


def check_writable(path: str | os.PathLike[str], *, folder: bool = False) -> None:
    """Raise InputError unless :func:`replacing` can write to ``path``; creates nothing.

    Call it before long work whose result goes there.
    """
    path = _require_file_name(path)
    try:
        if path.is_dir() and not folder:
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        # the nearest existing parent, in which the missing ones will be created
        ancestor = next(above for above in path.absolute().parents if above.exists())
        if not ancestor.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory")
        if not os.access(ancestor, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "Permission denied")
    except OSError as error:
        raise write_error(error, path) from error


@contextlib.contextmanager
def replacing(
    path: str | os.PathLike[str], *, folder: bool = False, tidy: bool = True
) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` that replaces it if the block succeeds.

    Parent folders are created. The sibling keeps the file's suffix, so that encoders
    recognise it. On any error the old file stays and the sibling is removed; what killed
    processes left in the folder is removed after a success, unless ``tidy`` is false.
    With ``folder`` the sibling is a new folder that replaces the whole old one.

    Raises :class:`InputError` or :class:`WorkError` if writing fails.
    """
    path = _require_file_name(path)
    part = temporary_sibling(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not folder:
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        if folder:
            _restore(path)
            part.mkdir()
        yield part
        _replace(part, path, folder)
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        remove(part)
    if tidy:
        remove_strays(path.parent)


def _replace(part: Path, path: Path, folder: bool) -> None:
    """Move a finished file or folder to ``path``; an old folder is then at ``part``."""
    if not folder:
        with part.open("rb+") as handle:
            os.fsync(handle.fileno())
        part.replace(path)
    elif not os.path.lexists(path):
        part.rename(path)
    elif not _exchange(part, path):
        backup = backup_sibling(path)
        path.rename(backup)
        part.rename(path)
        remove(backup)


def _restore(path: Path) -> None:
    """Put back an old folder that a process moved away and was killed before it put the new one."""
    backup = backup_sibling(path)
    if backup.exists():
        if os.path.lexists(path):
            remove(backup)
        else:
            backup.rename(path)


def _exchange(one: Path, other: Path) -> bool:
    """Let two names change places in one step; False where the system cannot."""
    import ctypes

    names = os.fsencode(one), os.fsencode(other)
    library: Any = ctypes.CDLL(None) if os.name == "posix" else None
    if hasattr(library, "renameat2"):  # Linux
        here, exchange = -100, 2
        status: int = library.renameat2(here, names[0], here, names[1], exchange)
    elif hasattr(library, "renamex_np"):  # macOS
        swap = 2
        status = library.renamex_np(*names, swap)
    else:
        return False
    return status == 0
