"""The settings of the training loop and of sampled data, which tasks' settings extend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokviz.errors import InputError
from grokviz.options import Kind, choice, option, pair, real, whole
from grokviz.runs.schedule import Schedule
from grokviz.training import objectives, optimisers


def schedule() -> Kind:
    """The kind of options that are checkpoint schedules."""
    return Kind(lambda raw: str(Schedule.parse(raw)), "a schedule of epochs")


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of every recipe: duration, cadences, optimiser and the precision of the loss."""

    epochs: int = option(10_000, "updates", whole())
    checkpoint_every: str = option("100", "updates between kept weights", schedule())
    test_every: int = option(10, "updates between measurements of the test loss", whole())
    optimiser: str = option("adamw", "what makes updates of gradients", choice(*optimisers.names()))
    learning_rate: float = option(1e-3, "step size after warm-up", real(0, open_ends=True))
    weight_decay: float = option(1.0, "decay of every parameter; AdamW's is decoupled", real(0))
    betas: tuple[float, float] = option((0.9, 0.98), "averaging rates of AdamW and Adam", pair())
    momentum: float = option(
        0.95, "momentum of muon, hidden-sgd and nesterov; sgd has none", real(0, 0.9999)
    )
    hidden_rate: float = option(
        0.02, "step size of muon and hidden-sgd for hidden matrices", real(0, open_ends=True)
    )
    warm_up: int = option(10, "updates over which the step size rises from 0", whole(0))
    loss: str = option(
        objectives.CROSS_ENTROPY,
        "what is minimised; what is logged is cross entropy",
        choice(*objectives.names()),
    )
    loss_precision: str = option("float64", "dtype of log-softmax", choice("float64", "float32"))


@dataclass(frozen=True)
class SampledSettings(TrainingSettings):
    """The settings of sampled data: fresh sequences at every update, or a fixed number."""

    examples: int = option(0, "training sequences; 0 for fresh ones every time", whole(0))
    batch: int = option(128, "sequences in an update", whole())
    test_examples: int = option(1024, "held-out sequences, if data is finite", whole())
    data_seed: int = option(0, "seed of everything drawn but the weights", whole(0))
    seed: int = option(0, "seed of the initial weights", whole(0))


def check_reaches(path: Path, facts: Mapping[str, Any], at: int, epochs: int) -> None:
    """Raise InputError unless ``epochs`` is at or beyond the current epoch ``at`` of the run."""
    if at > epochs:
        target, counts = facts["settings"].get("epochs", at), facts.get("counts", "epoch")
        remedy = f"--epochs {target}, as before" if target > at else f"--epochs above {at}"
        raise InputError(
            f"{path} is already at {counts} {at} of {target}, and {epochs} are asked for; give "
            f"{remedy}, or another --out"
        )
