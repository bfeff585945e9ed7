"""Import of published files as runs, behind ``grokviz import`` and ``gv.import_run``.

Importers read files; this module checks the settings against the task's recipe and completes
them from the task's evidence.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grokviz import plugins
from grokviz.errors import InputError, nearest
from grokviz.files import check_writable, replacing
from grokviz.importers.choice import read_file
from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.evidence import loss_precision, of_task
from grokviz.importers.folder_files import digest_of
from grokviz.importers.weights import first_not_finite
from grokviz.options import Option, canonical, key_of, options_of, read_options, show
from grokviz.progress import ProgressCallback
from grokviz.runs import RunWriter
from grokviz.runs.destination import check_destination
from grokviz.task import Recipe, known_task, tasks


@dataclass(frozen=True)
class ImportResult:
    """The result of an import.

    Attributes:
        path: the run directory, or for a sweep the folder of its runs.
        runs: every run directory created.
        kind: the kind of file.
        beliefs: facts that were inferred rather than stated by the file, a sentence each.
        missing: settings that neither the file nor the user gave.

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
    maps: Iterable[str] = (),
    only: Iterable[str] = (),
    importer: str | os.PathLike[str] | None = None,
    command: str | None = None,
    report: ProgressCallback | None = None,
) -> ImportResult:
    """Import a published file as an ordinary run directory.

    Args:
        file: weights (``.pth``, ``.safetensors``, ``.npz``), curves (``.csv``, ``.jsonl``, event
            files of TensorBoard), a folder of such files, or a model on the Hugging Face hub as
            ``hf://OWNER/NAME``, whose revisions are steps.
        out: the run directory, new or empty; ``runs/<name of the file>`` by default. A sweep
            becomes one run directory per member inside it.
        settings: facts that the file does not state, by the recipe's keys (``split-seed``,
            ``train-fraction``), and ``task``, ``epoch``, ``test-every``, ``layout``.
        maps: names for the file's tensors, each ``theirs=ours``: ``^T`` after their name
            transposes it, ``[a:b]`` takes rows, ``/N`` cuts its first axis into N heads, and
            ``*`` stands for a layer's number. Nothing after ``=`` leaves a tensor out.
        only: patterns of the tensors to keep, under the file's names, such as ``*.attention.*``;
            of a model on the hub nothing else is read.
        importer: a user's file that defines an importer; its code is run, and it is tried first.
        command: the command that imports it, stored in the run.
        report: called with the number of checkpoints completed and the total.

    Returns:
        The paths of the runs, and the beliefs about them.

    Raises:
        InputError: a file that is damaged, unsafe or of no known kind; a setting that is
            unknown or contradicts the shapes of the weights; ``out`` is not empty.

    """
    path = Path(file)
    target = Path(out) if out is not None else Path("runs") / _stem(path)
    check_destination(target)
    check_writable(target, folder=True)
    with plugins.looking_in([plugins.INSTALLED]):
        given = dict(settings or {})
        given |= {"map": ";".join(maps)} if maps else {}
        given |= {"only": ",".join(only)} if only else {}
        hints, overrides = _split_settings(given)
        extra = None if importer is None else plugins.load_named(Path(importer))
        source, kind, members = read_file(path, hints, extra)
        return _import(ImportJob(source, kind, target, command), members, hints, overrides, report)


@dataclass(frozen=True)
class ImportJob:
    """One import: its source, importer, target folder and command."""

    source: Source
    importer: Importer
    target: Path
    command: str | None


def _import(
    job: ImportJob,
    members: list[RunContents],
    hints: Hints,
    overrides: Mapping[str, Any],
    report: ProgressCallback | None,
) -> ImportResult:
    source, target, path = job.source, job.target, job.source.path
    if hints.epoch is not None and (len(members) > 1 or source.is_folder):
        raise InputError(f"{path} has epochs of its own; leave out --set epoch={hints.epoch}")
    runs, missing = [], []
    for run in members:
        recipe = _recipe(run.task)
        values, unset = _complete(source, run, recipe, overrides)
        facts = _facts(job, run, recipe, values)
        runs.append((run, facts))
        missing.extend(unset)
    with replacing(target, folder=True) as part:
        for run, facts in runs:
            _write(part / run.member if run.member else part, run, facts, report)
    for run in members:
        run.finish()
    beliefs = dict.fromkeys(str(belief) for run in members for belief in run.beliefs)
    return ImportResult(
        target,
        tuple(target / run.member for run in members),
        job.importer.title,
        tuple(beliefs),
        tuple(dict.fromkeys(missing)),
    )


def _stem(path: Path) -> str:
    resolved = path.resolve()
    return resolved.name if resolved.is_dir() else resolved.stem


def _split_settings(settings: Mapping[str, Any]) -> tuple[Hints, dict[str, Any]]:
    """Split the user's settings into hints for the importer and settings of the task."""
    hint_keys = options_of(Hints)
    hint_settings = {name: value for name, value in settings.items() if key_of(name) in hint_keys}
    hints = read_options(Hints, hint_settings, "import")
    if hints.task is not None and known_task(hints.task) is None:
        raise InputError(f"there is no task {hints.task}: {nearest(hints.task, list(tasks()))}")
    return hints, {name: value for name, value in settings.items() if name not in hint_settings}


def _recipe(name: str | None) -> Recipe | None:
    """The main recipe of a task; None if it has none."""
    task = known_task(name)
    return next(iter(task.all_recipes()), None) if task else None


def _complete(
    source: Source, run: RunContents, recipe: Recipe | None, overrides: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The checked settings of a run, and the keys of required ones that are still unknown."""
    precision = loss_precision(run.task, run.curves.get("train_loss"))
    if precision is not None:
        run.settings.setdefault("loss-precision", precision.value)
        run.beliefs.append(precision)
    last = run.checkpoints[-1] if run.checkpoints else None
    ends = [int(curve.epochs[-1]) for curve in run.curves.values()]
    run.settings["epochs"] = max([*ends, *([last[0]] if last else [])], default=0)
    values = _check_settings(source, run, recipe, overrides)
    evidence = of_task(run.task)
    if last is None:
        return values, []  # no measure of curves alone needs the required settings
    judged = evidence.complete is not None and first_not_finite(last[1]) is None
    for completion in (
        evidence.complete(values, *last, _losses_at(run, last[0]))
        if evidence.complete and judged
        else ()
    ):
        if completion.key and completion.key not in values:
            values[completion.key] = completion.value
            run.beliefs.append(Belief(completion.what, completion.value, completion.because))
        elif not completion.key:
            run.beliefs.append(Belief(completion.what, completion.value, completion.because))
    return values, [key for key in evidence.needed if key not in values]


def _check_settings(
    source: Source, run: RunContents, recipe: Recipe | None, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """The settings of the file and the user; raises ``InputError`` for one that is wrong."""
    if recipe is None:
        if overrides:
            subject = f"the task {run.task}" if run.task else f"what {source.path.name} learnt"
            raise InputError(
                f"{next(iter(overrides))} cannot be set: grokviz has no recipe for {subject}; "
                f"leave it out, or name the task with --set task=NAME ({', '.join(tasks())})"
            )
        return dict(run.settings)
    values = {}
    for name, value in run.settings.items():
        if name in recipe.keys and (name != "epochs" or value):
            values[name] = _of_file(source, recipe.keys[name], value)
    keys = [*recipe.keys, *options_of(Hints)]
    for name, text in overrides.items():
        if name not in recipe.keys:
            raise InputError(f"there is no key {name}: {nearest(name, keys)}")
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


def _losses_at(run: RunContents, epoch: int) -> dict[str, float]:
    """The finite losses at an epoch, by metric."""
    losses = {}
    for metric in ("train_loss", "test_loss"):
        curve = run.curves.get(metric)
        if curve is not None and epoch in curve.epochs:
            value = float(curve.values[np.searchsorted(curve.epochs, epoch)])
            if np.isfinite(value):
                losses[metric] = value
    return losses


def _facts(
    job: ImportJob, run: RunContents, recipe: Recipe | None, settings: Mapping[str, Any]
) -> dict[str, Any]:
    from grokviz import __version__

    source = job.source
    return {
        "recipe": recipe.name if recipe else None,
        "task": run.task,
        "counts": run.counts or ("step" if of_task(run.task).stepwise else "epoch"),
        "settings": canonical(settings),
        "precision": {"weights": _dtype(run), "loss": settings.get("loss-precision")},
        "imported": {
            "file": source.path.resolve().name,
            "sha256": digest_of(source.path) if source.is_folder else source.sha256,
            "kind": job.importer.name,
            "believed": [belief.as_dict() for belief in run.beliefs],
            "config": dict(run.config),
        },
        "versions": {
            "grokviz": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "command": job.command,
    }


def _dtype(run: RunContents) -> str | None:
    if not run.checkpoints:
        return None
    return max({array.dtype.name for array in run.checkpoints[-1][1].values()})


def _write(
    path: Path, run: RunContents, facts: Mapping[str, Any], report: ProgressCallback | None
) -> None:
    """Write one run directory, which the caller moves into place."""
    diverged: dict[str, int] = {}
    with RunWriter.create(path, facts) as writer:
        for name, curve in run.curves.items():
            for epoch, value in zip(curve.epochs.tolist(), curve.values.tolist(), strict=True):
                writer.log(epoch, **{name: value})
        for count, (epoch, state) in enumerate(run.checkpoints, start=1):
            writer.checkpoint(epoch, state)
            if (tensor := first_not_finite(state)) is not None:
                diverged.setdefault(tensor, epoch)
            if report:
                report(count, len(run.checkpoints))
        if diverged:
            tensor, epoch = next(iter(diverged.items()))
            because = f"{tensor} holds NaN or infinite values there"
            run.beliefs.append(Belief("diverged by", epoch, because))
            believed = [belief.as_dict() for belief in run.beliefs]
            writer.update_facts(imported={**facts["imported"], "believed": believed})
        writer.close(finished=True)
