"""A neuron's input as a landscape whose columns are of ever later epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.modular_addition._surface_picture import Source
from jaxtyping import Float

from grokviz.media.theme import colour_map
from grokviz.scene import Drawing, relief, style
from grokviz.scene import clock as clocks
from grokviz.scene.relief.light import coloured

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

LEFT, RIGHT, NEAR, FAR = 0.3, 0.3, 0.1, 0.7
"""How far the numbers go on beyond 0 and p - 1, as they go round: shares of p."""

LEAST = 0.3
"""How high noise is, of what a field of one frequency is."""

HEIGHT = 0.8
"""Heights, by the distance from one bump to the next."""

REACH, SHADED = 0.05, 3
"""How far away what rises hides the sky, in widths of the field, and places to a number for it."""

PIXELS, STEEP = 4.0, 5
"""Pixels to a patch on level ground, and into how many each is cut for slopes that are near."""

HORIZON = 0.42
"""Where the camera looks at, from below, as a share of the picture."""

FOG = 1.1, 2.1
"""From which distance on it fades, and where it has faded."""

CAMERA = relief.Camera(-90.0, 19.0, 38.0, 1.35, 0.0, -0.06, 0.0)
DRIFT = 3.0
"""Degrees that the camera goes round in a film."""


class Landscape:
    """The columns of a neuron's fields, the first moments at the left and the last at the right."""

    def __init__(self, figure: FigureBase, data: xr.Dataset, source: Source) -> None:
        self.data, self.source = data, source
        self.panel = relief.ReliefPanel(figure, (0.0, 0.0, *style().ems(figure)))
        colours, small = style().colours, style().small
        em = self.panel.em
        wide = self.panel.size[0]
        look = {"fontsize": small, "va": "bottom", "color": colours.muted}
        self.first = self.panel.text(ha="left", **look)
        self.last = self.panel.text(ha="right", **{**look, "color": colours.answer})
        self.panel.place(self.first, np.array([4.2 * em, 0.3 * em]))
        self.panel.place(self.last, np.array([wide - 2.0 * em, 0.3 * em]))
        self.arrow = self.panel.axes.annotate(
            "", (wide - 10.0 * em, 0.75 * em), (10.6 * em, 0.75 * em),
            arrowprops={"arrowstyle": "-|>", "color": colours.faint, "lw": 0.4 * style().line},
        )  # fmt: skip
        self.columns = lru_cache(maxsize=None)(self._columns)

    def drawing(self) -> Drawing:
        """The landscape up to a clock index."""
        moving = [self.panel.image, self.first, self.last, self.arrow]
        return Drawing(moving, self.update, self.play)

    def update(self, i: int) -> None:
        """Show the moments up to a clock index."""
        self._show(i, 0.0)

    def play(self, share: float, index: Sequence[int]) -> int:
        """Show the moments up to a share of the film's, while the camera goes round a little."""
        i = index[min(int(share * len(index)), len(index) - 1)]
        self._show(i, DRIFT * (2 * relief.eased(share) - 1))
        return i

    def _columns(self, i: int) -> Float[np.ndarray, "a b"]:
        """A moment's field, lower the less of it is the neuron's frequency."""
        share = float(np.clip(self.source.share(i), 0, 1))
        field: np.ndarray = relief.percentile_scale(self.source.field(i))
        return (LEAST + (1 - LEAST) * share) * field

    def _show(self, i: int, turn: float) -> None:
        word = clocks.word(self.data, "field_epoch")
        epochs = self.data["field_epoch"].values
        self.first.set_text(f"{word} {clocks.spaced(epochs[0])}")
        self.last.set_text(f"{word} {clocks.spaced(epochs[i])}")
        self.panel.show(self._picture(i, turn))

    def _picture(self, i: int, turn: float) -> np.ndarray:
        wide, high = self.panel.size
        camera = replace(CAMERA, azimuth=CAMERA.azimuth + turn)
        ground = Ground.of(self.source.p, wide, high)
        field = self._wide(i, ground)
        size = HEIGHT / max(self.source.k, 4) / 2
        heights = size * relief.interpolated(field, ground.rows, ground.columns)
        x, y = np.meshgrid(ground.x, ground.y, indexing="ij")
        points = np.stack([x, y, heights], axis=-1)
        colours = coloured(heights / size, colour_map(style().colours.heights))
        surface = relief.Surface(points, colours, ground.shade(size * field))
        seen = self._faded(relief.lit(surface, relief.Light(), camera.eye), points, camera)
        view = relief.View(wide / 2, HORIZON * high, wide / 2)
        patches = relief.quads(*(relief.finer(grid, STEEP) for grid in (points, seen)))
        pixels = relief.painted([patches], camera, view, self.panel.size)
        return self._ends(pixels)

    def _wide(self, i: int, ground: Ground) -> Float[np.ndarray, "a b"]:
        """The columns of all moments, and those before 0 and after p - 1, as numbers go round."""
        p = self.source.p
        first, last = self.columns(0), self.columns(i)
        field = [self.columns(round(i * a / max(p - 1, 1)))[a] for a in range(p)]
        whole = np.concatenate([first[p - ground.left :], field, last[: ground.right]])
        return np.pad(whole, ((0, 0), (ground.near, ground.far)), mode="wrap")

    def _faded(
        self, seen: np.ndarray, points: np.ndarray, camera: relief.Camera
    ) -> Float[np.ndarray, "row column 3"]:
        """The colours as they are through the dusk: the farther, the less is left of them."""
        from matplotlib.colors import to_rgb

        away = np.linalg.norm(points - camera.eye, axis=-1)
        far = np.clip((away - FOG[0]) / (FOG[1] - FOG[0]), 0, 1)[..., None]
        return seen + far**1.5 * (np.array(to_rgb(style().colours.background)) - seen)

    def _ends(self, pixels: np.ndarray) -> np.ndarray:
        """The picture without its near edge, where the epochs are written."""
        high, em = len(pixels), self.panel.em
        above = high - 1 - np.arange(high)
        share = np.clip((above - 1.6 * em) / (4.0 * em), 0, 1)
        faded = pixels.copy()
        faded[..., 3] = np.round(pixels[..., 3] * (share * share * (3 - 2 * share))[:, None])
        return faded


@dataclass(frozen=True)
class Ground:
    """Where the landscape is looked at: the finer, the nearer.

    Attributes:
        p: how many numbers there are.
        left, right, near, far: how many more are seen on each side.
        rows, columns: places in the field with these numbers.

    """

    p: int
    left: int
    right: int
    near: int
    far: int
    rows: Float[np.ndarray, " row"]
    columns: Float[np.ndarray, " column"]

    @classmethod
    def of(cls, p: int, wide: int, high: int) -> Ground:
        """For a picture of so many pixels."""
        sides = [round(share * p) for share in (LEFT, RIGHT, NEAR, FAR)]
        left, right, near, far = sides
        rows = np.arange(0, left + p + right - 1, max(PIXELS * 0.6 * p / wide, 1 / 16))
        # equal steps in the picture, in which what is far is small
        distance = CAMERA.distance - 0.5 - NEAR, CAMERA.distance + 0.5 + FAR
        steps = np.linspace(1 / distance[0], 1 / distance[1], round(1.4 * high / PIXELS))
        share = (1 / steps - distance[0]) / (distance[1] - distance[0])
        return cls(p, *sides, rows, share * (near + p + far - 1))

    @property
    def x(self) -> Float[np.ndarray, " row"]:
        """The rows' places, in widths of the field."""
        return (self.rows - self.left) / self.p - 0.5

    @property
    def y(self) -> Float[np.ndarray, " column"]:
        """The columns' places, in widths of the field."""
        return (self.columns - self.near) / self.p - 0.5

    def shade(self, field: Float[np.ndarray, "a b"]) -> relief.Shade:
        """The shade of heights that are wider than they are seen."""
        counts = [np.arange(count * SHADED) / SHADED for count in field.shape]
        even, spacing = relief.interpolated(field, *counts), 1 / (self.p * SHADED)
        shades = (
            relief.occlusion(even, spacing, REACH), relief.shadow(even, spacing, relief.Light())
        )  # fmt: skip
        places = SHADED * self.rows, SHADED * self.columns
        return relief.Shade(*[np.clip(relief.interpolated(s, *places), 0, 1) for s in shades])
