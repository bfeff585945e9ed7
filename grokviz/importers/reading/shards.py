"""Weights as Hugging Face's libraries save them: one file, or shards and an index of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from grokviz.errors import InputError
from grokviz.importers.reading.opening import open_source
from grokviz.importers.reading.tables import load_json
from grokviz.importers.reading.values import is_state
from grokviz.runs import tensors
from grokviz.runs.layout import DamagedFile

WHOLE = ("model.safetensors", "pytorch_model.bin", "adapter_model.safetensors")
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
SHARD = re.compile(r".+-\d{5}-of-\d{5}\.(?:safetensors|bin)")


class Tensors(NamedTuple):
    """The tensors of a checkpoint by their names, and the classes that were not loaded."""

    state: dict[str, Any]
    stubs: tuple[str, ...]


def has_weights(folder: Path) -> bool:
    """Whether a folder holds weights under such a name."""
    return any((folder / name).is_file() for name in (*WHOLE, *INDEXES))


def tensors_in(folder: Path) -> Tensors:
    """The tensors of a folder with weights, from one file or from all of its shards.

    Raises :class:`InputError` for a file that is damaged, or an index that lies.
    """
    return _in(folder, _of_file)


def shapes_in(folder: Path) -> Tensors:
    """The shapes of its tensors in their place, of safetensors by their headers alone.

    Raises as :func:`tensors_in`.
    """
    return _in(folder, _shapes_of_file)


def _in(folder: Path, read: Callable[[Path], Tensors]) -> Tensors:
    whole = next((folder / name for name in WHOLE if (folder / name).is_file()), None)
    if whole is not None:
        return read(whole)
    return of_index(next(folder / name for name in INDEXES if (folder / name).is_file()), read)


def of_index(index: Path, read: Callable[[Path], Tensors] | None = None) -> Tensors:
    """The tensors of all shards that an index names; raises as :func:`tensors_in`."""
    folder, content = index.parent, load_json(index)
    table = content.get("weight_map") if isinstance(content, Mapping) else None
    if not isinstance(table, Mapping) or not table or not all(
        isinstance(file, str) and Path(file).name == file for file in table.values()
    ):  # fmt: skip
        raise InputError(f"{index} does not say which file holds which tensor; download it again")
    shards = {file: (read or _of_file)(folder / file) for file in sorted(set(table.values()))}
    missing = next((name for name, file in table.items() if name not in shards[file].state), None)
    if missing is not None:
        raise InputError(f"{folder / table[missing]} has no {missing}; download it again")
    state = {name: shards[file].state[name] for name, file in table.items()}
    return Tensors(state, tuple(name for shard in shards.values() for name in shard.stubs))


def _of_file(path: Path) -> Tensors:
    source = open_source(path)
    if not is_state(source.data):
        raise InputError(f"{path} holds no state dict; save the model again")
    return Tensors(dict(source.data), source.stubs)


def _shapes_of_file(path: Path) -> Tensors:
    if path.suffix == ".safetensors" and path.is_file():
        try:
            with tensors.TensorFile(path) as file:
                return Tensors({name: kind.shape for name, kind in file.types.items()}, ())
        except (DamagedFile, OSError):
            pass  # which reading it says in a sentence
    whole = _of_file(path)
    shapes = {name: tuple(getattr(array, "shape", ())) for name, array in whole.state.items()}
    return Tensors(shapes, whole.stubs)
