"""Imports published files as runs: what ``grokviz import`` and ``gv.import_run`` do.

Reading is :mod:`grokviz.importers`; this module adds what a reader may not know:
the recipes' words for settings, and whether the split fits the weights.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.errors import InputError, nearest
from grokviz.files import replacing
from grokviz.importers import Belief, Found, Importer, Source, Wishes, read_file
from grokviz.importers.evidence import STEPWISE, TASKS, loss_precision
from grokviz.importers.kinds.folder import digest_of
from grokviz.runs import RunWriter
from grokviz.runs.starting import refuse_foreign
from grokviz.training.keys import Key, show, whole
from grokviz.training.recipes import RECIPES, Recipe

Report = Callable[[int, int], None]

WISHES = {
    key.name: key
    for key in (
        Key("task", "modular-addition", str, "the name of a task", "what the model learnt"),
        Key("epoch", 40_000, *whole(0), "the epoch of a single model's weights"),
        Key("test-every", 10, *whole(1), "how many epochs lie between two test losses"),
    )
}
"""What may be said of a file besides its recipe's keys."""

SPLIT = ("train-fraction", "split-seed")


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
    report: Report | None = None,
) -> Imported:
    """Turn a published file into an ordinary run directory.

    Args:
        file: a ``.pth`` or ``.safetensors`` file, or a folder of checkpoints.
        out: the run directory, new or empty; ``runs/<name of the file>`` by default. A sweep
            becomes one run directory a member inside it.
        settings: facts that the file does not say, by the recipe's keys (``split-seed``,
            ``train-fraction``), and ``task``, ``epoch``, ``test-every``.
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
    wishes, given = _parted(settings or {})
    source, importer, members = read_file(path, wishes)
    if wishes.epoch is not None and (len(members) > 1 or source.is_folder):
        raise InputError(f"{path} has epochs of its own; leave out --set epoch={wishes.epoch}")
    made, missing = [], []
    for found in members:
        recipe = _recipe(found.task)
        values, lacking = _complete(source, found, recipe, given)
        facts = _facts(source, importer, found, recipe, values)
        made.append((found, facts))
        missing.extend(lacking)
    with replacing(target, folder=True) as part:
        for found, facts in made:
            _write(part / found.member if found.member else part, found, facts, report)
    beliefs = dict.fromkeys(str(belief) for found in members for belief in found.beliefs)
    return Imported(
        target,
        tuple(target / found.member for found in members),
        importer.title,
        tuple(beliefs),
        tuple(dict.fromkeys(missing)),
    )


def _stem(path: Path) -> str:
    resolved = path.resolve()
    return resolved.name if resolved.is_dir() else resolved.stem


def _parted(settings: Mapping[str, Any]) -> tuple[Wishes, dict[str, Any]]:
    """What the reader must know, and what the recipe will check."""
    said = {name: WISHES[name].value(settings[name]) for name in WISHES if name in settings}
    task = said.get("task")
    if task is not None and task not in TASKS:
        raise InputError(f"there is no task {task}: {nearest(task, list(TASKS))}")
    wishes = Wishes(task, said.get("epoch"), said.get("test-every"))
    return wishes, {name: value for name, value in settings.items() if name not in WISHES}


def _recipe(task: str | None) -> Recipe | None:
    if task is None or task in RECIPES:
        return RECIPES.get(task or "")
    return next((recipe for recipe in RECIPES.values() if recipe.task == task), None)


def _complete(
    source: Source, found: Found, recipe: Recipe | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Checked settings of a run, and which of the split's are still unknown."""
    precision = loss_precision(found.task, found.curves.get("train_loss"))
    if precision is not None:
        found.settings.setdefault("loss-precision", precision.value)
        found.beliefs.append(precision)
    last = found.checkpoints[-1] if found.checkpoints else None
    ends = [int(curve.epochs[-1]) for curve in found.curves.values()]
    found.settings["epochs"] = max([*ends, *([last[0]] if last else [])], default=0)
    values = _checked(source, found, recipe, given)
    if recipe is None or recipe.task != "modular-addition":
        return values, []
    if last is None:
        return values, []  # curves alone: no measure will ask for the split
    if values.get("p", 0) % 2:
        values |= _split(found, values, *last)
    return values, [key for key in SPLIT if key not in values]


def _checked(
    source: Source, found: Found, recipe: Recipe | None, given: Mapping[str, Any]
) -> dict[str, Any]:
    if recipe is None:
        if given:
            what = f"the task {found.task}" if found.task else f"what {source.path.name} learnt"
            raise InputError(
                f"{next(iter(given))} cannot be set: grokviz has no recipe for {what}; "
                f"leave it out, or name the task with --set task=NAME ({', '.join(TASKS)})"
            )
        return dict(found.settings)
    values = {}
    for name, value in found.settings.items():
        if name in recipe.keys and (name != "epochs" or value):
            values[name] = _of_file(source, recipe.keys[name], value)
    known = [*recipe.keys, *WISHES]
    for name, text in given.items():
        if name not in recipe.keys:
            raise InputError(f"there is no key {name}: {nearest(name, known)}")
        value, before = recipe.keys[name].value(text), values.get(name)
        if name in found.fixed and value != before:
            raise InputError(
                f"{name}={show(value)} contradicts the weights in {source.path}, whose shapes say "
                f"{show(before)}; leave it out"
            )
        because = "given" if before in (None, value) else f"given, though the file says {before}"
        found.beliefs = [b for b in found.beliefs if b.what != name]
        found.beliefs.append(Belief(name, value, because))
        values[name] = value
    return values


def _of_file(source: Source, key: Key, value: Any) -> Any:
    try:
        return key.value(value)
    except InputError as error:
        raise InputError(
            f"{source.path} says {error}; give the right one with --set {key.name}=VALUE"
        ) from error


def _split(
    found: Found, values: Mapping[str, Any], epoch: int, state: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Check the split against the last losses, or find it by them."""
    from grokviz.tasks.modular_addition import split
    from grokviz.tasks.modular_addition.data import ModularAddition

    logged = _logged(found, epoch)
    if logged is None:
        return {}
    losses = split.pair_losses(state)
    seed, fraction = values.get("split-seed"), values.get("train-fraction")
    order = values.get("split-order", "python")
    what = f"the losses it gives the weights, as the file logs at epoch {epoch}"
    if seed is not None and fraction is not None:
        fits = split.fits(losses, ModularAddition(values["p"], fraction, seed, order), logged)
        word = "confirmed by" if fits else "NOT confirmed by"
        found.beliefs.append(Belief("split", f"{fraction:g} of seed {seed}", f"{word} {what}"))
        return {}
    fitting = split.splits_that_fit(
        losses,
        logged,
        split.SEEDS if seed is None else [seed],
        split.FRACTIONS if fraction is None else [fraction],
        order,
    )
    if len(fitting) != 1:
        return {}
    because = (
        f"of the splits tried the only one that gives the weights the losses logged at {epoch}"
    )
    told = {"split-seed": fitting[0][0], "train-fraction": fitting[0][1]}
    found.beliefs += [Belief(k, v, because) for k, v in told.items() if k not in values]
    return told


def _logged(found: Found, epoch: int) -> Any:
    from grokviz.tasks.modular_addition.split import Logged

    def at(metric: str) -> float | None:
        curve = found.curves.get(metric)
        if curve is None or epoch not in curve.epochs:
            return None
        value = float(curve.values[np.searchsorted(curve.epochs, epoch)])
        return value if np.isfinite(value) else None

    train = at("train_loss")
    return None if train is None else Logged(train, at("test_loss"))


def _facts(
    source: Source,
    importer: Importer,
    found: Found,
    recipe: Recipe | None,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    from grokviz import __version__

    return {
        "recipe": recipe.name if recipe else None,
        "task": found.task,
        "counts": "step" if found.task in STEPWISE else "epoch",
        "settings": dict(settings),
        "precision": {"weights": _dtype(found), "loss": settings.get("loss-precision")},
        "imported": {
            "file": source.path.resolve().name,
            "sha256": digest_of(source.path) if source.is_folder else source.sha256,
            "kind": importer.name,
            "believed": [belief.as_dict() for belief in found.beliefs],
            "config": dict(found.config),
        },
        "versions": {
            "grokviz": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "command": " ".join(["grokviz", *sys.argv[1:]]) if sys.argv[1:2] == ["import"] else None,
    }


def _dtype(found: Found) -> str | None:
    if not found.checkpoints:
        return None
    return max({array.dtype.name for array in found.checkpoints[-1][1].values()})


def _write(path: Path, found: Found, facts: Mapping[str, Any], report: Report | None) -> None:
    """One run directory; the caller puts it in its place."""
    with RunWriter.create(path, facts) as writer:
        for name, curve in found.curves.items():
            for epoch, value in zip(curve.epochs.tolist(), curve.values.tolist(), strict=True):
                writer.log(epoch, **{name: value})
        for done, (epoch, state) in enumerate(found.checkpoints, start=1):
            writer.checkpoint(epoch, state)
            if report:
                report(done, len(found.checkpoints))
        writer.close(finished=True)
