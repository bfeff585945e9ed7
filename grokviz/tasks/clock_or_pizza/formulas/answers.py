"""How the logits of all pairs score."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from grokviz.dataset.numerics import ties
from grokviz.tasks.clock_or_pizza.formulas.circuits import right_and_best_wrong


def losses(logits: Float[np.ndarray, "p p p"]) -> Float[np.ndarray, " pairs"]:
    """Cross entropy of the right answer of each pair, in nats."""
    right, _ = right_and_best_wrong(logits)
    loss: Float[np.ndarray, " pairs"] = np.logaddexp.reduce(logits, axis=2) - right
    return loss.ravel()


def is_right(logits: Float[np.ndarray, "p p p"]) -> Bool[np.ndarray, " pairs"]:
    """Whether the right logit of each pair is the largest; not where it ties but for rounding."""
    right, wrong = right_and_best_wrong(logits)
    tie = ties.ROUNDING * np.abs(logits).max(initial=0)
    above: Bool[np.ndarray, " pairs"] = (right - wrong > tie).ravel()
    return above
