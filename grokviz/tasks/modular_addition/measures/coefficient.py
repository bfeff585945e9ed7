"""The local learning coefficient, by sampling around every checkpoint: dear, so only by name."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import Coordinate, dear, dimension, measure, requires
from grokviz.dataset.numerics.langevin import estimate
from grokviz.errors import InputError
from grokviz.runs import Run
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas.coefficient import SAMPLING

SOURCE = "arXiv:2308.12108, definition 3 and algorithm 1"


def _lacks_split(run: Run) -> str:
    """What says which pairs were trained on, where the run does not."""
    if not len(run.epochs):
        return "checkpoints"
    settings = run.facts.get("settings") or run.facts
    known = {str(key).replace("_", "-") for key, value in settings.items() if value is not None}
    if "train-fraction" in known:
        return ""
    return "training set; record the run with its train-fraction, or import it with --set"


@dimension
def chain(run: ModularAdditionRun) -> Int[np.ndarray, " chain"]:
    """Chains of Langevin dynamics that start at a checkpoint."""
    return np.arange(SAMPLING.chains)


@dimension
def stretch(run: ModularAdditionRun) -> Coordinate:
    """Updates that a chain has made at the end of a stretch over which it is averaged."""
    ends = SAMPLING.stretch * np.arange(1, SAMPLING.stretches + 1)
    return Coordinate(ends, {"burn_in": str(SAMPLING.stretch * SAMPLING.burn_in)})


def _trace(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, "chain stretch"]:
    train = run.is_train
    if train is None:
        raise InputError(f"{run.run.path} has no training set; record it with its train-fraction")
    return at.coefficient_trace(train)


@measure("chain", on="field_epoch", source=SOURCE, long_name="local learning coefficient")
@dear
@requires(_lacks_split)
def learning_coefficient(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " chain"]:
    """n beta times how far the mean training loss of weights sampled around the checkpoint, by
    SGLD with a pull back to it, lies above the checkpoint's own; beta = 1 / log n, for n pairs.
    """
    return estimate(_trace(at, run), SAMPLING.burn_in)


@measure("chain", "stretch", on="field_epoch", source=SOURCE,
         long_name="trace of the local learning coefficient")  # fmt: skip
@dear
@requires(_lacks_split)
def learning_coefficient_trace(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, "chain stretch"]:
    """The same along each chain, from its start at the checkpoint on, averaged over stretches."""
    return _trace(at, run)
