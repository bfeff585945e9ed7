"""Evidence in foreign files about transformers with LayerNorm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.task import Evidence
from grokviz.tasks.layernorm_addition.checkpoint import EMBED, residues


def own_model(state: Mapping[str, Any]) -> bool:
    """Whether the tensors are such a model."""
    try:
        residues(state)
    except InputError:
        return False
    return True


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The modulus, the width and the number of layers."""
    if not own_model(state):
        return {}
    layers = {name.split(".")[1] for name in state if name.startswith("blocks.")}
    width = np.shape(state[EMBED])[1]
    return {"p": residues(state), "d-model": int(width), "layers": len(layers)}


EVIDENCE = Evidence(
    could_be=lambda sizes: False,
    own_model=own_model,
    settings=settings,
    needed=("train-fraction", "split-seed"),
)
