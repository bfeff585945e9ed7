"""Singular values through training: which directions of a matrix rise out of the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._directions import (
    FEWER,
    LEFT,
    bright_ones,
    directions_left,
    known_values,
    rank_change,
    rank_ends,
    rising_in_turn,
)
from grokviz.scenes.any._spoken import counted, sentence, spoken
from grokviz.scenes.any._turns import LOSSES, rules_of, turns_of

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.options import whole
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import percent
from grokviz.scene.timeline import Turns

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SPAN = (1e-5, 1e-2)
"""A logarithmic axis of values begins between these shares of the largest, and"""

BELOW = 0.3
"""at this share of the largest that the others end with: they are seen to plunge to its foot."""

TIMES = 2.0
"""From here on it is said how many times as large as any other the one that stays is."""

IN_A_COLUMN = 4
"""So many matrices have room in a narrow column."""

IN_A_PANEL = 15
"""So many letters have names above the panels of a narrow column."""

RANKS = 9.5
"""Room for the rank beside the name of a matrix, in ems."""

THIN = 0.4
"""The others are at least so wide, in widths of a line: where many lie close they stay apart."""


@dataclass(frozen=True)
class Spectra(Scene):
    """All singular values of a matrix through training, those that stay in use the brightest."""

    name = "spectra"
    title = "A few directions outlive all others of a matrix"
    watch = "Each line: how much the matrix stretches one direction of its input"
    source = "arXiv:1810.01075; effective rank: Roy and Vetterli (EUSIPCO 2007)"
    needs = ("singular_value", "effective_rank")
    wishes = LOSSES
    reference = "modular-addition-59"
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 0.8

    tensors: str = option("*", "names of matrices, or patterns such as '*attn*', with commas")
    most: int = option(1, "at most so many matrices, those whose rank changes most", whole())
    time: Literal["auto", "log", "linear"] = option(
        "auto", "how epochs are spaced; auto is log where checkpoints lie ever farther apart"
    )

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a matrix has singular values at two checkpoints."""
        super().check(data)
        if data.sizes["field_epoch"] < 2 or not tensors.matrices(data):
            raise InputError(
                f"{cls.name} draws singular values from checkpoint to checkpoint, which takes two "
                "checkpoints with a matrix that is not 0; record or import more of them"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How many directions are left of the matrix whose effective rank falls the farthest."""
        place = self._foremost(data)
        ends = rank_ends(data["effective_rank"].values[:, place])
        if ends is None:
            return Claim.instead("No matrix is other than 0 at two checkpoints")
        (first, last), name = ends, spoken(tensors.names_of(data)[place])
        if last <= FEWER * first:
            left = directions_left(data, place)
            many = f"{sentence(counted(left))} direction{'s' * (left != 1)}"
            verb = "outlives" if left == 1 else "outlive"
            numbers = {"first": first, "last": last, "left": left}
            return Claim(f"{many} of {name} {verb} all others", self.watch, numbers=numbers)
        if rise := self._rise(data, place):
            return rise
        words = f"No matrix loses half of its directions; {name} keeps {last:.0f} of {first:.0f}"
        if last > first:
            words = f"No matrix loses directions; {name} has {last:.0f}, {first:.0f} at first"
        return Claim.instead(words, self.watch, first=first, last=last)

    def _rise(self, data: xr.Dataset, place: int) -> Claim | None:
        """That directions of a matrix rise at times of their own; None where they do not."""
        half = rising_in_turn(data, place)
        if not half.size:
            return None
        many, name = sentence(counted(len(half))), spoken(tensors.names_of(data)[place])
        numbers = {"directions": len(half), "early": half.min(), "late": half.max()}
        words = f"{many} directions of {name} rise one after another"
        return Claim(words, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A panel for each matrix; of one alone its directions have names, and turns are marked."""
        narrow = style().narrow(figure)
        places = self._places(data, narrow=narrow)
        moments = tensors.Moments.spaced(data["field_epoch"].values, self.time)
        if len(places) == 1:
            return self._alone(figure, data, places[0], moments)
        columns = min(2 if narrow else 3, len(places))
        names = tensors.names_of(data)
        shown = tensors.shorter(names, IN_A_PANEL) if narrow else names
        room = (style().ems(figure)[0] - 6.0) / columns - 3.4
        long = max(len(names[place]) for place in places)
        # a heading takes two lines where a panel is narrow, or a name is long
        above = narrow or 0.66 * long + RANKS > room
        grid = style().panels(
            figure, (1,) * columns, (1,) * math.ceil(len(places) / columns), left=4.8, right=1.8,
            top=3.1 if above else 2.0, bottom=3.2, gap=3.4, vgap=4.5 if above else 3.4,
        )  # fmt: skip
        flat = [axes for row in grid for axes in row]
        for axes in flat[len(places) :]:
            axes.remove()
        parts = []
        for n, (axes, place) in enumerate(zip(flat, places, strict=False)):
            moments.frame(axes, clocks.word(data) if n + columns >= len(places) else "")
            if n % columns == 0:
                axes.set_ylabel("singular value")
            parts.append(_strands(axes, data, place, moments))
            parts.append(_heading(axes, data, place, shown[place], above=above))
        return Drawing.of(*parts)

    def _alone(
        self, figure: FigureBase, data: xr.Dataset, place: int, moments: tensors.Moments
    ) -> Drawing:
        """One matrix, and when the run turned."""
        name, bright = tensors.names_of(data)[place], bright_ones(data, place)
        turns = turns_of(data, self.clock)
        rank = 0.0 if bright else 1.1
        (axes,), *_ = style().panels(
            figure, left=4.8, right=7.4 if bright else 2.0, bottom=3.2,
            top=1.0 + rank + 1.1 * bool(turns),
        )  # fmt: skip
        axes.set_label(name)
        moments.frame(axes, clocks.word(data))
        axes.set_ylabel("singular values (log scale)" if bright else "singular values")
        strands = _strands(axes, data, place, moments)
        if bright:
            _log(axes, data, place)
        lines = Turns(axes, data, self.clock, at=turns)
        if bright:
            return Drawing.of(strands, lines, _names(axes, data, place))
        return Drawing.of(strands, lines, _rank(axes, data, place, rank * bool(turns) + 0.45))

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the sentence is of its end."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The effective ranks at that moment."""
        names, ranks = tensors.names_of(data), data["effective_rank"].values
        told = [
            f"{names[place]} {ranks[i, place]:.1f}"
            for place in self._places(data)
            if np.isfinite(ranks[i, place])
        ]
        at = clocks.at(data, self.clock, i)
        return (
            "Singular values of matrices through training. The effective ranks at "
            f"{at}: {', '.join(told) or 'none, as all are 0'}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "The largest singular values of the matrix whose effective rank falls farthest, over "
            "training, or of several, each to its own scale. Effective rank: the exponential of "
            "the entropy of all singular values as shares of their sum (Roy and Vetterli, 2007); a "
            f"direction is left where its value ends above {percent(LEFT)} of the largest. A "
            "tensor with more than two dimensions is the matrix whose shorter side is longest. "
            "Compare Martin and Mahoney (2018), arXiv:1810.01075."
        ) + (rules_of(data, self.clock) if len(self._places(data)) == 1 else "")

    def _places(self, data: xr.Dataset, *, narrow: bool = False) -> list[int]:
        """The matrices shown, in the model's order: those whose rank changes the most."""
        able = self._able(data)
        most = min(self.most, IN_A_COLUMN) if narrow else self.most
        ranks = data["effective_rank"].values[:, able]
        change = np.array([abs(rank_change(ranks[:, k])) for k in range(len(able))])
        foremost = able.index(self._foremost(data))
        change[foremost] = np.inf
        strongest = sorted(np.argsort(-change, kind="stable")[:most])
        return [able[k] for k in strongest]

    def _able(self, data: xr.Dataset) -> list[int]:
        """The matrices that the option chooses; InputError where there are none."""
        able = tensors.matrices(data, self.tensors)
        if not able:
            raise InputError(
                f"tensors={self.tensors} is the name of no matrix of this run; give a pattern "
                f"that fits one of {', '.join(map(str, data['parameter'].values[:4]))}"
            )
        return able

    def _foremost(self, data: xr.Dataset) -> int:
        """The matrix of which the sentence speaks: that whose rank falls farthest, if it halves.

        Else that of which the most directions rise in turn, else that whose rank changes most.
        """
        able = self._able(data)
        ranks = data["effective_rank"].values[:, able]
        change = np.array([rank_change(ranks[:, k]) for k in range(len(able))])
        # where a share is the threshold, the ranks are compared as the sentence does
        if change.min() <= np.log(FEWER):
            return able[int(change.argmin())]
        rising = [len(rising_in_turn(data, place)) for place in able]
        if max(rising):
            return able[int(np.argmax(rising))]
        return able[int(np.abs(change).argmax())]


def _strands(axes: Axes, data: xr.Dataset, place: int, moments: tensors.Moments) -> Drawing:
    """A line for each singular value, up to the moment; the rest of it faint in stills."""
    from matplotlib.collections import LineCollection

    current_style = style()
    values = known_values(data, place)
    count = values.shape[1]
    scale = colour_map(current_style.colours.sequential)
    # the largest last, over the others
    order = np.arange(count)[::-1]
    shade = np.sqrt(order / max(count - 1, 1))
    left = bright_ones(data, place)
    colours: Any = [scale(one) for one in 0.92 - 0.6 * shade]
    if left:
        # where few stay, they alone have a colour, and the others stand back
        tints = current_style.colours
        colours = [scale(0.95) if k < left else tints.faint for k in order]
    width = current_style.line * np.where(order < left, 1.5, 0.85 - 0.45 * shade)
    if left:
        width = np.where(order < left, width, THIN * current_style.line)
    lines = [np.column_stack([moments.x, values[:, k]]) for k in order]
    if current_style.ghost:
        axes.add_collection(
            LineCollection(lines, colors=colours, linewidths=width, alpha=0.25, zorder=2)
        )
    past = LineCollection([], colors=colours, linewidths=width, zorder=3)
    axes.add_collection(past, autolim=False)
    # what a film begins with, when no line has a length yet
    heads = axes.scatter(
        np.full(count, np.nan), np.zeros(count), (0.4 * current_style.points) ** 2, c=colours,
        lw=0, zorder=6, clip_on=False, visible=not current_style.ghost,
    )  # fmt: skip
    axes.set_ylim(0, 1.06 * float(np.nanmax(values)) or 1.0)
    axes.yaxis.set_major_locator(_few())
    marker = panels.Marker.draw(axes)

    def update(i: int) -> None:
        gone = [line[: i + 1] for line in lines]
        past.set_segments(gone)
        heads.set_offsets([line[i] for line in lines])
        marker.update(float(moments.x[i]))

    return Drawing([past, heads, marker.line], update)


def _log(axes: Axes, data: xr.Dataset, place: int) -> None:
    """Space values logarithmically, down to where the others end: there they would be one line."""
    values, bright = known_values(data, place), bright_ones(data, place)
    top = float(np.nanmax(values))
    others = float(np.nanmax(_last(data, place)[bright:], initial=0))
    low, high = (share * top for share in SPAN)
    axes.set_yscale("log")
    axes.set_ylim(float(np.clip(BELOW * others, low, high)), 1.5 * top)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()


def _last(data: xr.Dataset, place: int) -> np.ndarray:
    """The singular values where they are known last, the largest first."""
    values = known_values(data, place)
    last: np.ndarray = values[np.isfinite(values).any(axis=1)][-1]
    return last


def _names(axes: Axes, data: xr.Dataset, place: int) -> Drawing:
    """What the bright lines are and the others, at the right, level with where they are now."""
    current_style, values, left = style(), known_values(data, place), bright_ones(data, place)
    colours = current_style.colours
    rest = values.shape[1] - left
    if not left or not rest:
        return Drawing()
    words = (
        f"{counted(left)} direction{'s' * (left != 1)}",
        f"the other {rest}" if rest != 1 else "the other",
    )
    tints = (colours.ink, colours.muted)
    texts = [
        current_style.note(
            axes, word, (1, 0), (0.5, 0), color=tint, fontweight="bold", va="center",
            linespacing=1.1,
        )
        for word, tint in zip(words, tints, strict=True)
    ]  # fmt: skip
    em = current_style.pixels(axes, current_style.small) / axes.bbox.height
    high = axes.transData + axes.transAxes.inverted()
    foot = axes.get_ylim()[0]

    def update(i: int) -> None:
        now = np.maximum(np.nan_to_num(values[i]), foot)
        level = [
            float(high.transform((1.0, float(np.median(some))))[1])
            for some in (now[left:], now[:left])
        ]
        one = f"{words[0]}{_times(values[i], left)}"
        texts[0].set_text(one)
        places = pushed_apart(level, [1.3 * em, 1.3 * em * (1 + one.count("\n"))], 0.2 * em, 1)
        for text, at in zip(texts, places[::-1], strict=True):
            text.xy = (1, at)

    return Drawing(texts, update)


def _times(now: np.ndarray, left: int) -> str:
    """How many times any other the one that stays is, below its name; "" where it is not much."""
    others = float(np.nanmax(now[left:], initial=0))
    if left != 1 or not now[0] >= TIMES * others > 0:
        return ""
    times = float(f"{now[0] / others:.2g}")
    return f",\n{times:,.0f} times\nany other" if times >= 10 else f",\n{times:g} times\nany other"


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3)


def _heading(axes: Axes, data: xr.Dataset, place: int, name: str, *, above: bool) -> Drawing:
    """The name, and how many directions it uses: below it, or at the right of its line."""
    axes.set_label(name)
    style().note(axes, name, (0, 1), (0, 1.55 if above else 0.45), fontweight="bold")
    return _rank(axes, data, place, 0.45, right=not above)


def _rank(axes: Axes, data: xr.Dataset, place: int, lift: float, *, right: bool = True) -> Drawing:
    """How many directions a matrix uses at the moment, so many ems above its panel."""
    ranks = data["effective_rank"].values[:, place]
    now = style().note(
        axes, "", (1 if right else 0, 1), (0, lift), ha="right" if right else "left",
        color=style().colours.muted,
    )  # fmt: skip

    def update(i: int) -> None:
        known = np.isfinite(ranks[i])
        now.set_text(f"effective rank {ranks[i]:.1f}" if known else "all 0")

    return Drawing([now], update)
