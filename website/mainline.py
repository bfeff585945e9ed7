"""What the pages say of single references: of the main run, of heads, digits and arrays."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import xarray as xr
from grokviz.scenes.digit_addition.digit_phase_changes import drops
from grokviz.scenes.repeated_subsequence.induction_heads import KINDS, copies_of, on_stripe

from grokviz.dataset.numerics.ties import PRECISION
from grokviz.dataset.references.reference import folder
from grokviz.runs.schedule import Schedule
from grokviz.runs.tensors import load
from grokviz.scene import frequencies
from grokviz.tasks.modular_addition.data import ModularAddition
from grokviz.tasks.modular_addition.formulas.answers import GROUPS, groups_of_pairs, right_by_group
from grokviz.tasks.modular_addition.formulas.marginals import frequency_power, marginals, share
from grokviz.tasks.modular_addition.formulas.neurons import THRESHOLD
from grokviz.tasks.modular_addition.forward import forward
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights
from website.quantities import Value, quantity

# --- frequencies and neurons -----------------------------------------------------------


def _power(data: xr.Dataset, name: str, waves: list[int]) -> float:
    """The share of a matrix's squared norm, its constant left out, in some frequencies."""
    squares = np.square(data[name].values.astype(float))
    return float(squares[np.array(waves) - 1].sum() / squares.sum())


@quantity("embedding_frequency_norm")
def power_in(data: xr.Dataset, waves: str) -> float:
    """W_E's power in the ``key`` or the ``embedded`` frequencies."""
    chosen = {"key": frequencies.key_frequencies, "embedded": frequencies.embedded}[waves]
    return _power(data, "embedding_frequency_norm", chosen(data))


@quantity("neuron_logit_frequency_norm")
def power_out(data: xr.Dataset) -> float:
    """W_L's power in the key frequencies."""
    return _power(data, "neuron_logit_frequency_norm", frequencies.key_frequencies(data))


@quantity("embedding_frequency_norm")
def embedded_alone(data: xr.Dataset) -> list[int]:
    """The embedded frequencies that are no key frequencies."""
    return sorted({*frequencies.embedded(data)} - {*frequencies.key_frequencies(data)})


@quantity("all_neuron_variance_explained")
def clustered(data: xr.Dataset) -> int:
    """How many neurons have 85 % of their variance in one frequency."""
    return int((data["all_neuron_variance_explained"].values >= THRESHOLD).sum())


@quantity("active_pairs")
def active_on(data: xr.Dataset, pairs: str) -> int:
    """How many neurons are active on exactly so many pairs."""
    return int((data["active_pairs"].values == int(pairs)).sum())


@quantity("all_neuron_frequency")
def frequencies_from(data: xr.Dataset) -> int:
    """The first checkpoint from which on every neuron has a frequency."""
    without = (data["all_neuron_frequency"].values == 0).any(axis=1)
    return int(data["epoch"].values[np.flatnonzero(without)[-1] + 1])


@quantity("logit_spectrum")
def products(data: xr.Dataset) -> float:
    """The share of the logits' variance in the products of two waves of one key frequency."""
    squares = np.square(data["logit_spectrum"].values.astype(float))
    squares[0, 0] = 0
    own = [slice(2 * k - 1, 2 * k + 1) for k in frequencies.key_frequencies(data)]
    return float(sum(squares[waves, waves].sum() for waves in own) / squares.sum())


@quantity("neuron_logit_residual")
def residual_power(data: xr.Dataset) -> float:
    """The share of W_L's squared norm outside the key components."""
    return float(np.square(data["neuron_logit_residual"]))


# --- losses ----------------------------------------------------------------------------


@quantity("ablation_loss")
def without_keys(data: xr.Dataset) -> Value:
    """The loss over all pairs without each of the key frequencies."""
    names = [f"without-frequency-{k}" for k in frequencies.key_frequencies(data)]
    return data["ablation_loss"].sel(ablation=names).values


@quantity("clusters_kept_loss", "loss")
def clusters_kept_rise(data: xr.Dataset) -> float:
    """By how much the loss is larger where every neuron has its cluster's terms alone."""
    whole = float(data["loss"].isel(epoch=-1).sel(split="all"))
    return float(data["clusters_kept_loss"]) / whole - 1


@quantity("excluded_loss_2d_by_frequency")
def excluded_train(data: xr.Dataset) -> Value:
    """The training loss without each of the key frequencies."""
    keys = frequencies.key_frequencies(data)
    return data["excluded_loss_2d_by_frequency"].sel(frequency=keys).values


def _test_over_restricted(data: xr.Dataset) -> np.ndarray:
    test, restricted = data["loss"].sel(split="test"), data["restricted_loss"].sel(split="all")
    return np.asarray(test / restricted)


@quantity("loss", "restricted_loss")
def test_over_restricted(data: xr.Dataset) -> float:
    """The largest test loss over restricted loss at one checkpoint."""
    return float(_test_over_restricted(data).max())


@quantity("loss", "restricted_loss")
def test_over_restricted_at(data: xr.Dataset) -> int:
    """The epoch of the largest test loss over restricted loss."""
    return int(data["epoch"].values[_test_over_restricted(data).argmax()])


@quantity("memorising_share", "generalising_share")
def generalising_is_larger(data: xr.Dataset) -> int:
    """The first checkpoint from which on the generalising share is the larger."""
    behind = np.flatnonzero(data["generalising_share"].values < data["memorising_share"].values)
    return int(data["epoch"].values[behind[-1] + 1])


# --- the path of the weights -----------------------------------------------------------


@quantity("path_length", "path_displacement")
def detour(data: xr.Dataset) -> float:
    """The length of the path over the distance between its ends."""
    return float(data["path_length"][-1] / data["path_displacement"][-1])


@quantity("group_of_pair", "right_answers")
def pairs_in(data: xr.Dataset, *groups: str) -> int:
    """How many pairs there are of these groups of ``pair_group``."""
    places = [data["pair_group"].values.tolist().index(group) for group in groups]
    return int(np.isin(data["group_of_pair"].values, places).sum())


@quantity("group_of_pair")
def doubles_in(data: xr.Dataset, group: str) -> int:
    """How many of the pairs of a group are a number and itself."""
    place = data["pair_group"].values.tolist().index(group)
    return int((np.diagonal(data["group_of_pair"].values) == place).sum())


@quantity()
def closest_lead(data: xr.Dataset) -> float:
    """By how much a neuron's first frequency leads its second where it does, as a share of itself.

    The least of all neurons at the bundled checkpoints, from the weights; less than a millionth is
    none.
    """
    return _closest_lead(str(data.attrs["run_name"]))


@cache
def _closest_lead(name: str) -> float:
    leads = []
    for file in sorted((folder() / name / "weights").glob("*.safetensors")):
        m = marginals(forward(ModularAdditionWeights.of(load(file)[0])).post)
        varies = m.power > 0
        shares = np.sort(share(frequency_power(m).total, m.power)[:, varies], axis=0)
        lead = 1 - shares[-2] / shares[-1]
        leads.append(float(lead[lead > PRECISION].min()))
    return min(leads)


@quantity("own_answer_error")
def own_right(data: xr.Dataset, *groups: str) -> int:
    """How many pairs of some groups the run's own weights answer right at the epoch selected."""
    data_of = ModularAddition.from_settings(json.loads(data.attrs["settings"]))
    right = data["own_answer_error"].values.reshape(-1) == 0
    counts = right_by_group(right, groups_of_pairs(data_of.is_train, data_of.p))
    return int(sum(counts[GROUPS.index(group)] for group in groups))


@quantity("right_answers")
def right_unseen(data: xr.Dataset) -> int:
    """How many of the pairs that were never trained on are answered right."""
    return int(data["right_answers"].sel(pair_group=["mirror shown", "neither shown"]).sum())


@quantity("answer_right")
def all_right_from(data: xr.Dataset) -> int:
    """The first checkpoint from which on every answer is right."""
    wrong = (data["answer_right"].values == 0).any(axis=(1, 2))
    first = np.flatnonzero(wrong)[-1] + 1 if wrong.any() else 0
    return int(data["epoch"].values[first])


@quantity("path_cosine", "walk_cosine")
def mean_cosine(data: xr.Dataset, which: str) -> float:
    """The mean cosine between successive steps: of the ``path`` or of the random ``walk``."""
    return float(np.nanmean(data[f"{which}_cosine"].values))


@quantity("loss")
def recorded(data: xr.Dataset) -> int:
    """How many checkpoints the run has, of which the data hold some."""
    settings = json.loads(data.attrs["settings"])
    schedule = Schedule.parse(settings["checkpoint-every"])
    return sum(epoch in schedule for epoch in range(settings["epochs"] + 1))


# --- heads, digits and recorded arrays --------------------------------------------------


@quantity("attention_pattern", "shown_source")
def previous_in_first_copy(data: xr.Dataset) -> float:
    """The previous-token head's attention one token back, up to the end of the first copy."""
    last, stop = data.sizes["field_epoch"] - 1, copies_of(data)[0][1]
    return float(on_stripe(data, last, KINDS[0], stop=stop))


@quantity("token_train_loss")
def digits_halved(data: xr.Dataset) -> list[int]:
    """The step at which each digit's loss has halved."""
    return [step for _, (step, _) in sorted(drops(data).items())]


@quantity("array_entry")
def form_from(data: xr.Dataset, name: str, share: str) -> int:
    """The first epoch from which on a recorded array is within a share of its last form's norm."""
    entries = data["array_entry"].sel(recorded_array=name).dropna("array_place", how="all").values
    apart = np.linalg.norm(entries - entries[-1], axis=1) / np.linalg.norm(entries[-1])
    return int(data["array_epoch"].values[np.flatnonzero(apart > float(share))[-1] + 1])
