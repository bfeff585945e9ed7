"""The network run on all pairs, and how it scores."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics import ties
from grokviz.tasks.two_layer_addition.weights import TwoLayerWeights


def all_logits(weights: TwoLayerWeights, activation: str) -> Float[np.ndarray, "pairs residue"]:
    """The logits of every pair a * p + b, in float64."""
    p = weights.p
    before = weights.of_a.T[:, None, :] + weights.of_b.T[None, :, :]
    after = before**2 if activation == "quadratic" else np.maximum(before, 0)
    logits: Float[np.ndarray, "pairs residue"] = after.reshape(p * p, -1) @ weights.output
    return logits


def losses(logits: Float[np.ndarray, "pairs residue"]) -> Float[np.ndarray, " pairs"]:
    """Cross entropy of the right answer of each pair, in nats."""
    loss: Float[np.ndarray, " pairs"] = np.logaddexp.reduce(_behind(logits), axis=1)
    return loss


def margins(logits: Float[np.ndarray, "pairs residue"]) -> Float[np.ndarray, " pairs"]:
    """Lead of the right logit over the largest other; 0 if they tie but for rounding."""
    behind = _behind(logits)
    behind[_right(len(logits), logits.shape[1])] = -np.inf
    lead = -behind.max(axis=1)
    tie = ties.ROUNDING * np.abs(logits).max(initial=0)
    return np.where(np.abs(lead) <= tie, 0, lead)


def by_distance(logits: Float[np.ndarray, "pairs residue"]) -> Float[np.ndarray, " residue"]:
    """Mean logit of the answer that is d more than the right one, over all pairs, by d."""
    p = logits.shape[1]
    answers = (_sums(len(logits), p)[:, None] + np.arange(p)) % p
    mean: Float[np.ndarray, " residue"] = np.take_along_axis(logits, answers, axis=1).mean(axis=0)
    return mean


def _sums(pairs: int, p: int) -> np.ndarray:
    a, b = np.divmod(np.arange(pairs), p)
    sums: np.ndarray = (a + b) % p
    return sums


def _right(pairs: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(pairs), _sums(pairs, p)


def _behind(logits: Float[np.ndarray, "pairs residue"]) -> Float[np.ndarray, "pairs residue"]:
    """How far each logit is above that of the right answer."""
    difference: Float[np.ndarray, "pairs residue"] = (
        logits - logits[_right(len(logits), logits.shape[1])][:, None]
    )
    return difference
