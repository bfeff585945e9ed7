"""AdamW: averages of the gradient and of its square, with decoupled weight decay."""

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
    """AdamW on every parameter."""
    import torch

    return torch.optim.AdamW(
        parameters,
        lr=rate,
        capturable=parameters[0].device.type == "cuda",
        betas=settings.betas,
        eps=1e-8,
        weight_decay=settings.weight_decay,
        fused=True,
    )


RULE = UpdateRule(build, ("exp_avg", "exp_avg_sq"), counts_updates=True)
