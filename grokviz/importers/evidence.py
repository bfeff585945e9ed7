"""Inference of a run's settings from all statements in a file.

If statements differ, the most trusted wins: the shapes of the weights are proof; then come the
optimiser's state, the stored config, and the file's name, in this order. A rate that a schedule
may have changed since is less trusted than a config.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grokviz.errors import InputError
from grokviz.importers.contract import Belief, Curve, Hints, RunContents
from grokviz.importers.reading.stubs import plain
from grokviz.importers.reading.values import number_in
from grokviz.task import Evidence, known_task, tasks

CONFIGS = ("config", "optim_config", "model_config", "data_config")
"""The keys of the configurations in published files."""

_CONFIG_KEYS = {
    "p": "p",
    "d_model": "d-model",
    "d_mlp": "d-mlp",
    "num_heads": "heads",
    "n_heads": "heads",
    "n_head": "heads",
    "num_attention_heads": "heads",
    "lr": "learning-rate",
    "learning_rate": "learning-rate",
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
    "weight_decay": "weight-decay",
    "betas": "betas",
}
_REAL = frozenset({"learning-rate", "weight-decay", "train-fraction"})
SHAPES, OPTIMISER, CONFIG, RATE, NAME = (
    "the shapes of the weights",
    "the optimiser's state",
    "the stored config",
    "the optimiser's rate at that step",  # which a schedule may have changed
    "the file's name",
)


@dataclass
class Statements:
    """The statements about each setting with their sources, the most trusted first."""

    statements: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)

    def add(self, key: str, value: Any, source: str) -> None:
        """Add the statement of ``source`` that ``key`` is ``value``; None adds nothing."""
        if value is None:
            return
        value = float(value) if key in _REAL else value
        statements = self.statements.setdefault(key, [])
        if source not in [voice for voice, _ in statements]:
            statements.append((source, value))

    def settings(self) -> dict[str, Any]:
        """The most trusted value of each key."""
        return {key: statements[0][1] for key, statements in self.statements.items()}

    def fixed(self) -> frozenset[str]:
        """The keys that shapes prove."""
        return frozenset(
            k for k, statements in self.statements.items() if statements[0][0] == SHAPES
        )

    def beliefs(self) -> list[Belief]:
        """The settings whose statements differ, or that rest only on a file's name or numbers."""
        beliefs = []
        for key, ((source, value), *others) in self.statements.items():
            objections = [f"{w} says {_text(v)}" for w, v in others if v != value]
            is_direct = source in (SHAPES, OPTIMISER, CONFIG)
            if not objections and is_direct:
                continue
            supporters = [w for w, v in others if v == value]
            because = " and ".join([source, *supporters]) + (
                " say so" if supporters else " says so"
            )
            if objections:
                because += f", though {', '.join(objections)}"
                because += f" ({_REASONS[source]})" if source in _REASONS else ""
            beliefs.append(Belief(key, value, because))
        return beliefs


_REASONS = {
    SHAPES: "weights cannot have another shape than the model had",
    OPTIMISER: "it is what the updates were made with",
}


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def gather(
    data: Mapping[str, Any],
    name: str,
    task: str | None,
    sizes: Mapping[str, int],
    state: Mapping[str, np.ndarray] | None = None,
) -> Statements:
    """Collect all statements of a file about its settings."""
    statements, evidence = Statements(), of_task(task)
    for key, value in shape_settings(evidence, sizes, state or {}).items():
        statements.add(key, value, SHAPES)
    for key, value in _optimiser(data.get("optimizer")).items():
        statements.add(key, value, OPTIMISER)
    for table in CONFIGS:
        config = data.get(table)
        for name_in_file, value in config.items() if isinstance(config, Mapping) else ():
            setting = _CONFIG_KEYS.get(str(name_in_file))
            if name_in_file == "seed":
                setting = evidence.seeds.get(table)
            if setting:
                statements.add(setting, number_in(value), CONFIG)
    statements.add("learning-rate", number_in(_group(data.get("optimizer")).get("lr")), RATE)
    statements.add("examples", _examples(data.get("data_config")), CONFIG)
    if evidence.stepwise and "infinite" in name:
        statements.add("examples", 0, NAME)
    statements.add("weight-decay", _decay_in_name(name), NAME)
    return statements


def run_contents(
    name: str,
    data: Mapping[str, Any],
    hints: Hints,
    sizes: Mapping[str, int],
    state: Mapping[str, np.ndarray],
    beliefs: Iterable[Belief] = (),
) -> RunContents:
    """The task, settings and beliefs of a run with weights; ``beliefs`` are those of its layout.

    The caller adds curves and checkpoints. Raises :class:`InputError` if the weights contradict
    the user's task.
    """
    if hints.task is not None:
        _check_task(name, hints.task, sizes, state)
    task, task_beliefs = task_of(name, sizes, data, hints, state)
    if task is not None and not _can_be(task, sizes, state):
        because = f"{task_beliefs[0]}, but its weights are no such model"
        task, task_beliefs = None, [Belief("task", "unknown", because)]
    statements = gather(data, name, task, sizes, state)
    return RunContents(
        task=task,
        settings=statements.settings(),
        fixed=statements.fixed(),
        beliefs=[*task_beliefs, *beliefs, *statements.beliefs()],
        config=plain_config(data),
    )


def _can_be(task: str, sizes: Mapping[str, int], state: Mapping[str, np.ndarray]) -> bool:
    """Whether weights of these sizes, none for those of another layout, can be of the task."""
    evidence = of_task(task)
    if evidence == Evidence() or evidence.own_model(state):
        return True
    return bool(sizes and evidence.could_be(sizes))


def _check_task(
    name: str, task: str, sizes: Mapping[str, int], state: Mapping[str, np.ndarray]
) -> None:
    """Raise InputError unless weights of these sizes can be of the task."""
    if _can_be(task, sizes, state):
        return
    other = next((other for other in tasks() if of_task(other).fits(sizes)), None)
    shape = ", ".join(f"{key} = {size}" for key, size in sizes.items() if "*" not in key)
    reason = f"their shapes ({shape}) are no model of it" if sizes else (
        "they have neither the names nor the shapes of its model")  # fmt: skip
    remedy = f"give --set task={other}" if other else (
        "leave it out" if sizes else "leave it out, or give its names with --map")  # fmt: skip
    raise InputError(f"the weights in {name} cannot be of {task}: {reason}; {remedy}")


def of_task(name: str | None) -> Evidence:
    """The evidence of a task; empty for an unknown one."""
    task = known_task(name)
    evidence: Evidence | None = task.load("evidence") if task else None
    return evidence or Evidence()


def shape_settings(
    evidence: Evidence, sizes: Mapping[str, int], state: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """The settings that the weights' shapes (and zero biases) prove."""
    settings: dict[str, Any] = {
        key: sizes[dim]
        for key, dim in {"d-model": "d_model", "d-mlp": "d_mlp", "heads": "heads"}.items()
        if dim in sizes
    }
    return settings | evidence.settings(sizes, state)


def _examples(config: Any) -> int | None:
    """Number of training sequences; 0 if every batch is fresh."""
    if not isinstance(config, Mapping) or not isinstance(config.get("is_finite"), bool):
        return None
    if not config["is_finite"]:
        return 0
    batches, size = (number_in(config.get(word)) for word in ("num_batches", "batch_size"))
    return int(batches * size) if batches and size else None


def _optimiser(optimiser: Any) -> dict[str, Any]:
    group = _group(optimiser)
    settings: dict[str, Any] = {}
    for word, key in _OPTIMISER_KEYS.items():
        value = group.get(word)
        if key == "betas":
            pair = [number_in(v) for v in value] if isinstance(value, (list, tuple)) else []
            settings[key] = pair if len(pair) == 2 and None not in pair else None
        else:
            settings[key] = number_in(value)
    return {key: value for key, value in settings.items() if value is not None}


def _group(optimiser: Any) -> Mapping[str, Any]:
    """The first group of parameters in an optimiser's state; empty without one."""
    groups = optimiser.get("param_groups") if isinstance(optimiser, Mapping) else None
    first = groups[0] if isinstance(groups, (list, tuple)) and groups else None
    return first if isinstance(first, Mapping) else {}


def update_count(data: Mapping[str, Any]) -> int | None:
    """Number of updates that the optimiser counted."""
    optimiser = data.get("optimizer")
    states = optimiser.get("state") if isinstance(optimiser, Mapping) else None
    for state in states.values() if isinstance(states, Mapping) else ():
        count = number_in(state.get("step")) if isinstance(state, Mapping) else None
        if count is not None:
            return int(count)
    return None


def _decay_in_name(name: str) -> float | None:
    """Weight decay in a file's name: ``no_wd`` is 0, ``wd_10-1`` is 10 to the power -1."""
    if "no_wd" in name:
        return 0.0
    power = re.search(r"wd_10-(\d)(?!\d)", name)
    return float(f"1e-{power[1]}") if power else None


def loss_precision(task: str | None, curve: Curve | None) -> Belief | None:
    """The dtype of the log-softmax, inferred from the digits of the losses.

    Digits beyond float32 prove float64 only for tasks whose published code does nothing after
    the log-softmax but take the mean.
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
    name: str,
    sizes: Mapping[str, int],
    data: Mapping[str, Any],
    hints: Hints,
    state: Mapping[str, np.ndarray] | None = None,
) -> tuple[str | None, list[Belief]]:
    """The task of a model, by the hint, its sizes or tensors, its config or its file's name."""
    if hints.task is not None:
        return hints.task, [Belief("task", hints.task, "given")]
    evidence_of = {task: of_task(task) for task in tasks()}
    match = next((task for task, evidence in evidence_of.items() if evidence.fits(sizes)), None)
    if match is not None:
        refusal = evidence_of[match].refuses(data)
        if refusal:
            return None, [Belief("task", "unknown", refusal)]
        return match, [Belief("task", match, SHAPES + " fit no other")]
    own = next((task for task, one in evidence_of.items() if state and one.own_model(state)), None)
    if own is not None:
        return own, [Belief("task", own, "the names and shapes of its tensors are its model's")]
    for task, evidence in evidence_of.items():
        if because := evidence.recognises(data):
            return task, [Belief("task", task, because)]
    lower_name = name.lower()
    for task, evidence in evidence_of.items():
        if any(word in lower_name for word in evidence.names):
            return task, [Belief("task", task, NAME + " says so")]
    return None, []


def plain_config(data: Mapping[str, Any]) -> dict[str, Any]:
    """The file's configurations under their own keys, limited to short JSON values."""
    tables = {table: data[table] for table in CONFIGS if isinstance(data.get(table), Mapping)}
    return {
        table: {
            str(word)[:100]: value
            for word, value in ((word, plain(value)) for word, value in config.items())
            if value is None
            or (isinstance(value, (bool, int, float, str)) and len(str(value)) <= 200)
        }
        for table, config in tables.items()
    }
