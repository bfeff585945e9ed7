"""One checkpoint's measures under the names that ``grokviz measures --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool

from grokviz.tasks.modular_addition.measures.losses import SETS
from grokviz.tasks.modular_addition.measures.measure import Measures, measure
from grokviz.tasks.modular_addition.measures.neurons import UNCLUSTERED, cluster_sizes

LISTED = 12


def measures(
    state_dict: Mapping[str, np.ndarray], train: Bool[np.ndarray, " p*p"] | None
) -> dict[str, Any]:
    """Measures of a one-layer modular-addition model as plain numbers, lists and dicts.

    Dicts by frequency have it as a string, as in JSON, and hold the key frequencies;
    ``embedding_singular_values`` are the 12 largest. The definitions are those of
    :class:`grokviz.tasks.modular_addition.measures.measure.Measures`; ``train`` says of each pair
    a * p + b whether it was trained on (None, if not known, gives NaN).

    Raises :class:`InputError` for weights that are not such a model's.
    """
    return summary(measure(state_dict, train))


def summary(m: Measures) -> dict[str, Any]:
    """The measures of :func:`measures`, from those already made."""
    cluster = m.own_frequencies.cluster
    sizes = cluster_sizes(cluster)
    keys = [int(k) for k in m.key_frequencies]

    def by_key(values: np.ndarray) -> dict[str, float]:
        return {str(k): float(values[k - 1]) for k in keys}

    return {
        **{f"loss_{name}": float(m.loss[i]) for i, name in enumerate(SETS)},
        "key_frequencies": keys,
        "neurons_per_frequency": {str(k): sizes.get(k, 0) for k in keys},
        "unclustered_neurons": int((cluster == UNCLUSTERED).sum()),
        **{f"restricted_loss_{name}": float(m.restricted_loss[i]) for i, name in enumerate(SETS)},
        "excluded_loss_2d": m.excluded_loss_2d,
        "excluded_loss_2d_by_frequency": by_key(m.excluded_loss_2d_by_frequency),
        "excluded_loss_3d": m.excluded_loss_3d,
        "excluded_loss_3d_by_frequency": by_key(m.excluded_loss_3d_by_frequency),
        "cosine_coefficients": by_key(m.cosine_coefficients),
        "logit_variance_explained": m.logit_variance_explained,
        "gini_embedding": m.gini_embedding,
        "gini_neuron_logit_map": m.gini_neuron_logit_map,
        "trig_fraction_neurons": m.trig_fraction_neurons,
        "trig_fraction_logits": m.trig_fraction_logits,
        "sum_squared_weights": m.sum_squared_weights,
        "margin_min": float(m.margin[0]),
        "margin_mean": float(m.margin[1]),
        "margin_max": float(m.margin[2]),
        "embedding_singular_values": m.embedding_singular_values[:LISTED].tolist(),
        "attention_mean": m.attention_mean.tolist(),
        "distance_irrelevance": m.distance_irrelevance,
        "circularity": m.circularity,
    }
