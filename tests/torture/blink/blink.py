"""A film of four tenths of a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grokviz.scene.film import Film


@dataclass(frozen=True)
class Blink(Film):
    """A square."""

    name = "blink"
    title = "A square comes"
    watch = "the square"
    source = "nowhere"
    needs = ("logged_train_loss",)
    drawn_by = "films.blink:Blink"
    seconds = 0.4
    parts = {"come": "a square comes"}  # noqa: RUF012

    def alt_text(self, data: Any, i: int) -> str:
        """What is seen."""
        return "A square."
