"""The multiplication table as the network answers it, as it is listed and sorted by cosets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, grids, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

PURE = 0.95
"""Share of the answers in the coset of their block for the scene's own sentence."""

PALEST = 0.62
"""How much of its colour the last element of a coset has; the first has all."""


@dataclass(frozen=True)
class GroupTable(Scene):
    """Two tables of all answers: one in the order of the elements, one in that of cosets."""

    name = "group-table"
    title = "Sorted by cosets, the network's table falls into blocks"
    watch = "A cell is the network's answer to x times y; a colour is a coset"
    source = "arXiv:2312.06581"
    needs = ("answer", "product", "sorted_place", "sorted_size", "accuracy")
    recipe = "group-composition-S4"
    reference = "group-S4-0"
    clock = "field_epoch"
    aspect = 1.75
    narrow_aspect = 0.52

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
        """How many answers are in the coset of their block, or of their band."""
        table = _Table(data)
        share, at_first = table.share(-1), table.share(0)
        numbers = {"share": share, "first": at_first, "right": table.right(-1)}
        watch = f"{self.watch} of {table.size} elements" if table.size > 1 else self.watch
        if share >= PURE > at_first:
            return Claim(self.title if table.is_normal else
                         self.title.replace("blocks", "bands"), watch, numbers=numbers)  # fmt: skip
        part = "block" if table.is_normal else "band"
        sentence = f"{percent(share)} of the answers are in the coset of their {part} of the table"
        return Claim.instead(sentence, watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Both tables in the colours of the cosets."""
        table, narrow = _Table(data), style().narrow(figure)
        listed, by_coset = grids.square_axes(
            figure, 2, 1 if narrow else 2, table.order, left=1.0, right=1.0, top=1.9, bottom=0.6,
            gap=2.6, vgap=2.4,
        )  # fmt: skip
        blank = (table.order, table.order)
        images = [grids.heat(axes, blank) for axes in (listed, by_coset)]
        for axes in (listed, by_coset):
            axes.invert_yaxis()
        _divide(by_coset, table)
        notes: dict[str, Any] = {"fontweight": "bold", "color": style().colours.ink}
        style().note(listed, "as listed", (0, 1), (0, 0.55), **notes)
        style().note(by_coset, "sorted by cosets", (0, 1), (0, 0.55), **notes)
        now = style().note(by_coset, "", (1, 1), (0, 0.55), ha="right", color=style().colours.muted)

        def update(i: int) -> None:
            colours = table.colours[table.answers[i]]
            images[0].set_data(colours)
            images[1].set_data(colours[table.order_of][:, table.order_of])
            now.set_text(f"{percent(table.right(i))} right")

        return Drawing([*images, now], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of the table is right, and how much in the coset of its block."""
        table = _Table(data)
        part = "block" if table.is_normal else "band"
        at = int(np.searchsorted(data["epoch"].values, data["field_epoch"].values[i]))
        unseen = float(data["accuracy"].sel(split="test").values[at])
        of_unseen = "" if np.isnan(unseen) else f", {percent(unseen)} of those not trained on,"
        return (
            f"Two tables of the network's answers to all {table.order**2:,} products of two "
            f"elements, coloured by {table.order // table.size} cosets of {table.size} elements "
            f"each, as listed and sorted by coset. At {clocks.at(data, 'field_epoch', i)} "
            f"{percent(table.right(i))} of the answers are right{of_unseen} and "
            f"{percent(table.share(i))} in the coset of their {part}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        table = _Table(data)
        kind = "a normal subgroup" if table.is_normal else "a subgroup H"
        return (
            f"Rows are x, columns y. The colours are the {table.order // table.size} right cosets "
            f"of {kind} of {table.size} elements, its shades the elements of a coset. "
            f"After {self.source}."
        )


class _Table:
    """The answers of every moment, and how they are sorted and coloured."""

    def __init__(self, data: xr.Dataset) -> None:
        self.answers: Int[np.ndarray, "moment x y"] = data["answer"].values.astype(int)
        self.product: Int[np.ndarray, "x y"] = data["product"].values.astype(int)
        self.size = int(data["sorted_size"])
        places = data["sorted_place"].values.astype(int)
        self.order = len(places)
        self.order_of = np.argsort(places, kind="stable")
        self.coset = places // max(self.size, 1)
        blocks = self._parts(self.product)
        self.is_normal = bool((blocks == self._majority(blocks)).all())
        self.colours = _colours(places, self.size)

    def right(self, i: int) -> float:
        """Share of the answers that are right."""
        return float((self.answers[i] == self.product).mean())

    def share(self, i: int) -> float:
        """Share of the answers in the coset that the table itself has in their block, or band."""
        return float((self.coset[self.answers[i]] == self.coset[self.product]).mean())

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


def _colours(places: Int[np.ndarray, " element"], size: int) -> Float[np.ndarray, "element 3"]:
    """The colour of each element: its coset's, paler for later ones of the coset."""
    from matplotlib.colors import to_rgb

    current = style().colours
    coset, within = np.divmod(places, max(size, 1))
    every = sorted({*coset.tolist()})
    base = np.array([to_rgb(current.frequency(int(k), every)) for k in coset])
    strength = 1 - (1 - PALEST) * within / max(size - 1, 1)
    ground = np.array(to_rgb(current.background))
    mixed: Float[np.ndarray, "element 3"] = ground + (base - ground) * strength[:, None]
    return mixed


def _divide(axes: Axes, table: _Table) -> None:
    """Lines of the ground between cosets."""
    ground = style().colours.background
    for k in range(table.size, table.order, table.size):
        axes.axhline(k - 0.5, color=ground, lw=1.6 * style().line, zorder=3)
        if table.is_normal:
            axes.axvline(k - 0.5, color=ground, lw=1.6 * style().line, zorder=3)
