"""The lanes of a race: runs that differ in their seed alone, by what trained them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from grokviz.scene import members
from grokviz.scene.about import BETWEEN
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr

NEEDS = (
    *members.NEEDS, "member_task", "member_recipe", "member_optimiser", "member_objective",
    "member_weight_decay", "member_last_epoch", "accurate_epoch", "member_test_accuracy",
)  # fmt: skip

NAMES = {
    "adam": "Adam", "adamw": "AdamW", "grokfast": "Grokfast", "hidden-sgd": "SGD, hidden",
    "muon": "Muon", "nesterov": "SGD", "orthogonal": "orthogonal gradient",
    "sgd": "SGD",
}  # fmt: skip

LAYERNORM = "layernorm-addition"
SUMS = (LAYERNORM, "modular-addition")
ACCURATE = 0.95

NAMED = 2
"""So many optimisers are named where others are left out."""

By = Literal["accuracy", "loss"]
"""What is drawn of each run."""


@dataclass(frozen=True)
class Lane:
    """Runs of one optimiser and one loss.

    Attributes:
        name: what trained them, in words.
        model: their task, which is a model of its own.
        members: their numbers, the first to learn first.
        accurate: the epoch at which each is first 95% right; -1 for never.
        low: the epoch at which each's test loss is first below 0.1; -1 for never.
        stays: whether each is 95% right at its end.
        last: the last epoch of the longest.
        until: the last epoch of the shortest, by which all may be said not to have learnt.

    """

    name: str
    model: str
    members: tuple[int, ...]
    accurate: tuple[int, ...]
    low: tuple[int, ...]
    stays: tuple[bool, ...]
    last: int
    until: int

    @property
    def learns(self) -> bool:
        """Whether all its runs learn, and keep what they have learnt."""
        return all(at >= 0 for at in self.accurate) and all(self.stays)

    @property
    def order(self) -> float:
        """Where it comes in: the median epoch, infinite where half of its runs never learn."""
        epochs = [at if at >= 0 and stays else np.inf
                  for at, stays in zip(self.accurate, self.stays, strict=True)]  # fmt: skip
        return float(np.sort(epochs, kind="stable")[(len(epochs) - 1) // 2])

    @property
    def result(self) -> str:
        """When it learnt, in a few words."""
        return self.told()

    def told(self, word: str = "") -> str:
        """The same, with a word such as "epoch " before the first number of a moment."""
        came = [at for at in self.accurate if at >= 0]
        if not came:
            return f"none by {word}{self.until:,}"
        first, last = min(came), max(came)
        span = f"{word}{first:,}" if first == last else f"{word}{first:,}\u2013{last:,}"
        lost = sum(1 for at, stays in zip(self.accurate, self.stays, strict=True)
                   if at >= 0 and not stays)  # fmt: skip
        if lost:
            return f"{span}, lost again" if lost == len(came) else f"{span}, {lost} lost again"
        if len(came) == len(self.members):
            return span
        return f"{len(came)} of {len(self.members)}, at {span}"


def lanes(data: xr.Dataset) -> list[Lane]:
    """The lanes of a family: those of one model together, the first to learn first."""
    keys: dict[tuple[str, ...], list[int]] = {}
    for i in range(data.sizes["member"]):
        if not np.isfinite(accuracy(data, i)[1]).any():
            continue
        key = (str(data["member_task"].values[i]), _name(data, i),
               str(data["member_recipe"].values[i]))  # fmt: skip
        keys.setdefault(key, []).append(i)
    every = [_lane(data, key[1], key[0], runs) for key, runs in keys.items()]
    models = sorted({lane.model for lane in every}, key=lambda model: (model != LAYERNORM, model))
    ranks = {model: rank for rank, model in enumerate(models)}
    return sorted(every, key=lambda lane: (ranks[lane.model], lane.order, lane.name))


def accuracy(data: xr.Dataset, member: int) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and test accuracies of one run."""
    x = data["member_test_epoch"].values[member]
    y = data["member_test_accuracy"].values[member].astype(float)
    known = (x >= 0) & np.isfinite(y)
    return x[known], y[known]


def winner(some: list[Lane]) -> Lane | None:
    """The lane whose last run learns before that of any other; None where none learns."""
    done = [lane for lane in some if lane.learns]
    return min(done, key=lambda lane: (max(lane.accurate), lane.name)) if done else None


def about(words: str, data: xr.Dataset, drawn: Sequence[Lane]) -> str:
    """What is said of some runs, with their task where it is one sum, and which are drawn."""
    settings = json.loads(data.attrs.get("settings") or "{}")
    parts = []
    # families of two models have no task of their own
    if not data.attrs.get("task") and set(data["member_task"].values.astype(str)) <= set(SUMS):
        if "p" in settings:
            parts.append(f"addition mod {settings['p']}")
        if "train-fraction" in settings:
            parts.append(f"trained on {percent(float(settings['train-fraction']))} of the pairs")
    count = sum(len(lane.members) for lane in drawn)
    names = list(dict.fromkeys(lane.name for lane in drawn))
    more = ""
    if count < data.sizes["member"]:
        of = f"all of {names[0]}"
        of = f"all of {', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else of
        more = f", {count} drawn" + (f": {of}" if len(names) <= NAMED else "")
    return BETWEEN.join([*parts, f"{words}{more}"])


def model_name(task: str) -> str:
    """A model in words."""
    return "with LayerNorm" if task == LAYERNORM else "without LayerNorm"


def by_model(every: list[Lane]) -> dict[str, list[Lane]]:
    """The lanes of each model, in their order."""
    models: dict[str, list[Lane]] = {}
    for lane in every:
        models.setdefault(lane.model, []).append(lane)
    return models


def _lane(data: xr.Dataset, name: str, model: str, runs: list[int]) -> Lane:
    accurate = data["accurate_epoch"].values.astype(int)
    runs = sorted(runs, key=lambda i: (accurate[i] < 0, accurate[i], i))
    return Lane(
        name,
        model,
        tuple(runs),
        tuple(int(accurate[i]) for i in runs),
        tuple(int(data["generalised_epoch"].values[i]) for i in runs),
        tuple(bool(accuracy(data, i)[1][-1] >= ACCURATE) for i in runs),
        max(int(data["member_last_epoch"].values[i]) for i in runs),
        min(int(data["member_last_epoch"].values[i]) for i in runs),
    )


def _name(data: xr.Dataset, member: int) -> str:
    """Optimiser and loss in words; AdamW without decay says so."""
    optimiser = str(data["member_optimiser"].values[member])
    name = NAMES.get(optimiser, optimiser or members.display(
        str(data["member_recipe"].values[member])))  # fmt: skip
    if str(data["member_objective"].values[member]) == "stablemax":
        return "StableMax" if optimiser == "adamw" else f"StableMax, {name}"
    if optimiser in ("adamw", "adam") and not data["member_weight_decay"].values[member] > 0:
        return f"{name}, no decay"
    return name
