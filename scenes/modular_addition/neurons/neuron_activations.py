"""The thread's neurons: each a periodic function of a and b, of one frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons

from grokviz.scene import Claim, Drawing, Scene, grids, option, style
from grokviz.scene import clock as clocks
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY, THRESHOLD

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


MOST = 0.5
"""The share of all neurons that have to be waves for the sentence to speak of the neurons."""


@dataclass(frozen=True)
class NeuronActivations(Scene):
    """Activations of chosen neurons over all pairs (a, b), after the ReLU, at '='."""

    name = "neuron-activations"
    panels = ("neuron", "spectrum")
    title = "Most neurons become waves in a and b, each of one frequency"
    watch = "lines of single numbers give way to one wave as the test loss falls"
    source = "thread, tweet 10; arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "all_neuron_cluster", "embedding_frequency_norm",
        "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"4b": {"order": "number", "most": 5, "first": False}}  # noqa: RUF012
    clock = "field_epoch"
    aspect = 2.05
    narrow_aspect = 1.2
    aspects = {"most": dict.fromkeys(range(6, 13), (2.05, 0.86))}  # noqa: RUF012
    stills = ("last", "grok-3000")

    most: int = option(
        4,
        "how many of the stored neurons to show, of each frequency in turn; those of one row "
        "also as they were at first",
    )
    first: bool = option(True, "above a single row of neurons, the same at the first moment")
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
        sentence = f"{count} of {waves.size} neurons become waves, each of one frequency"
        return Claim(sentence, self._watch(data, count), numbers={"share": share})

    def _watch(self, data: xr.Dataset, count: int) -> str:
        """How many of the waves are shown, and what one looks like."""
        shown = _neurons.neurons_in_turn(data, self.most)
        clusters = data["all_neuron_cluster"].values[data["neuron"].values[shown]]
        # a stored neuron need not be one of the waves
        of = f" of the {count}" if (clusters > NO_FREQUENCY).all() else " neurons"
        words = f"{len(shown)}{of} (frequency k explains {THRESHOLD:.0%}+)"
        if self.order == "number":
            return f"{words}; a bump is a period"
        return f"{words}; sorted by ka, kb, a bump is a period"

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A heatmap a neuron, its frequency above it."""
        p, narrow = data.sizes["row"] // 2, style().narrow(figure)
        shown, columns = self._order(data, figure)
        above = shown if self.first and len(shown) == columns else shown[:0]
        order = np.concatenate([above, shown])
        room: grids.GridKeywords = {"left": 5.0 if narrow else 6.4} if len(above) else {}
        axes = grids.square_axes(figure, len(order), columns, p, **room)
        maps = [_Map(ax, data, int(n)) for ax, n in zip(axes, order, strict=True)]
        ends = _neurons.input_names(figure, self.order)
        last = (len(order) - 1) // columns * columns
        # of two rows each has its names, which have room between them
        for first in {0, last} if len(above) else {last}:
            grids.name_inputs(axes[first], p - 1, *ends)
        wide = len(order) - last
        if not narrow and wide > 1:
            words = "% of variance explained by k;  activation" if wide > 3 else "activation"
            grids.colour_bar(axes[-1], maps[-1].image, words, ("0", "max"))
        still, moving = maps[: len(above)], maps[len(above) :]
        phase, activations = self.order == "phase", fields.activations(data, 0)
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
        row = 3 if narrow else 5
        few = self.first and row < most <= 5
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
            f"{min(shares):.0%} to {max(shares):.0%} of a neuron's variance; {reach}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        p = data.sizes["row"] // 2
        order = "" if self.order == "number" else ", a and b in the order of k a and k b mod p"
        return (
            f"Activations at '=' after the ReLU over all {p} x {p} pairs (a, b), of neurons that "
            f"show their frequency best{order}; each map runs from 0 to the neuron's largest "
            "activation. In per cent: the share of its variance that frequency k explains. "
            f"{after('figure 4, and the thread, tweet 10')}"
        )


class _Map:
    """One neuron's activations over the pairs, its frequency, and how much that explains."""

    def __init__(self, axes: Axes, data: xr.Dataset, neuron: int) -> None:
        p = data.sizes["row"] // 2
        self.neuron, self.k = neuron, int(data["neuron_frequency"].values[neuron])
        self.image = grids.heat(axes, (p, p))
        self.name = _neurons.name_frequency(axes, self.k, data)
        self.colour = self.name.get_color()
        current_style = style()
        # in the panel itself, or it would be taken for a caption of the one above
        wide = axes.bbox.width / current_style.pixels(axes, current_style.small)
        self.words = " explained" if wide > 9 else ""
        patch = {"boxstyle": "square,pad=0.2", "fc": current_style.colours.background, "lw": 0}
        self.share = current_style.note(
            axes, "", (1, 1), (-0.35, -0.35), ha="right", va="top", bbox=patch, zorder=5
        )
        self.silent = current_style.note(
            axes, "inactive", (0.5, 0.5), ha="center", va="center",
            color=current_style.colours.muted,
        )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        return [self.image, self.name, self.share, self.silent]

    def show(self, field: np.ndarray, *, phase: bool) -> None:
        """Set the activations over (a, b); with ``phase`` in the order of its frequency."""
        self.image.set_data(_neurons.in_phase(field, self.k if phase else 0).T)
        self.image.set_clim(0, max(float(np.nan_to_num(field).max()), 1e-9))
        share = _neurons.own_share(field, self.k)
        _neurons.tint(self.name, self.colour, share)
        # an inactive neuron has no variance to explain
        known = self.k and field.any()
        self.share.set_text(f"{_neurons.floored_percent(share)}{self.words}" if known else "")
        self.share.set_visible(bool(known))
        self.silent.set_visible(not field.any())


def _name_rows(data: xr.Dataset, still: list[_Map], moving: list[_Map]) -> Any:
    """The moments of both rows at their left; the names of the frequencies stand above both."""
    for above, each in zip(still, moving, strict=True):
        each.name.set_visible(False)
        each.name = above.name
    look: dict[str, Any] = {"rotation": 90, "ha": "right", "va": "center", "fontweight": "bold"}
    first, label = (
        style().note(row[0].image.axes, "", (0, 0.5), (-2.6, 0), **look) for row in (still, moving)
    )
    first.set_text(_claims.moment(data, 0, "field_epoch"))
    return label
