"""Evidence in foreign files about runs of two-layer networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.errors import InputError
from grokviz.task import Evidence
from grokviz.tasks.two_layer_addition.weights import TwoLayerWeights


def own_model(state: Mapping[str, Any]) -> bool:
    """Whether the tensors are the two matrices of such a network, among others or alone."""
    try:
        TwoLayerWeights.of(state)
    except InputError:
        return False
    return True


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The modulus, the width and how a and b enter."""
    if not own_model(state):
        return {}
    weights = TwoLayerWeights.of(state)
    inputs = "summed" if weights.summed else "concatenated"
    return {"p": weights.p, "width": weights.width, "inputs": inputs}


EVIDENCE = Evidence(
    names=("_dmlp_",),
    could_be=lambda sizes: False,
    own_model=own_model,
    settings=settings,
    needed=("train-fraction", "split-seed"),
)
