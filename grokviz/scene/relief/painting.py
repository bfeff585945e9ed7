"""Surfaces as pixels: quadrilaterals, the farthest first, drawn at twice the size and halved.

Patches in any places are sorted by their distance. Those of a grid whose nearer rows hide the
farther ones, as heights do that are seen from above, are in order as they are: a third of the work.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from grokviz.scene.relief.camera import Camera, View
from grokviz.scene.relief.light import Points

TIMES = 2
"""How many pixels across are drawn for one."""


@dataclass(frozen=True)
class Quads:
    """Flat patches in space: four corners each, in turn, and a colour in sRGB from 0 to 1."""

    corners: Float[np.ndarray, "quad 4 3"]
    colours: Float[np.ndarray, "quad 3"]


@dataclass(frozen=True)
class Grid:
    """A surface on a grid of which nothing hides what is nearer, row by row or column by column.

    Attributes:
        points: places in space.
        colours: of the patches between them, in sRGB from 0 to 1.

    """

    points: Float[np.ndarray, "rows columns 3"]
    colours: Float[np.ndarray, "rows-1 columns-1 3"]

    @classmethod
    def of(
        cls,
        points: Float[np.ndarray, "rows columns 3"],
        colours: Float[np.ndarray, "rows columns 3"],
    ) -> Grid:
        """The grid whose patches have the mean of the colours at their corners."""
        return cls(points, _means(colours))


def quads(points: Points, colours: Points) -> Quads:
    """The patches of a grid, or of many; each has the mean of the colours at its corners."""
    corners = np.stack([points[part].reshape(-1, 3) for part in _AROUND], axis=1)
    return Quads(corners, _means(colours).reshape(-1, 3))


_NEAR, _FAR = slice(None, -1), slice(1, None)
_AROUND = [
    (..., *side, slice(None))
    for side in ((_NEAR, _NEAR), (_NEAR, _FAR), (_FAR, _FAR), (_FAR, _NEAR))
]
"""The four corners of each patch of a grid, in turn."""


def _means(colours: Points) -> Points:
    """The mean of the four corners of each patch."""
    means: np.ndarray = sum(colours[part] for part in _AROUND) / np.float64(4)
    return means


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
    edge: Float[np.ndarray, "place 3"],
    foot: Float[np.ndarray, "place 3"],
    above: Float[np.ndarray, "place 3"],
    below: Float[np.ndarray, " 3"],
    steps: int = 6,
) -> Grid:
    """A wall from an edge to its foot, whose colour fades on its way."""
    share = np.linspace(0, 1, steps + 1)[:, None, None]
    # it has faded before it ends
    fade = np.minimum(1.15 * share, 1)
    return Grid.of(edge + share * (foot - edge), above + fade * (below - above))


def joined(parts: Sequence[Quads]) -> Quads:
    """All patches of several surfaces."""
    return Quads(
        np.concatenate([part.corners for part in parts]),
        np.concatenate([part.colours for part in parts]),
    )


def painted(
    parts: Sequence[Quads | Grid],
    camera: Camera,
    view: View,
    size: tuple[int, int],
) -> UInt8[np.ndarray, "height width 4"]:
    """The patches as a camera sees them, on nothing, as RGBA.

    The nearest is drawn last: of patches by the mean distance of their corners, of a grid by that
    of its edges; patches that cross are not told apart. Drawn at twice the size and halved.

    Args:
        parts: what is drawn, in this order.
        camera: from where; patches that lie behind it, or outside the picture, are left out.
        view: where in the picture, in its pixels.
        size: its width and height in pixels.

    """
    from matplotlib.backends import backend_agg

    agg: Any = backend_agg
    renderer = agg.RendererAgg(TIMES * size[0], TIMES * size[1], 100)
    for part in parts:
        if isinstance(part, Grid):
            _draw_grid(renderer, part, camera, view)
        else:
            _draw_quads(renderer, part, camera, view)
    return halved(np.asarray(renderer.buffer_rgba()))


def _draw_grid(renderer: Any, grid: Grid, camera: Camera, view: View) -> None:
    """A grid, its farthest row and column first, where all of it is before the camera."""
    seen = camera.seen(grid.points)
    depth = seen[..., 2]
    if depth.min() <= 0.02 * camera.distance:
        return
    # from the farther of two opposite edges to the nearer
    rows, columns = (
        slice(None, None, 1 if first.mean() >= last.mean() else -1)
        for first, last in ((depth[0], depth[-1]), (depth[:, 0], depth[:, -1]))
    )
    pixels = TIMES * view.pixels(seen)[rows, columns]
    colours = grid.colours[rows, columns]
    faces = np.ones((*colours.shape[:2], 4))
    np.clip(colours, 0, 1, out=faces[..., :3])
    _draw(renderer, pixels, faces.reshape(-1, 4))


def _draw_quads(renderer: Any, patches: Quads, camera: Camera, view: View) -> None:
    """Each patch in its colour, the farthest first."""
    seen = camera.seen(patches.corners)
    pixels, depth = TIMES * view.pixels(seen), seen[..., 2]
    size = renderer.width, renderer.height
    inside = (pixels.max(axis=1) >= 0).all(axis=1) & (pixels.min(axis=1) <= size).all(axis=1)
    inside &= depth.min(axis=1) > 0.02 * camera.distance
    order = np.flatnonzero(inside)[np.argsort(-depth[inside].mean(axis=1), kind="stable")]
    corners, count = pixels[order], 3 * len(order)
    # rows of two places: a patch is two rows, and a row that is no number parts it from the next
    rows = np.full((count + 1, 2, 2), np.nan)
    rows[0:-1:3] = corners[:, :2]
    rows[1::3] = corners[:, 3:1:-1]
    faces = np.zeros((count, 4))
    faces[::3, :3] = np.clip(patches.colours[order], 0, 1)
    faces[::3, 3] = 1
    _draw(renderer, rows, faces)


def _draw(renderer: Any, points: np.ndarray, faces: np.ndarray) -> None:
    """The patches of a grid of pixels in this order, without seams between them."""
    from matplotlib.transforms import IdentityTransform

    same = IdentityTransform()
    high, wide = (size - 1 for size in points.shape[:2])
    renderer.draw_quad_mesh(
        renderer.new_gc(), same, wide, high, np.ascontiguousarray(points), np.zeros((1, 2)), same,
        faces, False, np.zeros((0, 4)),
    )  # fmt: skip


def halved(
    pixels: UInt8[np.ndarray, "height width 4"],
) -> UInt8[np.ndarray, "half_height half_width 4"]:
    """A picture of half the size: the mean of those of four pixels that are there at all.

    ``pixels`` are opaque or nothing.
    """
    picture = np.zeros((*(size // TIMES for size in pixels.shape[:2]), 4), np.uint8)
    # four bytes at once: no pixel of which nothing is there has a colour
    opaque = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
    there = pixels[..., 3] > 127
    rows, columns = _span(np.any(there, axis=1)), _span(np.any(there, axis=0))
    part = np.where(there[rows, columns], opaque[rows, columns], np.uint32(0))
    small = part.view(np.uint8).reshape(*part.shape, 4)
    total = sum(
        small[i::TIMES, j::TIMES].astype(np.uint16)
        for i, j in itertools.product(range(TIMES), repeat=2)
    )
    whole = np.asarray(total)
    count = whole[..., 3] // 255
    mean = (whole + TIMES) // TIMES**2
    edge = (count > 0) & (count < TIMES**2)
    several = count[edge][:, None]
    mean[edge] = (whole[edge] + several // 2) // several
    mean[..., 3] = 255 * count // TIMES**2
    picture[_halves(rows), _halves(columns)] = mean
    return picture


def _span(there: Bool[np.ndarray, " place"]) -> slice:
    """From the first place of an even number to beyond the last at which something is."""
    places = np.flatnonzero(there)
    if not places.size:
        return slice(0, 0)
    return slice(int(places[0]) // TIMES * TIMES, (int(places[-1]) // TIMES + 1) * TIMES)


def _halves(span: slice) -> slice:
    return slice(span.start // TIMES, span.stop // TIMES)
