"""Bundled references: runs trained with this code, which can be drawn without torch.

A reference is a folder with NetCDF parts (``core.nc``, and parts added later, which are never
rewritten), ``run.json`` and the float32 weights of a few checkpoints, from which a test
recomputes the bundled measures. :mod:`grokviz.dataset.references.bundling` creates them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grokviz.dataset import schema, table
from grokviz.dataset.cache import decode_ours, read
from grokviz.dataset.netcdf import read_attrs
from grokviz.dataset.references.parts import holdings, parts_of
from grokviz.errors import InputError, nearest
from grokviz.task import known_task

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.runs import Run

    Source = xr.Dataset | Run | str | os.PathLike[str]

DEFAULT = "modular-addition"

MANY = ["several networks"]
"""Whose variables those are that no task has."""

CORE_FILE = "core.nc"
"""The part that is always read; of a reference without one, the first."""

TOLD = ("epoch", "phase_end", "loss")
"""What pictures tell of training beside what they draw, read of every reference that has it."""

FAMILY = "family.json"
"""The file with the facts of several runs bundled together; ``run.json`` has those of one."""


def folder() -> Path:
    """The folder of the references, in the installed package or in the repository's assets."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "assets" / "reference"
    return inside if inside.is_dir() else package.parent / "assets" / "reference"


def references() -> list[str]:
    """Names of the bundled references."""
    return sorted({path.parent.name for path in folder().glob("*/*.nc")})


@lru_cache(maxsize=8)
def _reference(name: str, needs: frozenset[str] | None) -> xr.Dataset:
    import xarray as xr

    root = folder() / name
    held = holdings(root)
    # the core holds what is said of the run, and its clocks
    main = CORE_FILE if CORE_FILE in held else next(iter(held))
    if main != CORE_FILE:
        needs = None  # a family is small, and each of its curves wants the names of its members
    core = sealed_bytes(root / main)
    names = None if needs is None else _shown(needs, read_attrs(core))
    others = [decode_ours(sealed_bytes(root / part), names) for part in parts_of(held, main, names)]
    if names is not None:
        names |= {str(dim) for part in others for dim in part.coords}
    used = [decode_ours(core, names), *others]
    data = xr.merge(used, compat="no_conflicts", join="outer", combine_attrs="override")
    data.attrs = dict(used[0].attrs)
    return _upgrade(data)


def _shown(needs: frozenset[str], attrs: Mapping[str, Any]) -> frozenset[str]:
    """What is read where this is needed of a run with these attributes."""
    task = known_task(attrs.get("task"))
    names = needs | {*TOLD} | {*(task.shared if task else ())}
    return names | {*task.ruled} if task and needs & {*task.ruled} else names


def _upgrade(data: xr.Dataset) -> xr.Dataset:
    """Upgrade a dataset, perhaps from an earlier version, by its task's current rules."""
    if "member_last_epoch" in data:
        from grokviz.dataset.families import family

        # nothing is measured at a family's moments
        moments = family.clock(data["member_last_epoch"].values)
        data = data.drop_vars("epoch").assign_coords(epoch=("epoch", moments, data["epoch"].attrs))
    task = known_task(data.attrs.get("task"))
    upgrade = task.load("by_present_rules") if task else None
    current: xr.Dataset = data if upgrade is None else upgrade(data)
    return current


def reference(name: str = DEFAULT, needs: Iterable[str] | None = None) -> xr.Dataset:
    """The dataset of a bundled reference; an ``InputError`` suggests the nearest name.

    With ``needs`` only these variables are read, with their coordinates and what every picture of
    the run shows, from the core and the parts that hold them.
    """
    if name not in references():
        raise InputError(f"there is no reference {name}: {nearest(name, references())}")
    data = _reference(name, None if needs is None else frozenset(needs)).copy()
    schema.vouch(data, map(str, data.data_vars))
    return data


def reference_facts(name: str = DEFAULT) -> dict[str, Any]:
    """The content of ``run.json``, or of ``family.json`` for several runs."""
    for file in (folder() / name / "run.json", folder() / name / FAMILY):
        if file.exists():
            facts: dict[str, Any] = json.loads(sealed_bytes(file))
            return facts
    return {}


SUMS = "SHA256SUMS"


def checksums(root: Path) -> dict[str, str]:
    """The SHA-256 of each file of a reference as it was bundled; empty where none were kept."""
    if not (root / SUMS).is_file():
        return {}
    rows = (line.partition("  ") for line in (root / SUMS).read_text("utf-8").splitlines())
    return {file: digest for digest, _, file in rows}


def sealed_bytes(file: Path) -> bytes:
    """The bytes of a reference's file; raises InputError if it has changed since it was bundled."""
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if checksums(file.parent).get(file.name, digest) != digest:
        raise InputError(f"{file} has changed since it was bundled; reinstall grokviz")
    return content


def load(
    source: Source | Sequence[Source] | None = None,
    needs: Iterable[str] | None = None,
    *,
    default: str = DEFAULT,
    report: Any = None,
) -> xr.Dataset:
    """Load the dataset of a source given by a user.

    Args:
        source: a dataset, an open run, a run directory, a ``.nc`` file, the name of a bundled
            reference, or None for ``default``; the folder of a sweep, or several of these, for
            scenes that draw many runs.
        needs: required variables or coordinates; only these are measured.
        default: the reference used for None.
        report: called with the checkpoints completed and the total while a run is analysed.

    Raises:
        InputError: an unknown source, a dataset without a required variable, or several
            runs where only one can be drawn.

    """
    data = _load(source, needs, default, report)
    if needs is not None:
        schema.check(data, needs)
    return data


def _load(source: Any, needs: Iterable[str] | None, default: str, report: Any) -> xr.Dataset:
    import xarray as xr

    sources = list(source) if isinstance(source, (list, tuple)) else [source]
    sources = sources or [None]
    several = len(sources) > 1 or _sweep(sources[0])
    if several and _takes_family(needs):
        from grokviz.dataset.families import family

        members = [item if _sweep(item) else resolve(item, default) for item in sources]
        return family.family(members, report=report)
    if len(sources) > 1:
        raise InputError(f"{len(sources)} runs were given and this draws one; give one --run")
    needs = None if needs is None else list(needs)
    resolved = resolve(sources[0], default, needs)
    if isinstance(resolved, xr.Dataset):
        if needs is None or "member" in resolved.dims or not _takes_family(needs):
            return resolved
        from grokviz.dataset.families import family

        # a family of one, as of a run, so that what draws families says what it needs
        return family.family([resolve(sources[0], default)], report=report)
    from grokviz.dataset.cache import analyze
    from grokviz.runs import Run

    if not isinstance(resolved, Run):
        return resolved
    if needs is not None and _takes_family(needs):
        from grokviz.dataset.families import family

        return family.family([resolved], report=report)
    if needs is not None:
        check_drawable(resolved, needs)
    return analyze(resolved, needs, report=report)


def _takes_family(needs: Iterable[str] | None) -> bool:
    """Whether this is drawn of many runs; anything can be, where nothing is named."""
    if needs is None:
        return True
    from grokviz.dataset.families import family

    return family.draws(needs)


def _sweep(source: Any) -> bool:
    if not isinstance(source, (str, os.PathLike)):
        return False
    from grokviz.runs.sweeps import is_sweep

    return is_sweep(Path(source))


def resolve(
    source: Any, default: str = DEFAULT, needs: Sequence[str] | None = None
) -> xr.Dataset | Run:
    """The run or dataset that ``source`` means in :func:`load`; raises as it does.

    Of a reference only the parts that hold what it ``needs`` are read.
    """
    if source is None:
        return reference(default, needs)
    if not isinstance(source, (str, os.PathLike)):
        given: xr.Dataset | Run = source
        return given
    path = Path(source)
    if str(source) in references() and not path.exists():
        return reference(str(source), needs)
    if path.suffix == ".nc" and path.is_file():
        return _read_netcdf(path)
    if not path.exists() and path.name == str(source):
        names = references()
        raise InputError(
            f"there is neither a run directory nor a reference called {source}: "
            f"{nearest(str(source), names)}"
        )
    from grokviz.runs import open_run
    from grokviz.runs.sweeps import is_sweep, members_of

    if is_sweep(path):
        raise InputError(
            f"{path} is a sweep of several runs and this takes one; give a member, such as "
            f"{members_of(path)[0]}"
        )
    return open_run(path)


def check_drawable(run: Run, needs: Iterable[str]) -> None:
    """Raise InputError, with a scene to draw instead, unless the run can have these variables."""
    run_table, task = table.table_of(run), run.facts.get("task")
    remedy = "try grokking-curve, which needs only losses"
    for name in needs:
        if name in run_table.measures:
            if lack := run_table.measures[name].lacking(run):
                raise InputError(f"{run.path} cannot be drawn so: it has no {lack}; {remedy}")
        elif name not in run_table.dimensions and name not in table.CLOCKS:
            tasks = table.tasks_with(name)
            if not tasks:
                rows = {measure.name: measure.variable for measure in run_table.measures.values()}
                schema.variable(name, rows | schema.variables())  # raises with the nearest name
                tasks = MANY
            reason = f"its task is {task}" if task else "it does not say its task"
            raise InputError(
                f"{run.path} cannot be drawn so: {name} is of runs of {' or '.join(tasks)} and "
                f"{reason}; {remedy}"
                + ("" if task or tasks == MANY else f", or record the run with task={tasks[0]!r}")
            )


def _read_netcdf(path: Path) -> xr.Dataset:
    try:
        return _upgrade(read(path))
    except Exception as error:  # HDF5 and xarray raise whatever damage leads them to
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path} cannot be read as NetCDF: {reason[:200]}; write it again"
        ) from error


def reference_info(name: str = DEFAULT, *, verify: bool = False) -> dict[str, Any]:
    """The facts of a bundled reference for ``grokviz info``; ``verify`` checks its files."""
    data, facts = reference(name), reference_facts(name)
    epochs = data["epoch"].values.tolist() if "epoch" in data.coords else []
    members = data["member_name"].values.tolist() if "member_name" in data else []
    # for loss curves alone, the clock is that of logged losses, not of checkpoints
    checkpoints = len(epochs) if "parameter" in data.coords else 0
    return {
        "name": name,
        "path": f"bundled reference {name}",
        "recipe": facts.get("recipe"),
        "task": facts.get("task"),
        "precision": facts.get("precision"),
        "epochs": epochs[-1] if epochs else None,
        "checkpoints": None if members else checkpoints,
        "members": members,
        "weights": sorted(
            int(f.stem) if f.stem.isdigit() else f.stem
            for f in (folder() / name).glob("weights/*.safetensors")
        ),
        "variables": sorted(map(str, data.data_vars)),
        "facts": facts,
        "checksum": data.attrs["run_checksum"],
        "problems": _file_problems(folder() / name) if verify else [],
    }


def _file_problems(root: Path) -> list[str]:
    """Problems of a reference's files: those missing or changed since they were bundled."""
    problems = []
    for file, digest in checksums(root).items():
        path = root / file
        if not path.is_file():
            problems.append(f"{file} is missing; reinstall grokviz")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            problems.append(f"{file} has changed since it was bundled; reinstall grokviz")
    return problems
