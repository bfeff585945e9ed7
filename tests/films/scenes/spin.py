"""A small film of one's own, as docs/films.md says how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grokviz.scene import option
from grokviz.scene.film import Chapter, Film


@dataclass(frozen=True)
class Spin(Film):
    """A square and dots."""

    name = "spin"
    title = "The numbers come to lie on a circle"
    watch = "the dots"
    source = "nowhere"
    needs = ("embedding_plane", "embedding_frequency_norm")
    drawn_by = "films.spin:Spin"
    seconds = 9
    counts = True
    parts = {"stand": "a square stands", "wind": "dots wind"}  # noqa: RUF012

    size: int = option(200, "of the square, in pixels")
    fails: bool = option(False, "whether it breaks on purpose")

    def alt_text(self, data: Any, i: int) -> str:
        """What is seen."""
        return f"A square of {self.size} pixels, then {data.sizes['residue']} dots."


@dataclass(frozen=True)
class Joined(Film):
    """Two chapters: the film above, and a scene drawn with matplotlib."""

    name = "joined"
    title = "Two chapters as one film"
    watch = "both"
    source = "nowhere"
    needs = ("embedding_plane", "embedding_frequency_norm")
    seconds = 11
    parts = {"one": "the first", "two": "the second"}  # noqa: RUF012

    size: int = option(200, "of the first chapter's square")

    def chapters(self, data: Any) -> tuple[Chapter, ...]:
        """A film and a scene."""
        return (
            Chapter("one", "spin", {"size": self.size}),
            Chapter("two", "wave-circles", {"most": 2}, seconds=2, hold=1),
        )

    def alt_text(self, data: Any, i: int) -> str:
        """What is seen."""
        return f"Two chapters, the first with a square of {self.size} pixels."
