"""The question of the whole story, asked by the answers of one run, or by its losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.thread._answers import TABLE, Told

from grokviz.errors import InputError
from grokviz.scene import Claim, clock
from grokviz.scene.film import Film
from grokviz.scene.outcome import losses_of, outcome

if TYPE_CHECKING:
    import xarray as xr

QUESTION = "How does it know sums it has never seen?"
"""What the whole story is asked."""

DELAY = 2.0
"""How many times later than it memorised a run must generalise, or there is no question."""

BEYOND = 1.2
"""The last epoch shown, as a multiple of that at which the run generalised."""


@dataclass(frozen=True)
class Opening(Film):
    """What a network knows of what it was shown, and of what it was not, until the question."""

    name = "opening"
    title = "A network understands long after it has memorised"
    watch = "what it was not shown stays dark for a long time, then lights up"
    source = "thread, tweet 1; arXiv:2201.02177; the table is ours"
    needs = ("logged_train_loss", "logged_test_loss")
    wishes = TABLE
    reference = "modular-addition-answers"
    drawn_by = "films.opening:Opening"
    seconds = 21
    counts = True
    parts = {"question": "the question"}  # noqa: RUF012

    def claim(self, data: xr.Dataset) -> Claim:
        """By what factor it understood later than it memorised."""
        run = outcome(data)
        if run.delay is None or self._times(data) < DELAY:
            return Claim.instead(run.sentence)
        first, times = run.memorised or 0, self._times(data)
        return Claim(
            f"Memorised by {run.word} {first:,}, it understands {times:.0f} times as late",
            self.watch, numbers={"times": times},
        )  # fmt: skip

    def _times(self, data: xr.Dataset) -> float:
        run = outcome(data)
        return (run.generalised or 0) / max(run.memorised or 0, 1)

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless the run memorised, waited, and then generalised."""
        claim = self.claim(data)
        if not claim.holds:
            raise InputError(f"{self.name} needs a run that groks. {claim.sentence}")

    def epochs(self, data: xr.Dataset) -> tuple[int, int]:
        """When the training loss and when the test loss is below 0.1."""
        self.require(data)
        run = outcome(data)
        return int(run.memorised or 0), int(run.generalised or 0)

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the run generalised."""
        told = self.told(data)
        if told is None:
            return 0.0, max(float(self.sureness(data, split)[0][-1]) for split in ("train", "test"))
        return float(told.epochs[0]), min(float(told.epochs[-1]), BEYOND * self.epochs(data)[1])

    def told(self, data: xr.Dataset) -> Told | None:
        """What the table tells; None where there is no table, or it does not ask the question."""
        told = Told.of(data)
        return told if told is not None and told.asks else None

    def sureness(self, data: xr.Dataset, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Epochs, and the geometric mean of the right answer's probability, until the end."""
        x, loss = losses_of(data, split)
        known = np.isfinite(loss) & (x <= BEYOND * self.epochs(data)[1])
        return np.asarray(x[known], dtype=float), np.exp(-np.maximum(loss[known], 0))

    def description(self, data: xr.Dataset, i: int) -> str:
        """What the table shows, or what the two lines do."""
        self.require(data)
        told = self.told(data)
        return self._of_lines(data) if told is None else self._of_table(data, told)

    def _of_table(self, data: xr.Dataset, told: Told) -> str:
        moments = [told.at(epoch) for epoch in self.epochs(data)]
        shares = "; ".join(
            f"{told.epochs[n]:,.0f}: {told.shown[n]:.1%} and {told.others[n]:.1%}"
            for n in (0, *moments, len(told.epochs) - 1)
        )
        return (
            f"A table with a cell for each of {sum(told.sums):,} sums, lit where the network's "
            f"answer is right. Right of the {told.sums[0]:,} sums that it is shown, and of the "
            f"{told.sums[1]:,} others, at {clock.word(data)} {shares}. Its test loss "
            f"ends at {outcome(data).test:.2g}. The film asks how it can know them."
        )

    def _of_lines(self, data: xr.Dataset) -> str:
        seen, unseen = (self.sureness(data, split) for split in ("train", "test"))
        first, second = self.epochs(data)
        word, between = clock.word(data), (unseen[0] > first) & (unseen[0] < second)
        lowest = f"{unseen[1][between].min():.1e}" if between.any() else "none"
        return (
            "How sure the network is of the right answer. On examples it has seen: from "
            f"{seen[1][0]:.1%} at {word} {int(seen[0][0])} to {seen[1][-1]:.1%}; on examples it "
            f"has never seen: from {unseen[1][0]:.1%} to {unseen[1][-1]:.1%}, with a lowest "
            f"value of {lowest} between the {word}s {first} and {second}. At the end the film "
            "asks what happened in between."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        sources = "After Power et al. (2022), arXiv:2201.02177, and the thread, tweet 1."
        if self.told(data) is not None:
            p = data.sizes["residue"]
            return (
                f"A cell is a sum a + b mod {p}, a to the right and b upwards: dark where the "
                "largest logit is not the answer's, else the brighter the more probable it is; in "
                "the one colour where it was trained on, in the other where not. Percentages: "
                "right answers, at the last checkpoint by then; the two moments: training and test "
                f"loss below 0.1. {sources}"
            )
        return (
            "Sure of the right answer: exp(-loss), the geometric mean of the probability that the "
            "network gives it, over the training and over the test examples. Memorised and "
            f"generalised: when the training and the test loss are below 0.1. {sources}"
        )
