"""Which folders may become a run: new ones, empty ones, and creations that were cut short."""

from __future__ import annotations

from pathlib import Path

from grokviz.errors import InputError
from grokviz.runs import layout
from grokviz.runs.layout import CHECKPOINTS, INDEX, METRICS, RUN, Damaged


def refuse_foreign(path: Path) -> None:
    """Raise :class:`InputError` unless a new run may begin in ``path``."""
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise InputError(f"{path} is a file; choose another path for the run")
    if (path / RUN).exists():
        raise InputError(f"{path} already holds a run; resume it, or choose another path")
    foreign = [
        file.name
        for file in sorted(path.iterdir())
        if not layout.is_leftover(file.name) and not _begun(file)
    ]
    if foreign:
        raise InputError(
            f"{path} holds something that is not a run ({foreign[0]}); choose another path"
        )


def _begun(file: Path) -> bool:
    """Whether a file is what a creation that was cut short leaves behind."""
    if file.name == INDEX:
        try:
            return layout.Index.decode(file.read_bytes()) == layout.Index()
        except (Damaged, OSError):
            return False
    if file.name in (METRICS, CHECKPOINTS):
        return file.is_dir() and not any(file.iterdir())
    return file.name == layout.LOCK
