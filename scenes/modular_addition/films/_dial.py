"""A dial: the numbers mod p on the circle of one frequency, as the network embeds them."""

from __future__ import annotations

from typing import Any

import numpy as np

from grokviz.scene.films.toolkit import Anchor, Dots, FilmScene, Line, words


class Dial:
    """One frequency's circle of numbers, with a hand; all lengths in pixels."""

    def __init__(
        self, scene: FilmScene, k: int, centre: tuple[float, float], radius: float, *,
        dot: float = 7.0,
    ) -> None:  # fmt: skip
        self.scene, self.k, self.dot = scene, k, dot
        self.centre, self.radius = np.array(centre, dtype=float), radius
        self.unit = embedded_circle(scene.data, k)
        self.p = len(self.unit)
        self.colour = scene.colour(k)
        self.ring = Line(self.arc(0, 2 * np.pi, radius), scene.colours.grid, 3)
        self.ring.set_z_index(-1)
        self.dots = Dots(self.pixels(), dot, self.colour)

    def pixels(self) -> np.ndarray:
        """Where each number stands: its measured place in the plane, mean radius 1."""
        return self.centre + self.radius * self.unit * [1, -1]

    def angle(self, n: float) -> float:
        """The angle of a number, from 0 up to a whole turn: a sum goes on the way it began."""
        return 2 * np.pi * ((self.k * n / self.p) % 1.0)

    def at(self, angle: float, share: float = 1.0) -> np.ndarray:
        """The pixel at an angle, ``share`` of the radius from the centre."""
        way = np.array([np.cos(angle), -np.sin(angle)])
        pixel: np.ndarray = self.centre + share * self.radius * way
        return pixel

    def arc(self, start: float, stop: float, radius: float) -> np.ndarray:
        """Pixels along an arc."""
        angles = np.linspace(start, stop, 129)
        pixels: np.ndarray = self.centre + radius * np.stack(
            [np.cos(angles), -np.sin(angles)], axis=1
        )
        return pixels

    def hand(self, angle: float, colour: str | None = None, px: float = 8.0) -> Any:
        """A line from the centre to just inside the circle."""
        return Line(np.stack([self.centre, self.at(angle, 0.9)]), colour or self.colour, px)

    def turn(self, hand: Any, angle: float, reach: float = 0.9) -> None:
        """Point the hand at an angle, as long as a share of the radius."""
        hand.move_line(np.stack([self.centre, self.at(angle, reach)]))

    def away(self, n: int) -> float:
        """How far from the centre a number stands, as a share of the radius."""
        return float(np.linalg.norm(self.unit[n % self.p]))

    def mark(self, n: int, colour: str, px: float = 15.0) -> Any:
        """A larger dot on a number."""
        return Dots(self.pixels()[[n % self.p]], px, colour)

    def label(self, n: int, text: str, colour: str, px: float = 34.0, away: float = 1.2) -> Any:
        """A text beyond the circle at a number."""
        x, y = self.at(self.angle(n), away)
        side = np.cos(self.angle(n))
        anchor: Anchor = "left" if side > 0.35 else "right" if side < -0.35 else "centre"
        x -= 0.05 * self.radius * (side if anchor != "centre" else 0)
        return words(text, colour, px=px, at=(float(x), float(y) + 0.36 * px), bold=True,
                     anchor=anchor)  # fmt: skip

    def name(self, text: str, y: float, px: float = 31.0) -> Any:
        """A text below or above the dial in its colour."""
        return words(text, self.colour, px=px, at=(float(self.centre[0]), y), bold=True)


def embedded_circle(data: Any, k: int, i: int = -1) -> np.ndarray:
    """Measured places of the numbers in the plane of a frequency, of mean radius 1: (p, 2)."""
    planes = data["embedding_plane"]
    if k in planes["embedded_frequency"].values:
        points = planes.sel(embedded_frequency=k).isel(epoch=i).values.astype(float)
        return points / np.linalg.norm(points, axis=1).mean()
    raise ValueError(f"{k} is not among the embedded frequencies")
