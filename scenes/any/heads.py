"""Attention heads by what their circuits do: what they look for, and what they write of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._head_sketch import HeadSketch
from grokviz.scenes.any._spoken import counted

from grokviz.errors import InputError
from grokviz.media.theme import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart

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

APART = 2.0
"""Circuits come apart where one uses so many times as many directions as the other in the end."""

FEWEST = 1.5
"""An effective rank below this is one direction."""

SIGNS = ("qk_positivity", "ov_positivity")
RANKS = ("qk_rank", "ov_rank")


@dataclass(frozen=True)
class Heads(Scene):
    """A line for each head: how many directions its circuits use; or a dot by their signs."""

    name = "heads"
    title = "Attention heads come to use few directions"
    watch = "Directions by which a head looks (QK) and writes (OV); thick: the median head"
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
    time: Literal["auto", "log", "linear"] = option(
        "auto", "how epochs are spaced; auto is log where checkpoints lie ever farther apart"
    )

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
        if self.show == "signs":
            return self._turn(data)
        (qk, ov), numbers = (self._ends(data, name) for name in RANKS), {}
        for circuit, (first, last) in (("qk", qk), ("ov", ov)):
            numbers |= {f"{circuit}_first": first, f"{circuit}_last": last}
        looks, writes = qk[1] <= FEWER * qk[0], ov[1] <= FEWER * ov[0]
        if looks and ov[1] >= APART * qk[1]:
            words = f"Heads look along {_directions(qk[1])}, and still write along {_few(ov[1])}"
            if writes:
                words = (
                    f"Heads come to look along {_directions(qk[1])} and write along {_few(ov[1])}"
                )
        elif looks and writes:
            words = (
                f"Heads come to use few directions: {_few(qk[1])} to look, {_few(ov[1])} to write"
            )
        elif looks:
            words = f"Heads come to look along {_directions(qk[1])}"
        elif writes:
            words = f"Heads come to write along {_directions(ov[1])}"
        else:
            words = f"Heads keep more than half of their directions, {_few(qk[1])} to look"
            return Claim.instead(words, self.watch, **numbers)
        return Claim(words, self.watch, numbers=numbers)

    def _turn(self, data: xr.Dataset) -> Claim:
        """Which sign of the circuits has moved the farthest."""
        numbers, watch = {}, "Each dot is a head, with its way up to the moment behind it"
        ends = {name: self._ends(data, name) for name in SIGNS}
        for name, (first, last) in ends.items():
            numbers |= {f"{name}_first": first, f"{name}_last": last}
        name = max(ends, key=lambda one: abs(ends[one][1] - ends[one][0]))
        first, last = ends[name]
        verb = {"qk_positivity": "look for", "ov_positivity": "write"}[name]
        if not abs(last - first) >= TURNS:
            return Claim.instead("Heads neither turn nor come to copy", watch, **numbers)
        what = {
            "qk_positivity": ("what is like the token", "what is unlike the token"),
            "ov_positivity": ("a copy of what they see", "the opposite of what they see"),
        }[name][last < first]
        return Claim(f"Heads come to {verb} {what}", watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Both circuits on one clock; or the plane of the signs."""
        places = self._places(data)
        if self.show == "signs":
            names = [str(data["circuit_head"].values[p]) for p in places]
            colours = _colours(names)
            plane = style().panels(figure, left=6.4, right=1.4, top=2.4, bottom=4.4)[0][0]
            _signs(plane)
            _legend(plane, names, colours)
            return _dots(plane, data, places, SIGNS, colours)
        (axes,), *_ = style().panels(figure, left=4.6, right=8.6, top=1.0, bottom=3.3)
        return self._ranks(axes, data, places)

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
            "Directions in use: the effective rank (exponential of the entropy of the singular "
            "values as shares of their sum; Roy and Vetterli, 2007) of each head's QK circuit "
            "$W_Q^T W_K$, by which it looks, and of its OV circuit $W_O W_V$, by which it writes, "
            "without what normalises before them; thick: the medians. Signs: the sum of the "
            "circuit's eigenvalues over the sum of their absolute values. "
            "After Elhage et al. (2021), "
            "https://transformer-circuits.pub/2021/framework/index.html."
        )

    def _ranks(self, axes: Axes, data: xr.Dataset, places: list[int]) -> Drawing:
        """A thin line for each head and circuit, and the median of each with its name."""
        current_style, colours = style(), style().colours
        moments = tensors.Moments.spaced(data[self.clock].values, self.time)
        values = {name: data[name].values[:, places].astype(float) for name in RANKS}
        moments.frame(axes, clocks.word(data))
        highest = max(float(np.nanmax(one)) for one in values.values())
        axes.set(ylim=(0, 1.06 * highest), ylabel="directions in use (effective rank)")
        axes.locator_params(axis="y", nbins=4)
        tints = dict(zip(RANKS, colours.frequencies[1:3], strict=True))
        parts = [_bundle(axes, moments, values[name], tints[name]) for name in RANKS]
        marker = panels.Marker.draw(axes)
        time = Drawing([marker.line], lambda i: marker.update(float(moments.x[i])))
        sketch = None if style().narrow(axes.figure) else HeadSketch(axes, tints)
        medians = {name: _median(one) for name, one in values.items()}
        words = dict(zip(RANKS, ("to look", "to write"), strict=True))
        texts = {
            name: current_style.note(
                axes, "", (1, 0), (0.6, 0), color=tints[name], fontweight="bold", va="center",
                linespacing=1.05,
            )
            for name in RANKS
        }  # fmt: skip
        em = current_style.pixels(axes, current_style.small) / axes.bbox.height

        def update(i: int) -> None:
            now = {name: float(np.nan_to_num(medians[name][i])) for name in RANKS}
            order = sorted(RANKS, key=now.__getitem__)
            level = [now[name] / axes.get_ylim()[1] for name in order]
            for name, at in zip(
                order, pushed_apart(level, [1.5 * em] * 2, 0.3 * em, 1), strict=True
            ):
                known = np.isfinite(medians[name][i])
                texts[name].set_text(f"{_short(now[name])} {words[name]}" if known else "")
                texts[name].xy = (1, at)
            if sketch is not None:
                sketch.update(now, sorted(texts[name].xy[1] for name in RANKS))

        moving = [*texts.values(), *([] if sketch is None else sketch.moving)]
        return Drawing.of(*parts, time, Drawing(moving, update))

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


def _median(values: np.ndarray) -> np.ndarray:
    """The median of the heads at each moment; NaN where none is known."""
    known = np.isfinite(values).any(axis=1)
    median = np.full(len(values), np.nan)
    median[known] = np.nanmedian(values[known], axis=1)
    return median


def _bundle(axes: Axes, moments: tensors.Moments, values: np.ndarray, tint: Any) -> Drawing:
    """A thin line for each head and a thick one for their median, up to the moment."""
    from matplotlib.collections import LineCollection

    current_style = style()
    median = np.column_stack([moments.x, _median(values)])
    lines = [np.column_stack([moments.x, one]) for one in values.T]
    opacity = 0.55 if len(lines) <= TRAILS else 0.18
    thin = 0.45 * current_style.line
    if current_style.ghost:
        axes.add_collection(
            LineCollection([*lines, median], colors=tint, linewidths=thin, alpha=0.2, zorder=2)
        )
    past = LineCollection([], colors=tint, linewidths=thin, alpha=opacity, zorder=3)
    middle = LineCollection([], colors=tint, linewidths=1.4 * current_style.line, zorder=4)
    for some in (past, middle):
        axes.add_collection(some, autolim=False)
    # where a film begins, no line has a length yet: a dotted level leads on from each median
    (level,) = axes.plot(
        [], [], color=tint, lw=0.4 * current_style.line, ls=(0, (1, 3)), zorder=1.5
    )
    (head,) = axes.plot(
        [], [], "o", color=tint, ms=0.45 * current_style.points, mew=0, zorder=5, clip_on=False
    )

    def update(i: int) -> None:
        past.set_segments([line[: i + 1] for line in lines])
        middle.set_segments([median[: i + 1]])
        head.set_data(*median[i : i + 1].T)
        if not current_style.ghost:
            level.set_data([moments.x[i], moments.right], [median[i, 1]] * 2)

    return Drawing([past, middle, head, level], update)


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


def _few(rank: float) -> str:
    """A rank as a number of directions in a sentence."""
    return counted(max(round(rank), 1))


def _directions(rank: float) -> str:
    return "one direction" if rank < FEWEST else f"{_few(rank)} directions"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\u2212")
