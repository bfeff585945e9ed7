"""Orthogonal gradient: AdamW on gradients without what lies along the weights.

Of each tensor's gradient its part along the tensor is taken away, and what is left made as long as
it was, so that no update only scales the weights. Source: arXiv:2501.04697.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokviz.training.optimisers import adamw
from grokviz.training.optimisers.rule import Part, UpdateRule

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TINY = 1e-30


def build(parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor) -> Sequence[Part]:
    """AdamW whose gradients are turned before every update."""
    part = adamw.part(parameters, settings, rate)

    def turn(optimiser: torch.optim.Optimizer, *arguments: Any) -> None:
        for tensor in parameters.values():
            gradient = tensor.grad
            assert gradient is not None
            length = gradient.norm()
            along = (tensor * gradient).sum() / ((tensor * tensor).sum() + TINY)
            gradient.sub_(along * tensor)
            gradient.mul_(length / (gradient.norm() + TINY))

    part.optimiser.register_step_pre_hook(turn)
    return [part]


RULE = UpdateRule(build)
