"""The drawing of the small film."""

from __future__ import annotations

import manim as mn

from grokviz.scene.films.toolkit import Dots, FilmScene, Line


class Spin(FilmScene):
    """A square in the first key frequency's colour, then dots on a circle."""

    film = "spin"

    def construct(self) -> None:
        """Both sections."""
        k, half = self.keys[0], self.options.size / 2
        self.section("stand")
        square = Line(
            [[960, 500 - half / 2], [960, 500 + half / 2]], self.colour(k), self.options.size
        )
        square.cap_style = mn.CapStyleType.BUTT
        self.say("A square stands, $a + b$.", mn.FadeIn(square))
        if self.options.fails:
            raise RuntimeError("broken on purpose")
        self.section("wind", square)
        planes = self.data["embedding_plane"].sel(embedded_frequency=k).values
        dots = Dots((960, 500) + 400 * planes[0], 7, self.colour(k))

        def wind(share: float) -> None:
            i = round(share * (len(planes) - 1))
            dots.move_dots((960, 500) + 400 * planes[i])
            self.show_moment(self.data["epoch"].values[i])

        self.show_moment(0)
        self.say("Dots wind.", mn.FadeIn(dots))
        self.play(self.sweep(wind, dots, run_time=1))
