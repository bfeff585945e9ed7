"""The end card: whose work is shown, and where to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grokviz.scene import clock
from grokviz.scene.film import Film

if TYPE_CHECKING:
    import xarray as xr

ROWS = (
    ("Thread and Colab notebook", "Neel Nanda and Tom Lieberum, 2022"),
    ("Progress measures for grokking via mechanistic interpretability",
     "Nanda, Chan, Lieberum, Smith, Steinhardt 2023, arXiv:2301.05217"),
    ("Grokking",
     "Power, Burda, Edwards, Babuschkin, Misra 2022, arXiv:2201.02177"),
    ("Slingshots and rounding", "arXiv:2206.04817 and arXiv:2605.06152"),
)  # fmt: skip
MADE = "Drawn with grokviz, from real runs."


@dataclass(frozen=True)
class Credits(Film):
    """The sources of the story, as the end of a film."""

    name = "credits"
    title = "Whose work this is"
    watch = "where to read on"
    source = "thread; arXiv:2301.05217; arXiv:2201.02177"
    needs = ("logged_test_loss",)
    drawn_by = "films.credits:Credits"
    seconds = 17
    parts = {"credits": "credits and sources"}  # noqa: RUF012

    def ends(self, data: xr.Dataset) -> str:
        """What became of the run that most of the pictures are of."""
        last, loss = data["tested_epoch"].values[-1], float(data["logged_test_loss"].values[-1])
        return f"The main run ends with a test loss of {loss:.1e} at {clock.word(data)} {last}."

    def description(self, data: xr.Dataset, i: int) -> str:
        """What is written on it."""
        sources = ". ".join(f"{what}: {who}" for what, who in ROWS)
        return f"Sources. {sources}. {MADE} {self.ends(data)}"

    def definition(self, data: xr.Dataset) -> str:
        """The same."""
        return self.alt_text(data, 0)
