"""What a run's logged losses tell by themselves: when it learned, and when it was thrown back.

Bundled references keep their curves thinned, from which these could no longer be told exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import RunView, metric
from grokviz.dataset.contract import Published, Storage, dimension, logged, measure, requires
from grokviz.dataset.learning import Curve, first_low, learning
from grokviz.dataset.numerics import curves
from grokviz.dataset.numerics.spikes import spikes
from grokviz.dataset.variables import PAPER
from grokviz.runs import Run

if TYPE_CHECKING:
    import xarray as xr

EVENTS = ("fall begins", "fall ends", "memorised", "generalised", "grokked")
OF_TESTS = {"memorised": "memorised_epoch", "generalised": "generalised_epoch",
            "grokked": "grok_epoch"}  # fmt: skip
"""The events that a test loss tells, and how they are published."""

SLINGSHOTS = "arXiv:2206.04817; thread, tweet 14"
_NEVER = -1
_LOSS = logged("train_loss", "training loss")


@dimension
def event(run: RunView) -> list[str]:
    """What happened to the losses, by name."""
    return list(EVENTS)


@dimension
def spike(run: RunView) -> Int[np.ndarray, " spike"]:
    """Leaps of the training loss, numbered from 1."""
    return np.arange(1, 1 + len(_spikes(run)[0]))


def _published(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    names = {"fall begins": "fall_begins", "fall ends": "fall_ends"}
    if data.sizes.get("tested_epoch"):
        names |= OF_TESTS
    return {name: _known(values.sel(event=one)) for one, name in names.items()}


def _known(epoch: xr.DataArray) -> int | None:
    return None if int(epoch) < 0 else int(epoch)


def _published_spikes(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    return {"spikes": [int(one) for one in values.values]}


@measure("event", on="run", units="epoch", long_name="epoch of the event",
         source=f"{PAPER}, sections 3 and 5", stored=Storage("int64"),
         published=Published(_published))  # fmt: skip
@requires(_LOSS)
def event_epoch(run: RunView) -> Int[np.ndarray, " event"]:
    """The fall of the training loss: where the mean of its last 50 values is nine tenths and one
    tenth above its lowest; where there is a test loss, by the running medians over 5 % of the
    epoch: the first train and the first test loss below 0.1, and grokking, the last time that the
    test loss comes down to half of its maximum, if the run had memorised for at least half of the
    time; -1 for what never happened.
    """
    return events(run.run)


@measure("spike", on="run", units="epoch", long_name="epoch of the spike", source=SLINGSHOTS,
         stored=Storage("int64"), published=Published(_published_spikes))  # fmt: skip
@requires(_LOSS)
def spike_epoch(run: RunView) -> Int[np.ndarray, " spike"]:
    """Where a leap of the training loss is highest: it begins above 0.001 after the loss was
    below 0.0001, and ends below 0.0001; leaps within 100 epochs of one another are one.
    """
    return _spikes(run)[0]


@measure("spike", on="run", units="nats", long_name="height of the spike",
         source=SLINGSHOTS)  # fmt: skip
@requires(_LOSS)
def spike_height(run: RunView) -> Float[np.ndarray, " spike"]:
    """The training loss there."""
    return _spikes(run)[1]


def _spikes(run: RunView) -> tuple[np.ndarray, np.ndarray]:
    return spikes(*run.metric("train_loss"))


def events(run: Run) -> Int[np.ndarray, " event"]:
    """The epoch of each of :data:`EVENTS`; -1 for what never happened."""
    train, test = Curve(*metric(run, "train_loss")), Curve(*metric(run, "test_loss"))
    learned = learning(train, test)
    epochs = [
        *(curves.fall(*train) or (None, None)),
        # without held-out data nobody can say that it was memorised
        learned.memorised if len(test.epochs) else None,
        first_low(test),
        learned.grokked,
    ]
    return np.array([_NEVER if epoch is None else epoch for epoch in epochs])
