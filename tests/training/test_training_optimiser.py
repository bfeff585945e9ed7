from __future__ import annotations

import numpy as np
import pytest
import torch

from grokviz.task import recipe
from grokviz.training.optimiser import Optimiser
from grokviz.training.optimisers import names, rule_of

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


def test_sgd_goes_against_the_gradient_and_the_weights_it_decays() -> None:
    optimiser = begin(optimiser="sgd", learning_rate=0.01, weight_decay=0.5, warm_up=4)
    w = optimiser.parameters["a"].double().clone()
    for t in range(10):
        go_on(optimiser, 1)
        w = w - 0.01 * min(t / 4, 1) * (optimiser.gradients["a"].double() + 0.5 * w)
        torch.testing.assert_close(optimiser.parameters["a"].double(), w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("stop", [0, 1, 7, 12])
def test_restored_it_goes_on_bit_for_bit(stop: int, name: str) -> None:
    through, first, second = (begin(optimiser=name) for _ in range(3))
    go_on(through, 25)
    go_on(first, stop)
    saved = kept(first)
    second.parameters["a"].zero_()  # what it holds before must not matter
    second.restore(saved, updates=stop)
    go_on(second, 25 - stop)
    expected, found = kept(through), kept(second)
    assert expected.keys() == found.keys()
    assert all(expected[n].tobytes() == found[n].tobytes() for n in expected)


@pytest.mark.parametrize("name", names())
def test_every_weight_is_kept_and_all_that_torch_keeps_of_it(name: str) -> None:
    optimiser = begin(optimiser=name)
    go_on(optimiser, 2)
    found = optimiser.arrays()
    kinds = ("weights", *rule_of(name).buffers)
    assert sorted(found) == sorted(f"{kind}.{n}" for kind in kinds for n in SHAPES)
    for parameter, state in optimiser._optimiser.state.items():
        of = next(n for n, p in optimiser.parameters.items() if p is parameter)
        arrays = {f"{kind}.{of}" for kind in state if kind != "step"}
        assert arrays == {n for n in found if n.endswith(f".{of}")} - {f"weights.{of}"}
