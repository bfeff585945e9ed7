"""A card: some lines, shown for as long as they take to be read."""

from __future__ import annotations

from typing import Any

import manim as mn

from grokviz.scene.films.toolkit import A_WORD, AT_LEAST, FADE, FilmScene


class Card(FilmScene):
    """Fades in and is read; its last frame is the whole card."""

    def setup(self) -> None:
        """Neither the film's title nor what the run is: a card stands for itself."""

    def show_all(self, text: str, *shown: Any) -> None:
        """Show objects for as long as the words in them take to be read."""
        start = self.frame_number()
        self.play(*map(mn.FadeIn, shown), run_time=FADE)
        self.wait(AT_LEAST + A_WORD * len(text.split()))
        self.captions.append((start, self.frame_number(), text))

    def tear_down(self) -> None:
        """No longer than that."""
