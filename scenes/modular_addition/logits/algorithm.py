"""The algorithm in one figure, with the numbers that this very network has learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition._dials import answer_colour, turn
from grokviz.scenes.modular_addition._light import beam

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, style
from grokviz.scene.bars import columns
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

KEYLESS = "No frequency is key to the logits at the end"

GLOW = 1.6
"""Light is the wave's height to this power, so that its crests stand out."""

WORDS, NARROW_WORDS = 14.2, 2.2
"""Room for the words at the left, in ems; in a column for the frequencies alone."""

LINE = 0.95
"""The least height of a row that has room for its number, in ems."""

LARGEST = 3.5
"""The radius of a wheel that has room for it, in ems."""


@dataclass(frozen=True)
class Algorithm(Scene):
    """A wheel a key frequency, the answers that each lights, and the sum of the lights."""

    name = "algorithm"
    title = "The network adds by turning a few wheels that agree on one answer"
    watch = "Each wheel turns by a, then by b, and lights the answers that fit; the lights add up"
    source = "thread, tweet 7; arXiv:2301.05217, figure 1"
    disputed = (
        "Disputed: other networks are said to add waves, a pizza and no clock (arXiv:2306.17844), "
        "or both to be one geometry (arXiv:2512.25060)."
    )
    needs = ("embedding_frequency_norm", "cosine_coefficient",
             "logit_variance_explained", "key_neurons", "logged_train_loss",
             "logged_test_loss")  # fmt: skip
    clock = None
    checkpoint = "epoch"
    any_checkpoint = True
    aspect = 1.75
    narrow_aspect = 1.0

    a: int = option(27, "the first number")
    b: int = option(95, "the second number")
    most: int = option(12, "how many key frequencies to show, the highest waves first")

    def __post_init__(self) -> None:
        if self.a < 0 or self.b < 0:
            raise ValueError(f"a={self.a} and b={self.b} must not be negative")
        if self.most < 1:
            raise ValueError(f"most={self.most} is not possible; give at least 1")

    def drawn_at(self, data: xr.Dataset) -> int:
        """The last checkpoint whose logits are numbers."""
        return _last(data)

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the squared logits the waves make up whose sum is largest at the answer."""
        n, last = self._numbers(data), _last(data)
        shares = data["logit_variance_explained"].values.astype(float)
        growth = _claims.Growth(float(shares[0]), float(shares[last]), _claims.moment(data, last))
        numbers = {"first": growth.first, "last": growth.last, "lead": n.lead}
        waves, held = _claims.waves(n.count), percent(growth.last)
        if growth.holds and n.lead >= frequencies.LEAD:
            some = _claims.some(len(n.keys), n.count, "wheel")
            wheels = "a wheel that picks" if n.count == 1 else f"{some} that agree on"
            words = f"The network adds by turning {wheels} one answer"
            return Claim(words, self.watch, numbers=numbers)
        verb = f"explain{'s' * (n.count == 1)}"
        words = f"{waves} {verb} {held} of the squared logits at {growth.moment}"
        return _claims.instead(data, words if n.count else KEYLESS, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Everything on one sheet whose unit is an em."""
        wide, high = style().ems(figure)
        sheet = figure.add_axes((0, 0, 1, 1))
        sheet.set(xlim=(0, wide), ylim=(0, high))
        sheet.axis("off")
        numbers = self._numbers(data)
        if numbers.keys:
            _draw(sheet, numbers, wide, high)
        else:
            frequencies.note_none(sheet)
        return Drawing()

    def description(self, data: xr.Dataset, i: int) -> str:
        """The steps with their numbers."""
        n = self._numbers(data)
        rows = "; ".join(
            f"{k}: height {height:.2g}" for k, height in zip(n.keys, n.heights, strict=True)
        )
        if not n.keys:
            return f"Diagram of addition mod {n.p} without wheels: there are no key frequencies."
        return (
            f"Diagram of addition mod {n.p}, a = {n.a}, b = {n.b}: a wheel for each of "
            f"{len(n.keys)} key frequencies ({rows}). Each turns by a and on by b, and lights the "
            f"answers c by a wave that peaks at c = {n.answer}; the sum of the waves is greatest "
            f"there: {n.total[n.answer]:.3g}, next {n.second:.3g}. The waves are "
            f"{n.explained:.1%} of the squared logits."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        share = float(data["logit_variance_explained"].values[_last(data)])
        n = self._numbers(data)
        return (
            f"The learnt algorithm for a = {n.a}, b = {n.b}, a wheel a key frequency k, on which "
            "a number n is at the angle $2 \\pi k n / p$: hands at a and at the sum. Below, a "
            "row each: the wave over the answers c in logits, as high as on average over all "
            "pairs (those of one pair differ a little), the brighter the higher; last their "
            f"sum, dotted: the highest at any other of the {n.p} answers. The waves "
            f"explain {share:.1%} of the squared logits of all pairs and answers. "
            f"{after('figure 1')}"
        )

    def _numbers(self, data: xr.Dataset) -> _Numbers:
        p = data.sizes["residue"] if "residue" in data.sizes else 2 * data.sizes["frequency"] + 1
        if max(self.a, self.b) >= p and {"a", "b"} & set(self.changed_options()):
            raise InputError(
                f"{self.name}: a={self.a}, b={self.b} are not both below p={p}; give 0 to {p - 1}"
            )
        last = data.isel(epoch=_last(data))
        scale = np.sqrt(2 / p**3)
        known = frequencies.key_frequencies(data)
        largest = frequencies.by_size(known, last["cosine_coefficient"]) if known else []
        keys = np.array(sorted(largest[: self.most]), dtype=int).tolist()
        waves = last.isel(frequency=np.array(keys, dtype=int) - 1)
        heights = waves["cosine_coefficient"].values.astype(float) * scale
        a, b = self.a % p, self.b % p  # what is not chosen is meant for p = 113
        answer = (a + b) % p
        angles = 2 * np.pi * np.outer(keys, answer - np.arange(p)) / p
        explained = float(last["logit_variance_explained"])
        squares = np.square(last["cosine_coefficient"].values.astype(float))
        every = float(squares[np.array(known, dtype=int) - 1].sum())
        shares = explained * squares[np.array(keys, dtype=int) - 1] / max(every, 1e-30)
        return _Numbers(
            p, a, b, answer, keys, heights, shares, explained,
            heights @ np.cos(angles), [frequencies.ink(k, data) for k in keys], len(known),
        )  # fmt: skip


@dataclass(frozen=True)
class _Numbers:
    """What the run says, for the key frequencies that are shown.

    Attributes:
        p, a, b, answer: the modulus, the two numbers and their sum.
        keys, heights, colours: the frequencies shown, their waves' heights in logits.
        shares: each wave's share of the squared logits.
        explained: that of all key frequencies, of which there are ``count``.
        total: the sum of the waves shown at each answer, in logits.

    """

    p: int
    a: int
    b: int
    answer: int
    keys: list[int]
    heights: np.ndarray
    shares: np.ndarray
    explained: float
    total: np.ndarray
    colours: list[str]
    count: int

    @property
    def lead(self) -> float:
        """How many times the sum at the best wrong answer that at the answer is."""
        peak = float(self.total[self.answer])
        return peak / max(self.second, 1e-30) if peak > 0 else 0.0

    @property
    def second(self) -> float:
        """The sum at the best wrong answer."""
        return float(np.delete(self.total, self.answer).max())


def _last(data: xr.Dataset) -> int:
    """The index of the last checkpoint whose logits are numbers."""
    finite = np.flatnonzero(np.isfinite(data["logit_variance_explained"].values))
    if not finite.size:
        raise InputError("algorithm: the logits of this run are no numbers; draw another run")
    return int(finite[-1])


def _draw(sheet: Axes, n: _Numbers, wide: float, high: float) -> None:
    """Wheels above, under them the rows that they light, and the sum of the rows."""
    narrow = style().narrow(sheet.figure)
    left = NARROW_WORDS if narrow else WORDS
    across = left, wide - (2.6 if narrow else 4.4)
    count = len(n.keys)
    step = (across[1] - across[0]) / count
    radius = min(LARGEST, 0.38 * step, 0.15 * high)
    centre = high - 2.0 - radius
    for row, (k, colour) in enumerate(zip(n.keys, n.colours, strict=True)):
        at = across[0] + (row + 0.5) * step, centre
        _wheel(sheet, n, k, colour, at, radius)
        name = f"frequency {k}" if step > 7.5 else str(k)
        sheet.text(at[0], centre + radius + 0.5, name, ha="center", fontweight="bold",
                   color=colour, fontsize=style().small)  # fmt: skip
    top = centre - radius - (1.2 if narrow else 1.6)
    foot = 1.9
    pitch = min(max(0.55 * (top - foot) / count, min(LINE, 0.75 * (top - foot) / count)), 1.7)
    cell = (across[1] - across[0]) / n.p
    answer = across[0] + (n.answer + 0.5) * cell
    for row, (k, colour) in enumerate(zip(n.keys, n.colours, strict=True)):
        y = top - (row + 0.5) * pitch
        _row(sheet, n, row, colour, (*across, y - 0.4 * pitch, y + 0.4 * pitch))
        sheet.text(left - 0.5, y, str(k), ha="right", va="center", fontweight="bold",
                   color=colour, fontsize=style().small)  # fmt: skip
    low = top - count * pitch
    beam(sheet, answer, (foot, top), max(0.5 * cell, 0.3))
    _sum(sheet, n, across, (foot, low - 0.5))
    sheet.text(answer, foot - 0.35, str(n.answer), ha="center", va="top", fontweight="bold",
               color=answer_colour(), fontsize=style().points)  # fmt: skip
    for c in {0, n.p - 1} - {n.answer}:
        if abs(c - n.answer) * cell > 2.5:
            sheet.text(across[0] + (c + 0.5) * cell, foot - 0.35, str(c), ha="center", va="top",
                       color=style().colours.muted, fontsize=style().small)  # fmt: skip
    if not narrow:
        _say(sheet, n, (centre, (top + low) / 2, (foot + low) / 2))


def _say(sheet: Axes, n: _Numbers, levels: tuple[float, float, float]) -> None:
    """The three steps in words, level with their pictures."""
    start, colours = (4.2 if style().slide else 1.0), style().colours
    steps = (
        ("Turn", f"by {n.a}, then by {n.b}"),
        ("Light up", "what fits, on average"),
        ("Add up", f"{n.a} + {n.b} = {n.answer} mod {n.p}"),
    )
    for (name, words), y in zip(steps, levels, strict=True):
        sheet.text(start, y + 0.15, name, fontweight="bold")
        sheet.text(start, y - 0.25, words, va="top", color=colours.muted, fontsize=style().small)


def _wheel(
    sheet: Axes, n: _Numbers, k: int, colour: str, at: tuple[float, float], r: float
) -> None:
    """A circle with a hand at a and one at the sum; arcs go to the one and on to the other."""
    current_style, colours = style(), style().colours
    z, line = complex(*at), current_style.line
    rim = z + r * np.exp(1j * np.linspace(0, 2 * np.pi, 181))
    sheet.fill(rim.real, rim.imag, fc=colours.grid, ec=colours.faint, lw=0.4 * line, zorder=1)
    first, by, last = (turn(k, number, n.p) for number in (n.a, n.b, n.a + n.b))
    start = z + r * np.array([0.86, 1.0])
    sheet.plot(start.real, start.imag, color=colours.muted, lw=0.6 * line, zorder=2)
    way = z + 0.4 * r * np.exp(1j * np.linspace(0, first, 90))
    sheet.plot(way.real, way.imag, color=colours.muted, lw=0.4 * line, zorder=2)
    arc = z + 0.62 * r * np.exp(1j * np.linspace(first, first + by, 90))
    sheet.plot(arc.real, arc.imag, color=colour, lw=0.6 * line, zorder=2)
    for angle, tint, wide in ((first, colours.muted, 0.7), (last, answer_colour(), 1.2)):
        end = z + 0.92 * r * np.exp(1j * angle)
        sheet.plot([z.real, end.real], [z.imag, end.imag], color=tint, lw=wide * line,
                   solid_capstyle="round", zorder=3 + wide)  # fmt: skip
        sheet.plot(end.real, end.imag, "o", color=tint, ms=0.42 * wide * current_style.points,
                   mew=0, zorder=3 + wide)  # fmt: skip


def _row(
    sheet: Axes, n: _Numbers, row: int, colour: str, box: tuple[float, float, float, float]
) -> None:
    """How high a wave is at each answer, as light of its colour."""
    from matplotlib.colors import LinearSegmentedColormap

    tallest = float(np.abs(n.heights).max())
    wave = n.heights[row] * np.cos(2 * np.pi * n.keys[row] * (np.arange(n.p) - n.answer) / n.p)
    light = ((wave + tallest) / (2 * tallest)) ** GLOW
    shades = LinearSegmentedColormap.from_list("", [style().colours.grid, colour])
    sheet.imshow(light[None], extent=box, cmap=shades, vmin=0, vmax=1, aspect="auto",
                 interpolation="nearest", zorder=1)  # fmt: skip


def _sum(sheet: Axes, n: _Numbers, across: tuple[float, float], up: tuple[float, float]) -> None:
    """A bar for the sum of the waves at each answer, and a line at the best wrong one."""
    from matplotlib.collections import PolyCollection

    current_style, colours = style(), style().colours
    low, high = float(min(n.total.min(), 0.0)), float(max(n.total.max(), 1e-9))
    unit = (up[1] - up[0]) / (high - low)
    zero, cell = up[0] - low * unit, (across[1] - across[0]) / n.p
    x = across[0] + (np.arange(n.p) + 0.5) * cell
    faces = [colours.faint] * n.p
    faces[n.answer] = answer_colour()
    corners = columns(x, zero + unit * n.total, 0.72 * cell, zero)
    sheet.add_collection(PolyCollection(list(corners), facecolors=faces, lw=0, zorder=3))
    sheet.plot(across, [zero, zero], color=colours.faint, lw=0.3 * current_style.line, zorder=2)
    rival = zero + unit * n.second
    sheet.plot(across, [rival, rival], ls=(0, (2, 3)), color=colours.muted,
               lw=0.35 * current_style.line, zorder=4)  # fmt: skip
    look: dict[str, Any] = {"va": "center", "fontsize": current_style.small}
    apart = max(unit * (float(n.total[n.answer]) - n.second), 1.1)
    sheet.text(across[1] + 0.4, rival, f"{n.second:.2g}", color=colours.muted, **look)
    sheet.text(across[1] + 0.4, rival + apart, f"{n.total[n.answer]:.2g}", fontweight="bold",
               color=answer_colour(), **look)  # fmt: skip
