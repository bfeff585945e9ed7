"""Groups by how long they take to be learnt, beside the published ladder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene.spoken import in_words, percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_NAME = re.compile(r"(?<![A-Za-z0-9])([CZDSA])(\d{1,3})(?![0-9])")

_Ladder = dict[str, list[float]]
"""The epochs of each group's runs, the soonest group first; infinite for never."""

FAMILIES = {
    "C": "rotations of a {}-gon", "D": "symmetries of a {}-gon", "S": "permutations of {}",
    "A": "even permutations of {}",
}  # fmt: skip
"""What the elements of a group are, in words, by the letter of its family."""

ROOM = 3.4
"""How far apart ticks are at least, in ems."""

OURS, PUBLISHED = -0.14, 0.24
"""Where the runs of a group are, below its middle, in rows."""


FAR = 2
"""Times as long as another that a group takes to be far apart."""

BY_ACCURACY, BY_LOSS = "95% of the test pairs right", "test loss below 0.1"
"""What a run has reached where its mark is: the published always the first."""


@dataclass(frozen=True)
class Ladder(Scene):
    """A row a group, a dot a run: when it generalised, ours and the published."""

    name = "ladder"
    title = "A5 is learnt long after the other groups of its size"
    watch = "Filled dots are our runs, open ones published; all of these groups have 60 elements"
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
        if len(_ours(data)) < 2:
            raise InputError(
                f"{cls.name} compares groups, and these runs do not say two, by their setting "
                "group or by names as in group=C60 or A5-0; give runs of a sweep over group"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How many times longer the last group took than the first of its size."""
        ours = _ours(data)
        factor = _factor(ours)
        numbers = {"factor": factor, "published": _factor(_published())}
        sizes = {_size(group) for ladder in self._drawn(data) for group in ladder}
        marks = "Filled dots are our runs, open ones published; "
        if not _by_accuracy(data):
            marks = f"Filled: ours, {BY_LOSS}; open: published, 95% right; "
        watch = marks + (
            _compared(*self._drawn(data)) or f"all of these groups have {min(sizes)} elements"
            if len(sizes) == 1
            else "beside each group is how many elements it has"
        )
        if factor >= FAR:
            late = _late(self._drawn(data)[0]) if len(sizes) == 1 else None
            sentence = f"{late} is learnt long after the other groups of its size"
            apart = "Groups of the same size are learnt at very different speeds"
            return Claim(sentence if late else apart, watch, numbers=numbers)
        return Claim.instead(_in_turn(ours), watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Both ladders on one scale of updates, the groups in the order of ours."""
        ours, published = self._drawn(data)
        groups = list(dict.fromkeys((*ours, *published)))
        rows = [(group, ours.get(group, []), published.get(group, [])) for group in groups]
        missing = any(np.isinf(v) for _, *both in rows for row in both for v in row)
        narrow = style().narrow(figure)
        right = (5.6 if narrow else 8.4) if missing else 2.0
        same = _by_accuracy(data)
        axes = style().panels(
            figure, left=4.6 if narrow else 12.4, right=right, top=0.8, bottom=3.4 if same else 4.6
        )[0][0]
        _frame(axes, rows, same=same)
        _name(axes, groups, sizes=len(set(map(_size, groups))) > 1)
        for k, (group, *both) in enumerate(rows):
            for row, word, y in zip(both, ("ours", "published"), (OURS, PUBLISHED), strict=True):
                _Rung(axes, group, k + y).draw(row, word)
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
        ours = BY_ACCURACY if _by_accuracy(data) else BY_LOSS
        return (
            f"Updates until runs have generalised, by group, in the median. Ours{on}, until "
            f"{ours}: {_medians(_ours(data))}. Published, until {BY_ACCURACY}: "
            f"{_medians(_published())}."
        )

    def _drawn(self, data: xr.Dataset) -> tuple[_Ladder, _Ladder]:
        """Our groups and the published ones, of one size unless every one is wanted."""
        ours, published = _ours(data), _published()
        factors = {size: _factor(_of_size(ours, size)) for size in map(_size, ours)}
        size = max(factors, key=lambda size: (factors[size], size))
        if self.every or factors[size] <= 1:
            return ours, published
        return _of_size(ours, size), _of_size(published, size) or published

    def about(self, data: xr.Dataset) -> str:
        """With the number of published runs."""
        published = sum(len(row) for row in self._drawn(data)[1].values())
        return f"{super().about(data)}, and {published} published"

    def definition(self, data: xr.Dataset) -> str:
        """With both definitions and the source."""
        ours = (
            f"the first logged update with {BY_ACCURACY}" if _by_accuracy(data)
            else f"the first logged update with a {BY_LOSS}"
        )  # fmt: skip
        return (
            f"The groups are in the order of ours. Ours: {ours}. "
            "Published: the first of every 100 steps with 95% of the test pairs right, by "
            "transformers of two layers, on half of the pairs, AdamW, five seeds, at most 30,000 "
            "steps (PeterPonyu/muon-norm-cap-grokking, results/group_complexity), where C is "
            f"called Z. The task is that of {self.source}."
        )


def _ours(data: xr.Dataset) -> _Ladder:
    ladder: _Ladder = {}
    epochs = data["accurate_epoch" if _by_accuracy(data) else "generalised_epoch"].values.tolist()
    for group, epoch in zip(_groups(data), epochs, strict=True):
        if group:
            ladder.setdefault(group, []).append(float(epoch) if epoch >= 0 else np.inf)
    return _sorted(ladder)


def _groups(data: xr.Dataset) -> list[str]:
    """Each run's group by its settings, else by its name; empty where neither says one."""
    names = [str(name) for name in data["member_name"].values]
    stated = data["member_group"].values if "member_group" in data else [""] * len(names)
    matches = [_NAME.search(name) for name in names]
    return [
        str(group) or (match[1].replace("Z", "C") + match[2] if match else "")
        for group, match in zip(stated, matches, strict=True)
    ]


def _by_accuracy(data: xr.Dataset) -> bool:
    """Whether all of our runs have logged their accuracy, so that theirs is the published mark.

    References from before accuracies were kept have none.
    """
    if "accurate_epoch" not in data or "member_test_accuracy" not in data:
        return False
    own = [bool(group) for group in _groups(data)]
    known = np.isfinite(data["member_test_accuracy"].values).any(axis=1)
    return bool(known[own].all())


def _published() -> _Ladder:
    file = files("grokviz.tasks.group_composition").joinpath("published_ladder.json")
    steps = json.loads(file.read_text("utf-8"))["steps"]
    return _sorted({
        group.replace("Z", "C"): [np.inf if v is None else float(v) for v in row]
        for group, row in steps.items()
    })  # fmt: skip


def _sorted(ladder: _Ladder) -> _Ladder:
    return dict(sorted(ladder.items(), key=lambda pair: (float(np.median(pair[1])), pair[0])))


def _size(group: str) -> int:
    degree = int(group[1:])
    if group[0] in "CD":
        return degree * (1 + (group[0] == "D"))
    return int(np.prod(np.arange(2, degree + 1))) // (1 + (group[0] == "A"))


def _of_size(ladder: _Ladder, size: int) -> _Ladder:
    """The groups of so many elements."""
    return {group: row for group, row in ladder.items() if _size(group) == size}


def _factor(ladder: _Ladder) -> float:
    """The largest ratio of medians between groups of one size; 1 where no two have one."""
    factor = 1.0
    for size in {_size(group) for group in ladder}:
        medians = [float(np.median(row)) for group, row in ladder.items() if _size(group) == size]
        finite = [m for m in medians if np.isfinite(m)]
        if len(finite) > 1:
            factor = max(factor, max(finite) / max(min(finite), 1.0))
    return factor


def _late(ladder: _Ladder) -> str | None:
    """The group that takes far longer than any of at least two others; None where none does."""
    medians = {group: float(np.median(row)) for group, row in ladder.items()}
    order = sorted(medians, key=lambda group: (medians[group], group))
    if len(order) < 3 or medians[order[-1]] < FAR * medians[order[-2]]:
        return None
    return order[-1]


def _compared(ours: _Ladder, published: _Ladder) -> str:
    """Whether both ladders have the same order; empty where they share less than two groups."""
    both = [group for group in ours if group in published]
    there = [group for group in published if group in ours]
    if len(both) < 2:
        return ""
    if both == there:
        return "both have the same order"
    if both[-1] == there[-1]:
        return f"{both[-1]} comes last in both, but the order of the others differs"
    return "their orders differ"


def _in_turn(ladder: _Ladder) -> str:
    """How many times longer the last group took than the first, or how many were not learnt."""
    medians = [float(np.median(row)) for row in ladder.values()]
    learnt = [median for median in medians if np.isfinite(median)]
    if len(learnt) == len(medians):
        times = learnt[-1] / max(learnt[0], 1.0)
        return f"Of {len(medians)} groups the last took {times:.1f} times as long as the first"
    was = "was" if len(learnt) == 1 else "were"
    if not learnt:
        return f"None of {len(medians)} groups was learnt by the end"
    return f"Of {len(medians)} groups {in_words(len(learnt))} {was} learnt by the end"


def _medians(ladder: _Ladder) -> str:
    return ", ".join(
        f"{group} {np.median(row):,.0f}" if np.isfinite(np.median(row)) else f"{group} never"
        for group, row in ladder.items()
    )


def _frame(axes: Axes, rows: list[tuple[str, list[float], list[float]]], *, same: bool) -> None:
    """Axes around all runs, a row a group from above; ``same`` if one mark is that of all."""
    from matplotlib.ticker import NullFormatter

    every = [v for _, *both in rows for row in both for v in row if np.isfinite(v)] or [1.0]
    low, high = 0.85 * min(every), 1.25 * max(every)
    # room at the left for the words of each line
    room = 5.4 * style().pixels(axes, style().small) / axes.bbox.width
    limits = (high * (low / high) ** (1 / (1 - min(room, 0.5))), high)
    axes.set_xscale("log")
    em = style().pixels(axes, style().small)
    ticks = _ticks(low, high, (1 - room) * axes.bbox.width / em)
    axes.set_xticks(ticks, [f"{v:,}" for v in ticks])
    axes.tick_params(axis="x", which="minor", length=0, labelsize=0)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(
        xlim=limits,
        ylim=(len(rows) - 0.45, -0.55),
        xlabel=_across(rows, same=same, narrow=style().narrow(axes.figure)),
    )
    axes.grid(False)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for k in range(1, len(rows)):
        axes.axhline(k - 0.5, color=style().colours.grid, lw=0.5 * style().line, zorder=0)


def _across(rows: list[tuple[str, list[float], list[float]]], *, same: bool, narrow: bool) -> str:
    """What runs across, and where there is room of how many elements all groups are."""
    sizes = {_size(group) for group, *_ in rows}
    of = f"  (groups of {min(sizes)} elements)" if len(sizes) == 1 and not narrow else ""
    if same:
        return f"updates until 95% right{of}"
    return f"updates until, ours: {BY_LOSS};\npublished: {BY_ACCURACY}"


def _ticks(low: float, high: float, wide: float) -> list[int]:
    """Round numbers from low to high, as many as have room on a logarithmic axis so wide in ems."""
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [n * 10**k for k in range(7) for n in steps if low <= n * 10**k <= high]
        if len(ticks) < 2 or np.diff(np.log(ticks)).min() / np.log(high / low) * wide > ROOM:
            break
    return ticks


def _name(axes: Axes, groups: list[str], *, sizes: bool) -> None:
    """Each group's name beside its row, what its elements are, and where wanted how many."""
    current, narrow = style(), style().narrow(axes.figure)
    axes.set_yticks([])
    for k, group in enumerate(groups):
        name = f"{group}  ({_size(group)})" if sizes and not narrow else group
        words = FAMILIES[group[0]].format(group[1:])
        if narrow:
            words = f"({_size(group)})" if sizes else ""
        where: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "ha": "right"}
        bold: dict[str, Any] = {"fontweight": "bold", "color": current.colours.words(_tint(group))}
        big = 1.0 if narrow or len(groups) > 4 else 1.25
        current.note(
            axes,
            name,
            (0, k),
            (-0.6, 0.1 if words else 0.0),
            fontsize=big * current.points,
            va="baseline" if words else "center",
            **bold,
            **where,
        )
        current.note(axes, words, (0, k), (-0.6, -1.2), color=current.colours.muted, **where)


class _Rung:
    """The runs of one group, ours or the published ones."""

    def __init__(self, axes: Axes, group: str, y: float) -> None:
        self.axes, self.y, self.colour = axes, y, _tint(group)
        low, high = axes.get_ylim()
        row = axes.bbox.height / abs(high - low) / style().pixels(axes, 1)
        # three on one another stay in their row
        self.size = min((0.5 if style().narrow(axes.figure) else 0.68) * style().points, 0.14 * row)
        # a dot's height in rows
        self.step = style().pixels(axes, self.size) / axes.bbox.height * abs(high - low)

    def draw(self, row: list[float], word: str) -> None:
        """A line from the first to the last, their dots, equal ones on one another, and whose."""
        if not row:
            return
        axes, current, known = self.axes, style(), sorted(v for v in row if np.isfinite(v))
        is_open = word == "published"
        style().note(
            axes,
            word,
            (0, self.y),
            (0.2, 0),
            va="center",
            color=current.colours.muted,
            xycoords=axes.get_yaxis_transform(),
        )
        if known:
            axes.plot(
                [known[0], known[-1]],
                [self.y] * 2,
                color=self.colour,
                alpha=0.5,
                lw=0.5 * current.line,
                zorder=2,
            )
        ground = current.colours.background
        marks: dict[str, Any] = {
            "ms": self.size, "mew": (0.5 if is_open else 0.25) * current.line, "clip_on": False,
            "mec": self.colour if is_open else ground, "mfc": ground if is_open else self.colour,
            "zorder": 3,
        }  # fmt: skip
        axes.plot(known, self._heights(known), "o", **marks)
        em = current.pixels(axes, current.points) / axes.bbox.width
        never = [1 + em * (1.1 + n) for n in range(len(row) - len(known))]
        axes.plot(never, [self.y] * len(never), "o", transform=axes.get_yaxis_transform(), **marks)

    def _heights(self, known: list[float]) -> list[float]:
        """Where the dots of these ascending values are; those that would touch lie higher."""
        low, high = np.log(self.axes.get_xlim())
        across = np.log(known) / (high - low) * self.axes.bbox.width
        wide = style().pixels(self.axes, self.size)
        ends: list[float] = []
        heights = []
        for x in across:
            level = next((n for n, end in enumerate(ends) if x - end > 0.6 * wide), len(ends))
            ends[level : level + 1] = [x]
            heights.append(self.y - self.step * level)
        return heights


def _tint(group: str) -> str:
    """The colour of a group's family."""
    return style().colours.frequency(list(FAMILIES).index(group[0]), range(len(FAMILIES)))
