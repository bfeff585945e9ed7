"""Which representations a network has learnt, and what of it they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, Published, Storage, measure
from grokviz.tasks._scores import by_set
from grokviz.tasks.group_composition.checkpoint import GroupCheckpoint, GroupRun
from grokviz.tasks.group_composition.formulas import answers, shares
from grokviz.tasks.group_composition.measures.answers import PAPER

if TYPE_CHECKING:
    import xarray as xr


def _by_name(name: str) -> Published:
    def printed(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
        names = values["representation"].values.tolist()
        return {name: dict(zip(names, values.values.tolist(), strict=True))}

    return Published(printed, ("representation",))


def _keys(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    return {"key_representations": values["representation"].values[values.values > 0].tolist()}


@measure("representation", long_name="similarity with the character", source=PAPER,
         published=_by_name("similarity"))  # fmt: skip
def similarity(at: GroupCheckpoint, run: GroupRun) -> Float[np.ndarray, " representation"]:
    """Cosine of the logits of all x, y and z, less their means over z, with the character of
    xyz⁻¹; 0 for the trivial representation.
    """
    return at.similarities(run.group).cosines


@measure(long_name="logits explained", source=PAPER, stored=FLOAT64, published="logits_explained")
def logits_explained(at: GroupCheckpoint, run: GroupRun) -> float:
    """Share of the logits' squares in the characters: the sum of the squared similarities."""
    return float((at.similarities(run.group).cosines ** 2).sum())


@measure("representation", on="run", long_name="key representation", source=PAPER,
         stored=Storage("int8"), published=Published(_keys, ("representation",)))  # fmt: skip
def key_representation(run: GroupRun) -> Int[np.ndarray, " representation"]:
    """1 for representations whose similarity at the last checkpoint is above 0.005."""
    return run.key.astype(int)


@measure("part", "representation", long_name="share in the representation", source=PAPER)
def representation_share(
    at: GroupCheckpoint, run: GroupRun
) -> Float[np.ndarray, "part representation"]:
    """Share of the squares in each representation: of what x and y give the neurons (of a
    transformer their embedding, which is one) and of what gives the answers; and of the neurons,
    less their means, as functions of x, of y and of xy.
    """
    group, embeddings = run.group, at.weights.embeddings
    left, right, output = (shares.of_weights(one, group) for one in embeddings.values())
    return np.stack([left, right, *shares.of_hidden(at.hidden, group), output])


def _names(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    shares_of = dict(zip(values["part"].values.tolist(), values.values.tolist(), strict=True))
    hidden = sum(shares_of.pop(name) for name in ("hidden x", "hidden y", "hidden xy"))
    return {"key_share": {**shares_of, "hidden": hidden}}


@measure("part", long_name="share in key representations", source=PAPER, stored=FLOAT64,
         published=Published(_names, ("part",)))  # fmt: skip
def key_share(at: GroupCheckpoint, run: GroupRun) -> Float[np.ndarray, " part"]:
    """The same in all key representations together."""
    group, embeddings = run.group, at.weights.embeddings
    left, right, output = (shares.of_weights(one, group) for one in embeddings.values())
    every = np.stack([left, right, *shares.of_hidden(at.hidden, group), output])
    together: Float[np.ndarray, " part"] = every[:, run.key].sum(axis=1)
    return together


@measure("split", units="nats", source=PAPER, stored=FLOAT64, long_name="restricted loss",
         published="restricted_loss_{split}")  # fmt: skip
def restricted_loss(at: GroupCheckpoint, run: GroupRun) -> Float[np.ndarray, " split"]:
    """Loss of the part of the logits that is in the characters of the key representations."""
    of_logits = at.similarities(run.group)
    inside = answers.in_characters(of_logits.coefficients, run.key, run.group)
    return by_set(answers.losses(inside, run.group), run.is_train)


@measure("split", units="nats", source=PAPER, stored=FLOAT64, long_name="excluded loss",
         published="excluded_loss_{split}")  # fmt: skip
def excluded_loss(at: GroupCheckpoint, run: GroupRun) -> Float[np.ndarray, " split"]:
    """Loss of the logits without that part."""
    of_logits = at.similarities(run.group)
    inside = answers.in_characters(of_logits.coefficients, run.key, run.group)
    return by_set(answers.losses(at.logits - inside, run.group), run.is_train)
