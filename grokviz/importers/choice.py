"""Selection of the importer of a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from grokviz import plugins
from grokviz.errors import InputError
from grokviz.importers.contract import (
    IMPORTERS,
    Belief,
    Hints,
    Importer,
    RunContents,
    Source,
    is_address,
)
from grokviz.importers.reading.opening import digest_of_file, open_source

MOST_NAMED = 50
"""Classes of a source that are named, if it holds objects of more."""

NOT_LOADED = "not loaded"
_NEVER = "a class that is never imported; of its objects the plain fields are read"


class UnknownKind(InputError):
    """A file that was opened, and is of no importer's kind."""


def importers(extra: ModuleType | None = None) -> list[Importer]:
    """All importers in the order in which they are tried; those of ``extra`` first."""
    extra_importers = IMPORTERS.members(extra) if extra is not None else {}
    installed = plugins.find_all(IMPORTERS)
    remaining = [importer for name, importer in installed.items() if name not in extra_importers]
    return [
        *extra_importers.values(),
        *sorted(remaining, key=lambda importer: (importer.order, importer.name)),
    ]


def importer_of(source: Source, extra: ModuleType | None = None) -> Importer:
    """The importer of a source; raises :class:`InputError` with the known kinds if none fits."""
    candidates = importers(extra)
    for importer in candidates:
        if importer.recognises(source):
            return importer
    kinds = "; ".join(importer.title for importer in candidates)
    raise UnknownKind(f"{source.path} holds nothing that grokviz can import; give one of: {kinds}")


def read_file(
    path: Path, hints: Hints | None = None, extra: ModuleType | None = None
) -> tuple[Source, Importer, list[RunContents]]:
    """Open a file or folder, find its importer, and read the runs in it.

    Raises :class:`InputError` for a file that cannot be read completely and safely.
    """
    source, importer = opened(path, extra)
    return source, importer, read_opened(source, importer, hints or Hints())


def read_opened(source: Source, importer: Importer, hints: Hints) -> list[RunContents]:
    """The runs in a source, with what was not loaded of it."""
    runs = importer.read(source, hints)
    if runs:
        runs[0].beliefs += not_loaded(source.stubs, runs[0].beliefs)
    return runs


def not_loaded(stubs: Iterable[str], beliefs: Iterable[Belief] = ()) -> list[Belief]:
    """The beliefs about classes of which stubs were made, without those that are there already.

    Together they name no more than MOST_NAMED classes.
    """
    before = {belief.value for belief in beliefs if belief.what == NOT_LOADED}
    new = [name for name in dict.fromkeys(stubs) if name not in before]
    return [Belief(NOT_LOADED, name, _NEVER) for name in new[: max(0, MOST_NAMED - len(before))]]


def opened(path: Path, extra: ModuleType | None = None) -> tuple[Source, Importer]:
    """A file or folder and its importer; importers that open files themselves are asked first.

    Raises :class:`InputError` for a file of no known kind.
    """
    openers = [candidate for candidate in importers(extra) if candidate.unopened]
    # of a name too long Path.is_file raises
    is_file = os.path.isfile(path)  # noqa: PTH113
    if openers and (is_file or is_address(path)):
        source = Source(path)
        opener = next((candidate for candidate in openers if candidate.recognises(source)), None)
        if opener is not None:
            return replace(source, sha256=digest_of_file(path) if is_file else ""), opener
    source = open_source(path)
    return source, importer_of(source, extra)
