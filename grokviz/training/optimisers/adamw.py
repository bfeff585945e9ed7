"""AdamW: averages of the gradient and of its square, with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokviz.training.optimisers.rule import Part, UpdateRule

if TYPE_CHECKING:
    from torch import Tensor

BUFFERS = ("exp_avg", "exp_avg_sq")


def part(parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor) -> Part:
    """AdamW on all these parameters, for this optimiser and for those that change its gradients."""
    import torch

    tensors = list(parameters.values())
    optimiser = torch.optim.AdamW(
        tensors,
        lr=rate,
        capturable=tensors[0].device.type == "cuda",
        betas=settings.betas,
        eps=1e-8,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    return Part(optimiser, parameters, BUFFERS, counts_updates=True)


def build(parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor) -> Sequence[Part]:
    """AdamW on every parameter."""
    return [part(parameters, settings, rate)]


RULE = UpdateRule(build, capturable=True)
