"""The record of one run as a member of a family."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.dataset import schema
from grokviz.dataset.checkpoint import metric
from grokviz.dataset.families import trajectory
from grokviz.dataset.learning import Curve, first_low
from grokviz.dataset.numerics.spikes import LOGGED, spikes, values_on
from grokviz.dataset.numerics.thinning import extreme_indices
from grokviz.dataset.variables import Variable
from grokviz.runs import Run
from grokviz.task import known_task

if TYPE_CHECKING:
    import xarray as xr

PUBLISHED = ("sweep", "final-model", "full-run", "curves")
"""Kinds of files that are published: imports of other kinds are somebody's own weights."""

ACCURACY = "test_accuracy"
ACCURATE = 0.95
"""The test accuracy at which a run has learnt, whatever its loss."""

SPLITS = ("train", "test", "all")
"""Sets of inputs on which a member's last checkpoint is measured."""

CROSS_ENTROPY = "cross-entropy"

Record = dict[str, Any]
"""Values of the rows over ``member``, without that dimension."""


@dataclass(frozen=True)
class MemberMeasures:
    """A task's measures of a member's last checkpoint.

    Attributes:
        of_run: ``member_loss`` and ``member_accuracy`` by :data:`SPLITS`,
            ``member_frequency_norm`` and ``member_key_frequency``, and those of
            :mod:`grokviz.dataset.families.trajectory` where it knows its embedding; None of a run
            without weights.
        of_dataset: the same from a dataset of the run; None if it does not contain them.
        rows: the definitions of these variables of a family.

    """

    of_run: Callable[[Run], Record | None]
    of_dataset: Callable[[xr.Dataset], Record | None]
    rows: tuple[Variable, ...] = ()


def record_of(run: Run, name: str, points: int) -> Record:
    """One run's record in the family's dataset.

    Args:
        run: an open run with a logged training loss.
        name: its name in the family.
        points: the maximum number of points of its curves.

    """
    epochs, train = metric(run, "train_loss")
    return {
        "member_name": name,
        "member_source": source_of(run),
        "member_task": str(run.facts.get("task") or ""),
        **_settings(run.facts),
        "member_last_epoch": epochs[-1] if len(epochs) else -1,
        "memorised_epoch": _below(epochs, train),
        "generalised_epoch": _below(*metric(run, "test_loss")),
        "accurate_epoch": _above(*metric(run, "test_accuracy")),
        "member_spike_count": len(spikes(epochs, train)[0]),
        **_curves(
            {name: metric(run, name) for name in ("train_loss", "test_loss", ACCURACY, *LOGGED)},
            points,
        ),
        **_of_task(run.facts.get("task"), lambda member: member.of_run(run)),
    }


def record_of_dataset(data: xr.Dataset, points: int) -> Record:
    """A run's record in the family's dataset, from its own dataset, such as a reference's.

    Its logged curves may have been thinned when it was bundled; the epochs at which it learned
    then come from its events, which were not.
    """
    attrs = data.attrs
    settings = json.loads(attrs.get("settings") or "{}")
    curves_of = {
        "train_loss": _curve_of(data, "logged_epoch", "logged_train_loss"),
        "test_loss": _curve_of(data, "tested_epoch", "logged_test_loss"),
        ACCURACY: _curve_of(data, "tested_epoch", f"logged_{ACCURACY}"),
        **{name: _curve_of(data, "logged_epoch", f"logged_{name}") for name in LOGGED},
    }
    epochs, train = curves_of["train_loss"]
    spike_count = (
        len(data["spike_epoch"]) if "spike_epoch" in data else len(spikes(epochs, train)[0])
    )
    return {
        "member_name": str(attrs.get("run_name") or "run"),
        "member_source": "ours" if attrs.get("recipe") else "other",
        "member_task": str(attrs.get("task") or ""),
        **_settings({"settings": settings, "recipe": attrs.get("recipe")}),
        "member_last_epoch": epochs[-1] if len(epochs) else -1,
        "memorised_epoch": _event(data, "memorised", curves_of["train_loss"]),
        "generalised_epoch": _event(data, "generalised", curves_of["test_loss"]),
        "accurate_epoch": _above(*curves_of[ACCURACY]),
        "member_spike_count": spike_count,
        **_curves(curves_of, points),
        **_of_task(attrs.get("task"), lambda member: member.of_dataset(data)),
    }


def _curve_of(data: xr.Dataset, clock: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    if name not in data:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    return data[clock].values, data[name].values.astype(np.float64)


def _event(data: xr.Dataset, name: str, curve: tuple[np.ndarray, np.ndarray]) -> int:
    epoch = int(data["event_epoch"].sel(event=name)) if "event_epoch" in data else -1
    return epoch if epoch >= 0 else _below(*curve)


def records_of(data: xr.Dataset) -> list[Record]:
    """The members of a family's dataset."""
    known = schema.variables()
    names = [
        str(name)
        for name, variable in data.data_vars.items()
        if variable.dims[:1] == ("member",) and str(name) in known
    ]
    return [
        {**_no_weights(), **_unsaid(data), **{name: data[name].values[i] for name in names}}
        for i in range(data.sizes["member"])
    ]


def _unsaid(data: xr.Dataset) -> Record:
    """Rows of a member's record that a dataset from before they existed does not have."""
    return {
        "member_recipe": "",
        "member_optimiser": "",
        "member_objective": "",
        "accurate_epoch": -1,
        "member_test_accuracy": np.full(data.sizes["point"], np.nan),
    }


def source_of(run: Run) -> str:
    """The source of a run: ours, published or other."""
    imported = run.facts.get("imported")
    if isinstance(imported, Mapping):
        return "published" if imported.get("kind") in PUBLISHED else "other"
    return "ours" if run.facts.get("recipe") else "other"


def _settings(facts: Mapping[str, Any]) -> Record:
    """The settings that may differ between runs, from facts with - or _ in their keys."""
    settings = {k.replace("_", "-"): v for k, v in (facts.get("settings") or facts).items()}
    recipe = str(facts.get("recipe") or "")
    precision = settings.get("loss-precision") or (facts.get("precision") or {}).get("loss")
    return {
        "member_fraction": _number(settings.get("train-fraction"), math.nan),
        "member_seed": _number(settings.get("seed"), -1),
        "member_p": _number(settings.get("p"), -1),
        "member_d_model": _number(settings.get("d-model"), -1),
        "member_weight_decay": _number(settings.get("weight-decay"), math.nan),
        "member_precision": str(precision or ""),
        "member_recipe": recipe,
        "member_optimiser": _word(settings, "optimiser", "adamw" if recipe else ""),
        "member_objective": _word(settings, "loss", CROSS_ENTROPY if recipe else ""),
    }


def _word(settings: Mapping[str, Any], key: str, default: str) -> str:
    """A setting that is a word; the default in runs of ours from before the key existed."""
    value = settings.get(key, default)
    return value if isinstance(value, str) else ""


def _number(value: Any, default: float) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else default


def _below(epochs: np.ndarray, loss: np.ndarray) -> int:
    epoch = first_low(Curve(epochs, loss))
    return -1 if epoch is None else epoch


def _above(epochs: np.ndarray, accuracy: np.ndarray) -> int:
    reached = np.flatnonzero(accuracy >= ACCURATE)
    return int(epochs[reached[0]]) if reached.size else -1


def _curves(curves_of: Mapping[str, tuple[np.ndarray, np.ndarray]], points: int) -> Record:
    """Both losses, thinned, and other metrics logged with the training loss."""
    epochs, train = curves_of["train_loss"]
    test_epochs, test = curves_of["test_loss"]
    rows, test_rows = (
        extreme_indices(epochs, train, points),
        extreme_indices(test_epochs, test, points),
    )
    record: Record = {
        "member_epoch": epochs[rows],
        "member_train_loss": train[rows],
        "member_test_epoch": test_epochs[test_rows],
        "member_test_loss": test[test_rows],
        "member_test_accuracy": values_on(test_epochs[test_rows], *curves_of[ACCURACY]),
    }
    for name in LOGGED:
        record[f"member_{name}"] = values_on(epochs[rows], *curves_of[name])
    return record


def _of_task(name: object, ask: Callable[[MemberMeasures], Record | None]) -> Record:
    """The task's measures of the run's last checkpoint, or their fill values."""
    task = known_task(name)
    member: MemberMeasures | None = task.load("member") if task else None
    record = ask(member) if member else None
    return _no_weights() if record is None else {**_no_weights(), **record}


def _no_weights() -> Record:
    return {
        "member_loss": np.full(len(SPLITS), np.nan),
        "member_accuracy": np.full(len(SPLITS), np.nan),
        "member_frequency_norm": np.zeros(0),
        "member_key_frequency": np.zeros(0),
        **trajectory.empty(),
    }
