"""The cliff of figure 24: on fresh data the loss falls while the induction heads form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any._papers import after
from grokviz.scenes.repeated_subsequence._induction import (
    DEFINITIONS,
    HEADS,
    RISE,
    HeadsBelowLoss,
    best_score,
)

from grokviz.scene import Claim

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class InductionPhaseChange(HeadsBelowLoss):
    """Loss on fresh data, and every head's induction or previous-token score below it."""

    name = "induction-phase-change"
    panels = ("heads", "pattern", "loss")
    title = "The loss on fresh sequences falls while induction heads form"
    watch = "the loss comes down slowly, then falls while the heads change"
    source = "arXiv:2301.05217, figure 24; thread, tweet 2"
    recipe = "repeated-subsequence"
    reference = "repeated-subsequence"
    paper_figures = {"24": {}}  # noqa: RUF012

    def claim(self, data: xr.Dataset) -> Claim:
        """How far the loss fell, and how far the best induction head rose meanwhile."""
        fall_span = changes.fall(data)
        if fall_span is None or data.sizes["tested_epoch"]:
            return Claim.instead(changes.no_fall(data))
        moments = self.moments(data)
        high, low = (changes.loss_near(data, epoch) for epoch in moments)
        if not low < high:
            return Claim.instead(changes.no_fall(data))
        before, after = (best_score(data, epoch) for epoch in moments)
        falls = f"The loss falls from {high:.2g} to {low:.2g}"
        shares = f"from {100 * before:.0f}% to {100 * after:.0f}%"
        if after - before < RISE:
            return Claim.instead(f"{falls}; induction goes {shares}")
        numbers = {"high": high, "low": low, "before": before, "after": after}
        return Claim(f"{falls} as induction rises {shares}", self.watch, numbers=numbers)

    def moments(self, data: xr.Dataset) -> tuple[float, ...]:
        """Where the loss begins to fall, and the last that the film shows."""
        fall_span = changes.fall(data)
        if fall_span is None or data.sizes["tested_epoch"]:
            return ()
        return fall_span[0], changes.end(data)

    def definition(self, data: xr.Dataset) -> str:
        """With the scores' definitions and the citation."""
        return (
            "Training loss of a two-layer attention-only transformer that completes repeated "
            "subsequences, each sequence seen once, and its heads. Shaded: where the mean of 50 "
            f"losses falls from nine tenths to one tenth above its lowest. {DEFINITIONS} "
            f"{after(f'figure 24; {HEADS}')}"
        )
