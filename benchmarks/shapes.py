"""The shapes of the one-layer transformer, for benchmarks that write runs without torch."""

from __future__ import annotations


def shapes(p: int, model: int, mlp: int, heads: int) -> dict[str, tuple[int, ...]]:
    """The shape of each weight by its published name."""
    return {
        "embed.W_E": (model, p + 1),
        "pos_embed.W_pos": (3, model),
        "blocks.0.attn.W_K": (heads, model // heads, model),
        "blocks.0.attn.W_Q": (heads, model // heads, model),
        "blocks.0.attn.W_V": (heads, model // heads, model),
        "blocks.0.attn.W_O": (model, model),
        "blocks.0.mlp.W_in": (mlp, model),
        "blocks.0.mlp.b_in": (mlp,),
        "blocks.0.mlp.W_out": (model, mlp),
        "blocks.0.mlp.b_out": (model,),
        "unembed.W_U": (model, p + 1),
    }
