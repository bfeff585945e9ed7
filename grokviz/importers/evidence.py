"""Settings of a run from everything a file says, and which to believe where it differs.

Shapes of weights prove; the optimiser's own state is what trained; a stored config is what
was asked for; a file's name is what somebody called it. In that order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grokviz.importers.contract import Belief, Curve, Found, Hints
from grokviz.importers.reading.values import number_in
from grokviz.task import Evidence, known_task, tasks

CONFIGS = ("config", "optim_config", "model_config", "data_config")
"""Where published files keep what was asked for."""

_CONFIG_KEYS = {
    "p": "p",
    "d_model": "d-model",
    "d_mlp": "d-mlp",
    "num_heads": "heads",
    "n_heads": "heads",
    "lr": "learning-rate",
    "weight_decay": "weight-decay",
    "frac_train": "train-fraction",
    "batch_size": "batch",
    "seq_len": "length",
    "subseq_len": "subsequence",
    "num_repeats": "repeats",
    "vocab_size": "vocabulary",
}
_OPTIMISER_KEYS = {
    "initial_lr": "learning-rate",
    "lr": "learning-rate",
    "weight_decay": "weight-decay",
    "betas": "betas",
}
_REAL = frozenset({"learning-rate", "weight-decay", "train-fraction"})
SHAPES, OPTIMISER, CONFIG, NAME = (
    "the shapes of the weights",
    "the optimiser's state",
    "the stored config",
    "the file's name",
)


@dataclass
class Statements:
    """Who says what about each setting, the most trusted first."""

    voices: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)

    def add(self, key: str, value: Any, who: str) -> None:
        """Remember that ``who`` says that ``key`` is ``value``; None says nothing."""
        if value is None:
            return
        value = float(value) if key in _REAL else value
        voices = self.voices.setdefault(key, [])
        if who not in [voice for voice, _ in voices]:
            voices.append((who, value))

    def settings(self) -> dict[str, Any]:
        """The most trusted value of each key."""
        return {key: voices[0][1] for key, voices in self.voices.items()}

    def fixed(self) -> frozenset[str]:
        """The keys that shapes prove."""
        return frozenset(k for k, voices in self.voices.items() if voices[0][0] == SHAPES)

    def beliefs(self) -> list[Belief]:
        """Settings on which voices differ, or that rest on a file's name or the numbers alone."""
        beliefs = []
        for key, ((who, value), *others) in self.voices.items():
            against = [f"{w} says {_shown(v)}" for w, v in others if v != value]
            plain = who in (SHAPES, OPTIMISER, CONFIG)
            if not against and plain:
                continue
            agreeing = [w for w, v in others if v == value]
            because = " and ".join([who, *agreeing]) + (" say so" if agreeing else " says so")
            if against:
                because += f", though {', '.join(against)}"
                because += f" ({_WHY[who]})" if who in _WHY else ""
            beliefs.append(Belief(key, value, because))
        return beliefs


_WHY = {
    SHAPES: "weights cannot have another shape than the model had",
    OPTIMISER: "it is what the updates were made with",
}


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def gather(
    data: Mapping[str, Any],
    name: str,
    task: str | None,
    sizes: Mapping[str, int],
    state: Mapping[str, np.ndarray] | None = None,
) -> Statements:
    """Everything that a file says about its settings."""
    statements, own = Statements(), of_task(task)
    for key, value in shape_settings(own, sizes, state or {}).items():
        statements.add(key, value, SHAPES)
    for key, value in _optimiser(data.get("optimizer")).items():
        statements.add(key, value, OPTIMISER)
    for table in CONFIGS:
        config = data.get(table)
        for word, value in config.items() if isinstance(config, Mapping) else ():
            known = _CONFIG_KEYS.get(str(word))
            if word == "seed":
                known = own.seeds.get(table)
            if known:
                statements.add(known, number_in(value), CONFIG)
    statements.add("examples", _examples(data.get("data_config")), CONFIG)
    if own.stepwise and "infinite" in name:
        statements.add("examples", 0, NAME)
    statements.add("weight-decay", _decay_in_name(name), NAME)
    return statements


def described(
    name: str,
    data: Mapping[str, Any],
    hints: Hints,
    sizes: Mapping[str, int],
    state: Mapping[str, np.ndarray],
    beliefs: Iterable[Belief] = (),
) -> Found:
    """A run with weights, as far as the file says what it is; ``beliefs`` are those of its layout.

    Its curves and checkpoints are still to be filled in.
    """
    task, told = task_of(name, sizes, data, hints)
    statements = gather(data, name, task, sizes, state)
    return Found(
        task=task,
        settings=statements.settings(),
        fixed=statements.fixed(),
        beliefs=[*told, *beliefs, *statements.beliefs()],
        config=plain_config(data),
    )


def of_task(name: str | None) -> Evidence:
    """The task's evidence; empty for an unknown task."""
    task = known_task(name)
    evidence: Evidence | None = task.load("evidence") if task else None
    return evidence or Evidence()


def shape_settings(
    own: Evidence, sizes: Mapping[str, int], state: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """The settings that the weights' shapes (and zero biases) prove."""
    settings: dict[str, Any] = {
        key: sizes[dim]
        for key, dim in {"d-model": "d_model", "d-mlp": "d_mlp", "heads": "heads"}.items()
        if dim in sizes
    }
    return settings | own.settings(sizes, state)


def _examples(config: Any) -> int | None:
    """How many training sequences there are; 0 where every batch is fresh."""
    if not isinstance(config, Mapping) or not isinstance(config.get("is_finite"), bool):
        return None
    if not config["is_finite"]:
        return 0
    batches, size = (number_in(config.get(word)) for word in ("num_batches", "batch_size"))
    return int(batches * size) if batches and size else None


def _optimiser(optimiser: Any) -> dict[str, Any]:
    groups = optimiser.get("param_groups") if isinstance(optimiser, Mapping) else None
    if not isinstance(groups, (list, tuple)) or not groups or not isinstance(groups[0], Mapping):
        return {}
    settings: dict[str, Any] = {}
    for word, key in _OPTIMISER_KEYS.items():
        value = groups[0].get(word)
        if key == "betas":
            pair = [number_in(v) for v in value] if isinstance(value, (list, tuple)) else []
            settings[key] = pair if len(pair) == 2 and None not in pair else None
        else:
            settings.setdefault(key, number_in(value))
    return {key: value for key, value in settings.items() if value is not None}


def updates_made(data: Mapping[str, Any]) -> int | None:
    """How many updates the optimiser counted."""
    optimiser = data.get("optimizer")
    states = optimiser.get("state") if isinstance(optimiser, Mapping) else None
    for state in states.values() if isinstance(states, Mapping) else ():
        count = number_in(state.get("step")) if isinstance(state, Mapping) else None
        if count is not None:
            return int(count)
    return None


def _decay_in_name(name: str) -> float | None:
    """``no_wd`` says 0 and ``wd_10-1`` says 10 to the power -1."""
    if "no_wd" in name:
        return 0.0
    power = re.search(r"wd_10-(\d)(?!\d)", name)
    return float(f"1e-{power[1]}") if power else None


def loss_precision(task: str | None, curve: Curve | None) -> Belief | None:
    """The dtype of the log-softmax, read off the losses' own digits.

    Float64's digits prove float64 only of tasks whose published code does nothing to a loss
    after the log-softmax but take its mean.
    """
    if curve is None or len(curve.values) < 20:
        return None
    values = curve.values[np.isfinite(curve.values) & (curve.values != 0)]
    share = float(np.mean(values == values.astype(np.float32))) if values.size else 0.5
    if share == 1:
        return Belief("loss-precision", "float32", "every logged loss is a float32 number")
    if share < 0.01 and of_task(task).exact_losses:
        return Belief("loss-precision", "float64", "the logged losses have float64's digits")
    return None


def task_of(
    name: str, sizes: Mapping[str, int], data: Mapping[str, Any], hints: Hints
) -> tuple[str | None, list[Belief]]:
    """What a model learnt, by what the user says, its sizes, its config, or its file's name."""
    if hints.task is not None:
        return hints.task, [Belief("task", hints.task, "given")]
    known = {task: of_task(task) for task in tasks()}
    fitting = next((task for task, own in known.items() if own.fits(sizes)), None)
    if fitting is not None:
        other = known[fitting].refuses(data)
        if other:
            return None, [Belief("task", "unknown", other)]
        return fitting, [Belief("task", fitting, SHAPES + " fit no other")]
    for task, own in known.items():
        if because := own.recognises(data):
            return task, [Belief("task", task, because)]
    lowered = name.lower()
    for task, own in known.items():
        if any(word in lowered for word in own.names):
            return task, [Belief("task", task, NAME + " says so")]
    return None, []


def plain_config(data: Mapping[str, Any]) -> dict[str, Any]:
    """The file's configs under their own keys, as far as JSON can hold them."""
    tables = {table: data[table] for table in CONFIGS if isinstance(data.get(table), Mapping)}
    return {
        table: {
            str(word)[:100]: value
            for word, value in config.items()
            if value is None
            or (isinstance(value, (bool, int, float, str)) and len(str(value)) <= 200)
        }
        for table, config in tables.items()
    }
