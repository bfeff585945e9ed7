"""A picture of pixels in a figure, and the texts that stand at places of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from grokviz.scene.style import style

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

PAPER_DPI = 300.0
"""Pixels an inch on paper, where a figure itself counts fewer."""


class ReliefPanel:
    """Axes that hold one picture, pixel for pixel.

    Attributes:
        axes: whose coordinates are the picture's pixels, right and up.
        size: the picture's width and height in pixels.
        em: pixels of the picture to an em of the body type.
        image: the artist that moves.

    """

    def __init__(self, figure: FigureBase, box: tuple[float, float, float, float]) -> None:
        """Take a part of a figure: the left, lower, right and upper edge, in ems."""
        current_style = style()
        root: Any = figure.get_figure(root=True)
        whole: Any = figure.bbox  # type: ignore[attr-defined]  # figures and subfigures both have it
        em = current_style.points / 72 * root.dpi
        left, lower, right, upper = (round(edge * em) for edge in box)
        wide, high = max(right - left, 2), max(upper - lower, 2)
        # a picture pixel is a pixel of the figure, or stands where the figure's are
        x0, y0 = round(whole.x0) - whole.x0, round(whole.y0) - whole.y0
        self.axes = figure.add_axes(
            ((left + x0) / whole.width, (lower + y0) / whole.height,
             wide / whole.width, high / whole.height)
        )  # fmt: skip
        self.axes.axis("off")
        times = 1.0 if current_style.slide else max(PAPER_DPI / root.dpi, 1.0)
        self.size = (round(times * wide), round(times * high))
        self.em = times * em
        self.image = self.axes.imshow(
            np.zeros((2, 2, 4), np.uint8), interpolation="nearest" if times == 1 else "antialiased",
            extent=(0, self.size[0], 0, self.size[1]), origin="upper", aspect="auto", zorder=1,
        )  # fmt: skip
        self.axes.set(xlim=(0, self.size[0]), ylim=(0, self.size[1]))

    def show(self, pixels: UInt8[np.ndarray, "height width 4"]) -> None:
        """Put a picture in."""
        # the renderer counts from below, and so does nothing here
        self.image.set_data(pixels)

    def text(self, words: str = "", **look: Any) -> Any:
        """A text that :meth:`place` moves, at no place yet."""
        current_style = style()
        plain: dict[str, Any] = {
            "fontsize": current_style.points, "color": current_style.colours.ink, "ha": "center",
            "va": "center", "zorder": 3, **look,
        }  # fmt: skip
        return self.axes.text(0, 0, words, **plain)

    def place(self, text: Any, at: Float[np.ndarray, " 2"]) -> None:
        """Move a text to a place in pixels of the picture, kept inside it."""
        text.set_position((float(at[0]), float(at[1])))
