"""A sheet that is bent: rolled into a tube, and the tube into a ring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

LEAST = 1e-4
"""Radians of a bend that is none."""


@dataclass(frozen=True)
class Bend:
    """How far a sheet is bent.

    Attributes:
        roll: 0 for flat, 1 for a tube, whose two edges along x meet below.
        ring: 0 for straight, 1 for a ring, whose two ends meet behind.
        length, width: of the sheet, along x and y.

    """

    roll: float = 0.0
    ring: float = 0.0
    length: float = 1.0
    width: float = 1.0

    @property
    def radius(self) -> float:
        """Of the ring along the middle of the sheet; large where it is straight."""
        return self.length / max(2 * np.pi * self.ring, LEAST)

    @property
    def thickness(self) -> float:
        """The radius of the tube; large where it is flat."""
        return self.width / max(2 * np.pi * self.roll, LEAST)


def bent(
    x: Float[np.ndarray, "rows columns"],
    y: Float[np.ndarray, "rows columns"],
    heights: Float[np.ndarray, "rows columns"],
    bend: Bend,
) -> Float[np.ndarray, "rows columns 3"]:
    """Places in space of a sheet's points, ``heights`` above it along its normals.

    ``x`` and ``y`` go from -1/2 to 1/2 over the sheet. Its middle, (0, 0), stays at the origin.
    """
    r, turn = bend.thickness, max(2 * np.pi * bend.roll, LEAST) * y
    side = (r + heights) * np.sin(turn)
    up = (r + heights) * np.cos(turn) - r
    big, along = bend.radius, max(2 * np.pi * bend.ring, LEAST) * x
    out = big - side
    return np.stack([out * np.sin(along), big - out * np.cos(along), up], axis=-1)
