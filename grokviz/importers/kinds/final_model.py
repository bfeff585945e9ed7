"""A model at the end of its training, with the loss curves that led there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Curve, Found, Hints, Importer, Source
from grokviz.importers.layouts import published
from grokviz.importers.reading.values import (
    curves_in,
    epoch_in_name,
    is_state,
    number_in,
    state_arrays,
)
from grokviz.runs.layout import whole

MODELS = ("model", "state_dict", "model_state_dict")


def model_in(data: Any) -> Mapping[str, Any] | None:
    """The state dict that a saved dictionary keeps beside other things."""
    if not isinstance(data, Mapping):
        return None
    return next((data[name] for name in MODELS if is_state(data.get(name))), None)


def _recognises(source: Source) -> bool:
    return model_in(source.data) is not None


def _read(source: Source, hints: Hints) -> list[Found]:
    data, name = source.data, source.path.name
    state, sizes, beliefs = published(state_arrays(model_in(data) or {}, source.path), source.path)
    run = evidence.described(name, data, hints, sizes, state, beliefs)
    run.curves, clocks = curves_in(data, source, hints)
    epoch = _epoch(source, data, run.curves, hints)
    run.checkpoints = [(int(epoch.value), state)]
    run.beliefs += [epoch, *clocks]
    return [run]


def _epoch(
    source: Source, data: Mapping[str, Any], curves: Mapping[str, Curve], hints: Hints
) -> Belief:
    """The epoch of the weights, by the file's own count."""
    updates = evidence.updates_made(data)
    after = "" if updates is None else f"; the optimiser counts {updates:,} updates"
    trained = curves.get("train_loss")
    logged = None if trained is None else int(trained.epochs[-1])
    told = number_in(data.get("epoch"))
    if hints.epoch is not None:
        return Belief("epoch", hints.epoch, "given")
    if isinstance(told, int) and told >= 0:
        because = "the file says so"
        if logged is not None and logged != told:
            because += f", though its training losses end at {logged}"
        return Belief("epoch", whole(told), because + after)
    if logged is not None:
        return Belief("epoch", logged, "the training losses end there" + after)
    if updates:
        return Belief("epoch", updates, "the optimiser counts so many updates")
    return named_epoch(source)


def named_epoch(source: Source) -> Belief:
    """The epoch of weights that come with nothing else."""
    if source.told is not None:
        return Belief("epoch", source.told, "the file's header says so")
    named = epoch_in_name(source.path.name)
    if named is not None and named < 2**53:
        return Belief("epoch", named, "the file's name says so")
    return Belief("epoch", 0, "nothing in the file says it; give it with --set epoch=N")


IMPORTER = Importer(
    "final-model",
    "a published .pth of a model and its loss curves",
    _recognises,
    _read,
    order=3,
)
