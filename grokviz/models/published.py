"""The published parameter names and shapes, in one table (arXiv:2301.05217, its code).

Matrices multiply from the left: ``embed.W_E (d_model, d_vocab)``, attention matrices
``(heads, d_head, d_model)``, ``W_O (d_model, heads * d_head)``, ``W_in (d_mlp, d_model)``. Layers
are in ``blocks`` or, in models without an MLP, in ``attn_blocks``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from grokviz.errors import InputError

Dims = tuple[str, ...]

LAYER = re.compile(r"((?:attn_)?blocks)\.(\d{1,18})\.(attn|mlp)\.")
"""Matches a layer's parameter: the stack, the layer's number and its part."""

EMBEDDING: Mapping[str, Dims] = {
    "embed.W_E": ("d_model", "d_vocab"),
    "pos_embed.W_pos": ("n_ctx", "d_model"),
}
ATTENTION: Mapping[str, Dims] = {
    "attn.W_K": ("heads", "d_head", "d_model"),
    "attn.W_Q": ("heads", "d_head", "d_model"),
    "attn.W_V": ("heads", "d_head", "d_model"),
    "attn.W_O": ("d_model", "heads*d_head"),
}
MLP: Mapping[str, Dims] = {
    "mlp.W_in": ("d_mlp", "d_model"),
    "mlp.b_in": ("d_mlp",),
    "mlp.W_out": ("d_model", "d_mlp"),
    "mlp.b_out": ("d_model",),
}
UNEMBEDDING: Mapping[str, Dims] = {"unembed.W_U": ("d_model", "d_vocab_out")}


def layers(stack: str, count: int, *, mlp: bool = True) -> dict[str, Dims]:
    """Every parameter of a model of ``count`` layers, with its dimensions.

    In this order each shape depends only on its own sizes and those of earlier ones.
    """
    inner = {**ATTENTION, **(MLP if mlp else {})}
    stacked = {f"{stack}.{i}.{name}": dims for i in range(count) for name, dims in inner.items()}
    return {**EMBEDDING, **stacked, **UNEMBEDDING}


def is_optional(name: str) -> bool:
    """Whether a model may lack this parameter: missing MLP biases are zero."""
    return ".mlp.b_" in name


def published_tensor(
    state_dict: Mapping[str, np.ndarray], name: str, dims: tuple[str, ...], sizes: dict[str, int]
) -> np.ndarray:
    """A tensor as float64, checked against the known ``sizes``; new sizes are added to them.

    Raises :class:`InputError` if it is missing, of the wrong shape or not finite.
    """
    if name not in state_dict:
        raise InputError(
            f"the weights have no {name}; the task's measures need a whole model under the "
            "published parameter names"
        )
    array = np.asarray(state_dict[name])
    if array.ndim == len(dims):
        for dim, size in zip(dims, array.shape, strict=True):
            sizes.setdefault(dim, size)
        if "heads" in sizes:
            sizes.setdefault("heads*d_head", sizes["heads"] * sizes["d_head"])
    shape = tuple(sizes.get(dim) for dim in dims)
    if array.shape != shape or 0 in array.shape:
        expected = ", ".join(
            dim if size is None else f"{dim} = {size}"
            for dim, size in zip(dims, shape, strict=True)
        )
        raise InputError(f"{name} has shape {array.shape}; it should be ({expected})")
    try:
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} holds {array.dtype}, not numbers") from None
    if not np.isfinite(array).all():
        raise InputError(
            f"{name} holds NaN or infinite values; that checkpoint's training diverged or its file "
            "is damaged, so take another checkpoint"
        )
    return array
