"""Many checkpoints in one file, such as ``full_run_data.pth``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Checkpoints, Hints, Importer, RunContents, Source
from grokviz.importers.layouts import to_published_layout
from grokviz.importers.reading.values import curves_in, is_list, is_state, numbers_in, state_arrays
from grokviz.runs.layout import epoch_number

_STATES = ("state_dicts", "checkpoints")
_EPOCHS = ("epochs", "checkpoint_epochs")


def _recognises(source: Source) -> bool:
    return isinstance(source.data, Mapping) and any(
        isinstance(source.data.get(name), (list, tuple)) for name in _STATES
    )


def _read(source: Source, hints: Hints) -> list[RunContents]:
    data, name = source.data, source.path.name
    states = next(data[n] for n in _STATES if isinstance(data.get(n), (list, tuple)))
    if not states or not all(map(is_state, states)):
        raise InputError(
            f"{source.path} has a list of state dicts that is empty or holds something else; "
            "save it again with one state dict per epoch"
        )
    epochs = _epochs(source, data, len(states))
    last_state, sizes, beliefs = to_published_layout(
        state_arrays(states[-1], source.path), source.path
    )
    run = evidence.run_contents(name, data, hints, sizes, last_state, beliefs)
    run.curves, clocks = curves_in(data, source, hints, epochs)
    run.beliefs += clocks

    def read(i: int) -> dict[str, np.ndarray]:
        return to_published_layout(state_arrays(states[i], source.path), source.path)[0]

    run.checkpoints = Checkpoints(epochs, read)
    return [run]


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
    "a full_run_data.pth of many state dicts and their epochs",
    _recognises,
    _read,
    order=2,
)
