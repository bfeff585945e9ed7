"""Neurons in columns, one for each wave, and how the clusters are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.modular_addition import _neurons
from jaxtyping import Float, Int

from grokviz.scene import frequencies, panels, style
from grokviz.scene.layout import pushed_apart
from grokviz.scene.outcome import outcome
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY, THRESHOLD

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

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


class Columns:
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
            self.early = neurons_at(data, at)[1] >= THRESHOLD
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
        self.names = name_clusters(axes, data, self._middle)
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
        frequency, share = neurons_at(self.data, i)
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
            frequency, share = neurons_at(self.data, i)
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


def _rgb(colours: Sequence[str]) -> Float[np.ndarray, "colour 3"]:
    """Colours as numbers from 0 to 1."""
    from matplotlib.colors import to_rgba_array

    return np.asarray(to_rgba_array(list(colours)))[:, :3]


def name_clusters(
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
        name = above(axes, place, 1.35, color=colour, **look)
        counts[k] = name, above(axes, place, 0.35, color=colour, fontsize=current_style.small)
    if not keys:
        style().note(axes, "no key frequencies yet", (0, 1), (0, 0.5), color=style().colours.muted)
    return counts


def above(axes: Axes, x: float, up: float, **text_style: Any) -> Any:
    """An empty text at ``x``, so many ems above the panel."""
    return axes.annotate(
        "", (x, 1.02), xytext=(0, up * style().points), xycoords="data",
        textcoords="offset points", ha="center", va="baseline", annotation_clip=False,
        **text_style,
    )  # fmt: skip


def neurons_at(data: xr.Dataset, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequency and share of every neuron at a checkpoint."""
    frequency = data["all_neuron_frequency"].values[i].astype(int)
    return frequency, data["all_neuron_variance_explained"].values[i].astype(float)
