"""The local learning coefficient of one checkpoint: how degenerate the training loss is there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from grokviz.dataset.numerics.langevin import Sampling, Weights, langevin
from grokviz.tasks.modular_addition.formulas.gradient import Layout, losses, losses_and_gradient

SAMPLING = Sampling(step=5e-5, pull=1000.0)
"""A loss forgets within some twenty updates where its chain was; the burn-in is eighty."""

BATCH = 256
"""So many training pairs a chain and update, drawn anew; all of them where there are fewer."""

SEED = 2308_12108

ROWS_AT_ONCE = 4096


def n_beta(pairs: int) -> float:
    """The inverse temperature times the number of examples: n / log n."""
    return float(pairs / np.log(pairs))


def coefficient_trace(
    state: Mapping[str, np.ndarray],
    train: Bool[np.ndarray, " p*p"],
    epoch: int,
    sampling: Sampling = SAMPLING,
    temperature: float | None = None,
) -> Float[np.ndarray, "chain stretch"]:
    """Means of n beta (L(w) - L(w*)) along chains of SGLD that start at a checkpoint.

    ``temperature`` is n beta, n / log n by default. The same epoch draws the same numbers.
    """
    layout, pairs = Layout.of(state), np.flatnonzero(train)
    p = int(np.sqrt(len(train)))
    at = layout.flat(state)
    rng = np.random.default_rng([SEED, epoch])

    def slope(weights: Weights) -> tuple[np.ndarray, np.ndarray]:
        if len(pairs) <= BATCH:
            which = np.broadcast_to(np.arange(len(pairs)), (len(weights), len(pairs)))
        else:
            which = rng.integers(0, len(pairs), (len(weights), BATCH))
        a, b = np.divmod(pairs[which], p)
        values, gradient = losses_and_gradient(layout, weights, a, b)
        return (values - start[which]).mean(axis=1), gradient

    heat = n_beta(len(pairs)) if temperature is None else temperature
    # weights too large for numbers give none, in silence: the estimate is then none either
    with np.errstate(all="ignore"):
        start = _all_losses(layout, at, pairs, p)
        return langevin(slope, at, heat, sampling, rng)


def _all_losses(
    layout: Layout, at: Float[np.ndarray, " weight"], pairs: np.ndarray, p: int
) -> Float[np.ndarray, " pair"]:
    """The loss of every training pair at the checkpoint."""
    weights = layout.views(at[None])
    parts = [pairs[i : i + ROWS_AT_ONCE] for i in range(0, len(pairs), ROWS_AT_ONCE)]
    values = [losses(weights, *(n[None] for n in np.divmod(part, p)))[0] for part in parts]
    return np.concatenate(values)
