from __future__ import annotations

import numpy as np
import pytest
import torch

from grokviz.task import recipe
from grokviz.training.optimiser import Optimiser

SHAPES = {"a": (5, 3), "b": (4,)}


def begin(**given: object) -> Optimiser:
    settings = recipe("modular-addition").read({k.replace("_", "-"): given[k] for k in given})
    rng = torch.Generator().manual_seed(1)
    weights = {n: torch.randn(*s, generator=rng) for n, s in SHAPES.items()}
    return Optimiser(weights, settings)


def go_on(optimiser: Optimiser, updates: int) -> None:
    for _ in range(updates):
        rng = torch.Generator().manual_seed(optimiser.updates)
        for gradient in optimiser.gradients.values():
            gradient.copy_(torch.randn(gradient.shape, generator=rng))
        optimiser.step()


def kept(optimiser: Optimiser) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in optimiser.arrays().items()}


def test_updates_are_adamw_with_a_warm_up_from_zero() -> None:
    """Against the definition, in float64."""
    optimiser = begin(learning_rate=0.01, weight_decay=0.5, betas=(0.8, 0.9), warm_up=4)
    w = optimiser.parameters["a"].double().clone()
    m, v = torch.zeros_like(w), torch.zeros_like(w)
    for t in range(10):
        go_on(optimiser, 1)
        g = optimiser.gradients["a"].double()
        rate = 0.01 * min(t / 4, 1)
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        m_hat, v_hat = m / (1 - 0.8 ** (t + 1)), v / (1 - 0.9 ** (t + 1))
        w = w * (1 - rate * 0.5) - rate * m_hat / (v_hat.sqrt() + 1e-8)
        torch.testing.assert_close(optimiser.parameters["a"].double(), w, rtol=1e-5, atol=1e-6)


def test_the_first_update_changes_nothing_but_the_moments() -> None:
    optimiser = begin()
    before = kept(optimiser)
    go_on(optimiser, 1)
    after = kept(optimiser)
    assert np.array_equal(before["weights.a"], after["weights.a"])
    assert after["exp_avg.a"].any()


def test_without_a_warm_up_the_first_update_counts() -> None:
    optimiser = begin(warm_up=0)
    before = kept(optimiser)
    go_on(optimiser, 1)
    assert not np.array_equal(before["weights.a"], kept(optimiser)["weights.a"])


@pytest.mark.parametrize("stop", [0, 1, 7, 12])
def test_restored_it_goes_on_bit_for_bit(stop: int) -> None:
    through, first, second = begin(), begin(), begin()
    go_on(through, 25)
    go_on(first, stop)
    saved = kept(first)
    second.parameters["a"].zero_()  # what it holds before must not matter
    second.restore(saved, updates=stop)
    go_on(second, 25 - stop)
    expected, found = kept(through), kept(second)
    assert expected.keys() == found.keys()
    assert all(expected[n].tobytes() == found[n].tobytes() for n in expected)


def test_every_weight_and_moment_is_kept() -> None:
    names = [f"{kind}.{n}" for kind in ("weights", "exp_avg", "exp_avg_sq") for n in SHAPES]
    assert sorted(begin().arrays()) == sorted(names)
