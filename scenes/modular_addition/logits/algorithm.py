"""The algorithm in one figure, with the numbers that this very network has learnt."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition._dials import answer_colour
from grokviz.scenes.modular_addition._light import beam

from grokviz.errors import InputError
from grokviz.media.formulas import FORMULAS
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

REACH = 12
FINE = 20
"""Points of a wave between two whole numbers."""
ROOMY = 58.0
"""So many ems wide is a sheet with room for every formula."""
KEYLESS = "No frequency is key to the logits at the end"
STEPS = (
    ("Embed", "embedding"),
    ("Multiply", "sum-waves"),
    ("Read off", "cos-sum"),
    ("Add up", "task"),
)


@dataclass(frozen=True)
class Algorithm(Scene):
    """Waves of a and b, their products, the waves around the answer, and their sum."""

    name = "algorithm"
    title = "How the network adds: it multiplies waves and lets them peak"
    watch = "one row per key frequency; each wave as high as in the logits"
    source = "thread, tweet 7; arXiv:2301.05217, figure 1"
    disputed = (
        "Disputed: other networks are said to add waves, a pizza and no clock (arXiv:2306.17844), "
        "or both to be one geometry (arXiv:2512.25060)."
    )
    needs = ("embedding_frequency_norm", "cosine_coefficient",
             "logit_variance_explained", "key_neurons", "logged_train_loss",
             "logged_test_loss")  # fmt: skip
    clock = None
    aspect = 1.75
    narrow_aspect = 0.72

    a: int = option(27, "the first number")
    b: int = option(95, "the second number")
    most: int = option(7, "how many key frequencies to show, the highest waves first")

    def __post_init__(self) -> None:
        if self.a < 0 or self.b < 0:
            raise ValueError(f"a={self.a} and b={self.b} must not be negative")
        if self.most < 1:
            raise ValueError(f"most={self.most} is not possible; give at least 1")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the squared logits the waves make up whose sum is largest at the answer."""
        n, last = self._numbers(data), _last(data)
        shares = data["logit_variance_explained"].values.astype(float)
        growth = _claims.Growth(float(shares[0]), float(shares[last]), _claims.moment(data, last))
        numbers = {"first": growth.first, "last": growth.last, "lead": n.lead}
        waves, held = _claims.waves(n.count), _claims.rounded_percent(growth.last)
        if growth.holds and n.lead >= frequencies.LEAD:
            verb = "makes" if n.count == 1 else "make"
            words = f"{waves}, highest at a + b, {verb} up {held} of the squared logits"
            watch = f"{self.watch} at {growth.moment}"
            return Claim(words, watch, numbers=numbers)
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
        if style().narrow(figure):
            self._narrow(sheet, numbers, wide, high)
        else:
            self._wide(sheet, numbers, wide, high)
        return Drawing()

    def description(self, data: xr.Dataset, i: int) -> str:
        """The steps with their numbers."""
        n = self._numbers(data)
        rows = "; ".join(
            f"{k}: height {height:.2g}" for k, height in zip(n.keys, n.heights, strict=True)
        )
        if not n.keys:
            return f"Diagram of addition mod {n.p} without rows: there are no key frequencies."
        return (
            f"Diagram of addition mod {n.p}, a = {n.a}, b = {n.b}: {len(n.keys)} rows, one "
            f"a key frequency ({rows}). a and b become points on a circle, the points' angles add "
            f"up, each becomes a wave over c that peaks at c = {n.answer}, and the sum of the "
            f"waves is greatest there: {n.total[n.answer]:.3g}, next {n.second:.3g}. The waves are "
            f"{n.explained:.1%} of the squared logits."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        share = float(data["logit_variance_explained"].values[_last(data)])
        n = self._numbers(data)
        return (
            f"The learnt algorithm for a = {n.a}, b = {n.b}, a row a key frequency k with "
            "$w_k = 2 \\pi k / p$: a and b as angles, their sum as one; the wave over c in logits, "
            f"shown within {REACH} of the answer; below, on the same axis, their sum; dotted: the "
            f"highest sum at any other of the {n.p} answers. The waves "
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

    def _wide(self, sheet: Axes, n: _Numbers, wide: float, high: float) -> None:
        left, right = (4.2 if style().slide else 1.0), wide - 1.2
        at = [left, left + 0.2 * (right - left), left + max(0.4 * (right - left), 22.6)]
        foot, share = 3.6, 0.34
        edge = foot + share * (high - 4.9 - foot)
        pitch = min((high - 4.9 - edge) / max(len(n.keys), 1), 4.4)
        rows = [high - 4.9 - (row + 0.5) * pitch for row in range(len(n.keys))]
        for x, (name, formula) in zip(at, STEPS, strict=False):
            # where it would touch its neighbours, the formulas below say it too
            fits = wide >= ROOMY or formula != "sum-waves"
            _heading(sheet, x, high - 1.0, name, FORMULAS[formula].mathtext if fits else "")
        for x, until in itertools.pairwise(at):
            _arrow(sheet, x + 5.2, until - 0.8, high - 0.7)
        if not n.keys:
            frequencies.note_none(sheet)
            return
        waves = (at[2], right - 6.6)
        self._rows(sheet, n, rows, at, min(0.46 * pitch, 2.2), waves[1] - waves[0])
        low = rows[-1] - 0.5 * pitch
        top = min(low - 1.0, foot + 7.6)
        _sum(sheet, n, waves, (foot, top), rows[0] + 0.5 * pitch)
        head = max(min(top - 1.4, low - 1.5), foot + 3.0)
        _heading(sheet, left, head, "Add up", FORMULAS["task"].mathtext)
        _arrow(sheet, left + 5.2, at[2] - 0.9, head + 0.3)
        if wide >= ROOMY:
            _small(sheet, at[1], head - 1.7, f"$w_k = 2\\pi k / {n.p}$")
        if head > 7.4:
            _small(sheet, left, 3.9, "attention and the MLP multiply:")
        for y, name in ((2.2, "angle-sum-cos"), (0.6, "angle-sum-sin")):
            _small(sheet, left, y, FORMULAS[name].mathtext)

    def _narrow(self, sheet: Axes, n: _Numbers, wide: float, high: float) -> None:
        at, pitch = [0.8, 8.8, 15.2], min(2.5, 13.5 / max(len(n.keys), 1))
        rows = [high - 3.4 - (row + 0.5) * pitch for row in range(len(n.keys))]
        for x, (name, _) in zip(at, STEPS, strict=False):
            _heading(sheet, x, high - 1.0, name, "")
        for x, until in itertools.pairwise(at):
            _arrow(sheet, x + 5.0, until - 0.6, high - 0.7)
        if not n.keys:
            frequencies.note_none(sheet)
            return
        self._rows(sheet, n, rows, at, min(0.43 * pitch, 1.1), wide - at[2] - 4.2)
        low = rows[-1] - 0.5 * pitch
        _sum(sheet, n, (at[2], wide - 4.2), (10.6, low - 1.2), rows[0] + 0.5 * pitch)
        _heading(sheet, at[0], low - 2.6, "Add up", "")
        _small(sheet, at[0], low - 4.2, f"{n.a} + {n.b} = {n.answer} mod {n.p}")
        _arrow(sheet, at[0] + 5.0, at[2] - 0.6, low - 2.3)
        lines = {"embedding": 6.6, "angle-sum-cos": 4.9, "angle-sum-sin": 3.2, "logits": 1.1}
        for name, y in lines.items():
            _small(sheet, at[0], y, FORMULAS[name].mathtext)

    def _rows(
        self, sheet: Axes, n: _Numbers, rows: list[float], at: list[float], r: float, width: float
    ) -> None:
        small, narrow = style().small, style().narrow(sheet.figure)
        right = at[2] + width + (3.0 if narrow else 6.2)
        between = at[1] + 0.8 + r if narrow else (at[1] + at[2]) / 2
        clocks = {"a": (at[0] + 2.4 + r, n.a), "b": (at[0] + 3.0 + 3 * r, n.b),
                  "a+b": (between, n.a + n.b)}  # fmt: skip
        for name, (x, _) in clocks.items():
            sheet.text(x, rows[0] + 1.3 * r + 0.3, name, fontsize=small, ha="center",
                       color=style().colours.muted)  # fmt: skip
        for row, (k, y, colour) in enumerate(zip(n.keys, rows, n.colours, strict=True)):
            turn = 2 * np.pi * k / n.p
            text: dict[str, Any] = {"color": colour, "fontsize": small, "va": "center"}
            sheet.text(at[0], y, str(k), fontweight="bold", **text)
            for x, number in clocks.values():
                _clock(sheet, (x, y), r, colour, turn * number)
            c = np.linspace(-REACH, REACH, 2 * FINE * REACH + 1)
            wave = n.heights[row] / max(np.abs(n.heights).max(), 1e-30) * np.cos(turn * c)
            sheet.plot(at[2] + (c / REACH + 1) * width / 2, y + min(1.1 * r, 1.2) * wave,
                       color=colour, lw=style().line * 0.8)  # fmt: skip
            crest = y + min(1.1 * r, 1.2) * wave[FINE * REACH]
            sheet.plot(at[2] + width / 2, crest, "o", color=colour, ms=0.5 * style().points,
                       mew=0.3 * style().line, mec=style().colours.ink, zorder=4)  # fmt: skip
            held = _claims.rounded_percent(n.shares[row])
            sheet.text(right, y, held, ha="right", fontweight="bold", **text)
        every = f"{_claims.rounded_percent(n.explained)}"
        every = every if narrow else f"all {n.count}: {every}"
        sheet.text(right, rows[-1] - r - 0.35, every, ha="right", va="top", fontsize=small,
                   fontweight="bold")  # fmt: skip
        if not narrow:
            roomy = style().ems(sheet.figure)[0] >= ROOMY
            words = "share of\nsquared logits" if roomy else "share"
            sheet.text(right, rows[0] + 1.3 * r + 0.3, words, ha="right",
                       fontsize=small, color=style().colours.muted, linespacing=1.05)  # fmt: skip


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


def _heading(sheet: Axes, x: float, y: float, name: str, formula: str) -> None:
    """A step's name and its formula."""
    sheet.text(x, y, name, fontweight="bold")
    sheet.text(x, y - 1.7, formula, fontsize=style().small)


def _small(sheet: Axes, x: float, y: float, text: str) -> None:
    sheet.text(x, y, text, fontsize=style().small, color=style().colours.muted)


def _arrow(sheet: Axes, start: float, stop: float, y: float) -> None:
    colours = style().colours
    arrow = {"arrowstyle": "->", "color": colours.faint, "lw": style().line * 0.5,
             "shrinkA": 0, "shrinkB": 0}  # fmt: skip
    sheet.annotate("", (stop, y), (start, y), arrowprops=arrow)


def _clock(sheet: Axes, at: tuple[float, float], r: float, colour: str, angle: float) -> None:
    """A unit circle with a hand at an angle."""
    current_style, colours, (x, y) = style(), style().colours, at
    around = np.linspace(0, 2 * np.pi, 100)
    sheet.plot(x + r * np.cos(around), y + r * np.sin(around), color=colours.rest,
               lw=current_style.line * 0.4, zorder=1)  # fmt: skip
    end = np.array([x + r * np.cos(angle), y + r * np.sin(angle)])
    sheet.plot([x, end[0]], [y, end[1]], color=colour, lw=current_style.line * 0.6, zorder=2)
    sheet.plot(*end, "o", color=colour, ms=current_style.points * 0.32, mew=0, zorder=3)


def _sum(
    sheet: Axes, n: _Numbers, across: tuple[float, float], up: tuple[float, float], top: float
) -> None:
    """The sum of the waves on their own axis, and the light at the answer, up to ``top``."""
    current_style, colours = style(), style().colours
    fine = np.linspace(-REACH, REACH, 2 * FINE * REACH + 1)
    curve = n.heights @ np.cos(2 * np.pi * np.outer(n.keys, fine) / n.p)
    low, high = float(min(curve.min(), 0.0)), float(max(curve.max(), n.second, 1e-9))
    unit = (up[1] - up[0]) / (high - low)
    x = across[0] + (fine / REACH + 1) * (across[1] - across[0]) / 2
    y = up[0] + (curve - low) * unit
    middle, zero, line = sum(across) / 2, up[0] - low * unit, current_style.line
    beam(sheet, middle, (up[0], top), max(0.03 * (across[1] - across[0]), 0.45))
    sheet.plot(across, [zero, zero], color=colours.grid, lw=0.4 * line, zorder=0)
    sheet.plot(x, y, color=colours.faint, lw=0.5 * line, zorder=1)
    sheet.plot(x[::FINE], y[::FINE], "o", color=colours.muted, ms=0.3 * current_style.points, mew=0)
    peak = float(y[FINE * REACH])
    sheet.plot(middle, peak, "o", color=answer_colour(), ms=0.55 * current_style.points, mew=0,
               zorder=4)  # fmt: skip
    look: dict[str, Any] = {"fontsize": current_style.small}
    height = f"{n.total[n.answer]:.2g}" + (" logits" if across[1] - across[0] > 12 else "")
    sheet.text(middle + 0.9, peak, height, va="center", zorder=5, fontweight="bold",
               color=answer_colour(), **look)  # fmt: skip
    rival = up[0] + (n.second - low) * unit
    sheet.plot(across, [rival, rival], ls=(0, (2, 3)), color=colours.muted, lw=0.35 * line)
    second = f"next {n.second:.2g}" if across[1] - across[0] > 12 else f"{n.second:.2g}"
    sheet.text(across[1] + 0.4, rival, second, va="center", color=colours.muted, **look)
    _answers(sheet, n, across, up[0] - 0.5)


def _answers(sheet: Axes, n: _Numbers, across: tuple[float, float], y: float) -> None:
    """The answers below the sum, as numbers mod p; the right one named."""
    look: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": style().small}
    middle, half = sum(across) / 2, (across[1] - across[0]) / 2
    sheet.text(middle, y, f"c = {n.answer}", color=answer_colour(), fontweight="bold", **look)
    for away in (-REACH, -REACH // 2, REACH // 2, REACH) if half > 6 else ():
        x = middle + away / REACH * half
        sheet.text(x, y, str((n.answer + away) % n.p), color=style().colours.muted, **look)
