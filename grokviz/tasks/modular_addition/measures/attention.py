"""Where '=' looks, and what draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, Published, measure
from grokviz.dataset.variables import PAPER
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas import attention, compositions
from grokviz.tasks.modular_addition.forward import attention_scores
from grokviz.tasks.modular_addition.measures.neurons import DURING, SECTION, SMALL
from grokviz.tasks.modular_addition.measures.progress import NOTEBOOK

if TYPE_CHECKING:
    import xarray as xr


@measure("head", "row", long_name="attention score from '='", source=f"{PAPER}, section 4")
def attention_score(at: ModularAdditionCheckpoint) -> Float[np.ndarray, "head row"]:
    """Score of '=' for each number as a, each number as b, and itself, before the softmax."""
    return attention_scores(at.weights)


def _published(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    return {"attention_mean": values.values.tolist()}


_HEADINGS = ("head", "attention to a", "to b", "to =")


@measure("head", "position", long_name="mean attention from '='", source=DURING, stored=FLOAT64,
         published=Published(_published, headings=_HEADINGS))  # fmt: skip
def attention_mean(at: ModularAdditionCheckpoint) -> Float[np.ndarray, "head position"]:
    """Mean over all pairs of the attention from '=' to a, to b and to itself."""
    return attention.attention_mean(at.forward.pattern)


@measure("head", long_name="frequency of the head", source=SECTION, stored=SMALL)
def head_frequency(at: ModularAdditionCheckpoint) -> Int[np.ndarray, " head"]:
    """Frequency that explains most of the variance over (a, b) of the head's attention to a; 0
    where no frequency explains it better than another.
    """
    return at.head_frequencies.frequency


@measure("head", long_name="variance explained", source=SECTION)
def head_variance_explained(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " head"]:
    """Share of the variance of the head's attention to a that
    const + alpha (cos wa - cos wb) + beta (sin wa - sin wb) explains at that frequency; 0 for a
    head without one.
    """
    return at.head_frequencies.fraction


@measure("head", "component", on="run", units="score units", long_name="attention map",
         source=f"{PAPER}, figure 8")  # fmt: skip
def attention_map_fourier(run: ModularAdditionRun) -> Float[np.ndarray, "head component"]:
    """C_j = r W_Q^T W_K W_E in the Fourier basis, r the residual stream at '=': what draws head
    j's attention to a number, last checkpoint.
    """
    return compositions.attention_map_fourier(run.last.weights)


@measure("head", "component", on="run", long_name="norm in the neuron input", source=NOTEBOOK)
def neuron_input_component_norm(run: ModularAdditionRun) -> Float[np.ndarray, "head component"]:
    """Norm over the neurons of W_in W_O W_V W_E along one row of the Fourier basis, by head, last
    checkpoint.
    """
    return compositions.neuron_input_components(run.last.weights)
