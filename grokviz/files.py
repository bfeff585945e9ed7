"""Atomic writes: a file is complete or absent, whatever interrupts the program."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from grokviz.errors import GrokvizError, InputError, WorkError


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
        return InputError(f"cannot write {path}: permission denied; choose another place")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return InputError(f"cannot write {path}: a part of it is a file; choose another place")
    if error.errno == errno.ENOENT:
        return InputError(f"cannot write {path}: its folder cannot be made; choose another place")
    if error.errno == errno.EISDIR:
        return InputError(f"cannot write {path}: it is a folder; give a file name")
    return WorkError(f"cannot write {path}: {error.strerror or error}")


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
def replacing(path: str | os.PathLike[str], *, folder: bool = False) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` that replaces it if the block succeeds.

    Parent folders are created. The sibling keeps the file's suffix, so that encoders
    recognise it. On any error the old file stays and the sibling is removed.
    With ``folder`` the sibling is a new folder that replaces the whole old one.

    Raises :class:`InputError` or :class:`WorkError` if writing fails.
    """
    path = _require_file_name(path)
    part = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}.part{path.suffix[:20]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not folder:
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        if folder:
            part.mkdir()
        yield part
        _replace(part, path, folder)
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def _replace(part: Path, path: Path, folder: bool) -> None:
    """Move a finished file or folder to ``path``; an old folder is removed last."""
    if not folder:
        with part.open("rb+") as handle:
            os.fsync(handle.fileno())
        part.replace(path)
        return
    backup = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
    if path.exists():
        path.rename(backup)
    part.rename(path)
    shutil.rmtree(backup, ignore_errors=True)
