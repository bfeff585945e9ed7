"""A folder of checkpoints, one a step, with the steps in the files or in their names.

Each file is read by its own importer. Files of several runs, in folders of their own or told
apart by a word such as ``seed``, become several runs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from grokviz.errors import InputError
from grokviz.importers.choice import NOT_LOADED, UnknownKind, not_loaded, opened, read_opened
from grokviz.importers.contract import (
    Belief,
    Checkpoints,
    Curve,
    Hints,
    Importer,
    RunContents,
    Source,
)
from grokviz.importers.folder_files import files_in
from grokviz.importers.reading.shards import INDEXES
from grokviz.importers.reading.steps import members_of, read_steps
from grokviz.importers.weights import OWN, keeps_names


class _File(NamedTuple):
    """A file of the folder and its run; its epoch is None unless the file itself states it."""

    name: str
    epoch: int | None
    run: RunContents
    shapes: dict[str, tuple[int, ...]]


def _recognises(source: Source) -> bool:
    return source.is_folder


def _read(source: Source, hints: Hints) -> list[RunContents]:
    folder, paths = source.path, files_in(source.path)
    if not paths:
        raise InputError(
            f"{folder} has no .safetensors, .npz or .pth files; give the folder that has them"
        )
    hints = replace(hints, epoch=None)
    files, beliefs = _files(folder, paths, hints)
    if len({keeps_names(file.run.beliefs) for file in files if file.run.checkpoints}) > 1:
        hints = replace(hints, layout=OWN)  # biases may be zero at first, and would be taken off
        files, beliefs = _files(folder, paths, hints)
    files, copies = _without_copies(folder, files, hints)
    beliefs += copies
    members, whose = _members(files)
    beliefs += whose
    clocks = {member: _clock(folder, of_member) for member, of_member in members.items()}
    some = any(clock.steps for clock in clocks.values())
    runs = []
    for member, of_member in members.items():
        clock = clocks[member]
        weights = [file.name for file in of_member if file.run.checkpoints]
        if not clock.steps and len(weights) == 1 and not some:
            clock = _Clock({weights[0]: 0}, [Belief("epoch", 0, "nothing says it")])
        if weights and not clock.steps:
            beliefs += [Belief("left out", name, "it has no step in its name") for name in weights]
            continue
        run = _merge(folder, of_member, clock.steps, hints)
        run.member = member
        run.beliefs += clock.beliefs
        run.counts = run.counts or (clock.counts if run.task is None else "")
        runs.append(run)
    if not runs:
        names = ", ".join(file.name for file in files[:2])
        raise InputError(
            f"no file in {folder} has a step in its name ({names}); name them step_100.pth and "
            "so on, or import one of them"
        )
    runs[0].beliefs += beliefs
    return runs


def _files(folder: Path, paths: Sequence[Path], hints: Hints) -> tuple[list[_File], list[Belief]]:
    """What each file holds, and the beliefs about files left out."""
    files, beliefs = [], []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            run = _contents(folder, name, hints)
        except _LeftOut as error:
            beliefs.append(Belief("left out", name, str(error)))
            continue
        epoch, state = run.checkpoints[0] if run.checkpoints else (None, {})
        stated = epoch if run.epoch_is_stated else None
        files.append(_File(name, stated, run, {n: a.shape for n, a in state.items()}))
        if run.checkpoints:  # read again when it is written, since all would not fit in memory
            run.checkpoints = [(int(epoch or 0), {})]
    if not files:
        raise InputError(
            f"{folder} holds nothing that grokviz can import ({beliefs[0].because}); "
            "give the folder that has the checkpoints"
        )
    return files, beliefs


def _without_copies(
    folder: Path, files: Sequence[_File], hints: Hints
) -> tuple[list[_File], list[Belief]]:
    """The files without those that state another's step and hold its weights, as last.ckpt does."""
    first: dict[tuple[str, int | None], _File] = {}
    member_of = members_of([file.name for file in files])
    others, beliefs = [], []
    for file in files:
        place = (member_of[file.name], file.epoch)
        before = first.get(place) if file.epoch is not None else None
        first.setdefault(place, file)
        if before is None or before.shapes != file.shapes or not _same(folder, before, file, hints):
            others.append(file)
            continue
        because = f"it holds the weights and the step of {before.name}"
        beliefs.append(Belief("left out", file.name, because))
    return others, beliefs


def _same(folder: Path, one: _File, other: _File, hints: Hints) -> bool:
    """Whether two files hold the same weights, to the last bit."""
    first, second = (_contents(folder, file.name, hints).checkpoints[0][1] for file in (one, other))
    return all(array.tobytes() == second[name].tobytes() for name, array in first.items())


def _members(files: Sequence[_File]) -> tuple[dict[str, list[_File]], list[Belief]]:
    """The files of each run, and a belief about curves that lie apart from the weights.

    Curves beside or above the weights of one run are its own, and so are the only curves of the
    only run with weights.
    """
    member_of = members_of([file.name for file in files])
    with_weights = sorted({member_of[file.name] for file in files if file.run.checkpoints})
    of_curves = sorted({member_of[file.name] for file in files if not file.run.checkpoints})
    beliefs: list[Belief] = []
    apart = len(with_weights) == len(of_curves) == 1 and of_curves[0]
    if apart and not f"{with_weights[0]},".startswith(f"{of_curves[0]},"):
        alone = next(file.name for file in files if not file.run.checkpoints)
        member_of |= dict.fromkeys(member_of, with_weights[0])
        beliefs.append(Belief("curves", alone, "the folder has no others, and weights of one run"))
    members: dict[str, list[_File]] = {}
    logged: dict[str, set[tuple[str, int]]] = {}
    for file in files:
        member = member_of[file.name]
        if not file.run.checkpoints:
            inside = [m for m in with_weights if not member or f"{m},".startswith(f"{member},")]
            member = inside[0] if len(inside) == 1 else member
            points = {(n, e) for n, curve in file.run.curves.items() for e in curve.epochs.tolist()}
            if member not in with_weights and points & logged.get(member, set()):
                stem = Path(file.name).stem
                member = f"{member},{stem}" if member else stem
            logged.setdefault(member, set()).update(points)
        members.setdefault(member, []).append(file)
    if len(members) == 1:
        return {"": next(iter(members.values()))}, beliefs
    first = next((Path(file.name).stem for file in members.get("", ())), "")
    while first in members:
        first += " beside"
    return {member or first: files for member, files in members.items()}, beliefs


class _LeftOut(Exception):
    """A file that is no part of a run, and the reason."""


def _contents(folder: Path, name: str, hints: Hints) -> RunContents:
    """The run of one file of the folder, with one checkpoint or none."""
    path = folder / name
    title = f"{folder.resolve().name} {name}"
    try:
        source, importer = opened(path)
    except UnknownKind:
        raise _LeftOut("it holds no weights and no curves") from None
    source = replace(source, title=title)
    try:
        runs = read_opened(source, importer, hints)
    except InputError as error:
        if importer.unopened and path.name not in INDEXES:  # a table may be of anything
            raise _LeftOut(str(error)) from None
        raise
    if len(runs) > 1 or len(runs[0].checkpoints) > 1:
        raise _LeftOut("it holds several checkpoints or runs; import it by itself")
    return runs[0]


class _Clock(NamedTuple):
    """The step of each file of one run that has weights, by its name, and why."""

    steps: dict[str, int]
    beliefs: list[Belief]
    counts: str = ""


def _clock(folder: Path, files: Sequence[_File]) -> _Clock:
    """The steps of one run's files; raises :class:`InputError` for two of one step."""
    files = [file for file in files if file.run.checkpoints]
    stated = {file.name: file.epoch for file in files if file.epoch is not None}
    reading = read_steps([file.name for file in files])
    steps: dict[str, int] = {**reading.steps, **stated}
    if reading.same and len(stated) < len(files):
        first, second = reading.same
        raise _both(folder, first, second)
    if not steps:
        return _Clock({}, [])
    names = sorted(steps, key=steps.__getitem__)
    for first, second in itertools.pairwise(names):
        if steps[first] == steps[second]:
            raise _both(folder, first, second)
    beliefs = [
        Belief(f"epoch of {name}", step, f"the file says so, though its name says {name_step}")
        for name, step in stated.items()
        if (name_step := reading.steps.get(name, step)) != step
    ]
    if len(stated) < len(files):
        span = f"{steps[names[0]]} to {steps[names[-1]]}" if len(names) > 1 else steps[names[0]]
        beliefs.append(Belief("steps", span, reading.because))
    left = [file.name for file in files if file.name not in steps]
    beliefs += [Belief("left out", name, "it has no step in its name") for name in left]
    return _Clock(steps, beliefs, reading.clock)


def _both(folder: Path, first: str, second: str) -> InputError:
    return InputError(
        f"{first} and {second} in {folder} are both of the same step; keep one of them, or "
        "put the step last in each name, as in step_100.pth"
    )


def _merge(
    folder: Path, files: Sequence[_File], steps: dict[str, int], hints: Hints
) -> RunContents:
    """One run of all files: the settings of the last, every checkpoint and curve."""
    names = sorted(steps, key=steps.__getitem__)
    of = {file.name: file for file in files}
    run = of[names[-1]].run if names else files[-1].run
    run.beliefs = [belief for belief in run.beliefs if belief.what != "epoch"]
    stubs = (b.value for file in files for b in file.run.beliefs if b.what == NOT_LOADED)
    run.beliefs += not_loaded(stubs, run.beliefs)
    for table in (file.run for file in files if not file.run.checkpoints):
        # the clock and the task are the folder's
        run.beliefs += [
            belief
            for belief in table.beliefs
            if belief.what not in ("steps", "task") and belief not in run.beliefs
        ]
    shared = dict(of[names[-1]].shapes) if names else {}
    everything = set(shared)
    for name in names:
        everything |= set(of[name].shapes)
        same = {n for n, shape in of[name].shapes.items() if shared.get(n) == shape}
        shared = {n: shape for n, shape in shared.items() if n in same}
    run.beliefs += [
        Belief("left out", tensor, "not all checkpoints have it, with one shape")
        for tensor in sorted(everything - set(shared))[:20]
    ]

    def read(i: int) -> dict[str, np.ndarray]:
        state = _contents(folder, names[i], hints).checkpoints[0][1]
        return {tensor: state[tensor] for tensor in state if tensor in shared}

    if names and not shared:
        raise InputError(
            f"no tensor has one name and shape in {names[0]} and all later files of {folder}; "
            "keep the checkpoints of one model"
        )
    run.curves = _curves([of[name] for name in names] or list(files), steps, files)
    run.checkpoints = Checkpoints([steps[name] for name in names], read)
    return run


def _curves(
    files: Sequence[_File], steps: dict[str, int], all_files: Sequence[_File]
) -> dict[str, Curve]:
    """The curves of all files; a value of a later file replaces one of an earlier."""
    rows: dict[str, dict[int, float]] = {}
    curve_files = [file for file in all_files if not file.run.checkpoints]
    for file in [*curve_files, *files]:
        for metric, curve in file.run.curves.items():
            epochs = curve.epochs.tolist()
            if file.name in steps and len(epochs) == 1:
                epochs = [steps[file.name]]
            rows.setdefault(metric, {}).update(zip(epochs, curve.values.tolist(), strict=True))
    return {
        metric: Curve(
            np.array(sorted(values), dtype=np.int64),
            np.array([values[epoch] for epoch in sorted(values)]),
        )
        for metric, values in rows.items()
    }


IMPORTER = Importer(
    "folder",
    "a folder of .safetensors, .npz or .pth checkpoints, one a step",
    _recognises,
    _read,
    order=9,
)
