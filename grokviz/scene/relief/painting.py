"""Surfaces as pixels: quadrilaterals, the farthest first, drawn at twice the size and halved."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from grokviz.scene.relief.camera import Camera, View
from grokviz.scene.relief.light import Points

TIMES = 2
"""How many pixels across are drawn for one."""


@dataclass(frozen=True)
class Quads:
    """Flat patches in space: four corners each, in turn, and a colour in sRGB from 0 to 1."""

    corners: Float[np.ndarray, "quad 4 3"]
    colours: Float[np.ndarray, "quad 3"]


def quads(points: Points, colours: Points) -> Quads:
    """The patches of a grid, or of many; each has the mean of the colours at its corners."""
    near, far = slice(None, -1), slice(1, None)
    sides = ((near, near), (near, far), (far, far), (far, near))
    around = [(..., *side, slice(None)) for side in sides]
    corners = np.stack([points[part].reshape(-1, 3) for part in around], axis=1)
    colour = sum(colours[part] for part in around) / 4
    return Quads(corners, np.asarray(colour).reshape(-1, 3))


def finer(values: Points, steps: int) -> Points:
    """A grid with so many columns for one, so that patches that are seen large have many colours.

    Places or colours, in straight lines between those that there are.
    """
    first, rest = values[..., :-1, :], np.diff(values, axis=-2)
    shares = (np.arange(steps) / steps)[:, None]
    between = first[..., None, :] + shares * rest[..., None, :]
    between = between.reshape(*first.shape[:-2], -1, values.shape[-1])
    return np.concatenate([between, values[..., -1:, :]], axis=-2)


def skirt(
    edge: Float[np.ndarray, "*edges place 3"],
    foot: Float[np.ndarray, "*edges place 3"],
    above: Float[np.ndarray, "*edges place 3"],
    below: Float[np.ndarray, " 3"],
    steps: int = 6,
) -> Quads:
    """A wall from an edge, or many, to its foot, whose colour fades on its way."""
    share = np.linspace(0, 1, steps + 1)[:, None, None]
    edge, foot, above = (part[..., None, :, :] for part in (edge, foot, above))
    # it has faded before it ends
    fade = np.minimum(1.15 * share, 1)
    return quads(edge + share * (foot - edge), above + fade * (below - above))


def joined(parts: Sequence[Quads]) -> Quads:
    """All patches of several surfaces."""
    return Quads(
        np.concatenate([part.corners for part in parts]),
        np.concatenate([part.colours for part in parts]),
    )


def painted(
    patches: Quads,
    camera: Camera,
    view: View,
    size: tuple[int, int],
) -> UInt8[np.ndarray, "height width 4"]:
    """The patches as a camera sees them, on nothing, as RGBA.

    The nearest is drawn last, by the mean distance of its corners; patches that cross are not
    told apart. Drawn at twice the size and halved.

    Args:
        patches: what is drawn.
        camera: from where; what lies behind it, or outside the picture, is left out.
        view: where in the picture, in its pixels.
        size: its width and height in pixels.

    """
    from matplotlib.backends import backend_agg

    seen = camera.seen(patches.corners)
    pixels, depth = view.pixels(seen), seen[..., 2]
    inside = (pixels.max(axis=1) >= 0).all(axis=1) & (pixels.min(axis=1) <= size).all(axis=1)
    inside &= depth.min(axis=1) > 0.02 * camera.distance
    order = np.flatnonzero(inside)[np.argsort(-depth[inside].mean(axis=1), kind="stable")]
    agg: Any = backend_agg
    renderer = agg.RendererAgg(TIMES * size[0], TIMES * size[1], 100)
    _draw(renderer, TIMES * pixels[order], np.clip(patches.colours[order], 0, 1))
    return halved(np.asarray(renderer.buffer_rgba()))


def _draw(renderer: Any, corners: np.ndarray, colours: np.ndarray) -> None:
    """Each patch in its colour, in this order, without seams between them."""
    from matplotlib.transforms import IdentityTransform

    count = 3 * len(corners)
    # rows of two places: a patch is two rows, and a row that is no number parts it from the next
    rows = np.full((count + 1, 2, 2), np.nan)
    rows[0:-1:3] = corners[:, :2]
    rows[1::3] = corners[:, 3:1:-1]
    faces = np.zeros((count, 4))
    faces[::3, :3] = colours
    faces[::3, 3] = 1
    same = IdentityTransform()
    renderer.draw_quad_mesh(
        renderer.new_gc(), same, 1, count, rows, np.zeros((1, 2)), same, faces, False,
        np.zeros((0, 4)),
    )  # fmt: skip


def halved(
    pixels: UInt8[np.ndarray, "height width 4"],
) -> UInt8[np.ndarray, "half_height half_width 4"]:
    """A picture of half the size: the mean of those of four pixels that are there at all.

    ``pixels`` are opaque or nothing.
    """
    there = pixels[..., 3] > 127
    colours = np.where(there[..., None], pixels[..., :3], np.uint8(0))
    high, wide = (size // TIMES for size in there.shape)
    total, count = np.zeros((high, wide, 3), np.uint16), np.zeros((high, wide, 1), np.uint16)
    for i, j in itertools.product(range(TIMES), repeat=2):
        total += colours[i::TIMES, j::TIMES]
        count += there[i::TIMES, j::TIMES, None]
    mean = (total + count // 2) // np.maximum(count, 1)
    return np.concatenate([mean, 255 * count // TIMES**2], axis=-1).astype(np.uint8)
