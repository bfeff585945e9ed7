"""Conversion of one-layer TransformerLens state dicts to the published layout.

TransformerLens multiplies from the right, so its matrices are the transposed published ones;
its attention matrices have an axis for the heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from grokviz.errors import InputError

_ATTN, _MLP = "blocks.0.attn.", "blocks.0.mlp."
_LONGEST = 4096  # the longest context for which a mask is allocated, whatever a file claims
_UNSUPPORTED_BIASES = ("b_Q", "b_K", "b_V", "b_O", "b_U")


def is_transformer_lens(state: Mapping[str, np.ndarray]) -> bool:
    """Whether W_O has an axis for the heads, unlike the published model's."""
    return any(name.endswith("attn.W_O") and np.ndim(array) == 3 for name, array in state.items())


def to_published(state: Mapping[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """The same model under published names and shapes.

    Frozen zero biases and buffers are removed; the causal mask and the MLP's biases are added if
    missing. Other missing or unknown tensors are reported by the check of the published layout.

    Raises :class:`InputError` for more than one layer, and for non-zero biases that the published
    model does not have.
    """
    layers = {name.split(".")[1] for name in state if name.startswith("blocks.")}
    if len(layers) > 1:
        raise InputError(
            f"{path} is a TransformerLens model of {len(layers)} layers; one-layer models are "
            "imported: record this one with grokviz.record"
        )
    parameters = {}
    for name, array in state.items():
        last = name.rsplit(".", 1)[-1]
        if last in _UNSUPPORTED_BIASES:
            if np.any(array):
                raise InputError(
                    f"{name} in {path} is not zero, and the published model has no such bias; "
                    "train with that bias frozen at 0, as the published demo does"
                )
        elif last not in ("mask", "IGNORE"):
            parameters[name] = np.ascontiguousarray(_transposed(name, array))
    return {**parameters, **_default_parameters(parameters)}


def _transposed(name: str, array: np.ndarray) -> np.ndarray:
    if name in ("embed.W_E", _MLP + "W_in", _MLP + "W_out") and array.ndim == 2:
        return array.T
    if name in (_ATTN + "W_Q", _ATTN + "W_K", _ATTN + "W_V") and array.ndim == 3:
        return array.transpose(0, 2, 1)
    if name == _ATTN + "W_O" and array.ndim == 3:
        return array.reshape(-1, array.shape[-1]).T
    return array


def _default_parameters(parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The published model's parameters that a bias-free TransformerLens model may lack."""
    defaults: dict[str, np.ndarray] = {}
    shapes = {_MLP + "b_in": (_MLP + "W_in", 0), _MLP + "b_out": (_MLP + "W_out", 0)}
    for bias, (matrix, axis) in shapes.items():
        if matrix in parameters and bias not in parameters and parameters[matrix].ndim == 2:
            defaults[bias] = np.zeros(
                parameters[matrix].shape[axis], dtype=parameters[matrix].dtype
            )
    positions = parameters.get("pos_embed.W_pos")
    if positions is not None and positions.ndim == 2 and len(positions) <= _LONGEST:
        n_ctx = positions.shape[0]
        defaults[_ATTN + "mask"] = np.tril(np.ones((n_ctx, n_ctx), dtype=np.float32))
    return defaults
