"""Folders in which a run can be created: new ones, empty ones and interrupted creations."""

from __future__ import annotations

from pathlib import Path

from grokviz.errors import InputError
from grokviz.runs import layout
from grokviz.runs.layout import CHECKPOINTS, INDEX, METRICS, RUN, DamagedFile


def check_destination(path: Path) -> None:
    """Raise InputError unless a new run can be created in ``path``."""
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise InputError(f"{path} is a file; choose another path for the run")
    if (path / RUN).exists():
        raise InputError(f"{path} already holds a run; resume it, or choose another path")
    foreign = [
        file.name
        for file in sorted(path.iterdir())
        if not layout.is_temporary(file.name) and not _is_interrupted_creation(file)
    ]
    if foreign:
        raise InputError(
            f"{path} holds something that is not a run ({foreign[0]}); choose another path"
        )


def _is_interrupted_creation(file: Path) -> bool:
    """Whether an interrupted creation of a run may have left this file."""
    if file.name == INDEX:
        try:
            return layout.Index.decode(file.read_bytes()) == layout.Index()
        except (DamagedFile, OSError):
            return False
    if file.name in (METRICS, CHECKPOINTS):
        return file.is_dir() and not any(file.iterdir())
    return file.name == layout.LOCK
