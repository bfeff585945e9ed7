"""How far apart two colours look, also to somebody without green cones.

Colours are sRGB; distances are CIE 1976 (Euclidean in CIELAB, D65), where about 2.3
is just noticeable side by side. Deuteranopia is simulated by the matrix of
Machado, Oliveira and Fernandes 2009 (severity 1.0), in linear light.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

_DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colours: Iterable[str]) -> Float[np.ndarray, "n 3"]:
    """Linear-light RGB in 0..1 of matplotlib colours."""
    from matplotlib.colors import to_rgb

    srgb = np.array([to_rgb(c) for c in colours])
    return np.asarray(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4))


def lab(colours: Iterable[str], *, deuteranopia: bool = False) -> Float[np.ndarray, "n 3"]:
    """CIELAB of matplotlib colours, as seen by everybody or with simulated deuteranopia."""
    light = linear(colours)
    if deuteranopia:
        light = np.clip(light @ _DEUTERANOPIA.T, 0.0, 1.0)
    xyz = light @ _TO_XYZ.T / _WHITE
    bent = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = bent.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def distances(colours: Iterable[str], *, deuteranopia: bool = False) -> Float[np.ndarray, "n n"]:
    """Every pair's distance in CIELAB; the diagonal is 0."""
    points = lab(colours, deuteranopia=deuteranopia)
    return np.asarray(np.linalg.norm(points[:, None] - points[None], axis=-1))


def contrast(colour: str, background: str) -> float:
    """Ratio of luminances as WCAG 2 defines it, 1 (the same) to 21 (black on white)."""
    y = linear([colour, background]) @ _TO_XYZ[1]
    high, low = float(max(y)), float(min(y))
    return (high + 0.05) / (low + 0.05)
