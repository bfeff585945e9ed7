"""A model at the end of training, with its loss curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Curve, Hints, Importer, RunContents, Source
from grokviz.importers.reading.steps import numbers_in_name, read_steps
from grokviz.importers.reading.values import curves_in, is_state, number_in
from grokviz.importers.weights import read_weights
from grokviz.runs.layout import epoch_number

MODELS = ("model", "state_dict", "model_state_dict")
STATED = ("epoch", "step", "global_step", "iteration", "iter")
SCALARS = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")


def model_in(data: Any) -> Mapping[str, Any] | None:
    """The state dict inside a saved dictionary, or None."""
    return _model(data)[0]


def _model(data: Any) -> tuple[Mapping[str, Any] | None, list[Belief]]:
    """The state dict inside a saved dictionary, and the belief that one of another name is it.

    Several, such as those of a generator and a discriminator, are taken as parts of one model.
    """
    if not isinstance(data, Mapping):
        return None, []
    by_name = next((data[name] for name in MODELS if is_state(data.get(name))), None)
    if by_name is not None:
        return by_name, []
    parts = {str(name): value for name, value in data.items() if _has_matrices(value)}
    if not parts:
        return None, []
    if len(parts) == 1:
        [(name, model)] = parts.items()
        return model, [Belief("model", name[:100], "the file has no other weights")]
    whole = {
        f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()
    }
    because = "the file has several state dicts, which are taken as its parts"
    return whole, [Belief("model", ", ".join(parts)[:100], because)]


def _has_matrices(value: Any) -> bool:
    """Whether a value is a state dict with more than curves in it."""
    return is_state(value) and any(len(getattr(v, "shape", ())) > 1 for v in value.values())


def _recognises(source: Source) -> bool:
    return model_in(source.data) is not None


def _read(source: Source, hints: Hints) -> list[RunContents]:
    data, name = source.data, source.name
    model, parts = _model(data)
    state, sizes, beliefs = read_weights(model or {}, source.path, hints)
    run = evidence.run_contents(name, data, hints, sizes, state, [*parts, *beliefs])
    run.curves, clocks = curves_in(data, source, hints)
    epoch = _epoch(source, data, run.curves, hints)
    run.checkpoints = [(int(epoch.value), state)]
    run.epoch_is_stated = stated_epoch(data) is not None or source.header_epoch is not None
    for metric in SCALARS:
        value = number_in(data.get(metric))
        if value is not None and metric not in run.curves:
            run.curves[metric] = Curve(np.array([int(epoch.value)]), np.array([float(value)]))
    run.beliefs += [epoch, *clocks]
    return [run]


def stated_epoch(data: Mapping[str, Any]) -> int | None:
    """The epoch or step that a saved dictionary states."""
    numbers = (number_in(data.get(word)) for word in STATED)
    return next((int(n) for n in numbers if isinstance(n, int) and n >= 0), None)


def _epoch(
    source: Source, data: Mapping[str, Any], curves: Mapping[str, Curve], hints: Hints
) -> Belief:
    """The epoch of the weights, by what the file states or counts."""
    updates = evidence.update_count(data)
    suffix = "" if updates is None else f"; the optimiser counts {updates:,} updates"
    train_curve = curves.get("train_loss")
    last_logged = None if train_curve is None else int(train_curve.epochs[-1])
    stated = stated_epoch(data)
    if hints.epoch is not None:
        return Belief("epoch", hints.epoch, "given")
    if stated is not None:
        because = "the file says so"
        if last_logged is not None and last_logged != stated:
            because += f", though its training losses end at {last_logged}"
        return Belief("epoch", epoch_number(stated), because + suffix)
    if last_logged is not None:
        return Belief("epoch", last_logged, "the training losses end there" + suffix)
    if updates:
        return Belief("epoch", updates, "the optimiser counts that many updates")
    return epoch_by_name(source)


def epoch_by_name(source: Source) -> Belief:
    """The epoch of bare weights, by the file's header or name."""
    if source.header_epoch is not None:
        return Belief("epoch", source.header_epoch, "the file's header says so")
    name = source.path.name
    reading = read_steps([name])
    if reading.steps:
        return Belief("epoch", reading.steps[name], f"{reading.because} says so")
    numbers = " or ".join(f"{number.value}" for number in numbers_in_name(name))
    doubt = f" ({numbers} in its name follows no word such as step)" if numbers else ""
    return Belief("epoch", 0, f"nothing in the file says it{doubt}; give it with --set epoch=N")


IMPORTER = Importer(
    "final-model",
    "a published .pth of a model and its loss curves",
    _recognises,
    _read,
    order=3,
    patterns=("*.pth", "*.pt", "*.ckpt"),
)
