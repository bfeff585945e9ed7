"""What runs of slingshots log besides their losses."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.checkpoint import RunView
from grokviz.dataset.contract import measure, requires
from grokviz.dataset.numerics.spikes import LOGGED, values_on
from grokviz.runs import Run
from grokviz.tasks.any.measures.events import SLINGSHOTS


def _lacks(run: Run) -> str:
    """The metrics that the recipes of slingshots log."""
    missing = [name for name in LOGGED if name not in run.metrics]
    return f"{missing[0]} logged in training" if missing else ""


def _logged(run: RunView, name: str) -> Float[np.ndarray, " logged_epoch"]:
    """A metric on the training loss' clock."""
    return values_on(run.metric("train_loss")[0], *run.metric(name))


@measure("logged_epoch", on="run", long_name="norm of W_U", source=SLINGSHOTS)
@requires(_lacks)
def logged_unembedding_norm(run: RunView) -> Float[np.ndarray, " logged_epoch"]:
    """Frobenius norm of the unembedding, as training logged it."""
    return _logged(run, "unembedding_norm")


@measure("logged_epoch", on="run", long_name="sum of the logits' gradient",
         source="arXiv:2605.06152")  # fmt: skip
@requires(_lacks)
def logged_logit_gradient_sum(run: RunView) -> Float[np.ndarray, " logged_epoch"]:
    """The training loss's gradient summed over all logits of all training pairs, as training
    logged it: 0 but for rounding, as each pair's probabilities sum to 1.
    """
    return _logged(run, "logit_gradient_sum")
