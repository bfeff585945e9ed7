"""The exact forward pass over all p * p pairs at once.

Only the last position is scored, so there is one query, '='; and the layer's input has only
2p + 1 distinct rows: p numbers as a, p numbers as b, and '='. All values over the pairs are
mixtures of those rows. Pairs are numbered a * p + b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


@dataclass(frozen=True, eq=False)
class Forward:
    """The activations of one checkpoint at '=' for every pair (arXiv:2301.05217, section 3)."""

    pattern: Float[np.ndarray, "heads 3 p*p"]
    """Attention from '=' to a, b and '=' itself; sums to 1 over the three."""
    mid: Float[np.ndarray, "p*p d_model"]
    """Residual stream between attention and MLP."""
    pre: Float[np.ndarray, "p*p d_mlp"]
    """Neurons before the ReLU."""
    post: Float[np.ndarray, "p*p d_mlp"]
    """Neurons after the ReLU."""
    logits: Float[np.ndarray, "p*p p"]
    """Logits of the p numbers, the '=' class dropped."""


def forward(w: ModularAdditionWeights) -> Forward:
    """Run the model on all pairs; equal to the plain transformer up to rounding."""
    pattern = attention_pattern(attention_scores(w))
    mid = residual_mid(w, pattern)
    pre = mid @ w.W_in.T
    pre += w.b_in
    post = np.maximum(pre, 0)
    return Forward(pattern, mid, pre, post, logits_of(w, mid, post))


def rows(w: ModularAdditionWeights) -> Float[np.ndarray, "2p+1 d_model"]:
    """The layer's distinct input rows: each number as a, each number as b, and '='."""
    numbers = w.number_embedding.T
    return np.concatenate([numbers + w.W_pos[0], numbers + w.W_pos[1], w.equals[None]], axis=0)


def attention_scores(w: ModularAdditionWeights) -> Float[np.ndarray, "heads 2p+1"]:
    """Scores of '=' for each distinct row, divided by sqrt(d_head), before the softmax."""
    query = w.W_Q @ w.equals
    wanted = np.einsum("hi,him->hm", query, w.W_K) / np.sqrt(w.d_head)
    scores: Float[np.ndarray, "heads 2p+1"] = wanted @ rows(w).T
    return scores


def attention_pattern(
    scores: Float[np.ndarray, "heads 2p+1"],
) -> Float[np.ndarray, "heads 3 p*p"]:
    """Softmax of the scores of a, b and '=', for every pair; numbers between 0 and 1."""
    heads, p = len(scores), scores.shape[1] // 2
    # Shifting by one maximum per head suffices, since a constant cancels in the softmax.
    weight = np.exp(scores - scores.max(axis=1, keepdims=True))
    pattern = np.empty((heads, 3, p, p))
    pattern[:, 0] = weight[:, :p, None]
    pattern[:, 1] = weight[:, None, p : 2 * p]
    pattern[:, 2] = weight[:, 2 * p :, None]
    pattern /= pattern.sum(axis=1, keepdims=True)
    return pattern.reshape(heads, 3, p * p)


def head_outputs(w: ModularAdditionWeights) -> Float[np.ndarray, "heads 2p+1 d_model"]:
    """The output of each head if it attends to a single row."""
    written: Float[np.ndarray, "heads 2p+1 d_model"] = (
        rows(w) @ w.W_V.transpose(0, 2, 1) @ w.output_by_head.transpose(0, 2, 1)
    )
    return written


def mix(
    pattern: Float[np.ndarray, "heads 3 p*p"], tables: Float[np.ndarray, "heads 2p+1 width"]
) -> Float[np.ndarray, "p*p width"]:
    """Sum over heads of attention times the value of each row, for every pair."""
    heads, p, width = len(tables), tables.shape[1] // 2, tables.shape[2]
    square = pattern.reshape(heads, 3, p, p)
    # For one a (or b) all heads' rows are one small matrix, so each term is a matrix product.
    mixed: np.ndarray = square[:, 0].transpose(1, 2, 0) @ tables[:, :p].transpose(1, 0, 2)
    from_b = square[:, 1].transpose(2, 1, 0) @ tables[:, p : 2 * p].transpose(1, 0, 2)
    mixed += from_b.transpose(1, 0, 2)
    flat: Float[np.ndarray, "p*p width"] = mixed.reshape(p * p, width)
    flat += pattern[:, 2].T @ tables[:, 2 * p]
    return flat


def residual_mid(
    w: ModularAdditionWeights, pattern: Float[np.ndarray, "heads 3 p*p"]
) -> Float[np.ndarray, "p*p d_model"]:
    """Residual stream at '=' after attention, for every pair."""
    mid: Float[np.ndarray, "p*p d_model"] = mix(pattern, head_outputs(w))
    mid += w.equals
    return mid


def logits_of(
    w: ModularAdditionWeights,
    mid: Float[np.ndarray, "p*p d_model"],
    post: Float[np.ndarray, "p*p d_mlp"],
) -> Float[np.ndarray, "p*p p"]:
    """Logits from the residual stream and the neurons; the MLP's two last maps fold into one."""
    logits: Float[np.ndarray, "p*p p"] = post @ (w.W_U.T @ w.W_out).T
    logits += mid @ w.W_U
    logits += w.b_out @ w.W_U
    return logits


def neuron_tables(
    w: ModularAdditionWeights, neurons: Sequence[int] | Int[np.ndarray, " neuron"]
) -> tuple[Float[np.ndarray, "neuron heads 2p+1"], Float[np.ndarray, " neuron"]]:
    """The tables from which, with the attention scores, some neurons' activations follow.

    Returns what each head adds to each neuron's pre-activation if it attends to a single row,
    and the pre-activation without attention. :func:`activations_from_tables` computes the
    p * p activations from them.
    """
    index = np.asarray(neurons, dtype=int)
    read = w.W_in[index]
    tables = np.einsum("hrm,nm->nhr", head_outputs(w), read, optimize=True)
    return tables, read @ w.equals + w.b_in[index]


def activations_from_tables(
    scores: Float[np.ndarray, "heads 2p+1"],
    tables: Float[np.ndarray, "neuron heads 2p+1"],
    offset: Float[np.ndarray, " neuron"],
) -> Float[np.ndarray, "p*p neuron"]:
    """Pre-activations over all pairs, from what :func:`neuron_tables` stored."""
    pattern = attention_pattern(np.asarray(scores, dtype=np.float64))
    by_row = np.asarray(tables, dtype=np.float64).transpose(1, 2, 0)
    activations = mix(pattern, by_row)
    activations += offset
    return activations
