"""A transformer with LayerNorm before each part, GELU neurons and no biases, in torch.

Source: sizes, order and initial spread of PeterPonyu/muon-norm-cap-grokking, whose count of
parameters it has.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grokviz.tasks.layernorm_addition.settings import LayerNormSettings

SPREAD = 0.02
CONTEXT = 3


class Block(nn.Module):
    """Causal attention, then GELU neurons, each on normalised inputs and added to the stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)
        self.fc1 = nn.Linear(width, 4 * width, bias=False)
        self.fc2 = nn.Linear(4 * width, width, bias=False)

    def forward(
        self, x: Float[Tensor, "batch pos width"], queries: int = CONTEXT
    ) -> Float[Tensor, "batch queries width"]:
        """The stream after the block, at the last ``queries`` positions."""
        q, k, v = (self._by_head(part) for part in self.qkv(self.ln1(x)).chunk(3, dim=-1))
        q, x = q[:, :, -queries:], x[:, -queries:]
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        length = k.shape[2]
        future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        pattern = scores.masked_fill(future[-queries:], -math.inf).softmax(dim=-1)
        x = x + self.proj((pattern @ v).transpose(1, 2).flatten(2))
        out: Tensor = x + self.fc2(nn.functional.gelu(self.fc1(self.ln2(x))))
        return out

    def _by_head(self, x: Tensor) -> Float[Tensor, "batch head pos width"]:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class LayerNormTransformer(nn.Module):
    """Tokens and positions, blocks, a last LayerNorm, logits of all tokens."""

    def __init__(self, settings: LayerNormSettings) -> None:
        super().__init__()
        width, tokens = settings.d_model, settings.p + 1
        self.embed, self.pos_embed = nn.Embedding(tokens, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList([Block(width, settings.heads) for _ in range(settings.layers)])
        self.ln = nn.LayerNorm(width)
        self.unembed = nn.Linear(width, tokens, bias=False)
        rng = torch.Generator().manual_seed(settings.seed)
        with torch.no_grad():
            for parameter in self.parameters():
                if parameter.ndim == 2:
                    drawn = torch.randn(parameter.shape, generator=rng)
                    parameter.copy_(SPREAD * settings.scale * drawn)

    def forward(
        self, tokens: Int[Tensor, "batch pos"], last_only: bool = False
    ) -> Float[Tensor, "batch pos tokens"]:
        """Logits at all positions; with ``last_only`` no more is computed than the last one's."""
        x = self.embed(tokens) + self.pos_embed.weight
        for block in self.blocks:
            x = block(x, 1 if last_only and block is self.blocks[-1] else CONTEXT)
        logits: Tensor = self.unembed(self.ln(x))
        return logits
