"""The cliff of figure 24: on fresh data the loss falls while the induction heads form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks, _ridges
from grokviz.scenes.any._papers import after
from grokviz.scenes.repeated_subsequence._induction import (
    HEADS,
    RISE,
    HeadsBelowLoss,
    head_of,
    kind_colours,
)

from grokviz.scene import Claim, Drawing, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.drawing import Part
from grokviz.scene.spoken import in_words

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


HIGH = 2.2
"""How high the hill of the loss is at most, in rows."""

RISES = 0.86
"""How high a head's hill is where all of its attention goes there."""

MOST = 6
"""So many heads have a row of their own, where each has."""

TALL = 2.0
"""How high the hills of several heads are that stand on one row, by that of one."""

RISING = "In colour the heads whose score rises by a quarter or more as the loss falls."


@dataclass(frozen=True)
class InductionPhaseChange(HeadsBelowLoss):
    """The hill of the loss on fresh data, and below it a hill for each head that takes it down."""

    name = "induction-phase-change"
    panels = ("heads", "pattern", "loss")
    title = "The loss falls at once, as heads learn to look back for what comes next"
    watch = "Blue: how much each head, at the second A of A B \u2026 A, looks back at B"
    source = "arXiv:2301.05217, figure 24; thread, tweet 2"
    recipe = "repeated-subsequence"
    reference = "repeated-subsequence"
    paper_figures = {"24": {}}  # noqa: RUF012

    together: bool = option(True, "the heads that learn it on one row, over one another")

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
        if after - before < RISE:
            shares = f"from {100 * before:.0f}% to {100 * after:.0f}%"
            falls = f"The loss falls from {high:.2g} to {low:.2g}"
            return Claim.instead(f"{falls}; head {self.head(data)}'s induction goes {shares}")
        numbers = {"high": high, "low": low, "before": before, "after": after}
        count = len(self.alike(data)) + 1
        heads = f"{in_words(count, most=8)} heads learn" if count > 1 else "a head learns"
        sentence = f"The loss falls as {heads} to look back for what comes next"
        return Claim(sentence, self.watch, numbers=numbers | {"heads": count})

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Hills of the loss and the heads, where data are fresh; else curves in two panels."""
        if data.sizes["tested_epoch"]:
            return super().draw(figure, data)
        (loss,) = changes.losses(data).values()
        finite = loss.y[np.isfinite(loss.y) & (loss.y > 0)]
        top, low = (float(finite.max()), float(finite.min())) if finite.size else (1.0, 0.1)
        high = HIGH * _ridges.height(loss.y, top, low=low if self.loss == "log" else None)
        heads = self._heads(data)
        narrow, end, fall_span = style().narrow(figure), changes.end(data), changes.fall(data)
        axes = style().panels(figure, left=5.8 if narrow else 7.6, right=3.6, top=1.6)[0][0]
        several = self._several(heads)
        lower = len(heads) - max(several - 1, 0)
        first = HIGH + 0.35 + (TALL if several else 1)
        _ridges.frame(axes, end, first + lower - 1, 0.5, time=self.time)
        axes.set_xlabel(clocks.word(data))
        rows = [HIGH, *[first] * several, *(first + n for n in range(bool(several), lower))]
        hills = [_ridges.Ridge(axes, loss.x, high, rows[0], loss.colour)]
        epochs, marks = data["epoch"].values.astype(float), list[_marks.Mark]()
        for moment in self.moments(data):
            y = rows[0] - float(np.interp(moment, loss.x, np.nan_to_num(high)))
            number = f"{changes.loss_near(data, moment):.2g}"
            marks.append(_marks.Mark(moment, y, number, loss.colour, "left", 0.9))
        for n, (row, (_, values, colour)) in enumerate(zip(rows[1:], heads, strict=True)):
            rise = RISES * (TALL if n < several else 1)
            if not n:
                _ridges.levels(axes, [row - rise], "100%")
            hills.append(_ridges.Ridge(axes, epochs, rise * values, row, colour))
            for moment in self.moments(data)[1:]:
                share = float(np.interp(moment, epochs, np.nan_to_num(values)))
                # on one row the highest is first, and has the number of all
                if colour != style().colours.faint and not 0 < n < several:
                    of = heads[:several] if n < several else [heads[n]]
                    y = row - rise * share
                    words = _range(of, moment, epochs)
                    marks.append(_marks.Mark(moment, y, words, colour, "left", 0.9))
        apart = heads[max(several - 1, 0) :]
        names = ["loss", *(name for name, *_ in apart)]
        if several:
            names[1] = f"{in_words(several, most=8)} heads"
        tints = [loss.colour, *(style().colours.words(colour) for *_, colour in apart)]
        _ridges.name_rows(axes, names, tints, [rows[0], *rows[1 + max(several - 1, 0) :]])
        parts: list[Part] = [
            Drawing(hill.moving, lambda i, hill=hill: hill.update(epochs[i])) for hill in hills
        ]
        parts.append(Drawing((), lambda i: _ridges.reach(axes, max(end, epochs[i]))))
        if fall_span is not None:
            parts.append(_shade(axes, fall_span, epochs))
        return Drawing.of(*parts, _marks.draw(axes, marks, epochs))

    def _several(self, heads: Sequence[tuple[str, np.ndarray, str]]) -> int:
        """How many of the rows of heads stand on the first; 0 where each has its own."""
        count = sum(colour == kind_colours()["induction"] for *_, colour in heads)
        return count if self.together and count > 1 else 0

    def _heads(self, data: xr.Dataset) -> list[tuple[str, np.ndarray, str]]:
        """Name, scores and colour of each row of heads."""
        scores, colours = data["induction_score"].values.astype(float), kind_colours()
        best = head_of(data, "induction", self.induction_head)
        shown = sorted({best, *self.alike(data)})
        if self.together and self.moments(data):
            # the highest behind the others
            at = int(np.abs(data["epoch"].values - self.moments(data)[1]).argmin())
            known = np.nan_to_num(scores[at])
            shown = sorted(shown, key=lambda head: (-known[head], head))
        else:
            shown = shown[:MOST]
        rows = [
            (f"head {layer}.{number}", scores[:, layer, number], colours["induction"])
            for layer, number in shown
        ]
        rest = [at for at in np.ndindex(*scores.shape[1:]) if at not in shown]
        if self.others and rest:
            highest = np.max([np.nan_to_num(scores[:, *at]) for at in rest], axis=0)
            rows.append(("best other", highest, style().colours.faint))
        if len(self.wanted()) > 1:
            layer, number = head_of(data, "previous token", self.previous_head)
            back = data["previous_token_score"].values[:, layer, number].astype(float)
            rows.append((f"{layer}.{number}: one back", back, colours["previous token"]))
        return rows

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


def _range(heads: Sequence[tuple[str, np.ndarray, str]], moment: float, epochs: np.ndarray) -> str:
    """The lowest and the highest score of some heads at a moment: "62-71%"."""
    shares = [float(np.interp(moment, epochs, np.nan_to_num(values))) for _, values, _ in heads]
    low, high = (round(100 * share) for share in (min(shares), max(shares)))
    return f"{high}%" if low == high else f"{low}\u2013{high}%"


def _shade(axes: Axes, fall_span: tuple[float, float], epochs: np.ndarray) -> Drawing:
    """The fall of the loss through all rows, named above them; in films once it is over."""
    colours = style().colours
    tint = panels.see_through(colours.phases[2], colours.background)
    band = axes.axvspan(*fall_span, color=tint, lw=0, zorder=0)
    name = style().note(
        axes, "80% of the loss's fall", (sum(fall_span) / 2, 1), (0, 0.4),
        ha="center", color=colours.muted, xycoords=axes.get_xaxis_transform(),
    )  # fmt: skip

    return panels.shown_from([band, name], epochs, fall_span[1])
