"""How much of their path the weights cover when."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._glow import Glow
from grokviz.scenes.any._spoken import spoken
from grokviz.scenes.any._turns import LOSSES, rules_of, turns_of

from grokviz.errors import InputError
from grokviz.media import typefaces
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import percent
from grokviz.scene.timeline import Turn

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

MOST = 6
"""So many parts of the model have a line with a name."""

EARLY = 0.25
"""Half of the path is covered early where it is before this share of the time."""

BEND = 40
"""Points of a strand between two levels."""


class _Mark(NamedTuple):
    """A strand that is told apart: its moment, what happens then, and its colour."""

    at: float
    name: str
    colour: str


@dataclass(frozen=True)
class Steps(Scene):
    """A strand for each checkpoint, from its place in time to its place on the path."""

    name = "steps"
    title = "The weights cover half of their path early in training"
    watch = (
        "Each strand leads from a moment, above, to the share of the path covered by then, below"
    )
    source = "thread: 'it is NOT a random walk'; arXiv:1712.09913, section 7"
    needs = ("step_size", "step_cosine", "step_whole_cosine", "start_distance")
    wishes = LOSSES
    reference = "modular-addition-59"
    clock = "step_epoch"
    aspect = 1.8
    narrow_aspect = 0.75

    tensors: str = option("*", "names of tensors, or patterns such as '*attn*', with commas")
    parts: bool = option(
        False, "the path of each part of the model below, as for tensors chosen by name"
    )

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the weights take two steps."""
        super().check(data)
        if not np.isfinite(whole_cosines(data)[0]).any():
            raise InputError(
                f"{cls.name} draws the steps of training and their turns, and the weights of this "
                "run take no two steps; record or import three checkpoints or more that differ"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """When half of the path is covered, as a share of the time."""
        half, share = _half(data)
        before, whole = whole_cosines(data)
        numbers = {
            "half": half, "share": share,
            "turn": float(np.degrees(np.arccos(np.nanmedian(before)))),
            "angle": _degrees(whole[np.isfinite(whole)][-1]),
        }  # fmt: skip
        if share <= EARLY:
            sentence = (
                f"The weights cover half of their path in the first {percent(share)} of training"
            )
            return Claim(sentence, self.watch, numbers=numbers)
        sentence = f"The weights take {percent(share)} of training for half of their path"
        return Claim.instead(sentence, self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Time above, the path of all weights below, and below that those of parts."""
        rows = tensors.rows_of(data, self.tensors, MOST)
        if not self.parts and self.tensors == "*":
            rows = tensors.Rows([], [])
        names = [spoken(name).removeprefix("the ") for name in rows.names]
        ways = [("all weights", _gone(data, None))] * bool(names)
        ways = ways or [("", _gone(data, None))]
        ways += [
            (name, _gone(data, members)) for name, members in zip(names, rows.members, strict=True)
        ]
        right = 0.6 * max(map(len, names), default=0) + (7.0 if names else 2.2)
        (axes,), *_ = style().panels(figure, left=4.2, right=right, top=3.4, bottom=3.4)
        return _strands(axes, data, ways, turns_of(data, self.clock))

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the whole path is that of all of it."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The step that ends at that moment."""
        speed, (last, whole) = _speed(data), whole_cosines(data)
        told = [f"{100 * _gone(data, None)[i]:.3g}% of the path is covered"]
        if np.isfinite(speed[i]):
            told.append(f"the weights move {speed[i]:.3g} per {clocks.word(data)}")
        for cosine, words in ((last, "the step before"), (whole, "the whole displacement")):
            if np.isfinite(cosine[i]):
                told.append(f"the cosine of their step with {words} is {cosine[i]:.2f}")
        at = clocks.at(data, self.clock, i)
        begin = "How much of their path all weights have covered at each moment"
        return f"{begin}. Up to {at} {', '.join(told)}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        word = clocks.word(data)
        spacing = f"{np.diff(data['step_epoch'].values[-2:])[0]:g} {word}s"
        return (
            "Strands: from each checkpoint's place in time, above, to the share of the path's "
            "length that is covered by then, below; marked, half of it. The length is the sum of "
            "the Euclidean lengths of the changes from checkpoint to checkpoint, so it depends on "
            f"their spacing, here {spacing} at the end. After the thread on Nanda et al. (2023), "
            "arXiv:2301.05217, and Li et al. (2018), arXiv:1712.09913."
        ) + rules_of(data, self.clock)


def _speed(data: xr.Dataset) -> np.ndarray:
    """Way of all weights per epoch; NaN at the first checkpoint."""
    squares = np.square(data["step_size"].values.astype(float)).sum(axis=1)
    spacing = np.concatenate([[1.0], np.diff(data["step_epoch"].values.astype(float))])
    speed: np.ndarray = np.sqrt(squares) / spacing
    return speed


def _gone(data: xr.Dataset, members: list[int] | None) -> np.ndarray:
    """The share of a path covered by each checkpoint: of all weights, or of some tensors."""
    sizes = np.nan_to_num(data["step_size"].values.astype(float))
    sizes = sizes if members is None else sizes[:, members]
    way = np.cumsum(np.sqrt(np.square(sizes).sum(axis=1)))
    share: np.ndarray = way / way[-1] if way[-1] > 0 else way
    return share


def _half(data: xr.Dataset) -> tuple[float, float]:
    """When half of the path of all weights is covered: the epoch, and its share of the time."""
    epochs, gone = data["step_epoch"].values.astype(float), _gone(data, None)
    after = int(np.searchsorted(gone, 0.5))
    part = (0.5 - gone[after - 1]) / (gone[after] - gone[after - 1])
    half = epochs[after - 1] + part * (epochs[after] - epochs[after - 1])
    return float(half), float((half - epochs[0]) / (epochs[-1] - epochs[0]))


def _strand(levels: np.ndarray) -> np.ndarray:
    """A smooth line (n, 2) that passes these places, each a level below the one before."""
    share = np.linspace(0, 1, BEND)
    ease = share * share * (3 - 2 * share)
    x = [a + (b - a) * ease for a, b in itertools.pairwise(levels)]
    y = [-n - share for n in range(len(levels) - 1)]
    return np.column_stack([np.concatenate(x), np.concatenate(y)])


def _strands(
    axes: Axes, data: xr.Dataset, ways: list[tuple[str, np.ndarray]], turns: list[Turn]
) -> Drawing:
    """Strands up to the moment, marked ones at half of the path and where the run turned."""
    from matplotlib.collections import LineCollection

    current_style, colours = style(), style().colours
    epochs = data["step_epoch"].values.astype(float)
    first, long = epochs[0], epochs[-1] - epochs[0]
    places = np.stack([epochs, *(first + long * gone for _, gone in ways)], axis=1)
    lines = [_strand(one) for one in places]
    axes.set(xlim=(epochs[0], epochs[-1]), ylim=(-len(ways), 0))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("share of the path's length", labelpad=1.8 * current_style.small)
    axes.grid(visible=False)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("top", "bottom"))
    for level in range(1, len(ways)):
        axes.axhline(-level, color=colours.faint, lw=0.3 * current_style.line, zorder=1)
    scale = colour_map(colours.sequential)
    tints = [scale(t) for t in np.linspace(0.45, 0.9, len(lines))]
    thin = 0.35 * current_style.line
    if current_style.ghost:
        axes.add_collection(LineCollection(lines, colors=tints, linewidths=thin, alpha=0.25))
    past = LineCollection([], colors=tints, linewidths=thin, zorder=3)
    axes.add_collection(past, autolim=False)
    half, share = _half(data)
    marked = [_Mark(half, f"{percent(share)} of training", colours.answer)]
    marked += [_Mark(float(turn.at), turn.name, turn.colour) for turn in turns]
    marks = _Marked(axes, data, ways, sorted(marked))
    _levels(axes, ways)
    (now,) = axes.plot([], [], color=colours.ink, lw=1.2 * current_style.line, zorder=7)

    def update(i: int) -> None:
        past.set_segments(lines[: i + 1])
        now.set_data(*lines[i].T)

    return Drawing.of(Drawing([past, now], update), marks)


class _Marked:
    """Strands that are told apart: their moments above, and what is covered by then below."""

    def __init__(
        self, axes: Axes, data: xr.Dataset, ways: list[tuple[str, np.ndarray]], marked: list[_Mark]
    ) -> None:
        self.epochs = data["step_epoch"].values.astype(float)
        first, long = self.epochs[0], self.epochs[-1] - self.epochs[0]
        self.strands: list[tuple[float, list[Any]]] = []
        feet = []
        for mark in marked:
            covered = [first + long * np.interp(mark.at, self.epochs, gone) for _, gone in ways]
            strand = _strand(np.array([mark.at, *covered]))
            self.strands.append((mark.at, _bright(axes, strand, mark.colour)))
            feet.append(float(covered[0]))
        colours = [style().colours.words(mark.colour) for mark in marked]
        heads = [mark.at for mark in marked]
        ends, words = (first, self.epochs[-1]), [clocks.spaced(round(at)) for at in heads]
        words[0] = f"{clocks.word(data)} {words[0]}"
        self.rows = [
            _Row(axes, heads, words, colours, (1, 0.45)),
            _Row(axes, heads, [mark.name for mark in marked], colours, (1, 1.6)),
        ]
        self.rows[0].end_with(ends, (clocks.spaced(first), clocks.spaced(self.epochs[-1])))
        # of parts, what is below is of the last one
        shares = [percent((foot - first) / long) for foot in feet] if len(ways) == 1 else []
        self.rows.append(_Row(axes, feet[: len(shares)], shares, colours, (0, -1.3)))
        self.rows[2].end_with(ends, ("0%", "100%"))

    @property
    def moving(self) -> list[Any]:
        """The strands with their texts."""
        return [parts for _, parts in self.strands] + [row.every for row in self.rows]

    def update(self, i: int) -> None:
        """Show those that have come; where the future is drawn, all."""
        seen = [style().ghost or bool(self.epochs[i] >= at) for at, _ in self.strands]
        for over, (_, parts) in zip(seen, self.strands, strict=True):
            for part in parts:
                part.set_visible(over)
        for row in self.rows:
            row.place(seen)


class _Row:
    """Texts in a row above the axes or below them, pushed apart; at its ends those of the axis."""

    def __init__(
        self,
        axes: Axes,
        at: list[float],
        words: list[str],
        colours: list[str],
        place: tuple[float, float],
    ) -> None:
        """``place`` is how high they are: a share of the axes, and ems beside it."""
        self.axes, self.at, self.height, self.lift = axes, at, *place
        look: dict[str, Any] = {"xycoords": axes.transAxes, "ha": "center", "fontweight": "bold"}
        self.texts = [
            style().note(axes, word, (0, self.height), (0, self.lift), color=colour, **look)
            for word, colour in zip(words, colours, strict=False)
        ]
        self.ends: list[tuple[float, Any]] = []

    @property
    def every(self) -> list[Any]:
        """All texts."""
        return [*self.texts, *(text for _, text in self.ends)]

    def end_with(self, at: tuple[float, float], words: tuple[str, str]) -> None:
        """Write these at the ends of the axis, where no other text stands."""
        self.ends = [
            (x, style().note(
                self.axes, word, (0, self.height), (0, self.lift), ha=side,
                color=style().colours.ink,
            ))
            for x, word, side in zip(at, words, ("left", "right"), strict=True)
        ]  # fmt: skip

    def place(self, seen: list[bool]) -> None:
        """Put them by the limits that the axes have now; ``seen`` is which of them are shown."""
        em = style().pixels(self.axes, style().small) / self.axes.bbox.width
        across = self.axes.transData + self.axes.transAxes.inverted()
        wanted, taken = [float(across.transform((x, 0))[0]) for x in self.at], []
        widths = [em * (typefaces.width(text.get_text()) + 0.9) for text in self.texts]
        centres = pushed_apart(wanted, widths, 0, 1 + em)
        for text, x, wide, shown in zip(self.texts, centres, widths, seen, strict=False):
            text.xy = (x, self.height)
            text.set_visible(shown)
            taken += [(x - wide / 2, x + wide / 2)] if shown else []
        for at, text in self.ends:
            x = float(across.transform((at, 0))[0])
            wide = em * (typefaces.width(text.get_text()) + 0.3)
            low, high = (x, x + wide) if text.get_ha() == "left" else (x - wide, x)
            text.xy = (x, self.height)
            text.set_visible(all(high <= a or b <= low for a, b in taken))


def _bright(axes: Axes, strand: np.ndarray, colour: str) -> list[Any]:
    """A strand of some colour; before the golden one a surface of what it parts off."""
    gold, width = style().colours.answer, 1.3 * style().line
    parts: list[Any] = axes.plot(*strand.T, color=colour, lw=width, zorder=5)
    if colour != gold:
        return parts
    glow = Glow(axes, [gold], width, zorder=4)
    glow.update([strand])
    surface = axes.fill_betweenx(
        strand[:, 1], axes.get_xlim()[0], strand[:, 0], color=gold, alpha=0.16, lw=0, zorder=2
    )
    return [*parts, *glow.moving, surface]


def _levels(axes: Axes, ways: list[tuple[str, np.ndarray]]) -> None:
    """At the right whose path each level is."""
    for level, (name, _) in enumerate(ways, 1):
        style().note(
            axes, name, (1, 1 - level / len(ways)), (0.6, 0), va="center",
            color=style().colours.muted,
        )  # fmt: skip


def _degrees(cosine: float) -> float:
    """The angle of a cosine, which may be past 1 by rounding."""
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def whole_cosines(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of the steps of all weights with the step before, and with the whole way; NaN where
    there is none.
    """
    size = data["step_size"].values.astype(float)
    way = data["start_distance"].values.astype(float)[-1]
    whole = np.sqrt(np.square(size).sum(axis=1))
    before = np.concatenate([[np.nan], whole[:-1]])
    # inner products of all weights are the sums of those of the tensors
    last = np.nan_to_num(data["step_cosine"].values.astype(float))[1:] * size[1:] * size[:-1]
    along = np.nan_to_num(data["step_whole_cosine"].values.astype(float)) * size * way
    turns = np.concatenate([[np.nan], np.nansum(last, axis=1)])
    return _ratio(turns, whole * before), _ratio(
        np.nansum(along, axis=1), whole * np.sqrt(np.square(way).sum())
    )


def _ratio(product: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    known = np.isfinite(product) & (lengths > 0)
    return np.clip(
        np.divide(product, lengths, out=np.full(len(lengths), np.nan), where=known), -1, 1
    )
