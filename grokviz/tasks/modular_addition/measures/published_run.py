"""The published mainline run, as far as its published figures show it, beside a run like it."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict
from importlib import resources
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.contract import FLOAT64, dimension, measure, requires
from grokviz.runs import Run
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionRun
from grokviz.tasks.modular_addition.settings import ModularAdditionSettings

FIGURES = "neelnanda-io/Grokking, figs/{}.pdf, read off its vector paths"
TRIG = FIGURES.format("trig_loss")

LIKE = ("p", "train_fraction", "weight_decay", "learning_rate", "d_model", "d_mlp", "heads")
"""Settings that a run shares with the published one if their curves are comparable."""

ALSO_LIKE = (
    "loss_precision", "mlp_biases", "betas", "warm_up", "equals_class", "init", "split_order",
    "optimiser", "loss",
)  # fmt: skip
"""Others, which a run of an earlier version or an imported one need not say. Seeds are none: with
another one the network is another, and captions say so."""


def _likeness(run: Run) -> str:
    """What a run lacks of the published one's settings, as in "it has no ..."."""
    own, published = run.facts.get("settings") or {}, asdict(ModularAdditionSettings())
    for name in (*LIKE, *ALSO_LIKE):
        key, wanted = name.replace("_", "-"), published[name]
        value = own.get(key, wanted if name in ALSO_LIKE else None)
        if value != wanted and value != _as_stored(wanted):
            return f"published counterpart, which has {key}={_as_typed(wanted)}"
    return ""


def _as_stored(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _as_typed(value: Any) -> str:
    """A setting as --set takes it."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


@dimension
def published_epoch(run: ModularAdditionRun) -> Int[np.ndarray, " published_epoch"]:
    """Epochs at which the published run's curves are drawn: every 100 or more."""
    return np.array(_curves()["epoch"])


@dimension
def published_frequency(run: ModularAdditionRun) -> Int[np.ndarray, " published_frequency"]:
    """Key frequencies of the published run."""
    return np.array(sorted(int(name.rpartition("_")[2]) for name in _curves() if _KEY in name))


@measure("published_epoch", on="run", units="nats", stored=FLOAT64, source=TRIG,
         long_name="train loss of the published run")  # fmt: skip
@requires(_likeness)
def published_train_loss(run: ModularAdditionRun) -> Float[np.ndarray, " published_epoch"]:
    """Train loss of the published run with these settings, to about three digits."""
    return np.array(_curves()["train_loss"])


@measure("published_epoch", on="run", units="nats", stored=FLOAT64, source=TRIG,
         long_name="test loss of the published run")  # fmt: skip
@requires(_likeness)
def published_test_loss(run: ModularAdditionRun) -> Float[np.ndarray, " published_epoch"]:
    """Test loss of the published run with these settings, to about three digits."""
    return np.array(_curves()["test_loss"])


@measure("published_epoch", on="run", units="nats", stored=FLOAT64, source=TRIG,
         long_name="restricted loss of the published run")  # fmt: skip
@requires(_likeness)
def published_restricted_loss(run: ModularAdditionRun) -> Float[np.ndarray, " published_epoch"]:
    """Restricted loss of the published run on all pairs, to about three digits."""
    return np.array(_curves()["restricted_loss_all"])


@measure("published_epoch", on="run", units="nats", stored=FLOAT64,
         source=FIGURES.format("excluded_loss_2D_full"),
         long_name="excluded loss of the published run")  # fmt: skip
@requires(_likeness)
def published_excluded_loss(run: ModularAdditionRun) -> Float[np.ndarray, " published_epoch"]:
    """Excluded loss of the published run on its training pairs, to about three digits.

    The figure fits the removal of cos and sin of w(a + b) at all frequencies, although text and
    code say the key ones.
    """
    return np.array(_curves()["excluded_loss_2d_full_train"])


@measure("published_epoch", "published_frequency", on="run", units="nats", stored=FLOAT64,
         source=FIGURES.format("excluded_loss_2D_key"),
         long_name="excluded loss of the published run by frequency")  # fmt: skip
@requires(_likeness)
def published_excluded_loss_by_frequency(
    run: ModularAdditionRun,
) -> Float[np.ndarray, "published_epoch published_frequency"]:
    """Train loss of the published run without one of its key frequencies, to about three digits."""
    rows = [_curves()[f"{_KEY}{k}"] for k in published_frequency(run)]
    return np.stack(rows, axis=1)


_KEY = "excluded_loss_2d_train_frequency_"


@functools.lru_cache(maxsize=1)
def _curves() -> dict[str, Any]:
    file = resources.files("grokviz.tasks.modular_addition") / "published_run.json"
    curves: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return curves
