"""``measures``: what a run's measures are at one epoch, of whatever a user may name.

From a run directory they are computed from the weights, in float64; from a bundled reference
or a dataset they are read. Those of modular addition have the published names; other tasks,
and runs of loss curves alone, have the few of :mod:`grokviz.dataset.summaries`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.dataset import assemble, curves, summaries
from grokviz.dataset.part import MODULAR_ADDITION, Checkpoint, Context, metric
from grokviz.dataset.references.reference import load, named
from grokviz.runs import Run
from grokviz.runs.sweeps import is_sweep
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


def measures(
    source: xr.Dataset | Run | str | os.PathLike[str] | None = None,
    epoch: int | str | None = None,
) -> dict[str, Any]:
    """Measures of one epoch: of modular addition those of the algorithm (arXiv:2301.05217).

    Args:
        source: a run, its folder, the folder of a sweep, a dataset or its ``.nc`` file, the name
            of a bundled reference; None for the bundled modular-addition run.
        epoch: a number, ``last`` (the default), ``grok``, ``grok-N`` or ``grok+N``; the
            nearest checkpoint is measured, and ``epoch`` in the result names it.

    Returns:
        Plain numbers, lists and dicts. Losses are in nats; those by frequency have it as a
        string and hold the key frequencies, which are the last checkpoint's at every epoch.
        What needs to know which pairs were trained on is NaN where the run does not say.
        Of another task, of loss curves alone, and of several runs:
        :func:`grokviz.dataset.summaries.summarise`.

    Raises:
        InputError: nothing of that name, nothing recorded, or weights that are not its task's.

    """
    many = isinstance(source, (str, os.PathLike)) and is_sweep(Path(source))
    found = load(source) if many else named(source)
    if isinstance(found, Run):
        return _of_run(found, epoch)
    if found.attrs.get("task", MODULAR_ADDITION) != MODULAR_ADDITION or "loss" not in found:
        return summaries.summarise(found, epoch)
    return _of_dataset(load(found, NEEDS), epoch)


def _of_run(run: Run, epoch: int | str | None) -> dict[str, Any]:
    epochs = assemble.epochs_of(run)
    at = curves.index_of(epochs, epoch, lambda: _grokked(run, epochs), run.name)
    chosen = int(epochs[at])
    if run.facts.get("task") != MODULAR_ADDITION or not len(run.epochs):
        parts = [name for name in assemble.available(run) if name in summaries.PARTS]
        data = assemble.assemble(run, parts, epochs=[chosen], workers=0)
        return summaries.summarise(data, chosen)
    context = Context(run, run.epochs, run.epochs[:0])
    checkpoint = context.last
    if chosen != checkpoint.epoch:
        checkpoint = Checkpoint(chosen, run.weights(chosen))
    return {"epoch": chosen, **summary(context.measured(checkpoint))}


def _grokked(run: Run, epochs: np.ndarray) -> int | None:
    """The first checkpoint whose test loss is below half of its maximum, as logged."""
    tested, loss = metric(run, "test_loss")
    if not len(tested):
        return None
    found = curves.grok_index(np.interp(epochs, tested, loss))
    return None if found is None else int(epochs[found])


def _of_dataset(data: xr.Dataset, epoch: int | str | None) -> dict[str, Any]:
    epochs, test = data["epoch"].values, data["loss"].sel(split="test").values

    def grokked() -> int | None:
        found = curves.grok_index(test)
        return None if found is None else int(epochs[found])

    name = str(data.attrs.get("run_name", "the dataset"))
    at = curves.index_of(epochs, epoch, grokked, name)
    return {"epoch": int(epochs[at]), **_named(data.isel(epoch=at))}


def _named(now: xr.Dataset) -> dict[str, Any]:
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
