"""Distance irrelevance (arXiv:2306.17844, section 4)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import modulus_of_pairs
from grokviz.tasks.modular_addition.formulas.losses import answers


def correct_logits(logits: Float[np.ndarray, "p*p p"]) -> Float[np.ndarray, "sum difference"]:
    """The correct answer's logit, with (a + b) mod p as rows and (a - b) mod p as columns."""
    p = modulus_of_pairs(len(logits))
    a, b = np.divmod(np.arange(p * p), p)
    table = np.empty((p, p))
    table[answers(p), (a - b) % p] = logits[np.arange(p * p), answers(p)]
    return table


def distance_irrelevance(logits: Float[np.ndarray, "p*p p"]) -> float:
    """How little the correct logit depends on a - b: near 1 for a clock, below 0.4 for a pizza.

    Mean over the differences of the standard deviation over the sums, divided by the standard
    deviation over all pairs; 0 for logits that do not vary.
    """
    table = correct_logits(logits)
    spread = table.std()
    # Below rounding there is nothing to compare: every pair has the same correct logit.
    if spread <= ties.ROUNDING * np.abs(table).max():
        return 0.0
    return float(table.std(axis=0).mean() / spread)
