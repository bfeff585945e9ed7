"""The map from neurons to logits: a few waves, each written by its own cluster of neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after

from grokviz.scene import Drawing, Scene, frequencies, grids, option, panels, style
from grokviz.scene.bars import Bars
from grokviz.scene.drawing import Part
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


@dataclass(frozen=True)
class NeuronLogitMap(Scene):
    """W_L = W_U W_out in the Fourier basis: norms of its waves, and its rows by cluster."""

    name = "neuron-logit-map"
    panels = ("logit-map",)
    title = "Each cluster of neurons writes one wave into the logits"
    watch = "above, all waves but a few fade; below, each cluster keeps to two rows"
    source = "arXiv:2301.05217, figures 3 and 5"
    loops = True
    needs = (
        "neuron_logit_component_norm", "neuron_logit_key", "all_neuron_cluster", "key_neurons",
        "embedding_frequency_norm", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"3b": {"show": "bars"}, "5b": {"show": "heatmap"}}  # noqa: RUF012
    clock = "field_epoch"
    aspect = 1.75
    narrow_aspect = 0.85
    stills = ("grok-3000", "last")

    show: Literal["both", "bars", "heatmap"] = option(
        "both", "norms of the waves, the key rows for every neuron, or both"
    )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Bars above, clusters below."""
        heights = (1, 1.25) if self.show == "both" else (1,)
        rooms = style().stack(
            figure, heights, left=4.9, vgap=5.4, top=1.6 if self.show == "heatmap" else 0.8,
            bottom=3.3 if self.show == "bars" else 1.5,
        )  # fmt: skip
        parts: list[Part] = []
        if self.show != "heatmap":
            parts.append(_norms(rooms[0], data))
        if self.show != "bars":
            parts.append(_clusters(rooms[-1], data))
        return Drawing.of(*parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The share of the map in the key waves, and of each cluster in its own."""
        epoch = int(data["field_epoch"].values[i])
        norms = data["neuron_logit_component_norm"].sel(epoch=epoch).values.astype(float)
        power = np.square(norms[1::2]) + np.square(norms[2::2])
        keys = frequencies.key_frequencies(data)
        share = power[[k - 1 for k in keys]].sum() / max(np.square(norms).sum(), 1e-30)
        rows, words = data["neuron_logit_key"].values[i].astype(float), []
        for n, k in enumerate(keys):
            own = rows[:, data["all_neuron_cluster"].values == k]
            part = np.square(own[2 * n : 2 * n + 2]).sum() / max(np.square(own).sum(), 1e-30)
            words.append(f"{own.shape[1]} of frequency {k} with {part:.0%}")
        return (
            f"The neuron-logit map in the Fourier basis at epoch {epoch}. The key frequencies "
            f"{', '.join(map(str, keys))} hold {share:.1%} of its squares, and "
            f"the largest norm of a wave is {norms[1:].max():.3g}. Of what each cluster "
            "of neurons writes into the key rows its own two hold most or not: "
            f"{'; '.join(words)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "The neuron-logit map $W_L = W_U W_{out}$ in the Fourier basis over the classes. "
            "Above: norm over the neurons of each wave, cosine and sine. Below: the rows of the "
            "key frequencies, neurons by cluster and, within it, by phase in the last "
            f"checkpoint. {after('figures 3 and 5')}"
        )


def _norms(axes: Axes, data: xr.Dataset) -> Bars:
    """The norm of every cosine and sine, with a trace of where each has been."""
    from matplotlib.ticker import MaxNLocator

    keys, rest = frequencies.key_frequencies(data), style().colours.rest
    norms = data["neuron_logit_component_norm"].sel(epoch=data["field_epoch"].values)
    heights = norms.values[:, 1:].astype(float)
    last = heights.shape[1] // 2
    k = np.repeat(np.arange(1, last + 1), 2)
    face = [frequencies.colour(int(f), data) if f in keys else rest for f in k]
    bars = Bars(axes, k + np.tile([-0.2, 0.2], last), heights, face, width=0.36)
    inside = data["field_epoch"].values <= panels.horizon(data)
    axes.set(xlim=(0.2, last + 0.8), ylim=(0, 1.05 * float(heights[inside].max())))
    axes.set_xticks(frequencies.ticks(last))
    sides = "" if style().narrow(axes.figure) else ": cosine left, sine right"
    axes.set_xlabel(f"frequency over the classes{sides}", labelpad=0)
    axes.set_ylabel("norm in $W_L$")
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    _name_keys(axes, data, keys)
    return bars


def _name_keys(axes: Axes, data: xr.Dataset, keys: list[int]) -> None:
    """Key frequencies above the axes, apart from their neighbours."""
    current_style = style()
    em = current_style.pixels(axes, current_style.points)
    pitch = axes.bbox.width / (axes.get_xlim()[1] - axes.get_xlim()[0])
    wide = [1.7 * em / pitch] * len(keys)
    places = pushed_apart([float(k) for k in keys], wide, *axes.get_xlim())
    for k, place in zip(keys, places, strict=True):
        axes.annotate(
            str(k), (place, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom",
            xytext=(0, -0.2 * current_style.points), textcoords="offset points", fontweight="bold",
            color=frequencies.colour(k, data),
        )  # fmt: skip


def _clusters(axes: Axes, data: xr.Dataset) -> Drawing:
    """The key rows for every neuron: cluster by cluster, within it by phase."""
    current_style, keys = style(), frequencies.key_frequencies(data)
    narrow = current_style.narrow(axes.figure)
    rows, cluster = data["neuron_logit_key"].values, data["all_neuron_cluster"].values
    place = np.array([keys.index(k) if k in keys else len(keys) for k in cluster.tolist()])
    row = 2 * np.minimum(place, len(keys) - 1)
    each = np.arange(len(cluster))
    turned = rows[-1] + 0.0  # a zero of either sign is one phase
    phase = np.arctan2(turned[row + 1, each], turned[row, each])
    order = np.lexsort((phase, place))
    image = grids.heat(axes, rows.shape[1:], diverging=True)
    image.set_clim(*np.array([-1, 1]) * float(np.quantile(np.abs(rows[-1]), 0.998)))
    axes.invert_yaxis()
    axes.set_yticks(range(rows.shape[1]), [str(c) for c in data["key_component"].values])
    for n, label in enumerate(axes.get_yticklabels()):
        label.set_color(frequencies.colour(keys[n // 2], data))
    axes.tick_params(pad=0.3 * current_style.points)
    ends = np.cumsum(np.bincount(place, minlength=len(keys) + 1))
    for n, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        if end == start:
            continue
        named = n < len(keys)
        colour = current_style.colours.muted
        if named:
            colour = frequencies.colour(keys[n], data)
        _bracket(axes, start, end, colour, f"{end - start}{'' if named or narrow else ' others'}")
    axes.set_xlabel("neurons, cluster by cluster", labelpad=0.3 * current_style.points)
    return Drawing([image], lambda i: image.set_data(rows[i][:, order]))


def _bracket(axes: Axes, start: int, end: int, colour: str, text: str) -> None:
    """A line over some of the neurons, with their number."""
    current_style = style()
    axes.plot(
        [start, end - 1], [1.02, 1.02], transform=axes.get_xaxis_transform(), color=colour,
        lw=current_style.line, clip_on=False, solid_capstyle="butt",
    )  # fmt: skip
    axes.annotate(
        text, ((start + end - 1) / 2, 1.02), xycoords=("data", "axes fraction"), ha="center",
        va="bottom", xytext=(0, 0.25 * current_style.points), textcoords="offset points",
        color=colour, fontsize=current_style.small,
    )  # fmt: skip
