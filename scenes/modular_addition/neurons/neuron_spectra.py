"""The neurons' two-dimensional spectra: of thousands of waves a few remain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from jaxtyping import Bool

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, style
from grokviz.scene import clock as clocks
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BEND = 1 / 3
"""Colour is shares of variance to this power: a cell of a third is dark, and haze is seen."""

THREE_CELLS = 0.8
"""The share of its variance that makes a neuron the three cells of its frequency."""

LENS = 3
"""The cells in rings are drawn so many times as wide."""


@dataclass(frozen=True)
class NeuronSpectra(Scene):
    """2-D Fourier transforms of a neuron of each frequency, at first and at a moment."""

    name = "neuron-spectra"
    panels = ("spectrum", "neuron")
    title = "Of each neuron's spectrum three cells stay"
    watch = "the haze goes; three cells of the neuron's own frequency grow out of it"
    source = "thread, tweet 10; arXiv:2301.05217, section 4.3"
    loops = True
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "embedding_frequency_norm", "logged_train_loss",
        "logged_test_loss", "phase_end",
    )  # fmt: skip
    clock = "field_epoch"
    aspect = 2.05
    narrow_aspect = 1.2
    aspects = {"most": dict.fromkeys(range(6, 13), (2.05, 0.86))}  # noqa: RUF012
    stills = ("last", "grok-3000")

    most: int = option(
        5,
        "how many of the stored neurons to show, of each frequency in turn; those of one row "
        "also as they were at first",
    )

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 12:
            raise ValueError(f"most={self.most} is not possible; give 1 to 12")

    def claim(self, data: xr.Dataset) -> Claim:
        """The least that three cells hold of a neuron shown, of a run that generalised."""
        neurons = self._neurons(data)
        frequency = data["neuron_frequency"].values[neurons]
        shares = data["neuron_variance_explained"].values[neurons].astype(float)
        least = float(np.where(frequency == NO_FREQUENCY, 0, shares).min())
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, share=least)
        before = self._before(data)
        numbers = {"share": least, "before": before}
        if not least >= THREE_CELLS or before > THREE_CELLS / 2:
            sentence = (
                f"Three cells hold {_neurons.floored_percent(least)} of a neuron shown, or more"
            )
            return Claim.instead(sentence, **numbers)
        percent = _neurons.floored_percent(least)
        sentence = f"Waves of one frequency come to hold at least {percent} of each neuron shown"
        first = _claims.moment(data, 0, "field_epoch")
        most = _claims.rounded_percent(before)
        watch = "rings, with enlarged cells: that frequency in a, in b, in both"
        watch = f"{watch}; at most {most} at {first}"
        return Claim(sentence, watch, numbers=numbers)

    def _before(self, data: xr.Dataset) -> float:
        """The most that the three cells hold of a neuron shown at the first moment."""
        activations, frequency = fields.activations(data, 0), data["neuron_frequency"].values
        neurons = self._neurons(data)
        return max(_neurons.own_share(activations[n], int(frequency[n])) for n in neurons)

    def _neurons(self, data: xr.Dataset) -> np.ndarray:
        """Places of the neurons of which the sentence speaks."""
        return _neurons.neurons_in_turn(data, self.most, _inactive(data))

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A spectrum a neuron, those of one row also at the first moment."""
        narrow, count = style().narrow(figure), (data.sizes["row"] // 2 + 1) // 2
        order, columns = self._order(data, figure)
        rows = [order, order] if len(order) == columns else [order]
        neurons = np.concatenate(rows)
        # the names of the frequencies stand above the shares
        room: grids.GridKeywords = {"top": 2.3, "vgap": 1.25 if len(rows) > 1 else 2.3}
        if len(rows) > 1:
            room["left"] = 5.0 if narrow else 6.4
        axes = grids.square_axes(figure, len(neurons), columns, count + 4, **room)
        full = _largest_share(data, order)
        spectra = [
            _Spectrum(ax, data, int(n), count, full) for ax, n in zip(axes, neurons, strict=True)
        ]
        self._name_sides(axes, columns, count - 1)
        # below the last row, or beside it where it is short; the caption says it too
        last = (len(neurons) - 1) % columns + 1
        corner = -1 if last > 2 else -last - 1
        if last > 2 or (len(neurons) > columns and columns - last > 1):
            words = "variance" if narrow or last < 5 else "share of the variance (cube-root scale)"
            ends = ("0", f"\u2265{full:.0%}")
            grids.colour_bar(axes[corner], spectra[corner].haze, words, ends)
        still, moving = spectra[: -len(order)], spectra[-len(order) :]
        activations = fields.activations(data, 0)
        for spectrum in still:
            spectrum.show(activations[spectrum.neuron])
        label = self._name_rows(data, still, moving) if still else None

        def update(i: int) -> None:
            activations = fields.activations(data, i)
            for spectrum in moving:
                spectrum.show(activations[spectrum.neuron])
            if label is not None:
                label.set_text(_claims.moment(data, i, "field_epoch"))

        parts = [spectrum.moving for spectrum in moving]
        return Drawing([*parts, *([] if label is None else [label])], update)

    def _name_sides(self, axes: Sequence[Axes], columns: int, last: int) -> None:
        """What runs up the first spectrum of each row, and along that of the last one."""
        em = style().pixels(axes[0], style().small)
        long = axes[0].bbox.width > 10 * em
        a, b = ("waves in a", "waves in b") if long else ("in a", "in b")
        # 0 is narrower than the last number
        places = [0, (0.475 if long else 0.5) * last, last]
        for n in range(0, len(axes), columns):
            side = axes[n]
            grids.name_inputs(side, last, a, b)
            side.set_xticks(places, ["0", a, str(last)])
            side.set_yticks(places, ["0", b, str(last)])
            for label in side.get_yticklabels() if long else []:
                label.set_rotation(90)
            if n + columns < len(axes):
                side.set_xticks([])

    def _order(self, data: xr.Dataset, figure: FigureBase) -> tuple[np.ndarray, int]:
        """Places of the neurons of a grid, and its columns; one row where they are few enough."""
        narrow = style().narrow(figure)
        most = min(self.most, 9) if narrow else self.most
        row = 3 if narrow else 5
        count = row if row < most <= 5 else most
        return _neurons.neurons_in_columns(data, count, figure, _inactive(data))

    def _name_rows(self, data: xr.Dataset, still: list[_Spectrum], moving: list[_Spectrum]) -> Any:
        """The moments of both rows at their left; the names of the frequencies stand above both."""
        for above, spectrum in zip(still, moving, strict=True):
            spectrum.name.set_visible(False)
            spectrum.name = above.name
        look: dict[str, Any] = {"rotation": 90, "ha": "right", "va": "center", "fontweight": "bold"}
        first, label = (
            style().note(row[0].haze.axes, "", (0, 0.5), (-2.6, 0), **look)
            for row in (still, moving)
        )
        first.set_text(_claims.moment(data, 0, "field_epoch"))
        return label

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of each neuron its own three dots hold."""
        neurons = self._neurons(data)
        frequency, activations = data["neuron_frequency"].values, fields.activations(data, i)
        waves = [n for n in neurons if frequency[n] != NO_FREQUENCY]
        what = (
            f"Two-dimensional spectra of {len(neurons)} neurons at "
            f"{clocks.at(data, 'field_epoch', i)}, frequency in a by frequency in b."
        )
        if not waves:
            return f"{what} None of them has a frequency of its own."
        shares = [_neurons.own_share(activations[n], int(frequency[n])) for n in waves]
        keys = sorted({int(frequency[n]) for n in waves})
        return (
            f"{what} The three "
            f"places of a neuron's own frequency ({', '.join(map(str, keys))}: in a, in b, in "
            f"both) hold {min(shares):.0%} to {max(shares):.0%} of its variance."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Share of each neuron's variance over (a, b) by frequency in a and in b, from the 2-D "
            "Fourier transform of its activations after the ReLU, cosine and sine together "
            "(colour: cube root of the share, full where one is largest at the end). Rings: the "
            "frequency in a alone, in b alone, and in both, with their cells enlarged; above at "
            "the first moment. Of the stored neurons of each frequency those that are active at "
            f"the first moment, the best explained by it first. {after('section 4.3')}"
        )


def _inactive(data: xr.Dataset) -> Bool[np.ndarray, " neuron"]:
    """Which stored neurons are the same for all (a, b) at the first moment."""
    field = fields.activations(data, 0)
    inactive: np.ndarray = ~field.reshape(len(field), -1).any(axis=1)
    return inactive


def _largest_share(data: xr.Dataset, neurons: np.ndarray) -> float:
    """The largest share of any wave in a neuron's variance at the last moment; 1 if none has."""
    field = fields.activations(data, -1)
    most = max(float(np.nan_to_num(_neurons.shares_by_frequency(field[n]).max())) for n in neurons)
    return most or 1.0


class _Spectrum:
    """One neuron: the haze of all waves, and a ring about each of the three of its frequency."""

    def __init__(self, axes: Axes, data: xr.Dataset, neuron: int, count: int, full: float) -> None:
        self.neuron, self.k = neuron, int(data["neuron_frequency"].values[neuron])
        k, colour = self.k, frequencies.colour(self.k, data)
        self.haze = grids.heat(axes, (count, count), top=full**BEND)
        axes.set(xlim=(-3.5, count + 0.5), ylim=(-3.5, count + 0.5))
        em = style().points
        self.name = _neurons.name_frequency(axes, k, data)
        axes.set_title(self.name.get_text(), pad=1.25 * em)
        self.colour = colour
        self.cells = self._ring()
        # right above its own panel, or it would be taken for a caption of the one above
        wide = axes.bbox.width / style().pixels(axes, style().small)
        self.words = "in the rings: " if wide > 9.8 else "rings: " if wide > 6.5 else ""
        self.text = grids.figure_above(axes, left=True)
        self.text.set(fontsize=style().small, x=0)
        self.silent = style().note(
            axes, "inactive", (0.5, 0.6), ha="center", color=style().colours.muted
        )

    @property
    def moving(self) -> list[Any]:
        return [self.haze, self.cells, self.text, self.name, self.silent]

    def _ring(self) -> Any:
        """Rings about the three places, and in them their cells, enlarged."""
        from matplotlib.collections import PolyCollection

        corners = LENS / 2 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        places = [] if self.k == NO_FREQUENCY else [(self.k, 0), (0, self.k), (self.k, self.k)]
        cells = PolyCollection([place + corners for place in places], lw=0, zorder=3, clip_on=False)
        axes = self.haze.axes
        axes.add_collection(cells, autolim=False)
        axes.scatter(
            *np.reshape(places, (-1, 2)).T, (0.95 * style().points) ** 2, facecolors="none",
            edgecolors=self.colour, zorder=4, lw=0.5 * style().line, clip_on=False,
        )  # fmt: skip
        return cells

    def show(self, field: np.ndarray) -> None:
        """Set the activations over (a, b) whose spectrum is shown."""
        shares = _neurons.shares_by_frequency(field)
        own = np.array([shares[self.k, 0], shares[0, self.k], shares[self.k, self.k]])
        self.haze.set_data(shares.T**BEND)
        self.cells.set_facecolor(self.haze.cmap(self.haze.norm(own**BEND)))
        _neurons.tint(self.name, self.colour, float(own.sum()))
        # an inactive neuron has no variance to share
        known = self.k != NO_FREQUENCY and field.any()
        self.text.set_text(f"{self.words}{own.sum():.0%}" if known else "")
        self.silent.set_visible(not field.any())
