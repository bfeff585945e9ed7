"""The answer to the question: while the others stay wrong, the numbers wind onto circles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.scenes.thread._answers import TABLE, Told
from grokviz.scenes.thread._rings import Rings
from grokviz.scenes.thread.opening import BEYOND

from grokviz.errors import InputError
from grokviz.scene import Claim, clock, option
from grokviz.scene.film import Film
from grokviz.scene.outcome import outcome
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr

COUNTS = {1: "a circle", 2: "two circles", 3: "three circles", 4: "four circles",
          5: "five circles", 6: "six circles", 7: "seven circles"}  # fmt: skip


@dataclass(frozen=True)
class Finale(Film):
    """The table of answers once more, and beside it the circles that are wound meanwhile."""

    name = "finale"
    title = "Between memory and understanding it builds circles"
    watch = "the dots come to lie on rings before the others come out right"
    source = "thread, tweets 9 and 11; arXiv:2301.05217, section 5.1"
    needs = (
        *TABLE, "embedding_plane", "embedding_frequency_norm", "key_neurons",
        "logged_train_loss", "logged_test_loss",
    )  # fmt: skip
    reference = "modular-addition-answers"
    drawn_by = "films.finale:Finale"
    seconds = 31
    counts = True
    parts = {"answer": "what happened in between"}  # noqa: RUF012

    colours: str = option(
        "", "frequencies in the order of their colours, with spaces; if empty, the run's own"
    )

    def told(self, data: xr.Dataset) -> Told:
        """What the table tells; raises InputError where it does not ask the question."""
        told = Told.of(data)
        if told is None or not told.asks:
            raise InputError(
                f"{self.name} needs a run that is right about the sums it was shown first, and "
                "about the others later; train it further, or draw answers"
            )
        return told

    def rings(self, data: xr.Dataset) -> Rings:
        """The planes of the run's frequencies; raises InputError where there is none."""
        rings = Rings.of(data)
        if rings is None:
            raise InputError(
                f"{self.name} needs a run with frequencies of its embedding at every checkpoint; "
                "train it further, or draw answers"
            )
        return rings

    def moments(self, data: xr.Dataset) -> tuple[int, int]:
        """The epochs at which the sums it was shown and the others are learned.

        As everywhere by the losses; by the answers of a run whose losses do not say.
        """
        run, told = outcome(data), self.told(data)
        if run.delay is None:
            first, second = (int(told.epochs[n or 0]) for n in (told.first, told.second))
            return first, second
        return int(run.memorised or 0), int(run.generalised or 0)

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """From where the shown sums are learned until a while after the others are."""
        told = self.told(data)
        first, second = (float(told.epochs[told.at(epoch)]) for epoch in self.moments(data))
        return first, float(told.epochs[told.at(BEYOND * second)])

    def palette(self) -> list[int] | None:
        """The frequencies by whose order the rings are coloured; None for the run's own."""
        try:
            return [int(k) for k in self.colours.replace(",", " ").split()] or None
        except ValueError:
            raise InputError(
                f"{self.name}: colours={self.colours!r} is no list of frequencies; give numbers "
                "with spaces"
            ) from None

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless there is a question, and something to answer it by."""
        self.told(data)
        self.rings(data)
        self.palette()

    def counted(self, data: xr.Dataset) -> str:
        """How many circles there are, in words."""
        circles = self.rings(data).circles
        if circles.all():
            return COUNTS[len(circles)]
        return f"{circles.sum() or 'none'} of {len(circles)} circles"

    def claim(self, data: xr.Dataset) -> Claim:
        """Whether every plane is a circle, and the first of them before the others are right."""
        told, rings = Told.of(data), Rings.of(data)
        if told is None or not told.asks:
            return Claim.instead("The sums it was shown and the others are not learned apart")
        if rings is None:
            return Claim.instead("The embedding has no frequencies of its own")
        starts = rings.starts
        numbers = {"circles": len(starts), "planes": len(rings.keys)}
        learned = self.moments(data)[1]
        second = told.at(learned)
        if len(starts) == len(rings.keys) and starts[0] < second:
            count = f"{len(starts)} circles" if len(starts) > 1 else "1 circle"
            word = clock.word(data)
            return Claim(
                f"{count} by {word} {told.epochs[starts[-1]]:,.0f}, "
                f"{percent(told.others[second])} of unseen sums right by {learned:,}",
                self.watch, numbers=numbers,
            )  # fmt: skip
        return Claim.instead(
            f"{len(starts)} of {len(rings.keys)} planes of the embedding are circles at the end",
            **numbers,
        )

    def description(self, data: xr.Dataset, i: int) -> str:
        """When the circles are round, and when the sums are right."""
        told, rings, word = Told.of(data), self.rings(data), clock.word(data)
        if told is None:
            return "A table of answers of which it is not known which sums were shown."
        starts = [rings.round_from(n) for n in range(len(rings.keys))]
        begins = self.moments(data)[0]
        ends = ", ".join(
            f"{k}: " + ("not round" if start is None else f"{told.epochs[start]:,.0f}")
            for k, start in zip(rings.keys, starts, strict=True)
        )
        return (
            f"A table of {sum(told.sums):,} sums, lit where the answer is right: of the "
            f"{told.sums[1]:,} that were not shown {told.others[told.at(begins)]:.1%} at {word} "
            f"{begins:,} and {told.others[-1]:.1%} at the end. Beside it "
            f"the numbers in the planes of the embedding's frequencies, one ring inside the other; "
            f"the {word} from which on each is round: {ends}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """What is drawn, and the citation."""
        return (
            "Rings: the numbers in the plane of each key frequency of the embedding, in mean radii "
            "of each checkpoint, drawn one inside the other so that all fit; round where the radii "
            "vary by less than 20% of their mean. To turn the ring of frequency k by k/p of a turn "
            "takes each number to the place of the next. "
            "After Nanda et al. (2023), arXiv:2301.05217, section 5.1."
        )
