"""Every neuron's frequency, and how much of it that frequency explains: clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import columns
from grokviz.scene.drawing import Part
from grokviz.scene.layout import pushed_apart
from grokviz.scene.outcome import outcome
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
    """Each neuron by its frequency and share of variance, beside the paper's histogram."""

    name = "neuron-clusters"
    panels = ("clusters",)
    title = "The neurons divide into clusters, one for each key frequency"
    watch = "a dot: a neuron, in a cluster above the dashed line; below: how many are"
    source = "arXiv:2301.05217, figure 5"
    disputed = (
        "Disputed: in sparse parity a few neurons take over from a dense circuit "
        "(arXiv:2303.11873)."
    )
    loops = True
    ends_with_film = True
    needs = (
        "all_neuron_frequency", "all_neuron_variance_explained", "key_neurons",
        "embedding_frequency_norm", "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"5a": {"show": "histogram"}}  # noqa: RUF012
    aspect = 1.7
    narrow_aspect = 0.6
    # fewer panels make a flatter page
    aspects = {"show": {"neurons": (2.1, 1.0), "histogram": (2.1, 0.8)}}  # noqa: RUF012
    stills = ("last", "grok-3000")

    show: Literal["both", "neurons", "histogram"] = option(
        "both", "every neuron by frequency, the histogram of shares, or both"
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
            sentence = f"{last} of {every} neurons are in the cluster of one frequency at the end"
            return Claim.instead(sentence, last=last)
        before = int(clean[np.abs(data["epoch"].values - learned).argmin()])
        numbers = {"last": last, "before": before}
        if last - before <= MOST * last:
            words = f"{last} of {every} neurons end in a cluster"
            sentence = f"{words}, {before} before the network generalises"
            return Claim.instead(sentence, **numbers)
        sentence = (
            f"{last - before} of {last} neurons join a cluster only after the network generalises"
        )
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A dot a neuron, and how many have which share."""
        parts, over_time = list[Part](), list[Part]()
        if self.show == "both":
            high = style().ems(figure)[1]
            foot = (0.3 if style().narrow(figure) else 0.42) * high
            first, second = style().beside(
                figure, (6, 1), (1.7, 1), gap=1.4, left=5.6, top=3.2, right=2.2, vgap=4.6,
                bottom=foot + 3.3,
            )  # fmt: skip
            strip = style().panels(figure, left=5.6, top=high - foot + 1.5, right=2.2)[0][0]
            over_time = [_over_time(strip, data)]
        else:
            first = second = style().panels(figure, left=4.9, top=3.2)[0][0]
        upright = self.show == "histogram" or style().narrow(figure)
        if self.show != "histogram":
            parts.append(_dots(first, data))
        if self.show != "neurons":
            parts.append(_histogram(second, data, upright=upright, alone=first is second))
        return Drawing.of(*parts, *over_time)

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
        below = "; below, how many there are over training" if self.show == "both" else ""
        return (
            "Each neuron's frequency, the one that explains most of the variance of its "
            "activation over (a, b), and that share of variance. Clusters are neurons at "
            f"{THRESHOLD:g} or above{below}. {self._without(data)}"
            f"{after('section 4.3 and figure 5')}"
        )

    def _without(self, data: xr.Dataset) -> str:
        if self.show == "histogram" or not _any_without(data):
            return ""
        return 'A neuron that no frequency explains better than another stands at "none". '


def _dots(axes: Axes, data: xr.Dataset) -> Drawing:
    """A dot a neuron: frequency across, share of variance up."""
    current_style, last = style(), data.sizes["frequency"]
    without = _any_without(data)
    axes.set(xlim=(-1 if without else 0, last + 1), ylim=(0, 1.02))
    axes.set_yticks(*TICKS)
    first, *ticks = frequencies.ticks(last)
    names = ["none" if without else str(first), *map(str, ticks)]
    axes.set_xticks([NO_FREQUENCY if without else first, *ticks], names)
    axes.set_xlabel("frequency of the neuron")
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
    counts = _name_clusters(axes, data)
    none = _above(axes, NO_FREQUENCY, 0.35, color=muted, fontsize=current_style.small)

    def update(i: int) -> None:
        frequency, share = _neurons_at(data, i)
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


def _name_clusters(axes: Axes, data: xr.Dataset) -> dict[int, tuple[Any, Any]]:
    """Texts above the neurons of each key frequency that has room: its name and their number."""
    current_style, counts = style(), {}
    ends = axes.get_xlim()
    em = current_style.pixels(axes, 0.62 * current_style.points)
    width = 3.5 * em / (axes.bbox.width / (ends[1] - ends[0]))
    keys = _neurons.named_keys(data, int((ends[1] - ends[0]) / width))
    places = pushed_apart(list(map(float, keys)), [width] * len(keys), *ends)
    for k, place in zip(keys, places, strict=True):
        colour = frequencies.colour(k, data)
        look: dict[str, Any] = {"fontsize": current_style.points, "fontweight": "bold"}
        name = _above(axes, place, 1.35, color=colour, **look)
        counts[k] = name, _above(axes, place, 0.35, color=colour, fontsize=current_style.small)
    if not keys:
        style().note(axes, "no key frequencies yet", (0, 1), (0, 0.5), color=style().colours.muted)
    return counts


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
        share = _neurons_at(data, i)[1]
        if alone or upright:
            text.set_text(f"{(share >= THRESHOLD).sum()} of {share.size} above {THRESHOLD:g}")

    return Drawing([bars, text], update)


def _over_time(axes: Axes, data: xr.Dataset) -> Drawing:
    """How many neurons are in a cluster over training, and how many join late."""
    share = data["all_neuron_variance_explained"].values
    counts = panels.at_checkpoints(data, (share >= THRESHOLD).sum(axis=1))
    narrow = style().narrow(axes.figure)
    panel = panels.CurvePanel(
        axes, data, {"_clustered": counts}, ylabel="in clusters" if narrow else
        "neurons\nin clusters", phases="none",
        ylim=(0, 1.12 * share.shape[1]), yticks=(0, share.shape[1]),
    )  # fmt: skip
    drawing, learned = panel.along(data["epoch"]), outcome(data).generalised
    if learned is None:
        return drawing
    return Drawing.of(drawing, _joined(axes, data, counts, learned))


def _joined(axes: Axes, data: xr.Dataset, counts: panels.Curve, learned: int) -> Drawing:
    """Where the run generalises, how many are in clusters then and at the end, and between."""
    current_style, colours, epochs = style(), style().colours, data["epoch"].values
    end = _claims.film_end(data)
    before, last = int(counts.y[np.abs(epochs - learned).argmin()]), int(counts.y[end])
    at = float(epochs[end])
    line = axes.axvline(learned, color=colours.test, lw=current_style.line * 0.6, zorder=2.5)
    name = current_style.note(
        axes, "the network generalises", (learned, 1), (0, 0.35), fontweight="bold",
        xycoords=axes.get_xaxis_transform(), color=colours.test,
    )  # fmt: skip
    marks = _marks.draw(
        axes,
        [
            _marks.Mark(learned, before, f"{before}", colours.test, "right", 0.8),
            _marks.Mark(at, last, f"{last}", colours.ink, "right", 0.8),
        ],
        epochs,
    )
    late = _difference(axes, counts, (learned, at), (before, last)) if last > before else []

    def update(i: int) -> None:
        marks.update(i)
        share = learned / axes.get_xlim()[1]
        name.set_ha("left" if share < 0.35 else "right" if share > 0.65 else "center")
        for first, artists in ((learned, (line, name)), (at, late)):
            for artist in artists:
                artist.set_visible(current_style.ghost or bool(epochs[i] >= first))

    return Drawing([*marks.moving, line, name, *late], update)


def _difference(
    axes: Axes, counts: panels.Curve, ends: tuple[float, float], levels: tuple[int, int]
) -> list[Any]:
    """An arrow between two levels with what lies between them, a little before the end."""
    current_style, (before, last) = style(), levels
    x = ends[0] + 0.8 * (ends[1] - ends[0])
    top = float(np.interp(x, counts.x, counts.y))
    colours = current_style.colours
    (level,) = axes.plot(
        ends, [before, before], color=colours.muted, ls=(0, (4, 2)), lw=0.5 * current_style.line,
        zorder=2.4,
    )  # fmt: skip
    look = {"arrowstyle": "<|-|>", "color": colours.ink, "lw": 0.6 * current_style.line,
            "shrinkA": 0, "shrinkB": 0}  # fmt: skip
    arrow = axes.annotate("", (x, before), (x, top), arrowprops=look, zorder=6)
    text = current_style.label(
        axes, x, (before + top) / 2, f"+{last - before}", lift=0.01, ha="right", va="center",
        color=colours.ink, zorder=6,
    )  # fmt: skip
    text.set_position((-0.6 * current_style.small, 0))
    return [level, arrow, text]


def _neurons_at(data: xr.Dataset, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequency and share of every neuron at a checkpoint."""
    frequency = data["all_neuron_frequency"].values[i].astype(int)
    return frequency, data["all_neuron_variance_explained"].values[i].astype(float)


def _counts(data: xr.Dataset, i: int) -> np.ndarray:
    """Neurons by share; one without a frequency has no share."""
    frequency, share = _neurons_at(data, i)
    counts: np.ndarray = np.histogram(share[frequency != NO_FREQUENCY], EDGES)[0]
    return counts.astype(float)


def _any_without(data: xr.Dataset) -> bool:
    """Whether any neuron is ever without a frequency."""
    return bool((data["all_neuron_frequency"].values == NO_FREQUENCY).any())
