"""Which importer has a file."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from grokviz import plugins
from grokviz.errors import InputError
from grokviz.importers.contract import IMPORTERS, Found, Hints, Importer, Source
from grokviz.importers.reading.opening import digest_of_file, open_source


def importers(extra: ModuleType | None = None) -> list[Importer]:
    """All importers in the order in which they are asked; those of ``extra`` first."""
    own = IMPORTERS.members(extra) if extra is not None else {}
    others = plugins.find_all(IMPORTERS)
    rest = [one for name, one in others.items() if name not in own]
    return [*own.values(), *sorted(rest, key=lambda one: (one.order, one.name))]


def importer_of(source: Source, extra: ModuleType | None = None) -> Importer:
    """The importer of a source; :class:`InputError` lists the kinds there are."""
    known = importers(extra)
    for importer in known:
        if importer.recognises(source):
            return importer
    kinds = "; ".join(importer.title for importer in known)
    raise InputError(f"{source.path} holds nothing that can be imported; give one of: {kinds}")


def read_file(
    path: Path, hints: Hints | None = None, extra: ModuleType | None = None
) -> tuple[Source, Importer, list[Found]]:
    """Open a file or folder, find its importer, and read the runs in it.

    Raises :class:`InputError` for whatever cannot be read safely and whole.
    """
    try:
        source = open_source(path)
        importer = importer_of(source, extra)
    except InputError:
        openers = [one for one in importers(extra) if one.unopened]
        if not openers or not path.is_file():
            raise
        source = Source(path, digest_of_file(path))
        opener = next((one for one in openers if one.recognises(source)), None)
        if opener is None:
            raise
        importer = opener
    return source, importer, importer.read(source, hints or Hints())
