"""Gradient descent without momentum; weight decay adds its share of the weights to the gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokviz.training.optimisers.rule import Part, UpdateRule

if TYPE_CHECKING:
    from torch import Tensor


def part(
    parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor, momentum: float
) -> Part:
    """Gradient descent on all these parameters, with Nesterov's momentum where there is any."""
    import torch

    optimiser = torch.optim.SGD(
        list(parameters.values()),
        lr=rate,
        momentum=momentum,
        nesterov=momentum > 0,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    return Part(optimiser, parameters, ("momentum_buffer",) if momentum else ())


def build(parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor) -> Sequence[Part]:
    """Gradient descent on every parameter."""
    return [part(parameters, settings, rate, 0.0)]


RULE = UpdateRule(build, capturable=True)
