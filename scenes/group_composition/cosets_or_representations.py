"""The same neurons twice: constant on the cosets of a subgroup, and in one representation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 0.5
"""Share of the neurons that fit both explanations above which most of them are said to."""

MEMBER = 1.0
"""The published bound on the variance within cosets, summed over them."""

IN_ONE = 0.9
"""Share of a neuron's square in one representation above which it is said to be in it."""


@dataclass(frozen=True)
class CosetsOrRepresentations(Scene):
    """A row a neuron: its weights sorted by its cosets, and its shares in the representations."""

    name = "cosets-or-representations"
    title = "Two rival explanations fit 74 of 128 neurons at the same time"
    watch = "A row is a neuron: steps are cosets, colours representations; it is bright if both fit"
    source = "arXiv:2302.03025; arXiv:2312.06581"
    needs = ("neuron_weight", "neuron_share", "neuron_coset", "coset_ratio")
    recipe = "group-composition-A5-small"
    reference = "group-A5-0"
    clock = "field_epoch"
    aspect = 1.7
    narrow_aspect = 0.9

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
        if last.both > MOST >= first.both:
            count = data.sizes["neuron"]
            sentence = (
                f"Two rival explanations fit {round(last.both * count):,} of {count:,} neurons at "
                "the same time"
            )
            return Claim(sentence, self.watch, sentence == self.title, numbers)
        sentence = (
            f"{_percent(last.cosets)} of the neurons are constant on cosets, "
            f"{_percent(last.one)} in one representation"
        )
        return Claim.instead(sentence, self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
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
        return (
            f"Two panels of the same {data.sizes['neuron']:,} neurons, a row each. At "
            f"{clocks.at(data, 'field_epoch', i)} {_percent(now.cosets)} of them are constant on "
            f"the cosets of a subgroup, from the left and from the right, {_percent(now.one)} in "
            f"one representation, and {_percent(now.both)} both. With cosets of the other side "
            f"{_percent(now.other_side)} would be."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citations."""
        return (
            "Left: what x gives each neuron, the elements sorted by the right cosets of the "
            "subgroup that fits it best at the end, and these by their means, from the least to "
            "the most. Constant: unbiased variances within the cosets, added up, are less than "
            "that of all elements, for x with right cosets and for y with left ones (Stander and "
            "others, arXiv:2312.06581). Right: the share of each representation in the same "
            "weights, less their mean; in one: nine tenths are in one, for x and for y (Chughtai "
            "and others, arXiv:2302.03025). A name such as 3d is that of one of dimension 3."
        )


BINS = 120
"""Columns of the bars."""

GAP = 3
"""Rows left empty between two blocks of neurons."""

DIM = 0.38
"""How bright a neuron is that does not fit both explanations."""

BLOCKS = ("fit both", "only\nrepresentation", "only cosets", "neither")
"""What the neurons of each block fit in the end, from above."""


@dataclass(frozen=True)
class _Fits:
    """The shares of the neurons that the explanations fit at one moment, from both sides."""

    constant: Bool[np.ndarray, " neuron"]
    single: Bool[np.ndarray, " neuron"]
    other_side: float

    @classmethod
    def of(cls, data: xr.Dataset, i: int) -> _Fits:
        ratio = np.nan_to_num(data["coset_ratio"].values[i], nan=np.inf)
        constant: Bool[np.ndarray, "cosets neuron"] = (ratio < MEMBER).all(axis=1)
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
    names = [re.sub(r"^(\d+)d\b", r"\1-dim.", str(data["representation"].values[k])) for k in shown]
    for n, (k, name) in enumerate(zip(shown, names, strict=True)):
        style().note(
            axes, name, ((n + 0.5) / len(shown), 0), (0, -2.9), ha="center", fontweight="bold",
            color=style().colours.words(_hex(rows.tints[k])),
        )  # fmt: skip


def _hex(colour: Float[np.ndarray, " 3"]) -> str:
    from matplotlib.colors import to_hex

    return str(to_hex(tuple(colour.tolist())))


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
