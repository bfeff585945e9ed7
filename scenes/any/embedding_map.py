"""An embedding in the plane that holds most of it, with its labels, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._ring import (
    Dial,
    RingOrder,
    is_ring,
    once_round,
    order_on_ring,
    wheel,
)
from grokviz.scenes.any._spoken import spoken

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent
from grokviz.tasks.any.embeddings import turned

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

GATHERED = 1.5
"""An embedding gathers in a plane whose share of its variance grows by this factor."""

FLAT = 0.995
"""Vectors whose plane holds more than this share of their variance lie in it."""

TRAILED = 40
"""The ways of more things than this would hide them."""

SMALL_DOTS = 200
"""Dots of more things than this are small."""


@dataclass(frozen=True)
class EmbeddingMap(Scene):
    """A dot for each token in the plane of the two leading directions, and its way there."""

    name = "embedding-map"
    title = "An embedding gathers in two directions"
    watch = "Each dot is a vector, seen in the plane with the most variance at that moment"
    source = "Procrustes: doi.org/10.1007/BF02289451; compare arXiv:2205.10343, figure 1"
    needs = ("leading_plane", "leading_plane_share")
    reference = "modular-addition-59"
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 0.52

    tensors: str = option("*", "name of an embedding, or a pattern such as '*pos*'")
    labels: str = option("", "a file with a label on each line; numbers from 0 without one")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless an embedding has a plane at two checkpoints."""
        super().check(data)
        if not (np.isfinite(data["leading_plane_share"].values).sum(axis=0) > 1).any():
            raise InputError(
                f"{cls.name} draws an embedding from checkpoint to checkpoint, which takes two "
                "checkpoints of one whose vectors differ; record or import more of them"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """The share of the embedding in its plane, first and last."""
        place = self._place(data)
        name = _name(data, place)
        shares = data["leading_plane_share"].values[:, place].astype(float)
        known = shares[np.isfinite(shares)]
        if len(known) < 2:
            return Claim.instead(f"The vectors of {name} are alike at all checkpoints but one")
        first, last, own = float(known[0]), float(known[-1]), spoken(name)
        numbers = {"first": first, "last": last}
        words = f"Two directions end with {percent(last)} of the variance of {own}"
        planes = _planes(data, place)
        if first > FLAT:
            return self._apart(own, planes, numbers)
        if not last >= GATHERED * first:
            return Claim.instead(f"{words}, {percent(first)} at first", self.watch, **numbers)
        ends = np.flatnonzero(np.isfinite(planes).all(axis=(1, 2)))[[0, -1]]
        if [is_ring(planes[i]) for i in ends] == [False, True]:
            plane = f"the plane with the most variance, {percent(last)}"
            order = order_on_ring(planes[ends[1]])
            if order is None or not once_round(planes[ends[1]], order):
                watch = f"Each dot is a vector, seen in {plane}"
                return Claim(f"The vectors of {own} end on a ring", watch, numbers=numbers)
            begin = ", ".join(str(n) for n in order.walk(3))
            watch = (
                f"Each dot is a number, with a line to its place on a dial: {begin} \u2026 "
                f"(mod {order.modulus})"
            )
            words = f"One plane of {own} becomes a clock face that counts by {order.step}"
            return Claim(words, watch, numbers=numbers | {"step": float(order.step)})
        watch = f"Each dot is a vector in the plane of both, which held {percent(first)} at first"
        return Claim(words, watch, numbers=numbers)

    def _apart(self, own: str, planes: np.ndarray, numbers: dict[str, float]) -> Claim:
        """What becomes of vectors that lie in a plane from the first, as of two numbers each."""
        sizes = np.sqrt((planes**2).sum(axis=2).mean(axis=1))
        first, last = sizes[np.isfinite(sizes)][[0, -1]]
        words = f"Vectors of {own}, all in a plane, end {last:.2g} from their middle, {first:.2g}"
        return Claim.instead(f"{words} at first", self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The plane of the moment, and a part of the walk on the ring if it ends as one."""
        place = self._place(data)
        planes = _planes(data, place)
        labels = self._labels(planes.shape[1])
        known = np.flatnonzero(np.isfinite(planes).all(axis=(1, 2)))
        end = planes[known[-1]]
        order = order_on_ring(end)
        if order is not None and once_round(end, order):
            shares = data["leading_plane_share"].values[:, place].astype(float)
            first = clocks.at(data, self.clock, int(known[0]))
            return _dials(figure, planes, order, labels, _Shares(shares, int(known[0]), first))
        (axes,), *_ = style().panels(figure, left=1.0, right=1.0, top=0.6, bottom=0.6)
        reach = np.abs(planes[known]).max(axis=(1, 2))
        # labels have room outside the dots at both ends; every moment's dots are within
        limit = max(1.17 * float(reach[[0, -1]].max()), 1.06 * float(reach.max()))
        colours = wheel(np.arctan2(end[:, 1], end[:, 0]))
        trails = _trails(axes, planes, colours)
        view = _View(axes, limit, colours, labels)
        if is_ring(end):
            _circle(axes, end)

        def show(i: int) -> None:
            view.show(planes[i])
            trails.update(i)

        return Drawing([trails.moving, view.moving], show)

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the colours are those of its end."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of it the plane holds at that moment, and what lies farthest out."""
        place = self._place(data)
        plane, share = _planes(data, place)[i], data["leading_plane_share"].values[i, place]
        at, name = clocks.at(data, self.clock, i), str(data["embedded"].values[place])
        begin = f"The {len(plane)} vectors of {name} in the plane of their two leading directions"
        if not (np.isfinite(plane).all() and np.isfinite(share)):
            return f"{begin}. At {at} they are all alike, or no numbers."
        far = int(np.argmax(np.linalg.norm(plane, axis=1)))
        size = np.linalg.norm(plane[far])
        return (
            f"{begin}. At {at} it holds {percent(share)} of their variance; "
            f"{self._labels(len(plane))[far]} lies farthest from the middle, at {size:.3g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Vectors of an embedding, less their mean, along the two principal directions that "
            "they have at that checkpoint, to one scale unless said; each plane is turned, or "
            "turned over, so that it is as near as can be to the next (orthogonal Procrustes, "
            "https://doi.org/10.1007/BF02289451), and the last is as it is. Colour: the angle at "
            "the end; faint: the ways there, which are left out where vectors are many. Where "
            f"labels would touch, some are left out.{self._dial(data)} "
            "Compare Liu et al. (2022), arXiv:2205.10343, figure 1."
        )

    def _dial(self, data: xr.Dataset) -> str:
        """What is drawn of an embedding that ends as a ring round which a step leads once."""
        planes = _planes(data, self._place(data))
        end = planes[np.flatnonzero(np.isfinite(planes).all(axis=(1, 2)))[-1]]
        order = order_on_ring(end)
        if order is None or not once_round(end, order):
            return ""
        return (
            f" The end is a ring round which a walk in steps of {order.step} leads once: the dial "
            "has the numbers of that walk at even distances, and the planes are turned, and turned "
            "over, so that the end lies nearest to it; beside it, the first moment. Each is drawn "
            'to its own scale, and vectors of no number, such as that of "=", are left out.'
        )

    def _place(self, data: xr.Dataset) -> int:
        """The embedding shown: of those that fit the one with the most vectors, the first."""
        names = [str(name) for name in data["embedded"].values]
        known = np.isfinite(data["leading_plane_share"].values).sum(axis=0) > 1
        lack = "no embedding of this run that moves"
        able = tensors.choose(names, self.tensors, known, lack)
        counts = [_planes(data, i).shape[1] for i in able]
        return able[counts.index(max(counts))]

    def _labels(self, count: int) -> list[str]:
        """A label for each vector: its number, or a line of the file."""
        if not self.labels:
            return [str(n) for n in range(count)]
        try:
            lines = Path(self.labels).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"labels={self.labels} cannot be read ({type(error).__name__}); give a text file "
                "with a label on each line"
            ) from error
        if len(lines) < count:
            raise InputError(
                f"labels={self.labels} has {len(lines)} lines, and {count} vectors are drawn; "
                "give a file with a label on each line, in their order"
            )
        return [line.strip().replace("$", r"\$") for line in lines[:count]]


@dataclass(frozen=True, eq=False)
class _Shares:
    """How much of the variance the plane holds at each moment, and which is the first."""

    shares: np.ndarray
    first: int
    moment: str

    def words(self, i: int) -> str:
        """The share at a moment, as it stands beside a dial."""
        share = self.shares[i]
        return f"{percent(share)} of the variance in this plane" if np.isfinite(share) else ""


def _dials(
    figure: FigureBase, planes: np.ndarray, order: RingOrder, labels: list[str], shares: _Shares
) -> Drawing:
    """The dial of the moment, and at its left, or above it, that of the first."""
    if style().narrow(figure):
        high = style().ems(figure)[1]
        began, now = style().stack(
            figure, (1, 1), left=0.6, right=0.6, top=0.4, bottom=2.0, vgap=min(2.6, 0.1 * high)
        )
    else:
        began, now = style().panels(
            figure, (1, 1), left=1.0, right=1.0, top=0.0, bottom=1.6, gap=1.0
        )[0]
    start, dial = Dial(began, planes, order, None), Dial(now, planes, order, labels)
    start.update(shares.first)
    look: dict[str, Any] = {"ha": "center", "va": "top", "color": style().colours.muted}
    words = f"{shares.moment}: {shares.words(shares.first)}"
    style().note(began, words, (0.5, 0), (0, -0.2), **look)
    text = style().note(now, "", (0.5, 0), (0, -0.2), **look)

    def update(i: int) -> None:
        dial.update(i)
        text.set_text(f"now: {shares.words(i)}" if shares.words(i) else "")

    return Drawing([dial.moving, text], update)


class _View:
    """A plane: dots, and the labels that have room, at one moment."""

    def __init__(self, axes: Axes, limit: float, colours: np.ndarray, labels: list[str]) -> None:
        current_style = style()
        wide, high = axes.bbox.width, axes.bbox.height
        unit = limit / min(wide, high)
        axes.set(xlim=(-unit * wide, unit * wide), ylim=(-unit * high, unit * high))
        axes.axis("off")
        self._axes = axes
        size = (0.75 if len(colours) <= SMALL_DOTS else 0.16) * current_style.points
        self.dots = axes.scatter([], [], s=size**2, c="none", lw=0, zorder=3)
        self._colours = colours
        self._texts = [
            axes.annotate(
                label, (0, 0), (0, 0), textcoords="offset points", ha="center",
                va="center_baseline", fontsize=current_style.small, color=current_style.colours.ink,
                zorder=4,
            )
            for label in labels[: 2 * SMALL_DOTS]
        ]  # fmt: skip
        em = current_style.pixels(axes, current_style.small)
        self._dot = current_style.pixels(axes, size) / 2
        self._rooms = np.array([(0.62 * len(t.get_text()) + 0.2, 1.15) for t in self._texts]) * em
        # those at some distance from one another in their order come first
        self._order = np.argsort(_reversed_bits(len(self._texts)), kind="stable")

    @property
    def moving(self) -> list[Any]:
        """The dots and the labels."""
        return [self.dots, *self._texts]

    def show(self, plane: np.ndarray) -> None:
        """Put the dots there, and outside them the labels that touch no other dot or label."""
        known = np.isfinite(plane).all(axis=1)
        self.dots.set_offsets(plane[known])
        self.dots.set_facecolors(self._colours[known])
        box = self._axes.bbox
        (x0, x1), (y0, y1) = self._axes.get_xlim(), self._axes.get_ylim()
        at = (plane - (x0, y0)) / (x1 - x0, y1 - y0) * (box.width, box.height)
        rooms, points = self._rooms, at[: len(self._texts)]
        away = points - at[known].mean(axis=0) if known.any() else points
        away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        pixel = 72 / self._axes.figure.dpi
        edge = np.array([box.width, box.height])
        taken: list[tuple[np.ndarray, np.ndarray]] = []
        for n in self._order:
            text, half = self._texts[n], rooms[n] / 2
            text.set_visible(False)
            if not known[n]:
                continue
            others = at[known & (np.arange(len(at)) != n)]
            for way in (away[n], -away[n]):  # outside, else inside
                shift = way * (1.2 * self._dot + (np.abs(way) * half).sum())
                centre = points[n] + shift
                inside = (centre > half).all() and (centre < edge - half).all()
                on_dot = (np.abs(others - centre) < half + self._dot).all(axis=1).any()
                if (
                    not inside
                    or on_dot
                    or any((np.abs(other - centre) < room + half).all() for other, room in taken)
                ):
                    continue
                text.set_visible(True)
                text.xy = tuple(plane[n])
                text.set_position(tuple(shift * pixel))
                taken.append((centre, half))
                break


def _circle(axes: Axes, points: np.ndarray) -> None:
    """The circle on which the ring of the end lies, faint, around the ring's middle."""
    middle = points.mean(axis=0)
    radius = float(np.linalg.norm(points - middle, axis=1).mean())
    turn = np.linspace(0, 2 * np.pi, 361)
    axes.plot(
        middle[0] + radius * np.cos(turn), middle[1] + radius * np.sin(turn),
        color=style().colours.rest, lw=1.2 * style().line, zorder=1,
    )  # fmt: skip


def _trails(axes: Axes, planes: np.ndarray, colours: np.ndarray) -> Drawing:
    """The ways of the vectors up to the moment, faint; none where they are many."""
    from matplotlib.collections import LineCollection

    if len(colours) > TRAILED:
        return Drawing()
    ways = LineCollection(
        [], colors=list(colours), linewidths=0.6 * style().line, alpha=0.4, zorder=1.5
    )
    axes.add_collection(ways, autolim=False)

    def update(i: int) -> None:
        ways.set_segments(list(np.swapaxes(planes[: i + 1], 0, 1)))

    return Drawing([ways], update)


def _reversed_bits(count: int) -> np.ndarray:
    """Numbers from 0 with their binary digits reversed: any first few are spread out evenly."""
    bits = max(count - 1, 1).bit_length()
    return np.array([int(f"{n:0{bits}b}"[::-1], 2) for n in range(count)])


def _name(data: xr.Dataset, place: int) -> str:
    """What an embedding is called, in short."""
    return tensors.short_names([str(one) for one in data["embedded"].values])[place]


def _planes(data: xr.Dataset, place: int) -> np.ndarray:
    """The vectors of an embedding in its planes, turned."""
    planes = data["leading_plane"].values[:, place].astype(float)
    return turned(planes[:, np.isfinite(planes).any(axis=(0, 2))])
