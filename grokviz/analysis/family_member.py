"""One run as a member of a family: its record, value by value as the dataset's table has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.analysis import curves, fourier, losses, schema
from grokviz.analysis.part import MODULAR_ADDITION, Context, metric
from grokviz.analysis.spikes import LOGGED, spikes
from grokviz.analysis.thinning import thinned
from grokviz.trajectory import Run

if TYPE_CHECKING:
    import xarray as xr

LEARNT = 0.1
"""A run has memorised, or generalised, from a training, or test, loss below this on."""

PUBLISHED = ("sweep", "final-model", "full-run", "curves")
"""Kinds of files that are published: imports of other kinds are somebody's own weights."""

Record = dict[str, Any]
"""Values of the rows over ``member``, without that dimension."""


def record_of(run: Run, name: str, points: int) -> Record:
    """What the family's dataset says of one run.

    Args:
        run: an open run with a logged training loss.
        name: what it is called in the family.
        points: how many points its curves may have at most.

    """
    epochs, train = metric(run, "train_loss")
    return {
        "member_name": name,
        "member_source": source_of(run),
        "member_task": str(run.facts.get("task") or ""),
        **_settings(run),
        "member_last_epoch": epochs[-1] if len(epochs) else -1,
        "memorised_epoch": _below(epochs, train),
        "generalised_epoch": _below(*metric(run, "test_loss")),
        "member_spike_count": len(spikes(epochs, train)[0]),
        **_curves(run, points),
        **_weights(run),
    }


def records_of(data: xr.Dataset) -> list[Record]:
    """The members of a family's dataset."""
    names = [
        str(name)
        for name, variable in data.data_vars.items()
        if variable.dims[:1] == ("member",) and str(name) in schema.VARIABLES
    ]
    return [{name: data[name].values[i] for name in names} for i in range(data.sizes["member"])]


def source_of(run: Run) -> str:
    """Where a run comes from: ours, published or other."""
    imported = run.facts.get("imported")
    if isinstance(imported, Mapping):
        return "published" if imported.get("kind") in PUBLISHED else "other"
    return "ours" if run.facts.get("recipe") else "other"


def _settings(run: Run) -> Record:
    """What differs between runs, where a run says it; whoever recorded it, with - or _."""
    facts = run.facts
    said = {k.replace("_", "-"): v for k, v in (facts.get("settings") or facts).items()}
    precision = said.get("loss-precision") or (facts.get("precision") or {}).get("loss")
    return {
        "member_fraction": _number(said.get("train-fraction"), math.nan),
        "member_seed": _number(said.get("seed"), -1),
        "member_p": _number(said.get("p"), -1),
        "member_d_model": _number(said.get("d-model"), -1),
        "member_weight_decay": _number(said.get("weight-decay"), math.nan),
        "member_precision": str(precision or ""),
    }


def _number(value: Any, unknown: float) -> float:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if known else unknown


def _below(epochs: np.ndarray, loss: np.ndarray) -> int:
    found = curves.first_below(epochs, loss, LEARNT)
    return -1 if found is None else found


def _curves(run: Run, points: int) -> Record:
    """Both losses thinned, and what else is logged with the training loss."""
    epochs, train = metric(run, "train_loss")
    tested, test = metric(run, "test_loss")
    kept, held = thinned(epochs, train, points), thinned(tested, test, points)
    found: Record = {
        "member_epoch": epochs[kept],
        "member_train_loss": train[kept],
        "member_test_epoch": tested[held],
        "member_test_loss": test[held],
    }
    for name in LOGGED:
        found[f"member_{name}"] = _values_at(epochs[kept], *metric(run, name))
    return found


def _values_at(wanted: np.ndarray, epochs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The values logged at these epochs; NaN where there is none."""
    found = np.full(len(wanted), np.nan)
    known = np.isin(wanted, epochs)
    found[known] = values[np.searchsorted(epochs, wanted[known])]
    return found


def _weights(run: Run) -> Record:
    """What the last checkpoint of modular addition says; unknown without one."""
    if run.facts.get("task") != MODULAR_ADDITION or not len(run.epochs):
        return {
            "member_loss": np.full(len(losses.SETS), np.nan),
            "member_accuracy": np.full(len(losses.SETS), np.nan),
            "member_frequency_norm": np.zeros(0),
            "member_key_frequency": np.zeros(0),
        }
    context = Context(run, run.epochs[-1:], run.epochs[:0])
    scores, weights = context.last.scores, context.last.weights
    components = fourier.component_norms(weights.number_embedding)
    all_frequencies = fourier.frequencies(weights.p)
    return {
        "member_loss": list(losses.by_set(scores.loss, context.is_train).values()),
        "member_accuracy": list(losses.by_set(scores.right, context.is_train).values()),
        "member_frequency_norm": fourier.frequency_norms(components),
        "member_key_frequency": np.isin(all_frequencies, context.keys),
    }
