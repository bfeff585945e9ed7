"""Many checkpoints in one file, such as ``full_run_data.pth``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Checkpoints, Hints, Importer, RunContents, Source
from grokviz.importers.kinds.final_model import model_in, stated_epoch
from grokviz.importers.reading.values import curves_in, is_list, is_state, numbers_in
from grokviz.importers.weights import OWN, keeps_names, read_weights
from grokviz.runs.layout import epoch_number

_STATES = ("state_dicts", "checkpoints")
_EPOCHS = ("epochs", "checkpoint_epochs")


class _Listed(NamedTuple):
    """The state dicts in a file, and their epochs if they are not listed apart."""

    states: list[Any]
    epochs: list[Any] | None


def _listed(data: Any) -> _Listed | None:
    """The checkpoints in a list, or by their epochs in a mapping; None if there are neither."""
    if isinstance(data, (list, tuple)) and data and all(map(is_state, map(_state, data))):
        data = {_STATES[0]: data}
    if not isinstance(data, Mapping):
        return None
    for value in (*(data.get(name) for name in _STATES), data):
        if isinstance(value, (list, tuple)):
            epochs = [
                stated_epoch(entry) if isinstance(entry, Mapping) else None for entry in value
            ]
            whole = bool(epochs) and None not in epochs
            return _Listed([_state(entry) for entry in value], epochs if whole else None)
        if isinstance(value, Mapping) and value and all(map(_is_whole, value)):
            in_order = sorted(value, key=int)
            states = [_state(value[epoch]) for epoch in in_order]
            return _Listed(states, [int(epoch) for epoch in in_order])
    return None


def _is_whole(key: Any) -> bool:
    text = str(key)
    return isinstance(key, (int, str)) and text.isascii() and text.isdigit() and len(text) < 17


def _state(entry: Any) -> Any:
    """The state dict in an entry of the list, or the entry itself."""
    return model_in(entry) or entry


def _recognises(source: Source) -> bool:
    return _listed(source.data) is not None


def _read(source: Source, hints: Hints) -> list[RunContents]:
    data, name = source.data, source.name
    listed = _listed(data)
    assert listed is not None
    data = data if isinstance(data, Mapping) else {}  # a list of checkpoints says no more
    states = listed.states
    if not states or not all(map(is_state, states)):
        raise InputError(
            f"{source.path} has a list of state dicts that is empty or holds something else; "
            "save it again with one state dict per epoch"
        )
    states, left_out = _alike(states)
    epochs = _epochs(
        source, {"epochs": listed.epochs, **data} if listed.epochs else data, len(states)
    )
    last_state, sizes, beliefs = read_weights(states[-1], source.path, hints)
    run = evidence.run_contents(name, data, hints, sizes, last_state, beliefs)
    run.curves, clocks = curves_in(data, source, hints, epochs)
    run.beliefs += [*left_out, *clocks]
    if keeps_names(beliefs):  # biases may be zero at first, and would then be taken off
        hints = replace(hints, layout=OWN)

    def read(i: int) -> dict[str, np.ndarray]:
        return read_weights(states[i], source.path, hints)[0]

    run.checkpoints = Checkpoints(epochs, read)
    return [run]


def _alike(states: Sequence[Any]) -> tuple[list[Any], list[Belief]]:
    """The state dicts with the tensors that all of them have, with one shape, and the others."""
    shapes = [{name: tuple(getattr(t, "shape", ())) for name, t in s.items()} for s in states]
    common = {n for n, shape in shapes[-1].items() if all(s.get(n) == shape for s in shapes)}
    left = sorted(set().union(*shapes) - common)
    if not left or not common:
        return list(states), []
    because = "not all checkpoints have it, with one shape"
    return [{name: state[name] for name in state if name in common} for state in states], [
        Belief("left out", name[:100], because) for name in left[:20]
    ]


def _epochs(source: Source, data: Mapping[str, Any], count: int) -> list[int]:
    epoch_list = next((data[name] for name in _EPOCHS if is_list(data.get(name))), None)
    if epoch_list is None:
        raise InputError(
            f"{source.path} has {count} state dicts and no list of their epochs; add one"
        )
    numbers = numbers_in(epoch_list, "epochs", source.path).reshape(-1)
    if len(numbers) != count or not all(np.isfinite(numbers)) or any(v != int(v) for v in numbers):
        raise InputError(
            f"{source.path} has {count} state dicts and {len(numbers)} epochs; "
            "save it again with one whole epoch for each"
        )
    epochs = [epoch_number(int(value)) for value in numbers]
    if sorted(set(epochs)) != epochs:
        raise InputError(
            f"the epochs in {source.path} do not rise from one state dict to the next; "
            "save it again in order"
        )
    return epochs


IMPORTER = Importer(
    "full-run",
    "a file of many state dicts and their epochs, such as full_run_data.pth",
    _recognises,
    _read,
    order=2,
)
