"""What the measures of modular addition run along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from grokviz.dataset.contract import Coordinate, Published, dimension, published_dimension
from grokviz.dataset.numerics import fourier
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionRun
from grokviz.tasks.modular_addition.formulas.answers import GROUPS
from grokviz.tasks.modular_addition.formulas.losses import SETS
from grokviz.tasks.modular_addition.formulas.neurons import SMALLEST_CLUSTER, THRESHOLD

if TYPE_CHECKING:
    import xarray as xr

POSITIONS = ("a", "b", "=")

EXTREMES = ("smallest", "mean", "largest")


def by_key(name: str) -> Published:
    """Publish values over ``frequency`` under this name, those of the key frequencies."""

    def publish(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
        keys = data["key_frequency"].values
        return {name: {str(k): values.sel(frequency=k).values.tolist() for k in keys}}

    return Published(publish, ("key_frequency",))


@dimension
def split(run: ModularAdditionRun) -> list[str]:
    """Which pairs: train, test or all."""
    return list(SETS)


@dimension
def pair_group(run: ModularAdditionRun) -> list[str]:
    """Which pairs (a, b): trained on, only the mirror (b, a) trained on, or neither."""
    return list(GROUPS)


@dimension
def component(run: ModularAdditionRun) -> list[str]:
    """Rows of the Fourier basis over the residues: Const, cos 1, sin 1, ..."""
    return fourier.component_names(run.p)


@dimension
def component_b(run: ModularAdditionRun) -> list[str]:
    """Rows of the Fourier basis over b, as component is over a."""
    return fourier.component_names(run.p)


@dimension
def frequency(run: ModularAdditionRun) -> Int[np.ndarray, " frequency"]:
    """Whole turns of a wave over the p residues."""
    return fourier.frequencies(run.p)


@dimension
def embedded_frequency(run: ModularAdditionRun) -> Int[np.ndarray, " embedded_frequency"]:
    """Frequencies that stand out in the last checkpoint's embedding."""
    return run.embedded


@published_dimension("key_frequencies")
@dimension
def key_frequency(run: ModularAdditionRun) -> Coordinate:
    """Frequencies that the trained model computes with."""
    rule = f"at least {SMALLEST_CLUSTER} neurons of which it explains {THRESHOLD:.0%}"
    if not run.clustered.size:
        rule = f"no frequency has {rule}: these are the frequencies of the embedding"
    return Coordinate(run.keys, {"rule": rule})


@dimension
def key_component(run: ModularAdditionRun) -> list[str]:
    """Cosine and sine of each key frequency, as rows of the Fourier basis."""
    return [f"{wave} {k}" for k in run.keys for wave in ("cos", "sin")]


@dimension
def residue(run: ModularAdditionRun) -> Int[np.ndarray, " residue"]:
    """The numbers 0 to p - 1."""
    return np.arange(run.p)


@dimension
def residue_b(run: ModularAdditionRun) -> Int[np.ndarray, " residue_b"]:
    """The numbers 0 to p - 1 as b, where residue are those as a."""
    return np.arange(run.p)


@dimension
def dimension_(run: ModularAdditionRun) -> Int[np.ndarray, " dimension"]:
    """Directions of the residual stream, in the order of the weights."""
    return np.arange(run.last.weights.d_model)


@dimension
def axis(run: ModularAdditionRun) -> list[str]:
    """The cosine and the sine axis of a frequency's plane."""
    return ["cos", "sin"]


@dimension
def rank(run: ModularAdditionRun) -> Int[np.ndarray, " rank"]:
    """Singular values, the largest first."""
    return np.arange(1, min(run.p, run.last.weights.d_model) + 1)


@dimension
def head(run: ModularAdditionRun) -> Int[np.ndarray, " head"]:
    """Attention heads."""
    return np.arange(run.last.weights.heads)


@dimension
def row(run: ModularAdditionRun) -> list[str]:
    """What a head can attend to: each number as a, each number as b, and '='."""
    return [*(f"a={n}" for n in range(run.p)), *(f"b={n}" for n in range(run.p)), "="]


@dimension
def position(run: ModularAdditionRun) -> list[str]:
    """What '=' attends to: a, b, or itself."""
    return list(POSITIONS)


@dimension
def neuron(run: ModularAdditionRun) -> Int[np.ndarray, " neuron"]:
    """Numbers of the chosen MLP neurons."""
    return run.selected


@dimension
def all_neuron(run: ModularAdditionRun) -> Int[np.ndarray, " all_neuron"]:
    """Numbers of all MLP neurons."""
    return np.arange(run.last.weights.d_mlp)


@dimension
def extreme(run: ModularAdditionRun) -> list[str]:
    """Smallest, mean and largest over the pairs."""
    return list(EXTREMES)


@dimension
def ablation(run: ModularAdditionRun) -> list[str]:
    """What was taken away from the last checkpoint, by a short name."""
    return [one.name for one in run.ablations]
