"""The thread's neurons: each a periodic function of a and b, of one frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from grokviz.scenes.modular_addition.neurons._bands import Bands

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome
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
"""So many neurons or fewer stand in one row of a slide, and above them once memorised."""

COUNTS, COUNTS_NARROW = 9.4, 11.5
"""How high the counts over epochs are with their axis, in ems."""


@dataclass(frozen=True)
class NeuronActivations(Scene):
    """Activations of chosen neurons over all pairs (a, b): once memorised, and at a moment."""

    name = "neuron-activations"
    panels = ("neuron", "spectrum")
    title = "Most neurons come to follow one wave each"
    watch = (
        "A column is a neuron over all inputs, sorted along its wave; "
        "above it, how much of it is that wave"
    )
    source = "thread, tweet 10; arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "all_neuron_cluster", "all_neuron_frequency",
        "all_neuron_variance_explained", "embedding_frequency_norm", "logged_train_loss",
        "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"4b": {"order": "number", "most": 5, "first": False}}  # noqa: RUF012
    clock = "field_epoch"
    aspect = 2.05
    narrow_aspect = 1.3
    aspects = {  # noqa: RUF012
        "counts": {True: (1.9, 0.74)}, "most": dict.fromkeys(range(6, 13), (1.8, 0.7)),
    }  # fmt: skip
    stills = ("last", "grok-3000")
    ends_with_film = True

    most: int = option(
        ROW,
        "how many of the stored neurons to show, of each frequency in turn",
    )
    first: bool = option(True, "above a single row of neurons, the same when memorised")
    counts: bool = option(
        False, "instead of that, below them how many of all neurons follow which wave over epochs"
    )
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
        sentence = f"{percent(share)} of the neurons come to follow one wave each"
        return Claim(sentence, self._watch(), numbers={"share": share})

    def _watch(self) -> str:
        """What a wave looks like in this order of a and b."""
        if self.order == "number":
            return "A wave of frequency k has k periods along a, and along b: a bump is a period"
        return self.watch

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A heatmap a neuron, its frequency above it."""
        p, narrow = data.sizes["row"] // 2, style().narrow(figure)
        shown, columns = self._order(data, figure)
        two = self.first and not self.counts and len(shown) == columns
        order = np.concatenate([shown, shown]) if two else shown
        room: grids.GridKeywords = {"top": 1.6, "vgap": 1.6}
        if two:
            room |= {"left": 4.2 if narrow else 4.6, "right": 0.6, "top": 1.4, "vgap": 1.5}
        # with names between rows there is room for two and a half pixels a cell, not for three
        cells = (p + 1) // 2 if len(order) > columns else p
        if self.counts:
            below = COUNTS_NARROW if narrow else COUNTS
            room["share"] = (0, below / style().ems(figure)[1], 1, 1)
            room["bottom"] = 1.4
        axes = grids.square_axes(figure, len(order), columns, cells, **room)
        maps = [_Map(ax, data, int(n)) for ax, n in zip(axes, order, strict=True)]
        last = (len(order) - 1) // columns * columns
        sort = "" if self.order == "number" else ", sorted"
        ends = ("0", str(p - 1)) if self.order == "number" else ("", "")
        for first in {0, last} if two else {last}:
            names = f"a{sort}", f"b{sort}"
            grids.name_inputs(axes[first], p - 1, *names)
            _turn_names(axes[first], p - 1, names, ends, below=first == last)
        if not narrow and len(order) - last > 1 and not self.counts:
            grids.colour_bar(axes[-1], maps[-1].image, "activity", ("0", "largest"))
        drawing = self._drawing(data, maps, columns if two else 0)
        return Drawing.of(drawing, _counts(figure, data)) if self.counts else drawing

    def _drawing(self, data: xr.Dataset, maps: list[_Map], above: int) -> Drawing:
        """What moves; so many of the maps stand above the others and stop once memorised."""
        still, moving = maps[:above], maps[above:]
        phase, stop = self.order == "phase", _memorised(data)
        last = fields.activations(data, _claims.film_end(data, "field_epoch"))
        for each in maps if phase else ():
            each.turn = _neurons.to_the_middle(last[each.neuron], each.k)
        labels = [_name_row(row) for row in (still, moving)] if still else []

        def update(i: int) -> None:
            for n, (row, at) in enumerate(((still, min(i, stop)), (moving, i))):
                activations = fields.activations(data, at) if row else None
                for each in row:
                    each.show(activations[each.neuron], phase=phase)
                if labels:
                    named = "once memorised\n" if not n and stop and at == stop else ""
                    labels[n].set_text(f"{named}{_claims.moment(data, at, 'field_epoch')}")

        return Drawing([*(each.moving for each in maps), *labels], update)

    def _order(self, data: xr.Dataset, figure: FigureBase) -> tuple[np.ndarray, int]:
        """Places of the neurons of a grid, and its columns; one row where they are few enough."""
        narrow = style().narrow(figure)
        most = min(self.most, 9) if narrow else self.most
        row = 3 if narrow else ROW
        few = self.first and not self.counts and row < most <= ROW
        return _neurons.neurons_in_columns(data, row if few else most, figure)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of each shown neuron its frequency explains at that epoch."""
        activations, frequency = fields.activations(data, i), data["neuron_frequency"].values
        neurons = _neurons.neurons_in_turn(data, self.most)
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
        return (
            f"Activations at '=' after the ReLU over all {p} x {p} pairs (a, b), of neurons that "
            f"show their frequency best{order}; each map runs from 0 to the neuron's largest "
            "activation. In per cent: the share of its variance that its wave explains; a neuron "
            f"with {percent(THRESHOLD)} or more at the end follows its wave. "
            f"{after('figure 4, and the thread, tweet 10')}"
        )


def _memorised(data: xr.Dataset) -> int:
    """The first index of the field clock at which the run has memorised; 0 where it never does."""
    at = outcome(data).memorised
    reached = np.flatnonzero(data["field_epoch"].values >= (0 if at is None else at))
    return int(reached[0]) if reached.size else 0


class _Map:
    """One neuron's activations over the pairs, and how much of them its wave explains."""

    def __init__(self, axes: Axes, data: xr.Dataset, neuron: int) -> None:
        p = data.sizes["row"] // 2
        self.neuron, self.k = neuron, int(data["neuron_frequency"].values[neuron])
        self.turn = (0, 0)
        self.image = grids.heat(axes, (p, p))
        self.image.set_cmap(_neurons.wave_colours(self.k, data))
        self.colour = frequencies.ink(self.k, data)
        self.name = grids.figure_above(axes, left=True)
        current_style = style()
        self.short = axes.bbox.width < 6 * current_style.pixels(axes, current_style.points)
        if self.short:
            self.name.set_fontsize(current_style.small)
        self.silent = current_style.note(
            axes, "inactive", (0.5, 0.5), ha="center", va="center",
            color=current_style.colours.muted,
        )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        return [self.image, self.name, self.silent]

    def show(self, field: np.ndarray, *, phase: bool) -> None:
        """Set the activations over (a, b); with ``phase`` in the order of its frequency."""
        ordered = _neurons.in_phase(field, self.k if phase else 0)
        self.image.set_data(np.roll(ordered, self.turn, axis=(0, 1)).T)
        self.image.set_clim(0, max(float(np.nan_to_num(field).max()), 1e-9))
        share = _neurons.own_share(field, self.k)
        _neurons.tint(self.name, self.colour, share)
        wave = f"{'' if self.short else 'wave '}{self.k}" if self.k else "no wave"
        # an inactive neuron has no variance to explain
        known = self.k and field.any()
        self.name.set_text(f"{_neurons.floored_percent(share)} {wave}" if known else wave)
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


def _name_row(row: list[_Map]) -> Any:
    """An empty text at the left of a row, for its moment."""
    return style().note(
        row[0].image.axes, "", (0, 0.5), (-2.0, 0), rotation=90, ha="right", va="center",
        fontweight="bold", linespacing=1.1, multialignment="center",
    )  # fmt: skip


def _counts(figure: FigureBase, data: xr.Dataset) -> Drawing:
    """Bands over epochs: the share of all neurons that follow each wave, one above another."""
    narrow, high = style().narrow(figure), style().ems(figure)[1]
    below = (COUNTS_NARROW if narrow else COUNTS) - 1.6
    axes = style().panels(
        figure, left=4.6, right=1.4 if narrow else 9.6, top=high - below, bottom=3.0
    )[0][0]  # fmt: skip
    bands, end = Bands(axes, data, 100), panels.horizon(data)
    panels.thousands(axes)
    axes.set(xlim=(0, end), ylim=(0, 100), xlabel=clocks.word(data))
    axes.set_yticks([0, 50, 100], ["0", "50", "100%"])
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
        last, at = max(end, moment), bands.at(moment)
        if axes.get_xlim()[1] != last:
            axes.set_xlim(0, last)
        bands.update(moment)
        marker.update(moment)
        halves.update(at)
        share = float(bands.tops[-1][at])
        words = (
            " of the neurons\nfollow one wave" if not narrow else " of the neurons follow a wave"
        )
        text.set_text(f"{share:.0f}%{words}")
        text.xy = (1, 1 if narrow else 0)
        text.xycoords = "axes fraction" if narrow else axes.get_yaxis_transform()
        if not narrow:
            text.xy = (1, min(max(share, 14.0), 86.0))

    return Drawing([*bands.moving, marker.line, halves.moving, text], update)
