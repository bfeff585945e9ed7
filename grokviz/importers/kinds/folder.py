"""A folder of ``.safetensors`` or ``.pth`` checkpoints with the step in their names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Checkpoints, Curve, Found, Hints, Importer, Source
from grokviz.importers.kinds.final_model import model_in
from grokviz.importers.layouts import published
from grokviz.importers.reading.opening import digest_of_file, open_source
from grokviz.importers.reading.values import epoch_in_name, is_state, number_in, state_arrays

SUFFIXES = frozenset({".safetensors", ".pth", ".pt"})
_SCALARS = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")


class _Saved(NamedTuple):
    """What one file of the folder says besides its weights."""

    epoch: int
    file: Path
    scalars: dict[str, float]


def files_in(folder: Path) -> list[Path]:
    """The checkpoint files of a folder, by name."""
    files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file()]
    return sorted(files)


def digest_of(folder: Path) -> str:
    """SHA-256 over the names and contents of a folder's checkpoint files; of all without any."""
    whole = hashlib.sha256()
    every = sorted(file for file in folder.iterdir() if file.is_file())
    for file in files_in(folder) or every:
        whole.update(f"{digest_of_file(file)}  {file.name}\n".encode())
    return whole.hexdigest()


def _recognises(source: Source) -> bool:
    return source.is_folder


def _read(source: Source, hints: Hints) -> list[Found]:
    files = files_in(source.path)
    if not files:
        raise InputError(
            f"{source.path} has no .safetensors or .pth files; give the folder that has them"
        )
    saved, beliefs = _saved(files)
    last, data = _state(saved[-1].file)
    state, sizes, layout = published(last, saved[-1].file)
    name = f"{source.path.name} {saved[-1].file.name}"
    run = evidence.described(name, data, hints, sizes, state, layout)

    def read(i: int) -> dict[str, np.ndarray]:
        return published(_state(saved[i].file)[0], saved[i].file)[0]

    run.curves = _curves(saved)
    run.checkpoints = Checkpoints([s.epoch for s in saved], read)
    run.beliefs += beliefs
    return [run]


def _saved(files: list[Path]) -> tuple[list[_Saved], list[Belief]]:
    """The files in order of their epochs, and beliefs about those left out or inconsistent."""
    by_epoch: dict[int, _Saved] = {}
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
        by_epoch[epoch] = _Saved(epoch, file, scalars)
    if not by_epoch:
        raise InputError(
            f"no file in {files[0].parent} has a step in its name; name them step_100.pth and so on"
        )
    return [by_epoch[epoch] for epoch in sorted(by_epoch)], beliefs


def _epoch_and_scalars(file: Path) -> tuple[int | None, dict[str, float]]:
    source = open_source(file)
    data = source.data
    if model_in(data) is None:
        return source.told, {}
    told = number_in(data.get("epoch"))
    read = {name: number_in(data.get(name)) for name in _SCALARS}
    scalars = {name: float(value) for name, value in read.items() if value is not None}
    return (told if isinstance(told, int) and told >= 0 else None), scalars


def _state(file: Path) -> tuple[dict[str, np.ndarray], Mapping[str, Any]]:
    data = open_source(file).data
    state = model_in(data)
    if state is not None:
        return state_arrays(state, file), data
    if is_state(data):
        return state_arrays(data, file), {}
    raise InputError(f"{file} holds no state dict; move it out of the folder, or save it again")


def _curves(saved: list[_Saved]) -> dict[str, Curve]:
    curves = {}
    for name in _SCALARS:
        rows = [(s.epoch, s.scalars[name]) for s in saved if name in s.scalars]
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
