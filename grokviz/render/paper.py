"""The paper's figures by number, put together from the scenes that redraw them.

A scene says so itself: ``paper_figures = {"2": {"accuracy": True}, "3a": {}}``. Scenes of
one number are the parts of one figure, below one another in the order of their letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.errors import InputError
from grokviz.scene.scene import Artists, Scene
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

_NUMBER = re.compile(r"([1-9]\d*)([a-z]?)")


@dataclass(frozen=True)
class Part:
    """A scene's part in a figure of the paper: its options, and the epoch it is drawn at."""

    letter: str
    scene: str
    options: Mapping[str, Any]
    epoch: str | int | None


def numbered(scenes: Iterable[type[Scene]]) -> dict[int, list[Part]]:
    """The parts of every figure that these scenes redraw, by its number.

    Raises :class:`InputError` for a scene whose ``paper_figures`` names no figure.
    """
    figures: dict[int, list[Part]] = {}
    for scene in scenes:
        for key, given in _own(scene).items():
            match = _NUMBER.fullmatch(str(key))
            if match is None:
                raise InputError(
                    f"{scene.name}: {key!r} is no figure of a paper; write its number, with a "
                    "letter for a part, such as 3 or 3b"
                )
            options = {name: value for name, value in given.items() if name != "epoch"}
            epoch = given.get("epoch", "last")
            figures.setdefault(int(match[1]), []).append(Part(match[2], scene.name, options, epoch))
    return {n: sorted(figures[n], key=lambda p: (p.letter, p.scene)) for n in sorted(figures)}


def _own(scene: type[Scene]) -> Mapping[str, Mapping[str, Any]]:
    """Its figures; another scene made from one of ours does not take ours over."""
    for kind in scene.__mro__:
        if "paper_figures" in vars(kind):
            same = kind is scene or getattr(kind, "name", "") == scene.name
            return scene.paper_figures if same else {}
    return {}


@dataclass(frozen=True)
class Composed(Scene):
    """Several scenes below one another; :func:`composed` makes one."""

    parts: tuple[Scene, ...]

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Artists:
        """Every part on its own SubFigure, with its letter."""
        narrow = style().narrow(figure)
        ratios = [1 / (p.narrow_aspect if narrow else p.aspect) for p in self.parts]
        rows = figure.subfigures(len(ratios), 1, height_ratios=ratios, hspace=0, squeeze=False)
        drawn = []
        for letter, part, room in zip("abcdefgh", self.parts, rows[:, 0], strict=False):
            room.set_facecolor("none")
            wide, high = style().ems(room)
            room.text(0.3 / wide, 1 - 0.2 / high, letter, va="top", fontweight="bold")
            drawn.append(part.draw(room, data))
        return {"parts": drawn, "moving": [artists.get("moving", []) for artists in drawn]}

    def update(self, artists: Artists, data: xr.Dataset, i: int) -> None:
        """Every part at the moment of this clock."""
        for part, drawn in zip(self.parts, artists["parts"], strict=True):
            part.update(drawn, data, self._index(part, data, i))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """What each part shows."""
        texts = (part.alt_text(data, self._index(part, data, i)) for part in self.parts)
        return " ".join(
            f"{letter}: {text}" for letter, text in zip("abcdefgh", texts, strict=False)
        )

    def caption(self, data: xr.Dataset) -> str:
        """The captions of the parts."""
        pairs = zip("abcdefgh", self.parts, strict=False)
        return " ".join(f"({letter}) {part.caption(data)}" for letter, part in pairs)

    def changed_options(self) -> dict[str, Any]:
        """The options of each part, for provenance."""
        return {part.name: part.changed_options() for part in self.parts}

    def _index(self, part: Scene, data: xr.Dataset, i: int) -> int:
        if part.clock is None or self.clock is None:
            return 0
        moment = data[self.clock].values[i]
        return int(np.abs(data[part.clock].values - moment).argmin())


def composed(number: int, parts: Iterable[Scene], data: xr.Dataset) -> Scene:
    """One scene of these parts; a single part is taken as it is."""
    parts = tuple(parts)
    if len(parts) == 1:
        return parts[0]
    clocks = {part.clock for part in parts if part.clock is not None}
    attributes = {
        "name": f"figure-{number}",
        "title": f"Figure {number}",
        "source": parts[0].source,
        "needs": tuple(dict.fromkeys(name for part in parts for name in part.needs)),
        # the coarsest clock: what it shows, the finer ones can show too
        "clock": min(clocks, key=lambda name: data.sizes[name]) if clocks else None,
        "aspect": 1 / sum(1 / part.aspect for part in parts),
        "narrow_aspect": 1 / sum(1 / part.narrow_aspect for part in parts),
        "__doc__": Composed.__doc__,
        "__module__": __name__,
    }
    scene: Scene = type(f"Figure{number}", (Composed,), attributes)(parts)
    return scene
