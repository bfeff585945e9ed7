"""The part of the dataset that holds what runs of slingshots log besides their losses."""

from __future__ import annotations

from grokviz.dataset.part import Context, Part, Values, metric
from grokviz.dataset.spikes import LOGGED, values_on
from grokviz.runs import Run


class SlingshotsPart(Part):
    """What runs of slingshots log besides: the last layer's norm, and what rounding does."""

    def lacks(self, run: Run) -> str:
        """The metrics that the recipes of slingshots log."""
        missing = [name for name in LOGGED if name not in run.metrics]
        return f"{missing[0]} logged in training" if missing else ""

    def whole(self, context: Context) -> Values:
        """Both on the training loss' clock."""
        clock = metric(context.run, "train_loss")[0]
        return {f"logged_{name}": values_on(clock, *context.run.metric(name)) for name in LOGGED}
