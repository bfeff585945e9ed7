"""Every metric that training logged, whatever its name, on one clock."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import RunView
from grokviz.dataset.contract import FLOAT64, dimension, measure, requires
from grokviz.dataset.numerics.thinning import extreme_indices
from grokviz.runs import Run

MOST = 64
"""So many metrics, in the order of their names."""

POINTS = 4000
"""About so many epochs, the lowest and the highest values of each metric among them."""


SPLITS = ("train", "test")


def _any_metric(run: Run) -> str:
    return "" if run.metrics else "metric logged in training"


def _any_accuracy(run: Run) -> str:
    names = [f"{split}_accuracy" for split in SPLITS]
    return "" if {*names} & {*run.metrics} else f"{names[1]} logged in training"


@dimension
def logged_name(run: RunView) -> list[str]:
    """Names of the metrics that training logged."""
    return list(run.run.metrics[:MOST])


@dimension
def metric_epoch(run: RunView) -> Int[np.ndarray, " metric_epoch"]:
    """Epochs at which any metric was logged; of very many, those that draw the same curves."""
    names = logged_name(run)
    epochs = [np.zeros(0, dtype=np.int64)]
    for name in names:
        clock, values = run.metric(name)
        epochs.append(clock[extreme_indices(clock, values, max(POINTS // len(names), 60))])
    return np.unique(np.concatenate(epochs))


@measure("metric_epoch", "logged_name", on="run", stored=FLOAT64, long_name="logged metric",
         source="the training loop's own log")  # fmt: skip
@requires(_any_metric)
def logged_metric(run: RunView) -> Float[np.ndarray, "metric_epoch logged_name"]:
    """Every metric as training logged it; NaN where it was not, and where it is no number."""
    clock, names = metric_epoch(run), logged_name(run)
    table = np.full((len(clock), len(names)), np.nan)
    for column, name in zip(table.T, names, strict=True):
        epochs, values = run.metric(name)
        at = np.searchsorted(epochs, clock)
        known = at < len(epochs)
        known[known] = epochs[at[known]] == clock[known]
        column[known] = values[at[known]]
    return table


@dimension
def split(run: RunView) -> list[str]:
    """Which pairs: train, test or all."""
    return list(SPLITS)


@measure("epoch", "split", on="run", stored=FLOAT64, source="the training loop's own log")
@requires(_any_accuracy)
def accuracy(run: RunView) -> Float[np.ndarray, "epoch split"]:
    """Accuracy as training last logged it up to each checkpoint, as train_accuracy and
    test_accuracy; NaN where it had not.
    """
    table = np.full((len(run.epochs), len(SPLITS)), np.nan)
    for column, name in zip(table.T, SPLITS, strict=True):
        epochs, values = run.metric(f"{name}_accuracy")
        if len(epochs):
            last = np.searchsorted(epochs, run.epochs, side="right") - 1
            column[last >= 0] = values[last[last >= 0]]
    return table
