"""Comparing the files of a run with the checksums in its index."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from grokviz.runs.layout import DamagedFile, FileEntry, check_regular

_SOUND: dict[Path, tuple[int, int, int, str]] = {}
"""Size, time of change, inode and checksum of files that were compared."""


def check_stored(file: Path, entries: Sequence[FileEntry]) -> None:
    """Raise DamagedFile, or ``OSError``, unless the file's bytes match one of these entries."""
    check_regular(file)
    with file.open("rb") as handle:
        digest, size = hashlib.file_digest(handle, "sha256").hexdigest(), handle.tell()
    if not entries:
        raise DamagedFile("it is not in the index")
    if digest in [entry.sha256 for entry in entries]:
        return
    sizes = [entry.size for entry in entries]
    if size not in sizes:
        kind = "cut short" if size < min(sizes) else "of the wrong size"
        raise DamagedFile(f"it is {kind}: {size} bytes instead of {sizes[-1]}")
    raise DamagedFile("its bytes do not match its checksum")


def check_once(file: Path, entry: FileEntry) -> None:
    """As :func:`check_stored`, once for every size and time of change of the file."""
    status = file.stat()
    stamp = (status.st_size, status.st_mtime_ns, status.st_ino, entry.sha256)
    if _SOUND.get(file) != stamp:
        check_stored(file, [entry])
        _SOUND[file] = stamp
