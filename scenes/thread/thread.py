"""The whole story in the thread's order, as one film of chapters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.scenes.modular_addition.clock import Clock
from grokviz.scenes.modular_addition.fourier_multiplication import FourierMultiplication
from grokviz.scenes.modular_addition.neuron_wave import NeuronWave
from grokviz.scenes.modular_addition.waves_to_circles import WavesToCircles
from grokviz.scenes.thread.opening import Opening

from grokviz.scene import Claim, option
from grokviz.scene.film import Chapter, Film
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Thread(Film):
    """Chapters from other scenes and films; each is drawn and kept by itself."""

    name = "thread"
    title = "What a network does between memorising and understanding"
    watch = "the whole story, from the first curve to the rounding error"
    source = "thread; arXiv:2301.05217; arXiv:2201.02177"
    needs = (
        "logged_train_loss",
        "logged_test_loss",
        "phase_end",
        "embedding_plane",
        "embedding_frequency_norm",
        "cosine_coefficient",
        "logit_variance_explained",
        "logit_wave",
        "key_direction_variance_explained",
        "key_direction_projection",
        "embedding_component_norm",
        "embedding_matrix",
        "neuron_table",
        "neuron_offset",
        "attention_score",
        "neuron_frequency",
        "neuron_variance_explained",
    )
    seconds = 368
    parts = {  # noqa: RUF012
        "opening": "the question",
        "grokking": "grokking",
        "phase-change": "a phase change",
        "little-data": "the same with little data",
        "gap": "why there is grokking",
        "clock": "adding is turning",
        "waves": "waves that agree once",
        "embedding": "the embedding",
        "circles": "circles wind up",
        "neuron": "a neuron becomes a wave",
        "digits": "a phase change for each digit",
        "many": "many changes, one smooth curve",
        "rounding": "a rounding error",
        "credits": "credits and sources",
    }
    poster = "opening"

    a: int | None = option(None, "the first number that is added; if none, 87 of 113")
    b: int | None = option(None, "the second number that is added; if none, 81 of 113")
    neuron: int | None = option(
        None, "number of a stored neuron; if none, a clear one of low frequency"
    )

    def claim(self, data: xr.Dataset) -> Claim:
        """For how long it learns between memorising and understanding."""
        opening = Opening().claim(data)
        delay = outcome(data).delay
        if not opening.holds or delay is None:
            return opening
        span = f"{delay:,} {outcome(data).word}s"
        sentence = f"What a network does in {span} between memory and understanding"
        return Claim(sentence, self.watch, numbers={"delay": delay})

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless every chapter of this data can be told."""
        for film in (
            Opening(), Clock(self.a, self.b), FourierMultiplication(self.a, self.b),
            WavesToCircles(), NeuronWave(neuron=self.neuron),
        ):  # fmt: skip
            film.require(data)

    def chapters(self, data: xr.Dataset) -> tuple[Chapter, ...]:
        """The story; the numbers are the tweets that are redrawn."""
        self.require(data)
        sum_ = {"a": self.a, "b": self.b}
        return (
            Chapter("opening", "opening"),
            Chapter("grokking", "grokking-curve", seconds=9.5, hold=2),  # 1
            Chapter("phase-change", "induction-phase-change", seconds=9.5, hold=2),  # 2
            Chapter("little-data", "induction-grokking", seconds=9.5, hold=2),  # 3
            Chapter("gap", "phase-change-to-grokking"),  # 4 to 6
            Chapter("clock", "clock", sum_, sections=("turn",)),  # 7
            Chapter("waves", "fourier-multiplication", sum_, sections=("interfere",)),
            Chapter("embedding", "embedding-waves", seconds=10, hold=2),  # 9 and 11
            Chapter("circles", "waves-to-circles", sections=("training",)),
            Chapter("neuron", "neuron-wave", {"neuron": self.neuron}, sections=("training",)),  # 10
            Chapter("digits", "digit-phase-changes", seconds=10, hold=2),  # 13
            Chapter("many", "many-small-steps", sections=("mean",)),
            Chapter("rounding", "rounding", sections=("gradient", "slingshot")),  # 14
            Chapter("credits", "credits"),
        )  # fmt: skip

    def description(self, data: xr.Dataset, i: int) -> str:
        """The chapters in order."""
        return f"A film of {len(self.parts)} chapters: {'; '.join(self.parts.values())}."

    def definition(self, data: xr.Dataset) -> str:
        """With the citations."""
        return (
            "The story of grokking in the order of Nanda and Lieberum's thread (2022), with Nanda "
            "et al. (2023), arXiv:2301.05217, and Power et al. (2022), arXiv:2201.02177."
        )
