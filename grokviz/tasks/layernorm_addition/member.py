"""The record of a run with LayerNorm in a family of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from grokviz.dataset.families import trajectory
from grokviz.dataset.families.family_member import SPLITS, MemberMeasures, Record
from grokviz.dataset.numerics import fourier
from grokviz.runs import Run
from grokviz.tasks.layernorm_addition.checkpoint import number_embedding

if TYPE_CHECKING:
    import xarray as xr


def of_run(run: Run) -> Record | None:
    """The waves of the last checkpoint's embedding; None without one."""
    if not len(run.epochs):
        return None
    last = run.weights(int(run.epochs[-1]))
    return {**_record(_frequency_norms(last)), **trajectory.trajectory(run, _frequency_norms)}


def of_dataset(data: xr.Dataset) -> Record | None:
    """The same from a dataset; None if it does not contain them."""
    if "embedding_frequency_norm" not in data:
        return None
    return _record(data["embedding_frequency_norm"].isel(epoch=-1).values)


def _frequency_norms(state: Mapping[str, np.ndarray]) -> Float[np.ndarray, " frequency"]:
    components = fourier.component_norms(number_embedding(state))
    return fourier.frequency_norms(components)


def _record(norms: np.ndarray) -> Record:
    """Losses and accuracies are logged, and which waves are key is not known."""
    return {
        "member_loss": np.full(len(SPLITS), np.nan),
        "member_accuracy": np.full(len(SPLITS), np.nan),
        "member_frequency_norm": norms,
        "member_key_frequency": np.full(len(norms), -1),
    }


MEMBER = MemberMeasures(of_run, of_dataset)
