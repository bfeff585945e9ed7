"""The way of the weights, as families of runs have it of each member: norm, direction and waves."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import measure
from grokviz.dataset.families.trajectory import (
    DIRECTIONS,
    PUBLISHED,
    cosine,
    hidden_weights,
    participation_ratio,
)
from grokviz.dataset.numerics import fourier
from grokviz.tasks.any.measures.steps import step_epoch
from grokviz.tasks.layernorm_addition.checkpoint import LayerNormCheckpoint, LayerNormRun


@measure(long_name="norm of the hidden weights", source=PUBLISHED, published="hidden_weight_norm")
def hidden_weight_norm(at: LayerNormCheckpoint) -> float:
    """Root of the summed squares of all matrices that are not embeddings."""
    return float(np.linalg.norm(hidden_weights(at.state)))


@measure(long_name="participation ratio of waves", source=PUBLISHED,
         published="embedding_wave_count")  # fmt: skip
def embedding_wave_count(at: LayerNormCheckpoint) -> float:
    """Participation ratio of the frequencies in the embedding: the squared sum of their squared
    norms over the sum of the squares of these; 1 where one is left.
    """
    norms = fourier.frequency_norms(fourier.component_norms(at.number_embedding))
    return participation_ratio(np.square(norms))


@measure("step_epoch", on="series", long_name="step along the weights", source=DIRECTIONS)
def hidden_step_cosine(run: LayerNormRun) -> Float[np.ndarray, " step_epoch"]:
    """Cosine between the hidden weights and what is added to them up to the next of these
    checkpoints: above 0 along them, below 0 against them; NaN at the last.
    """
    cosines, before = [], None
    for epoch in step_epoch(run).tolist():
        weights = hidden_weights(run.run.weights(epoch))
        if before is not None:
            cosines.append(cosine(before, weights - before))
        before = weights
    return np.array([*cosines, np.nan])
