"""Attention-only transformers, written for readability.

No MLP, no LayerNorm, learned positions. Parameter names and shapes are those of the published
state dictionaries.
Source: the non-modular notebook of the grokking work.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grokviz.models.transformer import Attention, Embed, PosEmbed, Shape, Unembed


class AttentionBlock(nn.Module):
    """One attention layer.

    ``skip_weight`` is the factor of the residual stream that is added to the heads' output: the
    published code of two such layers adds it twice, inside the block and outside.
    """

    def __init__(self, shape: Shape, rng: torch.Generator, skip_weight: int) -> None:
        super().__init__()
        self.attn, self.skip_weight = Attention(shape, rng), skip_weight

    def forward(
        self, residual: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        out: Tensor = self.skip_weight * residual + self.attn(residual)
        return out


class AttentionOnly(nn.Module):
    """Embed, add positions, some attention layers, unembed.

    Args:
        shape: the sizes; ``d_mlp`` is not used.
        layers: number of attention layers.
        skip_weight: 2 for the published doubling of the residual stream, else 1.
        head_scaled: initialise keys, queries and values with 1/sqrt(d_head), not 1/sqrt(d_model).
        seed: seed of the initial weights.

    """

    def __init__(
        self, shape: Shape, layers: int, *, skip_weight: int = 1, head_scaled: bool, seed: int = 0
    ) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.shape = shape
        self.embed = Embed(shape, rng)
        self.pos_embed = PosEmbed(shape, rng)
        blocks = [AttentionBlock(shape, rng, skip_weight) for _ in range(layers)]
        self.attn_blocks = nn.ModuleList(blocks)
        self.unembed = Unembed(shape, rng)
        if head_scaled:
            with torch.no_grad():
                for block in blocks:
                    for weight in (block.attn.W_K, block.attn.W_Q, block.attn.W_V):
                        weight.mul_(math.sqrt(shape.d_model / shape.d_head))

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos classes"]:
        """Logits at every position."""
        residual = self.pos_embed(self.embed(tokens))
        for block in self.attn_blocks:
            residual = block(residual)
        logits: Tensor = self.unembed(residual)
        return logits
