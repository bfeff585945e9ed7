"""The networks in torch: one layer whose attention is a key, and one that reads a beside b.

Source: arXiv:2306.17844 and its code. No causal mask, no LayerNorm; the answer is read at b. At an
attention rate r each weight is r times the softmax's plus 1 - r: at 0 every weight is 1.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grokviz.models.transformer import Block, Shape, Transformer
from grokviz.tasks.clock_or_pizza.settings import ClockOrPizzaSettings


class AttentionNetwork(Transformer):
    """One layer of attention and one of ReLU neurons over the two tokens a and b."""

    def __init__(self, settings: ClockOrPizzaSettings) -> None:
        shape = Shape(
            vocabulary=settings.p,
            context=2,
            d_model=settings.d_model,
            heads=settings.heads,
            d_mlp=settings.d_mlp,
        )
        super().__init__(shape, settings.seed)
        self.rate = settings.attention_rate
        with torch.no_grad():  # the published code draws it 1 / sqrt(d_mlp) wide
            self.block.mlp.W_in.mul_(math.sqrt(settings.d_model / settings.d_mlp))

    @property
    def block(self) -> Block:
        """The only layer."""
        return cast(Block, self.blocks[0])

    def forward(self, tokens: Int[Tensor, "batch 2"]) -> Float[Tensor, "batch p"]:
        """The logits at b."""
        embedded = self.embed(tokens)
        logits: Tensor = self.logits(embedded)
        return logits

    def logits(self, embedded: Float[Tensor, "batch 2 d_model"]) -> Float[Tensor, "batch p"]:
        """The logits at b, of embeddings to which no position has been added."""
        residual = self.pos_embed(embedded)
        block, attn = self.block, self.block.attn
        k = torch.einsum("hid,bpd->bhpi", attn.W_K, residual)
        q = torch.einsum("hid,bd->bhi", attn.W_Q, residual[:, 1])
        v = torch.einsum("hid,bpd->bhpi", attn.W_V, residual)
        scores = torch.einsum("bhi,bhpi->bhp", q, k) / math.sqrt(k.shape[-1])
        weights = self.rate * scores.softmax(dim=-1) + (1 - self.rate)
        mixed = torch.einsum("bhp,bhpi->bhi", weights, v).flatten(-2)
        middle = residual[:, 1:] + (mixed @ attn.W_O.T).unsqueeze(1)
        logits: Tensor = self.unembed(middle + block.mlp(middle))
        return logits.squeeze(1)


class SideBySideNetwork(nn.Module):
    """ReLU neurons that read the embeddings of a and of b side by side, without attention.

    ``embed.W_E`` is (d_model, p), ``mlp.W_in`` (d_mlp, 2 d_model), ``unembed.W_U`` (d_mlp, p).
    """

    def __init__(self, settings: ClockOrPizzaSettings) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(settings.seed)
        p, width, neurons = settings.p, settings.d_model, settings.d_mlp

        def drawn(*size: int, fan: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(*size, generator=rng) / math.sqrt(fan))

        self.embed = nn.ParameterDict({"W_E": drawn(width, p, fan=width)})
        self.mlp = nn.ParameterDict(
            {"W_in": drawn(neurons, 2 * width, fan=2 * width),
             "b_in": nn.Parameter(torch.zeros(neurons))}
        )  # fmt: skip
        self.unembed = nn.ParameterDict({"W_U": drawn(neurons, p, fan=neurons)})

    def forward(self, tokens: Int[Tensor, "batch 2"]) -> Float[Tensor, "batch p"]:
        """The logits of each pair."""
        return self.logits(self.embed["W_E"].T[tokens])

    def logits(self, embedded: Float[Tensor, "batch 2 d_model"]) -> Float[Tensor, "batch p"]:
        """The logits of pairs of embeddings."""
        before = embedded.flatten(-2) @ self.mlp["W_in"].T + self.mlp["b_in"]
        logits: Tensor = before.relu() @ self.unembed["W_U"]
        return logits


def network(settings: ClockOrPizzaSettings) -> nn.Module:
    """The network of these settings, begun from their seed."""
    kind = AttentionNetwork if settings.network == "attention" else SideBySideNetwork
    return kind(settings)
