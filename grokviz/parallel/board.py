"""A board on which tasks say where they stand, and read what is asked of them.

A folder serves the processes of one machine: a file cannot be left locked by a process that was
killed, as a queue can. Those of a cluster write to its scheduler, which all of them reach.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

Note = Mapping[str, Any]


class Board(Protocol):
    """Notes of plain data by name, of which the last one counts.

    Attributes:
        pause: seconds between two looks at it.
        patience: seconds after which whoever has posted nothing new is gone; None where a
            process ends with the one that started it.

    """

    pause: float
    patience: float | None

    def post(self, name: str, note: Note) -> None:
        """Put a note in the place of the one before."""

    def read(self, name: str) -> Note | None:
        """The note of that name, or None."""

    def notes(self) -> Mapping[str, Note]:
        """All notes by name."""


class FolderBoard:
    """A board for processes that see one folder."""

    pause: float = 0.2
    patience: float | None = None

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def post(self, name: str, note: Note) -> None:
        """Put a note in the place of the one before."""
        part = self.folder / f"{name}.part"
        part.write_text(json.dumps(dict(note)), "utf-8")
        part.replace(self.folder / name)

    def read(self, name: str) -> Note | None:
        """The note of that name, or None."""
        try:
            text = (self.folder / name).read_text("utf-8")
        except FileNotFoundError:
            return None
        note: Note = json.loads(text)
        return note

    def notes(self) -> Mapping[str, Note]:
        """All notes by name."""
        names = [file.name for file in self.folder.iterdir() if file.suffix != ".part"]
        return {name: note for name in names if (note := self.read(name)) is not None}


class SchedulerBoard:
    """A board kept by a Dask scheduler; tasks reach it by the connection of their worker."""

    pause: float = 0.5
    patience: float | None = 30.0

    def __init__(self, key: str, client: Any = None) -> None:
        self.key, self._client = key, client

    def post(self, name: str, note: Note) -> None:
        """Put a note in the place of the one before."""
        self._connection().set_metadata([self.key, name], dict(note))

    def read(self, name: str) -> Note | None:
        """The note of that name, or None."""
        note: Note | None = self._connection().get_metadata([self.key, name], None)
        return note

    def notes(self) -> Mapping[str, Note]:
        """All notes by name."""
        notes: Mapping[str, Note] = self._connection().get_metadata([self.key], {})
        return notes

    def close(self) -> None:
        """Take all notes away, where the scheduler still answers."""
        with contextlib.suppress(Exception):
            self._connection().set_metadata([self.key], {})

    def _connection(self) -> Any:
        if self._client is None:
            from distributed import get_client

            self._client = get_client()
        return self._client

    def __getstate__(self) -> dict[str, Any]:
        return {"key": self.key, "_client": None}
