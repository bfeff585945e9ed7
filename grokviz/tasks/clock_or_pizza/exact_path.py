"""The logits of all pairs at once, from tables of the numbers alone: equal up to rounding.

Before the ReLU a neuron's input is a sum of what a adds, what b adds, and what each head's
attention to a makes of either. So no product runs over the pairs but the last, from the neurons
to the answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK = "blocks.0."


def attention_logits(w: Mapping[str, Tensor], rate: float) -> Float[Tensor, "p p p"]:
    """Logits (a, b, answer) of the network with attention."""
    rows = w["embed.W_E"].T + w["pos_embed.W_pos"][:, None]
    w_o = w[f"{BLOCK}attn.W_O"]
    k, v = (
        torch.einsum("hid,tpd->thpi", w[f"{BLOCK}attn.{name}"], rows) for name in ("W_K", "W_V")
    )
    q = torch.einsum("hid,pd->hpi", w[f"{BLOCK}attn.W_Q"], rows[1])
    heads, width = k.shape[1], k.shape[3]
    written = torch.einsum("thpi,dhi->thpd", v, w_o.view(-1, heads, width))
    of_a, of_b = _read(w, (1 - rate) * written[0].sum(0)), _read(w, rows[1] + written[1].sum(0))
    before = of_a[0][:, None] + of_b[0] + w[f"{BLOCK}mlp.b_in"]
    straight = of_a[1][:, None] + of_b[1] + w[f"{BLOCK}mlp.b_out"] @ w["unembed.W_U"]
    if rate:
        scale = 1 / math.sqrt(width)
        to_b = (q * k[1]).sum(-1)
        to_a = torch.einsum("hpi,hqi->hqp", q, k[0])
        share = rate * torch.sigmoid(scale * (to_a - to_b[:, None]))
        # what attention moves from b to a
        moved_a, moved_b = _read(w, written[0]), _read(w, written[1])
        before = before + _moved(share, moved_a[0], moved_b[0])
        straight = straight + _moved(share, moved_a[1], moved_b[1])
    out = w[f"{BLOCK}mlp.W_out"].T @ w["unembed.W_U"]
    return before.relu() @ out + straight


def side_by_side_logits(w: Mapping[str, Tensor]) -> Float[Tensor, "p p p"]:
    """Logits (a, b, answer) of the network that reads a and b side by side."""
    of_a, of_b = (w["embed.W_E"].T @ half.T for half in w["mlp.W_in"].chunk(2, dim=1))
    before = of_a[:, None] + of_b + w["mlp.b_in"]
    return before.relu() @ w["unembed.W_U"]


def _read(
    w: Mapping[str, Tensor], written: Float[Tensor, "... d_model"]
) -> tuple[Float[Tensor, "... d_mlp"], Float[Tensor, "... p"]]:
    """What the neurons, and the answers past them, read of the residual stream."""
    return written @ w[f"{BLOCK}mlp.W_in"].T, written @ w["unembed.W_U"]


def _moved(
    share: Float[Tensor, "heads p p"],
    of_a: Float[Tensor, "heads p width"],
    of_b: Float[Tensor, "heads p width"],
) -> Float[Tensor, "p p width"]:
    """Attention to a (head, a, b) times what it brings of a, less what it takes of b."""
    brought = torch.bmm(share.permute(1, 2, 0), of_a.transpose(0, 1))
    taken = torch.bmm(share.permute(2, 1, 0), of_b.transpose(0, 1))
    return brought - taken.transpose(0, 1)
