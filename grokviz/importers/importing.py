"""Imports published files as runs: what ``grokviz import`` and ``gv.import_run`` do.

Reading is the importers' affair; this module adds what they may not know: the settings of the
task, checked, and what its own evidence completes.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grokviz import plugins
from grokviz.errors import InputError, nearest
from grokviz.files import replacing
from grokviz.importers.choice import read_file
from grokviz.importers.contract import Belief, Found, Hints, Importer, Source
from grokviz.importers.evidence import loss_precision, of_task
from grokviz.importers.kinds.folder import digest_of
from grokviz.options import Option, canonical, key_of, options_of, read_options, show
from grokviz.progress import ProgressCallback
from grokviz.runs import RunWriter
from grokviz.runs.starting import refuse_foreign
from grokviz.task import Recipe, known_task, tasks


@dataclass(frozen=True)
class Imported:
    """What an import made.

    Attributes:
        path: the run directory; of a sweep the folder that holds its runs.
        runs: every run directory made.
        kind: the kind of file it was.
        beliefs: what was believed without the file's stating it plainly, a sentence each.
        missing: settings that neither the file nor the user said.

    """

    path: Path
    runs: tuple[Path, ...]
    kind: str
    beliefs: tuple[str, ...]
    missing: tuple[str, ...]


def import_run(
    file: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    importer: str | os.PathLike[str] | None = None,
    command: str | None = None,
    report: ProgressCallback | None = None,
) -> Imported:
    """Turn a published file into an ordinary run directory.

    Args:
        file: a ``.pth`` or ``.safetensors`` file, or a folder of checkpoints.
        out: the run directory, new or empty; ``runs/<name of the file>`` by default. A sweep
            becomes one run directory a member inside it.
        settings: facts that the file does not say, by the recipe's keys (``split-seed``,
            ``train-fraction``), and ``task``, ``epoch``, ``test-every``.
        importer: a file of one's own that defines an importer; it is run, and asked first.
        command: the command that imports it, which the run keeps.
        report: called with (done, all) checkpoints.

    Returns:
        Where the runs are, and what was believed about them.

    Raises:
        InputError: a file that is damaged, unsafe or of no known kind; a setting that is
            unknown or contradicts the shapes of the weights; ``out`` is not empty.

    """
    path = Path(file)
    target = Path(out) if out is not None else Path("runs") / _stem(path)
    refuse_foreign(target)
    with plugins.looking_in([plugins.INSTALLED]):
        hints, given = _parted(settings or {})
        extra = None if importer is None else plugins.load_named(Path(importer))
        source, kind, members = read_file(path, hints, extra)
        return _import(Work(source, kind, target, command), members, hints, given, report)


@dataclass(frozen=True)
class Work:
    """One import: what is read, by what, into which folder, and the command for it."""

    source: Source
    importer: Importer
    target: Path
    command: str | None


def _import(
    work: Work,
    members: list[Found],
    hints: Hints,
    given: Mapping[str, Any],
    report: ProgressCallback | None,
) -> Imported:
    source, target, path = work.source, work.target, work.source.path
    if hints.epoch is not None and (len(members) > 1 or source.is_folder):
        raise InputError(f"{path} has epochs of its own; leave out --set epoch={hints.epoch}")
    runs, missing = [], []
    for run in members:
        recipe = _recipe(run.task)
        values, lacking = _complete(source, run, recipe, given)
        facts = _facts(work, run, recipe, values)
        runs.append((run, facts))
        missing.extend(lacking)
    with replacing(target, folder=True) as part:
        for run, facts in runs:
            _write(part / run.member if run.member else part, run, facts, report)
    beliefs = dict.fromkeys(str(belief) for run in members for belief in run.beliefs)
    return Imported(
        target,
        tuple(target / run.member for run in members),
        work.importer.title,
        tuple(beliefs),
        tuple(dict.fromkeys(missing)),
    )


def _stem(path: Path) -> str:
    resolved = path.resolve()
    return resolved.name if resolved.is_dir() else resolved.stem


def _parted(settings: Mapping[str, Any]) -> tuple[Hints, dict[str, Any]]:
    """Split the given settings into the reader's hints and those of the task."""
    own = options_of(Hints)
    hint_settings = {name: value for name, value in settings.items() if key_of(name) in own}
    hints = read_options(Hints, hint_settings, "import")
    if hints.task is not None and known_task(hints.task) is None:
        raise InputError(f"there is no task {hints.task}: {nearest(hints.task, list(tasks()))}")
    return hints, {name: value for name, value in settings.items() if name not in hint_settings}


def _recipe(name: str | None) -> Recipe | None:
    """The main recipe of a task; None for one that has none."""
    task = known_task(name)
    return next(iter(task.all_recipes()), None) if task else None


def _complete(
    source: Source, run: Found, recipe: Recipe | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Checked settings of a run, and which of those that are needed are still unknown."""
    precision = loss_precision(run.task, run.curves.get("train_loss"))
    if precision is not None:
        run.settings.setdefault("loss-precision", precision.value)
        run.beliefs.append(precision)
    last = run.checkpoints[-1] if run.checkpoints else None
    ends = [int(curve.epochs[-1]) for curve in run.curves.values()]
    run.settings["epochs"] = max([*ends, *([last[0]] if last else [])], default=0)
    values = _checked(source, run, recipe, given)
    own = of_task(run.task)
    if last is None:
        return values, []  # curves alone: no measure will ask for what is needed
    for one in own.complete(values, *last, _logged(run, last[0])) if own.complete else ():
        if one.key and one.key not in values:
            values[one.key] = one.value
            run.beliefs.append(Belief(one.what, one.value, one.because))
        elif not one.key:
            run.beliefs.append(Belief(one.what, one.value, one.because))
    return values, [key for key in own.needed if key not in values]


def _checked(
    source: Source, run: Found, recipe: Recipe | None, given: Mapping[str, Any]
) -> dict[str, Any]:
    if recipe is None:
        if given:
            what = f"the task {run.task}" if run.task else f"what {source.path.name} learnt"
            raise InputError(
                f"{next(iter(given))} cannot be set: grokviz has no recipe for {what}; "
                f"leave it out, or name the task with --set task=NAME ({', '.join(tasks())})"
            )
        return dict(run.settings)
    values = {}
    for name, value in run.settings.items():
        if name in recipe.keys and (name != "epochs" or value):
            values[name] = _of_file(source, recipe.keys[name], value)
    known = [*recipe.keys, *options_of(Hints)]
    for name, text in given.items():
        if name not in recipe.keys:
            raise InputError(f"there is no key {name}: {nearest(name, known)}")
        value, before = recipe.keys[name].value(text), values.get(name)
        if name in run.fixed and value != before:
            raise InputError(
                f"{name}={show(value)} contradicts the weights in {source.path}, whose shapes say "
                f"{show(before)}; leave it out"
            )
        because = "given" if before in (None, value) else f"given, though the file says {before}"
        run.beliefs = [b for b in run.beliefs if b.what != name]
        run.beliefs.append(Belief(name, value, because))
        values[name] = value
    return values


def _of_file(source: Source, option: Option, value: Any) -> Any:
    try:
        return option.value(value)
    except InputError as error:
        raise InputError(
            f"{source.path} says {error}; give the right one with --set {option.key}=VALUE"
        ) from error


def _logged(run: Found, epoch: int) -> dict[str, float]:
    """The finite losses logged at an epoch, by metric."""
    logged = {}
    for metric in ("train_loss", "test_loss"):
        curve = run.curves.get(metric)
        if curve is not None and epoch in curve.epochs:
            value = float(curve.values[np.searchsorted(curve.epochs, epoch)])
            if np.isfinite(value):
                logged[metric] = value
    return logged


def _facts(
    work: Work, run: Found, recipe: Recipe | None, settings: Mapping[str, Any]
) -> dict[str, Any]:
    from grokviz import __version__

    source = work.source
    return {
        "recipe": recipe.name if recipe else None,
        "task": run.task,
        "counts": "step" if of_task(run.task).stepwise else "epoch",
        "settings": canonical(settings),
        "precision": {"weights": _dtype(run), "loss": settings.get("loss-precision")},
        "imported": {
            "file": source.path.resolve().name,
            "sha256": digest_of(source.path) if source.is_folder else source.sha256,
            "kind": work.importer.name,
            "believed": [belief.as_dict() for belief in run.beliefs],
            "config": dict(run.config),
        },
        "versions": {
            "grokviz": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "command": work.command,
    }


def _dtype(run: Found) -> str | None:
    if not run.checkpoints:
        return None
    return max({array.dtype.name for array in run.checkpoints[-1][1].values()})


def _write(
    path: Path, run: Found, facts: Mapping[str, Any], report: ProgressCallback | None
) -> None:
    """One run directory; the caller puts it in its place."""
    with RunWriter.create(path, facts) as writer:
        for name, curve in run.curves.items():
            for epoch, value in zip(curve.epochs.tolist(), curve.values.tolist(), strict=True):
                writer.log(epoch, **{name: value})
        for done, (epoch, state) in enumerate(run.checkpoints, start=1):
            writer.checkpoint(epoch, state)
            if report:
                report(done, len(run.checkpoints))
        writer.close(finished=True)
