"""The logits as waves of a + b - c."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import FLOAT64, Storage, measure
from grokviz.dataset.variables import PAPER
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas import geometry, logits
from grokviz.tasks.modular_addition.formulas.marginals import frequency_power, trig_fraction
from grokviz.tasks.modular_addition.formulas.neurons import rows_of
from grokviz.tasks.modular_addition.measures.dimensions import by_key
from grokviz.tasks.modular_addition.measures.embedding import CLOCK_AND_PIZZA
from grokviz.tasks.modular_addition.measures.progress import NOTEBOOK

SECTION = f"{PAPER}, section 4.2"
WAVE = Storage(bits=11)


@measure("frequency", units="logits times sqrt(p^3)", source=f"{PAPER}, figures 11 and 14",
         long_name="cosine coefficient of the logits",
         published=by_key("cosine_coefficients"))  # fmt: skip
def cosine_coefficient(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " frequency"]:
    """v_k, the product of the logits over (a, b, c) with cos w_k(a + b - c) of unit norm;
    v_k sqrt(2 / p^3) is that wave's height in logits.
    """
    return at.cosine_coefficients


@measure(long_name="logits explained", source=SECTION, stored=FLOAT64,
         published="logit_variance_explained")  # fmt: skip
def logit_variance_explained(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Sum over the key frequencies of v_k^2 over the summed squares of all logits."""
    return logits.variance_explained(at.cosine_coefficients[rows_of(run.keys)], at.logits)


@measure("residue", units="logits", long_name="mean logit by a + b - c", source=f"after {SECTION}",
         stored=WAVE)  # fmt: skip
def logit_wave(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " residue"]:
    """Mean of the logits over all a, b, c with (a + b - c) mod p equal to the residue, less the
    mean of all logits.
    """
    return at.logit_waves[0]


@measure("residue", units="logits", long_name="spread by a + b - c", source=f"after {SECTION}",
         stored=WAVE)  # fmt: skip
def logit_wave_spread(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " residue"]:
    """Standard deviation of the logits over all a, b, c with that a + b - c."""
    return at.logit_waves[1]


@measure("component", "component_b", on="field_epoch", units="logits",
         long_name="norm of the logits' transform", source=f"{PAPER}, figure 4",
         stored=Storage(bits=6))  # fmt: skip
def logit_spectrum(at: ModularAdditionCheckpoint) -> Float[np.ndarray, "component component_b"]:
    """Norm over the classes of the logits' 2-D Fourier transform over a (component) and b
    (component_b).
    """
    return logits.logit_spectrum(at.forward.logits)


@measure(long_name="trigonometric share of the logits", stored=FLOAT64,
         source=f"{NOTEBOOK}, analysis during training",
         published="trig_fraction_logits")  # fmt: skip
def trig_fraction_logits(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Mean over the classes of the share of variance in cos and sin of w(a + b) at the key
    frequencies.
    """
    return trig_fraction(at.logits, frequency_power(at.logits), rows_of(run.keys))


@measure(source=CLOCK_AND_PIZZA, stored=FLOAT64, published="distance_irrelevance")
def distance_irrelevance(at: ModularAdditionCheckpoint) -> float:
    """Mean over a - b of the standard deviation of the right logit over a + b, over its whole
    standard deviation.
    """
    return geometry.distance_irrelevance(at.forward.logits)
