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

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

_NAME = re.compile(r"(?<![A-Za-z0-9])([CZDSA])(\d{1,3})(?![0-9])")

_Ladder = dict[str, list[float]]
"""The epochs of each group's runs, the soonest group first; infinite for never."""


@dataclass(frozen=True)
class Ladder(Scene):
    """A rung a group, a dot a run: when it generalised, ours above and the published below."""

    name = "ladder"
    title = "Groups of the same size are learnt at very different speeds"
    watch = "A dot is a run; all of these groups have 60 elements"
    source = "arXiv:2302.03025"
    needs = ("member_name", "generalised_epoch", "member_fraction")
    recipe = "group-composition-A5-small"
    reference = "group-ladder"
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
                f"{cls.name} compares groups, and the names of these runs do not say two, as in "
                "group=C60 or A5-0; give runs of a sweep over group"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How many times longer the last group took than the first of its size."""
        ours = _ours(data)
        factor = _factor(ours)
        numbers = {"factor": factor, "published": _factor(_published())}
        sizes = {_size(group) for ladder in self._drawn(data) for group in ladder}
        watch = (
            f"A dot is a run; all of these groups have {min(sizes)} elements" if len(sizes) == 1
            else "A dot is a run; beside each group stands how many elements it has"
        )  # fmt: skip
        if factor >= 2:
            return Claim(self.title, watch, numbers=numbers)
        sentence = f"Of {len(ours)} groups the last took {_times(ours)} as long as the first"
        return Claim.instead(sentence, watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Both ladders on one scale of updates."""
        ours, published = self._drawn(data)
        every = [v for one in (ours, published) for row in one.values() for v in row]
        known = [v for v in every if np.isfinite(v)] or [1.0]
        limits = (min(known) / 1.4, max(known) * 1.8)
        sizes = {_size(group) for one in (ours, published) for group in one}
        two = style().stack(figure, (len(ours), len(published)), left=7.4, right=2.0, top=1.8,
                            bottom=3.2, vgap=2.6)  # fmt: skip
        for axes, ladder, words in zip(two, (ours, published), ("ours", "published"), strict=True):
            _rungs(axes, ladder, limits, named=len(sizes) > 1)
            style().note(axes, words, (0, 1), (0, 0.5), fontweight="bold",
                         color=style().colours.ink)  # fmt: skip
        two[0].set_xticklabels([])
        two[1].set_xlabel("updates until generalised")
        return Drawing([], lambda i: None)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The median of each group."""
        shares = data["member_fraction"].values
        shares = shares[np.isfinite(shares)]
        on = f", on {np.median(shares):.0%} of the pairs" if len(shares) else ""
        return (
            f"Updates until runs have generalised, by group, in the median. Ours{on}: "
            f"{_medians(_ours(data))}. Published: {_medians(_published())}."
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
        return (
            "Ours: the first update with a test loss below 0.1. Published: the first of every 100 "
            "steps with 95% of the test pairs right, by transformers of two layers, on half of the "
            "pairs, AdamW, five seeds, at most 30,000 steps "
            "(PeterPonyu/muon-norm-cap-grokking, results/group_complexity), where C is called Z. "
            f"The task is that of {self.source}."
        )


def _ours(data: xr.Dataset) -> _Ladder:
    ladder: _Ladder = {}
    names, epochs = data["member_name"].values.tolist(), data["generalised_epoch"].values.tolist()
    for name, epoch in zip(names, epochs, strict=True):
        match = _NAME.search(str(name))
        if match:
            group = match[1].replace("Z", "C") + match[2]
            ladder.setdefault(group, []).append(float(epoch) if epoch >= 0 else np.inf)
    return _sorted(ladder)


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


def _times(ladder: _Ladder) -> str:
    medians = [float(np.median(row)) for row in ladder.values()]
    ratio = medians[-1] / max(medians[0], 1.0)
    return f"{ratio:.1f} times" if np.isfinite(ratio) else "endlessly many times"


def _medians(ladder: _Ladder) -> str:
    return ", ".join(
        f"{group} {np.median(row):,.0f}" if np.isfinite(np.median(row)) else f"{group} never"
        for group, row in ladder.items()
    )


def _rungs(axes: Axes, ladder: _Ladder, limits: tuple[float, float], *, named: bool) -> None:
    """A line from each group's first run to its last, and their dots; ``named`` with its size."""
    from matplotlib.ticker import NullFormatter

    current = style()
    axes.set_xscale("log")
    ticks = [v for k in range(7) for v in (10**k, 2 * 10**k, 5 * 10**k)]
    ticks = [v for v in ticks if limits[0] < v < limits[1]]
    axes.set_xticks(ticks, [f"{v:,}" for v in ticks])
    axes.tick_params(axis="x", which="minor", length=0, labelsize=0)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlim=limits, ylim=(len(ladder) - 0.4, -0.6))
    axes.set_yticks(
        range(len(ladder)), [f"{group}  ({_size(group)})" if named else group for group in ladder]
    )
    axes.grid(False)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    families = "CDSA"
    marks: dict[str, Any] = {"markeredgewidth": 0, "alpha": 0.9, "clip_on": False, "zorder": 3}
    for k, (group, row) in enumerate(ladder.items()):
        colour = current.colours.frequency(families.index(group[0]), range(len(families)))
        known = [v for v in row if np.isfinite(v)]
        if known:
            axes.plot([min(known), max(known)], [k, k], color=colour, alpha=0.6,
                      lw=0.6 * current.line)  # fmt: skip
            axes.plot(known, [k] * len(known), "o", color=colour,
                      markersize=0.55 * current.points, **marks)  # fmt: skip
        missing = len(row) - len(known)
        if missing:
            axes.annotate(f"{missing} not by the end", (1, k), xycoords=axes.get_yaxis_transform(),
                          ha="right", va="center", fontsize=current.small,
                          color=current.colours.muted)  # fmt: skip
