"""Attention heads by what their circuits do: what they look for, and what they write of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any import _tensors as tensors

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

FEWER = 0.5
"""Circuits narrow where the median of their effective ranks comes down to this share."""

TURNS = 0.5
"""A sign from -1 to 1 changes where its median moves by at least this."""

NAMED = 7
"""So many heads have a colour and a name each; of more, each layer has a colour."""

TRAILS = 48
"""The ways of more heads than this would hide the heads."""

MEANING = "QK is where it looks, OV what it writes"

SIGNS = ("qk_positivity", "ov_positivity")
RANKS = ("qk_rank", "ov_rank")


@dataclass(frozen=True)
class Heads(Scene):
    """A line for each head: how many directions its circuits use; or a dot by their signs."""

    name = "heads"
    title = "Attention heads come to use few directions"
    watch = f"a line is a head, the thick one their median; {MEANING}"
    source = (
        "Elhage et al. (2021), https://transformer-circuits.pub/2021/framework, section on copying"
    )
    needs = (*SIGNS, *RANKS)
    reference = "modular-addition-59"
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 0.55

    show: Literal["directions", "signs"] = option(
        "directions", "how many directions the circuits use, or whether they look for and copy "
        "what is like the token or unlike it",
    )  # fmt: skip
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
        """How many directions the median head uses, or the sign of its circuits, first and last."""
        (qk, ov), numbers = (self._ends(data, name) for name in RANKS), {}
        for circuit, (first, last) in (("qk", qk), ("ov", ov)):
            numbers |= {f"{circuit}_first": first, f"{circuit}_last": last}
        words = (
            f"QK circuits go from {_short(qk[0])} directions to {_short(qk[1])}, "
            f"OV circuits from {_short(ov[0])} to {_short(ov[1])}"
        )
        watch = self.watch
        if self.show == "signs":
            (qk, ov), watch = (
                (self._ends(data, name) for name in SIGNS),
                f"a dot is a head; {MEANING}",
            )
            words = (
                f"QK's sign goes from {_signed(qk[0])} to {_signed(qk[1])}, "
                f"OV's from {_signed(ov[0])} to {_signed(ov[1])}"
            )
            if max(abs(last - first) for first, last in (qk, ov)) >= TURNS:
                return Claim(words, watch, numbers=numbers)
            return Claim.instead(words, watch, **numbers)
        if not (qk[1] <= FEWER * qk[0] or ov[1] <= FEWER * ov[0]):
            return Claim.instead(words, watch, **numbers)
        return Claim(words, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The QK circuits at the left, or above, and the OV circuits; or the plane of the signs."""
        places = self._places(data)
        names = [str(data["circuit_head"].values[p]) for p in places]
        colours = _colours(names)
        if self.show == "signs":
            plane = style().panels(figure, left=6.4, right=1.4, top=2.4, bottom=4.4)[0][0]
            _signs(plane)
            _legend(plane, names, colours)
            return _dots(plane, data, places, SIGNS, colours)
        left, right = style().beside(
            figure, (1, 1), (1, 1), left=4.6, right=1.8, top=2.6, gap=4.4, vgap=5.0
        )
        _legend(right, names, colours)
        top = 1.1 * max(float(np.nanmax(data[name].values[:, places])) for name in RANKS)
        return Drawing.of(
            *(
                self._ranks(axes, data, name, places, colours, top)
                for axes, name in zip((left, right), RANKS, strict=True)
            )
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

    def _ranks(
        self, axes: Axes, data: xr.Dataset, name: str, places: list[int], colours: list[Any],
        top: float,
    ) -> Drawing:  # fmt: skip
        """A thin line for each head, and their median with its numbers, first and last."""
        values, ink = data[name].values[:, places].astype(float), style().colours.ink
        epochs = data[self.clock].values.astype(float)
        known = np.isfinite(values).any(axis=1)
        median = np.full(len(epochs), np.nan)
        median[known] = np.nanmedian(values[known], axis=1)
        # a name that begins with an underscore is not written
        lines = {f"_{k}": (values[:, k], colour) for k, colour in enumerate(colours)}
        lines["_median"] = (median, ink)
        curves = {}
        for key, (y, colour) in lines.items():
            curve = panels.Curve.of(epochs, y, colour)
            curves[key] = curve.where(np.isfinite(curve.y))
        panel = panels.CurvePanel(
            axes, data, curves, ylabel="directions (effective rank)", ylim=(0, top),
            clock=self.clock, phases="none", end=float(epochs[-1]),
        )  # fmt: skip
        for key, trace in panel.traces.items():
            for line in trace.lines if key != "_median" else []:
                line.set_linewidth(0.5 * style().line)
        title = {"qk_rank": "QK circuits", "ov_rank": "OV circuits"}[name]
        style().note(axes, title, (0, 1), (0, 0.9), fontweight="bold")
        ends: list[tuple[int, Literal["left", "right"]]] = [
            (int(np.flatnonzero(known)[0]), "left"), (int(np.flatnonzero(known)[-1]), "right"),
        ]  # fmt: skip
        marks = [
            _marks.Mark(float(epochs[i]), float(median[i]), _short(float(median[i])), ink, side, 1)
            for i, side in ends
        ]
        marks = _marks.clear(axes, marks, panel.curves.values())
        return Drawing.of(panel.along(epochs), _marks.draw(axes, marks, epochs))

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
