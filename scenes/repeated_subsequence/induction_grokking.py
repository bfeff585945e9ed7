"""Figure 25: on few sequences the same transformer memorises, and its heads form much later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import after
from grokviz.scenes.repeated_subsequence._induction import (
    HEADS,
    RISE,
    HeadsBelowLoss,
)

from grokviz.scene import Claim, Drawing, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import losses_of, outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


@dataclass(frozen=True)
class InductionGrokking(HeadsBelowLoss):
    """Train and test loss on a fixed set of sequences, and every head's score below them."""

    name = "induction-grokking"
    panels = ("heads", "pattern", "loss")
    title = "On few sequences it memorises first, and its induction head forms later"
    watch = "the test loss first climbs, and comes down as the head finds what to copy"
    above_heads = "heads: attention to what followed the same token before"
    of_heads = "attention (%)"
    source = "arXiv:2301.05217, figure 25; thread, tweet 3"
    recipe = "repeated-subsequence-320"
    reference = "repeated-subsequence-320"
    phases = "none"
    paper_figures = {"25": {}}  # noqa: RUF012

    spikes: bool = option(False, "from each drop of the test loss a line to the train loss's spike")

    def claim(self, data: xr.Dataset) -> Claim:
        """When it memorised, and how much of the induction head's rise came after that."""
        learned = changes.overfit(data)
        if learned is None:
            return Claim.instead(outcome(data).sentence)
        before, after = (self.score(data, epoch) for epoch in self.moments(data))
        now = f"Memorised by {clocks.word(data)} {learned.memorised:,}; "
        shares = f"from {100 * before:.0f}% to {100 * after:.0f}%"
        if after - before < RISE:
            head = f"head {self.head(data)} finds what to copy"
            return Claim.instead(f"{now}since then {head} {shares}")
        sentence = f"{now}then a head learns what to copy, {shares}"
        numbers = {"before": before, "after": after}
        drops = len(self._drops(data))
        if not drops:
            return Claim(sentence, self.watch, numbers=numbers)
        watch = f"each of the {drops} drops of the test loss comes with a spike of the train loss"
        return Claim(sentence, watch, numbers={**numbers, "drops": drops})

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """With a line where it had memorised, and if wished lines from spikes to drops."""
        drawn = super().draw(figure, data)
        learned = changes.overfit(data)
        if learned is None:
            return drawn
        drops = self._drops(data)
        spikes = _spikes(figure.axes[:-1], data, drops) if drops else Drawing()
        return Drawing.of(drawn, spikes, _memorised(figure.axes, data, learned.memorised))

    def apart(self, data: xr.Dataset) -> bool:
        """Where its spikes are spoken of, which a linear axis of the test loss does not show."""
        return self.loss == "linear" and bool(self._drops(data))

    def _drops(self, data: xr.Dataset) -> list[float]:
        """The spikes with which the test loss dropped, where they are asked for."""
        return _drops(data) if self.spikes else []

    def moments(self, data: xr.Dataset) -> tuple[float, ...]:
        """When it had memorised, and its last checkpoint."""
        learned = changes.overfit(data)
        return () if learned is None else (learned.memorised, float(data["epoch"].values[-1]))

    def marks(self, data: xr.Dataset) -> list[_marks.Mark]:
        """Where the test loss is largest, and where it ends."""
        learned = changes.overfit(data)
        if learned is None:
            return []
        at, top, last = changes.peak(data, learned.memorised)
        end, colour = float(data["epoch"].values[-1]), style().colours.test
        return [
            _marks.Mark(at, top, f"{top:.3g}", colour, "left", 0.25),
            _marks.Mark(end, last, f"{last:.3g}", colour, "right", -0.45),
        ]

    def definition(self, data: xr.Dataset) -> str:
        """With the scores' definitions and the citation."""
        drops = (
            f" The test loss drops where it loses {changes.DROP:.0%} within {changes.SOON:.1%} of "
            "the run; the train loss spikes where it is "
            f"{changes.SPIKE:g} times its running median."
            if self.spikes
            else ""
        )
        own = " The train loss has its own, logarithmic panel." if self.apart(data) else ""
        return (
            "Training and test loss of a two-layer attention-only transformer that completes "
            "repeated subsequences, trained on the same few sequences all the time, and its "
            f"heads. {self.definitions()}{drops}{own} {after(f'figure 25; {HEADS}')}"
        )


def _drops(data: xr.Dataset) -> list[float]:
    """The spikes with which the test loss dropped, where they are as many as are spoken of."""
    learned = changes.overfit(data)
    spikes = [] if learned is None else changes.slingshots(data, learned.memorised)
    return spikes if len(spikes) > 1 else []


def _spikes(losses: Sequence[Axes], data: xr.Dataset, at: list[float]) -> Drawing:
    """Lines from the spikes of the train loss up to the drops of the test loss."""
    current_style, epochs = style(), data["epoch"].values
    test = losses_of(data, "test")
    look: dict[str, Any] = {
        "ls": (0, (2, 2)), "zorder": 1.7, "color": current_style.colours.faint,
        "lw": 0.4 * current_style.line,
    }  # fmt: skip
    above, *strips = losses
    low = above.get_ylim()[0]
    lines = [
        [
            *above.plot([x, x], [low, float(np.interp(x, *test))], **look),
            *(axes.axvline(x, **look) for axes in strips),
        ]
        for x in at
    ]
    if current_style.ghost:
        return Drawing()

    def update(i: int) -> None:
        for x, parts in zip(at, lines, strict=True):
            for line in parts:
                line.set_visible(bool(epochs[i] >= x))

    return Drawing(lines, update)


def _memorised(rooms: Sequence[Axes], data: xr.Dataset, at: int) -> Drawing:
    """A line through all panels where the training loss came below 0.1, and its name."""
    muted, axes = style().colours.muted, rooms[0]
    look: dict[str, Any] = {"color": muted, "lw": 0.5 * style().line, "ls": (0, (4, 2))}
    lines = [each.axvline(at, zorder=1.8, **look) for each in rooms]
    # above the panel, where no curve is
    text = style().note(
        axes, f"memorised at {at:,}", (at, 1), (0, 0.45),
        xycoords=axes.get_xaxis_transform(), ha="left", color=muted,
    )  # fmt: skip
    if style().ghost:
        return Drawing()
    epochs = data["epoch"].values

    def update(i: int) -> None:
        for artist in (*lines, text):
            artist.set_visible(bool(epochs[i] >= at))

    return Drawing([*lines, text], update)
