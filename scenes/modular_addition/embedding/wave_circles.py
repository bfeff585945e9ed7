"""Each embedded frequency's plane: the residues line up into a circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition.embedding import _rounds

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

LEAST, MOST_MARKED = 3, 8
"""At least so many numbers from 0 on are marked, at most so many steps: those of one turn."""

OUT, STEP, CLEAR = 0.85, 0.15, 0.55
"""How far outside of its dot a number is written, in ems of its type; by how much farther while
a dot is nearer to its middle than the last.
"""

ABOVE = 1.7
"""So many ems above a ring are room for its name."""

TOP = 0.8
"""So many ems above them all are free."""

LARGE = 0.55
"""The share of the picture that the large ring has, across or in a column down."""

LEFT = {True: 4.2, False: 1.0}
"""Where the name of the large ring begins, in ems: on a slide below the title, or on paper."""

WORDS = 7.0
"""So many ems of small type wide is what stands at the left of the large ring."""

TURN = 0.5
"""How far from the same turn a number may be, in radians: less than a twelfth of the circle."""


@dataclass(frozen=True)
class WaveCircles(Scene):
    """The embedding of the residues in the plane of each frequency."""

    name = "wave-circles"
    panels = ("circles", "loss")
    title = "Each embedded wave winds the numbers onto a circle"
    watch = "The numbers in the plane of each wave, in grey as they began"
    source = "thread, tweet 9; arXiv:2301.05217, section 4.1 and figure 3"
    loops = True
    needs = ("embedding_plane", "embedding_frequency_norm", "key_neurons", "logged_train_loss",
             "logged_test_loss", "phase_end")  # fmt: skip
    aspect = 2.0
    narrow_aspect = 0.62
    stills = ("grok+10000", "grok-3000", "last")

    most: int = option(6, "how many frequencies to show, the largest first")

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 12:
            raise ValueError(f"most={self.most} is not possible; give 1 to 12")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much the radii of the circles vary, at first and at the end."""
        shown, end = self._shown(data), _claims.film_end(data)
        known = [_spread(data, k, 0) for k in shown], [_spread(data, k, end) for k in shown]
        first, last = (max(spreads, default=np.nan) for spreads in known)
        turn = max((_turn(data, k, end) for k in shown), default=np.nan)
        numbers = {"first": first, "last": last, "turn": turn}
        if last < _rounds.ROUND <= first and turn < TURN:
            become = "become rings" if len(shown) > 1 else "becomes a ring"
            count = data.sizes["residue"]
            watch = (
                f"Dots are the numbers 0 to {count - 1}, grey at {_claims.moment(data, 0)}; "
                "adding 1 turns by about the same angle"
            )
            sentence = f"{_claims.counted(len(shown))} of the embedding {become}"
            return Claim(sentence, watch, numbers=numbers)
        if not shown:
            return _claims.instead(data, "No wave is embedded at the end")
        words = f"The planes of {_claims.waves(len(shown))}: radii vary by up to {percent(last)}"
        return _claims.instead(data, f"{words} at {_claims.moment(data, end)}", **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A large plane for the lowest frequency, and smaller ones for the others."""
        shown = self._shown(data)
        if not shown:
            raise InputError(
                f"{self.name}: this run has no embedded frequency whose plane could be drawn; "
                "train it further"
            )
        planes = _rooms(figure, len(shown))
        # the lowest takes the most numbers to go round once
        rings = [
            _Ring(axes, data, k, large=k == shown[0]) for axes, k in zip(planes, shown, strict=True)
        ]
        return Drawing.of(*rings)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How round each circle is, from the data."""
        words = []
        for k in self._shown(data):
            radius = float(_radii(data, k, i).mean())
            words.append(
                f"frequency {k} has radius {radius:.2f}, spread {percent(_spread(data, k, i))}"
            )
        return (
            f"The {data.sizes['residue']} residues in the plane of each of {len(words)} embedded "
            f"frequencies at {clocks.at(data, 'epoch', i)}: {'; '.join(words)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Embedding of the residues, less its mean, in the plane spanned by $W_E\\cos_k$ and "
            "$W_E\\sin_k$ of each embedded frequency k, each moment to its own scale, grey "
            "at the first moment; a clean wave is a circle, round which one "
            "more leads by k / p of a turn: the angle at each ring. In per cent: standard "
            "deviation of the radii over their mean. "
            f"{after('section 4.1')}"
        )

    def _shown(self, data: xr.Dataset) -> list[int]:
        """The key frequencies that are embedded, of the largest norm at the end, ascending.

        All that are embedded where none of them is key.
        """
        last, known = data["embedding_frequency_norm"].isel(epoch=-1), frequencies.embedded(data)
        keys = [k for k in frequencies.key_frequencies(data) if k in known] or known
        return sorted(frequencies.by_size(keys, last)[: self.most])


def _radii(data: xr.Dataset, k: int, i: int) -> np.ndarray:
    """Distance of each number from the middle of a plane."""
    points = data["embedding_plane"].sel(embedded_frequency=k).isel(epoch=i).values.astype(float)
    radii: np.ndarray = np.linalg.norm(points, axis=1)
    return radii


def _spread(data: xr.Dataset, k: int, i: int) -> float:
    """How much the radii in a plane vary."""
    return float(_rounds.spread(_radii(data, k, i)))


def _turn(data: xr.Dataset, k: int, i: int) -> float:
    """How far the turns from one number to the next are from k / p of a circle, in radians.

    Root of the mean square, in the sense of rotation that fits better.
    """
    plane = data["embedding_plane"].sel(embedded_frequency=k).isel(epoch=i).values.astype(float)
    points = plane[:, 0] + 1j * plane[:, 1]
    turns = np.roll(points, -1) * points.conj()
    whole = 2j * np.pi * k / data.sizes["residue"]
    away = [np.angle(turns * np.exp(sign * whole)) for sign in (-1, 1)]
    return float(min(np.sqrt(np.mean(angle**2)) for angle in away))


def _rooms(figure: FigureBase, count: int) -> list[Axes]:
    """Axes for the large plane, and beside it, or below in a column, for the others."""
    others, narrow = count - 1, style().narrow(figure)
    if not others:
        return [figure.add_axes((0.01, 0.01, 0.98, 0.98))]
    columns = 2 if others <= 4 else math.ceil(others / (2 if others <= 6 else 3))
    rows = math.ceil(others / columns)
    top = 1 - TOP / style().ems(figure)[1]
    x0, y1 = (0.0, 1 - LARGE) if narrow else (LARGE, top)
    w, h = (1 - x0) / columns, y1 / rows
    places = [divmod(i, columns) for i in range(others)]
    large = (0.0, y1, 1.0, top - y1) if narrow else (0.0, 0.0, LARGE, top)
    spots = [(x0 + j * w, y1 - (i + 1) * h, w, h) for i, j in places]
    return [figure.add_axes(place) for place in (large, *spots)]


def _scales(plane: np.ndarray) -> np.ndarray:
    """What the coordinates of each moment are divided by, so that nearly all dots are within 1.

    A cloud smaller than the ring at the end stays so.
    """
    radii = np.nan_to_num(np.linalg.norm(plane, axis=-1), nan=0, posinf=0)
    reach = np.quantile(radii, 0.98, axis=-1)
    scales: np.ndarray = np.maximum(reach, reach[-1])
    return np.where(scales > 0, scales, 1.0)


class _Ring:
    """One plane: the dots, in grey where they began, and the first numbers in turn."""

    def __init__(self, axes: Axes, data: xr.Dataset, k: int, *, large: bool) -> None:
        current_style, colour = style(), frequencies.ink(k, data)
        self.data, self.k = data, k
        p, points, line = data.sizes["residue"], current_style.points, current_style.line
        beside = large and not current_style.narrow(axes.figure)
        self.em = _place(axes, beside=beside)
        angle = f"+1 turns {360 * k / p:.0f}\u00b0"
        self.spread: Any = None
        if beside:
            self.spread = _name_beside(axes, f"wave {k}", angle, colour)
        else:
            _name_above(axes, f"wave {k}", angle, colour)
        self.marked = list(range(min(p, _marked(p, k) if large else LEAST)))
        look: dict[str, Any] = {"marker": "o", "ls": "", "mew": 0, "clip_on": False}
        thin: dict[str, Any] = {"zorder": 2, "clip_on": False}
        size = 0.34 if large else 0.24
        (self.dots,) = axes.plot([], [], color=colour, ms=points * size, zorder=3, **look)
        ink = current_style.colours.ink
        (self.steps,) = axes.plot([], [], color=ink, lw=0.4 * line, **thin)
        (self.marks,) = axes.plot([], [], color=ink, ms=1.3 * points * size, zorder=4, **look)
        self.texts = [
            current_style.label(axes, 0, 0, str(n), va="center", zorder=5) for n in self.marked
        ]
        self.plane = data["embedding_plane"].sel(embedded_frequency=k).values.astype(float)
        self.scale = _scales(self.plane)
        pale = current_style.colours.rest
        self.began = axes.plot([], [], color=pale, ms=points * size, zorder=1, **look)

    @property
    def moving(self) -> list[Any]:
        spread = [] if self.spread is None else [self.spread]
        return [*self.began, *spread, self.dots, self.steps, self.marks, *self.texts]

    def update(self, i: int) -> None:
        """Put the numbers where they are at that moment."""
        points = self.plane[i] / self.scale[i]
        for dots in self.began:
            dots.set_data(*(self.plane[0] / self.scale[i]).T)
        if self.spread is not None:
            varies = percent(_spread(self.data, self.k, i))
            self.spread.set_text(f"distances from\nthe middle\nvary by {varies}")
        self.dots.set_data(*points.T)
        self.steps.set_data(*points[self.marked].T)
        self.marks.set_data(*points[self.marked].T)
        for text, place in zip(self.texts, self._around(points), strict=True):
            text.set_visible(place is not None)
            if place is not None:
                text.set_position(place)

    def _around(self, points: np.ndarray) -> list[tuple[float, float] | None]:
        """Where the marked numbers are written: outside of their dots, clear of all dots.

        None where there is no room beside those before it.
        """
        places: list[tuple[float, float] | None] = []
        for n in self.marked:
            radius = float(np.hypot(*points[n]))
            way = points[n] / max(radius, 1e-30)
            outs = np.arange(radius + OUT * self.em, OUT * self.em + 1.1, STEP * self.em)
            spots = way * np.append(outs, max(radius, 1.05) + OUT * self.em)[:, None]
            nearest = np.linalg.norm(spots[:, None] - points, axis=2).min(axis=1)
            # the last is outside of nearly all dots
            spot = spots[int(np.argmax(np.append(nearest[:-1] > CLEAR * self.em, True)))]
            place = (float(spot[0]), float(spot[1]))
            near = [other for other in places if other and math.dist(other, place) < 1.5 * self.em]
            places.append(None if near else place)
        return places


def _place(axes: Axes, *, beside: bool) -> float:
    """Limits in which a ring of radius 1 is as large as can be; an em of its numbers in data.

    It stands at the right where its name is ``beside`` it, else in the middle below its name.
    """
    axes.axis("off")
    em = style().pixels(axes, style().small)
    wide, high = axes.bbox.width, axes.bbox.height
    around = (OUT + 0.6) * em
    above = 0.0 if beside else ABOVE * em
    across = wide - _left(axes) - WORDS * em if beside else wide
    pixel = 2 * 1.05 / max(min(across, high - above) - 2 * around, em)
    right = 1.05 + pixel * around if beside else pixel * wide / 2
    low = -pixel * (high - above) / 2
    axes.set(xlim=(right - pixel * wide, right), ylim=(low, low + pixel * high))
    return pixel * em


def _left(axes: Axes) -> float:
    """Where the name of the large ring begins, in pixels."""
    return style().pixels(axes, style().points) * LEFT[style().slide]


def _marked(p: int, k: int) -> int:
    """How many numbers the large ring names: of few steps to a turn, all up to the one after it."""
    return max(LEAST, min(MOST_MARKED, round(p / k)) + 1)


def _name_above(axes: Axes, name: str, angle: str, colour: str) -> None:
    """The name of a ring and its angle, in one line above it."""
    current_style = style()
    look: dict[str, Any] = {"va": "top", "xycoords": "axes fraction"}
    current_style.note(
        axes, name, (0.5, 1), (-0.3, -0.2), ha="right", color=colour, fontweight="bold", **look
    )
    current_style.note(
        axes, angle, (0.5, 1), (0.3, -0.2), ha="left", color=current_style.colours.muted, **look
    )


def _name_beside(axes: Axes, name: str, angle: str, colour: str) -> Any:
    """The name of a ring at its left, larger, its angle, and an empty text below them."""
    current_style = style()
    left = _left(axes) / axes.bbox.width
    look: dict[str, Any] = {"va": "top", "ha": "left", "color": current_style.colours.muted}
    current_style.note(
        axes, name, (left, 1), (0, -0.3), **look | {
            "color": colour, "fontweight": "bold", "fontsize": 1.3 * current_style.points,
        },
    )  # fmt: skip
    current_style.note(axes, angle, (left, 1), (0, -2.3), **look)
    return current_style.note(axes, "", (left, 1), (0, -4.2), linespacing=1.15, **look)
