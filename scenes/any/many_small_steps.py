"""Many phase changes, each of them sudden, and their mean, which is smooth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grokviz.errors import InputError
from grokviz.scene import Claim
from grokviz.scene.film import Film
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr

FEW = 6
"""How many phase changes are shown before they are averaged."""

SMOOTHER = 0.5
"""The steepest fall of the mean over that of one curve, below which the mean is smooth."""


@dataclass(frozen=True)
class ManySmallSteps(Film):
    """Phase changes one after another, and what their mean becomes."""

    name = "many-small-steps"
    title = "Sudden changes average to a smooth curve"
    watch = "each thin curve loses half of its start within a doubling of the steps"
    source = "thread, claim on phase changes; thread, tweet 13"
    recipe = "digit-addition"
    reference = "smooth-from-many"
    needs = ("piece_loss", "piece_name", "piece_kind", "piece_member", "piece_drop",
             "mean_steepest_fall", "member_task")  # fmt: skip
    drawn_by = "films.many_small_steps:ManySmallSteps"
    seconds = 50
    parts = {  # noqa: RUF012
        "one": "one phase change",
        "mean": "the mean of many",
    }

    def first(self, data: xr.Dataset) -> list[int]:
        """The pieces that are shown singly, spread over the time at which they fall."""
        drops = data["piece_drop"].values
        if len(drops) < FEW:
            raise InputError(
                f"{self.name} needs at least {FEW} phase changes and there are {len(drops)}; "
                "give more runs"
            )
        order = np.argsort(drops, kind="stable")
        wanted = np.linspace(0, len(order) - 1, FEW).round().astype(int)
        # the one in the middle first: it is the one that is explained
        places = sorted(range(FEW), key=lambda i: (abs(i - FEW // 2), i))
        return [int(order[wanted[i]]) for i in places]

    def fell(self, data: xr.Dataset, piece: int) -> str:
        """What a piece is the loss of, in words."""
        name = str(data["piece_name"].values[piece])
        if str(data["piece_kind"].values[piece]) == "digit":
            digits = re.search(r"digits=(\d+)", name)
            of = f"{digits[1]}-digit numbers" if digits else "large numbers"
            return f"one digit in sums of {of}"
        task = str(data["member_task"].values[int(data["piece_member"].values[piece])])
        known = {"repeated-subsequence": "repeated subsequences", "skip-trigram": "skip trigrams",
                 "modular-addition": "modular addition"}  # fmt: skip
        return known.get(task, task or name)

    def claim(self, data: xr.Dataset) -> Claim:
        """How steeply one curve falls, and how steeply the mean of all does."""
        falls = data["mean_steepest_fall"].values
        one, many, count = float(falls[0]), float(falls[-1]), len(falls)
        numbers = {"one": one, "many": many, "count": count}
        if count >= FEW and many < SMOOTHER * one:
            return Claim(
                f"One change takes {percent(one)} of a loss at once, the mean of {count} only "
                f"{percent(many)}", self.watch, numbers=numbers,
            )  # fmt: skip
        return Claim.instead(
            f"One change takes {percent(one)} of a loss at once, the mean of {count} "
            f"{percent(many)}",
            **numbers,
        )

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless there are enough phase changes."""
        self.first(data)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How many there are, and how steep one and their mean are."""
        drops, falls = data["piece_drop"].values, data["mean_steepest_fall"].values
        return (
            f"{len(drops)} loss curves, each with a sudden fall between the steps {drops.min()} "
            f"and {drops.max()}, and their mean. Within a factor of 1.25 in steps a single one "
            f"falls by {percent(falls[0])} of its start, the mean of all by at most "
            f"{percent(falls[-1])}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Thin: losses of single tasks and digits as shares of their starts, over the logarithm "
            "of the step, each of which loses half of its start within a doubling of the steps; "
            "thick: their mean. After Nanda et al. (2023), arXiv:2301.05217, figures "
            "21 and 22, and the thread."
        )
