"""What a family of runs keeps of each run of modular addition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset import fourier
from grokviz.dataset.families.family_member import MemberMeasures, Record
from grokviz.runs import Run
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionRun
from grokviz.tasks.modular_addition.measures import losses

if TYPE_CHECKING:
    import xarray as xr


def of_run(run: Run) -> Record | None:
    """Losses, accuracies and frequencies of the last checkpoint; None without one."""
    if not len(run.epochs):
        return None
    context = ModularAdditionRun(run, run.epochs[-1:], run.epochs[:0])
    scores, weights = context.last.scores, context.last.weights
    components = fourier.component_norms(weights.number_embedding)
    all_frequencies = fourier.frequencies(weights.p)
    return {
        "member_loss": list(losses.by_set(scores.loss, context.is_train).values()),
        "member_accuracy": list(losses.by_set(scores.right, context.is_train).values()),
        "member_frequency_norm": fourier.frequency_norms(components),
        "member_key_frequency": np.isin(all_frequencies, context.keys),
    }


def of_dataset(data: xr.Dataset) -> Record | None:
    """The same from a dataset; None where it does not hold them."""
    needed = ("loss", "accuracy", "embedding_frequency_norm")
    if not all(name in data for name in needed) or "key_frequency" not in data.coords:
        return None
    last = data.isel(epoch=-1)
    return {
        "member_loss": last["loss"].values,
        "member_accuracy": last["accuracy"].values,
        "member_frequency_norm": last["embedding_frequency_norm"].values,
        "member_key_frequency": np.isin(data["frequency"].values, data["key_frequency"].values),
    }


MEMBER = MemberMeasures(of_run, of_dataset)
