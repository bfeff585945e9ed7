"""Groups by how long they take to be learnt, beside the published ladder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from grokviz.scenes.group_composition import _groups as groups
from grokviz.scenes.group_composition import _ladders as ladders

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene.about import BETWEEN
from grokviz.scene.spoken import capitalised, percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


class _Row(NamedTuple):
    """A group and when its runs had learnt it, ours and the published."""

    group: str
    ours: list[float]
    published: list[float]


OURS, PUBLISHED, THICK = -0.17, 0.2, 0.3
"""Where the bars of a group are, below its middle, and how thick, in rows."""

KEY = {"ours": 0.5, "published": 4.5}
"""Ems from the left to the dot of each word of the key."""

FEW = 4
"""Of so many groups the names have three lines."""


@dataclass(frozen=True)
class Ladder(Scene):
    """A row a group, a dot a run: when it generalised, ours and the published; bars are medians."""

    name = "ladder"
    title = "A5 takes over three times as long to learn as C60 or D30"
    watch = "Each dot is a run; bars end at the median of their runs"
    source = "arXiv:2302.03025"
    needs = ("member_name", "generalised_epoch", "member_fraction")
    wishes = ("accurate_epoch", "member_test_accuracy", "member_group")
    recipe = "group-composition-A5-small"
    reference = "group-ladder-accuracy"
    clock = None
    aspect = 1.7
    narrow_aspect = 0.9

    every: bool = option(False, "groups of every size, not only of that at which ours differ most")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the runs' names say two groups."""
        super().check(data)
        if len(ladders.of_runs(data)) < 2:
            raise InputError(
                f"{cls.name} compares groups and needs runs of at least two, which say their group "
                "by their settings or by a name such as A5-0: give each by --run, or the folder of "
                "a sweep over group, such as grokviz sweep group-composition-S4 --grid "
                "group=C24,D12,S4"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How many times longer the last group took than the first of its size."""
        ours = ladders.of_runs(data)
        factor = ladders.largest_factor(ours)
        numbers = {"factor": factor, "published": ladders.largest_factor(ladders.of_published())}
        sizes = {groups.size(group) for ladder in self._drawn(data) for group in ladder}
        marks = self.watch
        if not ladders.by_accuracy(data):
            own = ladders.BY_LOSS
            marks = f"Bars: medians; filled: ours, {own}; open: published, 95% right"
        late = ladders.latest(*self._drawn(data)) if len(sizes) == 1 else ""
        watch = marks if late else f"{marks}. {capitalised(self._compared(data))}"
        if factor >= ladders.FAR:
            sentence = late or "Groups of the same size are learnt at very different speeds"
            return Claim(sentence, watch, sentence == self.title, numbers)
        return Claim.instead(ladders.in_turn(ours), watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Both ladders on one scale, first the groups of which the most pairs commute."""
        ours, published = self._drawn(data)
        names = sorted(
            dict.fromkeys((*ours, *published)), key=lambda group: -(groups.commuting(group) or 0)
        )
        rows = [_Row(name, ours.get(name, []), published.get(name, [])) for name in names]
        missing = any(np.isinf(v) for row in rows for v in (*row.ours, *row.published))
        narrow = style().narrow(figure)
        right = (5.6 if narrow else 8.4) if missing else 2.0
        same = ladders.by_accuracy(data)
        axes = style().panels(
            figure, left=4.6 if narrow else 12.4, right=right, top=2.2, bottom=3.4 if same else 4.6
        )[0][0]
        _frame(axes, rows, same=same)
        _name(axes, rows)
        _key(axes)
        for k, row in enumerate(rows):
            for whose, y in (("ours", OURS), ("published", PUBLISHED)):
                _Bar(axes, row, k + y).draw(getattr(row, whose), is_open=whose == "published")
        if missing:
            axes.axvline(axes.get_xlim()[1], color=style().colours.faint, lw=0.5 * style().line)
            style().note(
                axes, "not by\nthe end", (1, 0), (0.7, -0.35), va="top", linespacing=1.1,
                color=style().colours.muted,
            )  # fmt: skip
        return Drawing([], lambda i: None)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The median of each group."""
        shares = data["member_fraction"].values
        shares = shares[np.isfinite(shares)]
        on = f", on {percent(np.median(shares))} of the pairs" if len(shares) else ""
        ours = ladders.BY_ACCURACY if ladders.by_accuracy(data) else ladders.BY_LOSS
        return (
            f"Updates until runs have generalised, by group, in the median. Ours{on}, until "
            f"{ours}: {ladders.medians(ladders.of_runs(data))}. Published, until "
            f"{ladders.BY_ACCURACY}: {ladders.medians(ladders.of_published())}."
        )

    def _drawn(self, data: xr.Dataset) -> tuple[ladders.Ladder, ladders.Ladder]:
        """Our groups and the published ones, of one size unless every one is wanted."""
        ours, published = ladders.of_runs(data), ladders.of_published()
        factors = {
            size: ladders.largest_factor(ladders.of_size(ours, size))
            for size in map(groups.size, ours)
        }
        size = max(factors, key=lambda size: (factors[size], size))
        if self.every or factors[size] <= 1:
            return ours, published
        return ladders.of_size(ours, size), ladders.of_size(published, size) or published

    def _compared(self, data: xr.Dataset) -> str:
        """Whether both ladders have the same order, or how many elements the groups have."""
        sizes = {groups.size(group) for ladder in self._drawn(data) for group in ladder}
        if len(sizes) > 1:
            return "beside each group is how many elements it has"
        order = ladders.compared(*self._drawn(data))
        return order or f"all of these groups have {min(sizes)} elements"

    def about(self, data: xr.Dataset) -> str:
        """Without the number of runs, which are dots to be counted."""
        own = f"{data.sizes['member']} runs"
        return super().about(data).removesuffix(own).removesuffix(BETWEEN)

    def definition(self, data: xr.Dataset) -> str:
        """With both definitions and the source."""
        ours = (
            f"the first logged update with {ladders.BY_ACCURACY}" if ladders.by_accuracy(data)
            else f"the first logged update with a {ladders.BY_LOSS}"
        )  # fmt: skip
        return (
            "First are the groups of which the most pairs commute; bars end at medians. "
            f"{capitalised(self._compared(data))}. Ours: {ours}. "
            "Published: the first of every 100 steps with 95% of the test pairs right, by "
            "transformers of two layers, on half of the pairs, AdamW, five seeds, at most 30,000 "
            "steps (PeterPonyu/muon-norm-cap-grokking, results/group_complexity), where C is "
            "called Z. Counted for xy = yx are all pairs of elements; whether the order of x and y "
            f"is what takes time was not measured. The task is that of {self.source}."
        )


def _frame(axes: Axes, rows: list[_Row], *, same: bool) -> None:
    """Axes around all runs, a row a group from above; ``same`` if one mark is that of all."""
    every = [v for row in rows for v in (*row.ours, *row.published) if np.isfinite(v)] or [1.0]
    axes.set(
        xlim=(0, 1.04 * max(every)),
        ylim=(len(rows) - 0.45, -0.55),
        xlabel=_across(rows, same=same, narrow=style().narrow(axes.figure)),
    )
    panels.thousands(axes)
    axes.grid(False)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for k in range(1, len(rows)):
        axes.axhline(k - 0.5, color=style().colours.grid, lw=0.5 * style().line, zorder=0)


def _across(rows: list[_Row], *, same: bool, narrow: bool) -> str:
    """What runs across, and where there is room of how many elements all groups are."""
    sizes = {groups.size(row.group) for row in rows}
    of = f"  (groups of {min(sizes)} elements)" if len(sizes) == 1 and not narrow else ""
    if same:
        return f"updates until 95% right{of}"
    return f"updates until, ours: {ladders.BY_LOSS};\npublished: {ladders.BY_ACCURACY}"


def _key(axes: Axes) -> None:
    """Above all rows, whose runs the filled dots are and whose the open ones."""
    current = style()
    em = current.pixels(axes, current.points)
    for word, at in KEY.items():
        x, y = at * em / axes.bbox.width, 1 + 0.9 * em / axes.bbox.height
        axes.plot(
            [x], [y], "o", transform=axes.transAxes,
            **_marks(current.colours.ink, 0.62 * current.points, is_open=word == "published"),
        )  # fmt: skip
        current.note(axes, word, (x, y), (0.7, 0), va="center", fontsize=current.points)


def _marks(colour: str, size: float, *, is_open: bool) -> dict[str, Any]:
    """How dots look: filled ones with a thin rim of the ground, or open ones."""
    line, ground = style().line, style().colours.background
    return {
        "ms": size, "mew": (0.5 if is_open else 0.25) * line, "clip_on": False, "zorder": 3,
        "mec": colour if is_open else ground, "mfc": ground if is_open else colour,
    }  # fmt: skip


def _name(axes: Axes, rows: list[_Row]) -> None:
    """Each group's name beside its row, what its elements are, and how many of them commute."""
    current, narrow = style(), style().narrow(axes.figure)
    sizes = len({groups.size(row.group) for row in rows}) > 1
    axes.set_yticks([])
    for k, row in enumerate(rows):
        name = f"{row.group}  ({groups.size(row.group)})" if sizes and not narrow else row.group
        lines = [groups.elements(row.group), _commuting(row.group)]
        if narrow:
            lines = [f"({groups.size(row.group)})"] if sizes else []
        elif len(rows) > FEW:
            lines = lines[1:]
        where: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "ha": "right"}
        bold: dict[str, Any] = {
            "fontweight": "bold", "color": current.colours.words(_tint(row.group))
        }  # fmt: skip
        big = 1.0 if narrow or len(rows) > FEW else 1.25
        lift = 0.55 * len(lines)
        current.note(
            axes, name, (0, k), (-0.6, lift), fontsize=big * current.points,
            va="baseline" if lines else "center", **bold, **where,
        )  # fmt: skip
        for n, line in enumerate(filter(None, lines)):
            current.note(
                axes, line, (0, k), (-0.6, lift - 1.3 * (n + 1)), color=current.colours.muted,
                **where,
            )  # fmt: skip


def _commuting(group: str) -> str:
    """For how many pairs the order does not matter, in words."""
    share = groups.commuting(group)
    if share is None:
        return ""
    return "xy = yx for all pairs" if share == 1 else f"xy = yx for {percent(share)} of pairs"


class _Bar:
    """The runs of one group, ours or the published ones: dots on a bar up to their median."""

    def __init__(self, axes: Axes, row: _Row, y: float) -> None:
        self.axes, self.y, self.colour = axes, y, _tint(row.group)
        low, high = axes.get_ylim()
        # heights of a row and of a dot, in points and in rows
        points = axes.bbox.height / abs(high - low) / style().pixels(axes, 1)
        most = 0.5 if style().narrow(axes.figure) else 0.62
        self.size = min(most * style().points, 0.5 * THICK * points)
        self.step = self.size / points

    def draw(self, runs: list[float], *, is_open: bool) -> None:
        """Draw them; runs that are equal on one another."""
        if not runs:
            return
        axes, current, known = self.axes, style(), sorted(v for v in runs if np.isfinite(v))
        end, median = axes.get_xlim()[1], float(np.median(runs))
        axes.barh(
            [self.y], [min(median, end)], THICK, color=self.colour, alpha=0.2 if is_open else 0.42,
            lw=0, zorder=2,
        )  # fmt: skip
        marks = _marks(self.colour, self.size, is_open=is_open)
        axes.plot(known, self._heights(known), "o", **marks)
        em = current.pixels(axes, current.points) / axes.bbox.width
        never = [1 + em * (1.1 + n) for n in range(len(runs) - len(known))]
        axes.plot(never, [self.y] * len(never), "o", transform=axes.get_yaxis_transform(), **marks)

    def _heights(self, known: list[float]) -> list[float]:
        """Where the dots of these ascending values are; those that would touch lie higher."""
        across = np.array(known) / self.axes.get_xlim()[1] * self.axes.bbox.width
        wide = style().pixels(self.axes, self.size)
        ends: list[float] = []
        levels = []
        for x in across:
            level = next((n for n, end in enumerate(ends) if x - end > 0.6 * wide), len(ends))
            ends[level : level + 1] = [x]
            levels.append(level)
        middle = (len(ends) - 1) / 2
        return [self.y - self.step * (level - middle) for level in levels]


def _tint(group: str) -> str:
    """The colour of a group's family."""
    families = list(groups.FAMILIES)
    return style().colours.frequency(families.index(group[0]), range(len(families)))
