"""The part of the dataset that reads the reverse-engineered algorithm out of the weights.

One call of :func:`~grokviz.tasks.modular_addition.measures.measure.measure` a checkpoint makes
nearly all of it, with the key frequencies and the clusters of the run's last checkpoint
(arXiv:2301.05217).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset import fourier
from grokviz.dataset.part import Part, Values
from grokviz.tasks.modular_addition.checkpoint import (
    ModularAdditionCheckpoint,
    ModularAdditionRun,
)
from grokviz.tasks.modular_addition.measures import compositions
from grokviz.tasks.modular_addition.measures.logits import logit_spectrum
from grokviz.tasks.modular_addition.measures.losses import SETS, answers
from grokviz.tasks.modular_addition.measures.marginals import frequency_power, marginals, share
from grokviz.tasks.modular_addition.measures.measure import Measures
from grokviz.tasks.modular_addition.measures.neurons import SMALLEST_CLUSTER, THRESHOLD, rows_of

POSITIONS = ("a", "b", "=")

EXTREMES = ("smallest", "mean", "largest")


class AlgorithmPart(Part):
    """Progress measures, waves in logits, neurons and weights, and the ablations."""

    heavy = True

    def coords(self, context: ModularAdditionRun) -> Values:
        """Everything the measures run over."""
        w = context.last.weights
        names = fourier.component_names(w.p)
        return {
            "split": list(SETS),
            "component": names,
            "component_b": names,
            "frequency": fourier.frequencies(w.p),
            "residue": np.arange(w.p),
            "rank": np.arange(1, min(w.p, w.d_model) + 1),
            "key_frequency": context.keys,
            "key_component": [f"{wave} {k}" for k in context.keys for wave in ("cos", "sin")],
            "head": np.arange(w.heads),
            "position": list(POSITIONS),
            "extreme": list(EXTREMES),
            "all_neuron": np.arange(w.d_mlp),
            "field_epoch": context.field_epochs,
            "ablation": [row.name for row in context.ablations],
        }

    def coord_attrs(self, context: ModularAdditionRun) -> Values:
        """By which rule the key frequencies were chosen."""
        rule = f"at least {SMALLEST_CLUSTER} neurons of which it explains {THRESHOLD:.0%}"
        if not context.clustered.size:
            rule = f"no frequency has {rule}: these are the frequencies of the embedding"
        return {"key_frequency": {"rule": rule}}

    def whole(self, context: ModularAdditionRun) -> Values:
        """What only the last checkpoint is asked for."""
        w, table = context.last.weights, context.ablations
        cluster = context.neuron_frequencies.cluster
        return {
            "all_neuron_cluster": cluster,
            "key_neurons": np.equal.outer(context.keys, cluster).sum(axis=1),
            "attention_map_fourier": compositions.attention_map_fourier(w),
            "neuron_input_component_norm": compositions.neuron_input_components(w),
            "neuron_logit_fourier": fourier.fft1d(compositions.neuron_logit_map(w).T).T,
            "key_direction_variance_explained": direction_shares(context),
            "ablation_loss": [row.loss for row in table],
            "ablation_ratio": [row.ratio for row in table],
            "ablation_what": [row.what for row in table],
        }

    def at(self, context: ModularAdditionRun, checkpoint: ModularAdditionCheckpoint) -> Values:
        """The measures of one checkpoint."""
        m = context.measured(checkpoint)
        wave, spread = logit_waves(checkpoint.forward.logits)
        return {
            **_progress(m),
            "cosine_coefficient": m.cosine_coefficients,
            "logit_variance_explained": m.logit_variance_explained,
            "logit_wave": wave,
            "logit_wave_spread": spread,
            "trig_fraction_logits": m.trig_fraction_logits,
            "trig_fraction_neurons": m.trig_fraction_neurons,
            "trig_fraction_neurons_pre": m.trig_fraction_neurons_pre,
            "margin": m.margin,
            "distance_irrelevance": m.distance_irrelevance,
            "circularity": m.circularity,
            "all_neuron_frequency": m.neuron_frequency,
            "all_neuron_variance_explained": m.neuron_share,
            "neurons_per_frequency": _counts(m),
            "attention_mean": m.attention_mean,
            "head_frequency": m.attention_frequency,
            "head_variance_explained": m.attention_share,
            **_map(m),
        }

    def field_at(
        self, context: ModularAdditionRun, checkpoint: ModularAdditionCheckpoint
    ) -> Values:
        """Every neuron's shares, the key rows of W_L, and the logits' spectrum."""
        m, f, w = context.measured(checkpoint), checkpoint.forward, checkpoint.weights
        key_rows = compositions.key_rows(context.keys, w.p)
        return {
            "linear_share_pre": m.neuron_share_pre - m.quadratic_share_pre,
            "linear_share_post": m.neuron_share_post - m.quadratic_share_post,
            "quadratic_share_pre": m.quadratic_share_pre,
            "quadratic_share_post": m.quadratic_share_post,
            "active_pairs": np.rint(m.neuron_active * len(f.post)),
            "neuron_logit_key": key_rows @ compositions.neuron_logit_map(w),
            "logit_spectrum": logit_spectrum(f.logits),
        }


def logit_waves(
    logits: Float[np.ndarray, "p*p p"],
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Mean (less the mean of all) and standard deviation of the logits by (a + b - c) mod p."""
    p = logits.shape[1]
    classes = (answers(p)[:, None] - np.arange(p)) % p
    by_distance = np.take_along_axis(logits, classes, axis=1)
    mean = by_distance.mean(axis=0)
    by_distance -= mean
    spread = np.sqrt(np.einsum("pd,pd->d", by_distance, by_distance) / len(logits))
    return mean - mean.mean(), spread


def direction_shares(context: ModularAdditionRun) -> Float[np.ndarray, " key_component"]:
    """Share of u_k . neurons (and v_k . neurons) that cos and sin of w_k(a + b) explain.

    Source: arXiv:2301.05217, table 1.
    """
    directions = compositions.key_directions(
        compositions.neuron_logit_map(context.last.weights), context.keys
    )
    m = marginals(context.last.forward.post @ directions.T)
    rows = np.repeat(rows_of(context.keys), 2)
    of_sum = frequency_power(m).of_sum[rows, np.arange(len(rows))]
    shares: Float[np.ndarray, " key_component"] = share(of_sum, m.power)
    return shares


def _progress(m: Measures) -> Values:
    return {
        name: getattr(m, name)
        for name in (
            "restricted_loss",
            "restricted_accuracy",
            "excluded_loss_2d",
            "excluded_accuracy_2d",
            "excluded_loss_2d_by_frequency",
            "excluded_accuracy_2d_by_frequency",
            "excluded_loss_3d",
            "excluded_accuracy_3d",
            "excluded_loss_3d_by_frequency",
            "excluded_accuracy_3d_by_frequency",
            "memorising_share",
            "generalising_share",
        )
    }


def _counts(m: Measures) -> Int[np.ndarray, " frequency"]:
    """Neurons of each frequency, at a share of 0.85 or more."""
    clean = m.own_frequencies.cluster
    return np.bincount(clean[clean > 0], minlength=len(m.cosine_coefficients) + 1)[1:]


def _map(m: Measures) -> Values:
    """What is measured on the neuron-logit map."""
    rank = np.zeros(len(m.embedding_singular_values))
    some = m.neuron_logit_singular_values[: len(rank)]
    rank[: len(some)] = some
    return {
        "neuron_logit_component_norm": m.neuron_logit_components,
        "neuron_logit_frequency_norm": fourier.frequency_norms(m.neuron_logit_components),
        "neuron_logit_singular_value": rank,
        "neuron_logit_residual": m.neuron_logit_residual,
        "gini_neuron_logit_map": m.gini_neuron_logit_map,
    }
