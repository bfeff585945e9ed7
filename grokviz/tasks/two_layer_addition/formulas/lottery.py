"""Which wave a neuron will carry: each frequency's growth in it by itself, from initial weights.

Source: arXiv:2602.16849. At first the gradient of each frequency in each neuron hangs on nothing
else. With A, B and C the waves of a, of b and of the output as magnitude exp(i phase),

    A' = g p conj(B) C,   B' = g p conj(A) C,   C' = p A B,

where g is 1 for concatenated inputs, and 2 for summed ones, where A = B. These are the published
equations in magnitudes and misalignment, without their division by the output's magnitude.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Complex, Float, Int

CROSSING = 0.15
"""The magnitude in the first layer that the winner reaches first."""

STEP = 0.05
"""The length of a step, in turns of the fastest growth of each wave by itself."""

STEPS = 4000
"""Steps after which a wave is said never to arrive."""

_State = Complex[np.ndarray, "layer entry"]


def crossing_times(
    start: Complex[np.ndarray, "layer neuron frequency"], p: int, *, summed: bool
) -> Float[np.ndarray, "neuron frequency"]:
    """When each wave of each neuron would reach :data:`CROSSING`; infinite for never.

    The time is the flow's own: learning rate times updates, times p² for a loss that is a mean
    over all pairs. Each wave takes steps of its own length (Runge-Kutta of fourth order), so that
    none is hurried by another.
    """
    layers, *shape = start.shape
    waves = start.reshape(layers, -1).astype(np.complex128)
    times = np.full(waves.shape[1], np.inf)
    clock = np.zeros(waves.shape[1])
    size = _size(waves)
    times[size >= CROSSING] = 0
    alive = np.flatnonzero((size < CROSSING) & (np.abs(waves).max(axis=0) > 0))
    waves = waves[:, alive]
    for _ in range(STEPS):
        if not alive.size:
            break
        length = STEP / (p * np.abs(waves).max(axis=0))
        before, waves = waves, _step(waves, length, p, summed=summed)
        old, new = _size(before), _size(waves)
        arrived = new >= CROSSING
        share = (CROSSING - old[arrived]) / (new - old)[arrived]
        times[alive[arrived]] = clock[alive[arrived]] + share * length[arrived]
        clock[alive] += length
        alive, waves = alive[~arrived], waves[:, ~arrived]
    return times.reshape(*shape)


def forecast(times: Float[np.ndarray, "neuron frequency"]) -> Int[np.ndarray, " neuron"]:
    """The frequency that arrives first in each neuron; 0 where none does."""
    first: Int[np.ndarray, " neuron"] = np.where(
        np.isfinite(times).any(axis=1), times.argmin(axis=1) + 1, 0
    )
    return first


def _size(waves: _State) -> Float[np.ndarray, " entry"]:
    """The larger magnitude of a and b."""
    largest: Float[np.ndarray, " entry"] = np.abs(waves[:-1]).max(axis=0)
    return largest


def _flow(waves: _State, p: int, *, summed: bool) -> _State:
    a, b, out = waves[0], waves[-2], waves[-1]
    if summed:
        return p * np.stack([2 * np.conj(a) * out, a**2])
    return p * np.stack([np.conj(b) * out, np.conj(a) * out, a * b])


def _step(waves: _State, length: Float[np.ndarray, " entry"], p: int, *, summed: bool) -> _State:
    k1 = _flow(waves, p, summed=summed)
    k2 = _flow(waves + 0.5 * length * k1, p, summed=summed)
    k3 = _flow(waves + 0.5 * length * k2, p, summed=summed)
    k4 = _flow(waves + length * k3, p, summed=summed)
    after: _State = waves + length / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return after
