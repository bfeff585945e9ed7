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
"""What is said beside a neuron's bars."""

COUNTED = {2: "", 0: "fit both", 1: "", 3: "neither"}
"""The blocks of dots from left to right, and their words; what has none is under one bracket."""

EXPLANATIONS = (
    "explanation 1 fits {}: constant on cosets", "explanation 2 fits {}: in one representation"
)  # fmt: skip
"""What stands at each bracket."""

APART = 1.1
"""How far apart blocks of dots are, in columns."""


@dataclass(frozen=True)
class CosetsOrRepresentations(Scene):
    """One neuron's weights by cosets and its shares by representation, and a count of all."""

    name = "cosets-or-representations"
    title = "Two rival explanations fit 74 of 128 neurons at the same time"
    watch = (
        "A dot is a neuron; cosets are a subgroup, shifted, representations the group as matrices"
    )
    source = "arXiv:2302.03025; arXiv:2312.06581"
    needs = ("neuron_weight", "neuron_share", "neuron_coset", "coset_ratio")
    recipe = "group-composition-A5-small"
    reference = "group-A5-0"
    clock = "field_epoch"
    aspect = 1.7
    narrow_aspect = 0.9

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
        where, whose = ("Left", "each") if self.every else ("A dot is a neuron. The bars", "one")
        scale = "" if self.every else " Inputs of every moment fill the panel."
        which = "" if self.every else (
            "The neuron is, of those that fit both at the end, if any, the one most constant on "
            "few cosets. "
        )  # fmt: skip
        shares = "Right: the shares. " if self.every else ""
        of_transformer = (
            json.loads(data.attrs.get("settings") or "{}").get("model") == "transformer"
        )
        average = " on average over y" if of_transformer else ""
        return (
            f"{where}: what x gives {whose} neuron{average}, the elements sorted by the right "
            "cosets of the subgroup that fits it best at the end, and these by their means, from "
            f"the least to the most. {which}Constant on cosets: unbiased variances within the "
            "cosets, added up, are less than that of all elements, for x with right cosets and for "
            f"y with left ones (Stander and others, arXiv:2312.06581). {shares}In one "
            "representation: nine tenths of the square of what an element gives the neuron, less "
            "its mean, are in one, for x and for y (Chughtai and others, arXiv:2302.03025)."
            f"{scale} Representations without a name of their own are called by their dimension."
        )


def _draw_dots(figure: FigureBase, data: xr.Dataset) -> Drawing:
    """A dot a neuron in blocks by what fits it, and below them one of the neurons."""
    one = One(data)
    wide, high = style().ems(figure)
    narrow = style().stacks(figure)
    left, low, bars = 4.2, 2.2, 4.4 if not narrow else 5.0
    words = 5.2 if narrow else 0.0
    foot = low + bars + words + 5.6
    dots = figure.add_axes(
        (left / wide, foot / high, 1 - (left + 2) / wide, 1 - (foot + 2.8) / high)
    )
    across = wide - left - 2 if narrow else 0.62 * (wide - left - 2)
    steps = figure.add_axes((left / wide, low / high, across / wide, bars / high))
    parts = [_Dots(dots, data, one), _Steps(steps, one), _Words(steps, data, one, above=narrow)]
    return Drawing.of(*parts)


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
        self.dots = axes.scatter(
            np.zeros(count), np.zeros(count), s=size**2, lw=0, zorder=3, clip_on=False
        )
        self.tones = [colours.ink, colours.faint, colours.faint, colours.rest]
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
        self.moving = [self.dots, *self.numbers.values(), *self.brackets, *self.heads]

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
        tones = to_rgba_array([self.tones[k] for k in block])
        tones[example] = to_rgba_array(self.one.tints[self.one.best])[0]
        self.dots.set_facecolors(tones)
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
        words = f"the {len(one.elements)} elements x, in {one.cosets} cosets of {size}"
        below: dict[str, Any] = {"ha": "center", "color": current.colours.muted}
        current.note(axes, words, (0.5, 0), (0, -1.4), **below)
        side: dict[str, Any] = {"color": current.colours.muted, "ha": "right", "va": "center"}
        across = axes.get_yaxis_transform()
        current.note(axes, "0", (0, 0), (-0.4, 0), xycoords=across, **side)
        current.note(
            axes, "input from x", (0, 0.5), (-1.6, 0), rotation=90, ha="center", va="center",
            color=current.colours.muted,
        )  # fmt: skip
        self.moving = [self.bars]

    def update(self, i: int) -> None:
        """Let the bars be as high as at a moment, as large as the panel has room for."""
        weights = self.one.weights(i)
        # weights are a hundred times smaller at first, and their shape is what is told
        (low, high), (least, most) = _ends(self.one.weights(-1)), _ends(weights)
        scale = min(low / least, high / most)
        self.bars.set_verts(list(columns(self.one.places, scale * weights, 0.92, 0.0)))


def _ends(weights: Float[np.ndarray, " x"]) -> tuple[float, float]:
    """The least and the largest of some weights, on both sides of zero."""
    return min(float(weights.min()), -1e-9), max(float(weights.max()), 1e-9)


class _Words:
    """What the bars are of, and how both explanations fit it, beside them or above them."""

    def __init__(self, axes: Axes, data: xr.Dataset, one: One, *, above: bool) -> None:
        current, colours = style(), style().colours
        self.data, self.one = data, one
        at, lift = ((0, 1), 3.7) if above else ((1, 1), -1.0)
        own = {"color": colours.words(one.tints[one.best]), "fontweight": "bold"}
        looks: list[dict[str, Any]] = [own, {"color": colours.ink}, {"color": colours.ink}]
        self.moving = [
            current.note(axes, "", at, (0 if above else 2.4, lift - 1.5 * n), **look)
            for n, look in enumerate(looks)
        ]

    def update(self, i: int) -> None:
        """Say it of a moment."""
        now, one = Fits.of(self.data, i), self.one
        both = now.constant & now.single
        # it was picked by the last moment
        which = "the clearest" if i == len(self.data["field_epoch"]) - 1 else "one"
        picked = f"{which} of the {int(both.sum()):,}" if both[one.neuron] else "one neuron"
        shares = one.shares(i)
        best = int(shares.argmax())
        name = groups.representation(str(self.data["representation"].values[best]))
        lines = (
            f"In colour: {picked}", STEPS[one.steps(i)].format(one.cosets),
            f"{percent(shares[best])} in one representation ({name})",
        )  # fmt: skip
        for text, line in zip(self.moving, lines, strict=True):
            text.set_text(line)
