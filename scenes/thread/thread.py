"""The whole story in the thread's order, as one film of chapters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.scenes.modular_addition.embedding.embedding_waves import EmbeddingWaves
from grokviz.scenes.modular_addition.embedding.string_to_circle import StringToCircle
from grokviz.scenes.modular_addition.logits.chorus import Chorus
from grokviz.scenes.modular_addition.neuron_surface import NeuronSurface
from grokviz.scenes.thread import _said
from grokviz.scenes.thread._answers import TABLE, Told
from grokviz.scenes.thread.finale import Finale
from grokviz.scenes.thread.opening import Opening

from grokviz.dataset.references.reference import load
from grokviz.scene import Claim, frequencies, option
from grokviz.scene.film import Chapter, Film
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr

LENGTH = {"epochs", "checkpoint-every", "test-every", "record-norms"}
"""Settings that say how long a run is followed, and how closely."""


@dataclass(frozen=True)
class Thread(Film):
    """Chapters from other scenes and films; each is drawn and kept by itself."""

    name = "thread"
    title = "What a network does between memorising and understanding"
    watch = "the whole story, from the question to its answer"
    source = "thread; arXiv:2301.05217; arXiv:2201.02177"
    needs = tuple(
        dict.fromkeys((
            *Chorus.needs, "phase_end", "embedding_component_norm", "neuron_table",
            "neuron_offset", "attention_score", "neuron_frequency", "neuron_variance_explained",
        ))
    )  # fmt: skip
    wishes = TABLE
    seconds = 335
    parts = {  # noqa: RUF012
        "opening": "the question",
        "grokking": "grokking",
        "induction": "another task",
        "phase-change": "a phase change",
        "little-data": "the same with little data",
        "gap": "why there is grokking",
        "string": "numbers on a circle",
        "chorus": "waves that agree once",
        "embedding": "the embedding",
        "neuron": "a neuron learns a shape",
        "digits": "a phase change for each digit",
        "many": "many changes, one smooth curve",
        "rounding": "a rounding error",
        "credits": "credits and sources",
        "answer": "what happened in between",
    }
    poster = "neuron"

    a: int | None = option(None, "the first number that is added; if none, 27")
    b: int | None = option(None, "the second number that is added; if none, 95")
    neuron: int | None = option(
        None, "number of a stored neuron; if none, the clearest one of the lowest frequency"
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

    def _scenes(self) -> tuple[StringToCircle, Chorus, EmbeddingWaves, NeuronSurface]:
        """The scenes of this data, with the options."""
        return (
            StringToCircle(**self._sum), Chorus(**self._sum), EmbeddingWaves(waves="key"),
            NeuronSurface(self.neuron, "landscape"),
        )  # fmt: skip

    @property
    def _sum(self) -> dict[str, int]:
        return {name: n for name, n in (("a", self.a), ("b", self.b)) if n is not None}

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless every chapter of this data can be told."""
        Opening().require(data)
        for scene in self._scenes():
            scene.claim(data)

    def chapters(self, data: xr.Dataset) -> tuple[Chapter, ...]:
        """The story; the numbers are the tweets that are redrawn."""
        self.require(data)
        string, chorus, waves, neuron = self._scenes()
        asked = Told.of(data)
        own = asked is not None and asked.asks and Finale().claim(data).holds
        # what has a table has the moments too: those of one run, where it is the same recipe
        table = None if own else _same_start(data)
        shades = {} if own else {"colours": " ".join(map(str, frequencies.coloured(data)))}
        seen = _said.Seen.OWN if own else _said.Seen.SECOND if table else _said.Seen.ANOTHER
        return (
            Chapter("opening", "opening", own=own),
            Chapter("grokking", "grokking-curve", seconds=19.5, hold=2, run=table,
                    captions=_said.losses),  # 1
            Chapter("induction", "induction-task"),
            Chapter("phase-change", "induction-phase-change", seconds=12, hold=2,
                    captions=_said.phase_change),  # 2
            Chapter("little-data", "induction-grokking", seconds=11.5, hold=2,
                    captions=_said.little_data),  # 3
            Chapter("gap", "phase-change-to-grokking"),  # 4 to 6
            Chapter("string", "string-to-circle", string.changed_options(), seconds=18, hold=1.5,
                    captions=_said.string(string, seen)),  # 9
            Chapter("chorus", "chorus", chorus.changed_options(), seconds=18, hold=2,
                    captions=_said.chorus(chorus)),  # 7
            Chapter("embedding", "embedding-waves", waves.changed_options(), seconds=12, hold=2,
                    captions=_said.waves(waves)),  # 9 and 11
            Chapter("neuron", "neuron-surface", neuron.changed_options(), seconds=11.5, hold=2,
                    captions=_said.neuron(neuron)),  # 10
            Chapter("digits", "digit-phase-changes", seconds=11.5, hold=2,
                    captions=_said.digits),  # 13
            Chapter("many", "many-small-steps", sections=("mean",)),
            Chapter("rounding", "rounding", sections=("slingshot",)),  # 14
            Chapter("credits", "credits"),
            Chapter("answer", "finale", shades, own=own),
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


def _same_start(data: xr.Dataset) -> str | None:
    """The reference that has the table, where its run and this one differ in rounding alone."""
    table = load(Opening.reference, ("logged_train_loss",))
    ours, theirs = (json.loads(one.attrs.get("settings") or "{}") for one in (data, table))
    both = (ours.keys() & theirs.keys()) - LENGTH
    same = "seed" in both and all(ours[key] == theirs[key] for key in both)
    return Opening.reference if same else None
