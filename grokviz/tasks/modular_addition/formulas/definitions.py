"""Definitions under which the paper's numbers come out, where its text leaves several open.

Found by recomputing the published rows from a run with the published settings: the clusters of
section 2.6's single frequencies and the fit with cosines exactly, two others only as candidates,
since no source says what was done. All losses are cross entropies over all p * p pairs.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics.fourier import fourier_basis
from grokviz.tasks.modular_addition.formulas.compositions import key_span, neuron_logit_map
from grokviz.tasks.modular_addition.formulas.logits import cosine_coefficients, cosine_waves
from grokviz.tasks.modular_addition.formulas.losses import answers, mean_loss
from grokviz.tasks.modular_addition.formulas.marginals import frequency_power, marginals
from grokviz.tasks.modular_addition.formulas.neurons import cut_to_own, neuron_frequencies, rows_of
from grokviz.tasks.modular_addition.forward import Forward, logits_of
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


def cluster_losses(
    w: ModularAdditionWeights, f: Forward, keys: Int[np.ndarray, " key"]
) -> Float[np.ndarray, " none_and_key"]:
    """Loss of the neurons' logits alone with no cluster left out, then without each of ``keys``.

    Clustered neurons keep only the 3 x 3 terms {1, cos, sin} of a and of b at their own frequency,
    all others stay whole; the logits are these neurons through W_L, without the skip connection,
    with each class's mean as it was.
    """
    m = marginals(f.post)
    cluster = neuron_frequencies(m, frequency_power(m)).cluster
    cut = cut_to_own(f.post, m, cluster)
    reads, means = neuron_logit_map(w).T, f.logits.mean(axis=0)
    centred = (cut - cut.mean(axis=0)) @ reads
    losses = [mean_loss(centred + means)]
    for k in keys:
        out = cut[:, cluster == k]
        lost = (out - out.mean(axis=0)) @ reads[cluster == k]
        losses.append(mean_loss(centred - lost + means))
    return np.array(losses)


def cosine_fit_means_loss(f: Forward, keys: Int[np.ndarray, " key"]) -> float:
    """Loss where the logits keep only each class's mean, and their fit with cos w(a + b - c) at
    ``keys``; the ablation ``cosine-fit`` leaves the means out too. NaN without key frequencies.
    """
    if not len(keys):
        return float("nan")
    m = marginals(f.logits)
    p = len(m.by_a)
    fit = cosine_waves(cosine_coefficients(m), p)[rows_of(keys)].sum(axis=0)
    return mean_loss(fit[answers(p)] + m.mean)


def past_heads_loss(w: ModularAdditionWeights, f: Forward) -> float:
    """Loss where the MLP reads only the residual stream before the heads, and only the heads'
    output goes past the MLP: a candidate for the published cut around the heads.
    """
    before = np.zeros_like(f.mid) + w.equals
    post = np.maximum(before @ w.W_in.T + w.b_in, 0)
    return mean_loss(logits_of(w, f.mid - w.equals, post))


def off_directions_loss(
    w: ModularAdditionWeights, f: Forward, keys: Int[np.ndarray, " key"]
) -> float:
    """Loss of the neurons off the key directions of W_L where the skip connection carries only the
    residual stream before the heads, and b_out is left out: a candidate for the published one.

    NaN without key frequencies.
    """
    if not len(keys):
        return float("nan")
    directions = key_span(neuron_logit_map(w), keys)
    off = f.post - (f.post @ directions) @ directions.T
    before = np.zeros_like(f.mid) + w.equals
    return mean_loss(logits_of(w, before, off) - w.b_out @ w.W_U)


def uncentred_share(
    to_a: Float[np.ndarray, "p*p head"], frequency: Int[np.ndarray, " head"]
) -> Float[np.ndarray, " head"]:
    """Share of the squares, not of the variance, of each head's attention to a that a constant,
    and cos and sin of a and of b at its frequency explain by least squares; 0 without a frequency.
    """
    m = marginals(to_a)
    p = len(m.by_a)
    basis = fourier_basis(p)
    whole = np.square(to_a).sum(axis=0)
    held = p * p * np.square(m.mean)
    for mean in (m.by_a, m.by_b):
        squares = np.square(basis @ mean)
        for head, k in enumerate(frequency):
            held[head] += p * squares[2 * k - 1 : 2 * k + 1, head].sum() if k else 0.0
    shares: Float[np.ndarray, " head"] = np.where(frequency > 0, held / whole, 0.0)
    return shares
