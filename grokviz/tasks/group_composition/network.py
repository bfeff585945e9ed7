"""The MLP that composes two elements, in torch: how it is begun and what it computes.

Source: arXiv:2302.03025 and its code; the other spread and the bias as in arXiv:2312.06581.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grokviz.tasks.group_composition.settings import GroupSettings


class GroupMLP(nn.Module):
    """logits = ReLU([W_x[x], W_y[y]] W) W_U, plus ``b_U`` where answers have a bias."""

    def __init__(self, settings: GroupSettings, order: int) -> None:
        super().__init__()
        width, neurons = settings.d_model, settings.d_mlp
        rng = torch.Generator().manual_seed(settings.seed)
        draw = _by_fan_in if settings.init == "fan-in" else _as_torch
        # in the published order, so that a published seed gives its weights
        self.W_x, self.W_y = (nn.Parameter(draw(rng, order, width, width)) for _ in "xy")
        self.W = nn.Parameter(draw(rng, 2 * width, neurons, 2 * width, inner=True))
        self.W_U = nn.Parameter(draw(rng, neurons, order, neurons, inner=True))
        self.b_U: nn.Parameter | None = None
        if settings.output_bias:
            bias = torch.zeros(order)
            if settings.init == "torch":
                bias.uniform_(-1, 1, generator=rng).div_(math.sqrt(neurons))
            self.b_U = nn.Parameter(bias)

    def forward(self, pairs: Int[Tensor, "batch 2"]) -> Float[Tensor, "batch order"]:
        """The logits of each pair."""
        both = torch.cat([self.W_x[pairs[:, 0]], self.W_y[pairs[:, 1]]], dim=1)
        logits: Tensor = (both @ self.W).relu() @ self.W_U
        return logits if self.b_U is None else logits + self.b_U


def _by_fan_in(
    rng: torch.Generator, rows: int, columns: int, fan: int, *, inner: bool = False
) -> Float[Tensor, "rows columns"]:
    """Normal numbers, 1 / √fan wide."""
    return torch.randn(rows, columns, generator=rng) / math.sqrt(fan)


def _as_torch(
    rng: torch.Generator, rows: int, columns: int, fan: int, *, inner: bool = False
) -> Float[Tensor, "rows columns"]:
    """torch's own: normal numbers for embeddings, uniform up to 1 / √fan for linear layers."""
    if not inner:
        return torch.randn(rows, columns, generator=rng)
    return torch.empty(rows, columns).uniform_(-1, 1, generator=rng) / math.sqrt(fan)
