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
from grokviz.importers.reading.opening import open_source
from grokviz.importers.reading.tables import curves_of_rows, load_json
from grokviz.importers.reading.values import is_state, number_in
from grokviz.importers.weights import OWN, keeps_names, read_weights

_WHOLE = ("model.safetensors", "pytorch_model.bin", "adapter_model.safetensors")
_SHARDS = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_STATE, _CONFIG = "trainer_state.json", "config.json"
_FOLDER = re.compile(r"checkpoint-(\d{1,15})")
NO_METRICS = re.compile(r"epoch|step|total_flos|.*_runtime|.*_per_second")
SUMMARY = "train_runtime"
"""What only the last entry of a log has, which sums up the whole training."""


def _has_weights(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (*_WHOLE, *_SHARDS))


def _checkpoints(folder: Path) -> dict[int, Path]:
    """The folders of checkpoints by their steps, in order."""
    steps = {}
    for path in folder.iterdir():
        match = _FOLDER.fullmatch(path.name)
        if match and _has_weights(path):
            steps[int(match[1])] = path
    return dict(sorted(steps.items()))


def _recognises(source: Source) -> bool:
    if not source.is_folder:
        return False
    alone = (source.path / _STATE, *(source.path / name for name in _SHARDS))
    return any(path.is_file() for path in alone) or bool(_checkpoints(source.path))


def _read(source: Source, hints: Hints) -> list[RunContents]:
    folder = source.path
    paths = _checkpoints(folder)
    beliefs: list[Belief] = []
    state = next((p / _STATE for p in (folder, *reversed(paths.values()))
                  if (p / _STATE).is_file()), None)  # fmt: skip
    log = load_json(state) if state else {}
    if _has_weights(folder):
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
    tensors, stubs = _tensors(paths[steps[-1]])
    last, sizes, layout = read_weights(tensors, folder, hints)
    run = evidence.run_contents(source.name, data, hints, sizes, last, layout)
    if keeps_names(layout):
        hints = replace(hints, layout=OWN)

    def read(i: int) -> dict[str, np.ndarray]:
        tensors, stubs = _tensors(paths[steps[i]])
        run.beliefs += not_loaded(stubs, run.beliefs)
        return read_weights(tensors, paths[steps[i]], hints)[0]

    run.curves, run.counts = curves, "step"
    run.checkpoints = Checkpoints(steps, read)
    run.beliefs += [*beliefs, *names, *not_loaded(stubs)]
    return [run]


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


def _tensors(folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The tensors of a checkpoint, from one file or all of its shards, and what was not loaded."""
    whole = next((folder / name for name in _WHOLE if (folder / name).is_file()), None)
    if whole is not None:
        return _state(whole)
    index = next(folder / name for name in _SHARDS if (folder / name).is_file())
    content = load_json(index)
    table = content.get("weight_map") if isinstance(content, Mapping) else None
    if not isinstance(table, Mapping) or not table or not all(
        isinstance(file, str) and Path(file).name == file for file in table.values()
    ):  # fmt: skip
        raise InputError(f"{index} does not say which file holds which tensor; download it again")
    read = {file: _state(folder / file) for file in sorted(set(table.values()))}
    shards = {file: tensors for file, (tensors, _) in read.items()}
    missing = next((name for name, file in table.items() if name not in shards[file]), None)
    if missing is not None:
        raise InputError(f"{folder / table[missing]} has no {missing}; download it again")
    tensors = {name: shards[file][name] for name, file in table.items()}
    return tensors, tuple(name for _, stubs in read.values() for name in stubs)


def _state(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The state dict in a file, and the classes of which stubs were made."""
    source = open_source(path)
    if not is_state(source.data):
        raise InputError(f"{path} holds no state dict; save the model again")
    return dict(source.data), source.stubs


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
