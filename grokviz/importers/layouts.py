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
from grokviz.models.published import (
    ATTENTION,
    EMBEDDING,
    LAYER,
    MLP,
    UNEMBEDDING,
    Dims,
    is_optional,
    layers,
)
from grokviz.models.transformer_lens import is_transformer_lens, reason_against, to_published

OWN_WORDS = "its own"
"""The layout of a model that is not the published one."""


def to_published_layout(
    state: Mapping[str, np.ndarray], path: Path
) -> tuple[dict[str, np.ndarray], dict[str, int], list[Belief]]:
    """The state under published names, the model's sizes, and the beliefs about its layout.

    A state dict of another model is returned unchanged, without sizes.

    Raises :class:`InputError` naming a tensor of a published model that is missing or of the
    wrong shape.
    """
    if not any(map(_is_published, state)):
        return dict(state), {}, []
    beliefs = []
    if is_transformer_lens(state):
        reason = reason_against(state)
        if not reason:
            state = to_published(state)
            because = "W_O has an axis for the heads; converted to the published names and shapes"
            beliefs = [Belief("layout", "TransformerLens", because)]
    else:
        foreign = [name for name in state if not (_is_published(name) or is_buffer(name))]
        reason = f"the published model has no {foreign[0]}" if foreign else ""
    if reason:
        because = f"{reason}; every tensor keeps its name and shape"
        return dict(state), {}, [Belief("layout", OWN_WORDS, because)]
    parameters, sizes = _check_tensors(state, path)
    return parameters, sizes, beliefs


def _is_published(name: str) -> bool:
    """Whether the published model has a parameter of this name, in some layer."""
    match = LAYER.match(name)
    if match:
        return name[match.start(3) :] in {**ATTENTION, **MLP}
    return name in EMBEDDING or name in UNEMBEDDING


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
            f"{path} has {unknown[0]} and lacks layers before it, so its model is incomplete; "
            "save the whole state dict"
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
