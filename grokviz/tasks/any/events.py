"""What a run's logged losses tell by themselves: when it learned, and when it was thrown back.

A dataset of its own: bundled references keep their curves thinned, from which these could no
longer be told exactly.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from grokviz.dataset import curves
from grokviz.dataset.part import Context, Part, Values, metric
from grokviz.dataset.spikes import spikes
from grokviz.runs import Run

LOW = 0.1
"""A loss below this counts as learned, in nats."""

EVENTS = ("fall begins", "fall ends", "memorised", "generalised", "grokked")
_NEVER = -1


class EventsPart(Part):
    """Events and spikes of any run that logged its training loss."""

    def lacks(self, run: Run) -> str:
        """A training loss."""
        return "" if "train_loss" in run.metrics else "training loss"

    def coords(self, context: Context) -> Values:
        """Events by name, spikes by number."""
        spike_epochs = spikes(*metric(context.run, "train_loss"))[0]
        return {"event": list(EVENTS), "spike": np.arange(1, 1 + len(spike_epochs))}

    def whole(self, context: Context) -> Values:
        """When each was, and how high the spikes."""
        epochs, heights = spikes(*metric(context.run, "train_loss"))
        return {
            "event_epoch": events(context.run),
            "spike_epoch": epochs,
            "spike_height": heights,
        }


def events(run: Run) -> Int[np.ndarray, " event"]:
    """The epoch of each of :data:`EVENTS`; -1 for what never happened."""
    train, test = metric(run, "train_loss"), metric(run, "test_loss")
    tested = bool(len(test[0]))
    grokked = curves.grok_index(test[1]) if tested else None
    epochs = [
        *(curves.fall(*train) or (None, None)),
        # without held-out data nobody can say that it was memorised
        curves.first_below(*train, LOW) if tested else None,
        curves.first_below(*test, LOW),
        None if grokked is None else int(test[0][grokked]),
    ]
    return np.array([_NEVER if epoch is None else epoch for epoch in epochs])
