"""Adam: AdamW whose weight decay adds its share of the weights to the gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokviz.training.optimisers.adamw import BUFFERS
from grokviz.training.optimisers.rule import Part, UpdateRule

if TYPE_CHECKING:
    from torch import Tensor


def build(parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor) -> Sequence[Part]:
    """Adam on every parameter."""
    import torch

    tensors = list(parameters.values())
    optimiser = torch.optim.Adam(
        tensors,
        lr=rate,
        capturable=tensors[0].device.type == "cuda",
        betas=settings.betas,
        eps=1e-8,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    return [Part(optimiser, parameters, BUFFERS, counts_updates=True)]


RULE = UpdateRule(build, capturable=True)
