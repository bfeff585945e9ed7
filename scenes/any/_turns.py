"""When a run of any kind turned, where its losses say so: what pictures of its weights mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grokviz.dataset.learning import LATER, LOW
from grokviz.scene import style
from grokviz.scene.outcome import outcome
from grokviz.scene.timeline import Turn

if TYPE_CHECKING:
    import xarray as xr

LOSSES = ("logged_train_loss", "logged_test_loss")
"""What a scene wishes for that marks the turns of a run."""

RULES = {
    "memorised": f"memorised, a training loss below {LOW}",
    "generalised": f"generalised, a test loss below {LOW}",
    "learned": f"learned, both losses below {LOW}",
    "test loss halved": "test loss halved, down to half of its maximum for good",
}
"""By which rules a run turns, as a caption says them."""


def turns_of(data: xr.Dataset, clock: str) -> list[Turn]:
    """When a run memorised and when it generalised, between the ends of a clock.

    In place of generalising it may be that the test loss halved, where it does not come down to
    what counts as learned; a run that learns train and test data together learned. Of data
    without both losses it is nothing.
    """
    if any(name not in data for name in LOSSES):
        return []
    run, colours = outcome(data), style().colours
    known = {"memorised": run.memorised, "test loss halved": run.grokked}
    if run.learned:
        known = {"memorised": run.memorised, "generalised": run.generalised}
        if run.memorised is not None and int(run.generalised or 0) < LATER * run.memorised:
            known = {"learned": max(run.memorised, int(run.generalised or 0))}
    elif not run.tested or run.diverged is not None:
        known = {}
    first, last = (float(data[clock].values[k]) for k in (0, -1))
    tints = {"memorised": colours.train}
    turns = [
        Turn(at, name, tints.get(name, colours.test))
        for name, at in known.items()
        if at is not None and first < at < last
    ]
    return sorted(turns)


def rules_of(data: xr.Dataset, clock: str) -> str:
    """By which rules the turns are told that are marked, as a sentence; "" where none are."""
    told = "; ".join(RULES[turn.name] for turn in turns_of(data, clock))
    return f" Marked: {told}." if told else ""
