"""Gradient descent without momentum; weight decay adds its share of the weights to the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grokviz.training.optimisers.rule import UpdateRule

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def build(
    parameters: Sequence[Tensor], settings: Any, rate: float | Tensor
) -> torch.optim.Optimizer:
    """Gradient descent on every parameter."""
    import torch

    return torch.optim.SGD(parameters, lr=rate, weight_decay=settings.weight_decay, fused=True)


RULE = UpdateRule(build)
