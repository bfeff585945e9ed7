"""The record of a run with LayerNorm in a family of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset.families.family_member import SPLITS, MemberMeasures, Record
from grokviz.dataset.numerics import fourier
from grokviz.runs import Run
from grokviz.tasks.layernorm_addition.checkpoint import LayerNormRun

if TYPE_CHECKING:
    import xarray as xr


def of_run(run: Run) -> Record | None:
    """The waves of the last checkpoint's embedding; None without one."""
    if not len(run.epochs):
        return None
    last = LayerNormRun(run, run.epochs[-1:], run.epochs[:0]).last
    return _record(fourier.frequency_norms(fourier.component_norms(last.number_embedding)))


def of_dataset(data: xr.Dataset) -> Record | None:
    """The same from a dataset; None if it does not contain them."""
    if "embedding_frequency_norm" not in data:
        return None
    return _record(data["embedding_frequency_norm"].isel(epoch=-1).values)


def _record(norms: np.ndarray) -> Record:
    """Losses and accuracies are logged, and which waves are key is not known."""
    return {
        "member_loss": np.full(len(SPLITS), np.nan),
        "member_accuracy": np.full(len(SPLITS), np.nan),
        "member_frequency_norm": norms,
        "member_key_frequency": np.full(len(norms), -1),
    }


MEMBER = MemberMeasures(of_run, of_dataset)
