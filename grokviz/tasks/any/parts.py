"""The parts of the dataset that every run has."""

from __future__ import annotations

import numpy as np

from grokviz.dataset import curves
from grokviz.dataset.part import Checkpoint, Context, Part, Values, metric
from grokviz.runs import Run
from grokviz.tasks.any import norms
from grokviz.tasks.any.events import EventsPart
from grokviz.tasks.any.route import PathPart


class RunPart(Part):
    """What every run has, whatever it learns; of loss curves alone all but the weights' norms."""

    def lacks(self, run: Run) -> str:
        """Nothing."""
        return ""

    def coords(self, context: Context) -> Values:
        """Clocks of the logged losses, names of phases and parameters."""
        coords: Values = {
            "logged_epoch": metric(context.run, "train_loss")[0],
            "tested_epoch": metric(context.run, "test_loss")[0],
            "phase": list(curves.PHASES[:3]),
        }
        if context.has_weights:
            coords["parameter"] = list(norms.sums_of_squares(context.last.state))
        return coords

    def whole(self, context: Context) -> Values:
        """The logged curves, and where the phases end by them."""
        tested, test_loss = metric(context.run, "test_loss")
        ends = curves.phase_ends(tested, test_loss)
        return {
            "logged_train_loss": metric(context.run, "train_loss")[1],
            "logged_test_loss": test_loss,
            "phase_end": np.full(3, -1) if ends is None else ends,
        }

    def at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Sums of squared weights."""
        return {"sum_squared_weights": list(norms.sums_of_squares(checkpoint.state).values())}


PARTS: dict[str, Part] = {"run": RunPart(), "events": EventsPart(), "path": PathPart()}
