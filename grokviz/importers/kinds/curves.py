"""Files that hold loss curves and no weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from grokviz.errors import InputError
from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Curve, Hints, Importer, RunContents, Source
from grokviz.importers.reading.values import CURVES, curves_in, is_list, number_in, numbers_in

MOST_TOKENS = 64


def _recognises(source: Source) -> bool:
    data = source.data
    if isinstance(data, Mapping):
        return any(is_list(data.get(name)) for name in CURVES)
    if isinstance(data, (list, tuple)):
        return len(data) > 0 and number_in(data[0]) is not None
    return is_list(data)


def _read(source: Source, hints: Hints) -> list[RunContents]:
    name, data = source.name, source.data
    tables = data if isinstance(data, Mapping) else {}
    task, task_beliefs = evidence.task_of(name, {}, tables, hints)
    if tables:
        curves, beliefs = curves_in(tables, source, hints)
    else:
        curves, beliefs = _unnamed_curves(source)
    if not curves:
        raise InputError(f"the loss curves in {source.path} are empty; save it again")
    statements = evidence.gather(tables, name, task, {})
    return [
        RunContents(
            task=task,
            settings=statements.settings(),
            curves=curves,
            beliefs=[*task_beliefs, *statements.beliefs(), *beliefs],
            config=evidence.plain_config(tables),
        )
    ]


def _unnamed_curves(source: Source) -> tuple[dict[str, Curve], list[Belief]]:
    """Curves of an unnamed list: the training loss, or one column per token of the answer."""
    values = numbers_in(source.data, "the list", source.path)
    if values.ndim == 1:
        belief = Belief(
            "train_loss", f"{len(values)} values", "an unnamed list is taken as the training loss"
        )
        return {"train_loss": _curve(values)} if values.size else {}, [belief]
    if values.ndim != 2 or not 0 < values.shape[1] <= MOST_TOKENS or not len(values):
        raise InputError(
            f"{source.path} holds an array of shape {values.shape}; "
            "loss curves have the shape (steps,) or (steps, tokens)"
        )
    tokens = values.shape[1]
    belief = Belief(
        "train_loss",
        f"the mean of {tokens} columns",
        "they are taken as the answer's tokens, train_loss_token_0 the first of them",
    )
    by_token = {f"train_loss_token_{k}": _curve(values[:, k]) for k in range(tokens)}
    return {"train_loss": _curve(values.mean(axis=1)), **by_token}, [belief]


def _curve(values: np.ndarray) -> Curve:
    return Curve(np.arange(len(values), dtype=np.int64), values)


IMPORTER = Importer(
    "curves",
    "a .pth of loss curves alone",
    _recognises,
    _read,
    order=5,
)
