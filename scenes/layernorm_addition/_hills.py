"""A lane for every optimiser of a race, with a hill for each of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _ridges
from grokviz.scenes.layernorm_addition import _lanes, _loss_scale
from grokviz.scenes.layernorm_addition._lanes import By

from grokviz.scene import Drawing, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from grokviz.scenes.layernorm_addition._lanes import Lane
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

APART = 0.9
"""Room between the lanes of two models, in lanes."""

HIGH = 0.86
"""How high a run that is always right stands, in lanes."""


@dataclass(frozen=True)
class Hills:
    """The lanes of a race below one another.

    Attributes:
        data: the family.
        lanes: those that are drawn.
        by: what the hills are.
        rings: whether a ring marks where a run's test loss is first below 0.1.

    """

    data: xr.Dataset
    lanes: Sequence[Lane]
    by: By
    rings: bool = False

    def draw(self, figure: FigureBase, end: float) -> Drawing:
        """All lanes on one time axis that ends there."""
        every, narrow = self.lanes, style().narrow(figure)
        # a narrow column has no room for long words beside the hills
        split = ",\n" if narrow else ", "
        names = [lane.name.replace(", ", split) for lane in every]
        words = [lane.result.replace(", ", split) for lane in every]
        axes = style().panels(
            figure, left=0.45 * _widest(names) + (1.4 if narrow else 4.2),
            right=0.42 * _widest(words) + (1.2 if narrow else 2.0), top=1.5,
        )[0][0]  # fmt: skip
        depths = [self._depth(lane) for lane in every]
        rows = _rows(every, depths)
        _ridges.frame(axes, end, rows[-1] + depths[-1], 1.0, time="log")
        colours = style().colours
        firsts = [_lanes.winner(some) for some in _lanes.by_model(list(every)).values()]
        inks = [colours.ink if lane in firsts else colours.muted for lane in every]
        _ridges.name_rows(axes, names, inks, rows)
        axes.set_xlabel(clocks.word(self.data))
        self._headings(axes, rows)
        parts = [self._lane(axes, lane, row) for lane, row in zip(every, rows, strict=True)]
        epochs = self.data["epoch"].values.astype(float)
        results = [
            style().note(
                axes, text, (1, row), (0.5, 0), va="bottom", color=ink,
                fontweight="bold" if lane in firsts else "normal",
                xycoords=axes.get_yaxis_transform(),
            )
            for lane, text, row, ink in zip(every, words, rows, inks, strict=True)
        ]  # fmt: skip
        style().note(axes, "95% right at", (1, rows[0] - HIGH), (0.5, 0.35), va="bottom",
                     color=colours.muted, xycoords=axes.get_yaxis_transform())  # fmt: skip
        marker = panels.Marker.draw(axes)
        ghost = style().ghost

        def update(i: int) -> None:
            for part in parts:
                part.update(i)
            for text, lane in zip(results, every, strict=True):
                text.set_visible(ghost or epochs[i] >= _settled(lane))
            marker.update(float(epochs[i]))

        return Drawing([[p.moving for p in parts], results, marker.line], update)

    def scale(self) -> _loss_scale.LossScale:
        """The scale of the runs that are drawn."""
        curves = [_loss_scale.losses(self.data, m)[1] for lane in self.lanes for m in lane.members]
        return _loss_scale.LossScale.of([losses for losses in curves if len(losses)])

    def watch(self) -> str:
        """What to watch, in a line."""
        if self.by == "loss":
            return self.scale().watch()
        return "A hill is one run's share of right answers; a dot marks its first 95%"

    def heights(self, member: int) -> tuple[np.ndarray, np.ndarray]:
        """How high a run stands at each of its test epochs, from 0 to 1; below 0 it is a pit."""
        x, right = _lanes.accuracy(self.data, member)
        if self.by == "accuracy":
            return np.maximum(x, 1).astype(float), right
        x, losses = _loss_scale.losses(self.data, member)
        return np.maximum(x, 1).astype(float), self.scale().heights(losses)

    def _lane(self, axes: Axes, lane: Lane, row: float) -> Drawing:
        """The hills of a lane's runs, the last to learn in front, their marks and their end."""
        hills, epochs, colours = [], self.data["epoch"].values.astype(float), style().colours
        for n, (member, at, stays) in enumerate(
            zip(lane.members, lane.accurate, lane.stays, strict=True)
        ):
            x, heights = self.heights(member)
            if not len(x):
                continue
            colour = colours.test if at >= 0 and stays else colours.faint
            hills.append(_ridges.Ridge(axes, x, HIGH * heights, row + 1e-3 * n, colour))
        over = self._over(axes, lane, row)
        size, top = 0.42 * style().points, row - HIGH
        at = np.array([e for e in lane.accurate if e >= 0], float)
        low = np.array([e for e in lane.low if e >= 0 and self.rings], float)
        ink, ground = colours.ink, colours.background
        (rings,) = axes.plot([], [], "o", ms=0.9 * size, mfc=ground, mec=ink,
                             mew=0.5 * style().line, zorder=8)  # fmt: skip
        (dots,) = axes.plot([], [], "o", color=ink, ms=size, mec=ground, mew=0.25 * style().line,
                            zorder=9)  # fmt: skip
        ghost = style().ghost

        def update(i: int) -> None:
            for hill in hills:
                hill.update(epochs[i])
                if hill.level is not None:
                    hill.level.set_visible(epochs[i] < hill.x[-1])
            for text in over:
                text.set_visible(ghost or epochs[i] >= lane.last)
            for marks, where, y in ((dots, at, top), (rings, low, top)):
                seen = where[where <= (np.inf if ghost else epochs[i])]
                marks.set_data(seen, np.full(len(seen), y))

        return Drawing([*(hill.moving for hill in hills), rings, dots, over], update)

    def _over(self, axes: Axes, lane: Lane, row: float) -> list[Any]:
        """Where the runs of a lane end, beside their hills, if there is room for it."""
        text = f"ends at {lane.last:,}"
        if not lane.learns:
            ends = [float(_lanes.accuracy(self.data, member)[1][-1]) for member in lane.members]
            least, most = (percent(share) for share in (min(ends), max(ends)))
            text += f", {most} right" if least == most else f", {least[:-1]}\u2013{most} right"
        low, high = np.log(axes.get_xlim())
        em = style().pixels(axes, style().small) / max(axes.bbox.width, 1)
        if (high - np.log(max(lane.last, 1))) / (high - low) < 0.5 * em * (len(text) + 1):
            return []
        note = style().note(
            axes, text, (lane.last, row), (0.4, 0), xycoords="data", va="bottom",
            color=style().colours.muted,
        )  # fmt: skip
        return [note]

    def _depth(self, lane: Lane) -> float:
        """How far the deepest of a lane's runs lies below its row, in lanes."""
        if self.by == "accuracy":
            return 0.0
        heights = [self.heights(member)[1] for member in lane.members]
        return HIGH * max(0.0, -min(float(one.min(initial=0)) for one in heights))

    def _headings(self, axes: Axes, rows: list[float]) -> None:
        """What each group of lanes has in common, above its first lane."""
        models = [lane.model for lane in self.lanes]
        if len(set(models)) < 2:
            return
        for model in dict.fromkeys(models):
            style().note(
                axes, _lanes.model_name(model), (0, rows[models.index(model)] - HIGH), (0.3, 0.35),
                va="bottom", color=style().colours.muted, fontweight="bold", zorder=9,
                xycoords=axes.get_yaxis_transform(),
            )  # fmt: skip


def _widest(texts: list[str]) -> int:
    """Letters of the longest line."""
    return max(len(line) for text in texts for line in text.splitlines())


def _rows(every: Sequence[Lane], depths: list[float]) -> list[float]:
    """The row of each lane, with room for what lies below it and where another model begins."""
    rows: list[float] = []
    for lane, before, depth in zip(every, [None, *every], [0.0, *depths], strict=False):
        gap = 0.0 if before is None or before.model == lane.model else APART
        rows.append(rows[-1] + depth + 1 + gap if rows else 0.0)
    return rows


def _settled(lane: Lane) -> float:
    """The epoch from which a film may say a lane's result."""
    return float(max(lane.accurate)) if lane.learns else float(lane.last)
