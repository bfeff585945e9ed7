"""Conversion of one-layer TransformerLens state dicts to the published layout.

One with LayerNorm, with other biases or of several layers has no published counterpart.

TransformerLens multiplies from the right, so its matrices are the transposed published ones;
its attention matrices have an axis for the heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grokviz.buffers import is_buffer

_ATTN, _MLP = "blocks.0.attn.", "blocks.0.mlp."
_LONGEST = 4096  # the longest context for which a mask is allocated, whatever a file claims
_UNSUPPORTED_BIASES = ("b_Q", "b_K", "b_V", "b_O", "b_U")
_PARAMETERS = frozenset(
    {"W_E", "W_pos", "W_K", "W_Q", "W_V", "W_O", "W_in", "b_in", "W_out", "b_out", "W_U"}
)


_CONFIG: Mapping[str, Any] = {
    "normalization_type": None,  # LNPre and RMSPre have no weights of their own
    "act_fn": "relu",
    "positional_embedding_type": "standard",
    "parallel_attn_mlp": False,
    "use_attn_scale": True,
}
"""What a config says of a model that computes what the published one does with its weights."""


def reason_in_config(config: Any) -> str:
    """In which words a config says that its model computes something else, or "" if it does not."""
    if not isinstance(config, Mapping):
        return ""
    other = {word: config[word] for word, ours in _CONFIG.items() if config.get(word, ours) != ours}
    return next((f"{word}={str(value)[:40]}" for word, value in other.items()), "")


def is_transformer_lens(state: Mapping[str, Any]) -> bool:
    """Whether W_O has an axis for the heads, unlike the published model's."""
    return any(name.endswith("attn.W_O") and np.ndim(array) == 3 for name, array in state.items())


def reason_against(state: Mapping[str, np.ndarray]) -> str:
    """Why a TransformerLens model has no published counterpart, or "" if it has one."""
    depth = len({name.split(".")[1] for name in state if name.startswith("blocks.")})
    if depth > 1:
        return f"it is a TransformerLens model of {depth} layers"
    for name, array in state.items():
        last = name.rsplit(".", 1)[-1]
        if last in _UNSUPPORTED_BIASES and np.any(array):
            return f"{name} is not zero, and the published model has no such bias"
        if last not in _PARAMETERS and last not in _UNSUPPORTED_BIASES and not is_buffer(name):
            return f"the published model has no {name}"
    return ""


def trained_bias(model: Any) -> str:
    """A bias of a model that the published one lacks and that is being trained, or ""."""
    parameters = model.named_parameters() if hasattr(model, "named_parameters") else ()
    return next(
        (
            name
            for name, parameter in parameters
            if name.rsplit(".", 1)[-1] in _UNSUPPORTED_BIASES and parameter.requires_grad
        ),
        "",
    )


def to_published(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same model under published names and shapes.

    Frozen zero biases and buffers are removed; the causal mask and the MLP's biases are added if
    missing. Other missing or unknown tensors are reported by the check of the published layout.
    """
    parameters = {
        name: np.ascontiguousarray(_transposed(name, array))
        for name, array in state.items()
        if name.rsplit(".", 1)[-1] in _PARAMETERS
    }
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
