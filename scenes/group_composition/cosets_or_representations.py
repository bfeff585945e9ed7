"""The same neurons twice: constant on the cosets of a subgroup, and in one representation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.group_composition import _groups as groups
from grokviz.scenes.group_composition import _neuron_rows
from grokviz.scenes.group_composition._neurons import Fits, One
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.media import typefaces
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import columns
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 0.5
"""Share of the neurons that fit both explanations above which most of them are said to."""

ROWS_WATCH = "A row is a neuron: steps are cosets, colours representations; bright if both fit"

STEPS = {
    "flat": "flat on each of its {} cosets", "uneven": "not flat on its {} cosets",
    "counted": "counts as constant on its {} cosets",
}  # fmt: skip
"""What is said above a neuron's bars."""

ROOM = 2.8
"""Ems after the bars of representations, for their shares."""

ROWS = 4
"""So many representations have a bar; of more the largest do, and the others one together."""

COUNTED = {2: "", 0: "fit both", 1: "", 3: "neither"}
"""The blocks of dots from left to right, and their words; what has none is under one bracket."""

EXPLANATIONS = ("explanation 1, by cosets, fits {}", "explanation 2, by representations, fits {}")
"""What stands at each bracket."""

APART = 1.1
"""How far apart blocks of dots are, in columns."""


@dataclass(frozen=True)
class CosetsOrRepresentations(Scene):
    """A count of all neurons, and one of them by cosets and by representations."""

    name = "cosets-or-representations"
    title = "Two rival explanations fit 74 of 128 neurons at the same time"
    watch = "A dot is a neuron; below, the one in colour, the clearest, as each explanation sees it"
    source = "arXiv:2302.03025; arXiv:2312.06581"
    needs = ("neuron_weight", "neuron_share", "neuron_coset", "coset_ratio")
    recipe = "group-composition-A5-small"
    reference = "group-A5-0"
    clock = "field_epoch"
    aspect = 1.7
    narrow_aspect = 0.72

    every: bool = option(False, "every neuron as a row, instead of one of them large")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless there are subgroups, and neurons that hang on x."""
        super().check(data)
        if not (data["neuron_coset"].values >= 0).any():
            raise InputError(
                f"{cls.name} sorts elements by cosets, and no neuron of this group of "
                f"{data.sizes['x']} elements has any"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """The shares of the neurons that each explanation fits, and both."""
        first, last = (Fits.of(data, i) for i in (0, -1))
        numbers = {"both": last.both, "cosets": last.cosets, "representations": last.one,
                   "first": first.both, "other side": last.other_side}  # fmt: skip
        watch = ROWS_WATCH if self.every else self.watch
        if last.both > MOST >= first.both:
            count = data.sizes["neuron"]
            sentence = (
                f"Two rival explanations fit {round(last.both * count):,} of {count:,} neurons at "
                "the same time"
            )
            return Claim(sentence, watch, sentence == self.title, numbers)
        sentence = (
            f"{percent(last.cosets)} of the neurons are constant on cosets, "
            f"{percent(last.one)} in one representation"
        )
        return Claim.instead(sentence, watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """One neuron twice above a count of all; or both panels of all, in the same order."""
        return _neuron_rows.draw(figure, data) if self.every else _draw_dots(figure, data)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How many neurons each explanation fits at that moment."""
        now = Fits.of(data, i)
        what = f"Two panels of the same {data.sizes['neuron']:,} neurons, a row each"
        if not self.every:
            one = One(data)
            steps = {
                "flat": "nearly constant", "uneven": "not constant",
                "counted": "by the published bound constant, though not flat,",
            }[one.steps(i)]  # fmt: skip
            what = (
                "A dot a neuron, in blocks by what fits it, and bars of one neuron's weights by "
                f"element, {steps} on its {one.cosets} cosets, "
                f"its largest share in a representation {percent(one.shares(i).max())}"
            )
        return (
            f"{what}. At {clocks.at(data, 'field_epoch', i)} {percent(now.cosets)} of all are "
            f"constant on the cosets of a subgroup, from the left and from the right, "
            f"{percent(now.one)} in one representation, and {percent(now.both)} both. "
            f"With cosets of the other side {percent(now.other_side)} would be."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citations."""
        where, whose = ("Left", "each") if self.every else (
            "A dot is a neuron, its half at a bracket bright if that explanation fits it. The bars "
            "at the left", "one",
        )  # fmt: skip
        scale = "" if self.every else " Inputs of every moment fill the panel."
        which = "" if self.every else (
            "The neuron is, of those that fit both at the end, if any, the one most constant on "
            "few cosets. "
        )  # fmt: skip
        of_transformer = (
            json.loads(data.attrs.get("settings") or "{}").get("model") == "transformer"
        )
        average = " on average over y" if of_transformer else ""
        return (
            f"{where}: what x gives {whose} neuron{average}, the elements sorted by the right "
            "cosets of the subgroup that fits it best at the end, and these by their means, from "
            f"the least to the most. {which}Constant on cosets: unbiased variances within the "
            "cosets, added up, are less than that of all elements, for x with right cosets and for "
            f"y with left ones (Stander and others, arXiv:2312.06581). Right: the shares. In one "
            "representation: nine tenths of the square of what an element gives the neuron, less "
            "its mean, are in one, for x and for y (Chughtai and others, arXiv:2302.03025)."
            f"{scale} Representations without a name of their own are called by their dimension."
        )


def _draw_dots(figure: FigureBase, data: xr.Dataset) -> Drawing:
    """A dot a neuron in blocks by what fits it, and below them one of the neurons."""
    one = One(data)
    wide, high = style().ems(figure)
    narrow = style().stacks(figure)
    left, low, bars, between = 4.2, 2.2, 4.4, 6.0
    foot = low + bars + (bars + between if narrow else 0) + 6.6
    dots = figure.add_axes(
        (left / wide, foot / high, 1 - (left + 2) / wide, 1 - (foot + 2.8) / high)
    )
    whole = wide - left - 2
    across = whole if narrow else 0.49 * whole
    steps_low = low + bars + between if narrow else low
    steps = figure.add_axes((left / wide, steps_low / high, across / wide, bars / high))
    # names before the bars, shares after them
    start = _Shares.names(one) + 0.6
    from_left = left if narrow else left + across + 2
    inner = wide - from_left - 2 - start - ROOM
    shares = figure.add_axes(((from_left + start) / wide, low / high, inner / wide, bars / high))
    return Drawing.of(_Dots(dots, data, one), _Steps(steps, one), _Shares(shares, one, start))


class _Dots:
    """All neurons as dots, those of one block side by side, under brackets of what fits them."""

    def __init__(self, axes: Axes, data: xr.Dataset, one: One) -> None:
        current, colours = style(), style().colours
        self.data, self.axes, self.one = data, axes, one
        count, box = data.sizes["neuron"], axes.bbox
        # so many rows that the dots are as large as they can be, however the blocks change
        pitches = {
            rows: min(box.width / (count / rows + 4 + 3 * APART), box.height / rows)
            for rows in range(1, count + 1)
        }
        self.rows = max(pitches, key=lambda rows: (pitches[rows], -rows))
        pitch = pitches[self.rows]
        axes.set_axis_off()
        axes.set(xlim=(0, box.width / pitch), ylim=(self.rows, 0))
        size = 0.74 * pitch / current.pixels(axes, 1)
        zero = np.zeros(count)
        self.dots: Any = axes.scatter(zero, zero, s=size**2, lw=0, zorder=3, clip_on=False)
        self.rims: Any = axes.scatter(
            zero, zero, s=size**2, lw=0.4 * current.line, facecolors="none",
            edgecolors=colours.faint, zorder=2, clip_on=False,
        )  # fmt: skip
        # the half of a dot that is at the bracket of what fits it
        self.shapes = [_disc(0, 360), _disc(180, 360), _disc(0, 180), _disc(0, 0)]
        self.tones = [colours.ink, colours.muted, colours.muted, colours.muted]
        self.em = current.pixels(axes, current.small) / pitch
        bold: dict[str, Any] = {"color": colours.ink, "fontweight": "bold"}
        plain: dict[str, Any] = {"color": colours.muted}
        self.numbers = {
            k: current.note(
                axes, "", (0, 0), (0, -1.25), xycoords=axes.get_xaxis_transform(), ha="center",
                **(plain if k else bold),
            )
            for k in COUNTED
        }  # fmt: skip
        self.brackets = [
            axes.plot([], [], color=colours.muted, lw=0.5 * current.line, clip_on=False,
                      transform=axes.get_xaxis_transform())[0]
            for _ in range(2)
        ]  # fmt: skip
        self.heads = [
            current.note(
                axes, "", (0, at), (0, lift), xycoords=axes.get_xaxis_transform(), ha="center",
                color=colours.ink,
            )
            for at, lift in ((1, 1.1), (0, -3.4))
        ]  # fmt: skip
        self.moving = [self.dots, self.rims, *self.numbers.values(), *self.brackets, *self.heads]

    def update(self, i: int) -> None:
        """Put each neuron into its block at a moment, and count."""
        from matplotlib.colors import to_rgba_array

        block: Int[np.ndarray, " neuron"] = Fits.of(self.data, i).block
        example = self.one.neuron
        counts = {k: int((block == k).sum()) for k in COUNTED}
        spans, at = {}, 0.0
        places = np.zeros((len(block), 2))
        for k, count in counts.items():
            spans[k] = (at, at + -(-count // self.rows))
            own = np.flatnonzero(block == k)
            # the example first, so that it is at the corner
            own = own[np.argsort(own != example, kind="stable")]
            column, row = np.divmod(np.arange(count), self.rows)
            places[own] = np.stack([at + column + 0.5, row + 0.5], axis=1)
            at = spans[k][1] + (APART if count else 0.0)
        self.dots.set_offsets(places)
        self.rims.set_offsets(places)
        self.dots.set_paths([self.shapes[k] for k in block])
        tones = to_rgba_array([self.tones[k] for k in block])
        tones[example] = to_rgba_array(self.one.tints[self.one.best])[0]
        self.dots.set_facecolor(tones)
        # to be found, too, where nothing fits it
        rims = np.repeat(to_rgba_array(style().colours.faint), len(block), axis=0)
        rims[example] = tones[example]
        self.rims.set_edgecolor(rims)
        self._count(counts, spans)
        self._bracket(0, spans[2], spans[0], counts[2] + counts[0])
        self._bracket(1, spans[0], spans[1], counts[0] + counts[1])

    def _count(self, counts: dict[int, int], spans: dict[int, tuple[float, float]]) -> None:
        """Write below each block how many dots are in it, clear of the others."""
        words = {k: f"{n:,} {COUNTED[k]}".strip() for k, n in counts.items() if n}
        middles = [sum(spans[k]) / 2 for k in words]
        wide = [self.em * (typefaces.width(text) + 1.0) for text in words.values()]
        centres = pushed_apart(middles, wide, 0, self.axes.get_xlim()[1])
        placed = dict(zip(words, centres, strict=True))
        for k, text in self.numbers.items():
            text.set_text(words.get(k, ""))
            text.xy = (placed.get(k, 0.0), 0)

    def _bracket(
        self, n: int, first: tuple[float, float], last: tuple[float, float], count: int
    ) -> None:
        """A bracket above (0) or below (1) two blocks, with how many dots are under it."""
        start, end = first[0] if first[1] > first[0] else last[0], last[1]
        if last[1] == last[0]:
            end = first[1]
        text = EXPLANATIONS[n].format(f"{count:,}")
        half = self.em * typefaces.width(text) / 2
        right = self.axes.get_xlim()[1]
        self.heads[n].set_text(text)
        self.heads[n].xy = (min(max((start + end) / 2, half), right - half), 1 - n)
        high = self.em * self.axes.bbox.width / right / self.axes.bbox.height
        far, near = (1 + 0.85 * high, 1 + 0.35 * high) if n == 0 else (-2.2 * high, -1.7 * high)
        shown = [start + 0.1, start + 0.1, end - 0.1, end - 0.1], [near, far, far, near]
        self.brackets[n].set_data(*(shown if count else ([], [])))


def _disc(start: float, end: float) -> Any:
    """The part of a disc between two angles in degrees, as large as a marker."""
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    if start == end:
        return Path(np.zeros((0, 2)))
    part = Path.unit_circle() if end - start == 360 else Path.wedge(start, end)
    return part.transformed(Affine2D().scale(0.5))


class _Steps:
    """A bar an element for what it gives one neuron, its cosets side by side."""

    def __init__(self, axes: Axes, one: One) -> None:
        from matplotlib.collections import PolyCollection

        self.one, current = one, style()
        low, high = _ends(one.weights(-1))
        axes.set(xlim=(-1, one.places[-1] + 1), ylim=(low, high))
        axes.set_axis_off()
        axes.axhline(0, color=current.colours.faint, lw=0.5 * current.line, zorder=1)
        self.bars = PolyCollection([], facecolors=one.tints[one.best], lw=0, zorder=2)
        axes.add_collection(self.bars, autolim=False)
        size = len(one.elements) // one.cosets
        words = f"the {len(one.elements)} elements x, in {one.cosets} cosets"
        explained = f"{words} (a subgroup of {size}, shifted)"
        em = current.pixels(axes, current.small)
        if typefaces.width(explained) * em < axes.bbox.width:
            words = explained
        below: dict[str, Any] = {"ha": "center", "color": current.colours.muted}
        current.note(axes, words, (0.5, 0), (0, -1.4), **below)
        self.head = current.note(
            axes, "", (0, 1), (0, 0.9), color=current.colours.ink, fontweight="bold"
        )
        side: dict[str, Any] = {"color": current.colours.muted, "ha": "right", "va": "center"}
        across = axes.get_yaxis_transform()
        current.note(axes, "0", (0, 0), (-0.4, 0), xycoords=across, **side)
        current.note(
            axes, "input from x", (0, 0.5), (-1.6, 0), rotation=90, ha="center", va="center",
            color=current.colours.muted,
        )  # fmt: skip
        self.moving = [self.bars, self.head]

    def update(self, i: int) -> None:
        """Let the bars be as high as at a moment, as large as there is room for, and say of it."""
        weights = self.one.weights(i)
        # weights are a hundred times smaller at first, and their shape is what is told
        (low, high), (least, most) = _ends(self.one.weights(-1)), _ends(weights)
        scale = min(low / least, high / most)
        self.bars.set_verts(list(columns(self.one.places, scale * weights, 0.92, 0.0)))
        words = STEPS[self.one.steps(i)].format(self.one.cosets)
        self.head.set_text(f"Explanation 1: {words}")


def _ends(weights: Float[np.ndarray, " x"]) -> tuple[float, float]:
    """The least and the largest of some weights, on both sides of zero."""
    return min(float(weights.min()), -1e-9), max(float(weights.max()), 1e-9)


class _Shares:
    """A bar for the share of each representation in one neuron."""

    def __init__(self, axes: Axes, one: One, start: float) -> None:
        self.one, current = one, style()
        self.shown = self.rows(one)
        colours = current.colours
        axes.set(xlim=(0, 1), ylim=(max(len(self.shown), 2) - 0.5, -0.5))
        axes.set_axis_off()
        axes.axvline(0, color=colours.faint, lw=0.5 * current.line, zorder=1)
        tints = [
            one.tints[row[0]] if len(row) == 1 else colours.rest for row in self.shown.values()
        ]
        self.bars = axes.barh(range(len(self.shown)), 0, 0.62, color=tints, lw=0, zorder=2)
        side: dict[str, Any] = {"va": "center", "color": colours.muted}
        across = axes.get_yaxis_transform()
        for k, name in enumerate(self.shown):
            current.note(axes, name, (0, k), (-0.5, 0), xycoords=across, ha="right", **side)
        self.values = [
            current.note(axes, "", (0, k), (0.4, 0), xycoords="data", **side)
            for k in range(len(self.shown))
        ]
        words = "representations (the group as matrices)"
        current.note(
            axes, words, (0.5, 0), ((ROOM - start) / 2, -1.4), ha="center", color=colours.muted
        )
        self.head = current.note(
            axes, "", (0, 1), (-start, 0.9), color=colours.ink, fontweight="bold"
        )
        self.moving = [*self.bars, *self.values, self.head]

    @classmethod
    def names(cls, one: One) -> float:
        """The width of the longest name, in ems."""
        return max(typefaces.width(name) for name in cls.rows(one))

    @staticmethod
    def rows(one: One) -> dict[str, list[int]]:
        """Which representations are in each row, by its name; the largest at the end first."""
        last = one.shares(-1)
        # the trivial one has no share, as means are taken off
        order = np.argsort(-np.round(last[1:], 6), kind="stable") + 1
        every = one.data["representation"].values
        own = order if len(order) <= ROWS else order[: ROWS - 1]
        rows = {groups.representation(str(every[k])): [int(k)] for k in own}
        if len(order) > len(own):
            rows[f"{len(order) - len(own)} others"] = [int(k) for k in order[len(own) :]]
        return rows

    def update(self, i: int) -> None:
        """Let the bars be as long as the shares at a moment."""
        shares = self.one.shares(i)
        for bar, text, row in zip(self.bars, self.values, self.shown.values(), strict=True):
            share = float(shares[row].sum())
            bar.set_width(share)
            text.set_text(percent(share))
            text.xy = (share, text.xy[1])
        self.head.set_text(f"Explanation 2: {percent(float(shares.max()))} in one representation")
