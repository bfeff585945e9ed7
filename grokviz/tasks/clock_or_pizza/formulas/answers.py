"""How the logits of all pairs score."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from grokviz.dataset.numerics import ties
from grokviz.tasks.clock_or_pizza.formulas.circuits import right_and_best_wrong

SETS = ("train", "test", "all")


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


def by_set(
    values: Float[np.ndarray, " pairs"] | Bool[np.ndarray, " pairs"],
    train: Bool[np.ndarray, " pairs"] | None,
) -> Float[np.ndarray, " split"]:
    """Mean over the training pairs, the test pairs and all; NaN over none, or an unknown split."""
    none = np.zeros(len(values), dtype=bool)
    masks = (none, none, ~none) if train is None else (train, ~train, ~none)
    return np.array([values[mask].mean() if mask.any() else np.nan for mask in masks])
