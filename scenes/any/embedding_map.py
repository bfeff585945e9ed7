"""An embedding in the plane that holds most of it, with its labels, and where it came from."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._spoken import spoken

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.tasks.any.embeddings import turned

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

GATHERED = 1.5
"""An embedding gathers in a plane whose share of its variance grows by this factor."""

FLAT = 0.995
"""Vectors whose plane holds more than this share of their variance lie in it."""

THIN = 0.25
"""Points are a ring where their distances from the middle deviate by at most this share."""

NEXT = 0.5
"""Neighbours on a ring are at most this share of its radius apart, by their median."""

FEWEST = 12
"""Fewer points than this are no ring, wherever they lie."""

TRAILED = 40
"""The ways of more things than this would hide them."""

LIT = 6
"""So many numbers of a walk on a ring are lit, and named."""

BACK = 0.6
"""How strong the colours of the others are beside them."""

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
        words = f"Two directions end with {_percent(last)} of the variance of {own}"
        planes = _planes(data, place)
        if first > FLAT:
            return self._apart(own, planes, numbers)
        if not last >= GATHERED * first:
            return Claim.instead(f"{words}, {_percent(first)} at first", self.watch, **numbers)
        ends = np.flatnonzero(np.isfinite(planes).all(axis=(1, 2)))[[0, -1]]
        if [is_ring(planes[i]) for i in ends] == [False, True]:
            plane = f"the plane with the most variance, {_percent(last)}"
            order = order_on_ring(planes[ends[1]])
            if order is None or not once_round(planes[ends[1]], order):
                watch = f"Each dot is a vector, seen in {plane}"
                return Claim(f"The vectors of {own} end on a ring", watch, numbers=numbers)
            begin = ", ".join(str(n) for n in order.walk(3))
            watch = f"Joined: {begin} \u2026 (mod {order.modulus}), seen in {plane}"
            words = f"Counting by {order.step} goes once round {own}'s ring"
            return Claim(words, watch, numbers=numbers | {"step": float(order.step)})
        watch = f"Each dot is a vector in the plane of both, which held {_percent(first)} at first"
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
        (axes,), *_ = style().panels(figure, left=1.0, right=1.0, top=0.6, bottom=0.6)
        known = np.flatnonzero(np.isfinite(planes).all(axis=(1, 2)))
        reach = np.abs(planes[known]).max(axis=(1, 2))
        # labels have room outside the dots at both ends; every moment's dots are within
        limit = max(1.17 * float(reach[[0, -1]].max()), 1.06 * float(reach.max()))
        colours = _wheel(np.arctan2(planes[known[-1], :, 1], planes[known[-1], :, 0]))
        order = order_on_ring(planes[known[-1]])
        if order is not None and not once_round(planes[known[-1]], order):
            order = None
        trails = _trails(axes, planes, colours)
        view = _View(axes, limit, colours, labels, order)
        if is_ring(planes[known[-1]]):
            _circle(axes, planes[known[-1]])
        turn = Drawing()
        if order is not None:
            turn = _round(axes, planes, order, labels)

        def show(i: int) -> None:
            view.show(planes[i])
            trails.update(i)
            turn.update(i)

        return Drawing([trails.moving, view.moving, turn.moving], show)

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
            f"{begin}. At {at} it holds {_percent(share)} of their variance; "
            f"{self._labels(len(plane))[far]} lies farthest from the middle, at {size:.3g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Vectors of an embedding, less their mean, along the two principal directions that "
            "they have at that checkpoint, to one scale throughout; each plane is turned, or "
            "turned over, so that it is as near as can be to the next (orthogonal Procrustes, "
            "https://doi.org/10.1007/BF02289451), and the last is as it is. Colour: the angle at "
            "the end; faint: the ways there, which are left out where vectors are many. Where the "
            "end is a ring round which a step leads once, a line joins the first numbers of "
            "that walk, and what is not of their order is hollow. Where labels would touch, some "
            "are left out. "
            "Compare Liu et al. (2022), arXiv:2205.10343, figure 1."
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


def is_ring(points: np.ndarray) -> bool:
    """Whether points (n, 2) lie about as far from their middle, all around it."""
    if len(points) < FEWEST:
        return False
    away = points - points.mean(axis=0)
    radii, angles = np.linalg.norm(away, axis=1), np.sort(np.arctan2(away[:, 1], away[:, 0]))
    gaps = np.diff(angles, append=angles[0] + 2 * np.pi)
    return bool(radii.std() <= THIN * radii.mean() and gaps.max() <= np.pi / 3)


@dataclass(frozen=True)
class RingOrder:
    """In which order numbers come on a ring: each is a neighbour of the one ``step`` after it.

    Attributes:
        step: by how much neighbours differ.
        modulus: of how many numbers the ring is, after which it begins anew; 0 if it does not.
        pairs: the neighbours that are near one another (m, 2).

    """

    step: int
    modulus: int
    pairs: np.ndarray

    def walk(self, most: int) -> np.ndarray:
        """The first numbers from 0 on of which each is a neighbour of the next, at most so many."""
        walk = self.step * np.arange(most)
        return walk % self.modulus if self.modulus else walk[walk <= self.pairs.max()]

    @property
    def words(self) -> str:
        """Which numbers are neighbours."""
        return f"n to n + {self.step}" + (f" mod {self.modulus}" if self.modulus else "")


def order_on_ring(points: np.ndarray) -> RingOrder | None:
    """The order of numbers on a ring of points (n, 2), by the step whose pairs are nearest.

    All numbers may be on the ring, or all but the last, as of residues and a token for "=". None
    where the points are no ring, or no step has neighbours by the median.
    """
    if not is_ring(points):
        return None
    radius = float(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())
    orders = [
        _pairs(points, step, modulus)
        for modulus in (0, len(points), len(points) - 1)
        for step in range(1, (modulus or len(points) - 1) // 2 + 1)
    ]
    apart = [float(np.median(ways)) for _, ways in orders]
    ends = [float(np.median(ways[-order.step :])) for order, ways in orders]
    able = [
        (order.modulus == 0, distance, n)
        for n, ((order, _), distance, end) in enumerate(zip(orders, apart, ends, strict=True))
        if distance <= NEXT * radius and (order.modulus == 0 or end <= NEXT * radius)
    ]
    if not able:
        return None
    order, ways = orders[min(able)[2]]
    return dataclasses.replace(order, pairs=order.pairs[ways <= 3 * np.median(ways)])


def once_round(points: np.ndarray, order: RingOrder) -> bool:
    """Whether a walk by the step of an order, through all of its numbers, is one turn."""
    if not order.modulus:
        return False
    away = points - points.mean(axis=0)
    angles = np.arctan2(away[:, 1], away[:, 0])[order.walk(order.modulus + 1)]
    turns = (np.diff(angles) + np.pi) % (2 * np.pi) - np.pi
    return bool(round(abs(float(turns.sum())) / (2 * np.pi)) == 1)


def _pairs(points: np.ndarray, step: int, modulus: int) -> tuple[RingOrder, np.ndarray]:
    """All pairs of numbers that differ by a step, and how far apart their points are."""
    first = np.arange(modulus or len(points) - step)
    second = (first + step) % modulus if modulus else first + step
    ways = np.linalg.norm(points[second] - points[first], axis=1)
    return RingOrder(step, modulus, np.stack([first, second], axis=1)), ways


class _View:
    """A plane: dots, and the labels that have room, at one moment."""

    def __init__(
        self,
        axes: Axes,
        limit: float,
        colours: np.ndarray,
        labels: list[str],
        order: RingOrder | None,
    ) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import to_rgb

        current_style = style()
        self._walk = order.walk(LIT) if order else np.zeros(0, dtype=int)
        self.lines = LineCollection(
            [], colors=current_style.colours.ink, linewidths=0.9 * current_style.line, zorder=2
        )
        axes.add_collection(self.lines, autolim=False)
        wide, high = axes.bbox.width, axes.bbox.height
        unit = limit / min(wide, high)
        axes.set(xlim=(-unit * wide, unit * wide), ylim=(-unit * high, unit * high))
        axes.axis("off")
        self._axes = axes
        size = (0.75 if len(colours) <= SMALL_DOTS else 0.16) * current_style.points
        self.dots = axes.scatter([], [], s=size**2, lw=0.5 * current_style.line, zorder=3)
        if order:
            # the others stand back
            back = np.array(to_rgb(current_style.colours.background))
            dim = np.full((len(colours), 1), BACK)
            dim[self._walk] = 1.0
            colours = dim * colours + (1 - dim) * back
        self._colours = colours
        # what is lit is in front
        self._front = np.concatenate(
            [np.setdiff1d(np.arange(len(colours)), self._walk), self._walk]
        )
        self._faces = colours.copy()
        self._ordered = order.modulus if order and order.modulus else len(colours)
        self._faces[self._ordered :] = to_rgb(current_style.colours.background)
        self._texts = [
            axes.annotate(
                label, (0, 0), (0, 0), textcoords="offset points", ha="center",
                va="center_baseline", fontsize=current_style.small, color=current_style.colours.ink,
                zorder=4,
            )
            for label in labels[: 2 * SMALL_DOTS]
        ]  # fmt: skip
        for text in self._texts[self._ordered :]:
            text.set_color(current_style.colours.muted)
        em = current_style.pixels(axes, current_style.small)
        self._dot = current_style.pixels(axes, size) / 2
        self._rooms = np.array([(0.62 * len(t.get_text()) + 0.2, 1.15) for t in self._texts]) * em
        # those at some distance from one another in their order come first
        self._order = np.argsort(_reversed_bits(len(self._texts)), kind="stable")
        # what is of no order is named before all others
        late = self._order < self._ordered
        self._order = np.concatenate([self._order[~late], self._order[late]])
        if order:
            # of a ring only the walk has names, and what is not of it
            walk = self._walk[self._walk < len(self._texts)]
            self._order = np.concatenate([walk, self._order[: (~late).sum()]])
            for text in self._texts:
                text.set_visible(False)

    @property
    def moving(self) -> list[Any]:
        """The dots and the labels."""
        return [self.lines, self.dots, *self._texts]

    def show(self, plane: np.ndarray) -> None:
        """Put the dots there, and outside them the labels that touch no other dot or label."""
        known = np.isfinite(plane).all(axis=1)
        walk = self._walk[known[self._walk]]
        self.lines.set_segments([plane[walk]])
        shown = self._front[known[self._front]]
        self.dots.set_offsets(plane[shown])
        self.dots.set_facecolors(self._faces[shown])
        self.dots.set_edgecolor(self._colours[shown])
        box = self._axes.bbox
        (x0, x1), (y0, y1) = self._axes.get_xlim(), self._axes.get_ylim()
        at = (plane - (x0, y0)) / (x1 - x0, y1 - y0) * (box.width, box.height)
        rooms, points = self._rooms, at[: len(self._texts)]
        away = points - at[known].mean(axis=0) if known.any() else points
        away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        pixel = 72 / self._axes.figure.dpi
        edge = np.array([box.width, box.height])
        taken: list[tuple[np.ndarray, np.ndarray]] = []
        # no name stands on the line
        along = np.linspace(0, 1, 5)[1:-1, None, None]
        line = ((1 - along) * at[walk[:-1]] + along * at[walk[1:]]).reshape(-1, 2)
        far, sides = (1.2,), (1, -1)
        if len(walk):
            far, sides = (1.2, 2.4), (1, -1, *np.exp(1j * np.array([0.7, -0.7, 1.6, -1.6])))
        for n in self._order:
            text, half = self._texts[n], rooms[n] / 2
            text.set_visible(False)
            if not known[n]:
                continue
            others = np.concatenate([at[known & (np.arange(len(at)) != n)], line])
            # outside, else inside; what is to be named on a ring in any direction
            for gap, turn in itertools.product(far, sides):
                towards = complex(*away[n]) * turn
                way = np.array([towards.real, towards.imag])
                shift = way * (gap * self._dot + (np.abs(way) * half).sum())
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


def _round(axes: Axes, planes: np.ndarray, order: RingOrder, labels: list[str]) -> Drawing:
    """Within the ring which way, and in how many steps, a walk goes round; what is not of it.

    Shown at moments at which the points are such a ring and none is within.
    """
    current_style = style()
    points = planes[np.flatnonzero(np.isfinite(planes).all(axis=(1, 2)))[-1]]
    away = points - points.mean(axis=0)
    radii = np.linalg.norm(away, axis=1)
    radius = min(0.6 * float(radii.mean()), 0.92 * float(radii.min()))
    if radius < 0.35 * radii.mean():
        return Drawing()
    angles = np.arctan2(away[:, 1], away[:, 0])[order.walk(order.modulus + 1)]
    turns = (np.diff(angles) + np.pi) % (2 * np.pi) - np.pi
    # nearly a turn, so that its two ends are told apart
    turn = angles[0] + np.linspace(0, 0.9, 181) * float(turns.sum())
    x, y = (points.mean(axis=0)[:, None] + radius * np.stack([np.cos(turn), np.sin(turn)])).tolist()
    muted, width = current_style.colours.muted, 0.6 * current_style.line
    parts: list[Any] = axes.plot(x, y, color=muted, lw=width, zorder=1)
    head = axes.annotate(
        "", (x[-1], y[-1]), (x[-4], y[-4]), zorder=1,
        arrowprops={"arrowstyle": "-|>", "color": muted, "lw": width, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
    steps = axes.text(
        *points.mean(axis=0), f"{order.modulus} steps\nof {order.step}", color=muted, ha="center",
        va="center", fontsize=current_style.small, zorder=1,
    )  # fmt: skip
    rest = labels[order.modulus :]
    if rest and not current_style.narrow(axes.figure):
        current_style.note(
            axes, f"hollow: {', '.join(rest)}, not counted", (0, 0), (3.3, 0.4), color=muted
        )
    parts += [head, steps]

    def update(i: int) -> None:
        within = np.linalg.norm(planes[i] - points.mean(axis=0), axis=1) < radius
        there = not within.any() and is_ring(planes[i]) and once_round(planes[i], order)
        for part in parts:
            part.set_visible(there)

    return Drawing(parts, update)


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


def _wheel(angles: np.ndarray) -> np.ndarray:
    """Colours of one lightness around a circle, in red, green and blue.

    Source: Ottosson, A perceptual color space for image processing (Oklab, 2020).
    """
    a, b = 0.125 * np.cos(angles), 0.125 * np.sin(angles)
    light = 0.68
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.stack([
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    ], axis=-1).clip(0, 1)  # fmt: skip
    bright = 1.055 * linear ** (1 / 2.4) - 0.055
    colours: np.ndarray = np.where(linear <= 0.0031308, 12.92 * linear, bright)
    return colours


def _name(data: xr.Dataset, place: int) -> str:
    """What an embedding is called, in short."""
    return tensors.short_names([str(one) for one in data["embedded"].values])[place]


def _planes(data: xr.Dataset, place: int) -> np.ndarray:
    """The vectors of an embedding in its planes, turned."""
    planes = data["leading_plane"].values[:, place].astype(float)
    return turned(planes[:, np.isfinite(planes).any(axis=(0, 2))])


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
