"""Figure 25: on few sequences the same transformer memorises, and its heads form much later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.scenes.any._papers import after
from grokviz.scenes.repeated_subsequence._induction import DEFINITIONS, HEADS, HeadsBelowLoss

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class InductionGrokking(HeadsBelowLoss):
    """Train and test loss on a fixed set of sequences, and every head's score below them."""

    name = "induction-grokking"
    panels = ("heads", "pattern", "loss")
    title = "With too few sequences, the phase change becomes grokking"
    watch = "the test loss falls as the heads form"
    source = "arXiv:2301.05217, figure 25; thread, tweet 3"
    recipe = "repeated-subsequence-320"
    reference = "repeated-subsequence-320"
    paper_figures = {"25": {}}  # noqa: RUF012

    def definition(self, data: xr.Dataset) -> str:
        """With the scores' definitions and the citation."""
        return (
            "Training and test loss of a two-layer attention-only transformer that completes "
            "repeated subsequences, trained on the same few sequences all the time, and its "
            f"heads. {DEFINITIONS} {after(f'figure 25; {HEADS}')}"
        )
