"""Conversion of state dicts to the published names and shapes, and their checks.

Published: ``embed.W_E (d_model, d_vocab)``, attention matrices ``(heads, d_head, d_model)``,
``W_O (d_model, heads * d_head)``, ``W_in (d_mlp, d_model)`` (arXiv:2301.05217, its code).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from grokviz.buffers import is_buffer
from grokviz.errors import InputError
from grokviz.importers.contract import Belief
from grokviz.importers.transformer_lens import is_transformer_lens, to_published
from grokviz.models.published import LAYER, Dims, is_optional, layers


def to_published_layout(
    state: Mapping[str, np.ndarray], path: Path
) -> tuple[dict[str, np.ndarray], dict[str, int], list[Belief]]:
    """The state under published names, the model's sizes, and the beliefs about its layout.

    A state dict of another model is returned unchanged, without sizes.

    Raises :class:`InputError` naming a tensor that is missing, of the wrong shape, not
    finite, or not part of the published model.
    """
    _check_finite(state, path)
    if not _has_published_names(state):
        return dict(state), {}, []
    beliefs = []
    if is_transformer_lens(state):
        state = to_published(state, path)
        beliefs = [
            Belief(
                "layout",
                "TransformerLens",
                "W_O has an axis for the heads; converted to the published names and shapes",
            )
        ]
    parameters, sizes = _check_tensors(state, path)
    return parameters, sizes, beliefs


def _has_published_names(state: Mapping[str, np.ndarray]) -> bool:
    inside = any(LAYER.match(name) for name in state)
    return inside or {"embed.W_E", "unembed.W_U"} <= state.keys()


def _check_finite(state: Mapping[str, np.ndarray], path: Path) -> None:
    for name, array in state.items():
        if is_buffer(name):
            continue
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(
                f"{name} in {path} holds NaN or infinite values; its training diverged or the "
                "file is damaged, so take another checkpoint"
            )


def _check_tensors(
    state: Mapping[str, np.ndarray], path: Path
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    expected = _expected_parameters(state)
    sizes: dict[str, int] = {}
    for name, dims in expected.items():
        if name not in state:
            if is_optional(name):
                continue
            raise InputError(
                f"{path} has no {name}, so its model is incomplete; save the whole state dict"
            )
        _check_shape(name, state[name].shape, list(dims), sizes, path)
    unknown = [n for n in state if n not in expected and not is_buffer(n)]
    if unknown:
        raise InputError(
            f"{path} has {unknown[0]}, which the published model lacks (it has no LayerNorm "
            "and no biases but the MLP's); record such a model with grokviz.record"
        )
    sizes["layers"] = len({m[2] for m in map(LAYER.match, expected) if m})
    parameters = {n: a for n, a in state.items() if not n.endswith(".IGNORE")}
    return parameters, sizes


def _expected_parameters(state: Mapping[str, np.ndarray]) -> dict[str, Dims]:
    """Every parameter of a model with this state's layers, with its dimensions."""
    blocks = {(m[1], int(m[2])) for m in map(LAYER.match, state) if m} or {("blocks", 0)}
    kinds = {m[3] for m in map(LAYER.match, state) if m} or {"attn", "mlp"}
    # counted so that a missing layer raises instead of being invented
    count = min(max(i for _, i in blocks), len(blocks)) + 1
    return layers(min(stack for stack, _ in blocks), count, mlp="mlp" in kinds)


def _check_shape(
    name: str, shape: tuple[int, ...], dims: list[str], sizes: dict[str, int], path: Path
) -> None:
    if len(shape) == len(dims):
        for dim, size in zip(dims, shape, strict=True):
            sizes.setdefault(dim, size)
        if "heads" in sizes:
            sizes.setdefault("heads*d_head", sizes["heads"] * sizes["d_head"])
    expected = tuple(sizes.get(dim) for dim in dims)
    if shape != expected or 0 in shape:
        text = ", ".join(
            dim if size is None else f"{dim} = {size}"
            for dim, size in zip(dims, expected, strict=True)
        )
        raise InputError(
            f"{name} in {path} has shape {tuple(shape)} and should have ({text}); "
            "take a checkpoint of the published model, or one of TransformerLens"
        )
