"""The embedding in the Fourier basis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import FLOAT64, Published, Storage, measure
from grokviz.dataset.numerics import fourier, roundness
from grokviz.dataset.variables import PAPER
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas import embedding

if TYPE_CHECKING:
    import xarray as xr

NORMS = f"{PAPER}, figure 3; thread, tweet 9"
CLOCK_AND_PIZZA = "arXiv:2306.17844"
LISTED = 12
"""How many singular values are printed."""


@measure("component", long_name="norm in the embedding", source=NORMS)
def embedding_component_norm(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " component"]:
    """Euclidean norm of W_E (without '=') along one row of the Fourier basis."""
    return at.number_components


@measure("frequency", long_name="norm in the embedding", source=NORMS)
def embedding_frequency_norm(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " frequency"]:
    """Root of the summed squares of a frequency's cosine and sine norms."""
    return fourier.frequency_norms(at.number_components)


@measure("embedded_frequency", "residue", "axis", source="notebook, embedding section",
         long_name="coordinates in the frequency's plane")  # fmt: skip
def embedding_plane(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, "embedded_frequency residue axis"]:
    """Embedding of each residue, less the mean, in the plane spanned by W_E cos_k and W_E sin_k
    (axes by the polar factor).
    """
    return embedding.embedding_planes(at.weights.number_embedding, run.embedded)


def _listed(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    return {"embedding_singular_values": values.values[:LISTED].tolist()}


@measure("rank", long_name="singular value of W_E", source="notebook, analysis during training",
         published=Published(_listed))  # fmt: skip
def embedding_singular_value(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " rank"]:
    """Singular values of the embedding of the p residues."""
    return embedding.embedding_singular_values(at.weights.number_embedding)


@measure("dimension", "residue", on="run", long_name="embedding", source=f"{PAPER}, section 3",
         stored=Storage(bits=10))  # fmt: skip
def embedding_matrix(run: ModularAdditionRun) -> Float[np.ndarray, "dimension residue"]:
    """W_E as it is stored, without '=': a column a number, last checkpoint."""
    matrix: Float[np.ndarray, "dimension residue"] = run.last.weights.number_embedding
    return matrix


@measure(long_name="Gini coefficient of W_E", source=f"{PAPER} (third version), figure 7",
         published="gini_embedding")  # fmt: skip
def gini_embedding(at: ModularAdditionCheckpoint) -> float:
    """Gini coefficient of the p Fourier-component norms of W_E, the constant included."""
    return float(fourier.gini(at.number_components))


@measure(long_name="circularity of the embedding", source=CLOCK_AND_PIZZA, stored=FLOAT64,
         published="circularity")  # fmt: skip
def circularity(at: ModularAdditionCheckpoint) -> float:
    """Mean over W_E's first four principal components of the share of its best single wave."""
    return roundness.circularity(at.weights.number_embedding)
