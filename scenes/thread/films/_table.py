"""The table of answers in films: a cell for each sum, lit where its answer is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.modular_addition._answers import MIRROR, NEITHER, SHOWN
from matplotlib.colors import to_rgb

from grokviz.scene.films.toolkit import Heat

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import UInt8

    from grokviz.media.theme import Colours

ROOM = 791
"""The most pixels that a side of the table takes."""
GROUND = 0.55
"""How far a wrong cell is from the background towards the grid's colour."""


class Table:
    """All sums as cells: a to the right, b upwards, the surer the network the brighter."""

    def __init__(self, data: xr.Dataset, colours: Colours, corner: tuple[float, float]) -> None:
        self.group = data["group_of_pair"].values
        self.right = data["answer_right"].values > 0
        self.sure = data["answer_probability"].values
        back, grid = (np.array(to_rgb(c)) for c in (colours.background, colours.grid))
        self.ground = back + GROUND * (grid - back)
        kinds = {SHOWN: colours.train, MIRROR: colours.test, NEITHER: colours.test}
        self.colour = np.array([to_rgb(kinds[n]) for n in sorted(kinds)])[self.group]
        p = len(self.group)
        self.cell = max(ROOM // p, 1)
        self.side = self.cell * p
        self.heat = Heat(self.cells(0), corner, self.cell)

    def cells(self, i: int) -> UInt8[np.ndarray, "row column 4"]:
        """The colours of one checkpoint."""
        light = np.where(self.right[i], np.nan_to_num(self.sure[i]), 0.0)[..., None]
        mixed = self.ground + light * (self.colour - self.ground)
        cells = np.full((*self.group.shape, 4), 255, np.uint8)
        cells[..., :3] = np.rint(255 * np.clip(mixed, 0, 1))
        return cells.transpose(1, 0, 2)[::-1]

    def show(self, i: int) -> None:
        """Show one checkpoint."""
        self.heat.recolour(self.cells(i))
