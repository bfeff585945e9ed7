"""The cliff of figure 24: on fresh data the loss falls while the induction heads form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import after
from grokviz.scenes.repeated_subsequence._induction import (
    HEADS,
    RISE,
    HeadsBelowLoss,
    head_of,
)

from grokviz.scene import Claim

if TYPE_CHECKING:
    import xarray as xr


RISING = "In colour the heads whose score rises by a quarter or more as the loss falls."


@dataclass(frozen=True)
class InductionPhaseChange(HeadsBelowLoss):
    """Loss on fresh data, and every head's induction or previous-token score below it."""

    name = "induction-phase-change"
    panels = ("heads", "pattern", "loss")
    title = "The loss on fresh sequences falls while induction heads form"
    watch = "induction: attention to what followed earlier copies of the same token"
    source = "arXiv:2301.05217, figure 24; thread, tweet 2"
    recipe = "repeated-subsequence"
    reference = "repeated-subsequence"
    paper_figures = {"24": {}}  # noqa: RUF012

    def claim(self, data: xr.Dataset) -> Claim:
        """How far the loss fell, and how far the best head's induction rose meanwhile."""
        fall_span = changes.fall(data)
        if fall_span is None or data.sizes["tested_epoch"]:
            return Claim.instead(changes.no_fall(data))
        moments = self.moments(data)
        high, low = (changes.loss_near(data, epoch) for epoch in moments)
        if not low < high:
            return Claim.instead(changes.no_fall(data))
        before, after = (self.score(data, epoch) for epoch in moments)
        falls = f"The loss falls from {high:.2g} to {low:.2g}"
        shares = f"from {100 * before:.0f}% to {100 * after:.0f}%"
        if after - before < RISE:
            return Claim.instead(f"{falls}; head {self.head(data)}'s induction goes {shares}")
        numbers = {"high": high, "low": low, "before": before, "after": after}
        count = len(self.alike(data)) + 1
        heads = f"{count} heads take" if count > 1 else "a head takes"
        best = f", up to {100 * after:.0f}%" if count > 1 else f": {shares.replace('from ', '')}"
        sentence = f"{falls} as {heads} up induction{best}"
        return Claim(sentence, self.watch, numbers=numbers | {"heads": count})

    def alike(self, data: xr.Dataset) -> Sequence[tuple[int, int]]:
        """The other heads whose induction rises as the loss falls, unless one was asked for."""
        moments = self.moments(data)
        if not moments or self.induction_head is not None:
            return ()
        scores = np.nan_to_num(data["induction_score"].values.astype(float))
        epochs, best = data["epoch"].values, head_of(data, "induction", None)
        risen = []
        for at in np.ndindex(*scores.shape[1:]):
            before, after = np.interp(moments, epochs, scores[:, *at])
            if at != best and after - before >= RISE:
                risen.append((int(at[0]), int(at[1])))
        return risen

    def coloured(self) -> str:
        """Which heads are in colour."""
        return super().coloured() if self.induction_head is not None else RISING

    def moments(self, data: xr.Dataset) -> tuple[float, ...]:
        """Where the loss begins to fall, and where it has fallen."""
        fall_span = changes.fall(data)
        return () if fall_span is None or data.sizes["tested_epoch"] else fall_span

    def marks(self, data: xr.Dataset) -> list[_marks.Mark]:
        """The loss at both ends of its fall."""
        return changes.fall_marks(data, self.moments(data))

    def definition(self, data: xr.Dataset) -> str:
        """With the scores' definitions and the citation."""
        return (
            "Training loss of a two-layer attention-only transformer that completes repeated "
            "subsequences, each sequence seen once, and its heads. Shaded: where the mean of 50 "
            f"losses falls from nine tenths to one tenth above its lowest. {self.definitions()} "
            f"{after(f'figure 24; {HEADS}')}"
        )
