"""Attention heads by what their circuits do: what they look for, and what they write of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _tensors as tensors

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

FEWER = 0.5
"""Circuits narrow where the median of their effective ranks comes down to this share."""

NAMED = 7
"""So many heads have a colour and a name each; of more, each layer has a colour."""

TRAILS = 48
"""The ways of more heads than this would hide the heads."""

MEANING = "QK is where it looks, OV what it writes"

SIGNS = ("qk_positivity", "ov_positivity")
RANKS = ("qk_rank", "ov_rank")


@dataclass(frozen=True)
class Heads(Scene):
    """A dot for each head in two planes: the signs of its circuits, and their ranks."""

    name = "heads"
    title = "Attention heads come to use few directions"
    watch = f"a dot is a head, its line the way there; {MEANING}"
    source = (
        "Elhage et al. (2021), https://transformer-circuits.pub/2021/framework, section on copying"
    )
    needs = (*SIGNS, *RANKS)
    reference = "modular-addition-59"
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 0.55

    heads: str = option("*", "heads as layer.head, or patterns such as '1.*', with commas")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a head has circuits that are not 0 at two checkpoints."""
        super().check(data)
        if not (_known(data).sum(axis=0) > 1).any():
            raise InputError(
                f"{cls.name} draws what attention heads do from checkpoint to checkpoint, which "
                "takes two checkpoints with a head that is not 0; record or import more of them"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How many directions the circuits of the median head use, first and last."""
        (qk, ov), numbers = (self._ends(data, name) for name in RANKS), {}
        for circuit, (first, last) in (("qk", qk), ("ov", ov)):
            numbers |= {f"{circuit}_first": first, f"{circuit}_last": last}
        words = (
            f"The median QK circuit goes from {_short(qk[0])} directions to {_short(qk[1])}, "
            f"OV circuit from {_short(ov[0])} to {_short(ov[1])}"
        )
        # of very many heads there are no lines
        many = len(self._places(data)) > TRAILS
        watch = f"a dot is a head; {MEANING}" if many else self.watch
        if not (qk[1] <= FEWER * qk[0] or ov[1] <= FEWER * ov[0]):
            return Claim.instead(words, watch, **numbers)
        return Claim(words, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The plane of the signs at the left, or above, and that of the ranks."""
        places = self._places(data)
        left, right = style().beside(
            figure, (1, 1), (1, 1), left=6.4, right=1.4, top=2.4, gap=5.2, vgap=6.0, bottom=4.4
        )
        names = [str(name) for name in data["circuit_head"].values]
        colours = _colours([names[p] for p in places])
        _signs(left)
        _ranks(right, data, places)
        _legend(left, [names[p] for p in places], colours)
        return Drawing.of(
            _dots(left, data, places, SIGNS, colours), _dots(right, data, places, RANKS, colours)
        )

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the sentence is of its end."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The circuits of the heads at that moment."""
        names, told = data["circuit_head"].values, []
        for place in self._places(data)[:NAMED]:
            qk, ov, qk_rank, ov_rank = (
                float(data[name].values[i, place]) for name in (*SIGNS, *RANKS)
            )
            if np.isfinite([qk, ov, qk_rank, ov_rank]).all():
                told.append(
                    f"{names[place]} has QK {_signed(qk)} of rank {_short(qk_rank)} and OV "
                    f"{_signed(ov)} of rank {_short(ov_rank)}"
                )
        at = clocks.at(data, self.clock, i)
        return (
            "Attention heads by the positivity of the eigenvalues of their circuits, and by their "
            f"effective ranks. At {at} head {'; head '.join(told) or 'after head is 0'}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Each head at the sum of the eigenvalues of its circuit over the sum of their absolute "
            "values, and at the effective rank of the circuit (exponential of the entropy of its "
            "singular values as shares of their sum; Roy and Vetterli, 2007); QK circuits are "
            "$W_Q^T W_K$, OV circuits $W_O W_V$, without what normalises before them. "
            "After Elhage et al. (2021), "
            "https://transformer-circuits.pub/2021/framework/index.html."
        )

    def _places(self, data: xr.Dataset) -> list[int]:
        """The heads shown."""
        names = [str(name) for name in data["circuit_head"].values]
        places = [i for i, name in enumerate(names) if tensors.fits(name, self.heads)]
        if not places:
            raise InputError(
                f"heads={self.heads} is no head of this run; give a pattern that fits one of "
                f"{', '.join(names[:4])}, which are layer and head"
            )
        return places

    def _ends(self, data: xr.Dataset, name: str) -> tuple[float, float]:
        """The median of a measure of the heads shown, first and last."""
        values = data[name].values.astype(float)[:, self._places(data)]
        values = values[np.isfinite(values).any(axis=1)]
        if not len(values):
            return float("nan"), float("nan")
        return float(np.nanmedian(values[0])), float(np.nanmedian(values[-1]))


def _known(data: xr.Dataset) -> np.ndarray:
    """Whether each head has circuits that are not 0, at each checkpoint."""
    known: np.ndarray = np.isfinite([data[name].values for name in (*SIGNS, *RANKS)]).all(axis=0)
    return known


def _signs(axes: Axes) -> None:
    """The plane of the signs: what the ends of its axes mean is written there."""
    colours = style().colours
    axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xlabel="QK looks for …")
    axes.set_xticks([-1, 0, 1], ["what is\nunlike it", "0", "what is\nlike it"])
    axes.set_yticks([-1, 0, 1], ["the\nopposite", "0", "a copy"])
    axes.grid(visible=False)
    for line in (axes.axhline, axes.axvline):
        line(0, color=colours.faint, lw=0.4 * style().line, zorder=1)
    style().note(axes, "OV writes …", (0, 1), (-5.4, 0.9), color=colours.ink)


def _ranks(axes: Axes, data: xr.Dataset, places: list[int]) -> None:
    """The plane of the effective ranks, from 1."""
    from matplotlib.ticker import MaxNLocator

    top = 1.06 * max(float(np.nanmax(data[name].values[:, places])) for name in RANKS)
    axes.set(
        xlim=(0, top), ylim=(0, top), xlabel="directions that QK uses",
        ylabel="directions that OV uses",
    )  # fmt: skip
    axes.grid(visible=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, integer=True))


def _dots(
    axes: Axes, data: xr.Dataset, places: list[int], of: tuple[str, str], colours: list[Any]
) -> Drawing:
    """A dot for each head, and its way up to the moment."""
    from matplotlib.collections import LineCollection

    current_style = style()
    x, y = (data[name].values[:, places].astype(float) for name in of)
    known = _known(data)[:, places]
    ways = [np.column_stack([x[:, k], y[:, k]]) for k in range(len(places))]
    trailed = len(places) <= TRAILS
    thin = 0.5 * current_style.line
    if trailed and current_style.ghost:
        axes.add_collection(LineCollection(
            [way[known[:, k]] for k, way in enumerate(ways)], colors=colours, linewidths=thin,
            alpha=0.25, zorder=2,
        ))  # fmt: skip
    past = LineCollection([], colors=colours, linewidths=thin, alpha=0.7, zorder=3)
    axes.add_collection(past, autolim=False)
    size = (0.62 if len(places) <= NAMED else 0.4) * current_style.points
    dots = axes.scatter(
        [], [], s=size**2, lw=0.08 * current_style.points,
        edgecolors=current_style.colours.background, zorder=6, clip_on=False,
    )  # fmt: skip

    def update(i: int) -> None:
        there = [k for k in range(len(places)) if known[i, k]]
        dots.set_offsets(np.array([ways[k][i] for k in there]).reshape(-1, 2))
        dots.set_facecolors([colours[k] for k in there])
        if trailed:
            past.set_segments([way[: i + 1][known[: i + 1, k]] for k, way in enumerate(ways)])

    return Drawing([past, dots], update)


def _colours(names: list[str]) -> list[Any]:
    """A colour for each head; where they are many, for each layer."""
    palette = style().colours.frequencies
    if len(names) <= min(NAMED, len(palette)):
        return [palette[k] for k in range(len(names))]
    layers = [int(name.partition(".")[0]) for name in names]
    scale, last = colour_map("viridis"), max(*layers, 1)
    return [scale(0.1 + 0.8 * layer / last) for layer in layers]


def _legend(axes: Axes, names: list[str], colours: list[Any]) -> None:
    """The names of the heads in their colours, above; where they are many, of the layers."""
    current_style = style()
    layers = [name.partition(".")[0] for name in names]
    if len(names) <= NAMED:
        one_layer = len({*layers}) == 1
        words = [name.partition(".")[2] if one_layer else name for name in names]
        shown = [*zip(words, colours, strict=True)]
        what = "head" if one_layer else "layer.head"
    else:
        first = {layer: colours[layers.index(layer)] for layer in dict.fromkeys(layers)}
        every = [*first.items()]
        shown = every if len(every) <= NAMED else [every[0], every[len(every) // 2], every[-1]]
        what = "layer"
    at, muted = 0.0, current_style.colours.muted
    for word, colour in [*reversed(shown), (what, muted)]:
        # a layer's colour may be too light for letters
        bold = word != what and len(names) <= NAMED
        current_style.note(
            axes, word, (1, 1), (at, 0.9), color=colour if bold else muted, ha="right",
            fontweight="bold" if bold else "normal",
        )  # fmt: skip
        at -= 0.6 * len(word) + (0.8 if bold or word == what else 0.15)
        if word != what and not bold:
            current_style.note(axes, "\u25cf", (1, 1), (at, 0.9), color=colour, ha="right")
            at -= 1.5


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\u2212")
