"""The one-layer transformer of the grokking work, written for readability.

No LayerNorm, learned positions, untied unembedding, and biases only in the MLP
(arXiv:2301.05217 section 3 and appendix A). Parameter names and shapes are those of
the published state dictionaries, so published weights load as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grokviz.errors import InputError


@dataclass(frozen=True)
class Shape:
    """The sizes of a one-layer transformer."""

    vocabulary: int
    context: int = 3
    d_model: int = 128
    heads: int = 4
    d_mlp: int = 512
    mlp_biases: bool = True
    outputs: int | None = None
    """Number of classes; the vocabulary's where None."""
    head_width: int | None = None
    """Width of one head; d_model / heads where None."""
    spread: float | None = None
    """Standard deviation of every initial weight; None for 1/sqrt(fan-in)."""

    def __post_init__(self) -> None:
        for name in ("vocabulary", "context", "d_model", "heads", "d_mlp"):
            if getattr(self, name) < 1:
                option = name.replace("_", "-")
                raise InputError(f"{option} = {getattr(self, name)} is too small; give at least 1")
        if self.head_width is not None and self.head_width < 1:
            raise InputError(f"d-head = {self.head_width} is too small; give at least 1")
        if self.head_width is None and self.d_model % self.heads:
            raise InputError(
                f"d-model = {self.d_model} does not divide into {self.heads} heads; "
                f"give a multiple of {self.heads}"
            )

    @property
    def classes(self) -> int:
        """Number of classes of the unembedding."""
        return self.vocabulary if self.outputs is None else self.outputs

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.head_width or self.d_model // self.heads


class Embed(nn.Module):
    """Map tokens to the residual stream."""

    def __init__(self, shape: Shape, rng: torch.Generator) -> None:
        super().__init__()
        self.W_E = _gaussian(rng, shape.d_model, shape.vocabulary, fan=shape.d_model)

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_model"]:
        return self.W_E.T[tokens]


class PosEmbed(nn.Module):
    """Add the embedding of each position."""

    def __init__(self, shape: Shape, rng: torch.Generator) -> None:
        super().__init__()
        self.W_pos = _gaussian(rng, shape.context, shape.d_model, fan=shape.d_model)

    def forward(
        self, residual: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        return residual + self.W_pos[: residual.shape[1]]


class Attention(nn.Module):
    """Causal softmax attention; every head writes to the residual stream through W_O."""

    mask: Tensor

    def __init__(self, shape: Shape, rng: torch.Generator) -> None:
        super().__init__()
        h, i, d = shape.heads, shape.d_head, shape.d_model
        self.W_K = _gaussian(rng, h, i, d, fan=d)
        self.W_Q = _gaussian(rng, h, i, d, fan=d)
        self.W_V = _gaussian(rng, h, i, d, fan=d)
        self.W_O = _gaussian(rng, d, h * i, fan=d)
        self.register_buffer("mask", torch.ones(shape.context, shape.context).tril())

    def forward(
        self, residual: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        k = torch.einsum("hid,bpd->bhpi", self.W_K, residual)
        q = torch.einsum("hid,bpd->bhpi", self.W_Q, residual)
        v = torch.einsum("hid,bpd->bhpi", self.W_V, residual)
        scores = torch.einsum("bhqi,bhki->bhqk", q, k) / math.sqrt(k.shape[-1])
        mask = self.mask[: scores.shape[-1], : scores.shape[-1]]
        pattern = scores.masked_fill(mask == 0, -1e10).softmax(dim=-1)
        mixed = torch.einsum("bhqk,bhki->bqhi", pattern, v).flatten(-2)
        return mixed @ self.W_O.T


class MLP(nn.Module):
    """One hidden layer of ReLU neurons."""

    def __init__(self, shape: Shape, rng: torch.Generator) -> None:
        super().__init__()
        self.W_in = _gaussian(rng, shape.d_mlp, shape.d_model, fan=shape.d_model)
        self.W_out = _gaussian(rng, shape.d_model, shape.d_mlp, fan=shape.d_model)
        b_in, b_out = torch.zeros(shape.d_mlp), torch.zeros(shape.d_model)
        if shape.mlp_biases:
            self.b_in, self.b_out = nn.Parameter(b_in), nn.Parameter(b_out)
        else:
            self.register_buffer("b_in", b_in)
            self.register_buffer("b_out", b_out)

    def forward(
        self, residual: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        neurons = torch.relu(residual @ self.W_in.T + self.b_in)
        return neurons @ self.W_out.T + self.b_out


class Block(nn.Module):
    """Attention, then the MLP, each added to the residual stream."""

    def __init__(self, shape: Shape, rng: torch.Generator) -> None:
        super().__init__()
        self.attn = Attention(shape, rng)
        self.mlp = MLP(shape, rng)

    def forward(
        self, residual: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        residual = residual + self.attn(residual)
        out: Tensor = residual + self.mlp(residual)
        return out


class Unembed(nn.Module):
    """Map the residual stream to one logit for every class."""

    def __init__(self, shape: Shape, rng: torch.Generator) -> None:
        super().__init__()
        self.W_U = _gaussian(rng, shape.d_model, shape.classes, fan=shape.classes)

    def forward(
        self, residual: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos classes"]:
        return residual @ self.W_U


class Transformer(nn.Module):
    """Embed, add positions, one block, unembed.

    The same ``seed`` gives the same initial weights on every machine; the published
    weights were drawn without a seed, so no seed reproduces them.
    """

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.shape = shape
        self.embed = Embed(shape, rng)
        self.pos_embed = PosEmbed(shape, rng)
        self.blocks = nn.ModuleList([Block(shape, rng)])
        self.unembed = Unembed(shape, rng)
        if shape.spread is not None:
            _respread(self, shape.spread, rng)

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos classes"]:
        """Logits at every position."""
        residual = self.pos_embed(self.embed(tokens))
        for block in self.blocks:
            residual = block(residual)
        logits: Tensor = self.unembed(residual)
        return logits


def _gaussian(rng: torch.Generator, *size: int, fan: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*size, generator=rng) / math.sqrt(fan))


def _respread(model: nn.Module, spread: float, rng: torch.Generator) -> None:
    """Redraw every weight matrix with the same standard deviation, as TransformerLens does."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".W_" in name:
                parameter.copy_(spread * torch.randn(parameter.shape, generator=rng))
