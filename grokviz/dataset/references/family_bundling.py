"""Creation of a bundled reference from several runs, for ``grokviz bundle``.

It contains the family's dataset, the facts and checksum of every member in ``family.json``, and
the last weights of a few members, from which
``tests/analysis/test_analysis_family_references.py`` recomputes those members' numbers. The
weights of a member that is a reference of its own are in that reference.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grokviz.dataset.cache import encode
from grokviz.dataset.families.family import family, runs_of
from grokviz.dataset.references.bundling import plain_command, write_part
from grokviz.dataset.references.reference import FAMILY
from grokviz.errors import InputError
from grokviz.files import check_writable
from grokviz.runs import Run

FILE = "family.nc"


def bundle_family(
    sources: Sequence[Path], to: Path, weights: Sequence[str] = (), report: Any = None
) -> Path:
    """Bundle the dataset of several runs.

    Args:
        sources: run directories and folders of sweeps.
        to: the reference's folder.
        weights: names or numbers of the members whose last weights are kept.
        report: called with the members completed and the total.

    Raises:
        InputError: the folder already has such a dataset, a published run is among the
            members (their files have no licence), or a member of ``weights`` has none.

    """
    target = to / FILE
    if target.exists():
        raise InputError(f"{target} is there already; parts are added, never rewritten")
    check_writable(target)
    runs = runs_of(sources)
    data = family(runs, cache=False, report=report)
    names = [str(name) for name in data["member_name"].values]
    published = [name for name, run in zip(names, runs, strict=True) if "imported" in run.facts]
    if published:
        raise InputError(
            f"{published[0]} is a published run, which cannot be bundled; leave it out"
        )
    indices = [_member_index(names, runs, member) for member in weights]
    facts = {
        "recipe": data.attrs["recipe"],
        "task": data.attrs["task"],
        "settings": json.loads(data.attrs["settings"]),
        "checksums": {name: run.checksum for name, run in zip(names, runs, strict=True)},
        "members": {name: _facts(run) for name, run in zip(names, runs, strict=True)},
    }
    others = {FAMILY: (json.dumps(facts, indent=1, sort_keys=True) + "\n").encode()}
    for i in indices:
        last = runs[i].checkpoint_bytes(int(runs[i].epochs[-1]))
        others[f"weights/{names[i].replace('/', ':')}.safetensors"] = last
    write_part(to, FILE, encode(data), others)
    return target


def _member_index(names: Sequence[str], runs: Sequence[Run], member: str) -> int:
    if member not in names and not (member.isdigit() and int(member) < len(names)):
        raise InputError(f"there is no member {member}; the members are {', '.join(names)}")
    i = names.index(member) if member in names else int(member)
    if not len(runs[i].epochs):
        raise InputError(f"{names[i]} has no checkpoints; choose another member for --weights")
    return i


def _facts(run: Run) -> dict[str, Any]:
    facts = {key: value for key, value in run.facts.items() if key != "format"}
    return {**facts, "command": plain_command(facts.get("command") or "")}
