"""One track for all runs of a race: a line a run, a dot where it is first 95% right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.layernorm_addition import _lanes, _loss_scale
from grokviz.scenes.layernorm_addition._lanes import By

from grokviz.media import typefaces
from grokviz.scene import Drawing, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from grokviz.scenes.layernorm_addition._lanes import Lane
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

FEW = 3
"""So many epochs of dots are all written; of more the first and the last."""

ROOM = 1.6
"""How far above and below them an axis of losses goes, as a factor."""

TICKS = (0, 25, 50, 75, 95)
"""Shares in per cent that are marked: the last is where a run has learnt."""


@dataclass(frozen=True)
class Track:
    """All runs of a race in one panel.

    Attributes:
        data: the family.
        lanes: the runs by what trained them.
        by: what their lines are.
        rings: whether a ring marks where a run's test loss is first below 0.1.
        faded: the one name of all runs of another model than the first's, which are then grey;
            empty where each optimiser has its colour and its name.

    """

    data: xr.Dataset
    lanes: Sequence[Lane]
    by: By
    rings: bool = False
    faded: str = ""

    def draw(self, figure: FigureBase, end: float) -> Drawing:
        """The lines of all runs up to that epoch, or to the last where a later one is shown."""
        from matplotlib.ticker import LogLocator

        names, tints = self._names(end), self._tints()
        bold = [typefaces.width(line, weight=600) for name in names for line in name.splitlines()]
        small, side = style().small / style().points, 2.0 if style().slide else 1.0
        axes = style().panels(
            figure, left=4.6, right=small * (max(bold) + 0.5) + side, top=2.8
        )[0][0]  # fmt: skip
        loss = self.by == "loss"
        panel = _Panel(
            axes, self.data, self._curves(names, tints), log=loss, end=end, phases="none",
            ylabel="test loss (nats)" if loss else "test accuracy (%)",
            ylim=None if loss else (-3, 103), yticks=None if loss else TICKS,
        )  # fmt: skip
        axes.xaxis.get_major_locator().set_params(steps=[1, 2, 5, 10])
        if loss:
            axes.yaxis.set_major_locator(LogLocator(numticks=6))
        else:
            axes.axhline(100 * _lanes.ACCURATE, color=style().colours.faint,
                         lw=0.4 * style().line, zorder=1)  # fmt: skip
        marks = [self._marks(axes, lane) for lane in self.lanes]
        return Drawing.of(
            panel.along(self.data["epoch"]), *marks,
            _epochs_above(axes, self.data, self.lanes, tints),
        )  # fmt: skip

    def _tints(self) -> dict[str, str]:
        """The colour of each optimiser."""
        names = list(dict.fromkeys(lane.name for lane in self.lanes))
        return dict(zip(names, style().colours.frequencies * len(names), strict=False))

    def _curves(self, names: Sequence[str], tints: dict[str, str]) -> dict[str, panels.Curve]:
        """A line for each run, dashed without LayerNorm; one of a lane carries its name."""
        runs: dict[str, panels.Curve] = {}
        for lane, name in zip(self.lanes, names, strict=True):
            grey = name == self.faded
            dashed = lane.model != self.lanes[0].model
            # the grey ones have one name between them
            named = not (grey and name in runs)
            # of two lanes with one name both have their lines
            while name in runs:
                name += " "
            for n, member in enumerate(lane.members):
                key = name if named and n == (len(lane.members) - 1) // 2 else f"_{name} {n}"
                tint = style().colours.muted if grey else tints[lane.name]
                runs[key] = panels.Curve(*self.values(member), tint, dashed)
        return runs

    def _names(self, end: float) -> list[str]:
        """What each lane is called beside its lines, and how many of one that does not learn do."""
        models = {lane.model for lane in self.lanes}
        names = []
        for lane in self.lanes:
            if self.faded and lane.model != self.lanes[0].model:
                names.append(self.faded)
                continue
            lines = [lane.name.replace(", ", ",\n")]
            if len(models) > 1 and not self.faded:
                lines.append(_lanes.model_name(lane.model))
            if not lane.learns:
                came = sum(0 <= at <= end for at in lane.accurate)
                lines.append(f"95% right: {came or 'none'}" + (
                    f" of {len(lane.members)}" if came else ""))  # fmt: skip
            names.append("\n".join(lines))
        return names

    def values(self, member: int) -> tuple[np.ndarray, np.ndarray]:
        """Epochs and test losses, or accuracies in per cent, of one run.

        Between those that were measured it has the moments of the film on straight lines, so that
        the lines go along with it.
        """
        if self.by == "loss":
            x, y = _loss_scale.losses(self.data, member)
        else:
            x, y = _lanes.accuracy(self.data, member)
            y = 100 * y
        if not len(x) or (self.by == "loss" and not (np.isfinite(y) & (y > 0)).all()):
            return x.astype(float), y
        moments = self.data["epoch"].values
        between = moments[(moments >= x[0]) & (moments <= x[-1])]
        all_x = np.union1d(x, between).astype(float)
        if self.by == "loss":
            return all_x, np.exp(np.interp(all_x, x, np.log(y)))
        return all_x, np.interp(all_x, x, y)

    def _marks(self, axes: Axes, lane: Lane) -> Drawing:
        """A dot where each run of a lane is first 95% right, and a ring at its loss of 0.1."""
        size, colours, ghost = 0.5 * style().points, style().colours, style().ghost
        look: dict[str, Any] = {"mec": colours.background, "mew": 0.25 * style().line}
        kinds = [(lane.accurate, {**look, "color": colours.ink, "ms": size, "zorder": 9})]
        if self.rings:
            ring = {"mfc": colours.background, "mec": colours.ink, "mew": 0.5 * style().line}
            kinds.append((lane.low, {**ring, "ms": 1.4 * size, "zorder": 8}))
        drawn: list[tuple[np.ndarray, np.ndarray, Any]] = []
        for epochs, kind in kinds:
            runs = zip(epochs, map(self.values, lane.members), strict=True)
            known = [(at, np.interp(at, *run)) for at, run in runs if at >= 0 and len(run[0])]
            x, y = np.array(known, float).reshape(-1, 2).T
            drawn.append((x, y, axes.plot([], [], "o", clip_on=False, **kind)[0]))
        moments = self.data["epoch"].values.astype(float)

        def update(i: int) -> None:
            last = axes.get_xlim()[1]
            for x, y, marks in drawn:
                seen = x <= (last if ghost else min(moments[i], last))
                marks.set_data(x[seen], y[seen])

        return Drawing([marks for _, _, marks in drawn], update)


class _Panel(panels.CurvePanel):
    """The panel of a race, whose losses are those up to the end of its time axis."""

    def _end_at(self, end: float) -> None:
        if self.log and self.curves:
            seen = np.concatenate([curve.y[curve.x <= end] for curve in self.curves.values()])
            seen = seen[np.isfinite(seen) & (seen > 0)]
            if len(seen):
                self.axes.set_ylim(seen.min() / ROOM, seen.max() * ROOM)
        super()._end_at(end)


def _epochs_above(
    axes: Axes, data: xr.Dataset, lanes: Sequence[Lane], tints: dict[str, str]
) -> Drawing:
    """The epochs of the dots, each written above its dot in the colour of its line.

    Where they have no room above their dots there is one text for each lane.
    """
    ghost, moments, word = style().ghost, data["epoch"].values.astype(float), clocks.word(data)
    em = style().pixels(axes, style().small) / max(axes.bbox.width, 1)
    end = axes.get_xlim()[1]

    def row(until: float, *, split: bool) -> list[tuple[float, float, str, Lane]]:
        """Places, widths and words of the texts of the dots up to an epoch."""
        texts = []
        for lane in lanes:
            seen = [at for at in lane.accurate if 0 <= at <= until]
            for some in by_epoch(seen) if split else [seen] if seen else []:
                words = epochs_in_words(some, len(lane.members), word)
                wide = em * (typefaces.width(words, weight=600) + 1)
                texts.append((float(np.mean(some)) / end, wide, words, lane))
        return sorted(texts, key=lambda text: text[0])

    def places(texts: Sequence[tuple[float, float, str, Lane]]) -> list[float]:
        """Where the texts stand, pushed apart; the last may be above the end of the axis."""
        high = 1 + max([wide for _, wide, _, _ in texts[-1:]], default=0.0) / 2
        return pushed_apart([at for at, *_ in texts], [wide for _, wide, *_ in texts], 0, high)

    whole = row(end, split=True)
    split = all(
        abs(place - at) < wide / 2
        for place, (at, wide, *_) in zip(places(whole), whole, strict=True)
    )  # fmt: skip
    notes = [
        style().note(axes, "", (0, 1), (0, 1.1), ha="center", fontweight="bold")
        for _ in row(end, split=split)
    ]

    def update(i: int) -> None:
        texts = row(end if ghost else min(float(moments[i]), end), split=split)
        for note in notes[len(texts) :]:
            note.set_text("")
        for note, (_, _, words, lane), place in zip(notes, texts, places(texts), strict=False):
            note.set(text=words, color=style().colours.words(tints[lane.name]))
            note.xy = (place, 1)

    return Drawing(notes, update)


def by_epoch(epochs: Sequence[int]) -> list[list[int]]:
    """The same epochs together, in order; of more than :data:`FEW` different ones all in one."""
    each = list(dict.fromkeys(epochs))
    return [list(epochs)] if len(each) > FEW else [[at] * epochs.count(at) for at in each]


def epochs_in_words(epochs: Sequence[int], count: int, word: str) -> str:
    """The epochs of some of so many runs in order, or of many the first and the last."""
    if not epochs:
        return ""
    first, last = epochs[0], epochs[-1]
    if len(epochs) > 1 and first == last:
        share = f"all {count}" if len(epochs) == count else f"{len(epochs)} of {count}"
        return f"{word} {first:,} ({share})"
    if len(epochs) > FEW:
        return f"{word}s {first:,}\u2013{last:,}"
    return f"{word}{'' if len(epochs) == 1 else 's'} {', '.join(f'{at:,}' for at in epochs)}"
