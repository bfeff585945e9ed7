"""A card: lines of text, shown for as long as they take to read."""

from __future__ import annotations

from typing import Any

import manim as mn

from grokviz.scene.films.toolkit import A_WORD, AT_LEAST, FADE, FilmScene


class Card(FilmScene):
    """A card that fades in; its last frame shows it completely."""

    def setup(self) -> None:
        """Add neither the film's title nor its run."""

    def show_all(self, text: str, *shown: Any) -> None:
        """Show objects for as long as their words take to read."""
        start = self.frame_number()
        self.play(*map(mn.FadeIn, shown), run_time=FADE)
        self.wait(AT_LEAST + A_WORD * len(text.split()))
        self.captions.append((start, self.frame_number(), text))

    def tear_down(self) -> None:
        """Add no further time at the end."""
