"""When the runs of each group have learnt it: ours and the published, and what they say."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.group_composition import _groups as groups

from grokviz.scene.spoken import in_words

if TYPE_CHECKING:
    import xarray as xr

_NAME = re.compile(r"(?<![A-Za-z0-9])([CZDSA])(\d{1,3})(?![0-9])")

Ladder = dict[str, list[float]]
"""The epochs of each group's runs, the soonest group first; infinite for never."""


FAR = 2
"""Times as long as another that a group takes to be far apart."""

NAMED = 3
"""Up to so many groups are named in a sentence."""

TIMES = {2: "twice"}
"""Multiples that have a word of their own."""

BY_ACCURACY, BY_LOSS = "95% of the test pairs right", "test loss below 0.1"
"""What a run has reached where its mark is: the published always the first."""


def of_runs(data: xr.Dataset) -> Ladder:
    """Ours."""
    ladder: Ladder = {}
    epochs = data["accurate_epoch" if by_accuracy(data) else "generalised_epoch"].values.tolist()
    for group, epoch in zip(member_groups(data), epochs, strict=True):
        if group:
            ladder.setdefault(group, []).append(float(epoch) if epoch >= 0 else np.inf)
    return _sorted(ladder)


def member_groups(data: xr.Dataset) -> list[str]:
    """Each run's group by its settings, else by its name; empty where neither says one."""
    names = [str(name) for name in data["member_name"].values]
    stated = data["member_group"].values if "member_group" in data else [""] * len(names)
    matches = [_NAME.search(name) for name in names]
    return [
        str(group) or (match[1].replace("Z", "C") + match[2] if match else "")
        for group, match in zip(stated, matches, strict=True)
    ]


def by_accuracy(data: xr.Dataset) -> bool:
    """Whether all of our runs have logged their accuracy, so that theirs is the published mark.

    References from before accuracies were kept have none.
    """
    if "accurate_epoch" not in data or "member_test_accuracy" not in data:
        return False
    own = [bool(group) for group in member_groups(data)]
    known = np.isfinite(data["member_test_accuracy"].values).any(axis=1)
    return bool(known[own].all())


def of_published() -> Ladder:
    """Those of the file beside the task."""
    file = files("grokviz.tasks.group_composition").joinpath("published_ladder.json")
    steps = json.loads(file.read_text("utf-8"))["steps"]
    return _sorted({
        group.replace("Z", "C"): [np.inf if v is None else float(v) for v in row]
        for group, row in steps.items()
    })  # fmt: skip


def _sorted(ladder: Ladder) -> Ladder:
    return dict(sorted(ladder.items(), key=lambda pair: (float(np.median(pair[1])), pair[0])))


def of_size(ladder: Ladder, size: int) -> Ladder:
    """The groups of so many elements."""
    return {group: row for group, row in ladder.items() if groups.size(group) == size}


def largest_factor(ladder: Ladder) -> float:
    """The largest ratio of medians between groups of one size; 1 where no two have one."""
    factor = 1.0
    for size in {groups.size(group) for group in ladder}:
        medians = [float(np.median(row)) for row in of_size(ladder, size).values()]
        finite = [m for m in medians if np.isfinite(m)]
        if len(finite) > 1:
            factor = max(factor, max(finite) / max(min(finite), 1.0))
    return factor


def latest(ours: Ladder, published: Ladder) -> str:
    """What is true of the group that takes far longer than any of at least two others; or none."""
    order = [*ours]
    if len(order) < 3 or not np.isfinite(np.median(ours[order[-2]])):
        return ""
    late = order[-1]
    here = _times(ours, late)
    if np.isinf(here):
        return f"In the median, {late} is not learnt by the end; {_names(ours, late, 'and')} are"
    if here < FAR:
        return ""
    both = min(here, _times(published, late)) if len(published) > 1 and late in published else here
    where = "" if both >= FAR else "In our runs, "
    times = both if both >= FAR else here
    multiple = TIMES.get(int(times), f"{in_words(int(times))} times")
    over = "over " if times > int(times) else ""
    others = _names(ours, late, "or")
    return f"{where}{late} takes {over}{multiple} as long to learn as {others}"


def _names(ladder: Ladder, late: str, word: str) -> str:
    """The groups that take less long, by name where they are few."""
    names = sorted(group for group in ladder if group != late)
    if len(names) > NAMED:
        every = "all" if word == "and" else "any"
        return f"{every} of {in_words(len(names))} others of its size"
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def _times(ladder: Ladder, late: str) -> float:
    """How many times as long as any other group one takes."""
    others = [float(np.median(row)) for group, row in ladder.items() if group != late]
    longest = max(others)
    own = float(np.median(ladder[late]))
    return own / max(longest, 1.0) if np.isfinite(longest) else 0.0


def compared(ours: Ladder, published: Ladder) -> str:
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


def in_turn(ladder: Ladder) -> str:
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


def medians(ladder: Ladder) -> str:
    """The median of each group, in words."""
    return ", ".join(
        f"{group} {np.median(row):,.0f}" if np.isfinite(np.median(row)) else f"{group} never"
        for group, row in ladder.items()
    )
