"""The entries of a matrix through training, its rows and columns in an order that shows a shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._spoken import sentence, spoken

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, grids, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

GATHERED = 1.5
"""A matrix gathers in two directions where their share of its squares grows by this factor."""

BRIGHTEST = 0.95
"""Entries beyond this quantile of all have the strongest colour."""

NEARLY_ALL = 0.9
"""A direction with this share of the squares is spoken of alone."""

NOISE = 0.1
"""No direction of a matrix of noise has more of its squares, unless it is a small one."""

SQUARE = 2.0
"""Cells are square unless one side has more than this many times the other's."""


@dataclass(frozen=True)
class Matrix(Scene):
    """A matrix at the first checkpoint and at the moment, a cell for each entry."""

    name = "matrix"
    title = "A matrix gathers in two directions, which show as bands"
    watch = "a cell is an entry; rows, and columns, that are alike at the end lie side by side"
    source = "order: Friendly (2002), doi.org/10.1198/000313002533, section 3"
    needs = ("matrix_entry", "matrix_size")
    reference = "modular-addition-59"
    clock = "watched_epoch"
    aspect = 1.9
    narrow_aspect = 0.52

    tensors: str = option("*", "name of a matrix, or a pattern such as '*W_in'")
    order: Literal["angle", "none"] = option(
        "angle", "rows and columns by their angle in the plane of the end, or as they are"
    )

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a matrix is not 0 at two checkpoints."""
        super().check(data)
        if not (np.isfinite(_shares(data)).sum(axis=0) > 1).any():
            raise InputError(
                f"{cls.name} draws a matrix from checkpoint to checkpoint, which takes two "
                "checkpoints of one that is not 0; record or import more of them"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """The share of few directions in the squares of the entries shown, first and last."""
        place = self._place(data)
        few, (first, last) = self._few(data, place)
        name = _name(data, place)
        watch = self.watch if self.order == "angle" else "a cell is an entry"
        entries = f"{tensors.owner(name)} squared entries"
        words = f"{few} {percent(last)} of {entries}, {percent(first)} at first"
        if not last >= GATHERED * first:
            return Claim.instead(words, watch, first=first, last=last)
        if few.startswith("One") and first <= NOISE:
            words = f"{sentence(spoken(name))} begins as noise and ends as one pattern"
        return Claim(words, watch, numbers={"first": first, "last": last})

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The matrix at the first checkpoint at the left, or above; at the moment beside it."""
        place = self._place(data)
        entries = _entries(data, place)
        known = np.flatnonzero(np.isfinite(entries).all(axis=(1, 2)))
        if self.order == "angle":
            rows, columns = angular_order(entries[known[-1]])
            entries = entries[:, rows][:, :, columns]
        top = float(np.quantile(np.abs(entries[known]), BRIGHTEST)) or 1.0
        left, right = style().beside(
            figure, (1, 1), (1, 1), left=2.6, right=1.4, top=2.4, bottom=4.2, gap=3.4, vgap=5.0
        )
        first, now = (_heat(axes, data, place, entries.shape[1:], top) for axes in (left, right))
        heads = [
            style().note(axes, "", (0, 1), (0, 0.6), color=style().colours.muted)
            for axes in (left, right)
        ]  # fmt: skip
        first.set_data(entries[known[0]])
        name, (count, shares) = _name(data, place), self._shown_shares(data, place)

        def head(i: int) -> str:
            words = f"{name}, {clocks.at(data, self.clock, i)}"
            held = f": {percent(shares[i])} in {count}" if np.isfinite(shares[i]) else ""
            return f"{words}{held}"

        heads[0].set_text(head(int(known[0])))
        grids.colour_bar(
            right, now, "entry", (f"\u2264\u2212{top:.2g}", f"\u2265{top:.2g}"), drop=2.2
        )

        def update(i: int) -> None:
            now.set_data(entries[i])
            heads[1].set_text(head(i))

        return Drawing([now, heads[1]], update)

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the order is that of its end."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The size of the entries at that moment, and the share of two directions."""
        place = self._place(data)
        entries, share = _entries(data, place)[i], _shares(data)[i, place]
        begin = f"{data['watched_matrix'].values[place]} as a heatmap, first and now"
        at = clocks.at(data, self.clock, i)
        if not np.isfinite(share):
            return f"{begin}. At {at} it is 0, or no number."
        return (
            f"{begin}. At {at} its entries go from {entries.min():.2g} to {entries.max():.2g}, and "
            f"two directions hold {percent(share)} of their squares."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        order = (
            "Rows and columns are in the order of their angles in the plane of the two first "
            "singular vectors at the end (after Friendly, 2002, "
            "https://doi.org/10.1198/000313002533, section 3), so that what these directions hold "
            "shows as bands; at the first checkpoint the order is the same. "
            if self.order == "angle"
            else "Rows and columns are in their own order (others: Friendly, 2002, "
            "https://doi.org/10.1198/000313002533). "
        )
        return (
            "Entries of the matrix, of a large one evenly spread rows and columns, all moments on "
            f"one scale of colours, whose ends take in the largest twentieth. {order}Two "
            "directions: share of the two largest squared singular values of what is drawn."
        )

    def _few(self, data: xr.Dataset, place: int) -> tuple[str, tuple[float, float]]:
        """One direction where it holds nearly all in the end, else two; their share at both."""
        ends = _ends(_shares(data, 1)[:, place])
        if ends[1] >= NEARLY_ALL:
            return "One direction ends with", ends
        return "Two directions end with", _ends(_shares(data)[:, place])

    def _shown_shares(self, data: xr.Dataset, place: int) -> tuple[str, np.ndarray]:
        """So many directions, of which the sentence speaks, and their share along the clock."""
        alone = self._few(data, place)[0].startswith("One")
        shares = _shares(data, 1 if alone else 2)[:, place]
        return "one direction" if alone else "two directions", shares

    def _place(self, data: xr.Dataset) -> int:
        """The matrix shown: of those that fit the one that gathers most in two directions."""
        names, shares = [str(name) for name in data["watched_matrix"].values], _shares(data)
        known = np.isfinite(shares).sum(axis=0) > 1
        able = tensors.choose(names, self.tensors, known, "the name of no matrix of this run")
        growth = [np.divide(*_ends(shares[:, i])[::-1]) for i in able]
        return able[int(np.argmax(growth))]


def angular_order(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows, and columns, by their angles in the plane of the two first singular vectors."""
    u, s, v = np.linalg.svd(matrix.astype(float), full_matrices=False)
    if len(s) < 2:
        return np.arange(matrix.shape[0]), np.arange(matrix.shape[1])
    rows, columns = (_round(side * s[:2]) for side in (u[:, :2], v[:2].T))
    return rows, columns


def _round(points: np.ndarray) -> np.ndarray:
    """Points by their angles, from the widest gap between two on."""
    angles = np.arctan2(points[:, 1], points[:, 0])
    order = np.argsort(angles, kind="stable")
    gaps = np.diff(angles[order], append=angles[order[0]] + 2 * np.pi)
    return np.roll(order, -1 - int(np.argmax(gaps)))


def _name(data: xr.Dataset, place: int) -> str:
    """What a matrix is called, in short."""
    return tensors.short_names([str(one) for one in data["watched_matrix"].values])[place]


def _entries(data: xr.Dataset, place: int) -> np.ndarray:
    """The entries of a matrix at all moments, without the places past its last row and column."""
    entries = data["matrix_entry"].values[:, place]
    rows, columns = (
        (np.arange(entries.shape[1 + k]) < size)
        for k, size in enumerate(data["matrix_size"].values[place])
    )
    seen: np.ndarray = entries[:, rows][:, :, columns]
    return seen


def _shares(data: xr.Dataset, most: int = 2) -> np.ndarray:
    """Shares of so many directions in the squares of each matrix, along the clock; NaN of zeros."""
    shares = np.full(data["matrix_entry"].shape[:2], np.nan)
    for place in range(shares.shape[1]):
        entries = _entries(data, place).astype(float)
        known = np.isfinite(entries).all(axis=(1, 2)) & entries.any(axis=(1, 2))
        squares = np.linalg.svd(entries[known], compute_uv=False) ** 2
        shares[known, place] = squares[:, :most].sum(axis=1) / squares.sum(axis=1)
    return shares


def _ends(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return float(known[0]), float(known[-1])


def _heat(axes: Axes, data: xr.Dataset, place: int, shape: tuple[int, ...], top: float) -> Any:
    """An image of so many rows and columns, the first row uppermost."""
    sizes = data["matrix_size"].values[place].astype(int)
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    words = [
        f"{shown} of {size:,} {side}" if shown < size else f"{size} {side}"
        for shown, size, side in zip(shape, sizes, ("rows", "columns"), strict=True)
    ]
    axes.set(ylabel=words[0], xlabel=words[1])
    if 1 / SQUARE <= shape[0] / shape[1] <= SQUARE:
        axes.set_box_aspect(shape[0] / shape[1])
    return axes.imshow(
        np.zeros(shape), aspect="auto", interpolation="nearest", vmin=-top, vmax=top,
        cmap=colour_map(style().colours.diverging),
    )  # fmt: skip
