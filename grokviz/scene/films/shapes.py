"""Shapes of films that draw quickly: many bars, dots or points in one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import manim as mn
import numpy as np
from jaxtyping import Float, UInt8

from grokviz.media.theme import colour_map
from grokviz.scene.films.writing import length, place, stroke

# distance of the control points of a cubic curve along a quarter of the unit circle
_ARC = 4 / 3 * (np.sqrt(2) - 1)


def _round() -> np.ndarray:
    """Sixteen control points of a unit circle: four cubic curves."""
    quarter = np.array([[1, 0], [1, _ARC], [_ARC, 1], [0, 1]])
    turns = [np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]])
             for t in np.arange(4) * np.pi / 2]  # fmt: skip
    return np.concatenate([quarter @ turn for turn in turns])


_CIRCLE = _round()


class Dots(mn.VMobject):  # type: ignore[misc]
    """Many round dots of one colour in one object; centres and radii in pixels of 1920 x 1080."""

    def __init__(
        self, centres: Float[np.ndarray, "dot 2"], radius: float | Float[np.ndarray, " dot"],
        colour: str, opacity: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__(fill_color=colour, fill_opacity=opacity, stroke_width=0)
        self.move_dots(centres, radius)

    def move_dots(
        self,
        centres: Float[np.ndarray, "dot 2"],
        radius: float | Float[np.ndarray, " dot"] | None = None,
    ) -> Dots:
        """Move the dots to these pixels, optionally with one radius for all or one each."""
        if radius is not None:
            self.radius = np.asarray(radius, dtype=float)[..., None, None]
        flat = np.asarray(centres, dtype=float)[:, None, :] + self.radius * _CIRCLE[None]
        self.points = pixels_to_points(flat.reshape(-1, 2))
        return self


class Bars(mn.VMobject):  # type: ignore[misc]
    """Many upright bars of one colour in one object."""

    def __init__(
        self,
        plot: Plot,
        x: Float[np.ndarray, " bar"],
        heights: Float[np.ndarray, " bar"],
        width: float,
        colour: str,
        opacity: float = 1.0,
    ) -> None:
        super().__init__(fill_color=colour, fill_opacity=opacity, stroke_width=0)
        self.plot, self.x, self.bar_width = plot, np.asarray(x, dtype=float), width
        self.set_heights(heights)

    def set_heights(self, heights: Float[np.ndarray, " bar"]) -> Bars:
        """Heights in the plot's own unit, from 0."""
        h, zero = np.asarray(heights, dtype=float), np.zeros(len(self.x))
        left, right = self.x - self.bar_width / 2, self.x + self.bar_width / 2
        corners = np.stack(
            [np.stack([left, zero], 1), np.stack([left, h], 1), np.stack([right, h], 1),
             np.stack([right, zero], 1), np.stack([left, zero], 1)], axis=1
        )  # fmt: skip
        self.points = _line_curves(pixels_to_points(self.plot.pixels(corners.reshape(-1, 2))), 5)
        return self


class Line(mn.VMobject):  # type: ignore[misc]
    """A line through many points, in pixels of 1920 x 1080."""

    def __init__(
        self, pixels: Float[np.ndarray, "point 2"], colour: str, px: float = 5.0,
        opacity: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__(
            stroke_color=colour, stroke_width=stroke(px), stroke_opacity=opacity, fill_opacity=0
        )
        self.joint_type = mn.LineJointType.ROUND
        self.cap_style = mn.CapStyleType.ROUND
        self.move_line(pixels)

    def move_line(self, pixels: Float[np.ndarray, "point 2"]) -> Line:
        """Move the line to these pixels."""
        points = pixels_to_points(np.asarray(pixels, dtype=float))
        self.points = _line_curves(points, len(points)) if len(points) > 1 else np.zeros((0, 3))
        return self


class Heat(mn.ImageMobject):  # type: ignore[misc]
    """A heatmap whose cells are whole pixels at 1080 lines, drawn without resampling.

    Args:
        rgba: colours, one entry per cell; :func:`coloured` converts numbers to them.
        corner: pixel of its upper left corner, of 1920 x 1080.
        cell: pixels of a cell, or its width and height; at least 3, or chroma subsampling
            greys the colours of single cells.

    """

    def __init__(
        self,
        rgba: UInt8[np.ndarray, "row column 4"],
        corner: tuple[float, float],
        cell: int | tuple[int, int],
    ) -> None:
        super().__init__(np.ascontiguousarray(rgba))
        rows, columns = rgba.shape[:2]
        across, down = (cell, cell) if isinstance(cell, int) else cell
        (x, y), wide, high = corner, across * columns, down * rows
        self.box = cell, (x, y, x + wide, y + high)
        self.stretch_to_fit_width(length(wide)).stretch_to_fit_height(length(high))
        self.move_to(place(x + wide / 2, y + high / 2))

    def recolour(self, rgba: UInt8[np.ndarray, "row column 4"]) -> Heat:
        """Change the colours of the cells, keeping the current opacity."""
        fade = self.stroke_opacity
        self.pixel_array = np.ascontiguousarray(rgba)
        self.orig_alpha_pixel_array = self.pixel_array[:, :, 3].copy()
        if fade < 1:
            self.set_opacity(fade)
        return self


class FilmCamera(mn.Camera):  # type: ignore[misc]
    """manim's camera, which draws a :class:`Heat` by looking up its cells."""

    def display_image_mobject(self, image_mobject: Any, pixel_array: np.ndarray) -> None:
        """Draw a heatmap by its cells, and any other picture as manim does."""
        if not isinstance(image_mobject, Heat):
            super().display_image_mobject(image_mobject, pixel_array)
            return
        corners = self.points_to_subpixel_coords(image_mobject, image_mobject.points)
        (x0, y0), (x1, y1) = (np.rint(f(corners[:, :2], axis=0)).astype(int)
                              for f in (np.min, np.max))  # fmt: skip
        high, wide = pixel_array.shape[:2]
        rows, top = _cell_indices(y0, y1, len(image_mobject.pixel_array), high)
        columns, left = _cell_indices(x0, x1, image_mobject.pixel_array.shape[1], wide)
        if not (rows.size and columns.size):
            return
        cells = image_mobject.pixel_array[np.ix_(rows, columns)]
        target = pixel_array[top : top + len(rows), left : left + len(columns)]
        _lay_over(target, cells)


def _cell_indices(start: int, stop: int, count: int, limit: int) -> tuple[np.ndarray, int]:
    """The cell of each pixel from ``start`` to ``stop``, inside the picture."""
    inside = np.arange(max(start, 0), min(stop, limit))
    cells = ((inside - start + 0.5) * count / max(stop - start, 1)).astype(int)
    return np.clip(cells, 0, count - 1), max(start, 0)


def _lay_over(target: np.ndarray, cells: np.ndarray) -> None:
    """Compose straight colours over cairo's premultiplied ones."""
    alpha = cells[..., 3:].astype(np.uint16)
    if (alpha == 255).all():
        target[...] = cells
        return
    front = np.concatenate([cells[..., :3] * alpha // 255, alpha], axis=2)
    target[...] = front + target * (255 - alpha) // 255


def coloured(
    values: Float[np.ndarray, "row column"], low: float, high: float, cmap: str
) -> UInt8[np.ndarray, "row column 4"]:
    """Map numbers to colours; ``low`` and ``high`` are the ends of the colour map."""
    share = np.clip((np.asarray(values, dtype=float) - low) / max(high - low, 1e-12), 0, 1)
    colours: UInt8[np.ndarray, "row column 4"] = colour_map(cmap)(share, bytes=True)
    return colours


@dataclass(frozen=True)
class Plot:
    """Axes without ticks or labels: a rectangle in pixels, and the numbers at its edges."""

    x0: float
    y0: float
    x1: float
    y1: float
    xlim: tuple[float, float]
    ylim: tuple[float, float]

    def pixels(self, xy: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        """Convert numbers to pixels."""
        share = (np.asarray(xy, dtype=float) - [self.xlim[0], self.ylim[0]]) / [
            self.xlim[1] - self.xlim[0], self.ylim[1] - self.ylim[0]
        ]  # fmt: skip
        points: Float[np.ndarray, "point 2"] = np.array([self.x0, self.y1]) + share * [
            self.x1 - self.x0, self.y0 - self.y1
        ]  # fmt: skip
        return points

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixel of one point."""
        pixel = self.pixels(np.array([[x, y]]))[0]
        return float(pixel[0]), float(pixel[1])

    def curve(self, x: Any, y: Any, colour: str, px: float = 5.0, opacity: float = 1.0) -> Line:
        """A line through numbers."""
        return Line(self.pixels(np.stack([x, y], axis=1)), colour, px, opacity)

    def bars(self, x: Any, y: Any, width: float, colour: str, opacity: float = 1.0) -> Bars:
        """Upright bars from 0."""
        return Bars(self, x, y, width, colour, opacity)

    def dots(self, x: Any, y: Any, radius: float, colour: str, opacity: float = 1.0) -> Dots:
        """Dots at numbers."""
        return Dots(self.pixels(np.stack([x, y], axis=1)), radius, colour, opacity)

    def level(self, y: float, colour: str, px: float = 2.0) -> Line:
        """A horizontal line at ``y``."""
        return self.curve(np.array(self.xlim), np.array([y, y]), colour, px)


def pixels_to_points(pixels: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 3"]:
    """Convert pixels of 1920 x 1080 to manim's points."""
    flat = np.asarray(pixels, dtype=float)
    points: Float[np.ndarray, "point 3"] = np.zeros((len(flat), 3))
    points[:, 0], points[:, 1] = length(1) * (flat[:, 0] - 960), length(1) * (540 - flat[:, 1])
    return points


def _line_curves(points: np.ndarray, run: int) -> np.ndarray:
    """Cubic curves of the straight lines through groups of ``run`` points."""
    runs = points.reshape(-1, run, 3)
    start, stop = runs[:, :-1], runs[:, 1:]
    between = [start, start * 2 / 3 + stop / 3, start / 3 + stop * 2 / 3, stop]
    return np.stack(between, axis=2).reshape(-1, 3)
