"""Bundled references: real runs made with this code, ready to draw without torch.

A reference is a folder with NetCDF parts (``core.nc``, then parts that later work adds and
never rewrites), ``run.json`` and the float32 weights of four checkpoints, from which a test
recomputes the bundled measures.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.analysis import curves, schema
from grokviz.analysis.cache import analyze, read, write
from grokviz.errors import InputError, nearest
from grokviz.trajectory import Run, open_run

if TYPE_CHECKING:
    import xarray as xr

DEFAULT = "modular-addition"


def folder() -> Path:
    """Where references lie: inside the installed package, or in the repository's assets."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "assets" / "reference"
    return inside if inside.is_dir() else package.parent / "assets" / "reference"


def references() -> list[str]:
    """Names of the bundled references."""
    return sorted(path.parent.name for path in folder().glob("*/core.nc"))


@lru_cache(maxsize=4)
def _reference(name: str) -> xr.Dataset:
    import xarray as xr

    parts = sorted((folder() / name).glob("*.nc"))
    loaded = [read(part) for part in parts]
    data = xr.merge(loaded, compat="no_conflicts", join="outer", combine_attrs="override")
    data.attrs = dict(read(folder() / name / "core.nc").attrs)
    return data


def reference(name: str = DEFAULT) -> xr.Dataset:
    """The dataset of a bundled reference; ``InputError`` names the nearest one."""
    if name not in references():
        raise InputError(f"there is no reference {name}: {nearest(name, references())}")
    return _reference(name).copy()


def reference_facts(name: str = DEFAULT) -> dict[str, Any]:
    """What ``run.json`` of a bundled reference says."""
    facts: dict[str, Any] = json.loads((folder() / name / "run.json").read_text("utf-8"))
    return facts


def load(
    source: xr.Dataset | Run | str | os.PathLike[str] | None = None,
    needs: Iterable[str] | None = None,
    *,
    default: str = DEFAULT,
    report: Any = None,
) -> xr.Dataset:
    """The dataset of whatever a user may name.

    Args:
        source: a dataset, an open run, a run directory, a ``.nc`` file, the name of a bundled
            reference, or None for ``default``.
        needs: variables that must be there; only the parts that make them are computed.
        default: the reference taken for None.
        report: called with (done, all) checkpoints while a run is analysed.

    Raises:
        InputError: nothing of that name, or a dataset without a variable that is needed.

    """
    data = _load(source, needs, default, report)
    if needs is not None:
        schema.check(data, needs)
    return data


def _load(source: Any, needs: Iterable[str] | None, default: str, report: Any) -> xr.Dataset:
    found = named(source, default)
    if not isinstance(found, Run):
        return found
    parts = None if needs is None else _parts(found, needs)
    return analyze(found, parts, report=report)


def named(source: Any, default: str = DEFAULT) -> xr.Dataset | Run:
    """The run or the dataset that :func:`load` means by ``source``; raises as it does."""
    if source is None:
        return reference(default)
    if not isinstance(source, (str, os.PathLike)):
        given: xr.Dataset | Run = source
        return given
    path = Path(source)
    if str(source) in references() and not path.exists():
        return reference(str(source))
    if path.suffix == ".nc" and path.is_file():
        return _read_given(path)
    if not path.exists() and path.name == str(source):
        names = references()
        raise InputError(
            f"there is neither a run directory nor a reference called {source}: "
            f"{nearest(str(source), names)}"
        )
    return open_run(path)


def _parts(run: Run, needs: Iterable[str]) -> list[str]:
    from grokviz.analysis.assemble import available
    from grokviz.analysis.parts import PARTS, tasks_of

    wanted, known = schema.parts_of(needs), available(run)
    for part in wanted:
        if part in known:
            continue
        remedy = "try grokking-curve, which any run with losses has the data for"
        tasks = tasks_of(part)
        task = run.facts.get("task")
        if task not in PARTS or task not in tasks:
            said = f"its task is {task}" if task else "it does not say its task"
            raise InputError(
                f"{run.path} cannot be drawn so: this needs a run of {' or '.join(tasks)} and "
                f"{said}; {remedy}"
                + ("" if task else f", or record the run with task={tasks[0]!r}")
            )
        lacking = PARTS[str(task)][part].lacks(run)
        raise InputError(f"{run.path} cannot be drawn so: it has no {lacking}; {remedy}")
    return wanted


def _read_given(path: Path) -> xr.Dataset:
    try:
        return read(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read as NetCDF: {error}; make it anew") from error


SUMS = "SHA256SUMS"


def reference_info(name: str = DEFAULT, *, verify: bool = False) -> dict[str, Any]:
    """A bundled reference as ``grokviz info`` shows it; ``problems`` only where ``verify``."""
    data, facts = reference(name), reference_facts(name)
    epochs = data["epoch"].values
    return {
        "name": name,
        "path": f"bundled reference {name}",
        "recipe": facts.get("recipe"),
        "task": facts.get("task"),
        "precision": facts.get("precision"),
        "epochs": int(epochs[-1]),
        "checkpoints": len(epochs),
        "weights": sorted(int(f.stem) for f in (folder() / name).glob("weights/*.safetensors")),
        "variables": sorted(map(str, data.data_vars)),
        "facts": facts,
        "checksum": data.attrs["run_checksum"],
        "problems": _damaged(folder() / name) if verify else [],
    }


def _damaged(place: Path) -> list[str]:
    """Files of a reference that are not as they were bundled."""
    found = []
    for line in (place / SUMS).read_text("utf-8").splitlines():
        digest, _, file = line.partition("  ")
        path = place / file
        if not path.is_file():
            found.append(f"{file} is missing; install grokviz anew")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            found.append(f"{file} is not as it was bundled; install grokviz anew")
    return found


def bundle(run: Run, to: Path, part: str, epochs: Sequence[int], report: Any = None) -> Path:
    """Add a part of a run's dataset to a bundled reference.

    Args:
        run: the run it is made from.
        to: the reference's folder; the first part also gets ``run.json`` and four checkpoints.
        part: ``core`` (with what every run has), or another part of the run's task.
        epochs: the checkpoints analysed, the same for every part.
        report: called with (done, all) checkpoints.

    Raises:
        InputError: the part is there already: parts are added, never rewritten.

    """
    file = to / f"{part}.nc"
    if file.exists():
        raise InputError(f"{file} is there already; parts are added, never rewritten")
    names = ["run", "core"] if part == "core" else [part]
    data = analyze(run, names, epochs=epochs, cache=False, report=report)
    write(data, file)
    if part == "core":
        (to / "run.json").write_bytes((run.path / "run.json").read_bytes())
        _bundle_weights(run, to, data)
    files = sorted(f for f in to.rglob("*") if f.is_file() and f.name != SUMS)
    lines = [
        f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(to).as_posix()}"
        for f in files
    ]
    (to / SUMS).write_text("\n".join(lines) + "\n", "utf-8")
    return file


def _bundle_weights(run: Run, to: Path, data: xr.Dataset) -> None:
    """The initial, memorised, grok - 3000 and last checkpoints, as they lie in the run."""
    epochs, ends = data["epoch"].values, data["phase_end"].values
    test = data["loss"].sel(split="test").values
    grok = curves.grok_index(test)
    wanted = [0, ends[0], (epochs[grok] if grok is not None else epochs[-1]) - 3000, epochs[-1]]
    for epoch in sorted({int(epochs[np.abs(epochs - w).argmin()]) for w in wanted}):
        target = to / "weights" / f"{epoch}.safetensors"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((run.path / "checkpoints" / target.name).read_bytes())
