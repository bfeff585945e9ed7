"""Losses, accuracies and margins over all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import FLOAT64, Published, measure
from grokviz.dataset.variables import PAPER
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas.losses import by_set

if TYPE_CHECKING:
    import xarray as xr


@measure("split", units="nats", source=f"{PAPER}, section 3", stored=FLOAT64,
         published="loss_{split}")  # fmt: skip
def loss(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> Float[np.ndarray, " split"]:
    """Mean cross entropy over the p number classes ('=' left out), in float64."""
    return np.array(list(by_set(at.scores.loss, run.is_train).values()))


@measure("split", source=f"{PAPER}, figure 2", stored=FLOAT64)
def accuracy(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> Float[np.ndarray, " split"]:
    """Share of pairs whose largest logit is the right one."""
    return np.array(list(by_set(at.scores.right, run.is_train).values()))


def _margins(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    names = {"smallest": "min", "mean": "mean", "largest": "max"}
    return {f"margin_{short}": float(values.sel(extreme=name)) for name, short in names.items()}


@measure(
    "extreme", units="logits", source="standard", stored=FLOAT64, published=Published(_margins)
)
def margin(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " extreme"]:
    """Lead of the right logit over the largest other, smallest, mean and largest over all pairs."""
    lead = at.scores.margin
    return np.array([lead.min(), lead.mean(), lead.max()])
