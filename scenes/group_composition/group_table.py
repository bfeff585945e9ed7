"""The multiplication table as the network answers it, as it is listed and sorted by cosets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, grids, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

PURE = 0.95
"""Share of the answers in the coset of their block above which the table is one of blocks."""

ALIKE, MORE = 1.5, 2.0
"""So many times as often as by chance a wrong answer is in the right coset, at most where the
table fills cell by cell, and at least where it does block by block."""

ENOUGH = 10
"""So many wrong answers say something of those that are in the right coset."""

DIM = 0.45
"""How much of its coset's colour a wrong answer in the right coset has."""

PALEST = 0.62
"""How much of its colour the last element of a coset has; the first has all."""

CELLS = "The network learns its table cell by cell, not block by block"
"""What is said of the table half-way through training."""

WRONG_WATCH = (
    "A cell is x times y, a colour a coset (a subgroup, shifted); grey: wrong, "
    "dim: only the coset right"
)
"""What to look at in the table half-way through training."""


@dataclass(frozen=True)
class GroupTable(Scene):
    """All answers in the order of the elements and in that of cosets; or sorted, half-way too."""

    name = "group-table"
    title = "Sorted by cosets, the network's own 576 answers fall into blocks"
    watch = "A cell is its answer to x times y; a colour is a coset, a shade one of its elements"
    source = "arXiv:2312.06581"
    needs = ("answer", "product", "sorted_place", "sorted_size", "accuracy")
    recipe = "group-composition-S4"
    reference = "group-S4-0"
    clock = "field_epoch"
    aspect = 1.75
    narrow_aspect = 0.52

    listed: bool = option(True, "the table as its elements are listed; off: sorted, half-way")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the group has subgroups by which to sort."""
        super().check(data)
        if int(data["sorted_size"]) == 0:
            raise InputError(
                f"{cls.name} sorts a table by cosets, and a group of {data.sizes['x']} elements, a "
                "prime number, has none; choose another group"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How many answers are in the coset of their block, and how many wrong ones half-way."""
        table = _Table(data)
        share, at_first = table.share(-1), table.share(0)
        wrong, inside = table.wrong(table.half)
        numbers = {"share": share, "first": at_first, "right": table.right(-1),
                   "wrong half-way": wrong, "in their coset": inside,
                   "by chance": wrong * table.chance}  # fmt: skip
        part = "block" if table.is_normal else "band"
        if self.listed:
            watch = self.watch.replace("its elements", f"its {table.size} elements")
        else:
            watch = WRONG_WATCH.replace("a subgroup", f"a subgroup of {table.size}")
        if not share >= PURE > at_first:
            sentence = f"{percent(share)} of the answers are in the coset of their {part}"
            return Claim.instead(f"{sentence} of the table", watch, **numbers)
        whose = f"the network's own {table.order**2:,}"
        if share < 1:
            whose = f"{percent(share)} of the network's"
        sentence = f"Sorted by cosets, {whose} answers fall into {part}s"
        if not self.listed and wrong >= ENOUGH:
            if inside <= ALIKE * table.chance * wrong:
                sentence = CELLS.replace("block", part)
            elif inside >= MORE * table.chance * wrong:
                sentence = f"The network learns its table {part} by {part} before cell by cell"
        return Claim(sentence, watch, sentence == self.title, numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Both tables in the colours of the cosets."""
        table, narrow = _Table(data), style().narrow(figure)
        axes = grids.square_axes(
            figure, 2, 1 if narrow else 2, table.order, left=1.8, right=1.0, top=1.9, bottom=1.7,
            gap=3.4, vgap=3.6,
        )  # fmt: skip
        images = [grids.heat(one, (table.order, table.order)) for one in axes]
        bold: dict[str, Any] = {"fontweight": "bold", "color": style().colours.ink}
        plain: dict[str, Any] = {"color": style().colours.muted}
        heads, counts = [], []
        for k, one in enumerate(axes):
            one.invert_yaxis()
            if k or not self.listed:
                _divide(one, table)
            heads.append(style().note(one, "", (0, 1), (0, 0.55), **bold))
            counts.append(style().note(one, "", (1, 1), (0, 0.55), ha="right", **plain))
            style().note(one, "second element y", (0.5, 0), (0, -1.3), ha="center", **plain)
            style().note(
                one, "first element x", (0, 0.5), (-0.9, 0), rotation=90, ha="center",
                va="center", **plain,
            )  # fmt: skip

        if self.listed:
            heads[0].set_text("as listed")
            heads[1].set_text("sorted by cosets")
            counts[1].set_text("" if narrow else f"a subgroup of {table.size}, shifted")

        def update(i: int) -> None:
            left = min(i, table.half)
            if self.listed:
                images[0].set_data(table.shaded(i))
                images[1].set_data(table.by_coset(table.shaded(i)))
                counts[0].set_text(table.learnt(i, short=narrow))
                return
            for k, moment in enumerate((left, i)):
                images[k].set_data(table.by_coset(table.corrected(moment)))
                heads[k].set_text(clocks.at(data, "field_epoch", moment))
                counts[k].set_text(table.count(moment, short=narrow))

        return Drawing([*images, *heads, *counts], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of the table is right, and how much in the coset of its block."""
        table = _Table(data)
        part = "block" if table.is_normal else "band"
        at = int(np.searchsorted(data["epoch"].values, data["field_epoch"].values[i]))
        unseen = float(data["accuracy"].sel(split="test").values[at])
        of_unseen = "" if np.isnan(unseen) else f", {percent(unseen)} of those not trained on,"
        wrong, inside = table.wrong(i)
        by_chance = f"{wrong * table.chance:.0f} would be by chance"
        of_wrong = f"; of {wrong:,} wrong ones {inside:,} are, and {by_chance}" if wrong else ""
        there = "as listed" if self.listed else (
            f"at {clocks.at(data, 'field_epoch', min(i, table.half))}"
        )  # fmt: skip
        return (
            f"Two tables of the network's answers to all {table.order**2:,} products of two "
            f"elements, coloured by {table.order // table.size} cosets of {table.size} elements "
            f"each: {there}, and sorted by coset. At {clocks.at(data, 'field_epoch', i)} "
            f"{percent(table.right(i))} of the answers are right{of_unseen} and "
            f"{percent(table.share(i))} in the coset of their {part}{of_wrong}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        table = _Table(data)
        kind = "a normal subgroup" if table.is_normal else "a subgroup H"
        half = "Its shades are the elements of a coset. " if self.listed else (
            "Left: the first moment at which the test accuracy, else that of all pairs, is half of "
            "its highest. "
        )  # fmt: skip
        return (
            f"Rows are x, columns y. The colours are the {table.order // table.size} right cosets "
            f"of {kind} of {table.size} elements. {half}By chance {percent(table.chance)} of wrong "
            f"answers are in the right coset. After {self.source}."
        )


class _Table:
    """The answers of every moment, and how they are sorted and coloured."""

    def __init__(self, data: xr.Dataset) -> None:
        self.data = data
        self.answers: Int[np.ndarray, "moment x y"] = data["answer"].values.astype(int)
        self.product: Int[np.ndarray, "x y"] = data["product"].values.astype(int)
        self.size = int(data["sorted_size"])
        places = data["sorted_place"].values.astype(int)
        self.order = len(places)
        self.order_of = np.argsort(places, kind="stable")
        self.coset = places // max(self.size, 1)
        blocks = self._parts(self.product)
        self.is_normal = bool((blocks == self._majority(blocks)).all())
        self.colours = _colours(self.coset)
        self.shades = _shades(self.colours, places, self.size)
        self.half = _half(data, [self.right(i) for i in range(len(self.answers))])
        # of all elements but the right one
        self.chance = (self.size - 1) / max(self.order - 1, 1)

    def right(self, i: int) -> float:
        """Share of the answers that are right."""
        return float((self.answers[i] == self.product).mean())

    def share(self, i: int) -> float:
        """Share of the answers in the coset that the table itself has in their block, or band."""
        return float((self.coset[self.answers[i]] == self.coset[self.product]).mean())

    def wrong(self, i: int) -> tuple[int, int]:
        """How many answers are wrong, and how many of these are in the right coset."""
        wrong = self.answers[i] != self.product
        inside = wrong & (self.coset[self.answers[i]] == self.coset[self.product])
        return int(wrong.sum()), int(inside.sum())

    def count(self, i: int, *, short: bool) -> str:
        """How many answers are wrong at a moment, in words."""
        wrong, inside = self.wrong(i)
        if not wrong:
            return "all right"
        return f"{wrong:,} wrong" + ("" if short else f", {inside:,} in the right coset")

    def learnt(self, i: int, *, short: bool) -> str:
        """How many answers are right at a moment, and how many were at first, in words."""
        now, first = (int((self.answers[k] == self.product).sum()) for k in (i, 0))
        every = self.order**2
        words = f"all {every:,} right" if now == every else f"{now:,} of {every:,} right"
        at_first = clocks.at(self.data, "field_epoch", 0)
        return words if short or not i else f"{words}, {first:,} at {at_first}"

    def shaded(self, i: int) -> Float[np.ndarray, "x y 3"]:
        """The colour of each answer, right or wrong: its coset's, in the shade of the element."""
        cells: Float[np.ndarray, "x y 3"] = self.shades[self.answers[i]]
        return cells

    def corrected(self, i: int) -> Float[np.ndarray, "x y 3"]:
        """The colour of each answer: its coset's, grey where it is wrong."""
        from matplotlib.colors import to_rgb

        answers = self.answers[i]
        grey = np.array(to_rgb(style().colours.rest))
        known = self.coset[answers] == self.coset[self.product]
        share = np.where(answers == self.product, 1.0, np.where(known, DIM, 0.0))[..., None]
        cells: Float[np.ndarray, "x y 3"] = grey + (self.colours[answers] - grey) * share
        return cells

    def by_coset(self, cells: Float[np.ndarray, "x y 3"]) -> Float[np.ndarray, "x y 3"]:
        """The rows and columns of a picture sorted by coset."""
        return cells[self.order_of][:, self.order_of]

    def _parts(self, table: Int[np.ndarray, "x y"]) -> Int[np.ndarray, "block cell"]:
        """The cosets of a table, a row for each block."""
        count = self.order // max(self.size, 1)
        by_coset = self.coset[table][self.order_of][:, self.order_of]
        parts = by_coset.reshape(count, -1, count, self.order // count).swapaxes(1, 2)
        cells: Int[np.ndarray, "block cell"] = parts.reshape(count**2, -1)
        return cells

    @staticmethod
    def _majority(blocks: Int[np.ndarray, "block cell"]) -> Int[np.ndarray, "block 1"]:
        return np.array([[np.bincount(row).argmax()] for row in blocks])


def _half(data: xr.Dataset, right: list[float]) -> int:
    """The first moment at which half as many unseen answers, else of all, are right as at most."""
    at = np.searchsorted(data["epoch"].values, data["field_epoch"].values)
    unseen = data["accuracy"].sel(split="test").values.astype(float)
    values = unseen[np.minimum(at, len(unseen) - 1)]
    values = np.asarray(right) if np.isnan(values).any() else values
    return int((values >= 0.5 * values.max()).argmax())


def _colours(coset: Int[np.ndarray, " element"]) -> Float[np.ndarray, "element 3"]:
    """The colour of each element's coset."""
    from matplotlib.colors import to_rgb

    every = sorted({*coset.tolist()})
    return np.array([to_rgb(style().colours.frequency(int(k), every)) for k in coset])


def _shades(
    colours: Float[np.ndarray, "element 3"], places: Int[np.ndarray, " element"], size: int
) -> Float[np.ndarray, "element 3"]:
    """The elements' colours, deeper in the page for later ones of a coset."""
    from matplotlib.colors import to_rgb

    ground = np.array(to_rgb(style().colours.background))
    strength = 1 - (1 - PALEST) * (places % max(size, 1)) / max(size - 1, 1)
    mixed: Float[np.ndarray, "element 3"] = ground + (colours - ground) * strength[:, None]
    return mixed


def _divide(axes: Axes, table: _Table) -> None:
    """Lines of the ground between cosets."""
    ground = style().colours.background
    for k in range(table.size, table.order, table.size):
        axes.axhline(k - 0.5, color=ground, lw=1.6 * style().line, zorder=3)
        if table.is_normal:
            axes.axvline(k - 0.5, color=ground, lw=1.6 * style().line, zorder=3)
