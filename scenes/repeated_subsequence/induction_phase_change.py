"""The cliff of figure 24: on fresh data the loss falls at once, just when two heads form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.scenes.any._papers import after
from grokviz.scenes.repeated_subsequence._induction import DEFINITIONS, HEADS, HeadsBelowLoss

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class InductionPhaseChange(HeadsBelowLoss):
    """Loss on fresh data, and every head's induction or previous-token score below it."""

    name = "induction-phase-change"
    panels = ("heads", "pattern", "loss")
    title = "The loss falls off a cliff just as induction heads form"
    watch = "nothing happens for hundreds of steps, then loss and heads change at once"
    source = "arXiv:2301.05217, figure 24; thread, tweet 2"
    recipe = "repeated-subsequence"
    reference = "repeated-subsequence"
    paper_figures = {"24": {}}  # noqa: RUF012

    def definition(self, data: xr.Dataset) -> str:
        """With the scores' definitions and the citation."""
        return (
            "Training loss of a two-layer attention-only transformer that completes repeated "
            "subsequences, each sequence seen once, and its heads. Shaded: where the mean of 50 "
            f"losses falls from nine tenths to one tenth above its lowest. {DEFINITIONS} "
            f"{after(f'figure 24; {HEADS}')}"
        )
