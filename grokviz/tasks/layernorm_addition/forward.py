"""The logits of all pairs in NumPy, in float64, for measures: no torch is needed to look at a run.

Source: grokviz/tasks/layernorm_addition/network.py, with which a test compares it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError

CHUNK = 1_024
"""Pairs that are computed at once, for the sake of memory."""

EPSILON = 1e-5
"""What torch's LayerNorm adds to the variance."""

REACH = 9.0
"""Beyond this the normal distribution is 0 or 1 in float64."""

STEP = 2.0**-9
"""Between tabulated values; a cubic between them is right to 1e-12."""

BLOCK = ("ln1.weight", "ln1.bias", "ln2.weight", "ln2.bias", "qkv.weight", "proj.weight",
         "fc1.weight", "fc2.weight")  # fmt: skip
ENDS = ("embed.weight", "pos_embed.weight", "ln.weight", "ln.bias", "unembed.weight")

Weights = Mapping[str, np.ndarray]
Stream = Float[np.ndarray, "batch pos width"]


def all_logits(
    state: Weights, tokens: Int[np.ndarray, "pairs pos"], heads: int
) -> Float[np.ndarray, "pairs tokens"]:
    """The logits at the last position of some tokens.

    Raises ``InputError`` where a tensor is missing, or the width does not divide into the heads.
    """
    layers = len({name.split(".")[1] for name in state if name.startswith("blocks.")})
    names = [*ENDS, *(f"blocks.{layer}.{name}" for layer in range(layers) for name in BLOCK)]
    missing = [name for name in names if name not in state]
    if missing:
        raise InputError(f"the model has no {missing[0]}, as a transformer with LayerNorm has")
    weights = {name: np.asarray(state[name], dtype=np.float64) for name in names}
    width = weights["embed.weight"].shape[1]
    if width % heads:
        raise InputError(f"a width of {width} does not divide into {heads} heads; give heads")
    parts = [
        _logits(weights, tokens[start : start + CHUNK], heads, layers)
        for start in range(0, len(tokens), CHUNK)
    ]
    return np.concatenate(parts)


def _logits(
    weights: Weights, tokens: Int[np.ndarray, "batch pos"], heads: int, layers: int
) -> Float[np.ndarray, "batch tokens"]:
    x = weights["embed.weight"][tokens] + weights["pos_embed.weight"][: tokens.shape[1]]
    for layer in range(layers):
        block = {name: weights[f"blocks.{layer}.{name}"] for name in BLOCK}
        x = _block(block, x, heads, 1 if layer == layers - 1 else x.shape[1])
    logits: np.ndarray = _normalised(weights, "ln", x[:, -1]) @ weights["unembed.weight"].T
    return logits


def _block(block: Weights, x: Stream, heads: int, queries: int) -> Stream:
    """The stream after a block, at the last ``queries`` positions."""
    q, k, v = np.split(_normalised(block, "ln1", x) @ block["qkv.weight"].T, 3, axis=2)
    q, x = q[:, -queries:], x[:, -queries:]
    q, k, v = (part.reshape(*part.shape[:2], heads, -1).swapaxes(1, 2) for part in (q, k, v))
    scores = q @ k.swapaxes(2, 3) / math.sqrt(q.shape[3])
    length = k.shape[2]
    future = np.triu(np.ones((length, length), dtype=bool), 1)[-queries:]
    scores = np.where(future, -np.inf, scores)
    pattern = np.exp(scores - scores.max(axis=3, keepdims=True))
    pattern /= pattern.sum(axis=3, keepdims=True)
    mixed = (pattern @ v).swapaxes(1, 2).reshape(x.shape)
    x = x + mixed @ block["proj.weight"].T
    out: np.ndarray = (
        x + gelu(_normalised(block, "ln2", x) @ block["fc1.weight"].T) @ block["fc2.weight"].T
    )
    return out


def _normalised(
    weights: Weights, name: str, x: Float[np.ndarray, "*batch width"]
) -> Float[np.ndarray, "*batch width"]:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + EPSILON)
    normalised: np.ndarray = centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return normalised


def gelu(x: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Each number times the normal distribution's share below it."""
    shares, slopes = _normal_table()
    # a NaN stays one, as it is multiplied in the end
    place = (np.clip(np.nan_to_num(x), -REACH, REACH - STEP) + REACH) / STEP
    index = place.astype(np.intp)
    t = place - index
    left, right = shares[index], shares[index + 1]
    # the cubic that has the distribution's values and slopes at both ends
    share = left + t * STEP * slopes[index]
    share += t**2 * (3 * (right - left) - STEP * (2 * slopes[index] + slopes[index + 1]))
    share += t**3 * (2 * (left - right) + STEP * (slopes[index] + slopes[index + 1]))
    smooth: np.ndarray = x * share
    return smooth


@lru_cache(maxsize=1)
def _normal_table() -> tuple[Float[np.ndarray, " step"], Float[np.ndarray, " step"]]:
    """The normal distribution and its density, at even steps."""
    x = np.arange(-REACH, REACH + STEP / 2, STEP)
    shares = np.array([math.erfc(-one / math.sqrt(2)) / 2 for one in x.tolist()])
    return shares, np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
