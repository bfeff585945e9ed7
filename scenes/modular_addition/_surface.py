"""A neuron's field as a sheet that is lit, re-sorted and glued: its shapes, moment by moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int

from grokviz.media.theme import colour_map
from grokviz.scene import relief, style
from grokviz.scene.relief.light import coloured

COUNTED, A_SORTED, SORTED, TUBE, TORUS = 0.0, 1.0, 2.0, 3.0, 4.0
"""The stages; what lies between two is on its way from one to the other."""

REACH = 0.07
"""How far away what rises hides the sky, in widths of the sheet."""

LENGTH, FLAT = 2.5, 0.045
"""Of the ring around the torus, in widths of the sheet, and the heights on it."""

HILL, CRATE, WALL = 0.13, 0.7, 0.05
"""Heights of one hill, of a bump by its width, and of the slab below them."""

MARK = 0.85
"""How much of the colour of a marked row is the mark's."""

PLACES = 90.0, 460.0
"""The least and the most places along an edge of the sheet."""

PIXELS = 2.3
"""Pixels to one of them."""


@dataclass(frozen=True)
class Field:
    """A neuron's field over (a, b) at one moment, and how it is re-sorted.

    Attributes:
        values: from -1 to 1.
        k: the frequency by whose multiples it is sorted; 0 for none.
        a_order, b_order: which number stands at each place when it is.
        factor: places to a number.

    """

    values: Float[np.ndarray, "a b"]
    k: int
    a_order: Int[np.ndarray, " a"]
    b_order: Int[np.ndarray, " b"]
    factor: int
    sheets: dict[int, relief.Sheet] = field(default_factory=dict)

    @property
    def marked(self) -> tuple[int, int]:
        """The numbers whose row and column are marked: those in the middle when it is sorted."""
        middle = len(self.values) // 2
        return int(self.a_order[middle]), int(self.b_order[middle])

    def sheet(self, stage: int) -> relief.Sheet:
        """In counting order, with a sorted, or with both; heights in widths of the sheet."""
        if stage not in self.sheets:
            counted = np.arange(len(self.values))
            a = self.a_order if stage >= A_SORTED else counted
            b = self.b_order if stage >= SORTED else counted
            self.sheets[stage] = self._sheet(a, b, stage)
        return self.sheets[stage]

    def _sheet(self, a: np.ndarray, b: np.ndarray, stage: float) -> relief.Sheet:
        fine = relief.cells(self.values[np.ix_(a, b)], self.factor)
        heights, spacing = self.amplitude(stage) * fine, 1 / (len(fine) - 1)
        sky = relief.occlusion(heights, spacing, REACH)
        sun = relief.shadow(heights, spacing, relief.Light())
        return relief.Sheet(fine, relief.Shade(sky, sun), a)

    def amplitude(self, stage: float) -> float:
        """The height of 1 at a stage, in widths of the sheet: bumps are lower than one hill."""
        crate = float(np.clip(CRATE / max(self.k, 1), 0.03, HILL))
        heights = (crate, (crate + HILL) / 2, HILL, FLAT, FLAT)
        return float(np.interp(stage, (COUNTED, A_SORTED, SORTED, TUBE, TORUS), heights))


def factor_for(p: int, pixels: float) -> int:
    """How many places to a number show a sheet so many pixels wide: an even number."""
    wanted = float(np.clip(pixels / PIXELS, *PLACES)) / p
    return max(2 * round(wanted / 2), 2)


@dataclass(frozen=True)
class Shape:
    """What is seen at a stage: its parts, the farthest first, and the marked row and column.

    ``points`` are those of the surface, on a grid or on one for each slice.
    """

    parts: Sequence[relief.Quads | relief.Grid]
    points: Float[np.ndarray, "*grids rows columns 3"]
    a_line: Float[np.ndarray, "place 3"]
    b_line: Float[np.ndarray, "place 3"]

    @property
    def places(self) -> Float[np.ndarray, "place 3"]:
        """All points of all parts."""
        points = [p.points if isinstance(p, relief.Grid) else p.corners for p in self.parts]
        return np.concatenate([part.reshape(-1, 3) for part in points])


def shape_of(neuron: Field, stage: float, camera: relief.Camera) -> Shape:
    """The field at a stage, lit, as the camera sees it."""
    if stage <= SORTED and stage != int(stage):
        return _on_the_way(neuron, stage, camera)
    return _sheet(neuron, stage, camera)


def bend_of(stage: float) -> relief.Bend:
    """How far the sheet is bent at a stage."""
    roll, ring = (float(np.clip(stage - at, 0, 1)) for at in (SORTED, TUBE))
    return relief.Bend(roll, ring, 1 + (LENGTH - 1) * ring)


def _sheet(neuron: Field, stage: float, camera: relief.Camera) -> Shape:
    """A whole sheet, flat or bent."""
    sheet = neuron.sheet(min(int(stage), 2))
    bend, fine = bend_of(stage), sheet.heights
    edge = np.linspace(-0.5, 0.5, len(fine))
    x, y = np.meshgrid(edge, edge, indexing="ij")
    a, b = neuron.marked
    if stage >= SORTED:
        places = len(fine) // 2, len(fine) // 2
    elif stage >= A_SORTED:
        places = len(fine) // 2, _middle(b, neuron.factor)
    else:
        places = _middle(a, neuron.factor), _middle(b, neuron.factor)
    if bend.roll:
        points = relief.bent(x, y, neuron.amplitude(stage) * fine, bend)
        # nothing of the sheet is in the shade of another part of it, so far as this goes
        shade = replace(sheet.shade, sun=sheet.shade.sun + bend.roll * (1 - sheet.shade.sun))
    else:
        points, shade = np.stack([x, y, neuron.amplitude(stage) * fine], axis=-1), sheet.shade
    surface = relief.Surface(points, _colours(fine), shade)
    seen = _ruled(relief.lit(surface, relief.Light(), camera.eye), places, neuron.factor)
    wall = 1 - relief.eased(4 * bend.roll)
    ground = -wall * (neuron.amplitude(stage) + WALL)
    walls = _walls(points, seen, ground, camera) if wall > 0 else []
    # heights are in order as they are, a sheet that is bent is not
    top = relief.quads(points, seen) if bend.roll else relief.Grid.of(points, seen)
    return Shape([*walls[:2], top, *walls[2:]], points, points[places[0]], points[:, places[1]])


def _ruled(seen: np.ndarray, places: tuple[int, int], factor: int) -> np.ndarray:
    """Colours with the marked row and column drawn in: a line with dark edges, seen on all."""
    colours, at = style().colours, np.arange(len(seen))
    for width, colour in ((1.0, colours.background), (0.5, colours.answer)):
        rows, columns = (np.abs(at - place) <= width * factor for place in places)
        seen = _dyed(seen, rows[:, None] | columns[None], colour)
    return seen


def _dyed(seen: np.ndarray, where: np.ndarray, colour: str) -> np.ndarray:
    """Colours in sRGB that are mostly another in some places."""
    from matplotlib.colors import to_rgb

    dyed: np.ndarray = seen + MARK * where[..., None] * (np.array(to_rgb(colour)) - seen)
    return dyed


def _middle(place: int, factor: int) -> int:
    return place * factor + factor // 2


def _walls(
    points: np.ndarray, seen: np.ndarray, ground: float, camera: relief.Camera
) -> list[relief.Grid]:
    """The four sides of a slab, the farthest first."""
    sides = (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1])
    away = [camera.seen(points[side])[..., 2].mean() for side in sides]
    order = np.argsort(away, kind="stable")[::-1]
    return [_wall(points[sides[n]], seen[sides[n]], ground) for n in order]


def _wall(edge: np.ndarray, above: np.ndarray, ground: float, steps: int = 6) -> relief.Grid:
    from matplotlib.colors import to_rgb

    foot = edge.copy()
    foot[..., 2] = np.minimum(foot[..., 2], ground)
    background = np.array(to_rgb(style().colours.background))
    return relief.skirt(edge, foot, 0.55 * above, background, steps)


def _on_the_way(neuron: Field, stage: float, camera: relief.Camera) -> Shape:
    """A sheet whose rows, or whose columns, change places."""
    first = int(stage)
    before, after = neuron.sheet(first), neuron.sheet(first + 1)
    number, other = neuron.marked if first == 0 else neuron.marked[::-1]
    if first:
        before, after = (
            _turned(sheet, order)
            for sheet, order in ((before, np.arange(len(neuron.values))), (after, neuron.b_order))
        )
    moved = relief.slices(before, after, stage - first)
    amplitude = np.array([neuron.amplitude(first), neuron.amplitude(first + 1)])
    height = float(np.interp(stage - first, (0, 1), amplitude)) * moved.heights
    rows, places, columns = height.shape
    across = np.broadcast_to(moved.x[:, :, None], height.shape)
    along = np.broadcast_to(np.linspace(-0.5, 0.5, columns), height.shape)
    sides = (along, across) if first else (across, along)
    lift = moved.lift[:, None, None]
    points = np.stack([*sides, height + lift], axis=-1)
    surface = relief.Surface(points, _colours(moved.heights), moved.shade)
    at = columns // 2 if first else _middle(other, neuron.factor)
    own = np.arange(rows)[:, None, None] == number
    crossing = np.abs(np.arange(columns) - at) <= 0.5 * neuron.factor
    seen = relief.lit(surface, relief.Light(), camera.eye)
    seen = _dyed(seen, np.broadcast_to(own | crossing, height.shape), style().colours.answer)
    ground = -neuron.amplitude(stage) - WALL
    away = camera.seen(points[:, places // 2, columns // 2])[:, 2]
    parts = [
        part
        for n in np.argsort(-away, kind="stable")
        for part in _slice(points[n], seen[n], ground + moved.lift[n], camera, first)
    ]
    line = points[number, places // 2]
    cross = points[:, places // 2, at][np.argsort(moved.x[:, places // 2], kind="stable")]
    lines = (cross, line) if first else (line, cross)
    return Shape(parts, points, *lines)


def _slice(
    points: np.ndarray, seen: np.ndarray, ground: float, camera: relief.Camera, axis: int
) -> list[relief.Grid]:
    """A slice and those of its sides that the camera can see: both ends, and a long one."""
    ends = sorted((0, -1), key=lambda end: -float(camera.seen(points[:, end])[:, 2].mean()))
    far, near = (_wall(points[:, end], seen[:, end], ground, 2) for end in ends)
    long = np.s_[-1 if camera.eye[axis] > 0 else 0, ::2]
    return [far, relief.Grid.of(points, seen), _wall(points[long], seen[long], ground, 2), near]


def _turned(sheet: relief.Sheet, order: np.ndarray) -> relief.Sheet:
    """A sheet whose rows are its columns, and the numbers of these."""
    shade = relief.Shade(sheet.shade.sky.T, sheet.shade.sun.T)
    return relief.Sheet(sheet.heights.T, shade, order)


def _colours(heights: np.ndarray) -> np.ndarray:
    return coloured(heights, colour_map(style().colours.heights))
