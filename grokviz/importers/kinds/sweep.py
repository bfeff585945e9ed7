"""Loss curves of several runs in one file: the fraction sweep and the width scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Curve, Hints, Importer, RunContents, Source
from grokviz.importers.reading.values import is_list, number_in, numbers_in

MOST_MEMBERS = 1000


def _parts(data: Any) -> tuple[str, Sequence[Any], Sequence[Any]] | None:
    """The key that varies, its values, and the curves: train, test, train, test, ..."""
    if isinstance(data, Mapping):
        key, members, losses = "d-model", data.get("d_models"), data.get("losses")
    elif isinstance(data, (list, tuple)) and len(data) == 2:
        key, (members, losses) = "train-fraction", data
    else:
        return None
    lists = isinstance(members, (list, tuple)) and isinstance(losses, (list, tuple))
    if not lists or not losses or not members or not all(map(is_list, losses)):
        return None
    return key, members, losses


def _recognises(source: Source) -> bool:
    return _parts(source.data) is not None


def _read(source: Source, hints: Hints) -> list[RunContents]:
    parts = _parts(source.data)
    assert parts is not None
    key, members, losses = parts
    if len(losses) != 2 * len(members) or len(members) > MOST_MEMBERS:
        raise InputError(
            f"{source.path} has {len(members)} runs and {len(losses)} curves; a sweep has "
            "two curves, train and test, for each run"
        )
    return [
        _member(source, hints, key, value, losses[2 * i : 2 * i + 2])
        for i, value in enumerate(members)
    ]


def _member(source: Source, hints: Hints, key: str, raw: Any, losses: Sequence[Any]) -> RunContents:
    value = number_in(raw)
    if value is None:
        raise InputError(f"a run of {source.path} has no {key}; save it again with numbers")
    train, test = (numbers_in(curve, "losses", source.path).reshape(-1) for curve in losses)
    if not 0 < len(test) == len(train):
        raise InputError(
            f"the run {key}={value:g} of {source.path} has {len(train)} training and "
            f"{len(test)} test values; a sweep has as many of each"
        )
    epochs = np.arange(len(train), dtype=np.int64)
    task, task_beliefs = evidence.task_of(source.name, {}, {}, hints)
    statements = evidence.gather({}, source.name, task, {})
    return RunContents(
        member=f"{key}={value:g}",
        task=task,
        settings={**statements.settings(), key: value},
        curves={"train_loss": Curve(epochs, train), "test_loss": Curve(epochs, test)},
        beliefs=[
            *task_beliefs,
            *statements.beliefs(),
            Belief("losses", "train, test", "the curves of a sweep come in pairs, in that order"),
        ],
    )


IMPORTER = Importer(
    "sweep",
    "a published sweep of training fractions or widths, loss curves alone",
    _recognises,
    _read,
    order=4,
)
