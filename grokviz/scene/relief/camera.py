"""How a surface is seen: a camera that goes round it, in perspective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Camera:
    """A camera that looks at a point from a side and from above; the horizon is level.

    Attributes:
        azimuth: on which side it stands, in degrees from x towards y.
        elevation: how high, in degrees.
        view: the angle that it sees, in degrees.
        distance: from the point that it looks at.
        x, y, z: the point.

    """

    azimuth: float = -90.0
    elevation: float = 36.0
    view: float = 22.0
    distance: float = 4.0
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0

    @cached_property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        """Unit vectors to the right, up and ahead, as the camera has them."""
        a, e = np.radians(self.azimuth), np.radians(self.elevation)
        ahead = -np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
        right = np.array([-np.sin(a), np.cos(a), 0.0])
        return np.stack([right, np.cross(right, ahead), ahead])

    @property
    def eye(self) -> Float[np.ndarray, " 3"]:
        """Where it is."""
        eye: np.ndarray = np.array([self.x, self.y, self.z]) - self.distance * self.axes[2]
        return eye

    def seen(self, points: Float[np.ndarray, "*shape 3"]) -> Float[np.ndarray, "*shape 3"]:
        """Places in its picture, right and up, 1 at the edge of what it sees, and the depth."""
        inside = (points - self.eye) @ self.axes.T
        depth = np.maximum(inside[..., 2:], 1e-6)
        wide = np.tan(np.radians(self.view / 2))
        return np.concatenate([inside[..., :2] / depth / wide, depth], axis=-1)


def between(one: Camera, other: Camera, share: float) -> Camera:
    """The camera a share of the way from one to the other."""
    pairs = ((getattr(one, field.name), getattr(other, field.name)) for field in fields(Camera))
    return Camera(*[(1 - share) * a + share * b for a, b in pairs])


@dataclass(frozen=True)
class View:
    """Where in a picture of pixels a camera's picture stands: the middle, and pixels to 1."""

    x: float
    y: float
    scale: float

    def pixels(self, seen: Float[np.ndarray, "*shape 3"]) -> Float[np.ndarray, "*shape 2"]:
        """Pixels, right and up, of places in the camera's picture."""
        return np.array([self.x, self.y]) + self.scale * seen[..., :2]

    def mixed(self, other: View, share: float) -> View:
        """The view a share of the way to another."""
        mine, theirs = (np.array([v.x, v.y, v.scale]) for v in (self, other))
        return View(*((1 - share) * mine + share * theirs).tolist())


def fitted(
    cameras: Sequence[Camera],
    corners: Float[np.ndarray, "corner 3"],
    box: tuple[float, float, float, float],
) -> View:
    """The largest view in which all corners stay within a box of pixels, from all cameras.

    ``box`` is its left, lower, right and upper edge.
    """
    seen = np.concatenate([camera.seen(corners)[:, :2] for camera in cameras])
    low, high = seen.min(axis=0), seen.max(axis=0)
    left, lower, right, upper = box
    room = np.array([right - left, upper - lower])
    scale = float((room / (high - low)).min())
    middle = np.array([left + right, lower + upper]) / 2 - scale * (low + high) / 2
    return View(float(middle[0]), float(middle[1]), scale)
