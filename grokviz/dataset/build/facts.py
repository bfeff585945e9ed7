"""What a measure reads of its run: noted, so that its values are kept while that stays the same.

A measure that uses the key frequencies of the last checkpoint has to be taken anew when a longer
run has others, and only then. Nobody has to say so: the run that a measure is handed notes what
is read of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.runs import Run


class Undigestible(TypeError):
    """A value whose sameness cannot be told; what depends on it is not cached."""


class Noting:
    """A run as a measure is handed it: every attribute is the run's, and what is read is noted.

    A method's call is noted with its arguments. The notes are texts that :func:`digest_of` reads.
    """

    def __init__(self, view: RunView) -> None:
        self._view = view
        self._notes: set[str] = set()

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The kind of run that it stands for."""
        return type(self._view)

    def __getattr__(self, name: str) -> Any:
        """The run's own, with a note of what was read."""
        value = getattr(self._view, name)
        if getattr(value, "__self__", None) is self._view and callable(value):

            def call(*args: Any) -> Any:
                self._notes.add(json.dumps([name, *args]))
                return value(*args)

            return call
        self._notes.add(json.dumps([name]))
        return value


def notes_of(noting: Any) -> set[str]:
    """What was read of a :class:`Noting`."""
    notes: set[str] = object.__getattribute__(noting, "_notes")
    return notes


def digest_of(view: RunView, note: str) -> str:
    """SHA-256 of what the note says, in this run.

    Raises :class:`Undigestible` for a value whose sameness cannot be told.
    """
    name, *args = json.loads(note)
    value = getattr(view, name)
    digest = hashlib.sha256()
    _digest(value(*args) if args or callable(value) else value, digest)
    return digest.hexdigest()


def _digest(value: Any, digest: Any) -> None:
    if isinstance(value, Checkpoint) and value.checksum:
        digest.update(f"checkpoint {value.epoch} {value.checksum}\0".encode())
    elif isinstance(value, Run):
        digest.update(f"run {value.checksum}\0".encode())
    elif isinstance(value, np.ndarray | np.generic):
        array = np.ascontiguousarray(value)
        if array.dtype.kind == "O":
            raise Undigestible("an array of objects")
        digest.update(f"array {array.dtype.str} {array.shape}\0".encode() + array.tobytes())
    elif value is None or isinstance(value, bool | int | float | complex | str | bytes):
        digest.update(f"{type(value).__name__} {value!r}\0".encode())
    elif isinstance(value, Mapping):
        digest.update(f"mapping {len(value)}\0".encode())
        for key in sorted(value, key=repr):
            _digest(key, digest)
            _digest(value[key], digest)
    elif isinstance(value, Sequence):
        digest.update(f"sequence {len(value)}\0".encode())
        for item in value:
            _digest(item, digest)
    elif isinstance(value, set | frozenset):
        _digest(sorted(value, key=repr), digest)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        digest.update(f"{type(value).__module__}.{type(value).__qualname__}\0".encode())
        for one in dataclasses.fields(value):
            _digest(one.name, digest)
            _digest(getattr(value, one.name), digest)
    elif isinstance(value, type):
        digest.update(f"class {value.__module__}.{value.__qualname__}\0".encode())
    else:
        raise Undigestible(type(value).__name__)
