"""A sheet whose rows change places: each is a slice that is lifted, carried and put down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from grokviz.scene.relief.heights import in_turn
from grokviz.scene.relief.light import Shade

LIFT = 0.16
"""How high a slice is lifted that goes the whole way across, in widths of the sheet."""

EACH = 0.55
"""The share of the time that one slice takes; they start one after another."""


@dataclass(frozen=True)
class Sheet:
    """Heights of a sheet in cells (see :func:`~grokviz.scene.relief.heights.cells`), and shade.

    ``order`` says which number stands at each row's place.
    """

    heights: Float[np.ndarray, "rows columns"]
    shade: Shade
    order: Int[np.ndarray, " row"]


@dataclass(frozen=True)
class Slices:
    """The rows of a sheet on their way, in the order of their numbers.

    Attributes:
        x, lift: where each place of a slice is across the sheet, from -1/2 to 1/2, and how high
            the slice is above it.
        heights, shade: as they are on the way: at the rows' middles those of the sheet.

    """

    x: Float[np.ndarray, "row place"]
    lift: Float[np.ndarray, " row"]
    heights: Float[np.ndarray, "row place column"]
    shade: Shade


def slices(before: Sheet, after: Sheet, share: float) -> Slices:
    """The rows a share of the way from their places in one sheet to those in the other."""
    count = len(before.order)
    here, there = (np.argsort(one.order, kind="stable") for one in (before, after))
    gone = in_turn(share, here / max(count - 1, 1), EACH)
    steps = (len(before.heights) - 1) // count
    inside = np.arange(steps + 1)
    start, end = (place[:, None] * steps + inside for place in (here, there))
    part = gone[:, None, None]

    def on_the_way(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        mixed: np.ndarray = (1 - part) * one[start] + part * other[end]
        return mixed

    x = ((1 - gone[:, None]) * start + gone[:, None] * end) / (steps * count) - 0.5
    lift = LIFT * np.sin(np.pi * gone) * np.abs(there - here) / count
    shade = Shade(
        on_the_way(before.shade.sky, after.shade.sky), on_the_way(before.shade.sun, after.shade.sun)
    )
    return Slices(x, lift, on_the_way(before.heights, after.heights), shade)
