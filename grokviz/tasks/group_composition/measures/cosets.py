"""Neurons that are constant on cosets, and in which representations the same neurons are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, Storage, dear, measure
from grokviz.tasks.group_composition.checkpoint import GroupCheckpoint, GroupRun
from grokviz.tasks.group_composition.formulas import cosets, shares
from grokviz.tasks.group_composition.formulas.subgroups import cosets as right_cosets
from grokviz.tasks.group_composition.formulas.subgroups import (
    proper_subgroups,
    sorted_places,
    sorting_subgroup,
)

PAPER = "arXiv:2312.06581"
RATIO = Storage(bits=cosets.STORED_BITS)
SMALL = Storage("int16")


def _least(at: GroupCheckpoint, run: GroupRun, *, of_use: bool) -> tuple[np.ndarray, np.ndarray]:
    """The least ratio and its subgroup, both (side, neuron)."""
    sides = []
    for side in cosets.SIDES:
        kind = cosets.COSETS[side] if of_use else side
        sides.append(cosets.least(at.coset_ratios(run.group, side, kind)))
    ratios, numbers = zip(*sides, strict=True)
    return np.stack(ratios), np.stack(numbers)


@measure("cosets", "side", "neuron", on="field_epoch", long_name="variance within cosets",
         source=PAPER, stored=RATIO)  # fmt: skip
@dear
def coset_ratio(at: GroupCheckpoint, run: GroupRun) -> Float[np.ndarray, "cosets side neuron"]:
    """The least, over all proper subgroups and their conjugates, of the sum over a subgroup's
    cosets of the unbiased variance within the coset, over the variance among all elements, of what
    an element gives the neuron, of a transformer on average over the other element. About 2 or
    more without structure; NaN where there are none.
    """
    return cosets.to_store(np.stack([_least(at, run, of_use=one)[0] for one in (True, False)]))


@measure("side", "neuron", on="run", long_name="size of the neuron's subgroup", source=PAPER,
         stored=SMALL)  # fmt: skip
def coset_size(run: GroupRun) -> Int[np.ndarray, "side neuron"]:
    """How many elements the subgroup of that least ratio has, at the last checkpoint; 0: none."""
    _, numbers = _least(run.last, run, of_use=True)
    sizes = np.append(proper_subgroups(run.group).sum(axis=1), 0)
    return sizes[numbers]


@measure("side", "neuron", on="run", long_name="number of the neuron's subgroup", source=PAPER,
         stored=SMALL)  # fmt: skip
def coset_subgroup(run: GroupRun) -> Int[np.ndarray, "side neuron"]:
    """The number, among proper subgroups by their size, of that of the least ratio; -1 for none."""
    return _least(run.last, run, of_use=True)[1]


@measure("cosets", long_name="neurons constant on cosets", source=PAPER, stored=FLOAT64,
         published="coset_neuron_share_{cosets}")  # fmt: skip
def coset_neuron_share(at: GroupCheckpoint, run: GroupRun) -> Float[np.ndarray, " cosets"]:
    """Share of the neurons whose least ratio is below 1 from the left and from the right."""
    both = np.stack([_least(at, run, of_use=of_use)[0] for of_use in (True, False)])
    share: Float[np.ndarray, " cosets"] = cosets.are_members(both).mean(axis=1)
    return share


@measure("side", "neuron", "representation", on="field_epoch", source="arXiv:2302.03025",
         long_name="share in the representation", stored=Storage(step=1 / 256))  # fmt: skip
@dear
def neuron_share(
    at: GroupCheckpoint, run: GroupRun
) -> Float[np.ndarray, "side neuron representation"]:
    """Share of the square of what an element gives the neuron, less its mean, in each
    representation; nothing in the trivial one.
    """
    parts = []
    for side in cosets.SIDES:
        columns = at.weights.inputs[side]
        squares = shares.of_columns(columns - columns.mean(axis=0), run.group).clip(0)
        parts.append(squares.T / np.maximum(squares.sum(axis=0), 1e-300)[:, None])
    return np.stack(parts)


@measure("neuron", "x", on="run", long_name="coset of the neuron's subgroup", source=PAPER,
         stored=SMALL)  # fmt: skip
@dear
def neuron_coset(run: GroupRun) -> Int[np.ndarray, "neuron x"]:
    """The number of each element's right coset of the subgroup whose ratio is least for what x
    gives the neuron, at the last checkpoint; -1 without subgroups.
    """
    numbers, masks = _least(run.last, run, of_use=True)[1][0], proper_subgroups(run.group)
    every = [right_cosets(run.group, mask, "right") for mask in masks]
    every.append(np.full(run.group.order, -1))
    return np.stack(every)[numbers]


@measure("neuron", "x", on="field_epoch", long_name="what x gives the neuron", source=PAPER,
         stored=Storage(bits=5))  # fmt: skip
@dear
def neuron_weight(at: GroupCheckpoint) -> Float[np.ndarray, "neuron x"]:
    """The embedding of the first element times its half of the weights to the neuron; of a
    transformer the neuron's input averaged over the second element, less its mean.
    """
    return at.weights.inputs["left"].T


@measure("x", on="run", long_name="place by cosets", source=PAPER, stored=SMALL)
def sorted_place(run: GroupRun) -> Int[np.ndarray, " x"]:
    """Where the element stands when all are sorted by the right cosets of one subgroup: a normal
    one of about as many elements as cosets, or any where none is normal; -1 without subgroups.
    """
    mask = sorting_subgroup(run.group)
    return np.full(run.group.order, -1) if mask is None else sorted_places(run.group, mask)


@measure(on="run", long_name="elements of a coset", source=PAPER, stored=SMALL)
def sorted_size(run: GroupRun) -> int:
    """How many elements that subgroup, and each of its cosets, has; 0 without subgroups."""
    mask = sorting_subgroup(run.group)
    return 0 if mask is None else int(mask.sum())
