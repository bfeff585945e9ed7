"""The thread's first picture: the model embeds a few waves and ignores the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims

from grokviz.scene import (
    Claim,
    Drawing,
    Scene,
    frequencies,
    grids,
    option,
    panels,
    spoken,
    style,
    timeline,
)  # fmt: skip
from grokviz.scene import clock as clocks
from grokviz.scene.bars import Bars, columns
from grokviz.scene.layout import pushed_apart
from grokviz.scene.sound import Sound, scale, standing_out
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


ROOMY = 18.0
"""So many ems of small type wide is a panel that says of what a share is."""

FEW = 3
"""So many of these are few."""

HIGH = 0.25
"""Grey bars of more than this share of the tallest have a number, if they are few."""


@dataclass(frozen=True)
class EmbeddingWaves(Scene):
    """Norm of each wave in the embedding, and in outline what it was at first."""

    name = "embedding-waves"
    panels = ("waves", "loss")
    title = "The network embeds a few waves and forgets the rest"
    watch = "Each bar is a wave, outlined as it was at first"
    source = "thread, tweets 9 and 11, and its animation; arXiv:2301.05217, figure 3"
    loops = True
    needs = (
        "embedding_component_norm",
        "embedding_frequency_norm",
        "key_neurons",
        "logged_train_loss",
        "logged_test_loss",
        "phase_end",
    )
    aspect = 2.0
    narrow_aspect = 0.86
    # fewer panels make a flatter page
    aspects = {"losses": {False: (2.8, 1.5)}}  # noqa: RUF012
    stills = ("grok+10000", "grok-3000", "last")
    paper_figures = {"3a": {"by": "component", "losses": False}}  # noqa: RUF012

    value: Literal["norm", "squared"] = option("norm", "norm of each wave, or its square")
    by: Literal["frequency", "component"] = option("frequency", "or cosine and sine apart")
    losses: bool = option(True, "when the losses fell, below the bars")
    waves: Literal["embedded", "key"] = option(
        "key", "in colour the waves embedded at the end, or those that it computes with"
    )

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the embedding the waves hold that are embedded at the end, or key."""
        key, count = self.waves == "key", data.sizes["frequency"]
        waves = frequencies.key_frequencies(data) if key else frequencies.embedded(data)
        growth = _claims.Growth.of(data, _share(data, waves))
        numbers = {"first": growth.first, "last": growth.last, "count": len(waves)}
        if growth.holds:
            comes = "come" if len(waves) > 1 else "comes"
            held = f"hold {percent(growth.last)} of the embedding"
            sentence = f"{_claims.counted(len(waves))} {comes} to {held}"
            watch = _before(data, waves, growth.first)
            if key:
                watch = f"{watch}; grey: waves it does not compute with"
            return Claim(sentence, watch, numbers=numbers)
        words = f"All {count} waves are embedded, and none stands out"
        if not waves:
            words = f"No wave is {'key' if key else 'embedded'} at the end"
        elif len(waves) < count:
            held = f"hold {percent(growth.last)} of the embedding"
            words = f"The {len(waves)} largest of {count} waves {held}"
        return _claims.instead(data, words, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Bars of every wave, and below them when the losses fell."""
        if not self.losses:
            return Drawing.of(self._waves(style().panels(figure, top=1.6)[0][0], data))
        bottom = timeline.HEIGHT + 3.6
        axes = style().panels(figure, top=1.6, bottom=bottom, right=2.0)[0][0]
        return Drawing.of(self._waves(axes, data), timeline.Timeline(figure, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The waves that stand out, and the losses at that moment."""
        norms = data["embedding_frequency_norm"].isel(epoch=i)
        large = [int(k) for k in norms["frequency"].values[norms.values > norms.values.max() / 4]]
        rest = float(np.median(norms.values))
        named = f"frequencies {', '.join(map(str, large))}" if len(large) < 12 else "many of them"
        losses = (
            f" The losses then: train {panels.loss_at(data, 'train', i)}, "
            f"test {panels.loss_at(data, 'test', i)}."
        )
        idle = _claims.idle(data)
        unused = f" In the end the network computes with all of these but {idle}." if idle else ""
        return (
            f"Bar chart of the norm of each of {len(norms)} frequencies in the embedding at "
            f"{clocks.at(data, 'epoch', i)}: {len(large)} stand above a quarter of the largest "
            f"({named}); the median is {rest:.2g}.{unused}{losses if self.losses else ''}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        p = data.sizes["component"]
        coloured = "waves whose norm at the end is above a quarter of the largest"
        if self.waves == "key":
            coloured = "the key frequencies"
        return (
            f"Norm of the embedding $W_E$ along each wave over the {p} inputs; outlined: at "
            f"{_claims.moment(data, 0)}. In colour: {coloured}; shares are of the summed "
            f"squares of all waves. {after('figure 3')}"
        )

    def sound(self, data: xr.Dataset) -> Sound:
        """A tone for each wave, higher with its frequency, as loud as its norm.

        A wave that is as large as most is a hiss, and one that stands out a tone.
        """
        norms = data["embedding_frequency_norm"].values.astype(float)
        hertz = scale(norms.shape[1])
        words = (
            f"It has sound: a tone for each of the {len(hertz)} frequencies, the higher the "
            f"frequency the higher, from {hertz[0]:,.0f} to {hertz[-1]:,.0f} hertz, each as loud "
            "as its norm in the embedding: a hiss while it is as large as most, and a clear tone "
            "where it stands out."
        )
        return Sound(hertz, norms, words, standing_out(norms))

    def _waves(self, axes: Axes, data: xr.Dataset) -> Drawing:
        from matplotlib.ticker import MaxNLocator

        k, values = data["frequency"].values, data["embedding_frequency_norm"].values
        x, width = k * 1.0, 0.74
        if self.by == "component":
            values = data["embedding_component_norm"].values[:, 1:]
            x = np.repeat(k, 2) + np.tile([-0.2, 0.2], len(k))
            k, width = np.repeat(k, 2), 0.36
        heights = values.astype(float) ** (2 if self.value == "squared" else 1)
        # what is the tallest within the film, so that the axis never moves
        top = _top(heights[data["epoch"].values <= panels.horizon(data)])
        axes.set(xlim=(0.2, k[-1] + 0.8), ylim=(0, top * 1.16))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.set_xticks(frequencies.ticks(int(k[-1])))
        axes.set_xlabel(f"wave, by its cycles over the {data.sizes['component']} numbers")
        high = axes.bbox.height > 14 * style().pixels(axes, style().points)
        name = "norm in the embedding" if high else "norm in $W_E$"
        axes.set_ylabel(name + (", squared" if self.value == "squared" else ""))
        bars = Bars(axes, x, heights, style().colours.rest, width=width, trace=0)
        _outline(axes, data, x, heights[0], width)
        only = frequencies.key_frequencies(data) if self.waves == "key" else None
        named = Drawing.of(_named(bars, k, data, only), _held(axes, data, only))
        if not _shown(data, only):
            place = (1, 1) if style().narrow(axes.figure) else (1, 0.97)
            style().note(axes, frequencies.NONE, place, ha="right", va="top",
                         color=style().colours.muted)  # fmt: skip
        return named


def _top(heights: np.ndarray) -> float:
    """The tallest bar; 1 where none is taller than 0."""
    finite = heights[np.isfinite(heights)]
    return float(finite.max()) if (finite > 0).any() else 1.0


def _share(data: xr.Dataset, waves: list[int]) -> np.ndarray:
    """Share of some waves in the summed squares of all waves of the embedding."""
    squares = np.square(data["embedding_frequency_norm"].values.astype(float))
    whole = np.maximum(squares.sum(axis=1), 1e-30)
    shares: np.ndarray = squares[:, np.array(waves, dtype=int) - 1].sum(axis=1) / whole
    return shares


def _shown(data: xr.Dataset, only: list[int] | None) -> list[int]:
    """The waves that have a colour; of a choice of them those of it."""
    shown = frequencies.coloured(data)
    return shown if only is None else [k for k in shown if k in only]


def _held(axes: Axes, data: xr.Dataset, only: list[int] | None) -> Drawing:
    """How much of the embedding the few waves hold at the moment, above the bars.

    They are those embedded, or key waves where it is ``only`` these.
    """
    waves = frequencies.embedded(data) if only is None else only
    some = _claims.waves(len(waves))
    if only is not None:
        some = f"{some} it ends with"  # which are key is known at the end alone
    if not 0 < len(waves) < data.sizes["frequency"]:
        return Drawing()
    shares, text = _share(data, waves), grids.figure_above(axes)
    room = axes.bbox.width / style().pixels(axes, style().small)
    # what there is no room for stands in the caption
    of = " of the embedding" if room > ROOMY else ""

    def update(i: int) -> None:
        now = percent(float(shares[i]))
        text.set_text(f"{some}: {now}{of}")

    return Drawing([text], update)


def _outline(
    axes: Axes, data: xr.Dataset, x: np.ndarray, heights: np.ndarray, width: float
) -> None:
    """The bars of the first moment as outlines, named at the right of the last."""
    from matplotlib.collections import PolyCollection

    colour, known = style().colours.muted, np.nan_to_num(heights, posinf=0, neginf=0)
    axes.add_collection(PolyCollection(
        columns(x, known, width), facecolors="none", edgecolors=colour, lw=0.35 * style().line,
        zorder=3,
    ), autolim=False)  # fmt: skip


def _before(data: xr.Dataset, waves: list[int], first: float) -> str:
    """What the outlines are, and how much of the embedding the waves held then."""
    these = f"these {spoken.in_words(len(waves))}" if len(waves) > 1 else "this one"
    return f"Outlined: {_claims.moment(data, 0)}, when {these} held {percent(first)}"


def _named(bars: Bars, of_bars: np.ndarray, data: xr.Dataset, only: list[int] | None) -> Drawing:
    """Bars, and a number over each wave's that stands out, apart where bars are neighbours.

    Where the future is not drawn, a wave has its number and its colour from when it leads on.
    """
    current_style, axes, keys = style(), bars.axes, _shown(data, only)
    pitch = axes.bbox.width / (axes.get_xlim()[1] - axes.get_xlim()[0])
    digit = current_style.pixels(axes, 0.7 * current_style.points) / pitch
    wide = [digit * len(str(k)) for k in keys]
    places = pushed_apart([float(k) for k in keys], wide, *axes.get_xlim())
    texts, under = [], []
    for k, place, width in zip(keys, places, wide, strict=True):
        texts.append(current_style.label(
            axes, place, 0, str(k), color=frequencies.colour(k, data),
            fontsize=current_style.points, zorder=4,
        ))  # fmt: skip
        # the bars that the number must stay above
        under.append((np.abs(bars.x - place) < 0.4 * width + 0.3) | (of_bars == k))
    idle = _idle_names(bars, of_bars, keys)
    shown = frequencies.leading(data["embedding_frequency_norm"].values, keys)
    if current_style.ghost:
        shown = np.ones_like(shown)

    def update(i: int) -> None:
        bars.update(i)
        seen = {k for k, leads in zip(keys, shown[i], strict=True) if leads}
        rest = current_style.colours.rest
        face = [frequencies.colour(int(k), data) if k in seen else rest for k in of_bars]
        for each in bars.moving:
            each.set_facecolors(face)
        for k, text, below in zip(keys, texts, under, strict=True):
            text.set_visible(k in seen)
            text.set_y(bars.heights[i][below].max() + 0.012 * axes.get_ylim()[1])
        idle.update(i)

    return Drawing([bars.moving, texts, *idle.moving], update)


def _idle_names(bars: Bars, of_bars: np.ndarray, keys: list[int]) -> Drawing:
    """Numbers over the few grey bars that are tall too, aside from taller neighbours."""
    texts = [
        style().label(
            bars.axes, 0, 0, "", color=style().colours.muted, fontweight="normal", zorder=4
        )
        for _ in range(FEW if keys else 0)
    ]

    def update(i: int) -> None:
        heights = bars.heights[i]
        # a cosine and its sine have one number, over the taller of both
        tall = heights > max(HIGH * heights.max(), 1e-9)
        grey = [k for k in np.unique(of_bars[tall]) if k not in keys]
        for n, text in enumerate(texts):
            text.set_visible(n < len(grey) <= FEW)
            if not text.get_visible():
                continue
            k = grey[n]
            left, own, right = (heights[of_bars == m].max(initial=0) for m in (k - 1, k, k + 1))
            side = "left" if left > own else "right" if right > own else "center"
            edge = {"left": -0.35, "center": 0.0, "right": 0.35}[side]
            text.set(text=str(k), x=k + edge, y=own + 0.012 * bars.axes.get_ylim()[1], ha=side)

    return Drawing(texts, update)
