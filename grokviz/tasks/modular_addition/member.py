"""The record of a run of modular addition in a family of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from grokviz.dataset.families import trajectory
from grokviz.dataset.families.family_member import MemberMeasures, Record
from grokviz.dataset.families.family_variables import SWEEP
from grokviz.dataset.numerics import fourier
from grokviz.dataset.variables import PAPER, Variable
from grokviz.runs import Run
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionRun
from grokviz.tasks.modular_addition.formulas import losses

if TYPE_CHECKING:
    import xarray as xr


ROWS = (
    Variable(
        "member_loss", ("member", "split"), "loss of the last checkpoint", "nats",
        "mean cross entropy over the p number classes, in float64, from the last weights; "
        "NaN without weights of modular addition", f"{PAPER}, section 3", "float64"),
    Variable(
        "member_accuracy", ("member", "split"), "accuracy of the last checkpoint", "1",
        "share of pairs whose largest logit is the right one; NaN without such weights",
        f"{PAPER}, section 3", "float64"),
    Variable(
        "member_frequency_norm", ("member", "frequency"), "norm in the embedding", "1",
        "norm of each frequency in W_E of the last checkpoint; NaN without such weights",
        f"{PAPER}, figure 3 and appendix C"),
    Variable(
        "member_key_frequency", ("member", "frequency"), "whether it is a key frequency", "1",
        "1 for the frequencies that at least five neurons of the last checkpoint compute with "
        "(for those that stand out in W_E where no neurons do), 0 for others, -1 unknown",
        f"{PAPER}, section 4.1 and appendix C", "int8"),
    Variable(
        "fraction_member", ("fraction", "source"), "run of each fraction", "1",
        "number of the first run of modular addition at a training fraction, by where it "
        "comes from; -1 where there is none", SWEEP, "int64"),
)  # fmt: skip


def of_run(run: Run) -> Record | None:
    """Losses, accuracies and frequencies of the last checkpoint; None without one."""
    if not len(run.epochs):
        return None
    context = ModularAdditionRun(run, run.epochs[-1:], run.epochs[:0])
    scores = context.last.scores
    components = context.last.number_components
    all_frequencies = fourier.frequencies(context.p)
    return {
        "member_loss": list(losses.by_set(scores.loss, context.is_train).values()),
        "member_accuracy": list(losses.by_set(scores.right, context.is_train).values()),
        "member_frequency_norm": fourier.frequency_norms(components),
        "member_key_frequency": np.isin(all_frequencies, context.keys),
        **trajectory.trajectory(run, lambda state: _frequency_norms(state, context.p)),
    }


def _frequency_norms(state: Mapping[str, np.ndarray], p: int) -> Float[np.ndarray, " frequency"]:
    numbers = np.asarray(state["embed.W_E"], dtype=np.float64)[:, :p]
    return fourier.frequency_norms(fourier.component_norms(numbers))


def of_dataset(data: xr.Dataset) -> Record | None:
    """The same from a dataset; None if it does not contain them."""
    needed = ("loss", "accuracy", "embedding_frequency_norm")
    if not all(name in data for name in needed) or "key_frequency" not in data.coords:
        return None
    last = data.isel(epoch=-1)
    return {
        "member_loss": last["loss"].values,
        "member_accuracy": last["accuracy"].values,
        "member_frequency_norm": last["embedding_frequency_norm"].values,
        "member_key_frequency": np.isin(data["frequency"].values, data["key_frequency"].values),
    }


MEMBER = MemberMeasures(of_run, of_dataset, ROWS)
