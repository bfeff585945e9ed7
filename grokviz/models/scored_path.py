"""An exact faster forward pass for tasks that score few positions.

The last layer's queries, its MLP and the unembedding are computed at the scored positions only,
and positions after the last scored one are not read at all, since attention is causal.
Neither changes a result; tests compare loss and gradients with those of the plain models.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

Weights = Mapping[str, Tensor]


def scored_logits(
    w: Weights,
    tokens: Int[Tensor, "batch pos"],
    positions: Int[Tensor, "batch scored"],
    skip_weight: int = 1,
) -> Float[Tensor, "batch scored classes"]:
    """Logits at the scored positions.

    Args:
        w: a state dict of ``Transformer`` or ``AttentionOnly``.
        tokens: the input; positions after the last scored one may be left out.
        positions: the scored positions of each sequence.
        skip_weight: factor of the residual stream that is added to the heads' output.

    """
    residual = w["embed.W_E"].T[tokens] + w["pos_embed.W_pos"][: tokens.shape[1]]
    blocks = _blocks(w)
    for block in blocks[:-1]:
        residual = _block(w, block, residual, residual, None, skip_weight)
    rows = torch.arange(len(tokens), device=tokens.device).unsqueeze(1)
    residual = _block(w, blocks[-1], residual, residual[rows, positions], positions, skip_weight)
    return residual @ w["unembed.W_U"]


def _blocks(w: Weights) -> list[str]:
    """Prefixes of the layers, in order."""
    ends = [name for name in w if name.endswith(".attn.W_Q")]
    return sorted(name.removesuffix("attn.W_Q") for name in ends)


def _block(
    w: Weights,
    block: str,
    residual: Float[Tensor, "batch pos d_model"],
    at: Float[Tensor, "batch query d_model"],
    positions: Int[Tensor, "batch query"] | None,
    skip_weight: int,
) -> Float[Tensor, "batch query d_model"]:
    """One layer at the positions of the queries; ``at`` is the residual stream there.

    ``positions`` is None where every position is asked for, in order.
    """
    heads, d_head, d_model = w[block + "attn.W_Q"].shape

    def split(x: Tensor, name: str) -> Tensor:
        projected = x @ w[block + name].reshape(heads * d_head, d_model).T
        return projected.view(*x.shape[:2], heads, d_head).transpose(1, 2)

    q, k, v = split(at, "attn.W_Q"), split(residual, "attn.W_K"), split(residual, "attn.W_V")
    if positions is None:
        mixture = scaled_dot_product_attention(q, k, v, is_causal=True)
    else:
        seen = torch.arange(residual.shape[1], device=at.device) <= positions.unsqueeze(2)
        mixture = scaled_dot_product_attention(q, k, v, attn_mask=seen.unsqueeze(1))
    at = skip_weight * at + mixture.transpose(1, 2).flatten(2) @ w[block + "attn.W_O"].T
    if block + "mlp.W_in" in w:
        neurons = torch.relu(at @ w[block + "mlp.W_in"].T + w[block + "mlp.b_in"])
        at = at + neurons @ w[block + "mlp.W_out"].T + w[block + "mlp.b_out"]
    return at
