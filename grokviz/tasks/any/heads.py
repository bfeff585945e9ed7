"""Attention heads of any state dict: which tensors hold them, and the spectra of their circuits.

A head reads the residual stream in two circuits. W_Q^T W_K says where it looks, W_O W_V what it
writes of what it finds there; both are d_model by d_model, of a rank of at most d_head. Source:
Elhage et al. (2021), https://transformer-circuits.pub/2021/framework/index.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from grokviz.tasks.any.spectra import RESOLVED

KEYS = ("heads", "n_heads", "num_heads", "n_head", "nhead", "num_attention_heads")
"""Settings that say how many heads an attention layer has, as they are called here and there."""

LAYOUTS: tuple[dict[str, str], ...] = (
    {"q": "W_Q", "k": "W_K", "v": "W_V", "o": "W_O"},
    {"q": "q_proj.weight", "k": "k_proj.weight", "v": "v_proj.weight", "o": "o_proj.weight"},
    {"q": "q_proj.weight", "k": "k_proj.weight", "v": "v_proj.weight", "o": "out_proj.weight"},
    {"q": "self.query.weight", "k": "self.key.weight", "v": "self.value.weight",
     "o": "output.dense.weight"},
    {"qkv": "c_attn.weight", "o": "c_proj.weight"},
    {"qkv": "in_proj_weight", "o": "out_proj.weight"},
    {"qkv": "query_key_value.weight", "o": "dense.weight"},
)  # fmt: skip
"""Names of a layer's tensors after what they share: ours and TransformerLens's, Llama's, OPT's,
BERT's, GPT-2's and nanoGPT's, those of torch.nn.MultiheadAttention, GPT-NeoX's."""

INTERLEAVED = "query_key_value.weight"
"""Here the rows of a head follow one another: its queries, its keys, its values."""


@dataclass(frozen=True)
class Layer:
    """The tensors of one attention layer by what they are (q, k, v or qkv, and o), and how many
    heads it has.
    """

    tensors: Mapping[str, str]
    heads: int


@dataclass(frozen=True, eq=False)
class Matrices:
    """The matrices of a layer's heads in float64; heads may share keys and values."""

    q: Float[np.ndarray, "head d_head d_model"]
    k: Float[np.ndarray, "head d_head d_model"]
    v: Float[np.ndarray, "head d_head d_model"]
    o: Float[np.ndarray, "head d_model d_head"]


@dataclass(frozen=True, eq=False)
class Circuits:
    """What the circuits of some heads say, those of queries and keys and those that write."""

    qk_values: Float[np.ndarray, "head d_head"]
    """Singular values of W_Q^T W_K, the largest first."""
    ov_values: Float[np.ndarray, "head d_head"]
    """Singular values of W_O W_V, the largest first."""
    qk_positivity: Float[np.ndarray, " head"]
    """Sum of the eigenvalues of W_Q^T W_K over the sum of their absolute values."""
    ov_positivity: Float[np.ndarray, " head"]
    """Sum of the eigenvalues of W_O W_V over the sum of their absolute values."""


def layers(shapes: Mapping[str, tuple[int, ...]], heads: int | None) -> list[Layer]:
    """The attention layers among tensors of these shapes, in the order of the numbers in their
    names; ``heads`` is how many heads each has, where shapes do not say.
    """
    every = []
    for prefix, tensors in attention(shapes):
        layer = _layer(tensors, shapes, heads)
        if layer is not None:
            every.append((_natural(prefix), layer))
    return [layer for _, layer in sorted(every, key=lambda one: one[0])]


def attention(
    shapes: Mapping[str, tuple[int, ...]],
) -> Iterator[tuple[str, dict[str, str]]]:
    """The tensors of each attention layer, by what they are, and what their names begin with."""
    for layout in LAYOUTS:
        first = next(iter(layout.values()))
        for name in shapes:
            prefix = name.removesuffix(first)
            if name != prefix and (not prefix or prefix[-1] in "._"):
                tensors = {role: prefix + suffix for role, suffix in layout.items()}
                if all(one in shapes for one in tensors.values()):
                    yield prefix, tensors


def stated_heads(settings: Mapping[str, Any]) -> int | None:
    """How many heads settings say that a layer has; None where they do not say."""
    plain = {str(key).replace("-", "_"): value for key, value in settings.items()}
    for key in KEYS:
        value = plain.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def matrices(layer: Layer, state: Mapping[str, np.ndarray]) -> Matrices:
    """The matrices of a layer's heads."""
    o = np.asarray(state[layer.tensors["o"]], dtype=np.float64)
    if "qkv" in layer.tensors:
        return _fused(layer, np.asarray(state[layer.tensors["qkv"]], dtype=np.float64), o)
    q, k, v = (np.asarray(state[layer.tensors[role]], dtype=np.float64) for role in "qkv")
    if o.ndim == 3:  # TransformerLens: (head, d_model, d_head), and O the other way round
        q, k, v, o = (np.swapaxes(one, 1, 2) for one in (q, k, v, o))
        return Matrices(q, _shared(k, layer.heads), _shared(v, layer.heads), o)
    width = q.reshape(-1, q.shape[-1]).shape[0] // layer.heads
    q, k, v = (one.reshape(-1, width, one.shape[-1]) for one in (q, k, v))
    return Matrices(q, _shared(k, layer.heads), _shared(v, layer.heads), _outputs(o, layer.heads))


def circuits(of: Matrices) -> Circuits:
    """The spectra of heads' circuits; NaN of a head of which an entry is no number."""
    known = np.array([
        all(np.isfinite(one[h]).all() for one in (of.q, of.k, of.v, of.o))
        for h in range(len(of.q))
    ], dtype=bool)  # fmt: skip
    q, k, v, o = (np.where(known[:, None, None], one, 0) for one in (of.q, of.k, of.v, of.o))
    back = np.swapaxes(o, 1, 2)
    values = (
        _singular_values(q, k), _singular_values(back, v), _positivity(q, k), _positivity(back, v)
    )  # fmt: skip
    for one in values:
        one[~known] = np.nan
    return Circuits(*values)


def _singular_values(
    left: Float[np.ndarray, "head d_head d_model"], right: Float[np.ndarray, "head d_head d_model"]
) -> Float[np.ndarray, "head d_head"]:
    """Singular values of left^T right, by way of triangles as small as a head."""
    one, two = (np.linalg.qr(np.swapaxes(half, 1, 2), mode="r") for half in (left, right))
    values: np.ndarray = np.linalg.svd(one @ np.swapaxes(two, 1, 2), compute_uv=False)
    values[values <= RESOLVED * values[:, :1]] = 0
    return values


def _positivity(
    left: Float[np.ndarray, "head d_head d_model"], right: Float[np.ndarray, "head d_head d_model"]
) -> Float[np.ndarray, " head"]:
    """Sum of the eigenvalues of left^T right over the sum of their absolute values; NaN of zeros.

    What is not zero among them is that of right left^T, which is small.
    """
    small = right @ np.swapaxes(left, 1, 2)
    sizes = np.abs(np.linalg.eigvals(small)).sum(axis=1)
    share = np.full(len(small), np.nan)
    np.divide(np.trace(small, axis1=1, axis2=2), sizes, out=share, where=sizes > 0)
    return share.clip(-1, 1)


def _layer(
    tensors: dict[str, str], shapes: Mapping[str, tuple[int, ...]], heads: int | None
) -> Layer | None:
    """The layer of these tensors; None where they do not fit together."""
    shape = {role: shapes[name] for role, name in tensors.items()}
    if "qkv" not in shape and {len(shape[role]) for role in "qkv"} == {3}:
        (count, *sides), o = shape["q"], shape["o"]
        fits = o == (count, sides[1], sides[0]) if len(o) == 3 else o == (
            sides[1], count * sides[0])  # fmt: skip
        return Layer(tensors, count) if fits and count % max(shape["k"][0], 1) == 0 else None
    if heads is None or {len(one) for one in shape.values()} != {2}:
        return None
    if "qkv" in shape:
        wide, o = shape["qkv"], shape["o"]
        inner = o[1] if wide == (3 * o[1], o[0]) else o[0] if wide == (o[1], 3 * o[0]) else 0
        return Layer(tensors, heads) if inner and inner % heads == 0 else None
    rows, d_model = shape["q"]
    width = rows // heads
    fits = rows % heads == 0 and shape["o"] == (d_model, rows) and shape["k"] == shape["v"]
    shares = shape["k"][0] % max(width, 1) == 0 and heads % max(shape["k"][0] // width, 1) == 0
    return Layer(tensors, heads) if fits and shares else None


def _fused(layer: Layer, qkv: np.ndarray, o: np.ndarray) -> Matrices:
    """Matrices of a layer whose queries, keys and values are one tensor."""
    if qkv.shape != (3 * o.shape[1], len(o)):
        qkv, o = qkv.T, o.T  # GPT-2 multiplies from the other side
    if layer.tensors["qkv"].endswith(INTERLEAVED):
        q, k, v = qkv.reshape(layer.heads, 3, -1, qkv.shape[1]).swapaxes(0, 1)
    else:
        q, k, v = qkv.reshape(3, layer.heads, -1, qkv.shape[1])
    return Matrices(q, k, v, _outputs(o, layer.heads))


def _outputs(
    o: Float[np.ndarray, "d_model inner"], heads: int
) -> Float[np.ndarray, "head d_model d_head"]:
    """Each head's columns of W_O."""
    return o.reshape(len(o), heads, -1).swapaxes(0, 1)


def _shared(
    few: Float[np.ndarray, "shared d_head d_model"], heads: int
) -> Float[np.ndarray, "head d_head d_model"]:
    """Keys or values for each head, where some heads share theirs."""
    return np.repeat(few, heads // len(few), axis=0)


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts numbers in a name by their size."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
