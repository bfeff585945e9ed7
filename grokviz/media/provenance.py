"""What made a picture, carried inside the file.

Every format keeps the same three things: the title, the alt text and one line of JSON
that holds the whole :class:`Provenance`. It says nothing of dates or machines, so the
same command gives the same bytes. :func:`read_provenance` finds it in any file.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grokviz.errors import InputError

MARK = "grokviz"


@dataclass(frozen=True)
class Provenance:
    """Title, alt text and origin of one picture or film."""

    title: str
    alt: str = ""
    caption: str = ""
    scene: str = ""
    run_name: str = ""
    run_checksum: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    epochs: tuple[int | float, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    command: str = ""

    def as_json(self) -> str:
        """One line of JSON, keys sorted, empty fields left out, ASCII only."""
        filled = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields = {key: _plain(value) for key, value in filled.items() if value not in ("", (), {})}
        return json.dumps({MARK: fields}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """The inverse of :meth:`as_json`; ``ValueError`` if it is not ours."""
        read = json.loads(text)
        if not isinstance(read, dict) or MARK not in read:
            raise ValueError("no grokviz provenance in it")
        known = {f.name for f in dataclasses.fields(cls)}
        fields = {key: value for key, value in read[MARK].items() if key in known}
        fields["epochs"] = tuple(fields.get("epochs", ()))
        return cls(**{"title": ""} | fields)


def _plain(value: Any) -> Any:
    """JSON's own types of numpy scalars, paths and tuples."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return _plain(value.item()) if hasattr(value, "item") else str(value)


def library_versions(*names: str) -> dict[str, str]:
    """Installed versions of ``names`` (default: what draws and encodes) for a provenance."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in names or ("grokviz", "matplotlib", "numpy", "av"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def find(text: str) -> Provenance | None:
    """The first provenance line inside a longer text."""
    start = text.find('{"' + MARK + '":')
    while start >= 0:
        try:
            _, end = json.JSONDecoder().raw_decode(text, start)
            return Provenance.from_json(text[start:end])
        except ValueError:
            start = text.find('{"' + MARK + '":', start + 1)
    return None


def read_provenance(path: str | Path) -> Provenance:
    """What made the picture or film at ``path`` (any format, or a folder of frames).

    Raises :class:`InputError` if there is no such file or it is not from grokviz.
    """
    from grokviz.media.formats import format_of, reader_of

    path = Path(path)
    if not path.exists():
        raise InputError(f"no file {path}: give a picture or film that grokviz has written")
    reader = reader_of(format_of(f"{path}/" if path.is_dir() else path))
    try:
        provenance = find(reader.text(path)) if reader is not None else None
    except InputError:
        raise
    except Exception as error:  # a broken file fails in as many ways as there are decoders
        raise InputError(f"cannot read {path}: {error}") from error
    if provenance is None:
        raise InputError(f"{path} carries no provenance: it was not written by grokviz")
    return provenance
