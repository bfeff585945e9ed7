"""The map from neurons to logits: a few waves, each written by its own cluster of neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import Bars
from grokviz.scene.drawing import Part
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


MOST = 0.9
"""The share of the map that the key waves have to hold, and of a cluster its own wave."""


@dataclass(frozen=True)
class NeuronLogitMap(Scene):
    """W_L = W_U W_out in the Fourier basis: its rows by cluster; norms of its waves if wished."""

    name = "neuron-logit-map"
    panels = ("logit-map",)
    title = "Each cluster of neurons writes one wave into the answer"
    watch = "A column is one neuron, lit where it adds a row's wave to the answers"
    source = "arXiv:2301.05217, figures 3 and 5"
    loops = True
    needs = (
        "neuron_logit_component_norm", "neuron_logit_key", "all_neuron_cluster", "key_neurons",
        "embedding_frequency_norm", "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"3b": {"show": "bars"}, "5b": {"show": "heatmap"}}  # noqa: RUF012
    clock = "field_epoch"
    aspect = 1.75
    narrow_aspect = 0.85
    stills = ("last", "grok-3000")

    show: Literal["both", "bars", "heatmap"] = option(
        "heatmap", "the key rows for every neuron, norms of all waves, or both"
    )

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the map the key waves hold, and whether each cluster keeps to its own."""
        before, share = (_key_share(data, int(data["field_epoch"].values[i])) for i in (0, -1))
        own = _own_shares(data, -1)
        numbers = {"share": share, "own": min(own.values(), default=0.0)}
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, **numbers)
        if not own:
            return Claim.instead("No wave of the map to the logits is a key frequency", **numbers)
        held = f"hold {_neurons.floored_percent(share)} of what the neurons write"
        if not (share >= MOST and share >= 2 * before):
            return Claim.instead(f"{len(own)} key waves {held}", self.watch, **numbers)
        count = f"{len(own)} of {data.sizes['frequency']} waves"
        if not numbers["own"] >= MOST:
            return Claim.instead(f"{count} {held}", self.watch, **numbers)
        watch = self.watch if self.show != "bars" else f"{count} come to {held}"
        return Claim(self.title, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The clusters, the bars, or bars above clusters; bars while there are no key waves."""
        show = self.show if frequencies.key_frequencies(data) else "bars"
        heights = (1, 3) if show == "both" else (1,)
        rooms = style().stack(
            figure, heights, left=6.0, vgap=5.6, top=1.8 if show == "heatmap" else 0.8,
            bottom=3.3 if show == "bars" else 2.9 if style().narrow(figure) else 1.5,
        )  # fmt: skip
        parts = list[Part]()
        if show != "heatmap":
            parts.append(_norms(rooms[0], data))
        if show != "bars":
            parts.append(_clusters(rooms[-1], data))
        return Drawing.of(*parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The share of the map in the key waves, and of each cluster in its own."""
        epoch = int(data["field_epoch"].values[i])
        norms = data["neuron_logit_component_norm"].sel(epoch=epoch).values.astype(float)
        sizes = {k: int((data["all_neuron_cluster"].values == k).sum()) for k in _keys(data)}
        words = [
            f"{sizes[k]} of frequency {k} {percent(s)}" for k, s in _own_shares(data, i).items()
        ]
        what = (
            f"The neuron-logit map in the Fourier basis at {clocks.at(data, 'field_epoch', i)}: "
            f"the largest norm of a wave is {np.nan_to_num(norms[1:]).max():.3g}."
        )
        if not words:
            return f"{what} There are no key frequencies."
        return (
            f"{what} The key frequencies {', '.join(map(str, sizes))} hold "
            f"{_key_share(data, epoch):.1%} of its squares. Of what a cluster of neurons writes "
            f"into the key rows its own two hold: {'; '.join(words)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        norms = "norm over the neurons of each wave, cosine and sine"
        rows = (
            "the rows of the key frequencies, neurons by cluster and, within it, by phase in the "
            "last checkpoint"
        )
        shown = {"both": f"above: {norms}; below: {rows}", "bars": norms, "heatmap": rows}
        return (
            "The neuron-logit map $W_L = W_U W_{out}$ in the Fourier basis over the classes: "
            f"{shown[self.show]}. {after('figures 3 and 5')}"
        )


_keys = frequencies.key_frequencies


def _key_share(data: xr.Dataset, epoch: int) -> float:
    """The share of the map's squares that the key frequencies hold."""
    norms = data["neuron_logit_component_norm"].sel(epoch=epoch).values.astype(float)
    power = np.square(norms[1::2]) + np.square(norms[2::2])
    return float(power[[k - 1 for k in _keys(data)]].sum() / max(np.square(norms).sum(), 1e-30))


def _own_shares(data: xr.Dataset, i: int) -> dict[int, float]:
    """Of what each cluster writes into the key rows, the share of its own two."""
    shares, rows = {}, data["neuron_logit_key"].values[i].astype(float)
    for n, k in enumerate(_keys(data)):
        power = np.square(rows[:, data["all_neuron_cluster"].values == k])
        shares[k] = float(power[2 * n : 2 * n + 2].sum() / max(power.sum(), 1e-30))
    return shares


def _norms(axes: Axes, data: xr.Dataset) -> Drawing:
    """The norm of every cosine and sine, with a trace of where each has been.

    Where the future is not drawn a key frequency has its colour and its name while it is larger
    than all that are none.
    """
    from matplotlib.ticker import MaxNLocator

    rest = style().colours.rest
    norms = data["neuron_logit_component_norm"].sel(epoch=data["field_epoch"].values)
    heights = norms.values[:, 1:].astype(float)
    last = heights.shape[1] // 2
    k = np.repeat(np.arange(1, last + 1), 2)
    colours = {f: frequencies.colour(f, data) for f in _keys(data)}
    face = [colours.get(int(f), rest) for f in k]
    bars = Bars(axes, k + np.tile([-0.2, 0.2], last), heights, face, width=0.36, trace=0)
    inside = data["field_epoch"].values <= panels.horizon(data)
    axes.set(xlim=(0.2, last + 0.8), ylim=(0, _top(heights[inside])))
    axes.set_xticks(frequencies.ticks(last))
    sides = "" if style().narrow(axes.figure) else ": cosine left, sine right"
    axes.set_xlabel(
        f"frequency over the classes{sides}", labelpad=0, loc="left" if sides else "center"
    )
    axes.set_ylabel("norm in $W_L$")
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    names = _name_keys(axes, data)
    # under the axis at its right end
    held = style().note(
        axes, "", (1, 0), (0, -2.55), ha="right", color=style().colours.muted,
        visible=bool(colours) and not style().narrow(axes.figure),
    )  # fmt: skip
    epochs = data["field_epoch"].values

    def share(i: int) -> None:
        part = _neurons.floored_percent(_key_share(data, int(epochs[i])))
        held.set_text(f"in colour: {part} of the squares")

    if style().ghost:
        return Drawing.of(Drawing(bars.moving, bars.update), Drawing([held], share))
    leading = _leading(heights, list(colours))

    def update(i: int) -> None:
        share(i)
        now = [colours[int(f)] if leading[i].get(int(f)) else rest for f in k]
        for collection in bars.moving:
            collection.set_facecolor(now)
        for f, name in names.items():
            name.set_visible(leading[i][f])
        bars.update(i)

    return Drawing([bars.moving, held, *names.values()], update)


def _top(heights: np.ndarray) -> float:
    """The end of the axis of the norms."""
    return 1.05 * float(heights[np.isfinite(heights)].max(initial=0)) or 1.0


def _leading(heights: np.ndarray, keys: list[int]) -> list[dict[int, bool]]:
    """For each moment which key frequencies are larger than all others."""
    norms = np.hypot(heights[:, 0::2], heights[:, 1::2])
    others = np.delete(norms, [k - 1 for k in keys], axis=1)
    most = others.max(axis=1, initial=0)
    return [{k: bool(row[k - 1] > bar) for k in keys} for row, bar in zip(norms, most, strict=True)]


def _name_keys(axes: Axes, data: xr.Dataset) -> dict[int, Any]:
    """Key frequencies above the axes, apart from their neighbours, as many as have room."""
    current_style = style()
    em = current_style.pixels(axes, current_style.points)
    pitch = axes.bbox.width / (axes.get_xlim()[1] - axes.get_xlim()[0])
    keys = _neurons.named_keys(data, int(axes.bbox.width / (1.7 * em)))
    wide = [1.7 * em / pitch] * len(keys)
    places = pushed_apart([float(k) for k in keys], wide, *axes.get_xlim())
    if not keys:
        current_style.note(
            axes, "no key frequencies yet", (1, 1), (0, -1.2), ha="right",
            color=current_style.colours.muted,
        )  # fmt: skip
    return {
        k: axes.annotate(
            str(k), (place, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom",
            xytext=(0, -0.2 * current_style.points), textcoords="offset points", fontweight="bold",
            color=frequencies.colour(k, data),
        )
        for k, place in zip(keys, places, strict=True)
    }  # fmt: skip


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
    top = float(np.nanquantile(np.abs(rows[-1]), 0.998)) if np.isfinite(rows[-1]).any() else 0.0
    image.set_clim(*np.array([-1, 1]) * max(top, 1e-9))
    axes.invert_yaxis()
    ends = (f"\u2212{top:.2g}", f"{top:.2g}")
    grids.colour_bar(axes, image, "weight", ends, drop=1.75 if narrow else 0.25)
    _name_rows(axes, data)
    ends, brackets = np.cumsum(np.bincount(place, minlength=len(keys) + 1)), {}
    for n, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        if end == start:
            continue
        named = n < len(keys)
        colour = current_style.colours.muted
        if named:
            colour = frequencies.colour(keys[n], data)
        text = f"{end - start} {'neurons' if named else 'others'}"
        brackets[keys[n] if named else NO_FREQUENCY] = _bracket(axes, (start, end), colour, text)
    where = "neurons, by the cluster they end in"
    axes.set_xlabel(
        where if narrow else f"{where} and their phase", labelpad=0.3 * current_style.points,
        loc="center" if narrow else "left",
    )  # fmt: skip
    current_style.note(
        axes, "waves", (0, 1), (-0.3, 0.3), ha="right", linespacing=1.0,
        color=current_style.colours.muted,
    )  # fmt: skip

    def update(i: int) -> None:
        image.set_data(rows[i][:, order])
        if not current_style.ghost:
            own = _own_shares(data, i)
            own[NO_FREQUENCY] = min(own.values())
            for k, artists in brackets.items():
                for artist in artists:
                    artist.set_visible(own[k] >= MOST)

    return Drawing([image, *brackets.values()], update)


def _name_rows(axes: Axes, data: xr.Dataset) -> None:
    """The cosine and sine of each row, in its frequency's colour, where the rows have room."""
    current_style, names = style(), [str(c) for c in data["key_component"].values]
    if len(names) * current_style.pixels(axes, current_style.small) > axes.bbox.height:
        axes.set_ylabel(f"waves of {len(names) // 2} key frequencies")
        return
    axes.set_yticks(range(len(names)), names)
    for n, label in enumerate(axes.get_yticklabels()):
        label.set_color(frequencies.colour(_keys(data)[n // 2], data))
    axes.tick_params(pad=0.3 * current_style.points)


def _bracket(axes: Axes, span: tuple[int, int], colour: str, text: str) -> tuple[Any, Any]:
    """A line over some of the neurons, and their number, in words where these have room."""
    start, end = span
    current_style = style()
    (line,) = axes.plot(
        [start, end - 1], [1.02, 1.02], transform=axes.get_xaxis_transform(), color=colour,
        lw=current_style.line, clip_on=False, solid_capstyle="butt",
    )  # fmt: skip
    em = current_style.pixels(axes, current_style.small)
    room = (end - start) * axes.bbox.width / np.ptp(axes.get_xlim())
    fitting = [one for one in (text, text.split()[0], "") if room >= 0.57 * em * len(one)]
    name = axes.annotate(
        fitting[0], ((start + end - 1) / 2, 1.02), ha="center", va="bottom",
        xycoords=("data", "axes fraction"), textcoords="offset points",
        xytext=(0, 0.25 * current_style.points), color=colour, fontsize=current_style.small,
    )  # fmt: skip
    return line, name
