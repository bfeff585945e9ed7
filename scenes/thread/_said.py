"""What is said below the chapters that are drawn with matplotlib, each as its data is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from grokviz.scene import Scene, clock
from grokviz.scene.outcome import outcome
from grokviz.scene.registry import scene

if TYPE_CHECKING:
    import xarray as xr

Said = tuple[str, ...]


def losses(data: xr.Dataset) -> Said:
    """Of the two losses: when either is low, and what the phases are called."""
    run = outcome(data)
    if run.delay is None:
        return (f"{run.sentence}.",)
    named = (
        "Its phases: it memorises, forms a circuit that computes, and cleans up its memory.",
    ) if clock.phase_ends(data) is not None else ()  # fmt: skip
    return (
        "The same by its loss: how much the right answers surprise it, in nats.",
        *named,
        f"What it is shown it knows by {run.word} {run.memorised or 0:,}, the rest by "
        f"{run.generalised or 0:,}: that is grokking.",
    )


class Seen(Enum):
    """Whose inside is seen: of the run with the table, of one with the same start, of another."""

    OWN = ""
    SECOND = "here of a second run from the same start"
    ANOTHER = "here of another run"


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


def string(drawn: Scene, seen: Seen = Seen.OWN) -> WhereItHolds:
    """Of the numbers that are wound up."""
    whose = f" ({seen.value})" if seen.value else ""
    return where_it_holds(
        drawn, f"What has it learned? Take its row of numbers{whose}, and wind it up.",
        "From the end, it is how the network holds them: on a circle, where angles add.",
    )  # fmt: skip


def chorus(drawn: Scene) -> WhereItHolds:
    """Of the waves of all its circles."""
    return where_it_holds(
        drawn, "It has a few such circles. To add, it turns each of them by both numbers.",
        "Each gives a wave, high where its hand points, and elsewhere too.",
        "All are high together at a single number: the answer.",
    )  # fmt: skip


def waves(drawn: Scene) -> WhereItHolds:
    """Of the waves that come up along training."""
    return where_it_holds(
        drawn, "How strong each circle's wave is in its numbers, along training.",
        "The {count} that it adds with grow from {first:.0%} to {last:.0%} of all.",
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
    "At first it guesses; then, all at once, it looks up. That is a phase change.",
)
little_data = where_it_holds(
    "induction-grokking",
    "Now few passages, again and again: it learns them by heart.",
    "To look up comes later: with little data, the phase change is delayed.",
)
digits = where_it_holds(
    "digit-phase-changes",
    "Larger tasks have many parts to learn: here, the digits of a sum.",
    "Each of the {learned} has a phase change of its own.",
)
