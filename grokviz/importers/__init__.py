"""Published formats as runs: a registry of importers, one kind of file each.

The contract of an importer (a file of this folder that defines ``IMPORTER``):

* ``recognises(source)`` looks at a :class:`Source` and says whether it is of its kind. It reads
  no further file, raises nothing, and is content with an approximate look: the first importer
  of ``IMPORTERS`` that recognises a source has it.
* ``read(source, wishes)`` gives the runs in it as :class:`Found`, one for most kinds. What it
  took from anywhere but a plain statement of the file, and which of two contradicting
  statements it took, is a :class:`Belief`. Wrong, missing or not finite numbers are an
  :class:`~grokviz.errors.InputError` that names the file, the tensor and a remedy.
* Weights leave under the published state-dict names and shapes where the model has such
  (:mod:`~grokviz.importers.layouts`), else as they are.

Opening is not an importer's affair: :func:`open_source` does it, and never runs anything.
To add a kind: a file here, its ``IMPORTER`` in ``IMPORTERS``, its line in docs/importing.md.
"""

from __future__ import annotations

from pathlib import Path

from grokviz.errors import InputError
from grokviz.importers.contract import Belief, Curve, Found, Importer, Source, Wishes
from grokviz.importers.kinds.curves import IMPORTER as CURVES
from grokviz.importers.kinds.final_model import IMPORTER as FINAL_MODEL
from grokviz.importers.kinds.folder import IMPORTER as FOLDER
from grokviz.importers.kinds.full_run import IMPORTER as FULL_RUN
from grokviz.importers.kinds.state_dict import IMPORTER as STATE_DICT
from grokviz.importers.kinds.sweep import IMPORTER as SWEEP
from grokviz.importers.reading.opening import open_source

IMPORTERS: tuple[Importer, ...] = (
    FOLDER,
    FULL_RUN,
    FINAL_MODEL,
    SWEEP,
    CURVES,
    STATE_DICT,
)

__all__ = [
    "IMPORTERS",
    "Belief",
    "Curve",
    "Found",
    "Importer",
    "Source",
    "Wishes",
    "importer_of",
    "open_source",
    "read_file",
]


def importer_of(source: Source) -> Importer:
    """The importer of a source; :class:`InputError` lists the kinds there are."""
    for importer in IMPORTERS:
        if importer.recognises(source):
            return importer
    kinds = "; ".join(importer.title for importer in IMPORTERS)
    raise InputError(f"{source.path} holds nothing that can be imported; give one of: {kinds}")


def read_file(path: Path, wishes: Wishes | None = None) -> tuple[Source, Importer, list[Found]]:
    """Open a file or folder, find its importer, and read the runs in it.

    Raises :class:`InputError` for whatever cannot be read safely and whole.
    """
    source = open_source(path)
    importer = importer_of(source)
    return source, importer, importer.read(source, wishes or Wishes())
