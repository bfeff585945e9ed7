"""The files of a folder that may hold checkpoints or curves, and what tells it from another."""

from __future__ import annotations

import hashlib
import os
from fnmatch import fnmatch
from pathlib import Path

from grokviz.errors import InputError
from grokviz.importers.choice import importers
from grokviz.importers.reading.opening import digest_of_file
from grokviz.importers.reading.shards import INDEXES, SHARD

MOST_FILES = 100_000
_SIDE_FILES = ("optimizer", "scheduler", "scaler", "rng_state", "training_args")
"""How the names of files begin that trainers lay beside weights, and no run has."""

_BINARY = ".bin"
_OF_TORCH = (b"PK", b"\x80\x02")
"""What files of torch.save begin with; others of that suffix are of anything."""


def files_in(folder: Path, *, shards: bool = False) -> list[Path]:
    """The files of a folder, and of those in it, that may hold checkpoints or curves, by name.

    Shards beside their index are a part of it, and are left out unless they are asked for.
    """
    patterns = {pattern for importer in importers() for pattern in importer.patterns}
    files: list[Path] = []
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        has_index = not shards and any(name in names for name in INDEXES)
        files += [
            Path(path, name)
            for name in names
            if any(fnmatch(name.lower(), pattern) for pattern in patterns)
            and not name.startswith(_SIDE_FILES)
            and not (has_index and SHARD.fullmatch(name))
            and _is_readable(Path(path, name))
        ]
        if len(files) > MOST_FILES:
            raise InputError(f"{folder} has more than {MOST_FILES:,} files; import one run of it")
    return sorted(files)


def _is_readable(file: Path) -> bool:
    """Whether it is a file and, if its suffix may be of anything, one of torch.save."""
    if not file.is_file() or file.suffix.lower() != _BINARY:
        return file.is_file()
    try:
        with file.open("rb") as handle:
            return handle.read(2) in _OF_TORCH
    except OSError:
        return False


def digest_of(folder: Path) -> str:
    """SHA-256 of the names and contents of a folder's checkpoint files, or of all its files."""
    digest = hashlib.sha256()
    all_files = sorted(file for file in folder.iterdir() if file.is_file())
    for file in files_in(folder, shards=True) or all_files:
        name = file.relative_to(folder).as_posix()
        digest.update(f"{digest_of_file(file)}  {name}\n".encode())
    return digest.hexdigest()
