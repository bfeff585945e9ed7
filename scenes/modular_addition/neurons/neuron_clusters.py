"""Every neuron's frequency, and how much of it that frequency explains: clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from grokviz.scene import Scene, grids, option, panels, style
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
        "embedding_frequency_norm", "logged_test_loss", "phase_end", "loss",
    )  # fmt: skip
    paper_figures = {"5a": {"show": "histogram"}}  # noqa: RUF012
    aspect = 2.1
    narrow_aspect = 0.8
    stills = ("grok-3000", "last")

    show: Literal["both", "neurons", "histogram"] = option(
        "both", "every neuron by frequency, the histogram of shares, or both"
    )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """A dot a neuron, and how many have which share."""
        current_style, narrow = style(), style().narrow(figure)
        if self.show == "both":
            wide = (1,) if narrow else (3.1, 1)
            rooms = current_style.panels(
                figure, widths=wide, heights=(1.7, 1) if narrow else (1,), gap=1.4,
                left=4.9, top=3.2, right=2.2, vgap=4.6,
            )  # fmt: skip
            first, second = (rooms[0][0], rooms[1][0]) if narrow else rooms[0]
        else:
            first = second = current_style.panels(figure, left=4.9, top=3.2)[0][0]
        artists: dict[str, Any] = {"moving": []}
        if self.show != "histogram":
            artists["dots"] = _Dots.of(first, data)
        if self.show != "neurons":
            upright = self.show == "histogram" or narrow
            artists["bars"] = _Bars.of(second, data, upright)
        artists["moving"] = [a.moving for name, a in artists.items() if name != "moving"]
        return artists

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """Dots, counts and bars."""
        frequency = data["all_neuron_frequency"].values[i].astype(int)
        share = data["all_neuron_variance_explained"].values[i].astype(float)
        for name in ("dots", "bars"):
            if name in artists:
                artists[name].update(frequency, share)

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
            f"that explains, at epoch {int(now['epoch'])}: {clean.size} are at {THRESHOLD:g} or "
            f"above{': ' if sizes else ''}{', '.join(sizes)}{median}{without}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Each neuron's frequency, the one that explains most of the variance of its "
            "activation over (a, b), and that share of variance. Clusters are neurons at "
            f"{THRESHOLD:g} or above. {self._without(data)}After Nanda et al. (2023), "
            "arXiv:2301.05217, section 4.3 and figure 5."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: few neurons move later."""
        return 0, panels.horizon(data)

    def _without(self, data: xr.Dataset) -> str:
        if self.show == "histogram" or not _any_without(data):
            return ""
        return 'A neuron that no frequency explains better than another stands at "none". '


@dataclass
class _Dots:
    """A dot a neuron: frequency across, share of variance up."""

    offset: np.ndarray
    dots: Any
    without: Any
    """How many have no frequency."""
    texts: list[Any]
    keys: list[int]
    colours: dict[int, Any]

    @classmethod
    def of(cls, axes: Axes, data: xr.Dataset) -> _Dots:
        current_style, keys = style(), panels.key_frequencies(data)
        last = data.sizes["frequency"]
        without = _any_without(data)
        axes.set(xlim=(-1 if without else 0, last + 1), ylim=(0, 1.02))
        axes.set_yticks([0, 0.5, THRESHOLD, 1], ["0", "0.5", f"{THRESHOLD:g}", "1"])
        ticks = [*range(10, last - 2, 10), last]
        first, name = (NO_FREQUENCY, "none") if without else (1, "1")
        axes.set_xticks([first, *ticks], [name, *map(str, ticks)])
        axes.set_xlabel("frequency of the neuron")
        axes.set_ylabel("share of variance explained")
        axes.axhline(
            THRESHOLD, color=current_style.colours.muted, lw=current_style.line * 0.5,
            ls=(0, (5, 4)),
        )  # fmt: skip
        # neurons of one frequency side by side, always in the same order
        turn = (np.arange(data.sizes["all_neuron"]) * 0.6180339887) % 1
        dots = axes.scatter(
            [], [], s=(0.34 * current_style.points) ** 2, lw=0, alpha=0.75, clip_on=False, zorder=3
        )
        em = 0.62 * current_style.points / 72 * axes.figure.get_figure(root=True).dpi
        ends = axes.get_xlim()
        pitch = axes.bbox.width / (ends[1] - ends[0])
        places = pushed_apart([float(k) for k in keys], [3.5 * em / pitch] * len(keys), *ends)
        colours = {k: current_style.colours.frequency(k, panels.embedded(data)) for k in keys}
        texts = []
        for k, place in zip(keys, places, strict=True):
            for up, size in ((1.35, current_style.points), (0.35, current_style.small)):
                text = axes.annotate(
                    str(k) if up > 1 else "", (place, 1.02), xytext=(0, up * current_style.points),
                    xycoords="data", textcoords="offset points", ha="center", va="baseline",
                    color=colours[k], fontsize=size, fontweight="bold" if up > 1 else "normal",
                    annotation_clip=False,
                )  # fmt: skip
            texts.append(text)
        counted = axes.annotate(
            "", (NO_FREQUENCY, 1.02), xytext=(0, 0.35 * current_style.points), xycoords="data",
            textcoords="offset points", ha="center", va="baseline",
            color=current_style.colours.muted, fontsize=current_style.small, annotation_clip=False,
        )  # fmt: skip
        rest = current_style.colours.faint
        return cls((turn - 0.5) * 0.8, dots, counted, texts, keys, {**colours, 0: rest})

    @property
    def moving(self) -> list[Any]:
        return [self.dots, self.without, *self.texts]

    def update(self, frequency: np.ndarray, share: np.ndarray) -> None:
        self.dots.set_offsets(np.column_stack([frequency + self.offset, share]))
        clean = share >= THRESHOLD
        self.dots.set_facecolor(
            [
                self.colours.get(k if good else 0, self.colours[0])
                for k, good in zip(frequency.tolist(), clean, strict=True)
            ]
        )
        count = int((frequency == NO_FREQUENCY).sum())
        self.without.set_text(str(count) if count else "")
        for k, text in zip(self.keys, self.texts, strict=True):
            text.set_text(str(int((clean & (frequency == k)).sum())))


@dataclass
class _Bars:
    """Histogram of the shares; what is at the threshold or above is in ink."""

    bars: Any
    text: Any
    upright: bool
    edges: np.ndarray

    @classmethod
    def of(cls, axes: Axes, data: xr.Dataset, upright: bool) -> _Bars:
        from matplotlib.collections import PolyCollection

        current_style = style()
        edges = np.linspace(0, 1, BINS + 1)
        shown = (data["epoch"].values <= panels.horizon(data)) | _last(data)
        moments = zip(
            data["all_neuron_frequency"].values[shown],
            data["all_neuron_variance_explained"].values[shown],
            strict=True,
        )
        most = max(int(_counts(frequency, share, edges).max()) for frequency, share in moments)
        top = 1.06 * max(most, 1)
        colours = current_style.colours
        face = [colours.accent if e >= THRESHOLD - 1e-9 else colours.rest for e in edges[:-1]]
        bars = PolyCollection([], facecolors=face, lw=0, zorder=2)
        axes.add_collection(bars, autolim=False)
        line: dict[str, Any] = {
            "color": current_style.colours.muted,
            "lw": current_style.line * 0.5,
            "ls": (0, (5, 4)),
        }
        if upright:
            axes.set(xlim=(0, 1), ylim=(0, top), ylabel="neurons")
            axes.set_xlabel("share of variance explained")
            axes.set_xticks([0, 0.5, THRESHOLD, 1], ["0", "0.5", f"{THRESHOLD:g}", "1"])
            axes.axvline(THRESHOLD, **line)
        else:
            axes.set(xlim=(0, top), ylim=(0, 1.02), xlabel="neurons")
            axes.set_yticks([0, 0.5, THRESHOLD, 1], [""] * 4)
            axes.axhline(THRESHOLD, **line)
            axes.xaxis.set_major_locator(_few())
        return cls(bars, grids.figure_above(axes), upright, edges)

    @property
    def moving(self) -> list[Any]:
        return [self.bars, self.text]

    def update(self, frequency: np.ndarray, share: np.ndarray) -> None:
        counts = _counts(frequency, share, self.edges).astype(float)
        middle = (self.edges[:-1] + self.edges[1:]) / 2
        corners = grids.columns(middle, counts, 0.84 / BINS)
        self.bars.set_verts(corners if self.upright else corners[..., ::-1])
        clean = int((share >= THRESHOLD).sum())
        self.text.set_text(f"{clean} of {share.size} above {THRESHOLD:g}")


def _counts(frequency: np.ndarray, share: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Neurons by share; one without a frequency has no share."""
    counts: np.ndarray = np.histogram(share[frequency != NO_FREQUENCY], edges)[0]
    return counts


def _any_without(data: xr.Dataset) -> bool:
    """Whether any neuron is ever without a frequency."""
    return bool((data["all_neuron_frequency"].values == NO_FREQUENCY).any())


def _last(data: xr.Dataset) -> np.ndarray:
    last: np.ndarray = np.arange(data.sizes["epoch"]) == data.sizes["epoch"] - 1
    return last


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(2, integer=True)
