"""What each neuron computes: its frequency, its cluster, its share of waves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, Published, Storage, measure
from grokviz.dataset.variables import PAPER
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas.marginals import trig_fraction
from grokviz.tasks.modular_addition.formulas.neurons import rows_of
from grokviz.tasks.modular_addition.forward import neuron_tables
from grokviz.tasks.modular_addition.measures.progress import NOTEBOOK

if TYPE_CHECKING:
    import xarray as xr

SECTION = f"{PAPER}, section 4.3"
DURING = f"{NOTEBOOK}, analysis during training"
SMALL = Storage("int16")
SHARE = Storage(step=1 / 256)


@measure(long_name="trigonometric share of the neurons before the ReLU", source=DURING)
def trig_fraction_neurons_pre(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Mean over the neurons of the share of variance in cos and sin of w(a + b) at the key
    frequencies, before the ReLU.
    """
    return trig_fraction(*at.pre, rows_of(run.keys))


@measure(long_name="trigonometric share of the neurons", source=DURING, stored=FLOAT64,
         published="trig_fraction_neurons")  # fmt: skip
def trig_fraction_neurons(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Mean over the neurons of the share of variance in cos and sin of w(a + b) at the key
    frequencies, after the ReLU.
    """
    return trig_fraction(*at.post, rows_of(run.keys))


@measure("all_neuron", long_name="frequency of the neuron", source=SECTION, stored=SMALL)
def all_neuron_frequency(at: ModularAdditionCheckpoint) -> Int[np.ndarray, " all_neuron"]:
    """Frequency that explains most of the neuron's variance over (a, b), after the ReLU, at that
    epoch; 0 for a neuron that no frequency explains better than another.
    """
    return at.neuron_frequencies.frequency


@measure("all_neuron", long_name="variance explained", source=f"{PAPER}, figure 5", stored=SHARE)
def all_neuron_variance_explained(
    at: ModularAdditionCheckpoint,
) -> Float[np.ndarray, " all_neuron"]:
    """Share of the neuron's variance over (a, b) within that frequency; 0 for a neuron without
    one.
    """
    return at.neuron_frequencies.fraction


@measure("all_neuron", on="run", long_name="cluster of the neuron", source=SECTION, stored=SMALL)
def all_neuron_cluster(run: ModularAdditionRun) -> Int[np.ndarray, " all_neuron"]:
    """Its frequency at the last checkpoint where that explains at least 0.85 of the variance,
    else -1.
    """
    return run.cluster


@measure("key_frequency", on="run", units="neurons", long_name="neurons of the key frequency",
         source=SECTION, stored=SMALL)  # fmt: skip
def key_neurons(run: ModularAdditionRun) -> Int[np.ndarray, " key_frequency"]:
    """Neurons of whose variance the key frequency explains at least 0.85, last checkpoint."""
    return np.equal.outer(run.keys, run.cluster).sum(axis=1)


def _sizes(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    keys = data["key_frequency"].values
    return {
        "neurons_per_frequency": {str(k): int(values.sel(frequency=k)) for k in keys},
        "unclustered_neurons": int(data.sizes["all_neuron"] - values.sum()),
    }


@measure("frequency", units="neurons", long_name="neurons of the frequency", source=SECTION,
         stored=SMALL, published=Published(_sizes, ("key_frequency", "all_neuron")))  # fmt: skip
def neurons_per_frequency(at: ModularAdditionCheckpoint) -> Int[np.ndarray, " frequency"]:
    """Neurons of whose variance that frequency explains at least 0.85, at that epoch."""
    clean = at.neuron_frequencies.cluster
    return np.bincount(clean[clean > 0], minlength=at.weights.p // 2 + 1)[1:]


@measure("all_neuron", on="field_epoch", source=DURING, stored=SHARE,
         long_name="linear share before the ReLU")  # fmt: skip
def linear_share_pre(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " all_neuron"]:
    """Share of variance in cos and sin of wa and of wb at the frequency of the neuron's cluster
    (of all frequencies for a neuron without), before the ReLU.
    """
    before = at.term_shares(run.cluster)[0]
    return before.total - before.quadratic


@measure("all_neuron", on="field_epoch", source=DURING, stored=SHARE,
         long_name="linear share after the ReLU")  # fmt: skip
def linear_share_post(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " all_neuron"]:
    """The same after the ReLU."""
    after = at.term_shares(run.cluster)[1]
    return after.total - after.quadratic


@measure("all_neuron", on="field_epoch", source=DURING, stored=SHARE,
         long_name="quadratic share before the ReLU")  # fmt: skip
def quadratic_share_pre(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " all_neuron"]:
    """Share of variance in products of cos and sin of wa and of wb at the frequency of the
    neuron's cluster (of all frequencies for a neuron without), before the ReLU.
    """
    return at.term_shares(run.cluster)[0].quadratic


@measure("all_neuron", on="field_epoch", source=DURING, stored=SHARE,
         long_name="quadratic share after the ReLU")  # fmt: skip
def quadratic_share_post(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " all_neuron"]:
    """The same after the ReLU."""
    return at.term_shares(run.cluster)[1].quadratic


@measure("all_neuron", on="field_epoch", units="pairs", source=DURING, stored=Storage("int32"),
         long_name="pairs that activate the neuron")  # fmt: skip
def active_pairs(at: ModularAdditionCheckpoint) -> Int[np.ndarray, " all_neuron"]:
    """Number of pairs (a, b) at which the neuron is above 0; 0 for a dead one."""
    return np.count_nonzero(at.forward.post, axis=0)


@measure("neuron", "head", "row", on="field_epoch", long_name="neuron's token table",
         source=f"{PAPER}, section 4")  # fmt: skip
def neuron_table(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, "neuron head row"]:
    """What a head adds to the neuron's pre-activation when it attends to one row alone."""
    return neuron_tables(at.weights, run.selected)[0]


@measure("neuron", on="field_epoch", long_name="neuron's offset", source=f"{PAPER}, section 4")
def neuron_offset(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " neuron"]:
    """The neuron's pre-activation without attention."""
    return neuron_tables(at.weights, run.selected)[1]


@measure("neuron", on="run", long_name="frequency of the neuron", source=f"{PAPER}, section 4",
         stored=Storage("int64"))  # fmt: skip
def neuron_frequency(run: ModularAdditionRun) -> Int[np.ndarray, " neuron"]:
    """Frequency that explains most of the neuron's variance over (a, b), last checkpoint; 0 for
    a neuron that no frequency explains better than another.
    """
    return run.neuron_frequencies.frequency[run.selected]


@measure("neuron", on="run", long_name="variance explained", source=f"{PAPER}, figure 5")
def neuron_variance_explained(run: ModularAdditionRun) -> Float[np.ndarray, " neuron"]:
    """Share of the neuron's variance over (a, b) within its frequency, last checkpoint; 0 for a
    neuron without one.
    """
    return run.neuron_frequencies.fraction[run.selected]
