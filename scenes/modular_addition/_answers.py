"""Which sums a network answers right along a run: those it was shown, their mirrors, the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.scene import clock as clocks
from grokviz.tasks.modular_addition.formulas.answers import UNKNOWN

if TYPE_CHECKING:
    import xarray as xr

SHOWN, MIRROR, NEITHER = 0, 1, 2

LEARNED = 0.99
"""The share of a group from which on it is learned."""

MIRRORS = 0.95
"""The share of mirrors among the right answers to unseen sums at which these are the story."""

SOME = 0.05
"""So large a share of the mirrors has to be right by then."""

APART = 5.0
"""How many times the rest's share of right answers the mirrors' has to be."""


@dataclass(frozen=True, eq=False)
class Answers:
    """How many sums of each group are right at each moment, of how many.

    Attributes:
        right: right answers of the shown, of the mirrors of shown ones, of the rest; NaN where
            it is not known which were shown.
        sums: how many sums each group has.
        every: right answers of all sums.

    """

    right: Float[np.ndarray, "moment group"]
    sums: Int[np.ndarray, " group"]
    every: Int[np.ndarray, " moment"]

    @classmethod
    def of(cls, data: xr.Dataset) -> Answers:
        """The answers of a run's dataset."""
        group = data["group_of_pair"].values
        sums = np.bincount(group[group != UNKNOWN], minlength=3)
        every = data["answer_right"].sum(("residue", "residue_b")).values
        return cls(data["right_answers"].values.astype(float), sums, every)

    @property
    def known(self) -> bool:
        """Whether it is known which sums were shown."""
        return bool(self.sums.sum())

    @property
    def unseen_sums(self) -> int:
        """How many sums were never shown."""
        return int(self.sums[MIRROR] + self.sums[NEITHER])

    def unseen(self, i: int) -> int:
        """Right answers to sums that were never shown; of a known split."""
        return int(self.right[i, MIRROR] + self.right[i, NEITHER])

    def share(self, group: int) -> Float[np.ndarray, " moment"]:
        """The share of a group that is right at each moment; 0 of none."""
        share: Float[np.ndarray, " moment"] = self.right[:, group] / max(int(self.sums[group]), 1)
        return share

    def memorised(self, i: int) -> bool:
        """Whether the shown sums are right."""
        return bool(self.share(SHOWN)[i] >= LEARNED)

    @property
    def mirrored(self) -> Bool[np.ndarray, " moment"]:
        """When all that is known beyond memory is, nearly, the mirrors of what was shown."""
        if not self.known or not self.sums[MIRROR] or not self.sums[NEITHER]:
            return np.zeros(len(self.right), bool)
        unseen = self.right[:, MIRROR] + self.right[:, NEITHER]
        mirror, rest = self.share(MIRROR), self.share(NEITHER)
        moments: Bool[np.ndarray, " moment"] = (
            (self.share(SHOWN) >= LEARNED)
            & (self.right[:, MIRROR] >= MIRRORS * unseen)
            & (mirror >= SOME)
            & (mirror >= APART * rest)
        )
        return moments


def mirror_moment(data: xr.Dataset, answers: Answers) -> int | None:
    """The moment that shows best what is known beyond memory; None where there is none.

    That at the end of memorisation where it is among them, else the first.
    """
    moments = np.flatnonzero(answers.mirrored)
    if not moments.size:
        return None
    ends = clocks.phase_ends(data)
    if ends is not None:
        at = int(np.abs(data["epoch"].values - ends[0]).argmin())
        if at in moments:
            return at
    return int(moments[0])


def mirrors_known(data: xr.Dataset, answers: Answers, i: int) -> str:
    """How many sums are known beyond memory at a moment of the mirrors, and which, in one line."""
    mirrors, unseen = int(answers.right[i, MIRROR]), answers.unseen(i)
    some = "all" if mirrors == unseen else f"{mirrors:,}"
    when = clocks.at(data, "epoch", i)
    return f"At {when} it knows {unseen:,} unseen sums, {some} of them mirrors: a + b = b + a"


def beyond_memory(data: xr.Dataset, answers: Answers, i: int) -> str:
    """The same as a sentence that stands alone."""
    mirrors, unseen = int(answers.right[i, MIRROR]), answers.unseen(i)
    some = f"all {unseen:,}" if mirrors == unseen else f"{mirrors:,} of the {unseen:,}"
    return (
        f"What it knows beyond memory at {clocks.at(data, 'epoch', i)} is that a + b = b + a: "
        f"{some} unseen sums that it has right are mirrors of sums it was shown"
    )


def example(data: xr.Dataset) -> tuple[int, int] | None:
    """A pair (a, b) to show a mirror by: never shown, and known as long as the mirrors are.

    Of those of which the network is surest all the time, one whose two cells lie well apart in
    the lower half of the table; None where it knows none so long.
    """
    moments = np.flatnonzero(Answers.of(data).mirrored)
    if not moments.size:
        return None
    right = (data["answer_right"].values[moments] > 0).all(axis=0)
    known = right & (data["group_of_pair"].values == MIRROR)
    sure = data["answer_probability"].values[moments].min(axis=0)
    known &= sure >= 0.9 * max(float(sure[known].max(initial=0)), 1e-9)
    if not known.any():
        return None
    p = len(known)
    a, b = np.nonzero(known)
    off = np.abs(np.abs(a - b) - p / 2) + np.abs(a + b - 0.7 * p)
    best = int(off.argmin())
    return int(a[best]), int(b[best])
