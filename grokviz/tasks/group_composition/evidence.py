"""Evidence in foreign files about runs of group composition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.errors import InputError
from grokviz.task import Evidence
from grokviz.tasks.group_composition.weights import LINEAR, MLPWeights, weights_of


def own_model(state: Mapping[str, Any]) -> bool:
    """Whether the tensors are those of one of the two published MLPs."""
    try:
        return isinstance(weights_of(state), MLPWeights)
    except InputError:
        return False


def could_be(sizes: Mapping[str, int]) -> bool:
    """Whether it is a one-layer transformer with a token more than answers, or as many."""
    n = sizes.get("d_vocab", 0) - 1
    return sizes.get("layers") == 1 and sizes.get("n_ctx") == 3 and n > 0


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The network, its widths, and the order of the elements that its layout goes with."""
    try:
        weights = weights_of(state)
    except InputError:
        return {}
    if not isinstance(weights, MLPWeights):
        return {"model": "transformer"}
    order = "lexicographic" if LINEAR[0] in state else "generated"
    return {
        "model": "mlp", "elements": order, "d-model": weights.d_model,
        "d-mlp": weights.left.shape[1],
    }  # fmt: skip


EVIDENCE = Evidence(
    names=("_MLP_seed", "_T_seed"),
    could_be=could_be,
    own_model=own_model,
    settings=settings,
    needed=("group", "train-fraction", "split-seed"),
)
