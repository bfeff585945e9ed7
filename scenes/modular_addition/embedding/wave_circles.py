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
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MARKED = (0, 1, 2)

SIDE = 0.3
"""Half of the angle over which dots are on the side of a number, in radians."""

OUT = 0.14
"""How far outside of these a number is written, as a share of the circle's radius."""

ABOVE = 3.2
"""So many ems above a circle are room for its name, where there is none beside it."""

NAME = 5.8
"""So many ems beside a circle are room for its name."""

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
    narrow_aspect = 0.82
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
            watch = f"The numbers 0 to {count - 1} in the plane of each wave, in grey as they began"
            sentence = f"{_claims.counted(len(shown))} of the embedding {become}"
            return Claim(sentence, watch, numbers=numbers)
        if not shown:
            return _claims.instead(data, "No wave is embedded at the end")
        words = f"The planes of {_claims.waves(len(shown))}: radii vary by up to {percent(last)}"
        return _claims.instead(data, f"{words} at {_claims.moment(data, end)}", **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A plane for every frequency."""
        shown = self._shown(data)
        if not shown:
            raise InputError(
                f"{self.name}: this run has no embedded frequency whose plane could be drawn; "
                "train it further"
            )
        planes, limit = _rooms(figure, len(shown)), _limit(data, shown)
        circles = [_circle(axes, data, k, limit) for axes, k in zip(planes, shown, strict=True)]
        return Drawing.of(*circles)

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
            "$W_E\\sin_k$ of each embedded frequency k, grey at the first moment; a clean wave is "
            "a circle. In per cent: standard deviation of the radii over their mean. "
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
    """Axes for the planes, in one row or two, or in two columns where it is narrow."""
    narrow = style().narrow(figure)
    columns = min(count, 2 if narrow else 3) if count <= 6 else math.ceil(count / 2)
    columns = min(columns, 3) if narrow else columns
    w, h = 0.98 / columns, 0.98 / math.ceil(count / columns)
    places = [divmod(i, columns) for i in range(count)]
    lacking = -count % columns  # the last row stands in the middle
    aside = [0.5 * lacking * w if i == places[-1][0] else 0.0 for i, _ in places]
    return [
        figure.add_axes((0.01 + j * w + more, 0.99 - (i + 1) * h, w, h))
        for (i, j), more in zip(places, aside, strict=True)
    ]


def _limit(data: xr.Dataset, shown: list[int]) -> float:
    """How far from the origin most dots stay within the film: one scale for all of it."""
    inside = data["epoch"].values <= panels.horizon(data)
    plane = data["embedding_plane"].sel(embedded_frequency=shown).values[inside].astype(float)
    radii = np.nan_to_num(np.linalg.norm(plane, axis=-1), nan=0, posinf=0)
    # a cloud may reach beyond, a circle does not
    most, last = np.quantile(radii, 0.8, axis=-1).max(), np.quantile(radii[-1], 0.98, axis=-1).max()
    return float(max(most, last)) or 1.0


def _circle(axes: Axes, data: xr.Dataset, k: int, limit: float) -> Drawing:
    """One plane: the dots, the line that joins them, and the numbers 0, 1 and 2."""
    current_style, colour = style(), frequencies.ink(k, data)
    points, line = current_style.points, current_style.line
    room = 1.2 * limit
    axes.set_aspect("equal")
    # where there is no room beside it the name stands above all dots and numbers
    beside = axes.bbox.width - axes.bbox.height > NAME * current_style.pixels(axes, points)
    above = 0.0 if beside else ABOVE * current_style.pixels(axes, points) / axes.bbox.height
    axes.set(xlim=(-room, room), ylim=(-room, 2 * room / (1 - min(above, 0.5)) - room))
    if beside:
        axes.set_anchor("E")
    axes.axis("off")
    name = axes.text(
        0, 0.9, f"wave {k}", transform=axes.transAxes, ha="right", va="top", color=colour,
        fontweight="bold",
    )  # fmt: skip
    spread = current_style.note(
        axes, "", (0, 0.9), (0, -1.75), ha="right", va="top", linespacing=1.1,
        color=current_style.colours.muted,
    )  # fmt: skip
    if not beside:
        name.set(x=0.5, y=0.99, ha="center")
        spread.xy = (0.5, 0.99)
        spread.set(ha="center", position=(0, -1.45 * current_style.small))
    look: dict[str, Any] = {"marker": "o", "ls": "", "mew": 0, "clip_on": False}
    (joined,) = axes.plot([], [], color=colour, lw=line * 0.35, alpha=0.55, zorder=2, clip_on=False)
    (dots,) = axes.plot([], [], color=colour, ms=points * 0.26, alpha=0.9, zorder=3, **look)
    ink = current_style.colours.ink
    (marks,) = axes.plot([], [], color=ink, ms=points * 0.36, zorder=4, **look)
    texts = [current_style.label(axes, 0, 0, str(n), va="center", zorder=5) for n in MARKED]
    p = data.sizes["residue"]
    order = np.argsort((np.arange(p) * k) % p, kind="stable")
    plane = data["embedding_plane"].sel(embedded_frequency=k).values.astype(float)

    pale = current_style.colours.rest
    axes.plot(*plane[0].T, color=pale, ms=points * 0.24, zorder=1, **look)

    def update(i: int) -> None:
        spread.set_text(f"radius \u00b1{percent(_spread(data, k, i))}")
        joined.set_data(*plane[i][np.append(order, order[0])].T)
        dots.set_data(*plane[i].T)
        marks.set_data(*plane[i][list(MARKED)].T)
        for text, place in zip(texts, _around(plane[i], limit), strict=True):
            text.set_visible(place is not None)
            if place is not None:
                text.set_position(place)

    return Drawing([spread, joined, dots, marks, *texts], update)


def _around(points: np.ndarray, limit: float) -> list[tuple[float, float] | None]:
    """Where the marked numbers are written: each farther out than all dots on its side.

    None where there is no room beside those before it.
    """
    angles, radii = np.arctan2(points[:, 1], points[:, 0]), np.linalg.norm(points, axis=1)
    places: list[tuple[float, float] | None] = []
    for n in MARKED:
        aside = np.abs((angles - angles[n] + np.pi) % (2 * np.pi) - np.pi) < SIDE
        out = min(float(radii[aside].max()), 1.05 * limit) + OUT * limit
        place = (out * float(np.cos(angles[n])), out * float(np.sin(angles[n])))
        near = [other for other in places if other and math.dist(other, place) < 2 * OUT * limit]
        places.append(None if near else place)
    return places
