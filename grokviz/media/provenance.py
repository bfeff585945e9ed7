"""The provenance of a picture or film, stored inside the file.

Every format stores the title, the alt text and one line of JSON with the whole
:class:`Provenance`. It contains no dates and no machine, so the same command gives the same
bytes. :func:`read_provenance` reads it from any file.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grokviz.errors import InputError
from grokviz.media.plain import clean_text

MARK = "grokviz"


@dataclass(frozen=True)
class Provenance:
    """Title, what to watch, alt text and origin of one picture or film."""

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
    watch: str = ""

    def __post_init__(self) -> None:
        """Clean the texts, which end up in files that hold no control characters."""
        for field_ in dataclasses.fields(self):
            value = getattr(self, field_.name)
            if isinstance(value, str):
                object.__setattr__(self, field_.name, clean_text(value))

    def as_json(self) -> str:
        """One line of JSON, keys sorted, empty fields left out, ASCII only."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields = {
            key: _json_value(value) for key, value in values.items() if value not in ("", (), {})
        }
        return json.dumps({MARK: fields}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """The inverse of :meth:`as_json`; raises ``ValueError`` for any other text."""
        content = json.loads(text)
        if not isinstance(content, dict) or MARK not in content:
            raise ValueError("no grokviz provenance in it")
        names = {f.name for f in dataclasses.fields(cls)}
        fields = {key: value for key, value in content[MARK].items() if key in names}
        fields["epochs"] = tuple(fields.get("epochs", ()))
        return cls(**{"title": ""} | fields)


def _json_value(value: Any) -> Any:
    """Convert numpy scalars, paths and tuples to types that JSON has."""
    if isinstance(value, Mapping):
        return {clean_text(str(key)): _json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _json_value(value.item()) if hasattr(value, "item") else clean_text(str(value))


def library_versions(*names: str) -> dict[str, str]:
    """Installed versions of ``names`` (default: libraries that draw and encode)."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in names or ("grokviz", "matplotlib", "numpy", "av"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def find(text: str) -> Provenance | None:
    """The first provenance in a longer text, or None."""
    start = text.find('{"' + MARK + '":')
    while start >= 0:
        try:
            _, end = json.JSONDecoder().raw_decode(text, start)
            return Provenance.from_json(text[start:end])
        except ValueError:
            start = text.find('{"' + MARK + '":', start + 1)
    return None


def read_provenance(path: str | Path) -> Provenance:
    """Read the provenance of the picture or film at ``path``, or of a folder of frames.

    Raises :class:`InputError` if there is no such file or it is not from grokviz.
    """
    from grokviz.media.formats import format_of, reader_of

    path = Path(path)
    if not path.is_file() and not path.is_dir():
        what = f"{path} is a pipe or a device" if path.exists() else f"there is no file {path}"
        raise InputError(f"{what}; give a picture or film that grokviz has written")
    reader = reader_of(format_of(f"{path}/" if path.is_dir() else path))
    try:
        provenance = find(reader.text(path)) if reader is not None else None
    except InputError:
        raise
    except Exception as error:  # each decoder raises its own errors for a damaged file
        raise InputError(f"cannot read {path}: {error}") from error
    if provenance is None:
        raise InputError(
            f"{path} carries no provenance; give a picture or film that grokviz has written"
        )
    return provenance
