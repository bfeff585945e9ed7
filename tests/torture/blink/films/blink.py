"""The drawing of the short film."""

from __future__ import annotations

import manim as mn

from grokviz.scene.films.toolkit import FilmScene


class Blink(FilmScene):
    """A square."""

    film = "blink"

    def construct(self) -> None:
        """Its only section."""
        self.section("come")
        self.play(mn.FadeIn(mn.Square()), run_time=0.4)
