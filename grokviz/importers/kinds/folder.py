"""A folder of ``.safetensors`` or ``.pth`` checkpoints with the step in their names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import (
    Belief,
    Checkpoints,
    Curve,
    Hints,
    Importer,
    RunContents,
    Source,
)
from grokviz.importers.kinds.final_model import model_in
from grokviz.importers.layouts import to_published_layout
from grokviz.importers.reading.opening import digest_of_file, open_source
from grokviz.importers.reading.values import epoch_in_name, is_state, number_in, state_arrays

SUFFIXES = frozenset({".safetensors", ".pth", ".pt"})
_SCALARS = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")


class _CheckpointFile(NamedTuple):
    """The epoch and metrics of one file of the folder."""

    epoch: int
    file: Path
    scalars: dict[str, float]


def files_in(folder: Path) -> list[Path]:
    """The checkpoint files of a folder, by name."""
    files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file()]
    return sorted(files)


def digest_of(folder: Path) -> str:
    """SHA-256 of the names and contents of a folder's checkpoint files, or of all its files."""
    digest = hashlib.sha256()
    all_files = sorted(file for file in folder.iterdir() if file.is_file())
    for file in files_in(folder) or all_files:
        digest.update(f"{digest_of_file(file)}  {file.name}\n".encode())
    return digest.hexdigest()


def _recognises(source: Source) -> bool:
    return source.is_folder


def _read(source: Source, hints: Hints) -> list[RunContents]:
    files = files_in(source.path)
    if not files:
        raise InputError(
            f"{source.path} has no .safetensors or .pth files; give the folder that has them"
        )
    checkpoints, beliefs = _checkpoint_files(files)
    last_state, data = _state(checkpoints[-1].file)
    state, sizes, layout = to_published_layout(last_state, checkpoints[-1].file)
    name = f"{source.path.name} {checkpoints[-1].file.name}"
    run = evidence.run_contents(name, data, hints, sizes, state, layout)

    def read(i: int) -> dict[str, np.ndarray]:
        return to_published_layout(_state(checkpoints[i].file)[0], checkpoints[i].file)[0]

    run.curves = _curves(checkpoints)
    run.checkpoints = Checkpoints([s.epoch for s in checkpoints], read)
    run.beliefs += beliefs
    return [run]


def _checkpoint_files(files: list[Path]) -> tuple[list[_CheckpointFile], list[Belief]]:
    """The files in order of epochs, and beliefs about files left out or inconsistent."""
    by_epoch: dict[int, _CheckpointFile] = {}
    beliefs = []
    for file in files:
        name_epoch = epoch_in_name(file.name)
        file_epoch, scalars = _epoch_and_scalars(file)
        epoch = name_epoch if file_epoch is None else file_epoch
        if epoch is None:
            beliefs.append(Belief("left out", file.name, "it has no step in its name"))
            continue
        if epoch in by_epoch:
            raise InputError(
                f"{by_epoch[epoch].file.name} and {file.name} in {file.parent} are both of step "
                f"{epoch}; keep one of them, or put the step last in each name"
            )
        if file_epoch is not None and name_epoch is not None and file_epoch != name_epoch:
            because = f"the file says so, though its name says {name_epoch}"
            beliefs.append(Belief(f"epoch of {file.name}", file_epoch, because))
        by_epoch[epoch] = _CheckpointFile(epoch, file, scalars)
    if not by_epoch:
        raise InputError(
            f"no file in {files[0].parent} has a step in its name; name them step_100.pth and so on"
        )
    return [by_epoch[epoch] for epoch in sorted(by_epoch)], beliefs


def _epoch_and_scalars(file: Path) -> tuple[int | None, dict[str, float]]:
    source = open_source(file)
    data = source.data
    if model_in(data) is None:
        return source.header_epoch, {}
    stated = number_in(data.get("epoch"))
    numbers = {name: number_in(data.get(name)) for name in _SCALARS}
    scalars = {name: float(value) for name, value in numbers.items() if value is not None}
    return (stated if isinstance(stated, int) and stated >= 0 else None), scalars


def _state(file: Path) -> tuple[dict[str, np.ndarray], Mapping[str, Any]]:
    data = open_source(file).data
    state = model_in(data)
    if state is not None:
        return state_arrays(state, file), data
    if is_state(data):
        return state_arrays(data, file), {}
    raise InputError(f"{file} holds no state dict; move it out of the folder, or save it again")


def _curves(checkpoints: list[_CheckpointFile]) -> dict[str, Curve]:
    curves = {}
    for name in _SCALARS:
        rows = [(s.epoch, s.scalars[name]) for s in checkpoints if name in s.scalars]
        if rows:
            epochs, values = zip(*rows, strict=True)
            curves[name] = Curve(np.array(epochs, dtype=np.int64), np.array(values))
    return curves


IMPORTER = Importer(
    "folder",
    "a folder of .safetensors or .pth checkpoints with the step in their names",
    _recognises,
    _read,
    order=1,
)
