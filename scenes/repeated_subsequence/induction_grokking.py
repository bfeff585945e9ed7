"""Figure 25: on few sequences the same transformer memorises, and its heads form much later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks, _ridges
from grokviz.scenes.any._papers import after
from grokviz.scenes.repeated_subsequence._induction import (
    HEADS,
    RISE,
    SCORES,
    HeadsBelowLoss,
    head_of,
    kind_colours,
)

from grokviz.scene import Claim, Drawing, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.drawing import Part
from grokviz.scene.outcome import losses_of, outcome
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

HIGH = 1.4
"""How high the test loss is at most, in rows."""

RISES = 3.0
"""How high a head's hill is where all of its attention goes there, in rows."""

ONE = "Drawn is the head with the highest at the end of the picture, or the one asked for."
"""What is said of the head where no others are drawn."""

OTHERS = "best other"
"""What the row of all other heads is called."""

APART = 1.0
"""How far apart the rows of further heads are."""

BETWEEN = 0.5
"""How much room is between the test loss and all of a head's attention, in rows."""


@dataclass(frozen=True)
class InductionGrokking(HeadsBelowLoss):
    """The test loss on a fixed set of training sequences, and below it the hill of a head."""

    name = "induction-grokking"
    panels = ("heads", "pattern", "loss")
    title = "As a head learns what to copy, the test loss comes down"
    watch = "One head: how much it looks at the token to copy"
    above_heads = "heads: attention to what followed the same token before"
    of_heads = "attention (%)"
    source = "arXiv:2301.05217, figure 25; thread, tweet 3"
    recipe = "repeated-subsequence-320"
    reference = "repeated-subsequence-320"
    phases = "none"
    paper_figures = {"25": {}}  # noqa: RUF012

    others: bool = option(False, "the other heads' scores, in grey")
    spikes: bool = option(False, "from each drop of the test loss a line to the train loss's spike")

    def claim(self, data: xr.Dataset) -> Claim:
        """When it memorised, and how much of the induction head's rise came after that."""
        learned = changes.overfit(data)
        if learned is None:
            return Claim.instead(outcome(data).sentence)
        before, after = (self.score(data, epoch) for epoch in self.moments(data))
        if after - before < RISE:
            shares = f"from {100 * before:.0f}% to {100 * after:.0f}%"
            now = f"Memorised by {clocks.word(data)} {learned.memorised:,}; "
            head = f"head {self.head(data)} finds what to copy"
            return Claim.instead(f"{now}since then {head} {shares}")
        numbers = {"before": before, "after": after}
        drops = len(_drops(data))
        if not drops or not self.spikes:
            return Claim(self.title, self.watch, numbers=numbers)
        watch = f"each of the {drops} drops of the test loss comes with a spike of the train loss"
        return Claim(self.title, watch, numbers={**numbers, "drops": drops})

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Hills, with a line where it had memorised; or curves, with lines from spikes to drops."""
        drops, learned = self._drops(data), changes.overfit(data)
        as_hills = not drops and data.sizes["tested_epoch"] > 0
        drawn = self._hills(figure, data) if as_hills else super().draw(figure, data)
        if learned is None:
            return drawn
        spikes = _spikes(figure.axes[:-1], data, drops) if drops else Drawing()
        turns = [_turn(figure.axes, data, *_memorised(data, learned))]
        return Drawing.of(drawn, spikes, *turns)

    def _hills(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The test loss as a line, and below it the hill of the head in colour, and of others."""
        narrow, end = style().narrow(figure), changes.end(data)
        axes = style().panels(figure, left=5.8 if narrow else 7.6, right=3.6, top=1.6)[0][0]
        loss = changes.losses(data)["test"]
        finite = loss.y[np.isfinite(loss.y) & (loss.y > 0)]
        top, low = (float(finite.max()), float(finite.min())) if finite.size else (1.0, 0.1)
        unit = {"top": top, "low": low if self.loss == "log" else None}
        heads = self._heads(data)
        first = HIGH + BETWEEN + RISES
        rows = [HIGH, *(first + n * APART for n in range(len(heads)))]
        _ridges.frame(axes, end, rows[-1], 0.4, time=self.time)
        axes.set_xlabel(clocks.word(data))
        high = HIGH * _ridges.height(loss.y, **unit)
        hills = [_ridges.Ridge(axes, loss.x, high, rows[0], loss.colour)]
        # a line alone: the eye goes to the head
        hills[0].fill(0)
        epochs = data["epoch"].values.astype(float)
        for row, (_, scores, colour) in zip(rows[1:], heads, strict=True):
            hills += [_ridges.Ridge(axes, epochs, RISES * each, row, colour) for each in scores]
        marks = []
        for mark in self.marks(data):
            share = float(_ridges.height(np.array([mark.y]), **unit)[0])
            text = f"peak {mark.text}" if mark.ha == "left" else mark.text
            y, lift = rows[0] - HIGH * share, 0.7 if mark.ha == "left" else 0.0
            ink = style().colours.ink
            marks.append(mark._replace(y=y, text=text, colour=ink, lift=lift, ha="left"))
        shares = [self._percent(data, at) for at in self.moments(data)]
        # right of the hill, where nothing is
        shares[1:] = [mark._replace(ha="left", lift=0.0) for mark in shares[1:]]
        if self.loss != "log":
            _ridges.levels(axes, [rows[0]], "")
            style().note(
                axes, "0", (0, rows[0]), (0.4, -0.15), va="top", color=style().colours.muted,
                xycoords=axes.get_yaxis_transform(),
            )  # fmt: skip
        # below further heads' hills 0% would meet their numbers
        for share in (1,) if len(heads) > 1 else (0, 1):
            _ridges.levels(axes, [rows[1] - share * RISES], f"{share:.0%}")
        marks += [mark._replace(y=rows[1] - RISES * mark.y / 100) for mark in shares]
        name, scores, _ = heads[-1]
        if name == OTHERS and len(shares) > 1:
            last, muted = float(scores[0][-1]), style().colours.muted
            at = rows[-1] - RISES * last
            marks.append(_marks.Mark(epochs[-1], at, percent(last), muted, "left", 0.0))
        names = ["test loss", *(name for name, *_ in heads)]
        tints = [style().colours.words(colour) for *_, colour in heads]
        tints = [loss.colour, *tints]
        _ridges.name_rows(axes, names, tints, rows)
        parts: list[Part] = [
            Drawing(hill.moving, lambda i, hill=hill: hill.update(epochs[i])) for hill in hills
        ]
        parts.append(Drawing((), lambda i: _ridges.reach(axes, max(end, epochs[i]))))
        return Drawing.of(*parts, _marks.draw(axes, marks, epochs))

    def _heads(self, data: xr.Dataset) -> list[tuple[str, list[np.ndarray], str]]:
        """Name, scores and colour of each row of heads, the one in colour first."""
        colours = kind_colours()
        kinds = {kind: head_of(data, kind, head) for kind, head in self.wanted().items()}
        scores = {kind: np.nan_to_num(data[SCORES[kind]].values.astype(float)) for kind in kinds}
        rows = []
        for kind, (layer, number) in kinds.items():
            what = "" if kind == "induction" else ": one back"
            name = "one head" if not what else f"{layer}.{number}{what}"
            rows.append((name, [scores[kind][:, layer, number]], colours[kind]))
        each = scores["induction"]
        rest = [at for at in np.ndindex(*each.shape[1:]) if at != kinds["induction"]]
        if self.others and rest:
            highest = np.max([each[:, *at] for at in rest], axis=0)
            rows.append((OTHERS, [highest], style().colours.faint))
        return rows

    def coloured(self) -> str:
        """Which head is drawn, or in colour."""
        return super().coloured() if self.others else ONE

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
            f" The test loss drops where it loses {percent(changes.DROP)} within "
            f"{changes.SOON:.1%} of the run; the train loss spikes where it is "
            f"{changes.SPIKE:g} times its running median."
            if self.spikes
            else ""
        )
        losses = "Training and test" if self.spikes else "Test"
        heads = "its heads" if self.others else "a head"
        own = " The train loss has its own, logarithmic panel." if self.apart(data) else ""
        return (
            f"{losses} loss of a two-layer "
            "attention-only transformer that completes repeated subsequences, trained on the same "
            f"few sequences all the time, and below it {heads}. {self.definitions()}{drops}{own}"
            f"{changes.tested_on(data)} "
            f"{after(f'figure 25; {HEADS}')}"
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


def _memorised(data: xr.Dataset, learned: changes.Overfit) -> tuple[int, str]:
    """When the training loss came below 0.1, and what is said of it."""
    return learned.memorised, f"memorised at {clocks.word(data)} {learned.memorised:,}"


def _turn(rooms: Sequence[Axes], data: xr.Dataset, at: int, name: str) -> Drawing:
    """A line through all panels at an epoch, and above them what happened there."""
    muted, axes = style().colours.muted, rooms[0]
    look: dict[str, Any] = {"color": muted, "lw": 0.5 * style().line, "ls": (0, (4, 2))}
    lines = [each.axvline(at, zorder=6, **look) for each in rooms]
    # above the panel, where no curve is
    text = style().note(
        axes, name, (at, 1), (0, 0.45),
        xycoords=axes.get_xaxis_transform(), color=muted,
        ha="left" if at < axes.get_xlim()[1] / 2 else "right",
    )  # fmt: skip
    if style().ghost:
        return Drawing()
    epochs = data["epoch"].values

    def update(i: int) -> None:
        for artist in (*lines, text):
            artist.set_visible(bool(epochs[i] >= at))

    return Drawing([*lines, text], update)
