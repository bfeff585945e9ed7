"""Every neuron's frequency, and how much of it that frequency explains: clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from jaxtyping import Float, Int

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


COLUMN = 0.92
"""How much of a frequency's place its column takes."""

WIDE = 2.3
"""The place of a key frequency, and of none, is so many times as wide as that of another."""

AIRY = 1.3
"""Rows are at most so many times as far apart as dots side by side, where there is room."""

POOL = 2.6
"""How many ems the grey dots take below the columns."""

PALE = 0.6
"""How much white is in the colour of a neuron that was in its cluster early."""

MOST = 0.5
"""The share of all neurons that have to be in clusters, and of these the share that comes late."""


@dataclass(frozen=True)
class NeuronClusters(Scene):
    """A column of neurons above each frequency, or each by its share beside the histogram."""

    name = "neuron-clusters"
    panels = ("clusters",)
    title = "The neurons divide into clusters, one for each key wave"
    watch = "Each dot is a neuron, in colour once one wave explains 85% of it"
    source = "arXiv:2301.05217, figure 5"
    disputed = (
        "Disputed: in sparse parity a few neurons take over from a dense circuit "
        "(arXiv:2303.11873)."
    )
    loops = True
    needs = (
        "all_neuron_frequency", "all_neuron_variance_explained", "key_neurons",
        "embedding_frequency_norm", "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"5a": {"show": "histogram"}}  # noqa: RUF012
    aspect = 1.7
    narrow_aspect = 0.95
    # fewer panels make a flatter page
    aspects = {  # noqa: RUF012
        "show": {"both": (1.9, 0.7), "neurons": (2.1, 1.0), "histogram": (2.1, 0.8)}
    }
    stills = ("last", "grok-3000")

    show: Literal["columns", "both", "neurons", "histogram"] = option(
        "columns",
        "neurons in columns by frequency, each by frequency and share, the paper's histogram of "
        "shares, or both of these",
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
            sentence = f"{last} of {every} neurons are in the cluster of one wave at the end"
            return Claim.instead(sentence, last=last)
        before = int(clean[np.abs(data["epoch"].values - learned).argmin()])
        numbers = {"last": last, "before": before}
        some = _claims.clusters(len(frequencies.key_frequencies(data)))
        if last - before <= MOST * last:
            sentence = f"Most neurons that join {some} do so before the network generalises"
            return Claim.instead(sentence, **numbers)
        sentence = f"Most neurons join {some} only after the network generalises"
        return Claim(sentence, self._watched(), numbers=numbers)

    def _watched(self) -> str:
        """How to read the picture, in a sentence."""
        own = f"in colour once one wave explains {percent(THRESHOLD)} of it"
        if self.show == "columns":
            grey = f"grey until one wave explains {percent(THRESHOLD)} of it"
            return f"A dot is a neuron, {grey}, pale if before generalising"
        if self.show == "histogram":
            return "Each bar counts the neurons of which one wave explains such a share"
        return f"Each dot is a neuron, {own}"

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A column of neurons a frequency; or a dot a neuron, and how many have which share."""
        if self.show == "columns":
            room = style().panels(
                figure, left=1.6, right=1.6, top=2.8, bottom=timeline.HEIGHT + 3.0 + POOL
            )[0][0]
            strip = timeline.Timeline(figure, data, left=3.0, right=3.0)
            return Drawing.of(_Columns(room, data), strip)
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
        columns = (
            "A dot a neuron: of a cluster in the column of its frequency, pale where it was in one "
            "when the network generalised, of none grey below; key frequencies have wider places. "
            if self.show == "columns" else ""
        )  # fmt: skip
        return (
            "Each neuron's frequency, the one that explains most of the variance of its "
            "activation over (a, b), and that share of variance. Clusters are neurons at "
            f"{THRESHOLD:g} or above. {columns}{self._without(data)}"
            f"{after('section 4.3 and figure 5')}"
        )

    def _without(self, data: xr.Dataset) -> str:
        if self.show in ("columns", "histogram") or not _any_without(data):
            return ""
        return 'A neuron that no frequency explains better than another stands at "none". '


class _Columns:
    """The neurons of a cluster stacked above its frequency, in its colour; the others below."""

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
        self.axes, self.data, self.last = axes, data, data.sizes["frequency"]
        self.first = 1
        colours = style().colours
        keys = frequencies.key_frequencies(data)
        self.edges = slots(self.first, self.last, keys)
        axes.set(xlim=(self.edges[0] - 0.3, self.edges[-1] + 0.3), ylim=(0, 1), yticks=[])
        self.across, self.pitch, size = self._pitch()
        axes.grid(visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xticks([])
        axes.set_xlabel("wave of the neuron", labelpad=(1.7 + POOL) * style().points)
        self.early = np.zeros(data.sizes["all_neuron"], dtype=bool)
        learned = outcome(data).generalised
        if learned is not None:
            at = int(np.abs(data["epoch"].values - learned).argmin())
            self.early = _neurons_at(data, at)[1] >= THRESHOLD
        self.pool, small = self._pool()
        self.rest = axes.scatter(
            [], [], s=small**2, lw=0, color=colours.rest, clip_on=False, zorder=3
        )
        self.dots = axes.scatter([], [], s=size**2, lw=0, clip_on=False, zorder=3)
        full = _rgb([colours.faint, *(frequencies.colour(k, data) for k in keys)])
        pale = (1 - PALE) * full + PALE
        self.faces = np.stack([full, pale])
        self.place_of = np.zeros(self.last + 1, dtype=int)
        self.place_of[keys] = np.arange(1, len(keys) + 1)
        self.names = _name_clusters(axes, data, self._middle)
        for name, _ in self.names.values():
            # below its column, where an axis has its ticks
            name.xy = (name.xy[0], 0)
            name.set_position((0, -(1.3 + POOL) * style().points))
        narrow = style().narrow(axes.figure)
        left = 0 if narrow else 3.4
        self.words = " in clusters", " early (pale)"
        if not narrow:
            self.words = " neurons in clusters", " of them before generalising (pale)"
        self.total = style().note(axes, "", (0, 1), (left, 1.9), color=colours.muted)
        self.learned = learned is not None

    def _middle(self, frequency: Any) -> Any:
        """The middles of some frequencies' places."""
        n = np.asarray(frequency, dtype=int) - self.first
        return (self.edges[n] + self.edges[n + 1]) / 2

    @property
    def moving(self) -> list[Any]:
        return [
            self.dots,
            self.rest,
            self.total,
            *(text for pair in self.names.values() for text in pair),
        ]

    def update(self, i: int) -> None:
        frequency, share = _neurons_at(self.data, i)
        clean = (share >= THRESHOLD) & (frequency != NO_FREQUENCY)
        # in a column: those that were early, then the others of its cluster
        order = np.lexsort((np.arange(len(share)), ~(clean & self.early), frequency))
        order = order[clean[order]]
        self.rest.set_offsets(self.pool[: len(share) - len(order)])
        _, starts, counts = np.unique(frequency[order], return_index=True, return_counts=True)
        place = np.arange(len(order)) - np.repeat(starts, counts)
        across = self.across[frequency[order] - self.first]
        row, column = np.divmod(place, across)
        x = self._middle(frequency[order]) + (column - (across - 1) / 2) * self.wide
        self.dots.set_offsets(np.column_stack([x, (row + 0.7) * self.pitch]))
        face = self.place_of[frequency[order]]
        self.dots.set_facecolor(self.faces[self.early[order].astype(int), face])
        total = f"{len(order)} of {len(share)}{self.words[0]}"
        early = f", {int(self.early[order].sum())}{self.words[1]}"
        self.total.set_text(total + (early if self.learned else ""))
        for k, (name, text) in self.names.items():
            count = int((clean & (frequency == k)).sum())
            # the waves are the axis, so films have them from the start
            name.set_text(str(k))
            text.set_text(str(count) if count or style().ghost else "")
            rows = -(-count // self.across[k - self.first])
            text.xy = (text.xy[0], (rows + 0.4) * self.pitch)

    def _pool(self) -> tuple[Float[np.ndarray, "all_neuron 2"], float]:
        """Places below the axis for neurons of no cluster, from the left, and the size of a dot in
        points: as large as the room for all of them lets it be.
        """
        box, em = self.axes.bbox, style().pixels(self.axes, style().points)
        count, high = self.data.sizes["all_neuron"], (POOL - 0.6) * em
        rows = next(n for n in range(1, count + 1) if int(box.width * n / high) * n >= count)
        size = high / rows
        column, row = np.divmod(np.arange(count), rows)
        left, right = self.axes.get_xlim()
        x = left + (column + 0.5) * size * (right - left) / box.width
        y = -(0.5 * em + (row + 0.5) * size) / box.height
        return np.column_stack([x, y]), 0.8 * size * style().points / em

    def _pitch(self) -> tuple[Int[np.ndarray, " frequency"], float, float]:
        """Dots side by side in each column, how far rows are apart as a share of the height, and a
        dot's size in points: as large as they can be where the highest column of film and still
        just fits.
        """
        shown = self.data["epoch"].values <= panels.horizon(self.data)
        shown[-1] = True
        count = self.last + 1 - self.first
        most = np.zeros(count, dtype=int)
        for i in np.flatnonzero(shown).tolist():
            frequency, share = _neurons_at(self.data, i)
            clean = (share >= THRESHOLD) & (frequency != NO_FREQUENCY)
            most = np.maximum(most, np.bincount(frequency[clean] - self.first, minlength=count))
        box = self.axes.bbox
        unit = box.width / float(np.ptp(self.axes.get_xlim()))
        room = COLUMN * unit * np.diff(self.edges)
        sizes = np.geomspace(room.max(), room.min() / 12, 400)
        across = np.maximum((room / sizes[:, None]).astype(int), 1)
        rows = (-(-most // across)).max(axis=1) + 0.6
        fits = (rows * sizes <= box.height) & (sizes <= room.min())
        n = int(np.argmax(fits)) if fits.any() else len(sizes) - 1
        self.wide = float(sizes[n]) / unit
        points = float(sizes[n]) * style().points / style().pixels(self.axes, style().points)
        pitch = min(box.height / float(rows[n]), AIRY * float(sizes[n])) / box.height
        return across[n], pitch, 0.94 * points


def slots(first: int, last: int, keys: Sequence[int]) -> Float[np.ndarray, " edge"]:
    """Edges of the places of the frequencies from ``first`` to ``last``, the wide ones wider."""
    wide = [WIDE if k in {*keys, NO_FREQUENCY} else 1.0 for k in range(first, last + 1)]
    edges: np.ndarray = np.concatenate([[0.0], np.cumsum(wide)])
    return edges


def _name_frequencies(axes: Axes, last: int, *, none: bool) -> None:
    """Ticks of an axis of frequencies, and where neurons without one stand."""
    first, *ticks = frequencies.ticks(last)
    names = ["none" if none else str(first), *map(str, ticks)]
    axes.set_xticks([NO_FREQUENCY if none else first, *ticks], names)
    axes.set_xlabel("frequency of the neuron")


def _rgb(colours: Sequence[str]) -> Float[np.ndarray, "colour 3"]:
    """Colours as numbers from 0 to 1."""
    from matplotlib.colors import to_rgba_array

    return np.asarray(to_rgba_array(list(colours)))[:, :3]


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


def _name_clusters(
    axes: Axes, data: xr.Dataset, middle: Callable[[Any], Any] = np.asarray
) -> dict[int, tuple[Any, Any]]:
    """Texts above the neurons of each key frequency that has room: its name and their number."""
    current_style, counts = style(), {}
    ends = axes.get_xlim()
    em = current_style.pixels(axes, 0.62 * current_style.points)
    width = 3.5 * em / (axes.bbox.width / (ends[1] - ends[0]))
    keys = _neurons.named_keys(data, int((ends[1] - ends[0]) / width))
    places = pushed_apart([float(middle(k)) for k in keys], [width] * len(keys), *ends)
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
