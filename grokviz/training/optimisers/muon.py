"""Muon on hidden matrices, AdamW on embeddings and vectors.

Muon makes all singular values of the averaged gradient alike, in bfloat16. The matrices of the
heads are one matrix each, as where they are stored together. Source: torch.optim.Muon, after
Jordan (2024).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grokviz.errors import InputError
from grokviz.training.optimisers import adamw
from grokviz.training.optimisers.rule import Part, UpdateRule

if TYPE_CHECKING:
    from torch import Tensor


def build(parameters: Mapping[str, Tensor], settings: Any, rate: float | Tensor) -> Sequence[Part]:
    """Muon on hidden matrices."""
    import torch

    if not hasattr(torch.optim, "Muon"):
        raise InputError("optimiser=muon needs torch 2.9 or later; install that")
    optimiser = torch.optim.Muon(
        list(parameters.values()),
        lr=settings.hidden_rate,
        weight_decay=settings.weight_decay,
        momentum=settings.momentum,
        nesterov=True,
    )
    return [Part(optimiser, parameters, ("momentum_buffer",))]


RULE = UpdateRule(adamw.build, hidden=build)
