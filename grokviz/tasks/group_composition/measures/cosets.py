"""Neurons that are constant on cosets, and in which representations the same neurons are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, Storage, measure
from grokviz.tasks.group_composition.checkpoint import GroupCheckpoint, GroupRun
from grokviz.tasks.group_composition.formulas import cosets, shares
from grokviz.tasks.group_composition.formulas.subgroups import proper_subgroups

PAPER = "arXiv:2312.06581"
RATIO = Storage(bits=10)
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
def coset_ratio(at: GroupCheckpoint, run: GroupRun) -> Float[np.ndarray, "cosets side neuron"]:
    """The least, over all proper subgroups and their conjugates, of the sum over a subgroup's
    cosets of the unbiased variance within the coset, over the variance among all elements, of what
    an element gives the neuron. About 2 or more without structure; NaN where there are none.
    """
    return np.stack([_least(at, run, of_use=of_use)[0] for of_use in (True, False)])


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
    both = [_least(at, run, of_use=of_use)[0] for of_use in (True, False)]
    inside = np.nan_to_num(np.stack(both), nan=np.inf) < cosets.MEMBER
    share: Float[np.ndarray, " cosets"] = inside.all(axis=1).mean(axis=1)
    return share


@measure("side", "neuron", "representation", on="field_epoch", source="arXiv:2302.03025",
         long_name="share in the representation", stored=Storage(step=1 / 256))  # fmt: skip
def neuron_share(
    at: GroupCheckpoint, run: GroupRun
) -> Float[np.ndarray, "side neuron representation"]:
    """Share of the square of what an element gives the neuron, less its mean, in each
    representation; nothing in the trivial one.
    """
    parts = []
    for side in cosets.SIDES:
        columns = at.weights.embeddings[side]
        squares = shares.of_columns(columns - columns.mean(axis=0), run.group).clip(0)
        parts.append(squares.T / np.maximum(squares.sum(axis=0), 1e-300)[:, None])
    return np.stack(parts)


@measure("side", "neuron", "x", on="field_epoch", long_name="what an element gives the neuron",
         source=PAPER, stored=Storage(bits=6))  # fmt: skip
def neuron_weight(at: GroupCheckpoint) -> Float[np.ndarray, "side neuron x"]:
    """The embedding of an element, as x and as y, times its half of the weights to the neuron."""
    return np.stack([at.weights.embeddings[side].T for side in cosets.SIDES])
