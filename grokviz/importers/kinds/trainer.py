"""A folder of Hugging Face's Trainer: ``checkpoint-500/`` with weights and a log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.choice import not_loaded
from grokviz.importers.contract import (
    Belief,
    Checkpoints,
    Curve,
    Hints,
    Importer,
    RunContents,
    Source,
)
from grokviz.importers.reading.shards import INDEXES, has_weights, shapes_in, tensors_in
from grokviz.importers.reading.tables import curves_of_rows, load_json
from grokviz.importers.reading.values import number_in
from grokviz.importers.weights import OWN, keeps_names, read_weights

_STATE, _CONFIG = "trainer_state.json", "config.json"
_FOLDER = re.compile(r"checkpoint-(\d{1,15})")
NO_METRICS = re.compile(r"epoch|step|total_flos|.*_runtime|.*_per_second")
SUMMARY = "train_runtime"
"""What only the last entry of a log has, which sums up the whole training."""


def _checkpoints(folder: Path) -> dict[int, Path]:
    """The folders of checkpoints by their steps, in order."""
    steps = {}
    for path in folder.iterdir():
        match = _FOLDER.fullmatch(path.name)
        if match and has_weights(path):
            steps[int(match[1])] = path
    return dict(sorted(steps.items()))


def _recognises(source: Source) -> bool:
    if not source.is_folder:
        return False
    alone = (source.path / _STATE, *(source.path / name for name in INDEXES))
    return any(path.is_file() for path in alone) or bool(_checkpoints(source.path))


def _read(source: Source, hints: Hints) -> list[RunContents]:
    folder = source.path
    paths = _checkpoints(folder)
    beliefs: list[Belief] = []
    state = next((p / _STATE for p in (folder, *reversed(paths.values()))
                  if (p / _STATE).is_file()), None)  # fmt: skip
    log = load_json(state) if state else {}
    if has_weights(folder):
        paths, beliefs = _with_own(folder, paths, log)
    curves, names = _curves(log, state)
    if not paths:
        task, said_by = evidence.task_of(source.name, {}, {}, hints)
        return [RunContents(task=task, curves=curves, beliefs=[*said_by, *names], counts="step")]
    steps = list(paths)
    config = next(
        (p / _CONFIG for p in (paths[steps[-1]], folder) if (p / _CONFIG).is_file()), None
    )
    data = {"config": load_json(config)} if config else {}
    shared, about = _shared(paths)
    last, sizes, layout = read_weights(_selected(paths[steps[-1]], shared), folder, hints)
    run = evidence.run_contents(source.name, data, hints, sizes, last, layout)
    if keeps_names(layout):
        hints = replace(hints, layout=OWN)

    def read(i: int) -> dict[str, np.ndarray]:
        return read_weights(_selected(paths[steps[i]], shared), paths[steps[i]], hints)[0]

    run.curves, run.counts = curves, "step"
    run.checkpoints = Checkpoints(steps, read)
    run.beliefs += [*beliefs, *names, *about]
    return [run]


def _shared(paths: dict[int, Path]) -> tuple[set[str], list[Belief]]:
    """The tensors that all checkpoints have with one shape, and beliefs about others and classes.

    Tied tensors are in pytorch_model.bin and not in safetensors. Raises :class:`InputError` if
    there are none.
    """
    shapes: list[dict[str, tuple[int, ...]]] = []
    stubs: list[str] = []
    for path in reversed(paths.values()):
        tensors = shapes_in(path)
        shapes.append(tensors.state)
        stubs += tensors.stubs
    shared = {n for n, shape in shapes[0].items() if all(s.get(n) == shape for s in shapes)}
    if not shared:
        first, *_, last = paths.values()
        raise InputError(
            f"no tensor has one name and shape in {first} and all others up to {last.name}; "
            "keep the checkpoints of one model"
        )
    because = "not all checkpoints have it, with one shape"
    left = sorted(set().union(*shapes) - shared)[:20]
    return shared, [*(Belief("left out", name, because) for name in left), *not_loaded(stubs)]


def _selected(path: Path, names: set[str]) -> dict[str, Any]:
    return {name: array for name, array in tensors_in(path).state.items() if name in names}


def _with_own(
    folder: Path, paths: Mapping[int, Path], log: Any
) -> tuple[dict[int, Path], list[Belief]]:
    """The checkpoints with the weights in the folder itself, if it is known of which step."""
    match = _FOLDER.fullmatch(folder.resolve().name)
    step = number_in(log.get("global_step")) if isinstance(log, Mapping) else None
    if match:
        step, because = int(match[1]), "the folder's name says so"
    elif (folder / _STATE).is_file() and isinstance(step, int) and 0 <= step < 2**53:
        because = f"{_STATE} says so"
    elif not paths:
        step, because = 0, "nothing in the folder says it"
    else:
        return dict(paths), [Belief("left out", "the weights in the folder itself",
                                    "nothing says of which step they are")]  # fmt: skip
    if step in paths:
        return dict(paths), []
    return dict(sorted({**paths, step: folder}.items())), [Belief("epoch", step, because)]


def _curves(log: Any, path: Path | None) -> tuple[dict[str, Curve], list[Belief]]:
    """The metrics in the log's history, at their steps."""
    history = log.get("log_history") if isinstance(log, Mapping) else None
    rows = []
    for entry in history if isinstance(history, list) else ():
        step = number_in(entry.get("step")) if isinstance(entry, Mapping) else None
        if isinstance(step, int) and 0 <= step < 2**53 and SUMMARY not in entry:
            rows.append((step, {n: v for n, v in entry.items() if not NO_METRICS.fullmatch(n)}))
    return curves_of_rows(rows, path) if rows and path else ({}, [])


IMPORTER = Importer(
    "trainer",
    "a folder of Hugging Face's Trainer, with checkpoint-500 and so on",
    _recognises,
    _read,
    order=1,
)
