"""The embedding in the Fourier basis, and when a run answers nearly all test pairs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import Storage, dimension, logged, measure, requires
from grokviz.dataset.numerics import fourier
from grokviz.dataset.variables import PAPER
from grokviz.tasks._scores import stage_ends
from grokviz.tasks.layernorm_addition.checkpoint import LayerNormCheckpoint, LayerNormRun

STAGES = ("memorised", "generalised")


@dimension
def frequency(run: LayerNormRun) -> Int[np.ndarray, " frequency"]:
    """Whole turns of a wave over the p residues."""
    return fourier.frequencies(run.p)


@dimension
def stage(run: LayerNormRun) -> list[str]:
    """What has been learnt at the end of a stage."""
    return list(STAGES)


@measure("frequency", long_name="norm in the embedding", source=f"{PAPER}, figure 3")
def embedding_frequency_norm(at: LayerNormCheckpoint) -> Float[np.ndarray, " frequency"]:
    """Root of the summed squares of a frequency's cosine and sine norms."""
    return fourier.frequency_norms(fourier.component_norms(at.number_embedding))


@measure("stage", on="run", units="epoch", long_name="end of the stage",
         source="PeterPonyu/muon-norm-cap-grokking", stored=Storage("int64"))  # fmt: skip
@requires(logged("train_accuracy", "accuracy logged in training"))
def stage_end(run: LayerNormRun) -> Int[np.ndarray, " stage"]:
    """First epoch at which the logged accuracy on the training pairs, and on the test pairs, is
    0.95; -1 for never, or where it was not logged.
    """
    return stage_ends(run)
