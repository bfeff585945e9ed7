"""How many neurons follow which wave, over training or at a moment: clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from grokviz.scenes.modular_addition.neurons._bands import Bands
from grokviz.scenes.modular_addition.neurons._columns import (
    POOL,
    Columns,
    above,
    name_clusters,
    neurons_at,
)

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, panels, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.bars import columns
from grokviz.scene.drawing import Part
from grokviz.scene.layout import pushed_apart
from grokviz.scene.outcome import outcome
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY, THRESHOLD

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BINS = 20
EDGES = np.linspace(0, 1, BINS + 1)
TICKS = ([0, 0.5, THRESHOLD, 1], ["0", "0.5", f"{THRESHOLD:g}", "1"])


MOST = 0.5
"""The share of all neurons that have to be in clusters, and of these the share that comes late."""


@dataclass(frozen=True)
class NeuronClusters(Scene):
    """How many neurons follow each key wave over training; or all neurons at a moment."""

    name = "neuron-clusters"
    panels = ("clusters",)
    title = "Most neurons follow a wave only once the network has generalised"
    watch = "A band is the neurons of which one wave explains 85% or more"
    source = "arXiv:2301.05217, figure 5"
    disputed = (
        "Disputed: in sparse parity a few neurons take over from a dense circuit "
        "(arXiv:2303.11873)."
    )
    needs = (
        "all_neuron_frequency", "all_neuron_variance_explained", "key_neurons",
        "embedding_frequency_norm", "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"5a": {"show": "histogram"}}  # noqa: RUF012
    aspect = 1.9
    narrow_aspect = 1.0
    # fewer panels make a flatter page
    aspects = {  # noqa: RUF012
        "show": {
            "columns": (1.7, 0.95), "both": (1.9, 0.7), "neurons": (2.1, 1.0),
            "histogram": (2.1, 0.8),
        }
    }  # fmt: skip
    stills = ("last", "grok-3000")
    ends_with_film = True

    show: Literal["growth", "columns", "both", "neurons", "histogram"] = option(
        "growth",
        "how many follow each wave over training; at a moment neurons in columns by frequency, "
        "each by frequency and share, the paper's histogram of shares, or both of these",
    )

    def claim(self, data: xr.Dataset) -> Claim:
        """How many neurons join a cluster after the run has generalised."""
        share = data["all_neuron_variance_explained"].values
        clean = (share >= THRESHOLD).sum(axis=1)
        last, every = int(clean[_claims.film_end(data)]), share.shape[1]
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, last=last)
        learned = outcome(data).generalised
        if last < MOST * every or learned is None:
            sentence = f"{last} of {every} neurons follow one wave at the end"
            return Claim.instead(sentence, last=last)
        before = int(clean[np.abs(data["epoch"].values - learned).argmin()])
        numbers = {"last": last, "before": before}
        count = len(frequencies.key_frequencies(data))
        some = f"one of {_claims.in_words(count, 'wave')}" if count > 1 else "a wave"
        if last - before <= MOST * last:
            sentence = f"Most neurons that follow {some} do so before the network generalises"
            return Claim.instead(sentence, **numbers)
        sentence = f"Most neurons follow {some} only once the network has generalised"
        return Claim(sentence, self._watched(), numbers=numbers)

    def _watched(self) -> str:
        """How to read the picture, in a sentence."""
        if self.show == "growth":
            share = f"{percent(THRESHOLD)} or more"
            return f"A band is the neurons of which one wave explains {share}"
        own = f"in colour once one wave explains {percent(THRESHOLD)} of it"
        if self.show == "columns":
            grey = f"grey until one wave explains {percent(THRESHOLD)} of it"
            return f"A dot is a neuron, {grey}, pale if before generalising"
        if self.show == "histogram":
            return "Each bar counts the neurons of which one wave explains such a share"
        return f"Each dot is a neuron, {own}"

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A band a wave over training; or neurons in columns, or a dot each, at a moment."""
        if self.show == "growth":
            narrow = style().narrow(figure)
            room = style().panels(
                figure, left=3.6 if narrow else 5.0, right=5.2 if narrow else 9.6, top=2.2
            )[0][0]
            return Drawing.of(_Growth(room, data), timeline.Turns(room, data))
        if self.show == "columns":
            room = style().panels(
                figure, left=1.6, right=1.6, top=2.8, bottom=timeline.HEIGHT + 3.0 + POOL
            )[0][0]
            strip = timeline.Timeline(figure, data, left=3.0, right=3.0)
            return Drawing.of(Columns(room, data), strip)
        parts = list[Part]()
        if self.show == "both":
            first, second = style().beside(
                figure, (6, 1), (1.7, 1), gap=1.4, left=5.6, top=3.2, right=2.2, vgap=4.6
            )
        else:
            first = second = style().panels(figure, left=4.9, top=3.2)[0][0]
        upright = self.show == "histogram" or style().narrow(figure)
        if self.show != "histogram":
            parts.append(_dots(first, data))
        if self.show != "neurons":
            parts.append(_histogram(second, data, upright=upright, alone=first is second))
        return Drawing.of(*parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """Sizes of the clusters at that epoch."""
        now = data.isel(epoch=i)
        frequency = now["all_neuron_frequency"].values
        has = frequency != NO_FREQUENCY
        share = now["all_neuron_variance_explained"].values[has]
        clean = frequency[has][share >= THRESHOLD]
        sizes = [f"{int((clean == k).sum())} of frequency {k}" for k in np.unique(clean)]
        median = f"; the median share is {float(np.median(share)):.2f}" if share.size else ""
        without = "" if has.all() else f"; {int((~has).sum())} have no frequency"
        return (
            f"Each of {has.size} neurons by its frequency and the share of its variance which "
            f"that explains, at {clocks.at(data, 'epoch', i)}: {clean.size} are at {THRESHOLD:g} "
            f"or above{': ' if sizes else ''}{', '.join(sizes)}{median}{without}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        growth = (
            "A neuron follows that wave from this share on: the bands count them. "
            if self.show == "growth" else ""
        )  # fmt: skip
        columns = (
            "A dot a neuron: of a cluster in the column of its frequency, pale where it was in one "
            "when the network generalised, of none grey below; key frequencies have wider places. "
            if self.show == "columns" else ""
        )  # fmt: skip
        return (
            "Each neuron's frequency, the one that explains most of the variance of its "
            "activation over (a, b), and that share of variance. Clusters are neurons at "
            f"{THRESHOLD:g} or above. {growth}{columns}{self._without(data)}"
            f"{after('section 4.3 and figure 5')}"
        )

    def _without(self, data: xr.Dataset) -> str:
        if self.show in ("growth", "columns", "histogram") or not _any_without(data):
            return ""
        return 'A neuron that no frequency explains better than another stands at "none". '


class _Growth:
    """A band for each wave over training, as wide as it has neurons, with its name at the right."""

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
        from matplotlib.patches import Rectangle

        current_style, colours = style(), style().colours
        self.axes, self.moments = axes, data["epoch"].values.astype(float)
        self.every, self.end = data.sizes["all_neuron"], panels.horizon(data)
        # the ground is those that follow no wave
        axes.add_patch(
            Rectangle((0, 0), max(self.end, self.moments[-1]), self.every, lw=0, fc=colours.grid)
        )
        self.bands = Bands(axes, data, self.every)
        self.marker = panels.Marker.draw(axes)
        panels.thousands(axes)
        axes.set(xlim=(0, self.end), ylim=(0, self.every), xlabel=clocks.word(data))
        axes.set_yticks([0, self.every])
        axes.set_ylabel("neurons", labelpad=0)
        axes.grid(visible=False)
        self.narrow = current_style.narrow(axes.figure)
        self.em = 1.25 * current_style.pixels(axes, current_style.small) / axes.bbox.height
        most = int((1 + self.em) / self.em) - 2
        self.keys = _neurons.named_keys(data, most)
        tints = [colours.words(frequencies.colour(k, data)) for k in self.keys]
        look: dict[str, Any] = {"va": "center", "fontweight": "bold"}
        self.names = [
            current_style.note(axes, "", (1, 0), (0.5, 0), color=tint, **look) for tint in tints
        ]
        self.none = current_style.note(axes, "", (1, 1), (0.5, 0), color=colours.muted, **look)

    @property
    def moving(self) -> list[Any]:
        return [*self.bands.moving, self.marker.line, *self.names, self.none]

    def update(self, i: int) -> None:
        moment = self.moments[i]
        end = max(self.end, moment)
        if end != self.axes.get_xlim()[1]:
            self.axes.set_xlim(0, end)
        self.bands.update(moment)
        self.marker.update(moment)
        tops = np.concatenate([[0.0], self.bands.tops[:, i]])
        named = [self.bands.keys.index(k) for k in self.keys]
        counts = [*np.diff(tops)[named], self.every - tops[-1]]
        middles = [*((tops[:-1] + tops[1:]) / 2)[named], (tops[-1] + self.every) / 2]
        levels = pushed_apart(
            [middle / self.every for middle in middles], [self.em] * len(middles), 0, 1
        )
        words = [*(f"wave {k}" for k in self.keys), "no wave"]
        texts = [*self.names, self.none]
        for text, word, count, level in zip(texts, words, counts, levels, strict=True):
            text.set_text(word if self.narrow else f"{word}: {round(count)}")
            text.xy = (1, level)


def _name_frequencies(axes: Axes, last: int, *, none: bool) -> None:
    """Ticks of an axis of frequencies, and where neurons without one stand."""
    first, *ticks = frequencies.ticks(last)
    names = ["none" if none else str(first), *map(str, ticks)]
    axes.set_xticks([NO_FREQUENCY if none else first, *ticks], names)
    axes.set_xlabel("frequency of the neuron")


def _dots(axes: Axes, data: xr.Dataset) -> Drawing:
    """A dot a neuron: frequency across, share of variance up."""
    current_style, last = style(), data.sizes["frequency"]
    without = _any_without(data)
    axes.set(xlim=(-1 if without else 0, last + 1), ylim=(0, 1.02))
    axes.set_yticks(*TICKS)
    _name_frequencies(axes, last, none=without)
    em = style().pixels(axes, style().points)
    axes.set_ylabel(f"share of variance{' ' if axes.bbox.height > 15 * em else chr(10)}explained")
    axes.axhline(THRESHOLD, **_dashed())
    # neurons of one frequency side by side, always in the same order
    offset = ((np.arange(data.sizes["all_neuron"]) * 0.6180339887) % 1 - 0.5) * 0.8
    dots = axes.scatter(
        [], [], s=(0.34 * current_style.points) ** 2, lw=0, alpha=0.75, clip_on=False, zorder=3
    )
    rest, muted = current_style.colours.faint, current_style.colours.muted
    colours = {k: frequencies.colour(k, data) for k in frequencies.key_frequencies(data)}
    counts = name_clusters(axes, data)
    none = above(axes, NO_FREQUENCY, 0.35, color=muted, fontsize=current_style.small)

    def update(i: int) -> None:
        frequency, share = neurons_at(data, i)
        clean = share >= THRESHOLD
        dots.set_offsets(np.column_stack([frequency + offset, share]))
        dots.set_facecolor([
            colours.get(k, rest) if good else rest
            for k, good in zip(frequency.tolist(), clean, strict=True)
        ])  # fmt: skip
        none.set_text(str((frequency == NO_FREQUENCY).sum() or ""))
        for k, (name, text) in counts.items():
            count = int((clean & (frequency == k)).sum())
            # a cluster is named once it has a neuron
            shown = bool(count) or current_style.ghost
            name.set_text(str(k) if shown else "")
            text.set_text(str(count) if shown else "")

    return Drawing([dots, none, *(text for pair in counts.values() for text in pair)], update)


def _dashed() -> dict[str, Any]:
    """How the line at the threshold is drawn."""
    return {"color": style().colours.muted, "lw": style().line * 0.5, "ls": (0, (5, 4))}


def _histogram(axes: Axes, data: xr.Dataset, *, upright: bool, alone: bool) -> Drawing:
    """Bars of how many neurons have which share; what is at the threshold or above is in ink."""
    from matplotlib.collections import PolyCollection
    from matplotlib.ticker import MaxNLocator

    inside = np.flatnonzero(data["epoch"].values <= panels.horizon(data)).tolist()
    top = 1.06 * max(1, *(int(_counts(data, i).max()) for i in (*inside, -1)))
    colours = style().colours
    face = [colours.accent if e >= THRESHOLD - 1e-9 else colours.rest for e in EDGES[:-1]]
    bars: Any = PolyCollection([], facecolors=face, lw=0, zorder=2)
    axes.add_collection(bars, autolim=False)
    if upright:
        axes.set(xlim=(0, 1), ylim=(0, top), ylabel="neurons")
        axes.set_xlabel("share of variance explained")
        axes.set_xticks(*TICKS)
        axes.axvline(THRESHOLD, **_dashed())
    else:
        axes.set(xlim=(0, top), ylim=(0, 1.02), xlabel="neurons")
        axes.set_yticks(TICKS[0], [""] * 4)
        axes.axhline(THRESHOLD, **_dashed())
        axes.xaxis.set_major_locator(MaxNLocator(2, integer=True))
    text = grids.figure_above(axes)

    def update(i: int) -> None:
        corners = columns((EDGES[:-1] + EDGES[1:]) / 2, _counts(data, i), 0.84 / BINS)
        bars.set_verts(corners if upright else corners[..., ::-1])
        share = neurons_at(data, i)[1]
        if alone or upright:
            text.set_text(f"{(share >= THRESHOLD).sum()} of {share.size} above {THRESHOLD:g}")

    return Drawing([bars, text], update)


def _counts(data: xr.Dataset, i: int) -> np.ndarray:
    """Neurons by share; one without a frequency has no share."""
    frequency, share = neurons_at(data, i)
    counts: np.ndarray = np.histogram(share[frequency != NO_FREQUENCY], EDGES)[0]
    return counts.astype(float)


def _any_without(data: xr.Dataset) -> bool:
    """Whether any neuron is ever without a frequency."""
    return bool((data["all_neuron_frequency"].values == NO_FREQUENCY).any())
