"""Inside a race: how large the weights grow, where they are pushed, and how many waves remain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.layernorm_addition import _lanes, _trails, _ways
from grokviz.scenes.layernorm_addition._ways import VARIABLES, Quantity, Way
from jaxtyping import Float

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

APART = 1.2
"""So many times as large, weights are of another size."""

FINE = 200
"""Moments at which a median is taken."""

NAMED = 0.25
"""Over which share of the time axis before its end a line has its name above it."""

NEAR = 1.2
"""A step is averaged over the epochs from this one over that to this one times that."""

LATER = 2
"""Steps are drawn until so many times the epoch of 95% right."""

MEDIANS, DOTS = "Thick lines are medians of runs", "a dot marks where they are first 95% right"
"""What to watch in panels over epochs."""

AFTER = "Each line is one run, thick up to a dot where it first gets 95% of the unseen sums right"
"""What to watch in the plane where its lines go on from the dots."""

HEADINGS: dict[Quantity, str] = {
    "norm": "norm of the hidden weights", "cosine": "direction of the updates",
    "waves": "waves in the embedding",
}  # fmt: skip


@dataclass(frozen=True)
class RaceInside(Scene):
    """Each run's way until it has learnt: how large its weights grow, how many waves are left."""

    name = "race-inside"
    title = "Muon learns with larger weights and more waves than AdamW"
    watch = "Each line is one run, up to a dot where it first gets 95% of the unseen sums right"
    source = "arXiv:2501.04697; PeterPonyu/muon-norm-cap-grokking"
    needs = (*_lanes.NEEDS, "member_kept_epoch", *VARIABLES.values())
    recipe = "layernorm-addition"
    reference = "race"
    aspect = 1.5
    narrow_aspect = 1.0
    aspects = {"updates": {True: (1.8, 0.62)}}  # noqa: RUF012
    ends_with_film = True

    model: str = option("", "task of the runs; that with LayerNorm where there is any")
    every: bool = option(False, "all optimisers that learn, not only the first and AdamW")
    updates: bool = option(
        False, "norms, the direction of the updates and waves side by side, over epochs"
    )

    after: bool = option(False, "what comes after 95% right, too: each run to its end")

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
        watch = f"{MEDIANS}; {DOTS}" if self.updates else self._watch(ways)
        if not _ways.learnt(ways):
            sentence = "None of these optimisers learns, and keeps what it has learnt"
            return Claim.instead(sentence, MEDIANS if self.updates else watch)
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
            steps = {name: [way.grows() for way in some]
                     for name, some in _ways.named(ways).items()}  # fmt: skip
            numbers |= {"step of the larger": min(steps[large]),
                        "step of the smaller": max(steps[small])}  # fmt: skip
            sentence = f"{large} learns with larger weights and more waves than {small}"
            return Claim(sentence, watch, numbers=numbers)
        sentence = (
            f"{len(sizes)} optimisers learn the same sums, with weights of norm {min(every):.1f} "
            f"to {max(every):.1f}"
            if len(sizes) > 1
            else f"{large} learns with weights of norm {min(every):.1f} to {max(every):.1f}"
        )
        return Claim.instead(sentence, watch, **numbers)

    def _watch(self, ways: Sequence[Way]) -> str:
        """What to watch in the plane: its lines and the dots that there are."""
        reached = [way.reached for way in ways]
        if not any(reached):
            return "Each line is one run; a hollow dot is the end of one that is never 95% right"
        watch = AFTER if self.after else self.watch
        return watch if all(reached) else f"{watch}; hollow: never"

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """One plane of norms and waves; with updates a panel for each over epochs."""
        if not self.updates:
            return _trails.draw(figure, data, self._drawn(data), after=self.after)
        stacked, shown = style().stacks(figure), list(VARIABLES)
        even = (1.0,) * len(shown)
        rooms = style().beside(figure, even, even, left=4.2, right=2.0, top=2.0,
                               bottom=3.6, gap=3.4, vgap=2.4)  # fmt: skip
        ways = self._drawn(data)
        drawn = [_Panel(axes, what, ways) for axes, what in zip(rooms, shown, strict=True)]
        if stacked:
            panels.without_time(*rooms[:-1])
        for axes in rooms[-1:] if stacked else rooms:
            axes.set_xlabel(clocks.word(data))
        for what, panel in zip(shown, drawn, strict=True):
            if what != "cosine":
                panel.name_lines()
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
        what = (
            "Panels of the norm of the hidden weights, the cosine between them and their next "
            "step, and the waves in the embedding, over epochs"
            if self.updates
            else "A plane of the norm of the hidden weights and the waves in the embedding, with a "
            "line for each run"
        )
        return f"{what}, up to epoch {epoch:,}. {'; '.join(words)}."

    def about(self, data: xr.Dataset) -> str:
        """With the number of runs that are drawn, where some are left out."""
        lanes = dict.fromkeys(way.lane for way in self._drawn(data))
        return _lanes.about(super().about(data), data, list(lanes))

    def definition(self, data: xr.Dataset) -> str:
        """What the axes are, and the citation."""
        updates = (
            "Direction of the updates: cosine between them and what is added to them up to the "
            "next of at most 40 checkpoints, 0 at right angles; the median of runs alone, averaged "
            f"from epoch / {NEAR} to epoch × {NEAR}, until {LATER} times the epoch of 95% right. "
        )
        dots = (
            "Dots: median epoch of the first 95% right. Thin lines are runs, each a seed of its "
            "own. "
            if self.updates
            else "Each line is one run, a seed of its own. Dots: its first 95% right, with the "
            "epoch. "
        )
        on = "" if self.after else "after=on draws the runs to their ends. "
        more = "" if self.updates else (
            f"{on}updates=on draws both and the updates over epochs. "
        )  # fmt: skip
        return (
            "Hidden weights: all matrices that are not embeddings. "
            f"{updates if self.updates else ''}{dots}Waves: participation ratio of the squared "
            "norms of all frequencies in the embedding: of as many as are equally strong their "
            "number, 1 where one is left. "
            f"{more}{self._left_out(data)}After {self.source}."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until the last run is 95% right, or has come to its end where that is shown."""
        drawn, moments = self._drawn(data), data["epoch"].values.astype(float)
        if self.updates or self.after:
            return 0, _ways.end(drawn)
        last = max(way.stop for way in drawn)
        return 0, float(moments[min(int(np.searchsorted(moments, last)), len(moments) - 1)])

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
            ("Left out: ", [name for name in out if name in learn], "; every=on draws them"),
            ("Left out, as not every run learns: ", [n for n in out if n not in learn], ""),
        )
        return "".join(f"{words}{'; '.join(names)}{how}. " for words, names, how in texts if names)


class _Panel:
    """One quantity, the median of each optimiser and, but for steps, each of its runs."""

    def __init__(self, axes: Axes, what: Quantity, ways: Sequence[Way]) -> None:
        self.axes = axes
        current = style()
        named = _ways.named(ways)
        tints = current.colours.frequencies * len(named)
        axes.set_xscale("log")
        panels.decades(axes)
        axes.set_xlim(panels.FIRST, max(_ways.end(ways), 2 * panels.FIRST))
        self.runs: list[panels.Trace] = []
        self.medians: dict[str, _Median] = {}
        for (name, some), colour in zip(named.items(), tints, strict=False):
            for way in some if what != "cosine" else ():
                x = _moments(float(way.epochs[-1]))
                y = np.interp(x, way.epochs, way.values[what])
                self.runs.append(_thin(panels.Curve.of(x, y, colour).draw(axes)))
            self.medians[name] = _Median(axes, some, what, colour)
        _scale(axes, what, list(self.medians.values()))
        axes.grid(visible=False)
        current.note(axes, HEADINGS[what], (0, 1), (0, 0.7), fontweight="bold",
                     color=current.colours.ink)  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        """All lines and dots."""
        medians = [median.moving for median in self.medians.values()]
        return [*(trace.moving for trace in self.runs), *medians]

    def update(self, epoch: float) -> None:
        """Draw up to an epoch."""
        for trace in self.runs:
            trace.update(epoch)
        for median in self.medians.values():
            median.update(epoch)

    def name_lines(self) -> None:
        """Each optimiser's name in its colour, above the end of its median."""
        low, high = self.axes.get_ylim()
        em = style().pixels(self.axes, style().small) / max(self.axes.bbox.height, 1)
        last = self.axes.get_xlim()[1]
        order = sorted(self.medians, key=lambda name: (self.medians[name].top, name))
        wanted = [(self.medians[n].top - low) / (high - low) + 0.9 * em for n in order]
        places = pushed_apart(wanted, [1.3 * em] * len(order), 0, 1)
        for name, place in zip(order, places, strict=True):
            median = self.medians[name]
            stops = f", to {median.end:,.0f}" if median.end < last else ""
            style().label(
                self.axes, median.end, low + place * (high - low), f"{name}{stops}",
                ha="right", va="center", color=style().colours.words(median.colour), zorder=8,
            )  # fmt: skip


class _Median:
    """The median of an optimiser's runs, and where they are 95% right."""

    def __init__(self, axes: Axes, ways: Sequence[Way], what: Quantity, colour: str) -> None:
        self.axes, self.colour = axes, colour
        learnt = [way.accurate for way in _ways.learnt(ways)]
        accurate = float(np.median(learnt)) if learnt else np.inf
        # it is known as far as the shortest of its runs goes
        end = min(float(way.epochs[-1]) for way in ways)
        x = _moments(end)
        self.rows = np.array([np.interp(x, way.epochs, way.values[what]) for way in ways])
        y = np.median(self.rows, axis=0)
        known = np.isfinite(y)
        if what == "cosine":
            y = _smooth(x, y)
            known &= x <= LATER * accurate
        self.x, self.y, self.rows = x[known], y[known], self.rows[:, known]
        self.trace = panels.Curve.of(self.x, self.y, colour).draw(axes)
        current = style()
        for line in self.trace.lines:
            line.set(lw=1.5 * current.line, zorder=4, solid_joinstyle="round")
        at = [accurate] if known.any() and accurate <= self.x[-1] else []
        self.accurate = np.maximum(at, panels.FIRST)
        (self.dot,) = axes.plot(
            [], [], "o", color=current.colours.ink, ms=0.55 * current.points, zorder=9,
            mec=current.colours.background, mew=0.25 * current.line, clip_on=False,
        )  # fmt: skip
        self.level = None
        if not current.ghost:
            # without what is to come the first picture of a film would be all but empty
            (self.level,) = axes.plot(
                [], [], color=colour, lw=0.4 * current.line, ls=(0, (1, 3)), zorder=1.5
            )

    @property
    def end(self) -> float:
        """The epoch at which its line ends."""
        return float(self.x[-1]) if len(self.x) else self.axes.get_xlim()[1]

    @property
    def top(self) -> float:
        """The highest value of a run near its end, where its name stands."""
        if not len(self.x):
            return 0.0
        first, last = self.axes.get_xlim()
        near = self.x >= self.end * (first / last) ** NAMED
        return float(self.rows[:, near].max())

    @property
    def moving(self) -> list[Any]:
        """The line and its dot, and in films the level that it has come to."""
        return [self.trace.moving, self.dot, [] if self.level is None else [self.level]]

    def update(self, epoch: float) -> None:
        """Draw up to an epoch."""
        self.trace.update(epoch)
        seen = self.accurate[self.accurate <= (np.inf if style().ghost else epoch)]
        self.dot.set_data(seen, np.interp(seen, self.x, self.y) if len(seen) else [])
        if self.level is not None and len(self.x):
            y = float(np.interp(epoch, self.x, self.y))
            now = min(max(epoch, self.x[0]), self.x[-1])
            self.level.set_data([now, self.axes.get_xlim()[1]], [y, y])


def _smooth(
    x: Float[np.ndarray, " moment"], y: Float[np.ndarray, " moment"]
) -> Float[np.ndarray, " moment"]:
    """The mean of all known values from an epoch over :data:`NEAR` to the epoch times it."""
    near = (x[:, None] <= NEAR * x) & (x[:, None] * NEAR >= x) & np.isfinite(y)
    sums: Float[np.ndarray, " moment"] = near @ np.nan_to_num(y)
    return sums / np.maximum(near.sum(axis=1), 1)


def _moments(end: float) -> Float[np.ndarray, " moment"]:
    """Epochs up to an end, evenly spaced on a logarithmic axis."""
    moments: Float[np.ndarray, " moment"] = np.geomspace(
        panels.FIRST, max(end, panels.FIRST + 1), FINE
    )
    return moments


def _thin(trace: panels.Trace) -> panels.Trace:
    """A run's line, thinner than a median and without a head."""
    for line in trace.lines:
        line.set(lw=0.4 * style().line, alpha=0.5)
    if trace.head is not None:
        trace.head.set_visible(False)
    return trace


def _scale(axes: Axes, what: Quantity, medians: Sequence[_Median]) -> None:
    """The limits and ticks of a quantity."""
    from matplotlib.ticker import MaxNLocator

    colours = style().colours
    values = np.concatenate([np.abs(median.rows).ravel() for median in medians])
    top = 1.15 * float(values.max(initial=1e-9))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    if what != "cosine":
        axes.set_ylim(0, top)
        return
    top = 1.4 * max(float(np.abs(median.y).max(initial=1e-9)) for median in medians)
    axes.set_ylim(-top, top)
    axes.axhline(0, color=colours.faint, lw=0.5 * style().line, zorder=0.5)
    for y, words, down in ((1, "along the weights", -0.6), (0, "against them", 0.6)):
        style().note(axes, words, (0, y), (0.5, down), va="top" if y else "bottom",
                     color=colours.muted)  # fmt: skip
