"""Runs as users bring them: those that learned nothing, diverged, or hold next to nothing.

The weights are those of short runs that were trained here, or drawn at random; the losses are
made up, so that it is known what may be said of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grokviz.runs import RunWriter, open_run

EPOCHS = np.arange(0, 3001, 10)
WEIGHTS = (0, 600, 1200, 1800, 2400, 3000)
GONE = 890
"""The first epoch without numbers, of a run that diverged."""

State = dict[str, np.ndarray]
Curves = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Animal:
    """A kind of run: its curves, and its weights from those of a trained one.

    ``sentence`` is what ``outcome`` says of its losses; ``grokked`` whether it did.
    """

    curves: Curves
    states: Callable[[list[State]], Iterator[tuple[int, State]]]
    sentence: str = ""
    facts: Callable[[dict[str, Any]], dict[str, Any]] = dict


def _falls(at: float, *, start: float = 4.7, low: float = 1e-6) -> np.ndarray:
    """A loss that falls at an epoch."""
    return low + (start - low) / (1 + (EPOCHS / at) ** 8)


def _curves(train: Any = None, test: Any = None) -> Curves:
    given = {"train_loss": train, "test_loss": test}
    return {name: (EPOCHS, np.asarray(v, float)) for name, v in given.items() if v is not None}


def _all(states: list[State]) -> Iterator[tuple[int, State]]:
    yield from zip(WEIGHTS, states, strict=False)


def _one(states: list[State]) -> Iterator[tuple[int, State]]:
    yield WEIGHTS[-1], states[-1]


def _none(states: list[State]) -> Iterator[tuple[int, State]]:
    yield from ()


def _noise(states: list[State]) -> Iterator[tuple[int, State]]:
    """As large as the trained weights, and random."""
    draw = np.random.default_rng(0)
    for epoch in WEIGHTS:
        yield epoch, {name: _random(draw, value) for name, value in states[-1].items()}


def _random(draw: np.random.Generator, value: np.ndarray) -> np.ndarray:
    if value.dtype.kind != "f":
        return value
    return draw.normal(0, float(value.std()) or 1.0, value.shape).astype(value.dtype)


def _few(states: list[State]) -> Iterator[tuple[int, State]]:
    """Two random checkpoints of a network that is large for a test."""
    yield from [*_noise(states)][::5]


def _lost(states: list[State]) -> Iterator[tuple[int, State]]:
    """No numbers after the first epoch without a loss."""
    for epoch, state in _all(states):
        gone = epoch >= GONE
        yield (
            epoch,
            {
                n: np.full_like(v, np.nan) if gone and v.dtype.kind == "f" else v
                for n, v in state.items()
            },
        )


def _imported(facts: dict[str, Any]) -> dict[str, Any]:
    """What is left of the facts where nothing says how a run was trained."""
    settings = {
        name: value
        for name, value in facts.get("settings", {}).items()
        if name not in ("train-fraction", "split-seed", "split-order", "weight-decay", "seed")
    }
    left = {name: facts[name] for name in ("task", "counts") if name in facts}
    return {**left, "settings": settings, "imported": {"kind": "state-dict"}}


UNTESTED = "Training loss below 0.1 from epoch 250 on; no test loss"
HIGH = np.full(len(EPOCHS), 4.7)

ZOO = {
    "memorised": Animal(
        _curves(_falls(150), 4.7 + EPOCHS / 300), _all,
        "Memorised by epoch 250; not generalised by epoch 3,000",
    ),
    "nothing": Animal(
        _curves(HIGH, HIGH), _noise, "Not memorised by epoch 3,000: the training loss is 4.7"
    ),
    "at-once": Animal(
        _curves(_falls(150), _falls(150)), _all,
        "Learned train and test data together, by epoch 250",
    ),
    "diverged": Animal(
        _curves(*[np.where(EPOCHS < GONE, HIGH, np.nan)] * 2), _lost,
        "The loss is no number from epoch 890 on",
    ),
    "one-checkpoint": Animal(_curves(_falls(150), _falls(1500)), _one),
    "imported": Animal({}, _noise, "No loss was logged", _imported),
    "imported-once": Animal({}, _one, "No loss was logged", _imported),
    "no-test-loss": Animal(
        _curves(_falls(150)), _all, UNTESTED
    ),
    "no-split": Animal(
        _curves(_falls(150)), _all, UNTESTED, _imported
    ),
    "zero": Animal(_curves(0 * HIGH, 0 * HIGH), _all),
    "negative": Animal(_curves(-HIGH, -HIGH), _all),
    "infinite": Animal(_curves(np.inf * HIGH, np.inf * HIGH), _all),
    "spikes": Animal(_curves(np.where(EPOCHS % 500 == 0, np.inf, HIGH), HIGH), _all),
    "many": Animal(_curves(HIGH, HIGH), _few),
    "curves-alone": Animal(_curves(_falls(150), _falls(1500)), _none),
}  # fmt: skip


def write(kind: str, trained: Path, place: Path) -> Path:
    """A run of this kind, with the facts and from the weights of a trained one."""
    animal, run = ZOO[kind], open_run(trained)
    states = [dict(run.weights(int(epoch))) for epoch in run.epochs]
    states = [states[min(i, len(states) - 1)] for i in range(len(WEIGHTS))]
    kept = ("task", "counts", "recipe", "settings")
    facts = animal.facts({name: run.facts[name] for name in kept if name in run.facts})
    with RunWriter.create(place, facts) as writer:
        for name, (epochs, values) in animal.curves.items():
            for epoch, value in zip(epochs.tolist(), values.tolist(), strict=True):
                writer.log(epoch, **{name: value})
        for epoch, state in animal.states(states):
            writer.checkpoint(epoch, state)
        writer.close(finished=True)
    return place
