"""Stochastic gradient Langevin dynamics, and the local learning coefficient that it estimates.

Around weights w* the density exp(-n beta (L(w) - L(w*)) - gamma/2 |w - w*|^2) is sampled, and

    lambda = n beta (E[L] - L(w*)),    beta = 1 / log n,

is the estimate of Lau, Furman, Wang, Murfet and Wei (arXiv:2308.12108). It belongs to a minimum of
L: from weights that are none the chains go downhill, and it may come out negative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Weights = Float[np.ndarray, "chain weight"]
Slope = Callable[[Weights], tuple[Float[np.ndarray, " chain"], Weights]]
"""Of each chain's weights: the loss above that of w*, and the loss's gradient.

Both may be of a minibatch, the two losses of the same one: what they differ by is then known far
better than either.
"""


@dataclass(frozen=True)
class Sampling:
    """How the density around w* is sampled.

    Attributes:
        step: epsilon, by which each update scales; too large a step overestimates.
        pull: gamma, in 1 / weight^2: without a loss each weight stays about 1 / sqrt(gamma) away.
        chains: how many chains start at w*.
        stretch: so many updates are averaged.
        stretches: how many such averages there are.
        burn_in: so many of them come before the density is reached, and are left out.

    """

    step: float
    pull: float
    chains: int = 4
    stretch: int = 10
    stretches: int = 20
    burn_in: int = 8


def langevin(
    slope: Slope,
    at: Float[np.ndarray, " weight"],
    n_beta: float,
    sampling: Sampling,
    rng: np.random.Generator,
) -> Float[np.ndarray, "chain stretch"]:
    """n beta times the loss above that of ``at``, averaged over each stretch of each chain.

    Each update is w - epsilon/2 (n beta grad L + gamma (w - w*)) + sqrt(epsilon) times normal noise
    (Welling and Teh 2011).
    """
    weights = np.tile(at, (sampling.chains, 1))
    means = np.zeros((sampling.chains, sampling.stretches))
    half, spread = sampling.step / 2, np.sqrt(sampling.step)
    for i in range(sampling.stretches):
        for _ in range(sampling.stretch):
            above, gradient = slope(weights)
            means[:, i] += above
            gradient *= -half * n_beta
            gradient -= half * sampling.pull * (weights - at)
            weights += gradient
            weights += spread * rng.standard_normal(weights.shape)
    return means * (n_beta / sampling.stretch)


def estimate(
    trace: Float[np.ndarray, "chain stretch"], burn_in: int
) -> Float[np.ndarray, " chain"]:
    """Each chain's local learning coefficient: the mean of its trace after ``burn_in``."""
    values: Float[np.ndarray, " chain"] = trace[:, burn_in:].mean(axis=1)
    return values


def convergence(trace: Float[np.ndarray, "chain stretch"], burn_in: int) -> float:
    """Split R-hat of the chains after ``burn_in``: near 1 where all halves of chains agree.

    The root of the variance of all halves together over that within them (Gelman et al., Bayesian
    Data Analysis, section 11.4). NaN of fewer than four stretches.
    """
    draws = trace[:, burn_in:]
    half = draws.shape[1] // 2
    if half < 2:
        return float("nan")
    halves = np.concatenate([draws[:, :half], draws[:, -half:]])
    within = float(halves.var(axis=1, ddof=1).mean())
    between = float(halves.mean(axis=1).var(ddof=1))
    if within == 0:
        return 1.0 if between == 0 else float("inf")
    return float(np.sqrt((half - 1) / half + between / within))
