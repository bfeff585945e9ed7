"""The values of measures that are kept beside a run: one file for a task and clock.

A value belongs to the bytes of the checkpoint that it was taken of, to the source of its measure,
and to what the measure read of the run. As long as all three are the same it is read; a value of
anything else is taken anew, and no other. Each array carries the checksum of all that is said of
it, so that a damaged cache is noticed.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.errors import GrokvizError
from grokviz.files import replacing
from grokviz.strays import remove_strays

FORMAT = 2
log = logging.getLogger(__name__)


@dataclass
class Entry:
    """The values of one measure.

    Attributes:
        source: hash of the code that took them.
        facts: digests of what was read of the run, by note.
        rows: index of each value in ``array``, by :func:`row_of` its checkpoint; one row, called
            "", of what is taken once a run.
        array: the values, one row a checkpoint.

    """

    source: str
    facts: dict[str, str]
    rows: dict[str, int]
    array: np.ndarray

    def value(self, row: str) -> np.ndarray:
        """The value of one checkpoint."""
        value: np.ndarray = self.array[self.rows[row]]
        return value


def row_of(epoch: int, checksum: str) -> str:
    """The name of a checkpoint's row: what was read, and when it was written."""
    return f"{epoch} {checksum}"


class ValueFile:
    """What one file holds, and what has been added since it was read."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._stored = _stored(path)
        self._added: dict[str, Entry] = {}

    def known(self, name: str, source: str, digest: Callable[[str], str]) -> Entry | None:
        """The values of a measure that still hold; ``digest`` is of a note, in the present run."""
        about = self._stored.get(name)
        if about is None or about["source"] != source:
            return None
        try:
            same = all(digest(note) == before for note, before in about["facts"].items())
        except Exception:  # what cannot be read of this run is not as it was
            return None
        return self._entry(name) if same else None

    def add(self, name: str, entry: Entry, before: Entry | None, valid: Iterable[str]) -> None:
        """Add values; of those ``before``, which still hold, rows that are ``valid`` stay."""
        if before is not None and before.array.shape[1:] == entry.array.shape[1:]:
            still = {*valid} - entry.rows.keys()
            others = [row for row in before.rows if row in still]
            array = np.concatenate([entry.array, before.array[[before.rows[r] for r in others]]])
            rows = {row: i for i, row in enumerate([*entry.rows, *others])}
            entry = Entry(entry.source, before.facts | entry.facts, rows, array)
        self._added[name] = entry

    def write(self) -> None:
        """Write the file where anything was added; a place that takes nothing is a warning."""
        if self.path is None:
            return
        if not self._added:
            remove_strays(self.path.parent)
            return
        others = {name: self._entry(name) for name in self._stored if name not in self._added}
        entries = self._added | {name: one for name, one in others.items() if one is not None}
        try:
            with replacing(self.path) as part:
                part.write_bytes(_encode(entries))
        except GrokvizError as error:
            log.warning("the analysis is not cached: %s", error)

    def _entry(self, name: str) -> Entry | None:
        """What the file holds of a measure; None where it is damaged."""
        from safetensors import safe_open

        about = self._stored[name]
        try:
            with safe_open(self.path, "np") as file:
                array = file.get_tensor(name)
            if _digest(about, array) != about["sha256"]:
                raise ValueError(f"{name} is not what was written")
        except Exception as error:  # whatever is wrong with a cache, it can be made again
            log.warning("%s cannot be read and is made again: %s", self.path, error)
            return None
        if about["text"]:
            array = array.view(f"<U{array.shape[-1]}")[..., 0]
        rows = {row: i for i, row in enumerate(about["rows"])}
        return Entry(about["source"], about["facts"], rows, array)


def _stored(path: Path | None) -> dict[str, Any]:
    """What a file says of its entries; nothing of a file that is not there, or damaged."""
    from safetensors import safe_open

    if path is None or not path.exists():
        return {}
    try:
        with safe_open(path, "np") as file:
            about = file.metadata() or {}
        entries: dict[str, Any] = json.loads(about["entries"])
        return entries if about["format"] == str(FORMAT) else {}
    except Exception as error:  # whatever is wrong with a cache, it can be made again
        log.warning("%s cannot be read and is made again: %s", path, error)
        return {}


def _encode(entries: Mapping[str, Entry]) -> bytes:
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    about: dict[str, Any] = {}
    for name, entry in entries.items():
        array = np.ascontiguousarray(entry.array)
        text = array.dtype.kind == "U"
        # safetensors has no text
        arrays[name] = np.ascontiguousarray(array[..., None]).view(np.uint32) if text else array
        about[name] = {
            "source": entry.source,
            "facts": entry.facts,
            "rows": sorted(entry.rows, key=lambda row: entry.rows[row]),
            "text": text,
        }
        about[name]["sha256"] = _digest(about[name], arrays[name])
    return save(arrays, {"format": str(FORMAT), "entries": json.dumps(about, sort_keys=True)})


def _digest(about: Mapping[str, Any], array: np.ndarray) -> str:
    """SHA-256 of an array as it is stored, its dtype and shape, and what is said of it."""
    content = {key: value for key, value in about.items() if key != "sha256"}
    text = json.dumps([content, array.dtype.str, array.shape], sort_keys=True)
    return hashlib.sha256(text.encode() + array.tobytes()).hexdigest()
