"""Temporary files and folders, and the removal of those whose process was killed.

Each name holds its owner: the machine, the number of the process, and when that started. So any
process of the same machine can tell what a killed one left from what a live one still writes;
what another machine writes into a shared folder is never touched.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grokviz.errors import WorkError

_OWNER = r"(?P<machine>[0-9a-f]{8})-(?P<process>[0-9]{1,10})-(?P<start>[0-9a-f]{8})"
_PART = re.compile(rf"\..*\.{_OWNER}\.[0-9a-f]{{8}}\.part(\..*)?", re.DOTALL)
_FOLDER = re.compile(rf"grokviz-[a-z]+-{_OWNER}-\w+")
_STEM, _SUFFIX = 40, 20
"""Bytes of a file's stem and suffix in the names of its temporary siblings."""


def temporary_sibling(path: Path) -> Path:
    """A new name beside ``path`` with its suffix, by which encoders recognise a file."""
    name = f".{_cut(path.stem, _STEM)}.{owner()}.{secrets.token_hex(4)}.part"
    return path.with_name(name + _cut(path.suffix, _SUFFIX))


def backup_sibling(path: Path) -> Path:
    """The name beside ``path`` under which an old folder is kept until the new one is there."""
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    return path.with_name(f".{_cut(path.stem, _STEM)}.{digest}.old")


def _cut(text: str, size: int) -> str:
    """As much of ``text`` as takes at most ``size`` bytes in a file's name."""
    return text[: size if text.isascii() else size // 4]


@contextlib.contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Yield a new folder in the system's temporary one; it is removed at the end.

    If the block succeeds, so are those that killed processes left. Raises :class:`WorkError` if
    there is none to be had.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"grokviz-{purpose}-{owner()}-"))
    except OSError as error:
        raise WorkError(
            f"no temporary folder can be made ({error.strerror}); free some space, or name a "
            "folder that can be written in TMPDIR"
        ) from error
    try:
        yield folder
    finally:
        remove(folder)
    remove_strays(folder.parent)


def remove_strays(folder: Path) -> None:
    """Remove the temporary files and folders in ``folder`` whose process is no more."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _PART.fullmatch(entry.name) or _FOLDER.fullmatch(entry.name)
            if match and _is_ours(entry) and _has_ended(match):
                remove(Path(entry.path))


def remove(path: Path) -> None:
    """Remove a temporary file or folder, if it is there and can be removed."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def owner() -> str:
    """This process, as it stands in the names of its temporary files."""
    return _owner(os.getpid())  # of a fork, not of its parent


@functools.lru_cache(maxsize=1)
def _owner(process: int) -> str:
    return f"{_machine()}-{process}-{_start(process) or '0' * 8}"


def _is_ours(entry: os.DirEntry[str]) -> bool:
    """Whether this user made it; others may make files of any name in a shared folder."""
    return not hasattr(os, "geteuid") or entry.stat(follow_symlinks=False).st_uid == os.geteuid()


def _has_ended(match: re.Match[str]) -> bool:
    """Whether the owner in a name is known to be no more."""
    process = int(match["process"])
    if match["machine"] != _machine() or process in (0, os.getpid()):
        return False
    try:
        start = _start(process)
    except ProcessLookupError:
        return True
    return start is not None and start != match["start"]


@functools.lru_cache(maxsize=1)
def _machine() -> str:
    """A hash of this machine and of its space of process numbers."""
    parts = [platform.node()]
    for file in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with contextlib.suppress(OSError):
            parts.append(Path(file).read_text("utf-8"))
    with contextlib.suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return _hash(*parts)


def _start(process: int) -> str | None:
    """A hash of when a process started; None if that cannot be read.

    Raises ``ProcessLookupError`` if there is no such process, or it has ended and nobody asked.
    """
    if not Path("/proc/self/stat").exists():
        return _start_elsewhere(process)
    try:
        os.kill(process, 0)
    except PermissionError:
        pass
    except OverflowError:
        raise ProcessLookupError(process) from None
    try:
        # the name of the program, in parentheses, may hold anything
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
    except OSError:
        return None
    if fields[0] in (b"Z", b"X"):
        raise ProcessLookupError(process)
    return _hash(boot, fields[19].decode())


def _start_elsewhere(process: int) -> str | None:
    """The same on systems without ``/proc``."""
    import psutil

    try:
        there = psutil.Process(process)
        if there.status() == psutil.STATUS_ZOMBIE:
            raise ProcessLookupError(process)
        return _hash(f"{there.create_time():.2f}")
    except psutil.NoSuchProcess:
        raise ProcessLookupError(process) from None
    except psutil.Error:
        return None


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:8]
