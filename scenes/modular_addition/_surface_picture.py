"""The surface of a neuron in a figure: at one stage, at three, or going through all in a film."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.modular_addition._surface import (
    A_SORTED,
    COUNTED,
    SORTED,
    TORUS,
    TUBE,
    Field,
    Shape,
    bend_of,
    factor_for,
    shape_of,
)
from jaxtyping import Float, Int

from grokviz.media.spacing import LEFT, RIGHT
from grokviz.scene import Drawing, relief, style

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

FILM = (COUNTED, SORTED, TORUS)
"""The stages that a still of all shows."""

WIDTHS = (1.06, 1.06, 0.94)
"""Their shares of the width."""

STORY = (
    (0.42, COUNTED), (0.46, COUNTED), (0.60, A_SORTED), (0.63, A_SORTED), (0.77, SORTED),
    (0.82, SORTED), (0.91, TUBE), (1.0, TORUS),
)  # fmt: skip
"""By which share of a film's time it has come to which stage; before the first, epochs pass."""

ORBIT = (-79.0, -45.0)
"""Where the camera stands at the beginning of a film and at its end, in degrees."""

SIDE = -75.0
"""Where it stands for a still."""

EDGE = 0.3
"""Room around what is drawn, in ems."""

MOST = 3
"""Moments whose sheets are kept."""


@dataclass(frozen=True)
class Source:
    """A neuron over time.

    Attributes:
        field: its input over (a, b) at a clock index.
        share: how much of its variance is its own frequency, at a clock index.
        k, p: the frequency, 0 for none, and how many numbers there are.
        a_order, b_order: which number stands at each place when they are sorted.

    """

    field: Callable[[int], Float[np.ndarray, "a b"]]
    share: Callable[[int], float]
    k: int
    p: int
    a_order: Int[np.ndarray, " place"]
    b_order: Int[np.ndarray, " place"]


class Part:
    """One surface in a box of the picture, and its texts."""

    def __init__(self, panel: relief.ReliefPanel, box: Box, source: Source) -> None:
        self.panel, self.box, self.source = panel, box, source
        current_style = style()
        gold, muted = current_style.colours.answer, current_style.colours.muted
        small = {"fontsize": current_style.small}
        side = "left" if box.alone else "center"
        self.name = panel.text(fontweight="bold", va="top", ha=side)
        self.how = panel.text(color=muted, va="top", ha=side, linespacing=1.15, **small)
        self.a = panel.text(color=gold, va="top", **small)
        self.b = panel.text(color=gold, ha="left", va="center", **small)
        flat, glued = (factor_for(source.p, self._edge(at)) for at in (COUNTED, TORUS))

        def field(i: int, bent: bool) -> Field:
            values, factor = relief.percentile_scale(source.field(i)), glued if bent else flat
            return Field(values, source.k, source.a_order, source.b_order, factor)

        self.field = lru_cache(maxsize=MOST)(field)

    @property
    def texts(self) -> list[Any]:
        return [self.name, self.how, self.a, self.b]

    def draw(self, i: int, stage: float, azimuth: float) -> np.ndarray:
        """The surface at a moment and a stage, as pixels of the box."""
        field, camera = self.field(i, stage > SORTED), camera_of(stage, azimuth)
        shape = shape_of(field, stage, camera)
        view = self._view(stage, azimuth)
        inside = replace(view, x=view.x - self.box.left, y=view.y - self.box.lower)
        self._write(field, shape, stage, camera, view)
        return relief.painted(shape.parts, camera, inside, self.box.size)

    def _view(self, stage: float, azimuth: float) -> relief.View:
        """Where the picture stands: fitted to the stages on both sides, and between them."""
        em, low = self.panel.em, int(np.floor(2 * stage)) / 2
        room = self.box.inner(em)
        views = [
            relief.fitted([camera_of(at, azimuth)], outline(at, self.source), room)
            for at in (low, low + 0.5)
        ]
        return views[0].mixed(views[1], 2 * (stage - low))

    def _edge(self, stage: float) -> float:
        """Pixels along the longer edge of the sheet at a stage."""
        camera = camera_of(stage, SIDE)
        wide = np.tan(np.radians(camera.view / 2)) * camera.distance
        return float(self._view(stage, SIDE).scale * bend_of(stage).length / wide)

    def _write(
        self, field: Field, shape: Shape, stage: float, camera: relief.Camera, view: relief.View
    ) -> None:
        """The names of the stage and of the marked row and column."""
        panel, em = self.panel, self.panel.em
        name, how = words(self.source, stage)
        self.name.set_text(name)
        self.how.set_text(how)
        at = self.box.words(em)
        panel.place(self.name, at)
        panel.place(self.how, at - np.array([0, 1.35 * em]))
        a, b = field.marked
        self.a.set_text(f"a = {a}")
        self.b.set_text(f"b = {b}")
        every = view.pixels(camera.seen(shape.places[::11]))
        x, y = (view.pixels(camera.seen(line)) for line in (shape.a_line, shape.b_line))
        x, y = x[x[:, 1].argmin()], y[y[:, 0].argmax()]
        # outside all that is drawn
        below = every[np.abs(every[:, 0] - x[0]) < 1.6 * em][:, 1]
        beside = every[np.abs(every[:, 1] - y[1]) < 0.6 * em][:, 0]
        panel.place(self.a, np.array([x[0], below.min(initial=x[1]) - 0.3 * em]))
        panel.place(self.b, np.array([beside.max(initial=y[0]) + 0.4 * em, y[1]]))


@dataclass(frozen=True)
class Box:
    """A part of the picture, in its pixels; ``alone`` where there is no other."""

    left: int
    lower: int
    right: int
    upper: int
    alone: bool = False

    @property
    def wide(self) -> int:
        return self.right - self.left

    @property
    def size(self) -> tuple[int, int]:
        return self.wide, self.upper - self.lower

    def inner(self, em: float) -> tuple[float, float, float, float]:
        """Where a surface may be: beside the names of its rows, and above those of its stage."""
        beside, below = (4.0, 1.4) if self.alone else (EDGE, 5.6)
        return (
            self.left + beside * em, self.lower + below * em, self.right - max(beside, 3.0) * em,
            self.upper - EDGE * em,
        )  # fmt: skip

    def words(self, em: float) -> Float[np.ndarray, " 2"]:
        """Where the stage is named: below the surface, or in the corner beside it."""
        if self.alone:
            return np.array([self.left + 4.2 * em, self.lower + 4.0 * em])
        return np.array([(self.left + self.right) / 2, self.lower + 4.4 * em])


def camera_of(stage: float, azimuth: float) -> relief.Camera:
    """The camera for a stage: it rises as the sheet is bent, and looks at its middle."""
    flat = relief.Camera(azimuth, 38.0, 20.0, 5.0)
    if stage <= SORTED:
        return flat
    bend = bend_of(TORUS)
    turned = -90 + 0.35 * (azimuth + 90)
    above = relief.Camera(turned, 40.0, 20.0, 6.5, 0.0, bend.radius, -bend.thickness)
    share = float(np.interp(stage, (SORTED, TORUS), (0, 1)))
    return relief.between(flat, above, share)


def outline(stage: float, source: Source) -> Float[np.ndarray, "corner 3"]:
    """Points that hold what is drawn at a stage."""
    edge = np.linspace(-0.5, 0.5, 13)
    x, y = np.meshgrid(edge, edge, indexing="ij")
    flat = np.zeros((1, 1))
    height = Field(flat, source.k, flat, flat, 2).amplitude(stage)
    sides = [np.full_like(x, height)]
    sides += [-sides[0]] if stage > SORTED else [np.full_like(x, -height - 0.02)]
    points = [relief.bent(x, y, side, bend_of(stage)) for side in sides]
    return np.concatenate(points).reshape(-1, 3)


def words(source: Source, stage: float) -> tuple[str, str]:
    """What a stage is called, and how it is made."""
    k, p = source.k, source.p
    if stage <= COUNTED:
        return "as counted", f"a, b = 0, 1, \u2026, {p - 1}"
    sorted_by = f"{k}\u00b7a" if stage <= A_SORTED else f"{k}\u00b7a and {k}\u00b7b"
    if stage <= SORTED:
        return "re-sorted", f"by {sorted_by} mod {p}" if k else "by nothing: no frequency"
    if stage < TORUS:
        return "glued", "each edge to its opposite"
    return "glued", "a goes round the ring,\nb round the tube"


class Picture:
    """One surface in a figure, or several, and how they move."""

    def __init__(
        self, figure: FigureBase, source: Source, stages: Sequence[float], *, whole: bool
    ) -> None:
        self.source, self.stages, self.whole = source, tuple(stages), whole
        wide, high = style().ems(figure)
        self.panel = relief.ReliefPanel(figure, (0.0, 0.0, wide, high))
        width, height = self.panel.size
        room = Box(0, 0, width, height, alone=True)
        self.boxes = [room]
        if len(self.stages) > 1:
            margins = (LEFT, RIGHT) if style().slide else (0.0, 0.0)
            left, right = (round(ems * self.panel.em) for ems in margins)
            inside = Box(left, 0, width - right, height)
            self.boxes = _boxes(inside, len(self.stages), down=style().narrow(figure))
        self.parts = [Part(self.panel, box, source) for box in self.boxes]
        self.alone = Part(self.panel, room, source) if whole else self.parts[0]

    def drawing(self) -> Drawing:
        """The surface at a clock index, and at a share of a film."""
        texts = [text for part in {*self.parts, self.alone} for text in part.texts]
        return Drawing([self.panel.image, *texts], self.update, self.play)

    def update(self, i: int) -> None:
        """Show each stage at a clock index."""
        pixels = np.zeros((*self.panel.size[::-1], 4), np.uint8)
        for part, box, stage in zip(self.parts, self.boxes, self.stages, strict=True):
            rows = slice(self.panel.size[1] - box.upper, self.panel.size[1] - box.lower)
            pixels[rows, box.left : box.right] = part.draw(i, stage, SIDE)
        self._show(pixels, self.parts)

    def play(self, share: float, index: Sequence[int]) -> int:
        """Show a share of a film: the epochs first, and then the stages where there are many."""
        azimuth = float(np.interp(relief.eased(share), (0, 1), ORBIT))
        epochs, stage = (STORY[0][0], _stage(share)) if self.whole else (1.0, self.stages[0])
        i = index[min(int(share / epochs * len(index)), len(index) - 1)]
        self._show(self.alone.draw(i, stage, azimuth), [self.alone])
        return i

    def _show(self, pixels: np.ndarray, parts: Sequence[Part]) -> None:
        self.panel.show(pixels)
        for part in {*self.parts, self.alone}:
            for text in part.texts:
                text.set_visible(part in parts)


def _stage(share: float) -> float:
    """The stage at a share of a film's time."""
    before, at = 0.0, COUNTED
    for until, stage in STORY:
        if share <= until:
            return at + (stage - at) * relief.eased((share - before) / (until - before))
        before, at = until, stage
    return at


def _boxes(room: Box, count: int, *, down: bool) -> list[Box]:
    """Parts of a room beside one another, or below."""
    height = room.upper
    if down:
        edges = [round(height * n / count) for n in range(count + 1)]
        return [
            Box(room.left, height - b, room.right, height - a) for a, b in itertools.pairwise(edges)
        ]
    shares = np.cumsum([0, *WIDTHS[:count]]) / sum(WIDTHS[:count])
    edges = [room.left + round(room.wide * share) for share in shares.tolist()]
    return [Box(a, 0, b, height) for a, b in itertools.pairwise(edges)]
