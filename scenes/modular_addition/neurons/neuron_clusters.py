"""Every neuron's frequency, and how much of it that frequency explains: clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after

from grokviz.scene import Drawing, Scene, frequencies, grids, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import columns
from grokviz.scene.drawing import Part
from grokviz.scene.layout import pushed_apart
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY, THRESHOLD

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BINS = 20


@dataclass(frozen=True)
class NeuronClusters(Scene):
    """Each neuron by its frequency and share of variance, beside the paper's histogram."""

    name = "neuron-clusters"
    panels = ("clusters",)
    title = "The neurons divide into clusters, one for each key frequency"
    watch = "neurons rise above the line only while the test loss falls"
    source = "arXiv:2301.05217, figure 5"
    loops = True
    needs = (
        "all_neuron_frequency", "all_neuron_variance_explained", "key_neurons",
        "embedding_frequency_norm", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"5a": {"show": "histogram"}}  # noqa: RUF012
    aspect = 2.1
    narrow_aspect = 0.8
    stills = ("grok-3000", "last")

    show: Literal["both", "neurons", "histogram"] = option(
        "both", "every neuron by frequency, the histogram of shares, or both"
    )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A dot a neuron, and how many have which share."""
        if self.show == "both":
            first, second = style().beside(
                figure, (3.1, 1), (1.7, 1), gap=1.4, left=4.9, top=3.2, right=2.2, vgap=4.6
            )
        else:
            first = second = style().panels(figure, left=4.9, top=3.2)[0][0]
        upright = self.show == "histogram" or style().narrow(figure)
        parts: list[Part] = []
        if self.show != "histogram":
            parts.append(_Dots(first, data))
        if self.show != "neurons":
            parts.append(_Histogram(second, data, upright=upright))
        return Drawing.of(*parts)

    def alt_text(self, data: xr.Dataset, i: int) -> str:
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

    def caption(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Each neuron's frequency, the one that explains most of the variance of its "
            "activation over (a, b), and that share of variance. Clusters are neurons at "
            f"{THRESHOLD:g} or above. {self._without(data)}"
            f"{after('section 4.3 and figure 5')}"
        )

    def _without(self, data: xr.Dataset) -> str:
        if self.show == "histogram" or not _any_without(data):
            return ""
        return 'A neuron that no frequency explains better than another stands at "none". '


class _Dots:
    """A dot a neuron: frequency across, share of variance up."""

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
        current_style, last = style(), data.sizes["frequency"]
        self.frequency = data["all_neuron_frequency"].values
        self.share = data["all_neuron_variance_explained"].values
        without = _any_without(data)
        axes.set(xlim=(-1 if without else 0, last + 1), ylim=(0, 1.02))
        axes.set_yticks([0, 0.5, THRESHOLD, 1], ["0", "0.5", f"{THRESHOLD:g}", "1"])
        ticks = [*range(10, last - 2, 10), last]
        first, name = (NO_FREQUENCY, "none") if without else (1, "1")
        axes.set_xticks([first, *ticks], [name, *map(str, ticks)])
        axes.set_xlabel("frequency of the neuron")
        axes.set_ylabel("share of variance explained")
        axes.axhline(THRESHOLD, **_dashed())
        # neurons of one frequency side by side, always in the same order
        turn = (np.arange(data.sizes["all_neuron"]) * 0.6180339887) % 1
        self.offset = (turn - 0.5) * 0.8
        self.dots = axes.scatter(
            [], [], s=(0.34 * current_style.points) ** 2, lw=0, alpha=0.75, clip_on=False, zorder=3
        )
        self.colours = {k: frequencies.colour(k, data) for k in frequencies.key_frequencies(data)}
        self.rest = current_style.colours.faint
        self.counts = self._name_clusters(axes)
        muted = current_style.colours.muted
        self.without = _above(axes, NO_FREQUENCY, 0.35, color=muted, fontsize=current_style.small)

    def _name_clusters(self, axes: Axes) -> list[Any]:
        """Each key frequency above its neurons, and below it room for their number."""
        current_style, texts = style(), []
        em = 0.62 * current_style.points / 72 * axes.figure.get_figure(root=True).dpi
        ends = axes.get_xlim()
        width = 3.5 * em / (axes.bbox.width / (ends[1] - ends[0]))
        places = pushed_apart(list(map(float, self.colours)), [width] * len(self.colours), *ends)
        for (k, colour), place in zip(self.colours.items(), places, strict=True):
            name = _above(axes, place, 1.35, color=colour, fontweight="bold")
            name.set(text=str(k), fontsize=current_style.points)
            texts.append(_above(axes, place, 0.35, color=colour, fontsize=current_style.small))
        return texts

    @property
    def moving(self) -> list[Any]:
        return [self.dots, self.without, *self.counts]

    def update(self, i: int) -> None:
        frequency, share = self.frequency[i].astype(int), self.share[i].astype(float)
        self.dots.set_offsets(np.column_stack([frequency + self.offset, share]))
        clean = share >= THRESHOLD
        self.dots.set_facecolor([
            self.colours.get(k, self.rest) if good else self.rest
            for k, good in zip(frequency.tolist(), clean, strict=True)
        ])  # fmt: skip
        count = int((frequency == NO_FREQUENCY).sum())
        self.without.set_text(str(count) if count else "")
        for k, text in zip(self.colours, self.counts, strict=True):
            text.set_text(str(int((clean & (frequency == k)).sum())))


def _above(axes: Axes, x: float, up: float, **text_style: Any) -> Any:
    """An empty text at ``x``, so many ems above the panel."""
    return axes.annotate(
        "", (x, 1.02), xytext=(0, up * style().points), xycoords="data",
        textcoords="offset points", ha="center", va="baseline", annotation_clip=False,
        **text_style,
    )  # fmt: skip


def _dashed() -> dict[str, Any]:
    """How the line at the threshold is drawn."""
    return {"color": style().colours.muted, "lw": style().line * 0.5, "ls": (0, (5, 4))}


class _Histogram:
    """Bars of how many neurons have which share; what is at the threshold or above is in ink."""

    def __init__(self, axes: Axes, data: xr.Dataset, *, upright: bool) -> None:
        from matplotlib.collections import PolyCollection
        from matplotlib.ticker import MaxNLocator

        self.upright, self.edges = upright, np.linspace(0, 1, BINS + 1)
        self.frequency = data["all_neuron_frequency"].values
        self.share = data["all_neuron_variance_explained"].values
        inside = np.flatnonzero(data["epoch"].values <= panels.horizon(data))
        moments = {*inside.tolist(), data.sizes["epoch"] - 1}
        top = 1.06 * max(1, *(int(self._counts(i).max()) for i in moments))
        colours = style().colours
        face = [colours.accent if e >= THRESHOLD - 1e-9 else colours.rest for e in self.edges[:-1]]
        self.bars = PolyCollection([], facecolors=face, lw=0, zorder=2)
        axes.add_collection(self.bars, autolim=False)
        if upright:
            axes.set(xlim=(0, 1), ylim=(0, top), ylabel="neurons")
            axes.set_xlabel("share of variance explained")
            axes.set_xticks([0, 0.5, THRESHOLD, 1], ["0", "0.5", f"{THRESHOLD:g}", "1"])
            axes.axvline(THRESHOLD, **_dashed())
        else:
            axes.set(xlim=(0, top), ylim=(0, 1.02), xlabel="neurons")
            axes.set_yticks([0, 0.5, THRESHOLD, 1], [""] * 4)
            axes.axhline(THRESHOLD, **_dashed())
            axes.xaxis.set_major_locator(MaxNLocator(2, integer=True))
        self.text = grids.figure_above(axes)

    def _counts(self, i: int) -> np.ndarray:
        """Neurons by share; one without a frequency has no share."""
        share = self.share[i].astype(float)[self.frequency[i] != NO_FREQUENCY]
        counts: np.ndarray = np.histogram(share, self.edges)[0]
        return counts

    @property
    def moving(self) -> list[Any]:
        return [self.bars, self.text]

    def update(self, i: int) -> None:
        middle = (self.edges[:-1] + self.edges[1:]) / 2
        corners = columns(middle, self._counts(i).astype(float), 0.84 / BINS)
        self.bars.set_verts(corners if self.upright else corners[..., ::-1])
        share = self.share[i].astype(float)
        clean = int((share >= THRESHOLD).sum())
        self.text.set_text(f"{clean} of {share.size} above {THRESHOLD:g}")


def _any_without(data: xr.Dataset) -> bool:
    """Whether any neuron is ever without a frequency."""
    return bool((data["all_neuron_frequency"].values == NO_FREQUENCY).any())
