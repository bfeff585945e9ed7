"""Square heatmaps of fields over (a, b): whole pixels a cell, the same places in every scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np

from grokviz.media import typefaces
from grokviz.media.theme import SLIDE_DPI, colour_map
from grokviz.scene.style import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SLACK = 1e-3


@dataclass(frozen=True)
class GridRoom:
    """Where a grid of heatmaps stands.

    Attributes:
        left, right, top, bottom: margins in ems.
        gap, vgap: between columns and between rows, in ems.
        share: the part of the figure (left, bottom, right, top) that the grid is centred in.

    """

    left: float = 2.4
    right: float = 1.0
    top: float = 1.25
    bottom: float = 1.2
    gap: float = 0.7
    vgap: float = 1.25
    share: tuple[float, float, float, float] = (0, 0, 1, 1)


class GridKeywords(TypedDict, total=False):
    """The fields of :class:`GridRoom` as keywords."""

    left: float
    right: float
    top: float
    bottom: float
    gap: float
    vgap: float
    share: tuple[float, float, float, float]


def square_axes(
    figure: FigureBase, count: int, columns: int, cells: int, **room: Unpack[GridKeywords]
) -> list[Axes]:
    """Axes for ``count`` square heatmaps of ``cells`` x ``cells``, row by row.

    On a slide a cell is a whole number of pixels where it has room for one, so that no row
    of a field is drawn wider than another. ``room`` are the fields of :class:`GridRoom`.
    """
    at = GridRoom(**room)
    em = style().points / 72 * figure.get_figure(root=True).dpi
    placed: Any = figure
    box = placed.bbox
    rows = math.ceil(count / columns)
    x0, y0 = box.x0 + at.share[0] * box.width, box.y0 + at.share[1] * box.height
    x1, y1 = box.x0 + at.share[2] * box.width, box.y0 + at.share[3] * box.height
    wide = x1 - x0 - em * (at.left + at.right + at.gap * (columns - 1))
    high = y1 - y0 - em * (at.top + at.bottom + at.vgap * (rows - 1))
    side = _side(figure, max(min(wide / columns, high / rows), 1.0), cells)
    x = x0 + em * at.left + max(wide - side * columns, 0) / 2
    y = y1 - em * at.top - max(high - side * rows, 0) / 2
    axes = []
    for row, column in (divmod(i, columns) for i in range(count)):
        at_x = round(x + column * (side + at.gap * em)) - box.x0
        at_y = round(y - row * (side + at.vgap * em)) - side - box.y0
        # a little within its pixels, or rounding would make the image a pixel wider
        corner = ((at_x + SLACK / 2) / box.width, (at_y + SLACK / 2) / box.height)
        inside = side - SLACK
        axes.append(figure.add_axes((*corner, inside / box.width, inside / box.height)))
    return axes


def _side(figure: FigureBase, side: float, cells: int) -> float:
    """A heatmap's side in pixels; on a slide a whole number of pixels a cell, where it has one."""
    # a slide is laid out at 100 dots an inch, and a smaller film is the same picture smaller
    scale = figure.get_figure(root=True).dpi / SLIDE_DPI
    if style().slide and side >= cells * scale:
        return side / scale // cells * cells * scale
    return side


def heat(axes: Axes, shape: tuple[int, int], top: float = 1.0, *, diverging: bool = False) -> Any:
    """An image of so many rows and columns, from 0 up or centred on 0, the first row lowest."""
    colours = style().colours
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set(xticks=[], yticks=[])
    return axes.imshow(
        np.zeros(shape), origin="lower", aspect="auto", interpolation="nearest",
        vmin=-top if diverging else 0, vmax=top,
        cmap=colour_map(colours.diverging if diverging else colours.sequential),
    )  # fmt: skip


def name_inputs(axes: Axes, last: int, x: str = "a", y: str = "b") -> None:
    """What runs along the sides between the first and the last number, in one line each."""
    axes.set_xticks([0, last / 2, last], ["0", x, str(last)])
    axes.set_yticks([0, last / 2, last], ["0", y, str(last)])
    axes.tick_params(pad=0.25 * style().points)
    flush: Any = zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True)
    for label, side in flush:
        label.set_horizontalalignment(side)
    flush = zip(axes.get_yticklabels(), ("bottom", "center", "top"), strict=True)
    for label, side in flush:
        label.set_verticalalignment(side)


def note(axes: Axes, text: str) -> None:
    """A line under the last heatmap, flush with its right side: what the colours mean.

    In a narrow column there is no room for it, and the caption says it.
    """
    current_style = style()
    if current_style.narrow(axes.figure):
        return
    axes.annotate(
        text, (1, 0), xycoords="axes fraction", xytext=(0, -0.25 * current_style.points),
        textcoords="offset points", ha="right", va="top",
        fontsize=current_style.small, color=current_style.colours.muted,
    )  # fmt: skip


def colour_bar(
    axes: Axes, image: Any, words: str, ends: tuple[str, str], *, drop: float = 0.25
) -> None:
    """What the colours of an image mean: a strip below it, flush with its right side.

    Args:
        axes: the heatmap.
        image: what :func:`heat` returned, with its limits set.
        words: what is drawn, at the left of the strip.
        ends: the values at both ends of the strip.
        drop: how far below the heatmap the top of the texts is, in ems.

    """
    current_style = style()
    em = current_style.pixels(axes, current_style.small)
    look: dict[str, Any] = {
        "xycoords": "axes fraction", "textcoords": "offset points", "va": "top",
        "fontsize": current_style.small, "color": current_style.colours.muted,
    }  # fmt: skip
    down, pad, long = -drop * current_style.points, 0.4, 4.0
    right = typefaces.width(ends[1]) + pad
    for text, x, side in (
        (ends[1], 0.0, "right"), (f"{words}  {ends[0]}", -right - long - pad, "right")
    ):  # fmt: skip
        axes.annotate(text, (1, 0), xytext=(x * current_style.small, down), ha=side, **look)
    place, box = axes.get_position(), axes.bbox
    wide, high = place.width / box.width, place.height / box.height
    top = place.y0 + down * high * em / current_style.small
    strip = axes.figure.add_axes((
        place.x1 - (right + long) * em * wide, top - 1.0 * em * high, long * em * wide,
        0.7 * em * high,
    ))  # fmt: skip
    strip.set(xticks=[], yticks=[])
    strip.grid(visible=False)
    for spine in strip.spines.values():
        spine.set(visible=True, color=current_style.colours.faint, lw=0.3 * current_style.line)
    strip.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=image.get_cmap())


def colour_scale(axes: Axes, image: Any, words: str, marks: Sequence[tuple[float, str]]) -> None:
    """What the colours of an image mean: a strip below it with values under it, and words at left.

    Args:
        axes: the heatmap; the strip is flush with its right side and half as wide.
        image: what :func:`heat` returned.
        words: what is drawn, at the left of the strip.
        marks: places on the strip from 0 to 1, each with the value there or "" for a line alone.

    """
    current_style = style()
    em = current_style.pixels(axes, current_style.small)
    place, box = axes.get_position(), axes.bbox
    high = place.height / box.height
    half, top = place.width / 2, place.y0 - 0.35 * em * high
    strip = axes.figure.add_axes((place.x1 - half, top - 0.8 * em * high, half, 0.8 * em * high))
    strip.imshow(
        np.linspace(0, 1, 256)[None], aspect="auto", cmap=image.get_cmap(), extent=(0, 1, 0, 1)
    )
    strip.grid(visible=False)
    strip.set(xticks=[at for at, _ in marks], yticks=[])
    strip.set_xticklabels([text for _, text in marks])
    look = current_style.colours
    strip.tick_params(
        labelcolor=look.muted, color=look.faint, length=0.2 * current_style.small,
        width=0.3 * current_style.line, pad=0.1 * current_style.small,
    )  # fmt: skip
    for spine in strip.spines.values():
        spine.set(visible=True, color=look.faint, lw=0.3 * current_style.line)
    strip.annotate(
        words, (0, 0.5), (-0.5 * current_style.small, 0), xycoords="axes fraction",
        textcoords="offset points", ha="right", va="center", color=look.muted,
        fontsize=current_style.small,
    )  # fmt: skip


def figure_above(axes: Axes, *, left: bool = False) -> Any:
    """An empty text above the axes at their right, for a number that moves; or a name at left."""
    current_style = style()
    text = axes.annotate(
        "", (0 if left else 1, 1), xycoords="axes fraction", xytext=(0, 0.2 * current_style.points),
        textcoords="offset points", ha="left" if left else "right", va="baseline",
    )  # fmt: skip
    text.set_fontsize(current_style.points if left else current_style.small)
    text.set_fontweight("bold" if left else "normal")
    return text
