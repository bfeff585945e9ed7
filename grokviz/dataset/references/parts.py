"""Which part of a bundled reference holds what, so that only those that are needed are opened.

``parts.json`` lists the variables and coordinates of each of several parts, with its length in
bytes: a list that is not of the files beside it is not believed, and the parts themselves are
looked into.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from pathlib import Path

from grokviz.dataset.netcdf import names_in

PARTS = "parts.json"

Holdings = dict[str, list[str]]
"""The names of what each part holds, by the part's file; of a part without others, none."""


def holdings(root: Path) -> Holdings:
    """What each part of a reference holds."""
    sizes = {part.name: part.stat().st_size for part in sorted(root.glob("*.nc"))}
    if len(sizes) == 1:
        return {name: [] for name in sizes}
    listed = _listed(root)
    if {name: size for name, (size, _) in listed.items()} == sizes:
        return {name: listed[name][1] for name in sizes}
    return {name: names_in((root / name).read_bytes()) for name in sizes}


def listing(root: Path, more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The file ``parts.json`` of a reference's parts, and of ``more`` that are about to be there.

    Nothing for a reference of one part.
    """
    parts = {part.name: part.read_bytes() for part in root.glob("*.nc")} | dict(more or {})
    if len(parts) == 1:
        return {}
    rows = [
        f"{json.dumps(name)}: {json.dumps({'bytes': len(content), 'holds': names_in(content)})}"
        for name, content in sorted(parts.items())
    ]
    return {PARTS: ("{\n" + ",\n".join(rows) + "\n}\n").encode()}


def parts_of(held: Holdings, main: str, names: Set[str] | None) -> list[str]:
    """The parts to read for these names beside the ``main`` one; all of them without names.

    Of several parts that hold the same coordinate one that is read anyway, else the smallest.
    """
    if names is None:
        return [part for part in held if part != main]
    holders = [[part for part, inside in held.items() if name in inside] for name in sorted(names)]
    parts = {main}
    for having in sorted(filter(None, holders), key=len):
        if parts.isdisjoint(having):
            parts.add(min(having, key=lambda part: len(held[part])))
    return [part for part in held if part in parts - {main}]


def _listed(root: Path) -> dict[str, tuple[int, list[str]]]:
    try:
        rows = json.loads((root / PARTS).read_text("utf-8"))
        return {name: (int(row["bytes"]), list(row["holds"])) for name, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
