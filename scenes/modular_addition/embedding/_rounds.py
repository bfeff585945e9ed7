"""When the numbers in the plane of a wave are a circle: one rule for every scene that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

ROUND = 0.2
"""A circle's radii vary by less than this share of their mean; those of a cloud by about half."""


def spread(radii: Float[np.ndarray, "*plane residue"]) -> Float[np.ndarray, "*plane"]:
    """Standard deviation of the radii in each plane over their mean."""
    mean = np.maximum(radii.mean(axis=-1), 1e-12)
    around: Float[np.ndarray, "*plane"] = radii.std(axis=-1) / mean
    return around
