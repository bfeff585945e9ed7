"""The same neurons twice: constant on the cosets of a subgroup, and in one representation."""

from __future__ import annotations

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
    watch = "A row is a neuron; its blocks are cosets, and its colours representations"
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
        rows = _Rows(data)
        names = [str(name) for name in data["representation"].values]
        room = 1.2 + 0.5 * max(len(names[k]) for k in rows.best)
        left, right = style().beside(
            figure, (1, 1), (1, 1), left=max(4.2, room) if style().stacks(figure) else 4.2,
            right=2.0, top=1.9, bottom=1.9, gap=room, vgap=4.2,
        )  # fmt: skip
        weights = _image(left, (rows.count, data.sizes["x"]))
        shares = _image(right, (rows.count, BINS))
        count, narrow = rows.count, style().narrow(figure)
        bold: dict[str, Any] = {"fontweight": "bold", "color": style().colours.ink}
        style().note(left, "by cosets" if narrow else "weights, sorted by the neuron's cosets",
                     (0, 1), (0, 0.55), **bold)  # fmt: skip
        style().note(right, "by representation" if narrow else "shares of the representations",
                     (0, 1), (0, 0.55), **bold)  # fmt: skip
        muted: dict[str, Any] = {"ha": "right", "color": style().colours.muted}
        fits = [style().note(axes, "", (1, 0), (0, -1.5), **muted) for axes in (left, right)]
        _name(right, names, rows)

        def update(i: int) -> None:
            weights.set_data(rows.weights(i))
            shares.set_data(rows.shares(i))
            now = _Fits.of(data, i)
            fits[0].set_text(f"{round(now.cosets * count)} of {count} constant on cosets")
            fits[1].set_text(f"{round(now.one * count)} of {count} in one representation")

        return Drawing([weights, shares, *fits], update)

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


@dataclass(frozen=True)
class _Fits:
    """The shares of the neurons that the explanations fit at one moment, from both sides."""

    cosets: float
    one: float
    both: float
    other_side: float

    @classmethod
    def of(cls, data: xr.Dataset, i: int) -> _Fits:
        ratio = np.nan_to_num(data["coset_ratio"].values[i], nan=np.inf)
        constant: Bool[np.ndarray, "cosets neuron"] = (ratio < MEMBER).all(axis=1)
        one = (data["neuron_share"].values[i].max(axis=2) >= IN_ONE).all(axis=0)
        return cls(
            float(constant[0].mean()), float(one.mean()), float((constant[0] & one).mean()),
            float(constant[1].mean()),
        )  # fmt: skip


class _Rows:
    """The neurons in their order, each with its elements in the order of its cosets."""

    def __init__(self, data: xr.Dataset) -> None:
        from matplotlib.colors import to_rgb

        self.data = data
        share = data["neuron_share"].values[-1, 0]
        self.best: Int[np.ndarray, " neuron"] = share.argmax(axis=1)
        constant = data["coset_ratio"].values[-1, 0, 0]
        known = np.nan_to_num(constant, nan=np.inf)
        sizes = [len(np.unique(row)) for row in data["neuron_coset"].values]
        # the clear ones of a representation first, by their number of cosets
        self.order = np.lexsort((known, sizes, known > MEMBER / 2, self.best))
        self.count = len(self.order)
        self.elements = self._sorted_elements()
        names = data["representation"].values
        learnt = range(len(names))
        current = style().colours
        tints = [current.rest] + [current.frequency(k, learnt[1:]) for k in learnt[1:]]
        self.tints = np.array([to_rgb(one) for one in tints])
        self.ground = np.array(to_rgb(current.background))

    def weights(self, i: int) -> Float[np.ndarray, "neuron x 3"]:
        """Each neuron's weights from its least to its most, in the colour of its representation."""
        values = self.data["neuron_weight"].values[i].astype(float)
        low = values.min(axis=1, keepdims=True)
        height = np.maximum(values.max(axis=1, keepdims=True) - low, 1e-30)
        level = np.take_along_axis((values - low) / height, self.elements, axis=1)[self.order]
        own = self.tints[self.best[self.order]][:, None]
        mixed: Float[np.ndarray, "neuron x 3"] = self.ground + (own - self.ground) * (
            0.06 + 0.94 * level[..., None]
        )
        return mixed

    def shares(self, i: int) -> Float[np.ndarray, "neuron bin 3"]:
        """Each neuron's bar: as much of each colour as there is of the representation."""
        share = self.data["neuron_share"].values[i, 0].astype(float)[self.order]
        # its largest first, so that a bar is read from one side
        inner = np.argsort(-share[:, 1:], axis=1, kind="stable") + 1
        ends = np.cumsum(np.take_along_axis(share, inner, axis=1), axis=1)
        ends /= np.maximum(ends[:, -1:], 1e-30)
        middles = (np.arange(BINS) + 0.5) / BINS
        which = (middles[None, :, None] > ends[:, None, :]).sum(axis=2)
        bars: Float[np.ndarray, "neuron bin 3"] = self.tints[
            np.take_along_axis(inner, np.minimum(which, inner.shape[1] - 1), axis=1)
        ]
        return bars

    def _sorted_elements(self) -> Int[np.ndarray, "neuron x"]:
        """The elements of each neuron by its cosets, these and their elements by final weights."""
        cosets, values = self.data["neuron_coset"].values, self.data["neuron_weight"].values[-1]
        out = np.empty(values.shape, dtype=int)
        for row, coset, weights in zip(out, cosets, values.astype(float), strict=True):
            inside = coset - coset.min()
            means = np.bincount(inside, weights) / np.bincount(inside)
            row[:] = np.lexsort((inside, np.round(means[inside], 6)))
        return out


def _image(axes: Axes, shape: tuple[int, int]) -> Any:
    """An image of a row a neuron, without axes."""
    axes.set_axis_off()
    return axes.imshow(np.zeros((*shape, 3)), aspect="auto", interpolation="nearest")


def _name(axes: Axes, names: list[str], rows: _Rows) -> None:
    """The name of each representation beside the middle of its neurons."""
    best = rows.best[rows.order]
    shown = np.unique(best)
    middles = [float((np.flatnonzero(best == k).mean() + 0.5) / len(best)) for k in shown]
    line = 1.15 * style().pixels(axes, style().small) / axes.get_window_extent().height
    places = pushed_apart(middles, [line] * len(shown), 0, 1)
    for k, place in zip(shown, places, strict=True):
        style().note(
            axes, names[k], (0, 1 - place), (-0.5, 0), ha="right", va="center",
            fontweight="bold", color=style().colours.words(_hex(rows.tints[k])),
        )  # fmt: skip


def _hex(colour: Float[np.ndarray, " 3"]) -> str:
    from matplotlib.colors import to_hex

    return str(to_hex(tuple(colour.tolist())))


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
