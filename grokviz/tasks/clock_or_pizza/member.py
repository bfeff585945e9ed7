"""The record of a clock or a pizza in a family of runs: its measures along training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset.families.family_member import SPLITS, MemberMeasures, Record
from grokviz.dataset.numerics import roundness
from grokviz.dataset.variables import Variable
from grokviz.runs import Run
from grokviz.tasks._scores import by_set
from grokviz.tasks.clock_or_pizza.checkpoint import ClockOrPizzaRun
from grokviz.tasks.clock_or_pizza.formulas import answers, circuits

if TYPE_CHECKING:
    import xarray as xr

PAPER, TORUS = "arXiv:2306.17844", "arXiv:2512.25060"
SERIES = ("gradient_symmetricity", "distance_irrelevance", "wrong_distance_irrelevance")

ROWS = (
    Variable(
        "member_attention_rate", ("member",), "attention rate", "1",
        "how far attention is a softmax: 1 for one, 0 for weights of 1; NaN where a run does not "
        "say it or has no attention", PAPER, "float64"),
    Variable(
        "member_circularity", ("member",), "circularity of the embedding", "1",
        "circularity of the last checkpoint", f"{PAPER}, section 4"),
    Variable(
        "member_outside_share", ("member",), "share of b outside of a's plane", "1",
        "outside_share of the last checkpoint: 0 for a disc, 1 for a torus", TORUS),
    Variable(
        "member_circuit_epoch", ("member", "point"), "epochs of the circuit's measures", "epoch",
        "the checkpoints of the run; -1 after the last", PAPER, "int64"),
    Variable(
        "member_gradient_symmetricity", ("member", "point"), "gradient symmetricity", "1",
        "gradient_symmetricity at member_circuit_epoch; NaN after the last",
        f"{PAPER}, section 4.1"),
    Variable(
        "member_distance_irrelevance", ("member", "point"), "distance irrelevance", "1",
        "distance_irrelevance at member_circuit_epoch; NaN after the last",
        f"{PAPER}, section 4.2"),
    Variable(
        "member_wrong_distance_irrelevance", ("member", "point"),
        "distance irrelevance of the best wrong logit", "1",
        "wrong_distance_irrelevance at member_circuit_epoch; NaN after the last",
        f"{PAPER}, the column distance_irrelevance of its table"),
)  # fmt: skip


def of_run(run: Run) -> Record | None:
    """Scores of the last checkpoint and the series of all; None without one."""
    if not len(run.epochs):
        return None
    view = ClockOrPizzaRun(run, run.epochs, run.epochs[:0])
    series: dict[str, list[float]] = {name: [] for name in SERIES}
    for at in view.checkpoints(view.alive):
        right, wrong = circuits.right_and_best_wrong(at.forward(view.rate).logits)
        series["gradient_symmetricity"].append(
            circuits.gradient_symmetricity(at.gradients(view.rate))
        )
        series["distance_irrelevance"].append(circuits.distance_irrelevance(right))
        series["wrong_distance_irrelevance"].append(circuits.distance_irrelevance(wrong))
    logits = view.last.forward(view.rate).logits
    stated = {str(key).replace("_", "-"): value for key, value in view.settings.items()}
    attends = stated.get("network") != "side-by-side" and "attention-rate" in stated
    return {
        "member_loss": by_set(answers.losses(logits), view.is_train),
        "member_accuracy": by_set(answers.is_right(logits), view.is_train),
        "member_frequency_norm": np.zeros(0),
        "member_key_frequency": np.zeros(0),
        "member_attention_rate": float(stated["attention-rate"]) if attends else np.nan,
        "member_circularity": roundness.circularity(view.last.weights.W_E),
        "member_outside_share": view.last.planes(view)[1],
        "member_circuit_epoch": view.alive,
        **{f"member_{name}": np.array(values) for name, values in series.items()},
    }


def of_dataset(data: xr.Dataset) -> Record | None:
    """The same from a dataset; None if it does not contain them."""
    if not all(
        name in data for name in ("loss", "accuracy", "circularity", "outside_share", *SERIES)
    ):
        return None
    rate = _rate(data)
    return {
        "member_loss": data["loss"].sel(split=list(SPLITS)).values[-1],
        "member_accuracy": data["accuracy"].sel(split=list(SPLITS)).values[-1],
        "member_frequency_norm": np.zeros(0),
        "member_key_frequency": np.zeros(0),
        "member_attention_rate": rate,
        "member_circularity": float(data["circularity"][-1]),
        "member_outside_share": float(data["outside_share"][-1]),
        "member_circuit_epoch": data["epoch"].values,
        **{f"member_{name}": data[name].values for name in SERIES},
    }


def _rate(data: xr.Dataset) -> float:
    stated = json.loads(data.attrs.get("settings") or "{}")
    attends = stated.get("network") == "attention" and "attention-rate" in stated
    return float(stated["attention-rate"]) if attends else np.nan


MEMBER = MemberMeasures(of_run, of_dataset, ROWS)
