"""Why there is grokking: with much data a phase change, with little a gap between two of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grokviz.errors import InputError
from grokviz.scene import Claim
from grokviz.scene.film import Film
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition.data import ModularAddition

if TYPE_CHECKING:
    import xarray as xr

RUN = "modular-addition"

TOGETHER = 2.0
"""Train and test loss fall together below this ratio of their epochs, and apart above."""


@dataclass(frozen=True)
class PhaseChangeToGrokking(Film):
    """One recipe on less and less data, and what one of its runs pays for memorising."""

    name = "phase-change-to-grokking"
    title = "Little data turns learning into grokking"
    watch = "both losses fall together, until there is little data"
    source = "thread, claim on phase changes; arXiv:2301.05217, appendix D"
    reference = "fraction-sweep"
    needs = (
        "member_fraction", "member_epoch", "member_train_loss", "member_test_epoch",
        "member_test_loss", "memorised_epoch", "generalised_epoch", "fraction_member", "member_p",
    )  # fmt: skip
    also = {  # noqa: RUF012
        RUN: ("logged_train_loss", "logged_test_loss", "sum_squared_weights", "phase_end"),
    }
    drawn_by = "films.phase_change_to_grokking:PhaseChangeToGrokking"
    seconds = 71
    parts = {  # noqa: RUF012
        "together": "with much data: a phase change",
        "gap": "with little data: a gap",
        "why": "why it is crossed at all",
    }
    poster = "gap"

    def members(self, data: xr.Dataset) -> list[int]:
        """The first run of each fraction, from the largest fraction down."""
        firsts = [
            next((int(m) for m in row if m >= 0), -1)
            for row in data["fraction_member"].transpose("fraction", "source").values
        ]
        fractions = data["member_fraction"].values
        runs = sorted((m for m in firsts if m >= 0), key=lambda m: -fractions[m])
        if len(runs) < 2:
            raise InputError(
                f"{self.name} needs runs at two training fractions or more, and there are "
                f"{len(runs)}; give the folder of a sweep over train-fraction"
            )
        return runs

    def wait(self, data: xr.Dataset, member: int) -> tuple[int, int]:
        """When a run memorised and when it generalised; -1 for never."""
        return int(data["memorised_epoch"][member]), int(data["generalised_epoch"][member])

    def together(self, data: xr.Dataset, member: int) -> bool:
        """Whether both losses of a run fall, and about as early."""
        first, second = self.wait(data, member)
        return first > 0 and 0 < second < TOGETHER * first

    def apart(self, data: xr.Dataset, member: int) -> bool:
        """Whether a run memorised, and generalised later."""
        first, second = self.wait(data, member)
        return first > 0 and second >= TOGETHER * first

    def claim(self, data: xr.Dataset) -> Claim:
        """How long the test loss waits, with the most data and with the least."""
        most, *others = self.members(data)
        # the least data with which it generalises at all
        groks = [m for m in others if self.apart(data, m)]
        share = data["member_fraction"].values
        if self.together(data, most) and groks:
            waits = [second - first for first, second in
                     (self.wait(data, m) for m in (most, groks[-1]))]  # fmt: skip
            return Claim(
                f"From {percent(share[most])} to {percent(share[groks[-1]])} of the sums the "
                f"wait goes from {waits[0]:,} to {waits[1]:,} epochs", self.watch,
                numbers={"most": waits[0], "least": waits[1]},
            )  # fmt: skip
        least = others[-1]
        ends = [self.wait(data, m)[1] for m in (most, least)]
        return Claim.instead(
            f"{percent(share[most])} of the sums: generalised {_when(ends[0])}; "
            f"{percent(share[least])}: {_when(ends[1])}", most=ends[0], least=ends[1],
        )  # fmt: skip

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless there are runs on different shares of the data."""
        self.members(data)

    def shares(self, data: xr.Dataset) -> tuple[float, float]:
        """The largest and the smallest share of the pairs that a run is trained on."""
        most, *_, least = data["member_fraction"].values[self.members(data)]
        return float(most), float(least)

    def trained(self, data: xr.Dataset, member: int) -> np.ndarray:
        """Which pairs the run was trained on, as its settings draw them: (p, p)."""
        settings = json.loads(data.attrs.get("settings") or "{}")
        p = int(data["member_p"].values[member])
        task = ModularAddition(
            p, float(data["member_fraction"].values[member]),
            int(settings.get("split-seed", 0)), str(settings.get("split-order", "python")),
        )  # fmt: skip
        pairs: np.ndarray = task.is_train.reshape(p, p)
        return pairs

    def description(self, data: xr.Dataset, i: int) -> str:
        """When the runs memorise and generalise."""
        epochs = "; ".join(
            f"{percent(data['member_fraction'].values[m])}: "
            + " and ".join(map(_epoch, self.wait(data, m)))
            for m in self.members(data)
        )
        return (
            "Training and test loss of one recipe on less and less of all pairs. The losses fall "
            f"below 0.1 at the epochs (share of pairs: training and test loss) {epochs}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Losses of modular addition trained on shares of all pairs; dots where a loss first is "
            "below 0.1; and the sum of squared weights of the run with 30% of the pairs. "
            "After Nanda et al. (2023), arXiv:2301.05217, appendix D."
        )


def _epoch(epoch: int) -> str:
    return str(epoch) if epoch >= 0 else "never"


def _when(epoch: int) -> str:
    return f"at epoch {epoch:,}" if epoch >= 0 else "never"
