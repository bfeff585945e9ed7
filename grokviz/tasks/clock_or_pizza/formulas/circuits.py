"""Gradient symmetricity and distance irrelevance, as published.

Source: arXiv:2306.17844, sections 4.1 and 4.2, and its code (eval-main.ipynb, train-main.py).
"""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics import ties

TRIPLES, TRIPLE_SEED = 100, 42


@lru_cache(maxsize=4)
def triples(p: int) -> Int[np.ndarray, "triple 3"]:
    """The a, b and c at which gradients are compared: the first of a shuffle of all, as published.

    Read-only.
    """
    every = [(a, b, c) for a in range(p) for b in range(p) for c in range(p)]
    random.Random(TRIPLE_SEED).shuffle(every)
    first = np.array(every[:TRIPLES])
    first.flags.writeable = False
    return first


def gradient_symmetricity(gradients: Float[np.ndarray, "triple 2 d_model"]) -> float:
    """Mean cosine of a logit's gradients by the embeddings of a and of b; NaN without a gradient.

    1 where a and b enter alike.
    """
    lengths = np.linalg.norm(gradients, axis=2).prod(axis=1)
    products = (gradients[:, 0] * gradients[:, 1]).sum(axis=1)
    real = lengths > 0
    return float((products[real] / lengths[real]).mean()) if real.any() else float("nan")


def by_sum_and_difference(values: Float[np.ndarray, "p p"]) -> Float[np.ndarray, "sum difference"]:
    """Values over (a, b) by (a + b) mod p and (a - b) mod p."""
    p = len(values)
    a, b = np.meshgrid(np.arange(p), np.arange(p), indexing="ij")
    table = np.empty_like(values)
    table[(a + b) % p, (a - b) % p] = values
    return table


def distance_irrelevance(values: Float[np.ndarray, "p p"]) -> float:
    """How little values over (a, b) hang on a - b, from 0 to 1; 0 where all are the same.

    The mean over a - b of their spread over a + b, over their spread over all pairs.
    """
    spread = float(values.std())
    if spread <= ties.ROUNDING * float(np.abs(values).max()):
        return 0.0
    return float(by_sum_and_difference(values).std(axis=0).mean() / spread)


def right_and_best_wrong(
    logits: Float[np.ndarray, "p p p"],
) -> tuple[Float[np.ndarray, "p p"], Float[np.ndarray, "p p"]]:
    """The right answer's logit of every pair, and the largest of another answer's."""
    p = len(logits)
    a, b = np.meshgrid(np.arange(p), np.arange(p), indexing="ij")
    others = logits.copy()
    others[a, b, (a + b) % p] = -np.inf
    return logits[a, b, (a + b) % p], others.max(axis=2)
