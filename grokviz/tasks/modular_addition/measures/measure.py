"""All measures of one checkpoint in one pass: what a trajectory's dataset is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.dataset.fourier import component_norms, gini
from grokviz.tasks.any import norms
from grokviz.tasks.modular_addition.forward import Forward, attention_scores, forward
from grokviz.tasks.modular_addition.measures import (
    attention,
    compositions,
    geometry,
    logits,
    losses,
    neurons,
)
from grokviz.tasks.modular_addition.measures.marginals import (
    Marginals,
    frequency_power,
    marginals,
    trig_fraction,
)
from grokviz.tasks.modular_addition.measures.progress import excluded, restricted
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


@dataclass(frozen=True, eq=False)
class Measures:
    """One checkpoint's measures.

    ``set`` runs over train, test, all; ``frequency`` over 1 .. (p - 1) / 2; ``component`` over
    Const, cos 1, sin 1, ...; losses are in nats, shares and accuracies between 0 and 1.
    """

    key_frequencies: Int[np.ndarray, " key"]
    """The key frequencies used: those given, else this checkpoint's own."""

    loss: Float[np.ndarray, " set"]
    """Cross entropy over p classes."""
    accuracy: Float[np.ndarray, " set"]
    """Share of pairs whose right answer has strictly the largest logit."""
    margin: Float[np.ndarray, " 3"]
    """Smallest, mean and largest lead of the right logit over the next, over all pairs."""

    restricted_loss: Float[np.ndarray, " set"]
    """Loss with only cos and sin of w(a + b) at the key frequencies and the class means."""
    restricted_accuracy: Float[np.ndarray, " set"]
    """Accuracy of the same."""
    excluded_loss_2d_by_frequency: Float[np.ndarray, " frequency"]
    """Train loss without cos and sin of w(a + b) at one frequency."""
    excluded_accuracy_2d_by_frequency: Float[np.ndarray, " frequency"]
    """Train accuracy of the same."""
    excluded_loss_2d: float
    """Train loss without those of all key frequencies."""
    excluded_accuracy_2d: float
    """Train accuracy of the same."""
    excluded_loss_3d_by_frequency: Float[np.ndarray, " frequency"]
    """Train loss without cos w(a + b - c) at one frequency."""
    excluded_accuracy_3d_by_frequency: Float[np.ndarray, " frequency"]
    """Train accuracy of the same."""
    excluded_loss_3d: float
    """Train loss without those of all key frequencies."""
    excluded_accuracy_3d: float
    """Train accuracy of the same."""
    memorising_share: float
    """Mean probability of the right answer on train, key frequencies excluded (2-D)."""
    generalising_share: float
    """Mean probability of the right answer on train, restricted to the key frequencies."""

    cosine_coefficients: Float[np.ndarray, " frequency"]
    """v_k = <c_k, logits>, in logits times sqrt(p^3)."""
    logit_variance_explained: float
    """Sum over the key frequencies of v_k^2 / ||logits||^2."""
    trig_fraction_logits: float
    """Mean over classes of the variance in cos and sin of w(a + b) at the key frequencies."""
    trig_fraction_neurons: float
    """The same, mean over neurons after the ReLU."""
    trig_fraction_neurons_pre: float
    """The same, before the ReLU."""

    neuron_frequency: Int[np.ndarray, " neuron"]
    """Frequency of each neuron's largest share of variance now; 0 where none stands out."""
    neuron_share: Float[np.ndarray, " neuron"]
    """That share, after the ReLU."""
    neuron_share_pre: Float[np.ndarray, " neuron"]
    """Share of variance at the neuron's cluster frequency before the ReLU (all if none)."""
    neuron_share_post: Float[np.ndarray, " neuron"]
    """The same after the ReLU; unlike ``neuron_share`` at the clusters given."""
    quadratic_share_pre: Float[np.ndarray, " neuron"]
    """Share of variance in products of waves of a and b at that frequency, before the ReLU."""
    quadratic_share_post: Float[np.ndarray, " neuron"]
    """The same after the ReLU."""
    neuron_active: Float[np.ndarray, " neuron"]
    """Share of the pairs at which the neuron is above 0; 0 for a dead neuron."""

    attention_scores: Float[np.ndarray, "heads 2p+1"]
    """Scores of '=' for every number as a, every number as b, and '='."""
    attention_mean: Float[np.ndarray, "heads 3"]
    """Mean attention from '=' to a, b, '='."""
    attention_frequency: Int[np.ndarray, " heads"]
    """Each head's frequency; 0 where none stands out."""
    attention_share: Float[np.ndarray, " heads"]
    """Share of the variance of its attention to a which that frequency explains."""
    attention_map_fourier: Float[np.ndarray, "heads component"]
    """C_j, what draws head j's attention to a number, in the Fourier basis; score units."""

    neuron_input_components: Float[np.ndarray, "heads component"]
    """Norm over neurons of each Fourier component of W_neur, by head."""
    neuron_logit_components: Float[np.ndarray, " component"]
    """Norm over neurons of each Fourier component of W_L."""
    gini_embedding: float
    """Gini coefficient of the p component norms of W_E."""
    gini_neuron_logit_map: float
    """Gini coefficient of the p component norms of W_L."""
    embedding_singular_values: Float[np.ndarray, " rank"]
    """Of W_E over the number tokens."""
    neuron_logit_singular_values: Float[np.ndarray, " rank"]
    """Of W_L."""
    neuron_logit_residual: float
    """Norm of W_L outside the key frequencies' components, over its whole norm."""

    distance_irrelevance: float
    """How little the right logit depends on a - b (arXiv:2306.17844)."""
    circularity: float
    """How far W_E's first four principal components are single waves (arXiv:2306.17844)."""
    sums_of_squares: dict[str, float]
    """Sum of squared weights of each parameter."""

    @property
    def own_frequencies(self) -> neurons.NeuronFrequencies:
        """Each neuron's own frequency now, which its cluster follows from."""
        return neurons.NeuronFrequencies(self.neuron_frequency, self.neuron_share)

    @property
    def sum_squared_weights(self) -> float:
        """Sum of squared weights over all parameters."""
        return float(sum(self.sums_of_squares.values()))


def measure(
    state_dict: Mapping[str, np.ndarray],
    train: Bool[np.ndarray, " p*p"] | None,
    keys: Sequence[int] | Int[np.ndarray, " key"] | None = None,
    cluster: Int[np.ndarray, " neuron"] | None = None,
    *,
    ran: Forward | None = None,
) -> Measures:
    """Measure one checkpoint.

    ``keys`` (key frequencies) and ``cluster`` (each neuron's frequency, -1 for none) are a
    trajectory's: taken from its final checkpoint and used for all, as the paper does. Left
    out, they are this checkpoint's own. ``train`` says of each pair a * p + b whether it was
    trained on; None, if nobody knows, makes what needs it NaN. ``ran`` is the model's forward
    pass where the caller has it already. The published names of some of these are in
    :mod:`grokviz.tasks.modular_addition.measures.measures`.

    Raises :class:`InputError` for weights that are not a one-layer modular-addition model's.
    """
    w = ModularAdditionWeights.of(state_dict)
    train = None if train is None else losses.check_train(train, w.p)
    f = forward(w) if ran is None else ran
    pre, post = marginals(f.pre), marginals(f.post)
    own_frequencies = neurons.neuron_frequencies(post, frequency_power(post))
    key_frequencies = (
        neurons.key_frequencies(own_frequencies) if keys is None else np.asarray(keys, dtype=int)
    )
    return Measures(
        key_frequencies=key_frequencies,
        **_answers(f, train),
        **_progress(f, train, key_frequencies),
        **_neurons(
            pre, post, key_frequencies, own_frequencies.cluster if cluster is None else cluster
        ),
        neuron_frequency=own_frequencies.frequency,
        neuron_share=own_frequencies.fraction,
        neuron_active=np.count_nonzero(f.post, axis=0) / len(f.post),
        **_attention(w, f),
        **_matrices(w, key_frequencies),
        distance_irrelevance=geometry.distance_irrelevance(f.logits),
        circularity=geometry.circularity(w.number_embedding),
        sums_of_squares=norms.sums_of_squares(state_dict),
    )


def _answers(f: Forward, train: Bool[np.ndarray, " p*p"] | None) -> dict[str, Any]:
    scores = losses.pair_scores(f.logits)
    loss, accuracy = (losses.by_set(x, train) for x in (scores.loss, scores.right))
    margin = scores.margin
    return {
        "loss": np.array([loss[name] for name in losses.SETS]),
        "accuracy": np.array([accuracy[name] for name in losses.SETS]),
        "margin": np.array([margin.min(), margin.mean(), margin.max()]),
    }


def _progress(
    f: Forward, train: Bool[np.ndarray, " p*p"] | None, keys: Int[np.ndarray, " key"]
) -> dict[str, Any]:
    m = marginals(f.logits)
    rows, count = neurons.rows_of(keys), f.logits.shape[1] // 2
    v = logits.cosine_coefficients(m)
    flat, solid = logits.sum_waves(m), logits.cosine_waves(v, f.logits.shape[1])
    key_waves = flat[rows].sum(axis=0)
    terms = np.concatenate([flat, key_waves[None], solid, solid[rows].sum(axis=0)[None]])
    without = excluded(f.logits, terms, train)
    only = restricted(key_waves, m.mean, train)
    return {
        "restricted_loss": only.loss,
        "restricted_accuracy": only.accuracy,
        "excluded_loss_2d_by_frequency": without.loss[:count],
        "excluded_accuracy_2d_by_frequency": without.accuracy[:count],
        "excluded_loss_2d": float(without.loss[count]),
        "excluded_accuracy_2d": float(without.accuracy[count]),
        "excluded_loss_3d_by_frequency": without.loss[count + 1 : -1],
        "excluded_accuracy_3d_by_frequency": without.accuracy[count + 1 : -1],
        "excluded_loss_3d": float(without.loss[-1]),
        "excluded_accuracy_3d": float(without.accuracy[-1]),
        "memorising_share": float(without.probability[count]),
        "generalising_share": float(only.probability[losses.SETS.index("train")]),
        "cosine_coefficients": v,
        "logit_variance_explained": logits.variance_explained(v[rows], m),
        "trig_fraction_logits": trig_fraction(m, frequency_power(m), rows),
    }


def _neurons(
    pre: Marginals,
    post: Marginals,
    keys: Int[np.ndarray, " key"],
    cluster: Int[np.ndarray, " neuron"],
) -> dict[str, Any]:
    rows = neurons.rows_of(keys)
    power_pre, power_post = frequency_power(pre), frequency_power(post)
    before = neurons.term_shares(pre, power_pre, cluster)
    after = neurons.term_shares(post, power_post, cluster)
    return {
        "trig_fraction_neurons": trig_fraction(post, power_post, rows),
        "trig_fraction_neurons_pre": trig_fraction(pre, power_pre, rows),
        "neuron_share_pre": before.total,
        "neuron_share_post": after.total,
        "quadratic_share_pre": before.quadratic,
        "quadratic_share_post": after.quadratic,
    }


def _attention(w: ModularAdditionWeights, f: Forward) -> dict[str, Any]:
    heads = attention.head_frequencies(f.pattern)
    return {
        "attention_scores": attention_scores(w),
        "attention_mean": attention.attention_mean(f.pattern),
        "attention_frequency": heads.frequency,
        "attention_share": heads.fraction,
        "attention_map_fourier": compositions.attention_map_fourier(w),
    }


def _matrices(w: ModularAdditionWeights, keys: Int[np.ndarray, " key"]) -> dict[str, Any]:
    W_L = compositions.neuron_logit_map(w)
    read = compositions.output_components(W_L)
    return {
        "neuron_input_components": compositions.neuron_input_components(w),
        "neuron_logit_components": read,
        "gini_embedding": float(gini(component_norms(w.number_embedding))),
        "gini_neuron_logit_map": float(gini(read)),
        "embedding_singular_values": compositions.singular_values(w.number_embedding),
        "neuron_logit_singular_values": compositions.singular_values(W_L),
        "neuron_logit_residual": compositions.residual_share(read, keys),
    }
