"""The question of the whole story, with the numbers of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grokviz.errors import InputError
from grokviz.scene import clock
from grokviz.scene.film import Film

if TYPE_CHECKING:
    import xarray as xr

LEARNED = 0.1


@dataclass(frozen=True)
class Opening(Film):
    """A card that asks what happened between memorising and generalising."""

    name = "opening"
    title = "A network understands long after it has memorised"
    watch = "the epochs between which nothing seems to happen"
    source = "thread, tweet 1; arXiv:2201.02177"
    needs = ("logged_train_loss", "logged_test_loss")
    drawn_by = "films.opening:Opening"
    seconds = 10
    parts = {"question": "the question"}  # noqa: RUF012

    def epochs(self, data: xr.Dataset) -> tuple[int, int]:
        """When the training loss and when the test loss is first below 0.1."""
        crossings = []
        for split, dim in (("train", "logged_epoch"), ("test", "tested_epoch")):
            low = np.flatnonzero(data[f"logged_{split}_loss"].values < LEARNED)
            if not low.size:
                raise InputError(
                    f"{self.name} needs a run that groks; this run's {split} loss is never below "
                    f"{LEARNED}"
                )
            crossings.append(int(data[dim].values[low[0]]))
        return crossings[0], crossings[1]

    def question(self, data: xr.Dataset) -> tuple[str, ...]:
        """What the card asks, in lines."""
        word, (first, second) = clock.word(data), self.epochs(data)
        return (
            f"At {word} {clock.spaced(first)} a network knows its examples by heart.",
            f"At {word} {clock.spaced(second)} it suddenly gets all the others right.",
            "What happened in between?",
        )

    def description(self, data: xr.Dataset, i: int) -> str:
        """What is written on it, and the losses behind it."""
        first = float(data["logged_test_loss"].values[0])
        question = " ".join(self.question(data)).replace("\u2009", " ")
        return f"A card that says: Grokking. {question} The test loss begins at {first:.3g}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "When the training loss and the test loss first are below 0.1. "
            "After Power et al. (2022), arXiv:2201.02177, and the thread, tweet 1."
        )
