"""Loss and gradient of many copies of a network at once, each on its own pairs.

Its shortcuts are those of the exact path that trains it (:mod:`..exact_path`), in numpy: one query,
2p + 1 rows of keys and values, and nothing non-linear between W_O and W_in, or W_out and W_U.
Every array begins with the axis of the copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokviz.tasks.modular_addition.weights import SHAPES

E, POS, U = "embed.W_E", "pos_embed.W_pos", "unembed.W_U"
K, Q, V, O = (f"blocks.0.attn.W_{letter}" for letter in "KQVO")  # noqa: E741
IN, B_IN, OUT, B_OUT = (f"blocks.0.mlp.{name}" for name in ("W_in", "b_in", "W_out", "b_out"))

Weights = Mapping[str, Float[np.ndarray, "copy ..."]]
Flat = Float[np.ndarray, "copy weight"]


@dataclass(frozen=True)
class Layout:
    """Where each trained tensor lies in one vector of all weights, in the order of SHAPES."""

    shapes: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, state: Mapping[str, np.ndarray]) -> Layout:
        """That of a state dict under the published names; biases only where it has them."""
        return cls({name: state[name].shape for name in SHAPES if name in state})

    @property
    def size(self) -> int:
        """The number of weights."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    def flat(self, state: Mapping[str, np.ndarray]) -> Float[np.ndarray, " weight"]:
        """A state's weights as one vector of float64."""
        parts = [np.asarray(state[name], dtype=np.float64).ravel() for name in self.shapes]
        return np.concatenate(parts)

    def views(self, flat: Flat) -> dict[str, np.ndarray]:
        """Each tensor of the copies as a view of their vectors."""
        views, begin = {}, 0
        for name, shape in self.shapes.items():
            end = begin + int(np.prod(shape))
            views[name] = flat[:, begin:end].reshape(len(flat), *shape)
            begin = end
        return views


class _Attention(NamedTuple):
    """What the way back through attention needs; rows are those of a, of b, and '='."""

    query_row: np.ndarray
    x: np.ndarray
    query: np.ndarray
    key_map: np.ndarray
    pattern: np.ndarray
    mixed: tuple[np.ndarray, np.ndarray, np.ndarray]
    z: np.ndarray


class _Pass(NamedTuple):
    """What the way back needs of the way there."""

    attention: _Attention
    fold: np.ndarray
    neurons: np.ndarray
    after: np.ndarray
    neuron_map: np.ndarray
    head_map: np.ndarray
    log_probabilities: np.ndarray


def losses(w: Weights, a: np.ndarray, b: np.ndarray) -> Float[np.ndarray, "copy pair"]:
    """Cross entropy of each copy on each of its pairs, in nats, over all classes trained on."""
    return _losses(_there(w, a, b), a, b, w[E].shape[2] - 1)


def losses_and_gradient(
    layout: Layout,
    flat: Flat,
    a: Int[np.ndarray, "copy pair"],
    b: Int[np.ndarray, "copy pair"],
) -> tuple[Float[np.ndarray, "copy pair"], Flat]:
    """The losses, and the gradient of each copy's mean loss."""
    w = layout.views(flat)
    gradient = np.zeros_like(flat)
    state = _there(w, a, b)
    losses = _losses(state, a, b, w[E].shape[2] - 1)
    _back(w, state, a, b, layout.views(gradient))
    return losses, gradient


def _losses(s: _Pass, a: np.ndarray, b: np.ndarray, p: int) -> np.ndarray:
    targets = ((a + b) % p)[..., None]
    right: np.ndarray = np.take_along_axis(s.log_probabilities, targets, axis=2)[..., 0]
    return -right


def _attention(w: Weights, a: np.ndarray, b: np.ndarray) -> _Attention:
    copies, heads, d_head, d_model = w[K].shape
    p = w[E].shape[2] - 1
    numbers = w[E][:, :, :p].transpose(0, 2, 1)
    query_row = w[E][:, :, p] + w[POS][:, 2]
    x = np.concatenate(
        [numbers + w[POS][:, 0:1], numbers + w[POS][:, 1:2], query_row[:, None]], axis=1
    )
    query = (w[Q] @ query_row[:, None, :, None])[..., 0]
    key_map = (query[:, :, None] @ w[K])[:, :, 0] / np.sqrt(d_head)
    scores = x @ key_map.transpose(0, 2, 1)
    values = x @ w[V].reshape(copies, -1, d_model).transpose(0, 2, 1)

    copy = np.arange(copies)[:, None]
    of_equals = np.broadcast_to(scores[:, 2 * p :], scores[copy, a].shape)
    pattern = np.stack([scores[copy, a], scores[copy, b + p], of_equals])
    pattern = np.exp(pattern - pattern.max(axis=0))
    pattern /= pattern.sum(axis=0)
    split = (copies, -1, heads, d_head)
    rows = values[copy, a], values[copy, b + p], values[:, 2 * p :]
    mixed = rows[0].reshape(split), rows[1].reshape(split), rows[2].reshape(split)
    z = pattern[0][..., None] * mixed[0]
    z += pattern[1][..., None] * mixed[1]
    z += pattern[2][..., None] * mixed[2]
    z = z.reshape(copies, -1, heads * d_head)
    return _Attention(query_row, x, query, key_map, pattern, mixed, z)


def _there(w: Weights, a: np.ndarray, b: np.ndarray) -> _Pass:
    s = _attention(w, a, b)
    fold = w[IN] @ w[O]
    offset = w[IN] @ s.query_row[..., None]
    neurons = s.z @ fold.transpose(0, 2, 1)
    neurons += offset[..., 0][:, None]
    after = s.query_row
    if B_IN in w:
        neurons += w[B_IN][:, None]
    if B_OUT in w:
        after = after + w[B_OUT]
    np.maximum(neurons, 0, out=neurons)
    unembed = w[U].transpose(0, 2, 1)
    neuron_map, head_map = unembed @ w[OUT], unembed @ w[O]
    logits = neurons @ neuron_map.transpose(0, 2, 1)
    logits += s.z @ head_map.transpose(0, 2, 1)
    logits += after[:, None] @ w[U]
    logits -= logits.max(axis=2, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=2, keepdims=True))
    return _Pass(s, fold, neurons, after, neuron_map, head_map, logits)


def _back(w: Weights, s: _Pass, a: np.ndarray, b: np.ndarray, g: dict[str, np.ndarray]) -> None:
    """Write each copy's gradient of its mean loss into ``g``."""
    p, pairs = w[E].shape[2] - 1, a.shape[1]
    d_logits = np.exp(s.log_probabilities)
    targets = ((a + b) % p)[..., None]
    right = np.take_along_axis(d_logits, targets, axis=2)
    np.put_along_axis(d_logits, targets, right - 1, axis=2)
    d_logits /= pairs

    backwards = d_logits.transpose(0, 2, 1)
    d_neurons = d_logits @ s.neuron_map
    d_neurons *= s.neurons > 0
    d_neuron_map, d_head_map = backwards @ s.neurons, backwards @ s.attention.z
    d_fold = d_neurons.transpose(0, 2, 1) @ s.attention.z
    d_bias = d_neurons.sum(axis=1)
    d_sum = d_logits.sum(axis=1)
    d_z = d_neurons @ s.fold
    d_z += d_logits @ s.head_map

    d_after = (w[U] @ d_sum[..., None])[..., 0]
    g[OUT][:] = w[U] @ d_neuron_map
    g[O][:] = w[U] @ d_head_map + w[IN].transpose(0, 2, 1) @ d_fold
    g[IN][:] = d_fold @ w[O].transpose(0, 2, 1) + d_bias[..., None] * s.attention.query_row[:, None]
    g[U][:] = w[OUT] @ d_neuron_map.transpose(0, 2, 1) + w[O] @ d_head_map.transpose(0, 2, 1)
    g[U] += s.after[..., None] * d_sum[:, None]
    if B_IN in g:
        g[B_IN][:] = d_bias
    if B_OUT in g:
        g[B_OUT][:] = d_after
    d_query_row = d_after + (d_bias[:, None] @ w[IN])[:, 0]
    _back_attention(w, s.attention, (a, b), g, d_z, d_query_row)


def _back_attention(
    w: Weights,
    s: _Attention,
    rows: tuple[np.ndarray, np.ndarray],
    g: dict[str, np.ndarray],
    d_z: np.ndarray,
    d_query_row: np.ndarray,
) -> None:
    copies, heads, d_head, d_model = w[K].shape
    p = w[E].shape[2] - 1
    d_z = d_z.reshape(copies, -1, heads, d_head)
    d_pattern = np.stack([(d_z * value).sum(axis=3) for value in s.mixed])
    d_raw = s.pattern * (d_pattern - (s.pattern * d_pattern).sum(axis=0))
    d_scores = np.empty((copies, 2 * p + 1, heads))
    d_values = np.empty((copies, 2 * p + 1, heads * d_head))
    for j, numbers in enumerate(rows):
        # as a product with zeros and ones, since adding at indices is far slower
        one_hot = (numbers[:, None] == np.arange(p)[:, None]).astype(np.float64)
        part = slice(j * p, (j + 1) * p)
        d_scores[:, part] = one_hot @ d_raw[j]
        d_values[:, part] = one_hot @ (d_z * s.pattern[j][..., None]).reshape(*numbers.shape, -1)
    d_scores[:, 2 * p] = d_raw[2].sum(axis=1)
    d_values[:, 2 * p] = (d_z * s.pattern[2][..., None]).sum(axis=1).reshape(copies, -1)

    g[V][:] = (d_values.transpose(0, 2, 1) @ s.x).reshape(copies, heads, d_head, d_model)
    d_key_map = d_scores.transpose(0, 2, 1) @ s.x / np.sqrt(d_head)
    g[K][:] = s.query[..., None] * d_key_map[:, :, None]
    d_query = (w[K] @ d_key_map[..., None])[..., 0]
    g[Q][:] = d_query[..., None] * s.query_row[:, None, None]
    d_x = d_scores @ s.key_map + d_values @ w[V].reshape(copies, -1, d_model)
    d_query_row = d_query_row + d_x[:, 2 * p]
    d_query_row += (d_query.reshape(copies, 1, -1) @ w[Q].reshape(copies, -1, d_model))[:, 0]
    g[E][:, :, :p] = (d_x[:, :p] + d_x[:, p : 2 * p]).transpose(0, 2, 1)
    g[E][:, :, p] = d_query_row
    g[POS][:, 0], g[POS][:, 1] = d_x[:, :p].sum(axis=1), d_x[:, p : 2 * p].sum(axis=1)
    g[POS][:, 2] = d_query_row
