"""Which neurons the explanations by cosets and by representations fit, and how one is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.scene import style
from grokviz.tasks.group_composition.formulas.cosets import MEMBER, are_members

if TYPE_CHECKING:
    import xarray as xr

IN_ONE = 0.9
"""Share of a neuron's square in one representation above which it is said to be in it."""

BINS = 120
"""Columns of the bars."""

GAP = 3
"""Rows left empty between two blocks of neurons."""

DIM = 0.38
"""How bright a neuron is that does not fit both explanations."""

EXAMPLE = 0.01
"""The variance within cosets below which one neuron is as good an example as another."""

FLAT = 0.1
"""Bars are flat on each coset where those of one differ by no more of what all differ by."""


@dataclass(frozen=True)
class Fits:
    """The shares of the neurons that the explanations fit at one moment, from both sides."""

    constant: Bool[np.ndarray, " neuron"]
    single: Bool[np.ndarray, " neuron"]
    other_side: float

    @classmethod
    def of(cls, data: xr.Dataset, i: int) -> Fits:
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
        """0 for those that fit both, 1 only a representation, 2 only cosets, 3 neither."""
        either = np.where(self.single, 1, np.where(self.constant, 2, 3))
        return np.where(self.constant & self.single, 0, either)


class Rows:
    """The neurons in their order, each with its elements in the order of its cosets."""

    def __init__(self, data: xr.Dataset) -> None:
        from matplotlib.colors import to_rgb

        self.data = data
        share = data["neuron_share"].values[-1, 0]
        self.best: Int[np.ndarray, " neuron"] = share.argmax(axis=1)
        known = np.nan_to_num(data["coset_ratio"].values[-1, 0, 0], nan=np.inf)
        sizes = [len(np.unique(row)) for row in data["neuron_coset"].values]
        block = Fits.of(data, -1).block
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
        bright = np.where(Fits.of(self.data, i).block[self.order] == 0, 1.0, DIM)
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


class One:
    """One neuron with clear cosets: the best of those that fit both, else of all with cosets."""

    def __init__(self, data: xr.Dataset) -> None:
        rows = Rows(data)
        ratio = np.nan_to_num(data["coset_ratio"].values[-1, 0], nan=np.inf).max(axis=0)
        coset = data["neuron_coset"].values
        cosets = np.array([len(np.unique(row)) for row in coset])
        last = Fits.of(data, -1)
        worse = np.where(last.constant & last.single, 0, 1) + 2 * (coset < 0).any(axis=1)
        step = np.maximum(np.round(ratio, 3), EXAMPLE)
        self.neuron = int(np.lexsort((cosets, step, worse))[0])
        self.data, self.cosets = data, int(cosets[self.neuron])
        self.elements = rows.elements[self.neuron]
        self.best, self.tints = int(rows.best[self.neuron]), [hex_of(one) for one in rows.tints]
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
        return "counted" if bool(Fits.of(self.data, i).constant[self.neuron]) else "uneven"

    def shares(self, i: int) -> Float[np.ndarray, " representation"]:
        """The share of each representation in it."""
        return np.nan_to_num(self.data["neuron_share"].values[i, 0, self.neuron].astype(float))


def hex_of(colour: Float[np.ndarray, " 3"]) -> str:
    from matplotlib.colors import to_hex

    return str(to_hex(tuple(colour.tolist())))
