"""The folder of a sweep: ``sweep.json`` and a run directory for each member.

``sweep.json`` contains the SHA-256 of its own content, as ``run.json`` does. Imported sweeps have
no ``sweep.json``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grokviz.errors import InputError
from grokviz.runs import layout
from grokviz.runs.layout import RUN, DamagedFile

SWEEP = "sweep.json"
FORMAT = 1
"""Version of ``sweep.json`` that this code writes, and the newest that it reads."""


def is_sweep(path: Path) -> bool:
    """Whether a folder contains runs and is not a run itself."""
    if not path.is_dir() or (path / RUN).exists():
        return False
    return (path / SWEEP).is_file() or any(path.glob(f"*/{RUN}"))


def read_sweep(path: Path) -> dict[str, Any] | None:
    """The content of a folder's ``sweep.json``; None if there is none.

    Raises :class:`InputError` if it is damaged or has a newer format.
    """
    file = path / SWEEP
    if not file.is_file():
        return None
    try:
        data = file.read_bytes()
        layout.check_format(path, data, 2, "sweep", FORMAT)
        content = layout.decode_document(data, indent=2)
        if not isinstance(content.get("members"), list):
            raise DamagedFile("it names no members")
    except (DamagedFile, OSError) as error:
        raise InputError(
            f"{file} is damaged: {error}; restore it from a copy, or sweep into another folder"
        ) from error
    return content


def members_of(path: Path) -> list[Path]:
    """Existing run directories of a sweep, in grid order.

    Without ``sweep.json`` they are sorted by the values in their names. Raises
    :class:`InputError` if there are none.
    """
    content = read_sweep(path)
    if content is not None:
        members = [path / str(name) for name in content["members"]]
        members = [member for member in members if (member / RUN).is_file()]
    else:
        members = sorted((file.parent for file in path.glob(f"*/{RUN}")), key=_sort_key)
    if not members:
        raise InputError(f"{path} has no members yet; train them with grokviz sweep")
    return members


def _sort_key(member: Path) -> list[tuple[float, str]]:
    """Sort key for names such as ``train-fraction=0.25``: numeric values, then text."""
    parts = []
    for part in member.name.split(","):
        key, _, value = part.partition("=")
        try:
            parts.append((float(value), key))
        except ValueError:
            parts.append((float("inf"), part))
    return parts
