"""Betti numbers of a surface of points: its pieces, loops and hollows, by persistent homology."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np
from jaxtyping import Float, Int

POINTS = 160
"""So many points stand for the surface, each the farthest from those before."""

LONG = 0.5
"""A class counts that lasts so long, as a share of the root mean square radius."""

DEGREES = (0, 1, 2)


def is_installed() -> bool:
    """Whether ripser is there, which finds the classes."""
    return importlib.util.find_spec("ripser") is not None


def spread_out(
    points: Float[np.ndarray, "point axis"], count: int
) -> Float[np.ndarray, "some axis"]:
    """The first point, then always the one that is farthest from those taken."""
    taken = [0]
    distance = np.linalg.norm(points - points[0], axis=1)
    for _ in range(min(count, len(points)) - 1):
        taken.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[taken[-1]], axis=1))
    return points[taken]


def betti_numbers(points: Float[np.ndarray, "point axis"]) -> Int[np.ndarray, " degree"]:
    """Pieces, loops and hollows: 1, 0, 0 for a disc, 1, 2, 1 for a torus."""
    # an optional library, looked for by its name
    ripser: Any = importlib.import_module("ripser").ripser

    some = spread_out(points, POINTS)
    radius = float(np.sqrt(((some - some.mean(axis=0)) ** 2).sum(axis=1).mean()))
    diagrams = ripser(some, maxdim=DEGREES[-1])["dgms"]
    return np.array([int((np.diff(d, axis=1) > LONG * radius).sum()) for d in diagrams])
