"""Both networks run on all pairs at once in float64, and the gradients of their logits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from grokviz.tasks.clock_or_pizza.weights import AttentionWeights, SideBySideWeights, Weights


@dataclass(frozen=True, eq=False)
class Forward:
    """The activations of one checkpoint for every pair (a, b).

    Attributes:
        before: the neurons' inputs, before the ReLU.
        logits: one for each answer.
        share: each head's softmax attention to a, before the rate; none without attention.

    """

    before: Float[np.ndarray, "p p neuron"]
    logits: Float[np.ndarray, "p p p"]
    share: Float[np.ndarray, "heads p p"]


def forward(w: Weights, rate: float) -> Forward:
    """Run a network on all pairs; ``rate`` is that of attention, which the other has not."""
    if isinstance(w, SideBySideWeights):
        of_a, of_b = (w.W_E.T @ part.T for part in w.by_number)
        before = of_a[:, None] + of_b + w.b_in
        return Forward(before, np.maximum(before, 0) @ w.W_U, np.zeros((0, w.p, w.p)))
    rows = _rows(w)
    written = np.einsum("tpd,hid,hei->thpe", rows, w.W_V, w.output_by_head, optimize=True)
    share = _share(w, rows)
    to_a, to_b = rate * share + 1 - rate, rate * (1 - share) + 1 - rate
    middle = np.einsum("hab,had->abd", to_a, written[0], optimize=True)
    middle += np.einsum("hab,hbd->abd", to_b, written[1], optimize=True) + rows[1]
    before = middle @ w.W_in.T + w.b_in
    after = np.maximum(before, 0) @ w.W_out.T + w.b_out
    return Forward(before, (middle + after) @ w.W_U, share)


def input_gradients(
    w: Weights, rate: float, run: Forward, triples: Int[np.ndarray, "some 3"]
) -> Float[np.ndarray, "some 2 d_model"]:
    """Gradients of the logit of c for (a, b) by the embeddings of a and of b.

    ``triples`` are rows of a, b and c; ``run`` is what :func:`forward` gave.
    """
    a, b, c = triples.T
    awake = run.before[a, b] > 0
    if isinstance(w, SideBySideWeights):
        straight: Float[np.ndarray, "some 2 d_model"] = np.einsum(
            "sn,tnd->std", awake * w.W_U[:, c].T, w.by_number
        )
        return straight
    out = w.W_U[:, c].T
    slope = out + ((out @ w.W_out) * awake) @ w.W_in
    return _through_attention(w, rate, run.share[:, a, b], triples, slope)


def _through_attention(
    w: AttentionWeights,
    rate: float,
    share: Float[np.ndarray, "heads some"],
    triples: Int[np.ndarray, "some 3"],
    slope: Float[np.ndarray, "some d_model"],
) -> Float[np.ndarray, "some 2 d_model"]:
    """From gradients by the residual stream after attention to those by the two embeddings."""
    rows = _rows(w)
    x = np.stack([rows[0, triples[:, 0]], rows[1, triples[:, 1]]])
    read = np.einsum("sd,hdi,hie->hse", slope, w.output_by_head, w.W_V, optimize=True)
    weights = np.stack([rate * share + 1 - rate, rate * (1 - share) + 1 - rate])
    values = np.einsum("ths,hse->ste", weights, read)
    # attention moves from b to a
    turn = np.einsum("hse,se->hs", read, x[0] - x[1]) * rate * share * (1 - share)
    turn /= np.sqrt(w.W_K.shape[1])
    query = np.einsum("hid,sd->hsi", w.W_Q, x[1])
    key_a, key_b = np.einsum("hid,tsd->thsi", w.W_K, x)
    by_key = np.einsum("hs,hsi,hid->sd", turn, query, w.W_K, optimize=True)
    by_query = np.einsum("hs,hsi,hid->sd", turn, key_a - key_b, w.W_Q, optimize=True)
    gradients: Float[np.ndarray, "some 2 d_model"] = values
    gradients[:, 0] += by_key
    gradients[:, 1] += slope + by_query - by_key
    return gradients


def _rows(w: AttentionWeights) -> Float[np.ndarray, "2 p d_model"]:
    """Each number as a and as b."""
    rows: Float[np.ndarray, "2 p d_model"] = w.W_E.T + w.W_pos[:, None]
    return rows


def _share(
    w: AttentionWeights, rows: Float[np.ndarray, "2 p d_model"]
) -> Float[np.ndarray, "heads p p"]:
    """The softmax's share of a, by head, a and b."""
    query = np.einsum("hid,pd->hpi", w.W_Q, rows[1])
    key_a, key_b = np.einsum("hid,tpd->thpi", w.W_K, rows)
    score = (
        np.einsum("hbi,hai->hab", query, key_a) - np.einsum("hbi,hbi->hb", query, key_b)[:, None]
    )
    half = score / np.sqrt(w.W_K.shape[1]) / 2
    share: Float[np.ndarray, "heads p p"] = (1 + np.tanh(half)) / 2
    return share
