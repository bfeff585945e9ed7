"""Ablations: the loss after parts of the model are removed (arXiv:2301.05217, section 4.4).

Every row is the cross entropy over all p * p pairs. Removing what the algorithm does not use
lowers the loss; removing what it uses raises it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from grokviz.tasks.modular_addition.formulas.compositions import key_span, neuron_logit_map
from grokviz.tasks.modular_addition.formulas.logits import (
    cosine_coefficients,
    cosine_waves,
    sum_waves,
)
from grokviz.tasks.modular_addition.formulas.losses import answers, mean_loss
from grokviz.tasks.modular_addition.formulas.marginals import frequency_power, marginals, trig_fit
from grokviz.tasks.modular_addition.formulas.neurons import (
    cut_to_own,
    key_frequencies,
    neuron_frequencies,
    one_hot,
    rows_of,
)
from grokviz.tasks.modular_addition.formulas.progress import excluded
from grokviz.tasks.modular_addition.forward import (
    Forward,
    attention_scores,
    forward,
    logits_of,
    residual_mid,
)
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


@dataclass(frozen=True)
class Ablation:
    """One row of the table."""

    name: str
    """Short and unique, such as ``original`` or ``without-frequency-14``."""
    what: str
    """A description of the change to the model."""
    loss: float
    """Cross entropy over all pairs, in nats."""
    ratio: float
    """That loss divided by the original model's; below 1 the model improved."""


def ablation_table(
    w: ModularAdditionWeights, keys: Int[np.ndarray, " key"] | None = None
) -> list[Ablation]:
    """The paper's ablations that apply to any run, the original model first.

    ``keys`` are the key frequencies, by default the model's own. Rows that need key frequencies
    are omitted for a model without any.
    """
    f = forward(w)
    original = mean_loss(f.logits)
    rows = [("original", "nothing is changed", original)]
    rows += _neurons(w, f, keys)
    rows += _parts(w, f)
    return [Ablation(name, what, loss, loss / original) for name, what, loss in rows]


Row = tuple[str, str, float]


def _neurons(
    w: ModularAdditionWeights, f: Forward, keys: Int[np.ndarray, " key"] | None
) -> Iterator[Row]:
    m = marginals(f.post)
    own_frequencies = neuron_frequencies(m, frequency_power(m))
    if keys is None:
        keys = key_frequencies(own_frequencies)
    if len(keys) == 0:
        return
    clustered = own_frequencies.cluster > 0
    if clustered.any():
        fitted = cut_to_own(f.post, m, own_frequencies.cluster)
        yield (
            "trig-neurons",
            f"the {clustered.sum()} neurons that one frequency explains to 85 % are replaced by "
            "polynomials of degree 2 in its waves",
            mean_loss(logits_of(w, f.mid, fitted)),
        )
    yield from _logits(f, keys)
    directions = key_span(neuron_logit_map(w), keys)
    projection = (f.post @ directions) @ directions.T
    yield (
        "key-directions",
        f"the neurons are projected on the {directions.shape[1]} key directions of W_L",
        mean_loss(logits_of(w, f.mid, projection)),
    )
    yield (
        "off-key-directions",
        "the neurons are projected off the key directions of W_L",
        mean_loss(logits_of(w, f.mid, f.post - projection)),
    )


def _logits(f: Forward, keys: Int[np.ndarray, " key"]) -> Iterator[Row]:
    m = marginals(f.logits)
    p = len(m.by_a)
    rows = rows_of(keys)
    keep = one_hot(keys, p)[:, None]
    yield (
        "sums-only",
        "logits keep only their means and cos and sin of w(a + b) at the key frequencies",
        mean_loss(trig_fit(m, keep, of_sum_only=True)),
    )
    yield (
        "key-terms",
        f"logits keep only their means and the {8 * len(keys)} terms of the key frequencies",
        mean_loss(trig_fit(m, keep)),
    )
    waves = cosine_waves(cosine_coefficients(m), p)[rows].sum(axis=0)
    yield (
        "cosine-fit",
        "logits are replaced by their fit with cos w(a + b - c) at the key frequencies",
        mean_loss(waves[answers(p)]),
    )
    without = excluded(f.logits, sum_waves(m)[rows], np.full(p * p, True)).loss
    for k, loss in zip(keys, without, strict=True):
        yield (
            f"without-frequency-{k}",
            f"cos and sin of w(a + b) at frequency {k} are taken out of the logits",
            float(loss),
        )


def _parts(w: ModularAdditionWeights, f: Forward) -> Iterator[Row]:
    def rest(mid: Float[np.ndarray, "p*p d_model"]) -> float:
        return mean_loss(logits_of(w, mid, np.maximum(mid @ w.W_in.T + w.b_in, 0)))

    yield (
        "linear-attention",
        "the attention softmax is replaced by its first-order expansion about each head's mean "
        "scores",
        rest(residual_mid(w, linear_attention(attention_scores(w)))),
    )
    nothing = np.zeros_like(f.mid)
    yield (
        "no-skip-around-mlp",
        "the skip connection around the MLP is cut",
        mean_loss(logits_of(w, nothing, f.post)),
    )
    yield (
        "mean-skip-around-mlp",
        "the skip connection around the MLP carries its mean over all pairs",
        mean_loss(logits_of(w, nothing + f.mid.mean(axis=0), f.post)),
    )
    yield "no-heads", "all attention heads write zero", rest(nothing + w.equals)
    yield (
        "no-skip-around-heads",
        "the skip connection around the attention heads is cut",
        rest(f.mid - w.equals),
    )


def linear_attention(
    scores: Float[np.ndarray, "heads 2p+1"],
) -> Float[np.ndarray, "heads 3 p*p"]:
    """First-order expansion of the attention pattern about each head's mean scores."""
    heads, p = len(scores), scores.shape[1] // 2
    s = np.empty((heads, 3, p, p))
    s[:, 0] = scores[:, :p, None]
    s[:, 1] = scores[:, None, p : 2 * p]
    s[:, 2] = scores[:, 2 * p :, None]
    flat = s.reshape(heads, 3, p * p)
    centre = flat.mean(axis=2, keepdims=True)
    base = np.exp(centre - centre.max(axis=1, keepdims=True))
    base /= base.sum(axis=1, keepdims=True)
    moved = flat - centre
    linear: Float[np.ndarray, "heads 3 p*p"] = base * (
        1 + moved - (base * moved).sum(axis=1, keepdims=True)
    )
    return linear
