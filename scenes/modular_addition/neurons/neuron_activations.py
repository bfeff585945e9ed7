"""The thread's neurons: each a periodic function of a and b, of one frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from jaxtyping import Bool

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY, THRESHOLD

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


MOST = 0.5
"""The share of all neurons that have to be waves for the sentence to speak of the neurons."""

ROW = 5
"""So many neurons or fewer stand in one row of a slide, with the first moment above them."""

COUNTS, COUNTS_NARROW = 9.4, 11.5
"""How high the counts over epochs are with their axis, in ems."""

LINES, ABOVE = 2.55, 1.55
"""How far the name of a frequency is above its panel, in ems, and the count, in small ones."""

BLANK = 0.1
"""A neuron that is active for fewer of the pairs at first has a panel that is nearly blank."""


@dataclass(frozen=True)
class NeuronActivations(Scene):
    """Activations of chosen neurons over all pairs (a, b), and how many neurons are such waves."""

    name = "neuron-activations"
    panels = ("neuron", "spectrum")
    title = "Most neurons come to follow one wave each"
    watch = "Each hill is one neuron over all pairs; below, how many follow which wave"
    source = "thread, tweet 10; arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "all_neuron_cluster", "all_neuron_frequency",
        "all_neuron_variance_explained", "embedding_frequency_norm", "logged_train_loss",
        "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"4b": {"order": "number", "most": 5, "counts": False}}  # noqa: RUF012
    clock = "field_epoch"
    aspect = 2.05
    narrow_aspect = 1.2
    aspects = {  # noqa: RUF012
        "counts": {True: (1.9, 0.74)}, "most": dict.fromkeys(range(6, 13), (1.8, 0.7)),
    }  # fmt: skip
    stills = ("last", "grok-3000")

    most: int = option(
        ROW,
        "how many of the stored neurons to show, of each frequency in turn",
    )
    first: bool = option(False, "above a single row of neurons, the same at the first moment")
    counts: bool = option(True, "below them how many of all neurons follow which wave, over epochs")
    order: Literal["number", "phase"] = option(
        "phase", "a and b in order, or k a and k b mod p at the neuron's own frequency k"
    )

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 12:
            raise ValueError(f"most={self.most} is not possible; give 1 to 12")

    def claim(self, data: xr.Dataset) -> Claim:
        """How many of all neurons are waves of one frequency, of a run that generalised."""
        waves = data["all_neuron_cluster"].values > NO_FREQUENCY
        count, share = int(waves.sum()), float(waves.mean())
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, share=share)
        if share < MOST:
            sentence = f"{count} of {waves.size} neurons are waves of one frequency"
            return Claim.instead(sentence, share=share)
        return Claim(self.title, self._watch(data), numbers={"share": share})

    def _watch(self, data: xr.Dataset) -> str:
        """What a wave looks like in this order of a and b."""
        if self.order == "number":
            return "A wave of frequency k has k periods along a, and along b: a bump is a period"
        if not self.counts:
            p = data.sizes["row"] // 2
            return (
                f"Each panel is one neuron, a and b in the order of k\u00b7a and k\u00b7b mod {p}"
            )
        return self.watch

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A heatmap a neuron, its frequency above it."""
        p, narrow = data.sizes["row"] // 2, style().narrow(figure)
        shown, columns = self._order(data, figure)
        two = self.first and len(shown) == columns
        order = np.concatenate([shown, shown]) if two else shown
        room: grids.GridKeywords = {"top": 2.5, "vgap": 2.5}
        if two:
            room = {
                "left": 4.2 if narrow else 5.9,
                "right": 0.6,
                "top": 3.5,
                "vgap": 1.3 if narrow else 2.5,
            }
        # with names between rows there is room for two and a half pixels a cell, not for three
        cells = (p + 1) // 2 if len(order) > columns else p
        if self.counts:
            below = COUNTS_NARROW if narrow else COUNTS
            room["share"] = (0, below / style().ems(figure)[1], 1, 1)
            room["bottom"] = 1.4
        axes = grids.square_axes(figure, len(order), columns, cells, **room)
        maps = [_Map(ax, data, int(n)) for ax, n in zip(axes, order, strict=True)]
        last = (len(order) - 1) // columns * columns
        for first in {0, last} if two else {last}:
            names = _neurons.input_names(axes[first], p, self.order)
            grids.name_inputs(axes[first], p - 1, *names)
            ends = ("0", str(p - 1)) if self.order == "number" else ("", "")
            _turn_names(axes[first], p - 1, names, ends, below=first == last)
        if not narrow and len(order) - last > 1 and not self.counts:
            self._explain(maps, counted=two, wide=len(order) - last > 3)
        drawing = self._drawing(data, maps, columns if two else 0)
        return Drawing.of(drawing, _counts(figure, data)) if self.counts else drawing

    def _explain(self, maps: list[_Map], *, counted: bool, wide: bool) -> None:
        """Below the last row: what its colours mean, and which neurons are counted."""
        words = "activation"
        if wide:
            share = f"explained: by frequency k (counted: {percent(THRESHOLD)}+)"
            words = (
                f"{share if counted else '% of variance explained by k'};  activation, per panel"
            )
        grids.colour_bar(maps[-1].image.axes, maps[-1].image, words, ("0", "max"))

    def _drawing(self, data: xr.Dataset, maps: list[_Map], above: int) -> Drawing:
        """What moves: all maps but those of the first moment, of which so many stand above."""
        still, moving = maps[:above], maps[above:]
        phase, activations = self.order == "phase", fields.activations(data, 0)
        last = fields.activations(data, data.sizes["field_epoch"] - 1)
        for each in maps if phase else ():
            each.turn = _neurons.to_the_middle(last[each.neuron], each.k)
        for each in still:
            each.show(activations[each.neuron], phase=phase)
        label = _name_rows(data, still, moving) if still else None

        def update(i: int) -> None:
            activations = fields.activations(data, i)
            for each in moving:
                each.show(activations[each.neuron], phase=phase)
            if label is not None:
                label.set_text(_claims.moment(data, i, "field_epoch"))

        parts = [each.moving for each in moving]
        return Drawing([*parts, *([] if label is None else [label])], update)

    def _order(self, data: xr.Dataset, figure: FigureBase) -> tuple[np.ndarray, int]:
        """Places of the neurons of a grid, and its columns; one row where they are few enough."""
        narrow = style().narrow(figure)
        most = min(self.most, 9) if narrow else self.most
        row = 3 if narrow else ROW
        few = self.first and row < most <= ROW
        return _neurons.neurons_in_columns(data, row if few else most, figure, self._later(data))

    def _later(self, data: xr.Dataset) -> Bool[np.ndarray, " neuron"] | None:
        """With the first moment above: which are not the most active of their frequency then."""
        if not self.first or self.most > ROW:
            return None
        active, frequency = np.round(_neurons.activity(data), 2), data["neuron_frequency"].values
        most = {k: active[frequency == k].max() for k in np.unique(frequency)}
        later: np.ndarray = active < np.array([most[k] for k in frequency])
        return later

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of each shown neuron its frequency explains at that epoch."""
        activations, frequency = fields.activations(data, i), data["neuron_frequency"].values
        neurons = _neurons.neurons_in_turn(data, self.most, self._later(data))
        largest = [float(activations[n].max()) for n in neurons]
        reach = f"the largest activations are {min(largest):.2g} to {max(largest):.2g}."
        what = (
            f"Heatmaps over a and b of the activations of {len(largest)} neurons at "
            f"{clocks.at(data, 'field_epoch', i)}"
        )
        waves = [n for n in neurons if frequency[n] != NO_FREQUENCY]
        if not waves:
            return f"{what}, none of which has a frequency; {reach}"
        shares = [_neurons.own_share(activations[n], int(frequency[n])) for n in waves]
        keys = sorted({int(frequency[n]) for n in waves})
        return (
            f"{what}, of the frequencies {', '.join(map(str, keys))}. Its frequency explains "
            f"{percent(min(shares))} to {percent(max(shares))} of a neuron's variance; {reach}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        p = data.sizes["row"] // 2
        order = (
            ""
            if self.order == "number"
            else ", a and b in the order of k a and k b mod p, turned so that the last bump is in "
            "the middle"
        )
        first = "" if self._later(data) is None else ", of each the most active at the first moment"
        return (
            f"Activations at '=' after the ReLU over all {p} x {p} pairs (a, b), of neurons that "
            f"show their frequency best{first}{order}; each map runs from 0 to the neuron's "
            "largest activation. In per cent: the share of its variance that frequency k explains; "
            f"counted are neurons with {percent(THRESHOLD)} or more at the end. "
            f"{after('figure 4, and the thread, tweet 10')}"
        )


class _Map:
    """One neuron's activations over the pairs, its frequency, and how much that explains."""

    def __init__(self, axes: Axes, data: xr.Dataset, neuron: int) -> None:
        p = data.sizes["row"] // 2
        self.neuron, self.k = neuron, int(data["neuron_frequency"].values[neuron])
        self.turn = (0, 0)
        self.image = grids.heat(axes, (p, p))
        self.name = _neurons.name_frequency(axes, self.k, data)
        self.colour = self.name.get_color()
        current_style = style()
        # right above its own panel, below the frequency's name
        wide = axes.bbox.width / current_style.pixels(axes, current_style.small)
        self.words = " explained" if wide > 7.5 else ""
        self.share = grids.figure_above(axes, left=True)
        self.share.set(fontsize=current_style.small, fontweight="normal")
        self.share.set_position((0, 0.35 * current_style.points))
        self.name.set_position((0, 1))
        axes.set_title(self.name.get_text(), pad=1.4 * current_style.points)
        self.silent = current_style.note(
            axes, "inactive", (0.5, 0.5), ha="center", va="center",
            color=current_style.colours.muted,
        )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        return [self.image, self.name, self.share, self.silent]

    def show(self, field: np.ndarray, *, phase: bool) -> None:
        """Set the activations over (a, b); with ``phase`` in the order of its frequency."""
        ordered = _neurons.in_phase(field, self.k if phase else 0)
        self.image.set_data(np.roll(ordered, self.turn, axis=(0, 1)).T)
        self.image.set_clim(0, max(float(np.nan_to_num(field).max()), 1e-9))
        share = _neurons.own_share(field, self.k)
        _neurons.tint(self.name, self.colour, share)
        # an inactive neuron has no variance to explain
        known = self.k and field.any()
        self.share.set_text(f"{_neurons.floored_percent(share)}{self.words}" if known else "")
        self.share.set_visible(bool(known))
        self.silent.set_visible(not field.any())


def _turn_names(
    axes: Axes, last: int, names: tuple[str, str], ends: tuple[str, str], *, below: bool
) -> None:
    """The names up the side in its direction; those along the other only ``below`` the last row."""
    # 0 is narrower than the last number
    places = [0, (0.43 if any(ends) else 0.5) * last, last]
    axes.set_yticks(places, [ends[0], names[1], ends[1]], rotation=90)
    if below:
        axes.set_xticks(places, [ends[0], names[0], ends[1]])
    else:
        axes.set_xticks([])


def _name_rows(data: xr.Dataset, still: list[_Map], moving: list[_Map]) -> Any:
    """The moments of both rows at their left; frequencies and counts stand above both."""
    cluster = data["all_neuron_cluster"].values
    for above, each in zip(still, moving, strict=True):
        each.name.set_visible(False)
        each.name = above.name
        if above.words:
            above.name.set_y(1)
            above.image.axes.set_title(above.name.get_text(), pad=LINES * style().points)
            count = int((cluster == above.k).sum()) if above.k != NO_FREQUENCY else 0
            style().note(above.image.axes, f"{count} neurons", (0, 1), (0, ABOVE))
    if still[0].words:
        _note_blank(data, still)
    look: dict[str, Any] = {"rotation": 90, "ha": "right", "va": "center", "fontweight": "bold"}
    first, label = (
        style().note(row[0].image.axes, "", (0, 0.5), (-2.0, 0), **look) for row in (still, moving)
    )
    first.set_text(_claims.moment(data, 0, "field_epoch"))
    return label


def _note_blank(data: xr.Dataset, still: list[_Map]) -> None:
    """Below the first moment: of how many neurons the panel is nearly blank, and why."""
    active = _neurons.activity(data)[[each.neuron for each in still]]
    blank = int((active < BLANK).sum())
    if blank:
        words = (
            f"{blank} of these {len(still)} are silent for over {percent(1 - BLANK)} of the inputs"
        )
        grids.note(still[-1].image.axes, words)


def _counts(figure: FigureBase, data: xr.Dataset) -> Drawing:
    """Bands over epochs: the share of all neurons that follow each wave, one above another."""
    from matplotlib.collections import PolyCollection

    narrow, high = style().narrow(figure), style().ems(figure)[1]
    below = (COUNTS_NARROW if narrow else COUNTS) - 1.6
    axes = style().panels(
        figure, left=4.6, right=1.4 if narrow else 9.6, top=high - below, bottom=3.0
    )[0][0]  # fmt: skip
    epochs, keys = data["epoch"].values.astype(float), frequencies.key_frequencies(data)
    clean = data["all_neuron_variance_explained"].values >= THRESHOLD
    wave = data["all_neuron_frequency"].values
    groups = [(clean & (wave == k), frequencies.colour(k, data)) for k in keys]
    groups.append((clean & ~np.isin(wave, keys), style().colours.rest))
    shares = [100 * mask.mean(axis=1) for mask, _ in groups]
    tops = np.cumsum(shares, axis=0)
    feet = np.vstack([np.zeros(len(epochs)), tops[:-1]])
    end = panels.horizon(data)
    panels.thousands(axes)
    axes.set(xlim=(0, end), ylim=(0, 100), yticks=[0, 50, 100], xlabel=clocks.word(data))
    axes.set_yticks([0, 50, 100], ["0", "50", "100%"])
    bands, ghost = [], style().ghost
    for foot, top, (_, colour) in zip(feet, tops, groups, strict=True):
        corners = np.column_stack([[*epochs, *epochs[::-1]], [*foot, *top[::-1]]])
        if ghost:
            axes.add_collection(
                PolyCollection([corners], facecolors=[colour], alpha=0.22, lw=0), autolim=False
            )
        bands.append(PolyCollection([], facecolors=[colour], lw=0, zorder=2))
        axes.add_collection(bands[-1], autolim=False)
    # in a column there is no room for its name
    halves = Drawing() if narrow else _neurons.halves(axes, data, level=1)
    marker = panels.Marker.draw(axes)
    colours = style().colours
    text = style().note(axes, "", (1, 0), (0.6, 0), va="center", fontweight="bold",
                        xycoords=axes.get_yaxis_transform(), linespacing=1.05)  # fmt: skip
    if narrow:
        text.set(ha="right", va="bottom", position=(0, 0.3 * style().small), fontweight="normal",
                 color=colours.muted)  # fmt: skip
    moments = data["field_epoch"].values.astype(float)

    def update(i: int) -> None:
        moment = float(moments[i])
        stop = int(np.searchsorted(epochs, moment, side="right"))
        last = max(end, moment)
        if axes.get_xlim()[1] != last:
            axes.set_xlim(0, last)
        x = epochs[:stop]
        for band, foot, top in zip(bands, feet, tops, strict=True):
            corners = np.column_stack(
                [[*x, *x[::-1]], [*foot[:stop], *top[:stop][::-1]]]
            ) if stop > 1 else np.zeros((3, 2))  # fmt: skip
            band.set_verts([corners])
        marker.update(moment)
        halves.update(int(max(stop - 1, 0)))
        share = float(tops[-1][max(stop - 1, 0)])
        words = (
            " of the neurons\nfollow one wave" if not narrow else " of the neurons follow a wave"
        )
        text.set_text(f"{share:.0f}%{words}")
        text.xy = (1, 1 if narrow else 0)
        text.xycoords = "axes fraction" if narrow else axes.get_yaxis_transform()
        if not narrow:
            text.xy = (1, min(max(share, 14.0), 86.0))

    return Drawing([*bands, marker.line, halves.moving, text], update)
