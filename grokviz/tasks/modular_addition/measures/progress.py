"""Progress measures: what the network would know without its waves, or with these alone."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import FLOAT64, measure, published_as
from grokviz.dataset.variables import PAPER
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas.losses import SETS
from grokviz.tasks.modular_addition.formulas.progress import Ablated, Restricted
from grokviz.tasks.modular_addition.measures.dimensions import by_key

NOTEBOOK = f"notebook of {PAPER}"
SECTION = f"{PAPER}, section 5.1"
FIGURE_7 = f"{SECTION} and figure 7"
EVERY = f"{FIGURE_7} as drawn, found by recomputing it: the text says the key frequencies"


def _excluded(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> Ablated:
    return at.excluded(run.is_train, run.keys)


def _restricted(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> Restricted:
    return at.restricted(run.is_train, run.keys)


def _two_d(values: Float[np.ndarray, " term"], p: int) -> Float[np.ndarray, " frequency"]:
    """Those without cos and sin of w(a + b) at one frequency; all key frequencies follow."""
    return values[: p // 2]


def _three_d(values: Float[np.ndarray, " term"], p: int) -> Float[np.ndarray, " frequency"]:
    """Those without cos w(a + b - c) at one frequency; all key frequencies are the last."""
    return values[p // 2 + 1 : -1]


@measure("split", units="nats", source=FIGURE_7, stored=FLOAT64,
         published="restricted_loss_{split}")  # fmt: skip
def restricted_loss(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " split"]:
    """Loss with only cos and sin of w(a + b) at the key frequencies, and each class's mean
    logit.
    """
    return _restricted(at, run).loss


@measure("split", source=f"{PAPER}, figure 10", stored=FLOAT64)
def restricted_accuracy(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " split"]:
    """Accuracy with only cos and sin of w(a + b) at the key frequencies, and each class's mean
    logit.
    """
    return _restricted(at, run).accuracy


@measure(units="nats", long_name="excluded loss", source=FIGURE_7, stored=FLOAT64,
         published=published_as("excluded_loss_2d", "excluded loss 2d, key waves"))  # fmt: skip
def excluded_loss_2d(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Train loss without cos and sin of w(a + b) at all key frequencies, fitted on all pairs."""
    return float(_excluded(at, run).loss[run.p // 2])


@measure(long_name="excluded accuracy", source=SECTION, stored=FLOAT64)
def excluded_accuracy_2d(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Train accuracy without cos and sin of w(a + b) at all key frequencies."""
    return float(_excluded(at, run).accuracy[run.p // 2])


@measure(units="nats", long_name="excluded loss, all frequencies", source=EVERY, stored=FLOAT64,
         published=published_as("excluded_loss_2d_all_frequencies",
                                "excluded loss 2d, all waves"))  # fmt: skip
def excluded_loss_2d_all_frequencies(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> float:
    """Train loss without cos and sin of w(a + b) at all frequencies, fitted on all pairs; it needs
    no knowledge of which are key.
    """
    return float(at.excluded_all(run.is_train).loss[0])


@measure(long_name="excluded accuracy, all frequencies", source=EVERY, stored=FLOAT64)
def excluded_accuracy_2d_all_frequencies(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> float:
    """Train accuracy without cos and sin of w(a + b) at all frequencies, fitted on all pairs."""
    return float(at.excluded_all(run.is_train).accuracy[0])


@measure("frequency", units="nats", long_name="excluded loss", source=f"{PAPER}, figures 12 and 15",
         published=by_key("excluded_loss_2d_by_frequency"))  # fmt: skip
def excluded_loss_2d_by_frequency(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " frequency"]:
    """Train loss without cos and sin of w(a + b) at one frequency."""
    return _two_d(_excluded(at, run).loss, run.p)


@measure("frequency", long_name="excluded accuracy", source=SECTION)
def excluded_accuracy_2d_by_frequency(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " frequency"]:
    """Train accuracy without cos and sin of w(a + b) at one frequency."""
    return _two_d(_excluded(at, run).accuracy, run.p)


@measure(units="nats", long_name="excluded loss (3-D)", source=NOTEBOOK, stored=FLOAT64,
         published=published_as("excluded_loss_3d", "excluded loss 3d, key waves"))  # fmt: skip
def excluded_loss_3d(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Train loss without cos w(a + b - c) at all key frequencies."""
    return float(_excluded(at, run).loss[-1])


@measure(long_name="excluded accuracy (3-D)", source=NOTEBOOK, stored=FLOAT64)
def excluded_accuracy_3d(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Train accuracy without cos w(a + b - c) at all key frequencies."""
    return float(_excluded(at, run).accuracy[-1])


@measure("frequency", units="nats", long_name="excluded loss (3-D)", source=NOTEBOOK,
         published=by_key("excluded_loss_3d_by_frequency"))  # fmt: skip
def excluded_loss_3d_by_frequency(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " frequency"]:
    """Train loss without cos w(a + b - c) at one frequency."""
    return _three_d(_excluded(at, run).loss, run.p)


@measure("frequency", long_name="excluded accuracy (3-D)", source=NOTEBOOK)
def excluded_accuracy_3d_by_frequency(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, " frequency"]:
    """Train accuracy without cos w(a + b - c) at one frequency."""
    return _three_d(_excluded(at, run).accuracy, run.p)


@measure(source=f"after {SECTION}")
def memorising_share(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Mean probability of the right answer on the training pairs, cos and sin of w(a + b) at the
    key frequencies excluded.
    """
    return float(_excluded(at, run).probability[run.p // 2])


@measure(source=f"after {SECTION}")
def generalising_share(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Mean probability of the right answer on the training pairs, restricted to the key
    frequencies.
    """
    return float(_restricted(at, run).probability[SETS.index("train")])
