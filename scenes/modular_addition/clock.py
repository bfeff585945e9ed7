"""The thread's algorithm for one sum: adding is turning, and several clocks agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.modular_addition import _sums as sums

from grokviz.scene import Claim, option
from grokviz.scene.film import Film
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Clock(Film):
    """One sum on the trained network's own circles, and how its frequencies single it out."""

    name = "clock"
    title = "The network adds by turning clock hands"
    watch = "one clock leaves rivals; all of them turned at once leave one answer"
    source = "thread, tweet 7; arXiv:2301.05217, section 3"
    disputed = (
        "Disputed: other networks are said to add waves, a pizza and no clock (arXiv:2306.17844), "
        "or both to be one geometry (arXiv:2512.25060)."
    )
    needs = ("embedding_plane", "embedding_frequency_norm", "cosine_coefficient",
             "logit_variance_explained", "logit_wave")  # fmt: skip
    drawn_by = "films.clock:Clock"
    seconds = 108
    parts = {  # noqa: RUF012
        "dial": "numbers are angles",
        "turn": "adding is turning",
        "rivals": "one clock is not sure",
        "agree": "all clocks agree",
    }

    a: int | None = option(None, "the first number; if none, 87 of 113")
    b: int | None = option(None, "the second number; if none, 81 of 113")
    frequency: int | None = option(None, "key frequency of the large clock, the strongest if none")

    def sum_of(self, data: xr.Dataset) -> tuple[int, int]:
        """a and b; ``InputError`` for a number that the network does not know."""
        return sums.numbers(data, self.a, self.b, self.name)

    def answer(self, data: xr.Dataset) -> int:
        """a + b mod p."""
        return sum(self.sum_of(data)) % data.sizes["residue"]

    def large(self, data: xr.Dataset) -> int:
        """The frequency of the large clock."""
        return sums.strongest(data, self.frequency, self.name)

    def fit(self, data: xr.Dataset, k: int) -> np.ndarray:
        """How well each answer fits on one clock, in logits: (p,)."""
        return sums.fit(data, k, self.answer(data) - np.arange(data.sizes["residue"]))

    def total(self, data: xr.Dataset) -> np.ndarray:
        """The sum over the key frequencies, in logits: (p,)."""
        return sums.total(data, self.answer(data) - np.arange(data.sizes["residue"]))

    def claim(self, data: xr.Dataset) -> Claim:
        """How near the next answer comes on one clock, and on all of them together."""
        lacks = sums.what_lacks(data)
        if lacks:
            return Claim.instead(lacks, explained=sums.explained(data))
        k, count = self.large(data), len(sums.wave_heights(data))
        wave = sums.fit(data, k, np.arange(data.sizes["residue"]))
        one, every = float(wave[1:].max() / wave[0]), sums.rival(data)
        fits = f"{one:.1%} on one, {percent(every)} on all"
        sentence = f"{count} clocks turn to add: a wrong answer fits {fits}"
        return Claim(sentence, self.watch, numbers={"one": one, "every": every})

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless clocks add in this run, and the sum is one of its own."""
        self.answer(data)
        sums.require_waves(data, self.name)
        self.large(data)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The sum, the turn, and by how much the answer wins."""
        p, k = data.sizes["residue"], self.large(data)
        (a, b), c, total = self.sum_of(data), self.answer(data), self.total(data)
        rival = float(np.delete(total, c).max())
        return (
            f"The sum {a} + {b} = {c} mod {p} on the circle of frequency {k}, on which "
            "each number is an angle, and on those of the frequencies "
            f"{', '.join(map(str, sums.wave_heights(data)))}. Their waves add up to "
            f"{total[c]:.1f} logits at {c}, and to at most {rival:.1f} at any other answer."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Points: the embedding of each number in the plane of a key frequency. Bars: "
            "$\\alpha_k \\cos(w_k(a+b-c))$ with the measured heights $\\alpha_k$, one frequency "
            "and their sum. After Nanda et al. (2023), arXiv:2301.05217, section 3."
        )
