"""How light falls on a surface: sky and sun, shadows, gloss and rim, in linear light.

Colours are reflectances between 0 and 1 in linear light until :func:`lit` makes sRGB of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

DIRECTIONS, STEPS = 16, 8
"""In how many directions, and at how many distances in each, the sky is looked for."""

MARCH = 40
"""Steps from a place to the sun."""

GAMMA = 2.2

Points = Float[np.ndarray, "*grids rows columns 3"]

LIGHTNESS, CHROMA = 68.0, 38.0
"""Of the colours that go round, in CIELAB."""

WHITE = np.array([0.95047, 1.0, 1.08883])
"""XYZ of white, D65."""

TO_RGB = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560],
     [0.0556434, -0.2040259, 1.0572252]]
)  # fmt: skip
"""XYZ to linear sRGB."""


@dataclass(frozen=True)
class Light:
    """A sun and a sky.

    Attributes:
        azimuth: where the sun is, in degrees from x towards y.
        elevation: how high, in degrees.
        sky, sun: how bright each is, as red, green and blue.
        gloss, rim: how much a polished surface, and one seen from its side, gives back.

    """

    azimuth: float = 205.0
    elevation: float = 35.0
    sky: tuple[float, float, float] = (0.36, 0.42, 0.54)
    sun: tuple[float, float, float] = (1.46, 1.34, 1.14)
    gloss: float = 0.2
    rim: float = 0.28

    @property
    def direction(self) -> Float[np.ndarray, " 3"]:
        """The unit vector towards the sun."""
        a, e = np.radians(self.azimuth), np.radians(self.elevation)
        return np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])


@dataclass(frozen=True)
class Shade:
    """What of the light reaches each place: of the sky, and of the sun, from 0 to 1."""

    sky: np.ndarray
    sun: np.ndarray

    def mixed(self, other: Shade, share: float) -> Shade:
        """The shade a share of the way to another."""
        return Shade(
            (1 - share) * self.sky + share * other.sky, (1 - share) * self.sun + share * other.sun
        )


@dataclass(frozen=True)
class Surface:
    """Places in space on a grid, or on many, their colours in linear light, and their shade."""

    points: Points
    colours: Points
    shade: Shade


def occlusion(
    heights: Float[np.ndarray, "rows columns"], spacing: float, reach: float
) -> Float[np.ndarray, "rows columns"]:
    """The share of the sky that each place of a field sees, from 0 to 1; the field goes round.

    The mean over 16 directions of 1 less the sine of the horizon, which is looked for at eight
    distances up to ``reach``; ``spacing`` is the distance between neighbours, in the same unit.
    """
    widest = max(int(np.ceil(reach / spacing)), 1)
    padded = np.pad(heights.astype(np.float32), widest, mode="wrap")
    seen = np.zeros(heights.shape, np.float32)
    for angle in 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS:
        slope = np.zeros(heights.shape, np.float32)
        for far in reach / spacing * np.arange(1, STEPS + 1) / STEPS:
            i, j = round(far * np.cos(angle)), round(far * np.sin(angle))
            if i or j:
                rise = _moved(padded, widest, i, j) - heights
                np.maximum(slope, rise / np.float32(spacing * np.hypot(i, j)), out=slope)
        seen += 1 - slope / np.sqrt(1 + slope**2)
    return softened(seen / DIRECTIONS)


def shadow(
    heights: Float[np.ndarray, "rows columns"], spacing: float, light: Light
) -> Float[np.ndarray, "rows columns"]:
    """The share of the sun that reaches each place of a slab: 1 in the light, 0 in the shade.

    Edges are soft, the softer the farther what throws the shadow. Rows run along x, columns
    along y; there is nothing beyond the slab's edges.
    """
    across = np.cos(np.radians(light.azimuth)), np.sin(np.radians(light.azimuth))
    climb = np.tan(np.radians(light.elevation))
    farthest = float(np.ptp(heights)) / climb
    widest = int(np.ceil(farthest / spacing)) + 1
    ground = float(heights.min())
    padded = np.pad(heights.astype(np.float32), widest, constant_values=ground)
    dark = np.zeros(heights.shape, np.float32)
    seen: set[tuple[int, int]] = set()
    for far in farthest / spacing * np.arange(1, MARCH + 1) / MARCH:
        i, j = round(far * across[0]), round(far * across[1])
        if (i, j) in seen or not (i or j):
            continue
        seen.add((i, j))
        length = spacing * np.hypot(i, j)
        above = _moved(padded, widest, i, j) - heights - np.float32(length * climb)
        np.maximum(dark, above / np.float32(0.35 * length) + np.float32(0.35), out=dark)
    return softened(1 - np.clip(dark, 0, 1))


def softened(shade: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows columns"]:
    """A shade without the steps of its search: each place with its neighbours, 1 : 2 : 1."""
    for axis in (0, 1):
        wide = np.pad(shade, [(1, 1) if axis == n else (0, 0) for n in (0, 1)], mode="edge")
        before, here, after = (
            np.take(wide, range(k, k + shade.shape[axis]), axis) for k in range(3)
        )
        shade = (before + 2 * here + after) / 4
    return shade


def _moved(padded: np.ndarray, widest: int, i: int, j: int) -> np.ndarray:
    """What is i rows and j columns on from each place of a field that was padded."""
    rows, columns = (size - 2 * widest for size in padded.shape)
    return padded[widest + i : widest + i + rows, widest + j : widest + j + columns]


def normals(points: Points) -> Points:
    """Unit vectors at right angles to a surface: rows times columns, by the right hand."""
    down, across = (np.gradient(points, axis=axis) for axis in (-3, -2))
    n = np.cross(down, across)
    n /= np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-12)
    return n


def lit(surface: Surface, light: Light, eye: Float[np.ndarray, " 3"]) -> Points:
    """The colours of a surface as they are seen from ``eye``, in sRGB from 0 to 1."""
    n = normals(surface.points)
    view = eye - surface.points
    view /= np.linalg.norm(view, axis=-1, keepdims=True)
    facing = (n * view).sum(axis=-1)
    # of a sheet both sides are seen
    n = n * np.where(facing < 0, -1, 1)[..., None]
    facing = np.abs(facing)
    sun = light.direction
    direct = np.clip(n @ sun, 0, None) * surface.shade.sun
    half = view + sun
    half /= np.maximum(np.linalg.norm(half, axis=-1, keepdims=True), 1e-9)
    gloss = light.gloss * np.clip((n * half).sum(axis=-1), 0, 1) ** 40 * surface.shade.sun
    rim = light.rim * (1 - facing) ** 4 * surface.shade.sky
    # what looks up sees more of the sky
    sky = surface.shade.sky * (0.7 + 0.3 * n[..., 2])
    bright = np.array(light.sky) * sky[..., None] + np.array(light.sun) * direct[..., None]
    warm = np.array(light.sun) / max(light.sun)
    linear = surface.colours * bright + gloss[..., None] * warm
    return toned(linear + rim[..., None] * np.sqrt(surface.colours))


def toned(linear: Float[np.ndarray, "*shape 3"]) -> Float[np.ndarray, "*shape 3"]:
    """Linear light as sRGB: as it is up to 0.7, then ever less of it, so that nothing is cut."""
    bent = np.where(linear > 0.7, 1 - 0.3 * np.exp(-(np.maximum(linear, 0.7) - 0.7) / 0.3), linear)
    srgb: np.ndarray = np.clip(bent, 0, 1) ** (1 / GAMMA)
    return srgb


def linear(srgb: Float[np.ndarray, "*shape 3"]) -> Float[np.ndarray, "*shape 3"]:
    """SRGB as linear light."""
    light: np.ndarray = np.asarray(srgb, float) ** GAMMA
    return light


def coloured(values: Float[np.ndarray, "*shape"], colours: Colormap) -> np.ndarray:
    """Linear light for values from -1 to 1, from one end of a colour map to the other."""
    return linear(colours((np.clip(values, -1, 1) + 1) / 2)[..., :3])


def coloured_round(turns: Float[np.ndarray, "*shape"]) -> np.ndarray:
    """Linear light of one lightness whose hue goes round once with each turn, red at 0.

    So that light and shade are not taken for another colour.
    """
    angle = 2 * np.pi * np.asarray(turns, float)
    middle = (LIGHTNESS + 16) / 116
    red_green, yellow_blue = CHROMA * np.cos(angle), CHROMA * np.sin(angle)
    f = np.stack(
        [middle + red_green / 500, np.full_like(angle, middle), middle - yellow_blue / 200], axis=-1
    )
    light: np.ndarray = np.clip((WHITE * f**3) @ TO_RGB.T, 0, 1)
    return light
