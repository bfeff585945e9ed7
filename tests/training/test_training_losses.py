from __future__ import annotations

import math

import pytest
import torch
from jaxtyping import TypeCheckError

from grokviz.training.losses import PRECISIONS, cross_entropy, position_losses
from grokviz.training.objectives import log_probabilities_of, names


def test_knowing_nothing_costs_the_logarithm_of_the_classes() -> None:
    loss = cross_entropy(torch.zeros(4, 114), torch.arange(4))
    assert loss.item() == pytest.approx(math.log(114), rel=1e-12)


@pytest.mark.parametrize(("name", "dtype"), PRECISIONS.items())
def test_log_softmax_is_taken_in_the_precision_asked_for(name: str, dtype: torch.dtype) -> None:
    rng = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(6, 9, generator=rng), torch.arange(6)
    loss = cross_entropy(logits, targets, dtype)
    assert loss.dtype == dtype
    exact = torch.nn.functional.cross_entropy(logits.double(), targets)
    assert loss.item() == pytest.approx(exact.item(), rel=1e-6 if name == "float32" else 1e-12)


def test_float32_rounds_a_small_loss_to_nothing_and_float64_does_not() -> None:
    logits, target = torch.tensor([[0.0, 24.0]]), torch.tensor([1])
    assert cross_entropy(logits, target, torch.float32).item() == 0
    assert cross_entropy(logits, target).item() == pytest.approx(math.exp(-24), rel=1e-4)


def test_shapes_are_enforced_in_tests() -> None:
    with pytest.raises(TypeCheckError):
        cross_entropy(torch.zeros(4, 3), torch.zeros(5, dtype=torch.int64))


@pytest.mark.parametrize("name", names())
def test_every_loss_is_of_shares_that_sum_to_one(name: str) -> None:
    logits = 20 * torch.randn(6, 9, generator=torch.Generator().manual_seed(0)).double()
    found = log_probabilities_of(name)(logits)
    torch.testing.assert_close(found.exp().sum(-1), torch.ones(6, dtype=torch.float64))
    assert (found.sort(stable=True)[1] == logits.sort(stable=True)[1]).all()


def test_stablemax_is_as_published_and_has_a_slope_where_softmax_has_none() -> None:
    x = torch.tensor([[-3.0, 0.0, 2.0]], dtype=torch.float64)
    s = torch.tensor([1 / 4, 1.0, 3.0], dtype=torch.float64)
    torch.testing.assert_close(log_probabilities_of("stablemax")(x)[0], (s / s.sum()).log())
    lead = torch.tensor([[0.0, 1e3]], dtype=torch.float32, requires_grad=True)
    for name, flat in (("cross-entropy", True), ("stablemax", False)):
        losses = position_losses(lead, torch.tensor([1]), torch.float32, name)
        (slope,) = torch.autograd.grad(losses.minimised.sum(), lead)
        assert (slope == 0).all() == flat
        assert losses.logged.item() == 0


def test_a_slope_at_zero_is_that_of_either_side() -> None:
    x = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    log_probabilities_of("stablemax")(x)[0, 0].backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([[0.5, -0.5]], dtype=torch.float64))
