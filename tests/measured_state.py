"""Every measure of a single state dict of modular addition, for tests that have no run of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from grokviz.dataset import table
from grokviz.dataset.build.assemble import dataset_of
from grokviz.dataset.measured import published_of
from grokviz.task import task
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas.losses import check_train
from grokviz.tasks.modular_addition.forward import Forward

TABLE = table.table(task("modular-addition"))
ALONG = ("epoch", "field_epoch")


def view_of(
    state: dict[str, np.ndarray],
    train: np.ndarray | None,
    keys: Any = None,
    cluster: np.ndarray | None = None,
    ran: Forward | None = None,
) -> ModularAdditionRun:
    """A run of that checkpoint alone; key frequencies and clusters are its own, where not given."""
    run: Any = SimpleNamespace(
        facts={"task": "modular-addition"}, name="state", checksum="", epochs=np.array([0]),
        metrics=[], path="state",
    )  # fmt: skip
    view = ModularAdditionRun(run, np.array([0]), np.array([0]))
    view.__dict__["last"] = last = ModularAdditionCheckpoint(0, state)
    run.facts["settings"] = {"p": last.weights.p}
    if ran is not None:
        last.__dict__["forward"] = ran
    view.__dict__["is_train"] = None if train is None else check_train(train, last.weights.p)
    view.__dict__["keys"] = view.clustered if keys is None else np.asarray(keys, dtype=int)
    if cluster is not None:
        view.__dict__["cluster"] = cluster
    return view


def value_of(view: ModularAdditionRun, name: str) -> Any:
    """One measure of the checkpoint, as its function gives it."""
    one = TABLE.measures[name]
    arguments = {"at": view.last, "run": view}
    return one(**{parameter: arguments[parameter] for parameter in one.parameters})


class Measured:
    """The measures of a state as attributes, each taken when it is asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.view = view_of(*args, **kwargs)
        self.names = [name for name, one in TABLE.measures.items() if one.on in ALONG]
        self.key_frequencies = self.view.keys

    def __getattr__(self, name: str) -> Any:
        return value_of(self.view, name)


def published(
    state: dict[str, np.ndarray], train: np.ndarray | None, keys: Any = None
) -> dict[str, Any]:
    """What would be printed of the state's own measures."""
    view = view_of(state, train, keys)
    names = [
        name
        for name in table.published_names(TABLE)
        if name not in TABLE.measures or TABLE.measures[name].on in ALONG
    ]
    needs = [*names, *table.coordinates_of(TABLE, names)]
    measures = published_of(TABLE, dataset_of(view, TABLE, needs), 0).values
    return {name: value for name, value in measures.items() if name != "epoch"}
