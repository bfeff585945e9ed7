"""Singular values through training: which directions of a matrix rise out of the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from jaxtyping import Float

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.options import whole
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

FEWER = 0.5
"""A matrix gives up directions where its effective rank comes down to this share of the first."""

RISES = 10.0
"""A direction rises out of a matrix whose singular value ends at so many times its first."""

SMALL = 0.1
"""A singular value is small up to this share of the largest."""

SEVERAL = 3
APART = 2.0
"""So many directions rise in turn where the last takes so many times as long as the first."""

IN_A_COLUMN = 4
"""So many matrices have room in a narrow column."""

IN_A_PANEL = 15
"""So many letters have names above the panels of a narrow column."""

RANKS = 10.5
"""Room for the ranks beside the name of a matrix, in ems."""


@dataclass(frozen=True)
class Spectra(Scene):
    """All singular values of some matrices through training, the largest the strongest."""

    name = "spectra"
    title = "A few directions rise out of each matrix, and the rest fade"
    watch = "lines: singular values, each panel to its scale; effective rank: how many count"
    source = "arXiv:1810.01075; effective rank: Roy and Vetterli (EUSIPCO 2007)"
    needs = ("singular_value", "effective_rank")
    reference = "modular-addition-59"
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 0.8

    tensors: str = option("*", "names of matrices, or patterns such as '*attn*', with commas")
    most: int = option(6, "at most so many matrices, those whose rank changes most", whole())
    time: Literal["log", "linear"] = option("log", "how epochs are spaced")

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
        """The matrix whose effective rank falls the farthest."""
        names, first, last = self._ranks(data)
        if not names:
            return Claim.instead("No matrix is other than 0 at two checkpoints")
        k = int(np.argmin(last / first))
        numbers = {"first": float(first[k]), "last": float(last[k])}
        if not last[k] <= FEWER * first[k]:
            if rise := self._rise(data):
                return rise
            k = int(np.argmax(np.abs(np.log(last / first))))
            return Claim.instead(
                f"No effective rank halves; that of {names[k]} goes from {first[k]:.1f} to "
                f"{last[k]:.1f}", self.watch, first=float(first[k]), last=float(last[k]),
            )  # fmt: skip
        return Claim(
            f"The effective rank of {names[k]} falls from {first[k]:.1f} to {last[k]:.1f}",
            self.watch, numbers=numbers,
        )  # fmt: skip

    def _rise(self, data: xr.Dataset) -> Claim | None:
        """The matrix of which the most directions rise at times of their own; None if none has."""
        clock, names, most = data["field_epoch"].values, tensors.names_of(data), None
        for place in self._places(data):
            half = half_risen(data["singular_value"].values[:, place].astype(float), clock)
            apart = len(half) >= SEVERAL and half.max() >= APART * half.min()
            if apart and (most is None or len(half) > len(most[1])):
                most = names[place], half
        if most is None:
            return None
        (name, half), word = most, clocks.word(data)
        early, late = float(half.min()), float(half.max())
        words = f"{len(half)} directions of {name} rise in turn, half way"
        sentence = f"{words} by {word}s {early:,.0f} to {late:,.0f}"
        numbers = {"directions": len(half), "early": early, "late": late}
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A panel for each matrix."""
        narrow = style().narrow(figure)
        places = self._places(data, narrow=narrow)
        columns = min(2 if narrow else 3, len(places))
        names = tensors.names_of(data)
        shown = tensors.shorter(names, IN_A_PANEL) if narrow else names
        room = (style().ems(figure)[0] - 6.0) / columns - 3.4
        long = max(len(names[place]) for place in places)
        # a heading takes two lines where a panel is narrow, or a name is long
        above = narrow or 0.66 * long + RANKS > room
        grid = style().panels(
            figure, (1,) * columns, (1,) * math.ceil(len(places) / columns), left=4.8, right=1.2,
            top=3.1 if above else 2.0, bottom=3.2, gap=3.4, vgap=4.5 if above else 3.4,
        )  # fmt: skip
        flat = [axes for row in grid for axes in row]
        for axes in flat[len(places) :]:
            axes.remove()
        moments = tensors.Moments.of(data["field_epoch"].values, log=self.time == "log")
        parts = []
        for n, (axes, place) in enumerate(zip(flat, places, strict=False)):
            moments.frame(axes, clocks.word(data) if n + columns >= len(places) else "")
            if n % columns == 0:
                axes.set_ylabel("singular value")
            parts.append(_strands(axes, data, place, moments))
            told = names[place] in self.claim(data).sentence.split()
            parts.append(_heading(axes, data, place, shown[place], above=above, told=told))
        return Drawing.of(*parts)

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
            "The largest singular values of each matrix over training, to its own scale; above, "
            "its effective rank: the exponential of the entropy of all its singular values as "
            "shares of their sum (Roy and Vetterli, 2007). A tensor with more than two dimensions "
            "is the matrix whose shorter side is longest. Compare Martin and Mahoney (2018), "
            "arXiv:1810.01075."
        )

    def _places(self, data: xr.Dataset, *, narrow: bool = False) -> list[int]:
        """The matrices shown, in the model's order: those whose rank changes the most."""
        able = tensors.matrices(data, self.tensors)
        if not able:
            raise InputError(
                f"tensors={self.tensors} is the name of no matrix of this run; give a pattern "
                f"that fits one of {', '.join(map(str, data['parameter'].values[:4]))}"
            )
        ranks = data["effective_rank"].values[:, able]
        change = np.array([_change(ranks[:, k]) for k in range(len(able))])
        most = min(self.most, IN_A_COLUMN) if narrow else self.most
        strongest = sorted(np.argsort(-change, kind="stable")[:most])
        return [able[k] for k in strongest]

    def _ranks(self, data: xr.Dataset) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Names, and first and last effective rank, of the matrices shown."""
        names, ranks = tensors.names_of(data), data["effective_rank"].values
        ends = {p: ranks[np.isfinite(ranks[:, p]), p] for p in self._places(data)}
        ends = {p: known for p, known in ends.items() if len(known) > 1}
        first = np.array([float(known[0]) for known in ends.values()])
        last = np.array([float(known[-1]) for known in ends.values()])
        return [names[p] for p in ends], first, last


def half_risen(
    values: Float[np.ndarray, "moment number"], clock: np.ndarray
) -> Float[np.ndarray, " riser"]:
    """When each singular value that rises is half way from its first to its last; the first time.

    A value rises that ends at :data:`RISES` times its first, and is not small beside the largest.
    """
    values = values[:, np.isfinite(values).all(axis=0)]
    if not values.size:
        return np.zeros(0)
    first, last = values[0], values[-1]
    rising = (last >= RISES * first) & (last >= SMALL * last.max())
    middle = (first + last) / 2
    past = (values >= middle)[:, rising].argmax(axis=0)
    return clock[past].astype(float)


def _change(ranks: np.ndarray) -> float:
    known = ranks[np.isfinite(ranks)]
    return float(abs(np.log(known[-1] / known[0]))) if len(known) > 1 else -1.0


def _strands(axes: Axes, data: xr.Dataset, place: int, moments: tensors.Moments) -> Drawing:
    """A line for each singular value, up to the moment; the rest of it faint in stills."""
    from matplotlib.collections import LineCollection

    current_style = style()
    values = data["singular_value"].values[:, place].astype(float)
    values = values[:, np.isfinite(values).any(axis=0)]
    count = values.shape[1]
    scale = colour_map(current_style.colours.sequential)
    # the largest last, over the others
    order = np.arange(count)[::-1]
    shade = np.sqrt(order / max(count - 1, 1))
    colours: Any = [scale(0.92 - 0.6 * one) for one in shade]
    width = current_style.line * (0.85 - 0.45 * shade)
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
        past.set_segments([line[: i + 1] for line in lines])
        heads.set_offsets([line[i] for line in lines])
        marker.update(float(moments.x[i]))

    return Drawing([past, heads, marker.line], update)


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3)


def _heading(
    axes: Axes, data: xr.Dataset, place: int, name: str, *, above: bool, told: bool
) -> Drawing:
    """The name, and how many directions it uses: below it, or at the right of its line.

    Of the matrix that the title tells of both are in colour.
    """
    current_style, ranks = style(), data["effective_rank"].values[:, place]
    told_colour = current_style.colours.frequencies[0]
    axes.set_label(name)
    current_style.note(axes, name, (0, 1), (0, 1.55 if above else 0.45), fontweight="bold",
                       color=told_colour if told else current_style.colours.ink)  # fmt: skip
    now = current_style.note(
        axes, "", (0 if above else 1, 1), (0, 0.45), ha="left" if above else "right",
        color=told_colour if told else current_style.colours.muted,
        fontweight="bold" if told else "normal",
    )  # fmt: skip

    first = int(np.isfinite(ranks).argmax())

    def update(i: int) -> None:
        if not np.isfinite(ranks[i]):
            now.set_text("all 0")
        elif i == first:
            now.set_text(f"rank {ranks[i]:.1f}")
        else:
            now.set_text(f"rank {ranks[first]:.1f} \u2192 {ranks[i]:.1f}")

    return Drawing([now], update)
