"""Comparing the files of a run with the checksums in its index."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from grokviz.runs import tensors
from grokviz.runs.layout import DamagedFile, FileEntry, check_regular

_SOUND: dict[Path, tuple[int, int, int, int, str]] = {}
"""Size, times of change, inode and checksum of files that were compared."""


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
    # the second time is the system's own, which no program sets back
    times = status.st_mtime_ns, status.st_ctime_ns
    stamp = (status.st_size, *times, status.st_ino, entry.sha256)
    if _SOUND.get(file) != stamp:
        check_stored(file, [entry])
        _SOUND[file] = stamp


def read_stored(file: Path, entry: FileEntry) -> dict[str, np.ndarray]:
    """All arrays of a file whose bytes are those of its entry, compared as they are read.

    Raises :class:`DamagedFile` or ``OSError``.
    """
    check_regular(file)
    try:
        with tensors.TensorFile(file) as opened:
            arrays, digest = opened.read_whole()
    except DamagedFile:
        check_stored(file, [entry])  # which says more of what is wrong
        raise
    if digest != entry.sha256:
        check_stored(file, [entry])
        raise DamagedFile("it was changed while it was read")
    return arrays
