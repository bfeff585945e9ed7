"""The neurons' two-dimensional spectra: of thousands of waves a few remain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from jaxtyping import Bool

from grokviz.dataset.numerics import ties
from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import columns
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

DECADES = 5
"""Colour is the logarithm of a share of variance, over so many decades up to all of it."""

THREE_CELLS = 0.8
"""The share of its variance that makes a neuron the three cells of its frequency."""

FEW = 5
"""Of so many neurons or fewer one is drawn, at first and at a moment, with bars for all."""

RAISED, LOWERED = 0.12, 0.28
"""How far a bar is above its place, and below it the thin one for the first moment."""

APART = 8
"""From this frequency on the rings are far enough from one another for their names."""


@dataclass(frozen=True)
class NeuronSpectra(Scene):
    """The 2-D Fourier transform of a neuron at first and at a moment, and what its rings hold."""

    name = "neuron-spectra"
    panels = ("spectrum", "neuron")
    title = "Of each neuron's spectrum three cells stay"
    watch = "rings: waves of the neuron\u2019s own frequency, in a alone, b alone and both"
    source = "thread, tweet 10; arXiv:2301.05217, section 4.3"
    loops = True
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "embedding_frequency_norm", "logged_train_loss",
        "logged_test_loss", "phase_end",
    )  # fmt: skip
    clock = "field_epoch"
    aspect = 2.05
    narrow_aspect = 0.88
    aspects = {"most": dict.fromkeys(range(6, 13), (2.05, 0.86))}  # noqa: RUF012
    stills = ("last", "grok-3000")

    most: int = option(
        FEW,
        "how many of the stored neurons to show, of each frequency in turn; of up to five the "
        "spectrum of one, also as it was at first, and a bar for each",
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
        most = _claims.rounded_percent(before)
        sentence = (
            f"Each neuron shown goes from at most {most} to at least {percent} in one frequency"
        )
        return Claim(sentence, self.watch, numbers=numbers)

    def _before(self, data: xr.Dataset) -> float:
        """The most that the three cells hold of a neuron shown at the first moment."""
        activations, frequency = fields.activations(data, 0), data["neuron_frequency"].values
        neurons = self._neurons(data)
        return max(_neurons.own_share(activations[n], int(frequency[n])) for n in neurons)

    def _neurons(self, data: xr.Dataset) -> np.ndarray:
        """Places of the neurons of which the sentence speaks."""
        return _neurons.neurons_in_turn(data, self.most, _inactive(data))

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """One neuron at first and at the moment beside bars for all, or a grid of spectra."""
        return self._pair(figure, data) if self.most <= FEW else self._grid(figure, data)

    def _pair(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A neuron's spectrum at the first moment and now, and how much its rings hold, of all."""
        narrow, count = style().narrow(figure), (data.sizes["row"] // 2 + 1) // 2
        neurons, one = self._neurons(data), self._foremost(data)
        # in ems: the bars' place at the right, or below
        aside, below = (0, 3.8 + 1.7 * len(neurons)) if narrow else (16.0, 0)
        share = below / style().ems(figure)[1]
        left, right = grids.square_axes(
            figure, 2, 2, count + 4, left=3.2, right=1.0 + aside, top=2.6, bottom=1.6, gap=1.6,
            share=(0, share, 1, 1),
        )  # fmt: skip
        first, now = (_Spectrum(axes, data, one, count) for axes in (left, right))
        now.name.set_visible(False)
        self._name_sides([left, right], 2, count - 1)
        now.name_rings(count)
        wide = right.bbox.width > 16.5 * style().pixels(right, style().small)
        if wide:
            grids.colour_scale(right, now.haze, "share of variance, log", _marks())
        else:
            grids.colour_bar(right, now.haze, "", (f"{10**-DECADES:.3%}", "100%"))
        activations = fields.activations(data, 0)
        bars = _Bars(self._beside(figure, right, below), data, neurons, activations)
        long = " in the rings" if wide else ""
        first.show(activations[one], _claims.moment(data, 0, "field_epoch"), long)

        def update(i: int) -> None:
            activations = fields.activations(data, i)
            now.show(activations[one], _claims.moment(data, i, "field_epoch"), long)
            _neurons.tint(first.name, first.colour, now.share)
            bars.show(activations)

        return Drawing([now.moving, first.name, bars.moving], update)

    def _beside(self, figure: FigureBase, right: Axes, below: float) -> Axes:
        """Axes for the bars, level with the spectra, or under them in so many ems."""
        wide, high = style().ems(figure)
        if below:
            return style().panels(
                figure, left=5.0, right=4.0, top=high - below + 0.6, bottom=2.0
            )[0][0]  # fmt: skip
        place = right.get_position()
        x = place.x1 + 5.2 / wide
        return figure.add_axes((x, place.y0, 1 - 3.2 / wide - x, place.height))

    def _grid(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A spectrum a neuron."""
        narrow, count = style().narrow(figure), (data.sizes["row"] // 2 + 1) // 2
        most = min(self.most, 9) if narrow else self.most
        order, columns = _neurons.neurons_in_columns(data, most, figure, _inactive(data))
        # the names of the frequencies stand above the shares
        axes = grids.square_axes(figure, len(order), columns, count + 4, top=2.3, vgap=2.3)
        spectra = [_Spectrum(ax, data, int(n), count) for ax, n in zip(axes, order, strict=True)]
        self._name_sides(axes, columns, count - 1)
        # below the last row, or beside it where it is short; the caption says it too
        last = (len(order) - 1) % columns + 1
        corner = -1 if last > 2 else -last - 1
        if last > 2 or (len(order) > columns and columns - last > 1):
            words = "variance" if narrow or last < 5 else "share of the variance (log scale)"
            ends = (f"{10**-DECADES:.3%}", "100%")
            grids.colour_bar(axes[corner], spectra[corner].haze, words, ends)

        def update(i: int) -> None:
            activations = fields.activations(data, i)
            for spectrum in spectra:
                spectrum.show(activations[spectrum.neuron])

        return Drawing([spectrum.moving for spectrum in spectra], update)

    def _foremost(self, data: xr.Dataset) -> int:
        """The place of the neuron whose own frequency gains most; the first where none has one."""
        neurons, frequency = self._neurons(data), data["neuron_frequency"].values
        ends = [fields.activations(data, i) for i in (0, -1)]
        first, last = (
            np.array([_neurons.own_share(field[n], int(frequency[n])) for n in neurons])
            for field in ends
        )
        return int(neurons[ties.first_largest(np.nan_to_num(last - first))])

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

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of each neuron its own three dots hold."""
        neurons = self._neurons(data)
        frequency, activations = data["neuron_frequency"].values, fields.activations(data, i)
        waves = [n for n in neurons if frequency[n] != NO_FREQUENCY]
        drawn = f"of {len(neurons)} neurons" if self.most > FEW else "of a neuron, at first and now"
        what = (
            f"Two-dimensional spectra {drawn}, at "
            f"{clocks.at(data, 'field_epoch', i)}, frequency in a by frequency in b."
        )
        if not waves:
            return f"{what} None of them has a frequency of its own."
        shares = [_neurons.own_share(activations[n], int(frequency[n])) for n in waves]
        keys = sorted({int(frequency[n]) for n in waves})
        return (
            f"{what} Of {len(waves)} neurons the three "
            f"places of a neuron's own frequency ({', '.join(map(str, keys))}: in a, in b, in "
            f"both) hold {min(shares):.0%} to {max(shares):.0%} of its variance."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        beside = (
            "" if self.most > FEW else "; drawn is the neuron whose rings gain most, first at the "
            "first moment; bars: what the rings hold of each neuron, thin ones at the first moment"
        )  # fmt: skip
        return (
            "Share of a neuron's variance over (a, b) by frequency in a and in b, from the 2-D "
            "Fourier transform of its activations after the ReLU, cosine and sine together "
            "(colour: logarithmic, from {10**-DECADES:.3%} or less to all). Rings: the "
            f"frequency in a alone, in b alone, and in both{beside}. Of "
            "the stored neurons of each frequency those that are active at "
            f"the first moment, the best explained by it first. {after('section 4.3')}"
        )


def _inactive(data: xr.Dataset) -> Bool[np.ndarray, " neuron"]:
    """Which stored neurons are the same for all (a, b) at the first moment."""
    field = fields.activations(data, 0)
    inactive: np.ndarray = ~field.reshape(len(field), -1).any(axis=1)
    return inactive


def _marks() -> list[tuple[float, str]]:
    """Places on the scale of colours, a decade apart, some with their shares."""
    named = {0: f"\u2264{10**-DECADES:.3%}", DECADES - 2: "1%", DECADES: "100%"}
    return [(n / DECADES, named.get(n, "")) for n in range(DECADES + 1)]


class _Spectrum:
    """One neuron: the haze of all waves, and a ring about each of the three of its frequency."""

    def __init__(self, axes: Axes, data: xr.Dataset, neuron: int, count: int) -> None:
        from matplotlib.patches import Rectangle

        self.neuron, self.k = neuron, int(data["neuron_frequency"].values[neuron])
        k, colour = self.k, frequencies.colour(self.k, data)
        self.haze = grids.heat(axes, (count, count), top=DECADES)
        frame = Rectangle(
            (-0.5, -0.5), count, count, fill=False, ec=style().colours.faint,
            lw=0.3 * style().line, zorder=2,
        )  # fmt: skip
        axes.add_patch(frame)
        axes.set(xlim=(-3.5, count + 0.5), ylim=(-3.5, count + 0.5))
        em, left = style().points, 3 / (count + 4)
        self.name = _neurons.name_frequency(axes, k, data)
        axes.set_title(self.name.get_text(), pad=1.25 * em).set_x(left)
        self.colour, self.share, self.ring = colour, 0.0, 0.0
        self._ring()
        # right above its own panel, or it would be taken for a caption of the one above
        wide = axes.bbox.width / style().pixels(axes, style().small)
        self.words = "in the rings: " if wide > 9.8 else "rings: " if wide > 6.5 else ""
        self.text = grids.figure_above(axes, left=True)
        self.text.set(fontsize=style().small, x=0)
        self.text.xy = (left, 1)
        self.silent = style().note(
            axes, "inactive", (0.5, 0.6), ha="center", color=style().colours.muted
        )

    @property
    def moving(self) -> list[Any]:
        return [self.haze, self.text, self.name, self.silent]

    def _ring(self) -> None:
        """Rings about the three places."""
        k, axes = self.k, self.haze.axes
        places = [] if k == NO_FREQUENCY else [(k, 0), (0, k), (k, k)]
        # clear of the cells, however large the panel is
        cell = style().points * axes.bbox.width / style().pixels(axes, style().points)
        self.ring = max(0.75 * style().points, 2.6 * cell / np.ptp(axes.get_xlim()))
        axes.scatter(
            *np.reshape(places, (-1, 2)).T, self.ring**2, facecolors="none",
            edgecolors=self.colour, zorder=4, lw=0.7 * style().line, clip_on=False,
        )  # fmt: skip

    def name_rings(self, count: int) -> None:
        """With what the waves in each ring vary, beside the rings, where they are apart."""
        k, axes, rim = self.k, self.haze.axes, 0.5 * self.ring + 0.25 * style().points
        if k < APART or k == NO_FREQUENCY:
            return
        high, side = k > count - APART, "right" if k > count - APART else "center"
        for text, place, up, ha in (
            ("a alone", (k, 0), 1, side), ("b alone", (0, k), -1, "left"),
            ("a and b", (k, k), -1 if high else 1, side),
        ):  # fmt: skip
            name = style().label(
                axes, *place, text, lift=up, va="bottom" if up > 0 else "top", ha=ha, zorder=6,
                color=self.colour,
            )  # fmt: skip
            name.set_position(({"left": -0.5, "center": 0, "right": 0.5}[ha] * self.ring, up * rim))

    def show(self, field: np.ndarray, moment: str = "", after: str = "") -> None:
        """Set the activations over (a, b) whose spectrum is shown, and of which moment it is."""
        shares = _neurons.shares_by_frequency(field)
        own = np.array([shares[self.k, 0], shares[0, self.k], shares[self.k, self.k]])
        self.share = float(own.sum()) if self.k != NO_FREQUENCY else 0.0
        self.haze.set_data(DECADES + np.log10(np.maximum(shares.T, 10.0**-DECADES)))
        _neurons.tint(self.name, self.colour, self.share)
        # an inactive neuron has no variance to share
        known = self.k != NO_FREQUENCY and field.any()
        held = _neurons.floored_percent(self.share)
        words = f"{'' if moment else self.words}{held}{after}" if known else ""
        self.text.set_text(": ".join(part for part in (moment, words) if part))
        self.silent.set_visible(not field.any())


class _Bars:
    """A bar for each neuron: what the rings of its frequency hold of its variance."""

    def __init__(
        self, axes: Axes, data: xr.Dataset, neurons: np.ndarray, first: np.ndarray
    ) -> None:
        from matplotlib.collections import PolyCollection

        current_style = style()
        self.neurons = [(int(n), int(data["neuron_frequency"].values[n])) for n in neurons]
        self.places = np.arange(len(neurons), dtype=float)
        names = ["none" if k == NO_FREQUENCY else str(k) for _, k in self.neurons]
        axes.set(xlim=(0, 100), ylim=(len(neurons) - 0.5, -0.5), xticks=[0, 50, 100])
        axes.set_xticklabels(["0", "50", "100%"])
        axes.set_yticks(self.places, names)
        axes.grid(visible=False)
        axes.axvline(100, color=current_style.colours.faint, lw=0.4 * current_style.line, zorder=1)
        for label, (_, k) in zip(axes.get_yticklabels(), self.neurons, strict=True):
            label.set(color=frequencies.ink(k, data), fontweight="bold")
        faces = [frequencies.colour(k, data) for _, k in self.neurons]
        self.bars = PolyCollection([], facecolors=faces, lw=0, zorder=2)
        axes.add_collection(self.bars, autolim=False)
        self._show_first(axes, faces, first, _claims.moment(data, 0, "field_epoch"))
        self.texts = [
            axes.annotate(
                "", (100, y), (0.3 * current_style.small, 0), textcoords="offset points",
                va="center", fontsize=current_style.small, annotation_clip=False,
            )
            for y in self.places - RAISED
        ]  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        return [self.bars, *self.texts]

    def _show_first(
        self, axes: Axes, faces: list[str], activations: np.ndarray, moment: str
    ) -> None:
        """A thin bar below each: what the rings held at the first moment, with its share."""
        from matplotlib.collections import PolyCollection

        current_style = style()
        shares = np.array([_neurons.own_share(activations[n], k) for n, k in self.neurons])
        verts = columns(self.places + LOWERED, 100 * np.nan_to_num(shares), 0.14)[..., ::-1]
        axes.add_collection(PolyCollection(verts, facecolors=faces, lw=0, zorder=2), autolim=False)
        # where rows are low there is room for one number in each
        em = current_style.pixels(axes, current_style.small)
        roomy = axes.bbox.height > 2.3 * em * len(shares)
        words = "share in rings, by frequency" if roomy else f"in the rings (thin: {moment})"
        current_style.note(axes, words, (0, 1), (-2.4, 0.5), color=current_style.colours.muted)
        for i, (y, share, (n, _)) in enumerate(
            zip(self.places, shares, self.neurons, strict=True) if roomy else ()
        ):
            text = _claims.rounded_percent(share) if activations[n].any() else "inactive"
            axes.annotate(
                text if i else f"{text} at {moment}", (100 * share, y + LOWERED),
                (0.3 * current_style.small, 0), textcoords="offset points", va="center",
                fontsize=current_style.small, color=current_style.colours.muted,
                annotation_clip=False,
            )  # fmt: skip

    def show(self, activations: np.ndarray) -> None:
        """Set the activations of all stored neurons over (a, b)."""
        shares = [100 * _neurons.own_share(activations[n], k) for n, k in self.neurons]
        self.bars.set_verts(columns(self.places - RAISED, np.nan_to_num(shares), 0.4)[..., ::-1])
        for text, share, (n, _) in zip(self.texts, shares, self.neurons, strict=True):
            active = activations[n].any()
            text.set_text(_neurons.floored_percent(share / 100) if active else "inactive")
