"""What a network answers to every sum, from its logits."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def answers_of(
    logits: Float[np.ndarray, "p*p p"],
) -> tuple[Int[np.ndarray, "p p"], Float[np.ndarray, "p p"]]:
    """By how much each answer is off, (answer - a - b) mod p, and its probability.

    The answer to the pair a * p + b is the number with the largest logit, the first of equal ones;
    where a logit is no number, so is the probability.
    """
    p = logits.shape[1]
    answer = logits.argmax(axis=1)
    a, b = np.divmod(np.arange(p * p), p)
    highest = logits.max(axis=1)
    with np.errstate(invalid="ignore"):
        probability = 1 / np.exp(logits - highest[:, None]).sum(axis=1)
    return ((answer - a - b) % p).reshape(p, p), probability.reshape(p, p)
