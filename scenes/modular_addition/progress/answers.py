"""The network's own answers to all sums: what it was shown, then its mirrors, then all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _ridges
from grokviz.scenes.modular_addition import _answers, _claims
from grokviz.scenes.modular_addition._answers import MIRROR, NEITHER, SHOWN, Answers

from grokviz.scene import Claim, Drawing, Scene, grids, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome
from grokviz.scene.phases import horizon
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition.formulas.answers import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from jaxtyping import Float
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

NAMES = ("shown in training", "only b + a was shown", "neither was shown")
SHORT = ("shown", "mirrors", "the rest")
"""The groups of sums in words, and as they stand over their hills."""

MANY = 0.5
"""From this share of the mirrors on they are not some of them."""

BRIGHTER = 0.45
"""How far the colour of a mirror is from that of an unseen sum towards the ink's."""

GROUND = 0.6
"""How far a wrong cell is from the background towards the grid's colour."""

SMALLEST, GAP = 1.5, 1 / 6
"""Cells of so many points have gaps between them, of such a share of a cell."""

PATCH = 11
"""Cells on a side of what is magnified."""

WIDE = ((0.345, 0, 0.755, 1), (0.765, 0, 1, 1), (0.57, 0, 1, 1))
"""Where the table and its magnified patches stand, and the table where there are none."""

ROW, TIGHT, SLIM = 4.6, 2.5, 13.0
"""The least height of a group's count and hill, in small ems, and where there is little room;
where there are fewer ems across, the count stands below the name, without a hill."""

NAME = 2.0
"""How much of that its name and its count take."""

HEAD, FOOT = 0.2, 1.6
"""The heights of what stands above the counts and below them."""


@dataclass(frozen=True)
class AnswersScene(Scene):
    """All sums as cells: coloured where the answer is right, the more the surer."""

    name = "answers"
    title = "First the shown sums, then their mirrors, then the rest"
    watch = "A hill counts the sums answered right; in the table these are lit"
    source = "the split of arXiv:2301.05217, section 3; the table and the mirrors are ours"
    needs = (
        "answer_probability", "answer_right", "right_answers", "group_of_pair",
        "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    reference = "modular-addition-answers"
    aspect = 1.85
    narrow_aspect = 0.6
    ends_with_film = True

    def claim(self, data: xr.Dataset) -> Claim:
        """Whether the shown came first, then their mirrors, then the rest; else what is right."""
        answers, end = Answers.of(data), _claims.film_end(data)
        if not answers.known:
            sentence = f"{answers.every[end]:,} of {_sums(data):,} sums are answered right"
            return Claim.instead(f"{sentence} at {_claims.moment(data, end)}", self.watch)
        unseen, right = answers.unseen_sums, answers.unseen(end)
        share, at = right / max(unseen, 1), _answers.mirror_moment(data, answers)
        numbers = {"shown": float(answers.share(SHOWN)[end]), "unseen": share}
        if at is not None and outcome(data).learned and share >= _answers.LEARNED:
            numbers["mirrors"] = float(answers.right[at, MIRROR]) / answers.unseen(at)
            some = float(answers.share(MIRROR)[at]) < MANY
            title = self.title.replace("their", "some") if some else self.title
            return Claim(title, _answers.mirrors_known(data, answers, at), numbers=numbers)
        shown = f"{int(answers.right[end, SHOWN]):,} of {answers.sums[SHOWN]:,} sums it was shown"
        sentence = f"{shown} and {right:,} of {unseen:,} others are right"
        return Claim.instead(f"{sentence} at {_claims.moment(data, end)}", self.watch, **numbers)

    def index_of(self, data: xr.Dataset, wanted: str | int | None) -> int:
        """Of no moment asked for: where it knows the mirrors only, else as of other scenes."""
        at = _answers.mirror_moment(data, Answers.of(data)) if wanted is None else None
        return super().index_of(data, wanted) if at is None else at

    def stands(self, data: xr.Dataset) -> int | None:
        """Where it knows the mirrors only."""
        return _answers.mirror_moment(data, Answers.of(data))

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """How much of each group is right over epochs, and beside it the table of one moment."""
        below, cells = style().stacks(figure), data.sizes["residue"]
        example = None if below else _answers.example(data)
        share = (0, 0.4, 1, 1) if below else WIDE[0] if example else WIDE[2]
        room: grids.GridKeywords = {
            "left": 2.6, "right": 0.6, "top": 0.6, "bottom": 1.6, "share": share,
        }  # fmt: skip
        (axes,) = grids.square_axes(figure, 1, 1, cells, **room)
        patches = _patches(figure, cells) if example else []
        table = _Table(axes, data, patches)
        for patch in patches[1:]:
            style().note(patch, "coloured: answered right", (0, 0), (0, -1.2),
                         color=style().colours.muted)  # fmt: skip
        counts = _Counts(_beside(figure, axes, below=below), data, Answers.of(data))
        return Drawing.of(table, counts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How many sums of each group are right at that moment, and how sure it is of them."""
        answers, p = Answers.of(data), data.sizes["residue"]
        right = data["answer_right"].values[i] > 0
        sure = data["answer_probability"].values[i][right]
        parts = [
            f"{int(answers.right[i, group]):,} of the {answers.sums[group]:,} {NAMES[group]}"
            for group in (SHOWN, MIRROR, NEITHER)
            if answers.known and answers.sums[group]
        ]
        told = "; ".join(parts) or f"{answers.every[i]:,} of all {p * p:,} sums"
        mean = (
            f" Its mean probability of these answers is {percent(sure.mean())}."
            if sure.size
            else ""
        )
        return (
            f"A table of {p} by {p} cells, one for each sum a + b mod {p}. Right at "
            f"{clocks.at(data, 'epoch', i)}: {told}.{mean}{_known(data, answers, i)}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """What a cell and its colour are, and what a mirror is."""
        p, answers = data.sizes["residue"], Answers.of(data)
        at = _answers.mirror_moment(data, answers)
        return (
            f"A cell is a pair (a, b), a to the right and b upwards. It is blank where the largest "
            f"logit is not that of (a + b) mod {p}, else as full of its group's colour as the "
            f"softmax over the {p} numbers is of that answer. The mirror of (a, b) is (b, a). "
            "Where there is room, the cells around one such pair are magnified."
            f"{_known(data, answers, at)} "
            "Trained and split after Nanda et al. (2023), arXiv:2301.05217, section 3."
        )


def _known(data: xr.Dataset, answers: Answers, i: int | None) -> str:
    """What is known beyond memory at a moment, as a further sentence; nothing where it is more."""
    if i is None or not answers.mirrored[i]:
        return ""
    return f" {_answers.beyond_memory(data, answers, i)}."


class _Table:
    """The cells, and in the time of the mirrors the line in which they lie.

    A sum that is known by its mirror, and that mirror, are magnified on two axes, where given.
    """

    def __init__(self, axes: Axes, data: xr.Dataset, patches: Sequence[Axes] = ()) -> None:
        colours, p = style().colours, data.sizes["residue"]
        self.colours = _colours()
        self.ground = _mixed(colours.background, colours.grid, GROUND)
        self.group = data["group_of_pair"].values
        self.right = data["answer_right"].values > 0
        self.sure = data["answer_probability"].values
        self.mirrored = Answers.of(data).mirrored
        grids.heat(axes, (p, p)).remove()
        self.image = axes.imshow(
            np.zeros((p, p, 3)), origin="lower", aspect="auto", interpolation="nearest"
        )
        grids.name_inputs(axes, p - 1)
        self.example = _answers.example(data)
        self.line, self.rings, self.sums = _reflection(axes, p, None if patches else self.example)
        pair = [] if self.example is None else [self.example, self.example[::-1]]
        self.patches = [
            _Patch(axes, patch, (a, b), p, _named(a, b, self.group[a, b]))
            for patch, (a, b) in zip(patches, pair, strict=False)
        ]
        _gaps(axes, p)
        axes.set(xlim=(-0.5, p - 0.5), ylim=(-0.5, p - 0.5))

    @property
    def moving(self) -> list[Any]:
        patches = [patch.image for patch in self.patches]
        return [self.image, *patches, self.line, self.rings, *self.sums]

    def update(self, i: int) -> None:
        """Colour the cells of one moment."""
        light = np.where(self.right[i], np.nan_to_num(self.sure[i]), 0.0)[..., None]
        cells = self.ground + light * (self.colours[self.group] - self.ground)
        cells = np.clip(cells, 0, 1).transpose(1, 0, 2)
        self.image.set_data(cells)
        for patch in self.patches:
            patch.show(cells)
        for mark in (self.line, self.rings, *self.sums):
            mark.set_visible(bool(self.mirrored[i]))


class _Patch:
    """The cells around a sum, magnified, a frame around them in the table, and what the sum is."""

    def __init__(
        self, table: Axes, axes: Axes, at: tuple[int, int], p: int, words: tuple[str, Any]
    ) -> None:
        from matplotlib.patches import ConnectionPatch, Rectangle

        side, ink = min(PATCH, p), style().colours.ink
        self.low = [min(max(n - side // 2, 0), p - side) for n in at]
        self.side = side
        grids.heat(axes, (side, side)).remove()
        self.image = axes.imshow(
            np.zeros((side, side, 3)), origin="lower", aspect="auto", interpolation="nearest"
        )
        _gaps(axes, side)
        axes.set(xlim=(-0.5, side - 0.5), ylim=(-0.5, side - 0.5))
        thin: dict[str, Any] = {"fill": False, "edgecolor": ink, "lw": 0.5 * style().line}
        x, y = (n - 0.5 for n in self.low)
        table.add_patch(Rectangle((x, y), side, side, zorder=5, **thin))
        frame = Rectangle((-0.5, -0.5), side, side, clip_on=False, zorder=5, **thin)
        axes.add_patch(frame)
        own = [n - low - 0.5 for n, low in zip(at, self.low, strict=True)]
        axes.add_patch(Rectangle(
            (own[0], own[1]), 1, 1, zorder=6, **thin | {"lw": 1.2 * style().line}
        ))  # fmt: skip
        for up in (0, side):
            table.add_artist(ConnectionPatch(
                (x + side, y + up), (-0.5, up - 0.5), "data", "data", axesA=table, axesB=axes,
                color=ink, lw=0.25 * style().line, alpha=0.6, zorder=4,
            ))  # fmt: skip
        style().note(axes, words[0], (0, 1), (0, 0.4), color=words[1], fontweight="bold")

    def show(self, cells: np.ndarray) -> None:
        """Show the part of a table's cells."""
        a, b = self.low
        self.image.set_data(cells[b : b + self.side, a : a + self.side])


def _patches(figure: FigureBase, cells: int) -> list[Axes]:
    """Axes for a magnified patch and its mirror, one below the other at the right."""
    room: grids.GridKeywords = {
        "left": 0.6, "right": 1.0, "top": 1.9, "bottom": 1.6, "vgap": 2.6, "share": WIDE[1],
    }  # fmt: skip
    return grids.square_axes(figure, 2, 1, min(PATCH, cells), **room)


def _named(a: int, b: int, group: int) -> tuple[str, Any]:
    """What is said of a magnified sum, and its group's colour."""
    return f"{a} + {b}: {'shown' if group == SHOWN else 'unseen'}", _colours()[group]


class _Counts:
    """A count for each group, and a hill of how many are right over epochs."""

    def __init__(self, axes: Axes, data: xr.Dataset, answers: Answers) -> None:
        self.axes, self.answers = axes, answers
        groups = [g for g in (SHOWN, MIRROR, NEITHER) if answers.sums[g]]
        self.groups = groups or [UNKNOWN]
        self.sums = [int(answers.sums[g]) for g in groups] or [_sums(data)]
        current_style, count = style(), len(self.groups)
        self.em = current_style.pixels(axes, current_style.small) / axes.bbox.height
        self.slim = axes.bbox.width / axes.bbox.height / self.em < SLIM
        whole = (1 / self.em - HEAD - FOOT) / count
        self.high = whole if whole >= ROW and not self.slim else TIGHT
        self.epochs = data["epoch"].values.astype(float)
        self.end = max(float(horizon(data)), 1.0)
        self.numbers: list[Any] = []
        self.hills: list[_ridges.Ridge] = []
        for n, group in enumerate(self.groups):
            self._row(n, group)
        down = -(HEAD + self.high * count)
        if self.hills:
            for x, text in ((0, "epoch 0"), (1, f"{self.end:,.0f}")):
                current_style.note(
                    axes, text, (x, 1), (0, down - 0.2), va="top", ha="right" if x else "left",
                    color=current_style.colours.muted,
                )  # fmt: skip

    def _row(self, n: int, group: int) -> None:
        current_style, colours, em = style(), style().colours, self.em
        colour, down = _colours()[group], 1 - (HEAD + self.high * n) * em
        name = SHORT[group] if group != UNKNOWN else "all sums"
        current_style.note(self.axes, name, (0, down), (0, -1.0 if self.slim else -1.4))
        look: dict[str, Any] = {"fontweight": "bold", "color": colour}
        if self.slim:
            self.numbers.append(current_style.note(self.axes, "", (0, down), (0, -2.2), **look))
            return
        look |= {"ha": "right", "fontsize": 1.15 * current_style.points}
        self.numbers.append(current_style.note(self.axes, "", (1, down), (0, -1.4), **look))
        foot = down - (self.high - 0.2) * em
        share = self._right(group) / self.sums[n]
        self.axes.plot([0, 1], [foot, foot], color=colours.faint, lw=0.3 * current_style.line)
        self.hills.append(_ridges.Ridge(
            self.axes, self.epochs / self.end, -share * (self.high - NAME) * em, foot, colour
        ))  # fmt: skip

    def _right(self, group: int) -> np.ndarray:
        """How many sums of a group are right at each moment."""
        right: np.ndarray = self.answers.every if group == UNKNOWN else self.answers.right[:, group]
        return right

    @property
    def moving(self) -> list[Any]:
        return [*self.numbers, *(part for hill in self.hills for part in hill.moving)]

    def update(self, i: int) -> None:
        """The counts of one moment."""
        for n, group in enumerate(self.groups):
            self.numbers[n].set_text(f"{int(self._right(group)[i]):,} of {self.sums[n]:,}")
            if self.hills:
                self.hills[n].update(float(self.epochs[i] / self.end))


def _beside(figure: FigureBase, axes: Axes, *, below: bool) -> Axes:
    """Room for the counts: at the left of the table, or below it."""
    wide, high = style().ems(figure)
    box = axes.get_position()
    if below:
        place = (box.x0, 0.3 / high, box.width, max(box.y0 - 2.6 / high, 0.01))
    else:
        left = 4.2 / wide
        place = (left, box.y0, max(box.x0 - 5.0 / wide - left, 0.01), box.height)
    side = figure.add_axes(place)
    side.set(xlim=(0, 1), ylim=(0, 1))
    side.set_axis_off()
    return side


def _reflection(axes: Axes, p: int, example: tuple[int, int] | None) -> tuple[Any, Any, list[Any]]:
    """The line in which sums and their mirrors lie, and rings around one sum and its mirror."""
    current_style, ink = style(), style().colours.ink
    thin = 0.4 * current_style.line
    (line,) = axes.plot((-0.5, p - 0.5), (-0.5, p - 0.5), color=ink, lw=thin, zorder=3)
    a, b = example or (np.nan, np.nan)
    (rings,) = axes.plot(
        (a, b), (b, a), "o:", color=ink, lw=2 * thin, ms=0.75 * current_style.points, mfc="none",
        mew=0.45 * current_style.line, zorder=4,
    )  # fmt: skip
    sums = [
        current_style.label(axes, x, y, f"{x} + {y}", color=ink, lift=0.7, ha="center", zorder=5)
        for x, y in ([] if example is None else [(a, b), (b, a)])
    ]
    return line, rings, sums


def _gaps(axes: Axes, p: int) -> None:
    """A gap around each cell, where cells are large enough for one."""
    from matplotlib.collections import LineCollection

    cell = axes.bbox.width / p * 72 / axes.figure.get_figure(root=True).dpi
    if cell < SMALLEST:
        return
    at, end = np.arange(1, p) - 0.5, p - 0.5
    lines = [[(x, -0.5), (x, end)] for x in at] + [[(-0.5, y), (end, y)] for y in at]
    axes.add_collection(LineCollection(
        lines, colors=style().colours.background, linewidths=GAP * cell, zorder=2,
    ), autolim=False)  # fmt: skip


def _colours() -> Float[np.ndarray, "group rgb"]:
    """The colours of the groups, last that of sums of which it is not known."""
    colours = style().colours
    mirror = _mixed(colours.test, colours.ink, BRIGHTER)
    plain = [_mixed(c, c, 0) for c in (colours.train, colours.test, colours.ink)]
    return np.array([plain[0], mirror, plain[1], plain[2]])


def _mixed(one: str, other: str, share: float) -> Float[np.ndarray, " rgb"]:
    """A colour between two, as red, green and blue."""
    from matplotlib.colors import to_rgb

    mixed: Float[np.ndarray, " rgb"] = (1 - share) * np.array(to_rgb(one)) + share * np.array(
        to_rgb(other)
    )
    return mixed


def _sums(data: xr.Dataset) -> int:
    """How many sums there are."""
    return int(data.sizes["residue"] * data.sizes["residue_b"])
