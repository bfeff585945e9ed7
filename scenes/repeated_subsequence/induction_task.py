"""What induction is: a passage comes back, and what came after it last time comes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.repeated_subsequence._induction import LOOKS
from grokviz.scenes.repeated_subsequence.induction_heads import copies_of

from grokviz.errors import InputError
from grokviz.scene import Claim
from grokviz.scene import clock as clocks
from grokviz.scene.film import Film
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import Float

HEAD = "induction"
MOST, BESIDE = 16, 3
"""Tokens of the passage that are shown, and of what stands before and after it."""


@dataclass(frozen=True)
class InductionTask(Film):
    """A real test sequence: a passage, the same passage again, and where a head looks."""

    name = "induction-task"
    title = "To go on, look up what came next the last time"
    watch = "from a token to the same one before, and from there one step on"
    source = "arXiv:2209.11895; arXiv:2301.05217, appendix D"
    needs = ("shown_token", "shown_source", "attention_pattern", "shown_layer", "shown_number")
    recipe = "repeated-subsequence"
    reference = "repeated-subsequence"
    drawn_by = "films.induction_task:InductionTask"
    seconds = 21
    parts = {"task": "a passage comes back"}  # noqa: RUF012

    def rows(self, data: xr.Dataset) -> tuple[tuple[int, int], int]:
        """First positions of the passage and of its return, and how many tokens are shown."""
        copies = copies_of(data)
        if len(copies) < 2:
            raise InputError(
                f"{self.name} needs a test sequence in which a passage comes back; draw a run of "
                "repeated-subsequence"
            )
        (one, stop), (two, _) = copies[:2]
        return (one, two), min(stop - one, MOST)

    def beside(self, data: xr.Dataset) -> int:
        """How many tokens are shown before and after the passage, no token twice."""
        (one, two), _ = self.rows(data)
        length = copies_of(data)[0][1] - one
        after = data.sizes["query"] - two - length
        return max(min(BESIDE, one, after, (two - one - length) // 2), 0)

    def looks(self, data: xr.Dataset) -> Float[np.ndarray, "step step"]:
        """Attention at the end, from each token of the second copy to each of the first."""
        (one, two), count = self.rows(data)
        at = [str(kind) for kind in data["shown_head"].values].index(HEAD)
        pattern = data["attention_pattern"].values[:, at].astype(float)
        known = np.flatnonzero(np.isfinite(pattern).all(axis=(1, 2)))
        if not known.size:
            raise InputError(f"{self.name}: the head's attention is no number at any checkpoint")
        looks: np.ndarray = pattern[known[-1], two : two + count, one : one + count + 1]
        return looks

    def share(self, data: xr.Dataset) -> float:
        """Mean attention to what followed the same token in the first copy."""
        looks = self.looks(data)
        steps = np.arange(min(len(looks), looks.shape[1] - 1))
        return float(looks[steps, steps + 1].mean())

    def claim(self, data: xr.Dataset) -> Claim:
        """Whether the head looks where the task is solved."""
        share = self.share(data)
        sentence = f"{self._head(data)} gives {percent(share)} to what came next the last time"
        if share >= LOOKS:
            return Claim(sentence, self.watch, numbers={"share": share})
        return Claim.instead(sentence, share=share)

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless a passage comes back."""
        self.looks(data)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The passage, and how much attention goes where."""
        (one, two), count = self.rows(data)
        tokens = [int(t) for t in data["shown_token"].values]
        first = ", ".join(map(str, tokens[one : one + min(count, 5)]))
        return (
            f"A test sequence of {len(tokens)} tokens, in which the passage {first} and so on "
            f"stands at position {one} and again at {two}. At "
            f"{clocks.at(data, 'field_epoch', -1)} {self._head(data).lower()} gives "
            f"{percent(self.share(data))} of its attention to the tokens that came next in the "
            "first copy."
        )

    def _head(self, data: xr.Dataset) -> str:
        """The head whose attention is shown, by its layer and its number in it."""
        at = [str(kind) for kind in data["shown_head"].values].index(HEAD)
        return "Head " + ".".join(
            str(int(data[name].values[at])) for name in ("shown_layer", "shown_number")
        )

    def definition(self, data: xr.Dataset) -> str:
        """What the lines are, and the citation."""
        return (
            "Boxes: tokens of a held-out sequence. Lines: attention of the best induction head at "
            "the last checkpoint from each token of the second copy to each of the first, the "
            "wider the more. Induction heads: Olsson et al. (2022), arXiv:2209.11895; the task: "
            "Nanda et al. (2023), arXiv:2301.05217, appendix D."
        )
