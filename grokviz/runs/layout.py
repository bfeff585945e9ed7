"""The file names and JSON documents of a run directory.

``run.json`` and ``index.json`` have one canonical form and contain the SHA-256 of their own
content, so that a change of a single byte is detected. File names are derived from epochs and
metric names and never read from a document.
"""

from __future__ import annotations

import hashlib
import json
import math
import operator
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grokviz.errors import InputError

FORMAT = 1
"""Version of the run directory that this code writes."""

JOURNAL_FORMAT = 2
"""Version of an index that has a journal, as that of a long run being written."""

ARRAYS_FORMAT = 3
"""Version of an index that lists recorded arrays, and the newest that this code reads."""

RUN, INDEX, RESUME, LOCK = "run.json", "index.json", "resume.safetensors", ".lock"
METRICS, CHECKPOINTS, ARRAYS = "metrics", "checkpoints", "arrays"
FOLDERS = (METRICS, CHECKPOINTS, ARRAYS)

CREATION_FACTS = frozenset({"format", "created", "command", "host", "folder"})
"""Facts about the creation of a run, which its checksum excludes."""

_CHECKPOINT = re.compile(r"(0|[1-9][0-9]*)\.safetensors")
_JOURNAL = re.compile(r"index\.[1-9][0-9]*\.jsonl")
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.part(\.\w+)?")

INDEX_ERRORS = (
    KeyError, TypeError, ValueError, AttributeError, OverflowError,
    InputError,  # an invalid epoch or metric name
)  # fmt: skip
"""What parsing of an index's content raises if it is not one."""


class DamagedFile(Exception):
    """A file of a run is not as it was written; the message says what is wrong with it.

    ``file`` is the damaged one, where it is another than the one being read.
    """

    def __init__(self, message: str, file: Path | None = None) -> None:
        super().__init__(message)
        self.file = file


@dataclass(frozen=True)
class FileEntry:
    """The index's entry for a checkpoint or a resumable state."""

    epoch: int
    size: int
    sha256: str

    @classmethod
    def from_buffers(cls, epoch: int, data: Sequence[Any]) -> FileEntry:
        """Entry for a file of these bytes, one buffer after the other."""
        digest, size = hashlib.sha256(), 0
        for part in data:
            digest.update(part)
            size += len(part)
        return cls(epoch, size, digest.hexdigest())


@dataclass(frozen=True)
class MetricEntry:
    """The index's entry for a metric file: the number of its records, and their SHA-256."""

    records: int
    sha256: str


@dataclass
class Index:
    """The content of ``index.json``: the complete files of a run.

    ``resume`` lists the states that ``resume.safetensors`` may hold: one normally, two while it
    is being replaced; ``None`` stands for a missing file. ``format`` is the document's version,
    ``journal`` the number of the journal that goes on from it.
    """

    checkpoints: dict[int, FileEntry] = field(default_factory=dict)
    metrics: dict[str, MetricEntry] = field(default_factory=dict)
    resume: list[FileEntry | None] = field(default_factory=lambda: [None])
    finished: bool = False
    format: int = field(default_factory=lambda: FORMAT, compare=False)
    journal: int | None = field(default=None, compare=False)
    arrays: dict[int, FileEntry] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The bytes of ``index.json``."""
        content = {
            "format": self.format,
            "finished": self.finished,
            "checkpoints": [checkpoint_content(s) for _, s in sorted(self.checkpoints.items())],
            "metrics": metrics_content(self.metrics),
            "resume": resume_content(self.resume),
        }
        if self.journal is not None:
            content |= {"format": JOURNAL_FORMAT, "journal": self.journal}
        if self.arrays:
            entries = [array_content(entry) for _, entry in sorted(self.arrays.items())]
            content |= {"format": ARRAYS_FORMAT, "arrays": entries}
        return encode_document(content, indent=None)

    @classmethod
    def decode(cls, data: bytes) -> Index:
        """Parse ``index.json``; raises :class:`DamagedFile`."""
        content = decode_document(data, indent=None)
        try:
            checkpoints = [parse_file_entry(entry) for entry in content["checkpoints"]]
            arrays = [parse_file_entry(entry) for entry in content.get("arrays", ())]
            journal = content.get("journal")
            plain = journal is None and not arrays
            index = cls(
                checkpoints={entry.epoch: entry for entry in checkpoints},
                metrics=parse_metrics(content["metrics"]),
                resume=parse_resume(content["resume"]),
                finished=bool(content["finished"]),
                format=int(content["format"]) if plain else FORMAT,
                journal=None if journal is None else int(journal),
                arrays={entry.epoch: entry for entry in arrays},
            )
            encoded = index.encode()
        except INDEX_ERRORS as error:
            raise DamagedFile(f"it is not an index of this format ({error!r})") from error
        if encoded != data:
            raise DamagedFile("it names files that a run does not have")
        return index


def checkpoint_content(entry: FileEntry) -> dict[str, Any]:
    """A checkpoint's entry in JSON values."""
    return {"file": checkpoint_file(entry.epoch), **_entry_content(entry)}


def array_content(entry: FileEntry) -> dict[str, Any]:
    """The entry of an epoch's recorded arrays in JSON values."""
    return {"file": array_file(entry.epoch), **_entry_content(entry)}


def metrics_content(metrics: Mapping[str, MetricEntry]) -> dict[str, Any]:
    """The metrics' entries in JSON values."""
    return {
        name: {"file": metric_file(name), "records": r.records, "sha256": r.sha256}
        for name, r in metrics.items()
    }


def resume_content(resume: Sequence[FileEntry | None]) -> list[Any]:
    """The entries of the states that the resume file may hold, in JSON values."""
    return [None if entry is None else _entry_content(entry) for entry in resume]


def _entry_content(entry: FileEntry) -> dict[str, Any]:
    return {"epoch": entry.epoch, "bytes": entry.size, "sha256": entry.sha256}


def parse_file_entry(entry: Mapping[str, Any]) -> FileEntry:
    """The entry of a checkpoint or a state; raises one of :data:`INDEX_ERRORS`."""
    return FileEntry(epoch_number(entry["epoch"]), int(entry["bytes"]), str(entry["sha256"]))


def parse_metrics(content: Mapping[str, Any]) -> dict[str, MetricEntry]:
    """The metrics' entries; raises one of :data:`INDEX_ERRORS`."""
    return {
        str(name): MetricEntry(int(entry["records"]), str(entry["sha256"]))
        for name, entry in content.items()
    }


def parse_resume(content: Sequence[Any]) -> list[FileEntry | None]:
    """The entries of :func:`resume_content`; raises one of :data:`INDEX_ERRORS`."""
    return [None if entry is None else parse_file_entry(entry) for entry in content]


def encode_facts(facts: Mapping[str, Any]) -> bytes:
    """The bytes of ``run.json``; raises :class:`InputError` for a fact that JSON cannot hold."""
    content = {str(key): json_value(value, str(key)) for key, value in facts.items()}
    return encode_document({**content, "format": FORMAT}, indent=2)


def decode_facts(data: bytes) -> dict[str, Any]:
    """The facts in ``run.json``, including ``format``; raises :class:`DamagedFile`."""
    return decode_document(data, indent=2)


def json_value(value: Any, key: str) -> Any:
    """``value`` in JSON types, converted from numpy scalars, arrays, paths, tuples and sets.

    Raises :class:`InputError` for anything else, naming it by ``key``.
    """
    if isinstance(value, Mapping):
        return {str(k): json_value(v, f"{key}.{k}") for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        try:
            items = sorted(value) if isinstance(value, (set, frozenset)) else value
        except TypeError as error:
            raise InputError(
                f"the fact {key} is a set of values that have no order; give a list"
            ) from error
        return [json_value(v, f"{key}[{i}]") for i, v in enumerate(items)]
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"the fact {key} is {value}, which JSON cannot hold; give it as text")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return json_value(value.tolist(), key)
    raise InputError(
        f"the fact {key} is a {type(value).__name__}, which JSON cannot hold; "
        "give text, numbers, lists or mappings"
    )


def encode_document(content: Mapping[str, Any], indent: int | None) -> bytes:
    """The canonical bytes of a JSON document that contains the SHA-256 of its own content."""
    digest = hashlib.sha256(_dump(content, None)).hexdigest()
    return _dump({**content, "checksum": digest}, indent) + b"\n"


def decode_document(data: bytes, indent: int | None) -> dict[str, Any]:
    """The document's content without its checksum; raises :class:`DamagedFile`."""
    content = parse_object(data)
    if not isinstance(content.pop("checksum", None), str):
        raise DamagedFile("it carries no checksum")
    if encode_document(content, indent) != data:
        raise DamagedFile("its checksum does not match its content")
    return content


def parse_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object without checking its content; raises :class:`DamagedFile`."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedFile("it is not readable JSON") from error
    if not isinstance(content, dict):
        raise DamagedFile("it is not a JSON object")
    return content


def _dump(content: Mapping[str, Any], indent: int | None) -> bytes:
    separators = (",", ":") if indent is None else None
    return json.dumps(content, sort_keys=True, indent=indent, separators=separators).encode()


def read_regular(file: Path) -> bytes:
    """The bytes of a file; raises :class:`DamagedFile` for a pipe or a device, and ``OSError``."""
    check_regular(file)
    return file.read_bytes()


def check_regular(file: Path) -> None:
    """Raise DamagedFile for a pipe or a device, of which reading might never end."""
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a folder is an OSError when read
        raise DamagedFile("it is a pipe or a device and not a file")


def check_format(
    path: Path, data: bytes, indent: int | None, kind: str = "run", newest: int = ARRAYS_FORMAT
) -> None:
    """Raise InputError if a document of the ``kind`` at ``path`` has a newer format.

    Raises :class:`DamagedFile` if it carries a checksum that does not match: every format is
    sealed alike, or not at all.
    """
    content = parse_object(data)
    version = content.get("format")
    if not isinstance(version, int) or version <= newest:
        return
    if "checksum" in content:
        decode_document(data, indent)
    raise InputError(
        f"{path} is a {kind} of format {version} and this grokviz reads up to {newest}; "
        "upgrade: pip install --upgrade grokviz"
    )


def epoch_number(epoch: Any) -> int:
    """The epoch as an int; raises :class:`InputError` unless it is a whole number from 0 on."""
    try:
        number = operator.index(epoch)
    except TypeError:
        number = -1
    if isinstance(epoch, bool) or not 0 <= number < 2**53:
        raise InputError(f"the epoch {epoch!r} is not a whole number from 0 on; count epochs")
    return number


def checkpoint_file(epoch: int) -> str:
    """Name of the checkpoint of ``epoch``, relative to the run."""
    return f"{CHECKPOINTS}/{epoch}.safetensors"


def array_file(epoch: int) -> str:
    """Name of the file of the arrays recorded at ``epoch``, relative to the run."""
    return f"{ARRAYS}/{epoch}.safetensors"


def metric_file(name: str) -> str:
    """Name of the file of metric ``name``, relative to the run.

    Anything but letters, digits, ``_``, ``-``, ``~`` and inner dots is percent-encoded, so that
    no metric is written outside the folder. Raises :class:`InputError` for an empty name, or one
    of more than 200 encoded characters.
    """
    try:
        text = quote(name, safe="")
    except UnicodeEncodeError:
        text = ""
    text = "%2E" + text[1:] if text.startswith(".") else text
    if not 0 < len(text) <= 200:
        raise InputError(f"a metric cannot be called {name[:40]!r}; give a short readable name")
    return f"{METRICS}/{text}.f64"


def checkpoint_epoch(file: str) -> int | None:
    """The epoch of a checkpoint from its base name; None for any other file."""
    match = _CHECKPOINT.fullmatch(file)
    return int(match[1]) if match else None


def journal_file(number: int | None) -> str:
    """Name of the journal of this number, relative to the run."""
    return f"index.{number}.jsonl"


def is_run_file(folder: str, file: str) -> bool:
    """Whether a base name in ``folder`` is that of a checkpoint, arrays, a metric or a journal."""
    if not folder:
        return _JOURNAL.fullmatch(file) is not None
    if folder in (CHECKPOINTS, ARRAYS):
        return checkpoint_epoch(file) is not None
    return folder == METRICS and file.endswith(".f64") and not is_temporary(file)


def is_temporary(file: str) -> bool:
    """Whether a base name is that of a temporary file, which only a killed writer leaves behind."""
    return _TEMPORARY.fullmatch(file) is not None
