"""Inside a race: how large the weights grow, where they are pushed, and how many waves remain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.layernorm_addition import _lanes, _ways
from grokviz.scenes.layernorm_addition._ways import VARIABLES, Quantity, Way

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

APART = 1.2
"""So many times as large, weights are of another size."""

FINE = 200
"""Moments at which a median is taken."""

NAMED = 0.7
"""From which share of the time axis on a name stands above its line."""

HEADINGS: dict[Quantity, str] = {
    "norm": "norm of the hidden weights", "cosine": "step along the weights",
    "waves": "waves in the embedding",
}  # fmt: skip


@dataclass(frozen=True)
class RaceInside(Scene):
    """Three panels over a run's own time: norm, direction of the updates, waves."""

    name = "race-inside"
    title = "Muon learns with larger weights and more waves than AdamW"
    watch = "Every run's clock says 1 when it is first 95% right; thick lines are medians"
    source = "arXiv:2501.04697; PeterPonyu/muon-norm-cap-grokking"
    needs = (*_lanes.NEEDS, "member_kept_epoch", *VARIABLES.values())
    recipe = "layernorm-addition"
    reference = "race"
    aspect = 1.8
    narrow_aspect = 0.62
    ends_with_film = True

    model: str = option("", "task of the runs; that with LayerNorm where there is any")
    every: bool = option(False, "all optimisers that learn, not only the first and AdamW")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless there is a run with weights and accuracies."""
        super().check(data)
        if not _ways.ways(data, ""):
            raise InputError(
                f"{cls.name} draws the weights of runs that learn; give a family of such runs"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How far apart norms and waves are at which the runs have learnt."""
        ways = self._drawn(data)
        if not _ways.learnt(ways):
            sentence = "None of these optimisers learns, and keeps what it has learnt"
            return Claim.instead(sentence, "Thick lines are medians of runs")
        sizes, waves = (
            {
                name: [way.at_learning(what) for way in some]
                for name, some in _ways.named(ways).items()
            }
            for what in ("norm", "waves")
        )
        large = max(sizes, key=lambda name: (min(sizes[name]), name))
        small = min(sizes, key=lambda name: (max(sizes[name]), name))
        every = [size for some in sizes.values() for size in some]
        numbers = {"smallest": min(every), "largest": max(every), "optimisers": len(sizes),
                   "fewest waves": min(map(min, waves.values())),
                   "most waves": max(map(max, waves.values()))}  # fmt: skip
        if min(sizes[large]) > APART * max(sizes[small]) and min(waves[large]) > max(waves[small]):
            sentence = f"{large} learns with larger weights and more waves than {small}"
            return Claim(sentence, self.watch, sentence == self.title, numbers)
        sentence = (
            f"{len(sizes)} optimisers learn the same sums, with weights of norm {min(every):.1f} "
            f"to {max(every):.1f}"
            if len(sizes) > 1
            else f"{large} learns with weights of norm {min(every):.1f} to {max(every):.1f}"
        )
        return Claim.instead(sentence, self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The three panels, beside one another where there is room."""
        stacked = style().stacks(figure)
        three = style().beside(figure, (1, 1, 1), (1, 1, 1), left=4.2, right=2.0, top=2.0,
                               bottom=3.6, gap=3.4, vgap=2.4)  # fmt: skip
        ways = self._drawn(data)
        drawn = [_Panel(axes, what, ways) for axes, what in zip(three, VARIABLES, strict=True)]
        if stacked:
            panels.without_time(*three[:2])
        words = "epoch, in units of the first 95% right" if _ways.learnt(ways) else "epoch"
        three[-1 if stacked else 1].set_xlabel(words)
        for panel in (drawn[0], drawn[2]):
            panel.name_lines()
        if _ways.learnt(ways):
            style().note(
                three[0],
                "95% right",
                (1, 0),
                (0.35, 0.6),
                xycoords=("data", "axes fraction"),
                color=style().colours.words(style().colours.answer),
            )
        epochs = data["epoch"].values.astype(float)

        def update(i: int) -> None:
            for panel in drawn:
                panel.update(float(epochs[i]))

        return Drawing([*(panel.moving for panel in drawn)], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """Norm, step and waves of each run at that moment."""
        epoch, words = int(data["epoch"].values[i]), []
        for way in self._drawn(data):
            k = way.index(epoch)
            cosine = way.values["cosine"][k]
            step = f", step along the weights {cosine:+.2f}" if np.isfinite(cosine) else ""
            words.append(
                f"{way.lane.name}: norm {way.values['norm'][k]:.1f}{step}, waves "
                f"{way.values['waves'][k]:.1f}"
            )
        return (
            "Three panels of the norm of the hidden weights, the cosine between them and their "
            f"next step, and the waves in the embedding, up to epoch {epoch:,}. "
            f"{'; '.join(words)}."
        )

    def about(self, data: xr.Dataset) -> str:
        """With the number of runs that are drawn, where some are left out."""
        drawn, every = len(self._drawn(data)), data.sizes["member"]
        more = f", {drawn} of them drawn" if drawn < every else ""
        return f"{super().about(data)}{more}"

    def definition(self, data: xr.Dataset) -> str:
        """What the axes are, and the citation."""
        return (
            "Hidden weights: all matrices that are not embeddings. Step along the weights: cosine "
            "between them and what is added to them up to the next of at most 40 checkpoints; at "
            "0 they only turn. Waves: participation ratio of the squared norms of all frequencies "
            "in the embedding, 1 where one is left. Thin lines are runs, each a seed of its own. "
            f"{self._left_out(data)}After {self.source}."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until the last run has come to the end of the axes."""
        ways = self._drawn(data)
        return 0, max(min(float(way.epochs[-1]), _ways.end(ways) * way.unit) for way in ways)

    def _drawn(self, data: xr.Dataset) -> list[Way]:
        """The ways that are drawn: those of the first optimiser and of AdamW, or of the second."""
        ways = _ways.ways(data, self.model)
        learnt = _ways.learnt(ways)
        if self.every or not learnt:
            return learnt or ways
        names = list(_ways.named(sorted(learnt, key=lambda way: max(way.lane.accurate))))
        other = [name for name in names if name == "AdamW"] or names[1:]
        if other[:1] == names[:1]:
            other = names[1:]
        shown = {*names[:1], *other[:1]}
        return [way for way in learnt if way.lane.name in shown]

    def _left_out(self, data: xr.Dataset) -> str:
        """The optimisers that are not drawn, in words."""
        drawn, ways = _ways.named(self._drawn(data)), _ways.ways(data, self.model)
        learn = _ways.named(_ways.learnt(ways))
        out = [name for name in _ways.named(ways) if name not in drawn]
        texts = (
            ("Left out: ", [name for name in out if name in learn]),
            ("Left out, as not every run learns: ", [name for name in out if name not in learn]),
        )
        return "".join(f"{words}{'; '.join(names)}. " for words, names in texts if names)


class _Panel:
    """One quantity of all runs, and the median of each optimiser."""

    def __init__(self, axes: Axes, what: Quantity, ways: Sequence[Way]) -> None:
        self.axes = axes
        current, end = style(), _ways.end(ways)
        named = _ways.named(ways)
        tints = current.colours.frequencies * len(named)
        self.runs: list[tuple[float, panels.Trace]] = []
        self.medians: dict[str, _Median] = {}
        for (name, some), colour in zip(named.items(), tints, strict=False):
            for way in some:
                curve = panels.Curve.of(way.epochs / way.unit, way.values[what], colour)
                self.runs.append((way.unit, _thin(curve.draw(axes))))
            self.medians[name] = _Median(axes, some, what, colour)
        axes.set_xlim(0, end)
        _scale(axes, what, ways)
        if _ways.learnt(ways):
            axes.axvline(1, color=current.colours.answer, lw=0.5 * current.line, zorder=1)
        axes.grid(visible=False)
        current.note(axes, HEADINGS[what], (0, 1), (0, 0.7), fontweight="bold",
                     color=current.colours.ink)  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        """All lines."""
        medians = [median.moving for median in self.medians.values()]
        return [*(trace.moving for _, trace in self.runs), *medians]

    def update(self, epoch: float) -> None:
        """Draw up to an epoch, of each run as far as its own clock has come."""
        for unit, trace in self.runs:
            trace.update(epoch / unit)
        for median in self.medians.values():
            median.update(epoch)

    def name_lines(self) -> None:
        """Each optimiser's name in its colour, above or below the end of its median."""
        low, high = self.axes.get_ylim()
        end = self.axes.get_xlim()[1]
        em = style().pixels(self.axes, style().small) / max(self.axes.bbox.height, 1)
        order = sorted(self.medians, key=lambda name: (self.medians[name].last, name))
        wanted = [(self.medians[n].top - low) / (high - low) + 0.9 * em for n in order]
        places = pushed_apart(wanted, [1.3 * em] * len(order), 0, 1)
        for name, place in zip(order, places, strict=True):
            style().label(
                self.axes, 0.98 * end, low + place * (high - low), name, ha="right", va="center",
                color=style().colours.words(self.medians[name].colour), zorder=8,
            )  # fmt: skip


class _Median:
    """The median of an optimiser's runs, each on its own clock."""

    def __init__(self, axes: Axes, ways: Sequence[Way], what: Quantity, colour: str) -> None:
        self.axes, self.colour = axes, colour
        # it is known as far as its slowest run has come
        self.unit = max(way.unit for way in ways)
        end = min(float(way.epochs[-1]) / way.unit for way in ways)
        x = np.linspace(0, end, FINE)
        rows = [np.interp(x, way.epochs / way.unit, way.values[what]) for way in ways]
        y = np.median(rows, axis=0)
        known = np.isfinite(y)
        self.x, self.y = x[known], y[known]
        self.highest = np.max(rows, axis=0)[known]
        self.last = float(self.y[-1]) if known.any() else 0.0
        self.trace = panels.Curve.of(self.x, self.y, colour).draw(axes)
        for line in self.trace.lines:
            line.set(lw=1.5 * style().line, zorder=4, solid_joinstyle="round")
        self.level = None
        if not style().ghost:
            # without what is to come the first picture of a film would be all but empty
            (self.level,) = axes.plot(
                [], [], color=colour, lw=0.4 * style().line, ls=(0, (1, 3)), zorder=1.5
            )

    @property
    def top(self) -> float:
        """The highest value of a run near its end, where its name stands."""
        end = self.axes.get_xlim()[1]
        near = (self.x > NAMED * end) & (self.x <= end)
        return float(self.highest[near].max()) if near.any() else self.last

    @property
    def moving(self) -> list[Any]:
        """The line, and in films the level that it has come to."""
        return [self.trace.moving, [] if self.level is None else [self.level]]

    def update(self, epoch: float) -> None:
        """Draw up to an epoch."""
        now = epoch / self.unit
        self.trace.update(now)
        if self.level is not None and len(self.x):
            y = float(np.interp(now, self.x, self.y))
            self.level.set_data([min(now, self.x[-1]), self.axes.get_xlim()[1]], [y, y])


def _thin(trace: panels.Trace) -> panels.Trace:
    """A run's line, thinner than a median and without a head."""
    for line in trace.lines:
        line.set(lw=0.4 * style().line, alpha=0.5)
    if trace.head is not None:
        trace.head.set_visible(False)
    return trace


def _scale(axes: Axes, what: Quantity, ways: Sequence[Way]) -> None:
    """The limits and ticks of a quantity."""
    from matplotlib.ticker import MaxNLocator

    colours = style().colours
    end = _ways.end(ways)
    parts = [way.values[what][way.epochs <= end * way.unit] for way in ways]
    top = float(np.nanmax(np.concatenate(parts)))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if what != "cosine":
        axes.set_ylim(0, 1.12 * top)
        axes.yaxis.set_major_locator(MaxNLocator(4))
        return
    axes.set_ylim(-1.1, 1.1)
    axes.set_yticks([-1, 0, 1])
    axes.axhline(0, color=colours.faint, lw=0.5 * style().line, zorder=0.5)
    for y, words in ((1, "growing"), (-1, "shrinking")):
        style().note(axes, words, (1, y), (-0.3, 0), ha="right", va="center", color=colours.muted,
                     xycoords=axes.get_yaxis_transform())  # fmt: skip
