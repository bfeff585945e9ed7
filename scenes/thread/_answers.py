"""The table of a run's answers, as the films of the thread tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.modular_addition._answers import MIRROR, NEITHER, SHOWN, Answers

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import Float

TABLE = ("answer_probability", "answer_right", "right_answers", "group_of_pair")
"""What the table is drawn from."""

ALL = 0.99
"""From this share on, all but a few are right."""


@dataclass(frozen=True, eq=False)
class Told:
    """How many sums a run answers right, of those it was shown and of the others.

    Attributes:
        epochs: the checkpoints.
        shown, others: the share that is right at each of them.
        sums: how many there are of either.

    """

    epochs: Float[np.ndarray, " epoch"]
    shown: Float[np.ndarray, " epoch"]
    others: Float[np.ndarray, " epoch"]
    sums: tuple[int, int]

    @classmethod
    def of(cls, data: xr.Dataset) -> Told | None:
        """The answers of a run; None where they, or which sums were shown, are not known."""
        if not set(TABLE) <= set(data) or not data.sizes["epoch"]:
            return None
        answers = Answers.of(data)
        sums = int(answers.sums[SHOWN]), int(answers.sums[MIRROR] + answers.sums[NEITHER])
        if not answers.known or not min(sums):
            return None
        right = answers.right[:, SHOWN], answers.right[:, MIRROR] + answers.right[:, NEITHER]
        shown, others = (part / count for part, count in zip(right, sums, strict=True))
        return cls(data["epoch"].values.astype(float), shown, others, sums)

    def at(self, epoch: float) -> int:
        """The last checkpoint up to an epoch; the first where there is none."""
        return max(int(np.searchsorted(self.epochs, epoch + 1e-6, side="right")) - 1, 0)

    @property
    def first(self) -> int | None:
        """The first checkpoint with all shown sums right, and fewer than half of the others."""
        moments = np.flatnonzero((self.shown >= ALL) & (self.others < 0.5))
        return int(moments[0]) if moments.size else None

    @property
    def second(self) -> int | None:
        """The first checkpoint from which on all the others are right too."""
        wrong = np.flatnonzero(~(self.others >= ALL))
        last = int(wrong[-1]) + 1 if wrong.size else 0
        return last if last < len(self.others) else None

    @property
    def asks(self) -> bool:
        """Whether the shown sums come first and the others later."""
        return self.first is not None and self.second is not None and self.second > self.first
