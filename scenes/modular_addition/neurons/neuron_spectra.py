"""The neurons' spectra: of a haze of waves one remains of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from jaxtyping import Bool

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY, THRESHOLD

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

THREE_CELLS = 0.8
"""The share of its variance that makes a neuron the three cells of its frequency."""

DUST = 2e-5
"""A wave with less of a neuron's variance is not drawn."""

WHOLE, IN_ROW = 0.075, 0.46
"""The radius of a disc that holds all of a variance, as a share of the panel's width, and of a
row's height."""


@dataclass(frozen=True)
class NeuronSpectra(Scene):
    """The waves that neurons are made of, as discs, a row a neuron: at first, and at a moment."""

    name = "neuron-spectra"
    panels = ("spectrum", "neuron")
    title = "Out of a haze of waves these neurons keep one each"
    watch = "A row is a neuron; a disc's area is that wave's share of its activity"
    source = "thread, tweet 10; arXiv:2301.05217, section 4.3"
    loops = True
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "all_neuron_cluster", "embedding_frequency_norm",
        "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 0.56
    stills = ("last", "grok-3000")

    most: int = option(5, "how many of the stored neurons to show, of each frequency in turn")
    plane: bool = option(False, "all neurons on one plane, frequency in a by frequency in b")

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 12:
            raise ValueError(f"most={self.most} is not possible; give 1 to 12")

    def claim(self, data: xr.Dataset) -> Claim:
        """The least that three waves hold of a neuron shown, of a run that generalised."""
        neurons = self._neurons(data)
        frequency = data["neuron_frequency"].values[neurons]
        shares = data["neuron_variance_explained"].values[neurons].astype(float)
        least = float(np.where(frequency == NO_FREQUENCY, 0, shares).min())
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, share=least)
        before = self._before(data)
        numbers = {"share": least, "before": before}
        held = _neurons.floored_percent(least)
        if not least >= THREE_CELLS or before > THREE_CELLS / 2:
            sentence = f"One wave holds {held} of a neuron shown, or more"
            return Claim.instead(sentence, **numbers)
        clean = data["all_neuron_cluster"].values > NO_FREQUENCY
        watch = (
            "A disc's area is that wave's share of the neuron; "
            f"in {int(clean.sum())} of all {clean.size} one ends with {percent(THRESHOLD)} or more"
        )
        return Claim(self.title, watch, numbers=numbers)

    def _before(self, data: xr.Dataset) -> float:
        """The most that a neuron's own frequency holds of it at the first moment."""
        activations, frequency = fields.activations(data, 0), data["neuron_frequency"].values
        neurons = self._neurons(data)
        return max(_neurons.own_share(activations[n], int(frequency[n])) for n in neurons)

    def _neurons(self, data: xr.Dataset) -> np.ndarray:
        """Places of the neurons of which the sentence speaks."""
        return _neurons.neurons_in_turn(data, self.most, _inactive(data))

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The waves of all neurons at first, and beside or below it at the moment."""
        narrow, count = style().narrow(figure), (data.sizes["row"] // 2 + 1) // 2
        if self.plane:
            left, right = grids.square_axes(
                figure, 2, 1 if narrow else 2, 1, left=4.2, right=4.6 if narrow else 6.5, top=1.9,
                bottom=2.6, gap=4.0, vgap=4.8,
            )  # fmt: skip
        else:
            left, right = style().beside(
                figure, (1, 1), (1, 1), left=2.6 if narrow else 5.4, right=5.2 if narrow else 7.0,
                top=1.9, bottom=2.4, gap=2.4, vgap=4.4,
            )  # fmt: skip
            if not narrow:
                left.set_ylabel("a row is a neuron", labelpad=0.6 * style().points)
        neurons = self._neurons(data)
        kind = _Waves if self.plane else _Rows
        first, now = (kind(axes, data, neurons, count) for axes in (left, right))
        first.show(fields.activations(data, 0), _claims.moment(data, 0, "field_epoch"))
        now.name_neurons()

        def update(i: int) -> None:
            now.show(fields.activations(data, i), _claims.moment(data, i, "field_epoch"))

        return Drawing(now.moving, update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How much of each neuron its own three waves hold."""
        neurons = self._neurons(data)
        frequency, activations = data["neuron_frequency"].values, fields.activations(data, i)
        waves = [n for n in neurons if frequency[n] != NO_FREQUENCY]
        how = "on one plane" if self.plane else "a row each"
        over = "frequency in a by frequency in b" if self.plane else "over the frequency"
        what = (
            f"Spectra of {len(neurons)} neurons, {how}, at first and at "
            f"{clocks.at(data, 'field_epoch', i)}, {over}."
        )
        if not waves:
            return f"{what} None of them has a frequency of its own."
        shares = [_neurons.own_share(activations[n], int(frequency[n])) for n in waves]
        keys = sorted({int(frequency[n]) for n in waves})
        return (
            f"{what} Of {len(waves)} neurons the three "
            f"places of a neuron's own frequency ({', '.join(map(str, keys))}: in a, in b, in "
            f"both) hold {percent(min(shares))} to {percent(max(shares))} of its variance."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        what = (
            "A disc's area is the share of a neuron's variance over (a, b) that has a frequency in "
            "a alone, in b alone or in both, from the 2-D Fourier transform of its activations "
            "after the ReLU, cosine and sine together; what mixes two frequencies is left out"
        )
        if self.plane:
            what = (
                "Share of a neuron's variance over (a, b) by frequency in a and in b, from the 2-D "
                "Fourier transform of its activations after the ReLU, cosine and sine together: "
                "the area of a disc at that place. Its own are three: the frequency in a alone, in "
                "b alone, and in both"
            )
        return (
            f"{what}. From {DUST:.3%} on, in the colour of the neuron's frequency. Of "
            "the stored neurons of each frequency those that are active at "
            f"the first moment, the best explained by it first. {after('section 4.3')}"
        )


def _inactive(data: xr.Dataset) -> Bool[np.ndarray, " neuron"]:
    """Which stored neurons are the same for all (a, b) at the first moment."""
    field = fields.activations(data, 0)
    inactive: np.ndarray = ~field.reshape(len(field), -1).any(axis=1)
    return inactive


class _Waves:
    """The waves of some neurons on one plane, as discs whose areas are their shares."""

    def __init__(self, axes: Axes, data: xr.Dataset, neurons: np.ndarray, count: int) -> None:
        from matplotlib.colors import to_rgb

        current_style = style()
        keys = [int(data["neuron_frequency"].values[n]) for n in neurons]
        self.axes, self.neurons, self.keys, last = axes, neurons, keys, count - 1
        self.tints = [to_rgb(frequencies.ink(k, data)) for k in keys]
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set(visible=True, color=current_style.colours.grid)
        axes.tick_params(length=0)
        points = current_style.points * axes.bbox.width / current_style.pixels(
            axes, current_style.points
        )  # fmt: skip
        self.whole = (2 * self.set_axes(last) * points) ** 2
        self.discs = axes.scatter([], [], [], lw=0, zorder=3, clip_on=False)
        self.title = grids.figure_above(axes, left=True)
        self.title.set(fontsize=current_style.small)
        self.names: list[tuple[int, Any]] = []

    @property
    def moving(self) -> list[Any]:
        """The discs, the moment above them, and the neurons' names."""
        return [self.discs, self.title, *(name for _, name in self.names)]

    def set_axes(self, last: int) -> float:
        """Set the limits and the ticks; returns a whole disc's radius, as a share of the side."""
        pad = WHOLE / (1 - 2 * WHOLE) * last
        self.axes.set(xlim=(-pad, last + pad), ylim=(-pad, last + pad))
        grids.name_inputs(self.axes, last, "frequency in a", "frequency in b")
        self.axes.set_yticks(
            [0, last / 2, last], ["0", "frequency in b", str(last)], rotation=90, va="center"
        )
        return WHOLE

    def level(self, at: int) -> float:
        """How high the name of the neuron at a place is."""
        return float(self.keys[at])

    def waves(self, at: int, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the discs of the neuron at a place are, and how much of it each holds."""
        shares = _neurons.shares_by_frequency(field)
        places = np.argwhere(shares > DUST)
        return places, shares[places[:, 0], places[:, 1]]

    def name_neurons(self) -> None:
        """Each frequency at the right, as high as its discs or near that."""
        places: dict[int, int] = {}
        for at, k in enumerate(self.keys):
            if k != NO_FREQUENCY:
                places.setdefault(k, at)
        keys = sorted(places)
        em = style().pixels(self.axes, style().small) * np.ptp(self.axes.get_ylim())
        high = [1.2 * em / self.axes.bbox.height] * len(keys)
        levels = pushed_apart([self.level(places[k]) for k in keys], high, *self.axes.get_ylim())
        for k, level in zip(keys, levels, strict=True):
            at = places[k]
            self.names.append((at, style().note(
                self.axes, f"wave {k}", (1, level), (0.6, 0), va="center", fontweight="bold",
                color=self.tints[at], xycoords=self.axes.get_yaxis_transform(),
            )))  # fmt: skip

    def show(self, activations: np.ndarray, moment: str) -> None:
        """Set the activations over (a, b) whose waves are shown, and of which moment they are."""
        places, sizes, tints, own = [], [], [], []
        each = zip(self.neurons, self.keys, self.tints, strict=True)
        for at, (n, k, tint) in enumerate(each):
            field = activations[n]
            where, shares = self.waves(at, field)
            places.append(where)
            sizes.append(self.whole * shares)
            tints.append(np.tile([*tint, 0.85], (len(where), 1)))
            own.append(_neurons.own_share(field, k) if field.any() else 0.0)
        size = np.concatenate(sizes)
        # the small on top of the large
        order = np.argsort(-size, kind="stable")
        self.discs.set_offsets(np.concatenate(places)[order])
        self.discs.set_sizes(size[order])
        self.discs.set_facecolors(np.concatenate(tints)[order])
        self.title.set_text(moment)
        for at, name in self.names:
            name.set_visible(own[at] >= _neurons.HALF)


class _Rows(_Waves):
    """A row a neuron: how much of it each frequency holds, in a, in b and in both together."""

    def set_axes(self, last: int) -> float:
        """Set the limits and the ticks; returns a whole disc's radius, as a share of the side."""
        count = len(self.neurons)
        # the lowest frequency lowest, as on the plane; neurons of none above all
        order = np.argsort([k or last + 1 for k in self.keys], kind="stable")
        self.row = np.argsort(order, kind="stable")
        box = self.axes.bbox
        radius = min(WHOLE, IN_ROW * box.height / box.width / max(count, 1))
        pad = radius / (1 - 2 * radius) * (last - 1)
        self.axes.set(xlim=(1 - pad, last + pad), ylim=(-0.5, count - 0.5), yticks=[])
        self.axes.set_xticks([1, (1 + last) / 2, last], ["1", "wave", str(last)])
        return radius

    def level(self, at: int) -> float:
        """How high the name of the neuron at a place is."""
        return float(self.row[at])

    def waves(self, at: int, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the discs of the neuron at a place are, and how much of it each holds."""
        shares = _neurons.shares_by_frequency(field)
        single = (shares[0] + shares[:, 0] + shares.diagonal())[1:]
        at_least = np.flatnonzero(single > DUST)
        places = np.stack([at_least + 1, np.full(len(at_least), self.row[at])], axis=1)
        return places, single[at_least]
