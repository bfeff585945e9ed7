"""Which pairs a published model was trained on, told by its own losses.

The split of modular addition is a seed and a fraction. A file that lost them still has the
last losses, and only the right split gives the final weights those.
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
"""Relative difference: between a logged loss and the saved weights lies at most one update."""


class Logged(NamedTuple):
    """The losses logged beside the weights; test is None where it was not."""

    train: float
    test: float | None = None


def pair_losses(state: Mapping[str, np.ndarray]) -> Float[np.ndarray, " pairs"]:
    """The loss of every pair a * p + b; :class:`InputError` for other weights."""
    weights = ModularAdditionWeights.of(state)
    return pair_scores(forward(weights).logits).loss


def fits(losses: Float[np.ndarray, " pairs"], task: ModularAddition, logged: Logged) -> bool:
    """Whether a split gives the logged losses, within ``CLOSE``."""
    train = float(losses[task.is_train].mean())
    test = float(losses[~task.is_train].mean())
    close = abs(train - logged.train) <= CLOSE * abs(logged.train)
    if logged.test is not None:
        close = close and abs(test - logged.test) <= CLOSE * abs(logged.test)
    return close


def splits_that_fit(
    losses: Float[np.ndarray, " pairs"],
    logged: Logged,
    seeds: Iterable[int] = SEEDS,
    fractions: Iterable[float] = FRACTIONS,
    order: str = "python",
) -> list[tuple[int, float]]:
    """The (seed, fraction) among those given whose losses are the logged ones.

    ``order`` says who shuffled the pairs (:class:`grokviz.tasks.ModularAddition`). A model that
    does equally well everywhere fits many: only a single one tells anything.
    """
    p = round(len(losses) ** 0.5)
    return [
        (seed, fraction)
        for seed, fraction in itertools.product(seeds, fractions)
        if fits(losses, ModularAddition(p, fraction, seed, order), logged)
    ]
