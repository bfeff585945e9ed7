"""What is said below the chapters that are drawn with matplotlib, each as its data is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.scene import Scene
from grokviz.scene.outcome import outcome
from grokviz.scene.registry import scene

if TYPE_CHECKING:
    import xarray as xr

Said = tuple[str, ...]


def losses(data: xr.Dataset) -> Said:
    """Of the two losses: when either is low."""
    run = outcome(data)
    if run.delay is None:
        return (f"{run.sentence}.",)
    return (
        "The same by its loss, which is high where answers are wrong.",
        f"What it is shown it knows by {run.word} {run.memorised or 0:,}, the rest by "
        f"{run.generalised or 0:,}.",
    )


@dataclass(frozen=True)
class WhereItHolds:
    """These texts of data of which the scene's claim holds, and of other data what it says."""

    scene: str | Scene
    texts: Said

    def __call__(self, data: xr.Dataset) -> Said:
        """The captions of a chapter."""
        drawn = scene(self.scene)() if isinstance(self.scene, str) else self.scene
        claim = drawn.claim(data)
        if not claim.holds:
            return (f"{claim.sentence}.",)
        return tuple(text.format(**claim.numbers) for text in self.texts)


def where_it_holds(drawn: str | Scene, *texts: str) -> WhereItHolds:
    """The captions of a chapter that shows this scene."""
    return WhereItHolds(drawn, texts)


def string(drawn: Scene) -> WhereItHolds:
    """Of the numbers that are wound up."""
    return where_it_holds(
        drawn, "What has it learned? Take the row of its numbers, and wind it up.",
        "From the end, it is how the network holds them: on a circle, where angles add.",
    )  # fmt: skip


def chorus(drawn: Scene) -> WhereItHolds:
    """Of the waves of all its circles."""
    return where_it_holds(
        drawn, "It turns a circle for each wave it uses, by both numbers.",
        "Each wave is high where its hand points, and elsewhere too.",
        "All are high together at a single number: the answer.",
    )  # fmt: skip


def neuron(drawn: Scene) -> WhereItHolds:
    """Of the neuron whose landscape is seen."""
    return where_it_holds(
        drawn, "Inside, one neuron: how much it responds to each sum, along training.",
        "Out of noise come waves: hills that all sums share.",
    )  # fmt: skip


phase_change = where_it_holds(
    "induction-phase-change",
    "Fresh passages at every step: none can be learned by heart.",
    "At first it guesses; then, all at once, it looks up: a phase change.",
)
little_data = where_it_holds(
    "induction-grokking",
    "Now few passages, again and again: it learns them by heart.",
    "To look up comes later: with little data, the phase change is delayed.",
)
waves = where_it_holds(
    "embedding-waves",
    "The circles along training: how much of each wave is in its numbers.",
    "A few waves grow, from {first:.0%} to {last:.0%}; the rest are forgotten.",
)
digits = where_it_holds(
    "digit-phase-changes",
    "Larger tasks have many parts to learn: here, the digits of a sum.",
    "Each of the {learned} has a phase change of its own.",
)
