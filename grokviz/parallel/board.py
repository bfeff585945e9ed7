"""Message boards on which tasks post their progress and read requests to stop.

Processes of one machine share a folder, because a killed process can leave a queue locked but
not a file. Workers of a cluster use its scheduler, which all of them can reach.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

Note = Mapping[str, Any]
"""A message of JSON values."""


class Board(Protocol):
    """Notes by name; a new note replaces the last one of its name.

    Attributes:
        poll_interval: seconds between two reads.
        timeout: seconds without a new note after which its sender counts as dead; None if
            a process ends with its parent anyway.

    """

    poll_interval: float
    timeout: float | None

    def post(self, name: str, note: Note) -> None:
        """Post a note, replacing the last one of that name."""

    def read(self, name: str) -> Note | None:
        """The latest note of that name, or None."""

    def notes(self) -> Mapping[str, Note]:
        """All notes by name."""


class FolderBoard:
    """A board for processes that share a folder."""

    poll_interval: float = 0.2
    timeout: float | None = None

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def post(self, name: str, note: Note) -> None:
        """Post a note, replacing the last one of that name."""
        part = self.folder / f"{name}.part"
        part.write_text(json.dumps(dict(note)), "utf-8")
        part.replace(self.folder / name)

    def read(self, name: str) -> Note | None:
        """The latest note of that name, or None."""
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
    """A board in a Dask scheduler's metadata, reached through each worker's own connection."""

    poll_interval: float = 0.5
    timeout: float | None = 30.0

    def __init__(self, key: str, client: Any = None) -> None:
        self.key, self._client = key, client

    def post(self, name: str, note: Note) -> None:
        """Post a note, replacing the last one of that name."""
        self._connection().set_metadata([self.key, name], dict(note))

    def read(self, name: str) -> Note | None:
        """The latest note of that name, or None."""
        note: Note | None = self._connection().get_metadata([self.key, name], None)
        return note

    def notes(self) -> Mapping[str, Note]:
        """All notes by name."""
        notes: Mapping[str, Note] = self._connection().get_metadata([self.key], {})
        return notes

    def close(self) -> None:
        """Delete all notes, if the scheduler still answers."""
        with contextlib.suppress(Exception):
            self._connection().set_metadata([self.key], {})

    def _connection(self) -> Any:
        if self._client is None:
            from distributed import get_client

            self._client = get_client()
        return self._client

    def __getstate__(self) -> dict[str, Any]:
        return {"key": self.key, "_client": None}
