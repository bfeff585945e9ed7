"""Inference of a published model's training pairs from its losses.

The split of modular addition is a seed and a fraction. A file without them still has the last
losses, and only the correct split gives these losses for the final weights.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from grokviz.tasks.modular_addition.data import ModularAddition
from grokviz.tasks.modular_addition.formulas.losses import pair_scores
from grokviz.tasks.modular_addition.forward import forward
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights

SEEDS = tuple(range(10))
FRACTIONS = (0.3, 0.9, 0.95, 0.8, 0.7, 0.6, 0.5, 0.4, 0.28, 0.25)
"""Training fractions of the published runs."""

CLOSE = 0.02
"""Relative tolerance, since the weights may be saved one update after the logged loss."""


class LoggedLosses(NamedTuple):
    """The losses logged with the weights; ``test`` is None if it was not logged."""

    train: float
    test: float | None = None


def pair_losses(state: Mapping[str, np.ndarray]) -> Float[np.ndarray, " pairs"]:
    """The loss of every pair a * p + b; raises :class:`InputError` for other weights."""
    weights = ModularAdditionWeights.of(state)
    return pair_scores(forward(weights).logits).loss


def fits(losses: Float[np.ndarray, " pairs"], task: ModularAddition, logged: LoggedLosses) -> bool:
    """Whether a split reproduces the logged losses within ``CLOSE``."""
    train = float(losses[task.is_train].mean())
    test = float(losses[~task.is_train].mean())
    close = abs(train - logged.train) <= CLOSE * abs(logged.train)
    if logged.test is not None:
        close = close and abs(test - logged.test) <= CLOSE * abs(logged.test)
    return close


def matching_splits(
    losses: Float[np.ndarray, " pairs"],
    logged: LoggedLosses,
    seeds: Iterable[int] = SEEDS,
    fractions: Iterable[float] = FRACTIONS,
    order: str = "python",
) -> list[tuple[int, float]]:
    """The (seed, fraction) of all splits that reproduce the logged losses.

    ``order`` is the shuffle of the pairs (see ``ModularAddition``). A model with equal losses on
    all pairs matches many splits, so only a single match is informative.
    """
    p = round(len(losses) ** 0.5)
    return [
        (seed, fraction)
        for seed, fraction in itertools.product(seeds, fractions)
        if fits(losses, ModularAddition(p, fraction, seed, order), logged)
    ]
