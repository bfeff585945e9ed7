"""The end card: whose work is shown, and where to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.scene import Claim
from grokviz.scene.film import Film
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr

ROWS = (
    ("A mechanistic interpretability\nanalysis of grokking",
     "thread and Colab notebook,\nNeel Nanda and Tom Lieberum 2022"),
    ("Progress measures for grokking\nvia mechanistic interpretability",
     "Nanda, Chan, Lieberum, Smith, Steinhardt\n2023, arXiv:2301.05217"),
    ("Grokking: generalization\nbeyond overfitting",
     "Power, Burda, Edwards, Babuschkin, Misra\n2022, arXiv:2201.02177"),
    ("The slingshot mechanism;\nGrokking or glitching?",
     "Thilak et al. 2022, arXiv:2206.04817;\nLiu, Cao, Li, Zhou 2026, arXiv:2605.06152"),
)  # fmt: skip
NAMES = ("numbers wind onto a circle", "frequencies of the embedding",
         "training loss and test loss", "training loss in float32")  # fmt: skip
"""What the picture above each work shows."""
MADE = "Drawn with grokviz, from real runs."

CIRCLES, LEAPING = "modular-addition", "slingshots"
"""The bundled runs whose pictures stand beside the works."""


@dataclass(frozen=True)
class Credits(Film):
    """The sources of the story, as the end of a film."""

    name = "credits"
    title = "Whose work this is: a thread and the papers around it"
    watch = "where to read on"
    source = "thread; arXiv:2301.05217; arXiv:2201.02177"
    needs = ("logged_train_loss", "logged_test_loss")
    also = {  # noqa: RUF012
        CIRCLES: ("embedding_plane", "embedding_frequency_norm", "key_neurons"),
        LEAPING: ("member_precision", "member_epoch", "member_train_loss"),
    }
    drawn_by = "films.credits:Credits"
    seconds = 5
    parts = {"credits": "credits and sources"}  # noqa: RUF012

    def claim(self, data: xr.Dataset) -> Claim:
        """How much is named."""
        papers = sum(who.count("arXiv:") for _, who in ROWS)
        return Claim(f"Whose work this is: a thread and {papers} papers", self.watch)

    def description(self, data: xr.Dataset, i: int) -> str:
        """What is written on it."""
        run = outcome(data)
        ends = "" if not run.tested else f"; its test loss ends at {run.test:.2g}"
        return f"{self.definition(data)} {MADE} The main run: {run.sentence}{ends}."

    def definition(self, data: xr.Dataset) -> str:
        """The sources themselves."""
        rows = (f"{' '.join(what.split())}: {' '.join(who.split())}" for what, who in ROWS)
        return f"Sources. {'. '.join(rows)}."
