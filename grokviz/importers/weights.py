"""Weights of any model as the tensors of a run.

What cannot be read as numbers is left out, what wraps a model comes off the names, and a model of
the published kind is converted to the published layout. Any other keeps its names and shapes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.buffers import is_buffer
from grokviz.errors import InputError, nearest
from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Hints, RunContents, Source
from grokviz.importers.layouts import OWN_WORDS, to_published_layout
from grokviz.importers.mapping import apply_rules, rules_of
from grokviz.importers.reading.values import number_in, state_arrays
from grokviz.runs.layout import epoch_number
from grokviz.runs.naming import INNER, WRAPPERS, common_prefix

OWN = "own"
"""The hint with which every tensor keeps its name and shape."""

_WRAPPERS = (*WRAPPERS, "model.", "net.", "network.")
"""What PyTorch and loops put before every name."""


def read_weights(
    state: Mapping[str, Any], path: Path, hints: Hints
) -> tuple[dict[str, np.ndarray], dict[str, int], list[Belief]]:
    """The tensors of a state dict, the sizes of a published model, and the beliefs about both.

    Raises :class:`InputError` naming a tensor of a published model that is missing or of the
    wrong shape, and for a file that lies about its size or has no numbers.
    """
    if hints.only:
        selected = matching(state, hints.only)
        if not selected:
            raise InputError(
                f"{path} has no tensor {hints.only}; {nearest(hints.only, list(map(str, state)))}"
            )
        hints, state = replace(hints, layout=OWN), {name: state[name] for name in selected}
    arrays, beliefs = state_arrays(state, path)
    if not arrays:
        raise InputError(
            f"{path} has no tensor of plain numbers ({beliefs[0].what} {beliefs[0].value}: "
            f"{beliefs[0].because}); save its weights as float32"
        )
    without: list[Belief] = []
    if not hints.only:  # of some names nobody knows how all begin
        arrays, without = _without_wrappers(arrays)
    if rules := rules_of(hints.map):
        arrays, names = apply_rules(rules, arrays, path.name)
        without += names
        if not arrays:
            raise InputError(f"--map leaves no tensor of {path}; leave fewer of them out")
    if hints.layout == OWN:
        return arrays, {}, [*beliefs, *without, Belief("layout", OWN_WORDS, "given")]
    arrays, sizes, layout = to_published_layout(arrays, path)
    return arrays, sizes, [*beliefs, *without, *layout]


def run_at_step(
    source: Source, hints: Hints, state: Mapping[str, Any], settings: Mapping[str, Any],
    stated: Belief,
) -> RunContents:  # fmt: skip
    """The run of one checkpoint whose file states its step; the user's step comes first.

    Raises :class:`InputError` if the stated step is none, and as :func:`read_weights`.
    """
    weights, sizes, layout = read_weights(state, source.path, hints)
    run = evidence.run_contents(source.name, settings, hints, sizes, weights, layout)
    step = Belief("epoch", epoch_number(number_in(stated.value)), stated.because)
    if hints.epoch is not None:
        step = Belief("epoch", hints.epoch, "given")
    run.checkpoints, run.counts = [(int(step.value), weights)], "step"
    run.beliefs.append(step)
    return run


def matching(names: Iterable[str], patterns: str) -> list[str]:
    """The names that fit one of several patterns, with commas between them."""
    choices = [pattern.strip() for pattern in patterns.split(",")]
    return [name for name in names if any(fnmatchcase(str(name), choice) for choice in choices)]


def first_not_finite(state: Mapping[str, np.ndarray]) -> str | None:
    """The first parameter with NaN or infinite values, or None; buffers such as masks are none."""
    for name, array in state.items():
        if array.dtype.kind == "f" and not is_buffer(name) and not np.isfinite(array).all():
            return name
    return None


def keeps_names(beliefs: Iterable[Belief]) -> bool:
    """Whether the weights of a file were not taken for those of the published model."""
    return any(belief.what == "layout" and belief.value == OWN_WORDS for belief in beliefs)


def _without_wrappers(
    arrays: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], list[Belief]]:
    """The arrays without what wraps the model in their names."""
    wrapper, beliefs = "", []
    while prefix := _wrapper(arrays.keys()):
        wrapper += prefix
        arrays = {name.removeprefix(prefix): array for name, array in arrays.items()}
    if wrapper:
        beliefs = [Belief("names", f"without '{wrapper}'", "all of them begin with it")]
    for inner in INNER:
        names = {name: name.replace("." + inner, ".") for name in arrays}
        if len(set(names.values())) == len(names) and any(a != b for a, b in names.items()):
            arrays = {names[name]: array for name, array in arrays.items()}
            beliefs.append(Belief("names", f"without '{inner}'", "it wraps parts of the model"))
    return arrays, beliefs


def _wrapper(names: Collection[str]) -> str:
    """What all names begin with, if it wraps a model; else ""."""
    prefix = common_prefix(names)
    is_published = {f"{prefix}embed.W_E", f"{prefix}unembed.W_U"} <= set(names)
    return prefix if prefix in _WRAPPERS or (prefix and is_published) else ""
