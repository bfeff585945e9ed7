"""Inference of a published model's training pairs from its losses.

The split of modular addition is a seed and a fraction. A file without them still has the last
losses, and only the correct split gives these losses for the final weights.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokviz.tasks.modular_addition.data import SHUFFLES, ModularAddition
from grokviz.tasks.modular_addition.formulas.losses import pair_scores
from grokviz.tasks.modular_addition.forward import forward
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights

MOST_SEEDS = 10_000
"""Seeds that are tried for a split whose pairs are known in their order."""

SEEDS = tuple(range(10))
FRACTIONS = (0.3, 0.9, 0.95, 0.8, 0.7, 0.6, 0.5, 0.4, 0.28, 0.25)
"""Training fractions of the published runs."""

CLOSE = 0.02
"""A misfit that any split may have, since weights may be saved one update after the logged loss."""

FARTHEST, APART, NEXT = 0.25, 10, 1.2
"""The largest misfit of a split that is taken, and how many times larger those of other seeds, and
of other fractions of the same seed, must be. Of one seed the smaller training set is part of the
larger, so that their losses differ little."""


class LoggedLosses(NamedTuple):
    """The losses logged with the weights; ``test`` is None if it was not logged."""

    train: float
    test: float | None = None


def pair_losses(state: Mapping[str, np.ndarray]) -> Float[np.ndarray, " pairs"]:
    """The loss of every pair a * p + b; raises :class:`InputError` for other weights."""
    weights = ModularAdditionWeights.of(state)
    return pair_scores(forward(weights).logits).loss


def misfit(
    losses: Float[np.ndarray, " pairs"], task: ModularAddition, logged: LoggedLosses
) -> float:
    """How far a split is from the logged losses: the length of the logarithms of the ratios."""
    of_split = (float(losses[task.is_train].mean()), float(losses[~task.is_train].mean()))
    return math.hypot(
        *(
            _distance(loss, value)
            for loss, value in zip(of_split, logged, strict=True)
            if value is not None
        )
    )


def _distance(loss: float, logged: float) -> float:
    if loss == logged:
        return 0.0
    return abs(math.log(loss / logged)) if loss > 0 and logged > 0 else math.inf


def best_split(
    losses: Float[np.ndarray, " pairs"],
    logged: LoggedLosses,
    splits: Iterable[tuple[int, float]],
    order: str = "python",
) -> tuple[int, float] | None:
    """The (seed, fraction) that alone gives the logged losses; None if several might.

    It is the best of all ``splits`` by far, see :data:`APART`, and no other is :data:`CLOSE`: of
    a model with equal losses on all pairs many are. ``order`` is the shuffle of the pairs (see
    ``ModularAddition``).
    """
    p = round(len(losses) ** 0.5)
    by_misfit = sorted(
        (misfit(losses, ModularAddition(p, fraction, seed, order), logged), seed, fraction)
        for seed, fraction in splits
    )
    if not by_misfit or by_misfit[0][0] > FARTHEST:
        return None
    best, seed, fraction = by_misfit[0]
    for other, other_seed, _ in by_misfit[1:]:
        times = NEXT if other_seed == seed else APART
        if other <= max(CLOSE, times * best):
            return None
    return seed, fraction


def is_confirmed(
    losses: Float[np.ndarray, " pairs"], task: ModularAddition, logged: LoggedLosses
) -> bool:
    """Whether a split is close to the logged losses, or by far the best of all that are tried."""
    if misfit(losses, task, logged) <= CLOSE:
        return True
    given = (task.split_seed, task.train_fraction)
    splits = {given, *itertools.product(SEEDS, FRACTIONS)}
    return best_split(losses, logged, splits, task.split_order) == given


def order_and_seed(
    p: int, train: Int[np.ndarray, " train"], test: Int[np.ndarray, " test"]
) -> tuple[str, int] | None:
    """The shuffle and the seed, below :data:`MOST_SEEDS`, that give the pairs in this order."""
    order = np.concatenate([train, test])
    for name, begins in _BEGINS.items():
        for seed in range(MOST_SEEDS):
            if begins(order, seed) and (SHUFFLES[name](p**2, seed) == order).all():
                return name, seed
    return None


def fraction_of(p: int, count: int) -> float:
    """The simplest training fraction that gives so many pairs, rounded down."""
    share = count / p**2
    rounded = (round(share, digits) for digits in range(1, 8))
    return next((f for f in rounded if int(f * p**2) == count), (count + 0.5) / p**2)


def _begins_as_python(order: Int[np.ndarray, " pairs"], seed: int) -> bool:
    """Whether random.shuffle may give this order: it draws the last pair first."""
    return random.Random(seed).randrange(len(order)) == int(order[-1])


def _begins_as_torch(order: Int[np.ndarray, " pairs"], seed: int) -> bool:
    """Whether torch.randperm may give this order: it draws the first pair first."""
    draw = np.random.RandomState(seed).randint(0, 2**32, 1, dtype=np.uint32)
    return int(draw[0]) % len(order) == int(order[0])


_BEGINS = {"python": _begins_as_python, "torch": _begins_as_torch}
