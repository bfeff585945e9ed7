"""Evidence in foreign files about runs of two-layer networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.task import Evidence
from grokviz.tasks.two_layer_addition.weights import W_IN, W_OUT


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The modulus, the width and how a and b enter, where the matrices are there."""
    if W_IN not in state or W_OUT not in state:
        return {}
    (width, columns), p = state[W_IN].shape, state[W_OUT].shape[0]
    return {"p": p, "width": width, "inputs": "summed" if columns == p else "concatenated"}


EVIDENCE = Evidence(names=("dmlp",), settings=settings, needed=("train-fraction", "split-seed"))
