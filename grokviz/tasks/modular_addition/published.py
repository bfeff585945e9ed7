"""Measures of modular addition under the names that ``grokviz measures`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grokviz.dataset.measured import PublishedMeasures
from grokviz.runs import Run
from grokviz.tasks.modular_addition.checkpoint import (
    ModularAdditionCheckpoint,
    ModularAdditionRun,
)
from grokviz.tasks.modular_addition.measures.measures import LISTED, summary

if TYPE_CHECKING:
    import xarray as xr

NEEDS = (
    "loss", "restricted_loss", "excluded_loss_2d", "excluded_loss_2d_by_frequency",
    "excluded_loss_3d", "excluded_loss_3d_by_frequency", "cosine_coefficient",
    "logit_variance_explained", "gini_embedding", "gini_neuron_logit_map",
    "trig_fraction_neurons", "trig_fraction_logits", "sum_squared_weights", "margin",
    "embedding_singular_value", "attention_mean", "distance_irrelevance", "circularity",
    "neurons_per_frequency", "key_neurons", "all_neuron_cluster",
)  # fmt: skip
"""The dataset variables that hold them."""


def of_checkpoint(run: Run, epoch: int) -> dict[str, Any]:
    """Those of one checkpoint, with the last one's key frequencies."""
    context = ModularAdditionRun(run, run.epochs, run.epochs[:0])
    checkpoint = context.last
    if epoch != checkpoint.epoch:
        checkpoint = ModularAdditionCheckpoint(epoch, run.weights(epoch))
    return summary(context.measured(checkpoint))


def of_dataset(now: xr.Dataset) -> dict[str, Any]:
    """One epoch's measures in a dataset, under the published names."""
    keys = [int(k) for k in now["key_frequency"].values]
    sizes = now["neurons_per_frequency"]

    def number(name: str) -> float:
        return float(now[name].values)

    def by_split(name: str) -> dict[str, float]:
        return {f"{name}_{s}": float(now[name].sel(split=s)) for s in ("train", "test", "all")}

    def by_key(name: str) -> dict[str, float]:
        return {str(k): float(now[name].sel(frequency=k)) for k in keys}

    return {
        **by_split("loss"),
        "key_frequencies": keys,
        "neurons_per_frequency": {str(k): int(sizes.sel(frequency=k)) for k in keys},
        "unclustered_neurons": int(now.sizes["all_neuron"] - sizes.sum()),
        **by_split("restricted_loss"),
        "excluded_loss_2d": number("excluded_loss_2d"),
        "excluded_loss_2d_by_frequency": by_key("excluded_loss_2d_by_frequency"),
        "excluded_loss_3d": number("excluded_loss_3d"),
        "excluded_loss_3d_by_frequency": by_key("excluded_loss_3d_by_frequency"),
        "cosine_coefficients": by_key("cosine_coefficient"),
        "logit_variance_explained": number("logit_variance_explained"),
        "gini_embedding": number("gini_embedding"),
        "gini_neuron_logit_map": number("gini_neuron_logit_map"),
        "trig_fraction_neurons": number("trig_fraction_neurons"),
        "trig_fraction_logits": number("trig_fraction_logits"),
        "sum_squared_weights": float(now["sum_squared_weights"].values.astype(float).sum()),
        **{
            f"margin_{short}": float(now["margin"].sel(extreme=extreme))
            for short, extreme in (("min", "smallest"), ("mean", "mean"), ("max", "largest"))
        },
        "embedding_singular_values": now["embedding_singular_value"].values[:LISTED].tolist(),
        "attention_mean": now["attention_mean"].values.tolist(),
        "distance_irrelevance": number("distance_irrelevance"),
        "circularity": number("circularity"),
    }


MEASURES = PublishedMeasures(NEEDS, of_checkpoint, of_dataset)
