"""Measures of the weights themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.contract import Published, dimension, measure
from grokviz.dataset.variables import PAPER
from grokviz.tasks.any.norms import sums_of_squares, weight_names

if TYPE_CHECKING:
    import xarray as xr


@dimension
def parameter(run: RunView) -> list[str]:
    """Names in the published state dictionaries."""
    return weight_names(run.last.state)


def _sum(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    return {"sum_squared_weights": float(values.values.astype(float).sum())}


@measure("parameter", long_name="sum of squared weights",
         source=f"{PAPER}, figure 7", published=Published(_sum))  # fmt: skip
def sum_squared_weights(at: Checkpoint) -> Float[np.ndarray, " parameter"]:
    """Sum of the squares of all entries of a parameter."""
    return np.array(list(sums_of_squares(at.state).values()))
