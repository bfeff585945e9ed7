"""The names and documents of a run directory.

``run.json`` and ``index.json`` are written in one exact form and carry the SHA-256 of
their own content, so that a single changed byte is noticed. File names are derived from
epochs and metric names and never taken from what a document says.
"""

from __future__ import annotations

import hashlib
import json
import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grokviz.errors import InputError

FORMAT = 1
"""Version of the run directory this code writes, and the newest it reads."""

RUN, INDEX, RESUME, LOCK = "run.json", "index.json", "resume.safetensors", ".lock"
METRICS, CHECKPOINTS = "metrics", "checkpoints"

CREATION_FACTS = frozenset({"format", "created", "command", "host", "folder"})
"""Facts about how a run came to be; they do not enter its checksum."""

_CHECKPOINT = re.compile(r"(0|[1-9][0-9]*)\.safetensors")
_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}\.part(\.\w+)?")

_NOT_AN_INDEX = (
    KeyError, TypeError, ValueError, AttributeError, OverflowError,
    InputError,  # an epoch or a metric's name that no run can have
)  # fmt: skip


class Damaged(Exception):
    """A document or file of a run is not what was written."""


@dataclass(frozen=True)
class Stored:
    """One finished file: the epoch it holds, its size and its SHA-256."""

    epoch: int
    size: int
    sha256: str

    @classmethod
    def of(cls, epoch: int, data: bytes) -> Stored:
        """The entry for a file that holds exactly ``data``."""
        return cls(epoch, len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class Records:
    """The first ``records`` records of a metric file and the SHA-256 over exactly those."""

    records: int
    sha256: str


@dataclass
class Index:
    """What ``index.json`` says: the finished files of a run, and nothing else.

    ``resume`` lists what ``resume.safetensors`` may be: one entry normally, two while it is
    being replaced; ``None`` stands for "no such file yet". ``format`` is the one that the
    document was read in.
    """

    checkpoints: dict[int, Stored] = field(default_factory=dict)
    metrics: dict[str, Records] = field(default_factory=dict)
    resume: list[Stored | None] = field(default_factory=lambda: [None])
    finished: bool = False
    format: int = field(default_factory=lambda: FORMAT, compare=False)

    def encode(self) -> bytes:
        """The bytes of ``index.json``."""
        content = {
            "format": self.format,
            "finished": self.finished,
            "checkpoints": [
                {"file": checkpoint_file(e), **_entry(s)}
                for e, s in sorted(self.checkpoints.items())
            ],
            "metrics": {
                name: {"file": metric_file(name), "records": r.records, "sha256": r.sha256}
                for name, r in self.metrics.items()
            },
            "resume": [None if s is None else _entry(s) for s in self.resume],
        }
        return seal(content, indent=None)

    @classmethod
    def decode(cls, data: bytes) -> Index:
        """The index in ``data``; raises :class:`Damaged` with what is wrong."""
        content = unseal(data, indent=None)
        try:
            stored = [_stored(entry) for entry in content["checkpoints"]]
            index = cls(
                checkpoints={s.epoch: s for s in stored},
                metrics={
                    str(name): Records(int(entry["records"]), str(entry["sha256"]))
                    for name, entry in content["metrics"].items()
                },
                resume=[None if entry is None else _stored(entry) for entry in content["resume"]],
                finished=bool(content["finished"]),
                format=int(content["format"]),
            )
            again = index.encode()
        except _NOT_AN_INDEX as error:
            raise Damaged(f"it is not an index of this format ({error!r})") from error
        if again != data:
            raise Damaged("it names files that a run does not have")
        return index


def _entry(stored: Stored) -> dict[str, Any]:
    return {"epoch": stored.epoch, "bytes": stored.size, "sha256": stored.sha256}


def _stored(entry: Mapping[str, Any]) -> Stored:
    return Stored(whole(entry["epoch"]), int(entry["bytes"]), str(entry["sha256"]))


def encode_facts(facts: Mapping[str, Any]) -> bytes:
    """The bytes of ``run.json`` for these facts; :class:`InputError` names one JSON cannot hold."""
    content = {str(key): plain(value, str(key)) for key, value in facts.items()}
    return seal({**content, "format": FORMAT}, indent=2)


def decode_facts(data: bytes) -> dict[str, Any]:
    """The facts in ``run.json``, ``format`` with them; raises :class:`Damaged`."""
    return unseal(data, indent=2)


def plain(value: Any, key: str) -> Any:
    """``value`` as JSON holds it: numpy scalars, arrays, paths and tuples become plain."""
    if isinstance(value, Mapping):
        return {str(k): plain(v, f"{key}.{k}") for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        try:
            items = sorted(value) if isinstance(value, (set, frozenset)) else value
        except TypeError as error:
            raise InputError(
                f"the fact {key} is a set of values that have no order; give a list"
            ) from error
        return [plain(v, f"{key}[{i}]") for i, v in enumerate(items)]
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"the fact {key} is {value}, which JSON cannot hold; give it as text")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist(), key)
    raise InputError(
        f"the fact {key} is a {type(value).__name__}, which JSON cannot hold; "
        "give text, numbers, lists or mappings"
    )


def seal(content: Mapping[str, Any], indent: int | None) -> bytes:
    """A document with the SHA-256 of its own content, in the one form it may have."""
    digest = hashlib.sha256(_dump(content, None)).hexdigest()
    return _dump({**content, "checksum": digest}, indent) + b"\n"


def unseal(data: bytes, indent: int | None) -> dict[str, Any]:
    """The content of a sealed document without its checksum; raises :class:`Damaged`."""
    content = parse(data)
    if not isinstance(content.pop("checksum", None), str):
        raise Damaged("it carries no checksum")
    if seal(content, indent) != data:
        raise Damaged("its checksum does not match its content")
    return content


def parse(data: bytes) -> dict[str, Any]:
    """A JSON object, whatever it says; raises :class:`Damaged` when it is not one."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Damaged("it is not readable JSON") from error
    if not isinstance(content, dict):
        raise Damaged("it is not a JSON object")
    return content


def _dump(content: Mapping[str, Any], indent: int | None) -> bytes:
    separators = (",", ":") if indent is None else None
    return json.dumps(content, sort_keys=True, indent=indent, separators=separators).encode()


def refuse_newer(path: Path, content: Mapping[str, Any]) -> None:
    """Raise :class:`InputError` where a document of the run at ``path`` is of a newer format."""
    version = content.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise InputError(
            f"{path} is a run of format {version} and this grokviz reads up to {FORMAT}; "
            "upgrade: pip install --upgrade grokviz"
        )


def whole(epoch: Any) -> int:
    """An epoch as a Python int; :class:`InputError` for anything but 0, 1, 2, ..."""
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


def metric_file(name: str) -> str:
    """Name of the file of metric ``name``, relative to the run.

    Anything but letters, digits, ``_``, ``-``, ``~`` and inner dots is percent-encoded, so
    no metric can leave the folder; :class:`InputError` for an empty or endless name.
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
    """The epoch of a checkpoint's base name, or None for any other file."""
    match = _CHECKPOINT.fullmatch(file)
    return int(match[1]) if match else None


def is_ours(folder: str, file: str) -> bool:
    """Whether a base name in ``folder`` is one that a writer gives to its files there."""
    if folder == CHECKPOINTS:
        return checkpoint_epoch(file) is not None
    return folder == METRICS and file.endswith(".f64") and not is_leftover(file)


def is_leftover(file: str) -> bool:
    """Whether a base name is a temporary file that a killed writer left."""
    return _LEFTOVER.fullmatch(file) is not None
