"""The same neurons twice: constant on the cosets of a subgroup, and in one representation."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import columns
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import percent
from grokviz.tasks.group_composition.formulas.cosets import MEMBER, are_members

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 0.5
"""Share of the neurons that fit both explanations above which most of them are said to."""

IN_ONE = 0.9
"""Share of a neuron's square in one representation above which it is said to be in it."""


@dataclass(frozen=True)
class CosetsOrRepresentations(Scene):
    """One neuron's weights by cosets and its shares by representation, and a count of all."""

    name = "cosets-or-representations"
    title = "Two rival explanations fit 74 of 128 neurons at the same time"
    watch = "One neuron tested against both explanations; below, how many of all neurons fit them"
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
        first, last = (_Fits.of(data, i) for i in (0, -1))
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
        return self._draw_rows(figure, data) if self.every else _draw_one(figure, data)

    def _draw_rows(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Both panels, whose rows are the same neurons in the same order."""
        stacked, room = style().stacks(figure), 10.0
        left, right = style().beside(
            figure, (1, 1), (1, 1), left=4.6 if stacked else 4.2, right=2.0, top=2.0, bottom=3.8,
            gap=room, vgap=4.4,
        )  # fmt: skip
        rows = _Rows(data)
        weights, shares = _image(left, rows.weights(-1)), _image(right, rows.shares(-1))
        bold: dict[str, Any] = {"fontweight": "bold", "color": style().colours.ink}
        heads = [style().note(axes, "", (0, 1), (0, 0.6), **bold) for axes in (left, right)]
        below: dict[str, Any] = {"color": style().colours.muted, "ha": "center"}
        sorted_by = f"the {data.sizes['x']} elements, sorted by cosets"
        style().note(left, sorted_by, (0.5, 0), (0, -1.4), **below)
        style().note(right, "shares of representations", (0.5, 0), (0, -1.4), **below)
        _key(right, data, rows)
        if stacked:
            blocks = [_Blocks(axes, rows, left=True, most=1) for axes in (left, right)]
        else:
            _bracket(left, rows, 1)
            blocks = [_Blocks(right, rows, left=False, room=room)]

        def update(i: int) -> None:
            now = _Fits.of(data, i)
            weights.set_data(rows.weights(i))
            shares.set_data(rows.shares(i))
            heads[0].set_text(f"{_count(now.cosets)} constant on cosets")
            heads[1].set_text(f"{_count(now.one)} in one representation")
            for block in blocks:
                block.update(now)

        def _count(share: float) -> str:
            return f"{round(share * rows.count):,} of {rows.count:,}"

        return Drawing([weights, shares, *heads, *(block.texts for block in blocks)], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How many neurons each explanation fits at that moment."""
        now = _Fits.of(data, i)
        what = f"Two panels of the same {data.sizes['neuron']:,} neurons, a row each"
        if not self.every:
            one = _One(data)
            steps = {
                "flat": "nearly constant", "uneven": "not constant",
                "counted": "by the published bound constant, though not flat,",
            }[one.steps(i)]  # fmt: skip
            what = (
                f"Bars of one neuron's weights by element, {steps} on its {one.cosets} cosets, "
                f"bars of its shares in the representations, the largest "
                f"{percent(one.shares(i).max())}, and one bar of all neurons, split by what fits"
            )
        return (
            f"{what}. At {clocks.at(data, 'field_epoch', i)} {percent(now.cosets)} of all are "
            f"constant on the cosets of a subgroup, from the left and from the right, "
            f"{percent(now.one)} in one representation, and {percent(now.both)} both. "
            f"With cosets of the other side {percent(now.other_side)} would be."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citations."""
        whose = "each" if self.every else "one"
        scale = "" if self.every else "Weights of every moment fill the panel. "
        which = "" if self.every else (
            "The neuron is, of those that fit both at the end, if any, the one most constant on "
            "few cosets. "
        )  # fmt: skip
        of_transformer = (
            json.loads(data.attrs.get("settings") or "{}").get("model") == "transformer"
        )
        average = " on average over y" if of_transformer else ""
        return (
            f"Left: what x gives {whose} neuron{average}, the elements sorted by the right cosets "
            "of the subgroup that fits it best at the end, and these by their means, from the "
            f"least to the most. {which}Constant: unbiased variances within the cosets, added up, "
            "are less "
            "than that of all elements, for x with right cosets and for y with left ones (Stander "
            "and others, arXiv:2312.06581). Right: the share of each representation in the same "
            "weights, less their mean; in one: nine tenths are in one, for x and for y (Chughtai "
            f"and others, arXiv:2302.03025). {scale}A name such as 3d is that of one of "
            "dimension 3."
        )


BINS = 120
"""Columns of the bars."""

GAP = 3
"""Rows left empty between two blocks of neurons."""

DIM = 0.38
"""How bright a neuron is that does not fit both explanations."""

BLOCKS = ("fit both", "only\nrepresentation", "only cosets", "neither")
"""What the neurons of each block fit in the end, from above."""


ROWS_WATCH = "A row is a neuron: steps are cosets, colours representations; bright if both fit"

EXAMPLE = 0.01
"""The variance within cosets below which one neuron is as good an example as another."""

FLAT = 0.1
"""Bars are flat on each coset where those of one differ by no more of what all differ by."""

STEPS = {
    "flat": "flat on each coset", "uneven": "not flat on each coset",
    "counted": "counts as constant on cosets",
}  # fmt: skip
"""What is said above a neuron's bars."""

COUNTED = {
    0: ("fit both", "both"), 2: ("only cosets", "only 1"),
    1: ("only a representation", "only 2"), 3: ("neither", "neither"),
}  # fmt: skip
"""The blocks from left to right along the bar of all neurons: their words, and short ones."""


@dataclass(frozen=True)
class _Fits:
    """The shares of the neurons that the explanations fit at one moment, from both sides."""

    constant: Bool[np.ndarray, " neuron"]
    single: Bool[np.ndarray, " neuron"]
    other_side: float

    @classmethod
    def of(cls, data: xr.Dataset, i: int) -> _Fits:
        constant = are_members(data["coset_ratio"].values[i].astype(float))
        single = (data["neuron_share"].values[i].max(axis=2) >= IN_ONE).all(axis=0)
        return cls(constant[0], single, float(constant[1].mean()))

    @property
    def cosets(self) -> float:
        """Share of those that are constant on cosets."""
        return float(self.constant.mean())

    @property
    def one(self) -> float:
        """Share of those in one representation."""
        return float(self.single.mean())

    @property
    def both(self) -> float:
        """Share of those that are both."""
        return float((self.constant & self.single).mean())

    @property
    def block(self) -> Int[np.ndarray, " neuron"]:
        """Which of :data:`BLOCKS` each neuron is of."""
        either = np.where(self.single, 1, np.where(self.constant, 2, 3))
        return np.where(self.constant & self.single, 0, either)


class _Rows:
    """The neurons in their order, each with its elements in the order of its cosets."""

    def __init__(self, data: xr.Dataset) -> None:
        from matplotlib.colors import to_rgb

        self.data = data
        share = data["neuron_share"].values[-1, 0]
        self.best: Int[np.ndarray, " neuron"] = share.argmax(axis=1)
        known = np.nan_to_num(data["coset_ratio"].values[-1, 0, 0], nan=np.inf)
        sizes = [len(np.unique(row)) for row in data["neuron_coset"].values]
        block = _Fits.of(data, -1).block
        # the clear ones of a representation first, by their number of cosets
        self.order = np.lexsort((known, sizes, known > MEMBER / 2, self.best, block))
        self.count = len(self.order)
        self.block: Int[np.ndarray, " row"] = block[self.order]
        self.place = np.arange(self.count) + GAP * np.cumsum(np.diff(self.block, prepend=0) > 0)
        self.elements = self._sorted_elements()
        learnt = range(data.sizes["representation"])
        current = style().colours
        tints = [current.rest] + [current.frequency(k, learnt[1:]) for k in learnt[1:]]
        self.tints = np.array([to_rgb(one) for one in tints])
        self.ground = np.array(to_rgb(current.background))

    def span(self, block: int) -> tuple[float, float] | None:
        """Lower and upper end of a block in shares of the height; None of one without neurons."""
        own = self.place[self.block == block]
        whole = self.place[-1] + 1
        return (1 - (own[-1] + 1) / whole, 1 - own[0] / whole) if len(own) else None

    def weights(self, i: int) -> Float[np.ndarray, "row x 3"]:
        """Each neuron's weights from its least to its most, in the colour of its representation."""
        values = self.data["neuron_weight"].values[i].astype(float)
        low = values.min(axis=1, keepdims=True)
        height = np.maximum(values.max(axis=1, keepdims=True) - low, 1e-30)
        level = np.take_along_axis((values - low) / height, self.elements, axis=1)[self.order]
        own = self.tints[self.best[self.order]][:, None] - self.ground
        return self._lit(i, own * (0.06 + 0.94 * level[..., None]))

    def shares(self, i: int) -> Float[np.ndarray, "row bin 3"]:
        """Each neuron's bar: as much of each colour as there is of the representation."""
        share = self.data["neuron_share"].values[i, 0].astype(float)[self.order]
        # its largest first, so that a bar is read from one side
        inner = np.argsort(-share[:, 1:], axis=1, kind="stable") + 1
        ends = np.cumsum(np.take_along_axis(share, inner, axis=1), axis=1)
        ends /= np.maximum(ends[:, -1:], 1e-30)
        middles = (np.arange(BINS) + 0.5) / BINS
        which = (middles[None, :, None] > ends[:, None, :]).sum(axis=2)
        tint = np.take_along_axis(inner, np.minimum(which, inner.shape[1] - 1), axis=1)
        return self._lit(i, self.tints[tint] - self.ground)

    def _lit(
        self, i: int, light: Float[np.ndarray, "neuron column 3"]
    ) -> Float[np.ndarray, "row column 3"]:
        """The rows on the background, bright where a neuron fits both at that moment."""
        bright = np.where(_Fits.of(self.data, i).block[self.order] == 0, 1.0, DIM)
        rows: Float[np.ndarray, "row column 3"] = np.zeros((self.place[-1] + 1, *light.shape[1:]))
        rows[self.place] = light * bright[:, None, None]
        return self.ground + rows

    def _sorted_elements(self) -> Int[np.ndarray, "neuron x"]:
        """The elements of each neuron by its cosets, these and their elements by final weights."""
        cosets, values = self.data["neuron_coset"].values, self.data["neuron_weight"].values[-1]
        out = np.empty(values.shape, dtype=int)
        for row, coset, weights in zip(out, cosets, values.astype(float), strict=True):
            inside = coset - coset.min()
            means = np.bincount(inside, weights) / np.bincount(inside)
            row[:] = np.lexsort((inside, np.round(means[inside], 6)))
        return out


class _One:
    """One neuron with clear cosets: the best of those that fit both, else of all with cosets."""

    def __init__(self, data: xr.Dataset) -> None:
        rows = _Rows(data)
        ratio = np.nan_to_num(data["coset_ratio"].values[-1, 0], nan=np.inf).max(axis=0)
        coset = data["neuron_coset"].values
        cosets = np.array([len(np.unique(row)) for row in coset])
        last = _Fits.of(data, -1)
        worse = np.where(last.constant & last.single, 0, 1) + 2 * (coset < 0).any(axis=1)
        step = np.maximum(np.round(ratio, 3), EXAMPLE)
        self.neuron = int(np.lexsort((cosets, step, worse))[0])
        self.data, self.cosets = data, int(cosets[self.neuron])
        self.elements = rows.elements[self.neuron]
        self.best, self.tints = int(rows.best[self.neuron]), [_hex(one) for one in rows.tints]
        inside = coset[self.neuron][self.elements]
        # a gap of one bar between two cosets
        self.places = np.arange(len(inside)) + np.cumsum(np.diff(inside, prepend=inside[0]) != 0)

    def weights(self, i: int) -> Float[np.ndarray, " x"]:
        """What each element gives it, in the order of its cosets."""
        values = self.data["neuron_weight"].values[i, self.neuron].astype(float)
        return np.nan_to_num(values[self.elements])

    def is_flat(self, i: int) -> bool:
        """Whether its bars are to be seen to be the same on each coset."""
        weights = self.weights(i)
        inside = self.data["neuron_coset"].values[self.neuron][self.elements]
        most = max(float(np.ptp(weights[inside == coset])) for coset in np.unique(inside))
        return bool(np.ptp(weights) > 0) and most <= FLAT * float(np.ptp(weights))

    def steps(self, i: int) -> str:
        """What it is on its cosets, as they are drawn, or by the published bound on any."""
        if self.is_flat(i):
            return "flat"
        return "counted" if bool(_Fits.of(self.data, i).constant[self.neuron]) else "uneven"

    def shares(self, i: int) -> Float[np.ndarray, " representation"]:
        """The share of each representation in it."""
        return np.nan_to_num(self.data["neuron_share"].values[i, 0, self.neuron].astype(float))


def _draw_one(figure: FigureBase, data: xr.Dataset) -> Drawing:
    """One neuron by its cosets and by its representations, and below a bar that counts all."""
    stacked, one, colours = style().stacks(figure), _One(data), style().colours
    wide, high = style().ems(figure)
    # below one another the names of representations are in the left margin
    room = 5.2 if stacked else 4.2
    left, right = style().beside(
        figure, (1.8, 1), (1.5, 1), left=room, right=5.0, top=2.0, bottom=8.2, gap=8.6, vgap=4.4
    )
    strip = figure.add_axes((room / wide, 2.4 / high, 1 - (room + 2) / wide, 1.7 / high))
    bold: dict[str, Any] = {"fontweight": "bold", "color": colours.ink}
    heads = [style().note(axes, "", (0, 1), (0, 0.6), **bold) for axes in (left, right)]
    parts = [_Steps(left, one), _Shares(right, one), _Count(strip, data, short=stacked)]

    def update(i: int) -> None:
        now = _Fits.of(data, i)
        many = "in one" if now.single[one.neuron] else "not in one"
        heads[0].set_text(f"1  {STEPS[one.steps(i)]}")
        heads[1].set_text(f"2  {many} representation")
        for part in parts:
            part.update(i)

    return Drawing([*heads, *(part.moving for part in parts)], update)


class _Steps:
    """A bar an element for what it gives the neuron, its cosets side by side."""

    def __init__(self, axes: Axes, one: _One) -> None:
        from matplotlib.collections import PolyCollection

        self.one = one
        low, high = _ends(one.weights(-1))
        axes.set(xlim=(-1, one.places[-1] + 1), ylim=(low, high))
        axes.set_axis_off()
        axes.axhline(0, color=style().colours.faint, lw=0.5 * style().line, zorder=1)
        self.bars = PolyCollection([], facecolors=one.tints[one.best], lw=0, zorder=2)
        axes.add_collection(self.bars, autolim=False)
        size = len(one.elements) // one.cosets
        words = f"the {len(one.elements)} elements, in {one.cosets} cosets: "
        words += f"a subgroup of {size}, shifted"
        if style().pixels(axes, style().small) * 0.48 * len(words) > 1.15 * axes.bbox.width:
            words = f"{one.cosets} cosets of {size} elements"
        style().note(axes, words, (0.5, 0), (0, -1.3), ha="center", color=style().colours.muted)
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


class _Shares:
    """A bar a representation for its share in the neuron, with the percentage."""

    def __init__(self, axes: Axes, one: _One) -> None:
        self.one = one
        names = one.data["representation"].values
        # the constant one has no share: weights are taken less their mean
        self.shown = list(range(1, len(names)))
        rows = np.arange(len(self.shown))
        self.bars = axes.barh(rows, 0.0 * rows, 0.62, color=[one.tints[k] for k in self.shown])
        axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
        axes.set_axis_off()
        axes.plot([0, 0], [-0.5, len(rows) - 0.5], color=style().colours.faint,
                  lw=0.5 * style().line)  # fmt: skip
        place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "va": "center"}
        for row, k in zip(rows, self.shown, strict=True):
            style().note(
                axes, _in_words(names[k]), (0, row), (-0.5, 0), ha="right", fontweight="bold",
                color=style().colours.words(one.tints[k]), **place,
            )  # fmt: skip
        self.texts = [style().note(axes, "", (0, row), (0.4, 0), **place) for row in rows]
        words = "representations: the group as matrices"
        style().note(axes, words, (0.5, 0), (0, -1.3), ha="center", color=style().colours.muted)
        self.moving = [*self.bars, *self.texts]

    def update(self, i: int) -> None:
        """Let the bars be as long as at a moment."""
        shares = self.one.shares(i)[self.shown]
        for bar, text, share in zip(self.bars, self.texts, shares.tolist(), strict=True):
            bar.set_width(share)
            text.xy = (share, text.xy[1])
            text.set_text(percent(share))


class _Count:
    """A bar of all neurons, split by which explanations fit them at a moment."""

    def __init__(self, axes: Axes, data: xr.Dataset, *, short: bool) -> None:
        current, colours = style(), style().colours
        self.data, self.short, count = data, short, data.sizes["neuron"]
        axes.set(xlim=(0, count), ylim=(0, 1))
        axes.set_axis_off()
        tones = (colours.ink, colours.muted, colours.faint, colours.rest)
        self.bars = axes.barh([0.5] * 4, [0] * 4, 1.0, color=tones, lw=0)
        head = f"all {count:,} neurons"
        bold = {"fontweight": "bold", "color": colours.ink}
        current.note(axes, head, (0, 1), (0, 0.5), **bold)
        self.em = count * current.pixels(axes, current.small) / axes.bbox.width
        self.texts = [
            current.note(
                axes, "", (0, 0), (0, -1.3), xycoords="data", ha="center",
                color=colours.muted if k else colours.ink, fontweight="normal" if k else "bold",
            )
            for k in COUNTED
        ]  # fmt: skip
        self.moving = [*self.bars, *self.texts]

    def update(self, i: int) -> None:
        """Count them at a moment."""
        block = _Fits.of(self.data, i).block
        counts = np.array([(block == k).sum() for k in COUNTED])
        starts = np.cumsum(counts) - counts
        words = [
            f"{n:,} {pair[self.short]}" for n, pair in zip(counts, COUNTED.values(), strict=True)
        ]
        wide = [self.em * (0.5 * len(one) + 1.2) for one in words]
        shown = [n for n in range(len(counts)) if counts[n]]
        places = dict(zip(shown, pushed_apart(
            [float(starts[n] + counts[n] / 2) for n in shown], [wide[n] for n in shown],
            0, float(counts.sum()),
        ), strict=True))  # fmt: skip
        for n, (bar, text) in enumerate(zip(self.bars, self.texts, strict=True)):
            bar.set_x(starts[n])
            bar.set_width(counts[n])
            text.set_text(words[n] if n in places else "")
            text.xy = (places.get(n, 0.0), 0)


class _Blocks:
    """How many neurons fit both explanations, one of them and none, beside their rows."""

    def __init__(
        self, axes: Axes, rows: _Rows, *, left: bool, room: float = 0.0, most: int = len(BLOCKS)
    ) -> None:
        # in the margin at the left there is no room for a line of two words
        self.between = "\n" if left else " "
        current = style()
        _bracket(axes, rows, 0)
        spans = {k: span for k in range(most) if (span := rows.span(k))}
        high = axes.get_window_extent().height
        line = 1.3 * current.pixels(axes, current.points) / high
        # from below, as places go up
        order = sorted(spans, reverse=True)
        wanted = [sum(spans[k]) / 2 for k in order]
        lines = [line * (1 + BLOCKS[k].count("\n")) for k in order]
        places = pushed_apart(wanted, lines, -1.5 * line if not left else 0, 1)
        ems = -0.9 if left else -room / 2 * current.points / current.small
        self.texts = {
            k: current.note(
                axes, "", (0, place), (ems, 0), va="center", ha="right" if left else "center",
                color=current.colours.ink if k == 0 else current.colours.muted, linespacing=1.1,
                fontweight="bold" if k == 0 else "normal",
                fontsize=current.points * (1.25 if k == 0 and not left else 0.94),
            )
            for k, place in zip(order, places, strict=True)
        }  # fmt: skip

    def update(self, now: _Fits) -> None:
        """Count them at a moment."""
        for k, text in self.texts.items():
            text.set_text(f"{int((now.block == k).sum()):,}{self.between}{BLOCKS[k]}")


def _image(axes: Axes, rows: Float[np.ndarray, "row column 3"]) -> Any:
    """An image of a row a neuron, without axes."""
    axes.set_axis_off()
    return axes.imshow(rows, aspect="auto", interpolation="nearest")


def _bracket(axes: Axes, rows: _Rows, side: int) -> None:
    """A bracket along the rows of the neurons that fit both, at the left (0) or the right (1)."""
    if (span := rows.span(0)) is None:
        return
    em = style().pixels(axes, style().points) / max(axes.get_window_extent().width, 1)
    out = 1 if side else -1
    near, far = side + 0.3 * out * em, side + 0.7 * out * em
    (low, high) = span
    axes.plot(
        [near, far, far, near], [low, low, high, high], color=style().colours.ink, clip_on=False,
        lw=0.6 * style().line, transform=axes.transAxes, solid_joinstyle="miter",
    )  # fmt: skip


def _key(axes: Axes, data: xr.Dataset, rows: _Rows) -> None:
    """The representations in their colours, below a panel."""
    shown = np.unique(rows.best)
    names = [_in_words(data["representation"].values[k]) for k in shown]
    for n, (k, name) in enumerate(zip(shown, names, strict=True)):
        style().note(
            axes, name, ((n + 0.5) / len(shown), 0), (0, -2.9), ha="center", fontweight="bold",
            color=style().colours.words(_hex(rows.tints[k])),
        )  # fmt: skip


def _in_words(representation: str) -> str:
    """A representation's name in words: 3-dim. a for 3d a."""
    return re.sub(r"^(\d+)d\b", r"\1-dim.", str(representation))


def _hex(colour: Float[np.ndarray, " 3"]) -> str:
    from matplotlib.colors import to_hex

    return str(to_hex(tuple(colour.tolist())))
