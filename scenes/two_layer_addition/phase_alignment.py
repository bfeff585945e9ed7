"""The phase of each neuron's output over that of its input: all fall onto the line of twice it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

ALIGNED = 20.0
"""Degrees of mean misalignment below which the phases are said to lie on the line."""

APART = 45.0
"""Degrees of mean misalignment above which they are said not to have lain there before."""

BESIDE = 10.0
"""The room for the words at the right of the dots, in ems."""

NEARLY_ALL = 0.9
"""So large a share of the neurons on the line are nearly all."""

NEARLY, LATER = 4.0, 1.4
"""A film ends so many times later than the dots are within so many degrees of their best."""


@dataclass(frozen=True)
class PhaseAlignment(Scene):
    """A dot a neuron: the phase of its wave coming out, over that of its wave going in."""

    name = "phase-alignment"
    title = "Neurons' waves come out with twice the phase they went in with"
    watch = (
        "A dot is a neuron; on the lines its phase out is twice that in (−½ and ½ are one phase)"
    )
    source = "arXiv:2602.16849"
    needs = ("neuron_phase", "neuron_magnitude", "final_frequency")
    recipe = "two-layer-addition"
    reference = "two-layer-addition"
    aspect = 1.9
    narrow_aspect = 1.0

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a neuron has a wave."""
        super().check(data)
        if not (data["final_frequency"].values > 0).any():
            raise InputError(f"{cls.name} draws the neurons' waves, and no neuron of this has one")

    def claim(self, data: xr.Dataset) -> Claim:
        """How far from the line the dots are, first and last, weighed by their size."""
        first, last = (_distance(data, i) for i in (0, -1))
        numbers = {"first": first, "last": last}
        summed = _summed(data)
        own = f"{_who(data)} waves come out with " + (
            "twice the phase they went in with" if summed else "both inputs' phases added"
        )
        watch = self.watch if summed else (
            "A dot is a neuron; on the line the phases going in add up"
        )  # fmt: skip
        if last <= ALIGNED and first >= APART:
            return Claim(own, watch, numbers=numbers)
        if last <= ALIGNED:
            return Claim.instead(f"{own}, from the first checkpoint on", watch, **numbers)
        return Claim.instead(
            f"Phases are {last:.0f}° from the lines in the end, {first:.0f}° at first", watch,
            **numbers,
        )  # fmt: skip

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The lines, the dots of the moment, and faintly where they began."""
        narrow, (wide, high) = style().narrow(figure), style().ems(figure)
        # both phases to one scale
        side = high - 5.2
        left = 5.0 if narrow else max(0.5 * (wide - side - BESIDE) + 2.5, 5.0)
        right = 2.0 if narrow else max(wide - left - side, 2.0)
        axes = style().panels(figure, left=left, right=right, top=1.6, bottom=3.6)[0][0]
        sums, outputs, sizes = _phases(data)
        _frame(axes, summed=_summed(data))
        colours, dot = style().colours, 0.05 * style().points ** 2
        if style().ghost:
            axes.scatter(sums[0], outputs[0], s=dot, color=colours.faint, lw=0, zorder=2)
            at, lift = ((0, 1), (0, 0.5)) if narrow else ((1, 1), (1.2, -5.6))
            style().note(axes, "grey: at the start", at, lift, color=colours.muted)
        dots = axes.scatter(
            sums[0], outputs[0], s=dot, color=colours.answer, lw=0, alpha=0.9, zorder=4,
            clip_on=False,
        )  # fmt: skip
        place: dict[str, Any] = {"ha": "right", "color": colours.muted}
        if not narrow:
            place = {"va": "top", "color": colours.answer, "linespacing": 1.25}
        lift = (0.0, 0.5) if narrow else (1.2, -0.6)
        note = style().note(axes, "", (1, 1), lift, **place)

        def update(i: int) -> None:
            dots.set_offsets(np.stack([sums[i], outputs[i]], axis=1))
            dots.set_sizes(dot * (1 + 2 * sizes[i]))
            words = " off on average" if narrow else " from the\nlines on average"
            note.set_text(f"{_distance(data, i):.0f}°{words}")

        return Drawing([dots, note], update)

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the dots are nearly as close to the lines as they ever come."""
        epochs = data["epoch"].values
        distances = np.array([_distance(data, i) for i in range(len(epochs))])
        close = np.flatnonzero(distances > distances.min() + NEARLY)
        end = epochs[min(close[-1] + 1, len(epochs) - 1)] if len(close) else epochs[-1]
        return 0, float(min(LATER * end, epochs[-1]))

    def description(self, data: xr.Dataset, i: int) -> str:
        """How far from the line the dots are at that moment."""
        return (
            f"A dot for each of {data.sizes['neuron']:,} neurons: the phase of its weights to the "
            "answers over the phase of its weights from the numbers, at the frequency that it has "
            f"in the end. At {clocks.at(data, 'epoch', i)} they are {_distance(data, i):.0f} "
            "degrees on average from the line on which the one is twice the other."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "A neuron's weights over the residues j are waves, magnitude cos(2πkj/p + phase); "
            "drawn is the frequency k of its largest wave in the first layer at the end. "
            "Averages are weighed by the product of the magnitudes. "
            f"After {self.source}, where neurons of one frequency and phases so aligned are shown "
            "to be what training finds."
        )


def _summed(data: xr.Dataset) -> bool:
    """Whether a and b have the same weights, and so the same phase."""
    return data.sizes["layer"] == 2


def _turns(angle: Float[np.ndarray, " ..."]) -> Float[np.ndarray, " ..."]:
    """Radians as turns, from -1/2 up to 1/2."""
    turns: Float[np.ndarray, " ..."] = (angle / (2 * np.pi) + 0.5) % 1 - 0.5
    return turns


def _phases(
    data: xr.Dataset,
) -> tuple[Float[np.ndarray, "epoch neuron"], Float[np.ndarray, "epoch neuron"], Any]:
    """Input and output phases in turns, and sizes from 0 to 1, of the neurons that have a wave.

    Of concatenated inputs the phase is half of the sum of both.
    """
    has_wave = data["final_frequency"].values > 0
    phases = data["neuron_phase"].values[..., has_wave].astype(float)
    sizes = _weights(data)[:, has_wave] ** (1 / 3)
    inputs = phases[:, 0] if _summed(data) else (phases[:, 0] + phases[:, 1]) / 2
    return _turns(inputs), _turns(phases[:, -1]), sizes / max(float(sizes.max()), 1e-30)


def _weights(data: xr.Dataset) -> Float[np.ndarray, "epoch neuron"]:
    """How strongly each neuron's wave goes through: the product of its magnitudes."""
    sizes = data["neuron_magnitude"].values.astype(float)
    product: Float[np.ndarray, "epoch neuron"] = sizes[:, 0] * sizes[:, -2] * sizes[:, -1]
    return product


def _off(data: xr.Dataset, i: int) -> Float[np.ndarray, " neuron"]:
    """Distance of each neuron's phase coming out from those going in together, in degrees."""
    phases = data["neuron_phase"].values[i].astype(float)
    off: Float[np.ndarray, " neuron"] = 360 * np.abs(_turns(phases[-1] - phases[0] - phases[-2]))
    return off


def _distance(data: xr.Dataset, i: int) -> float:
    """The mean of those distances, in degrees."""
    weights = _weights(data)[i]
    return float(np.average(_off(data, i), weights=weights if weights.sum() > 0 else None))


def _who(data: xr.Dataset) -> str:
    """Of how many neurons that have a wave the phases lie on the line in the end, in a sentence."""
    has_wave = data["final_frequency"].values > 0
    near, count = int((_off(data, -1)[has_wave] <= ALIGNED).sum()), int(has_wave.sum())
    if near == count:
        return "All neurons'"
    return "Nearly all neurons'" if near >= NEARLY_ALL * count else f"{near} of {count} neurons'"


def _frame(axes: Axes, *, summed: bool) -> None:
    colours = style().colours
    for middle in (-0.5, 0.0, 0.5):
        ends = np.array([middle - 0.25, middle + 0.25])
        axes.plot(ends, 2 * (ends - middle), color=colours.faint, lw=0.6 * style().line, zorder=1)
    axes.set(
        xlim=(-0.51, 0.51), ylim=(-0.52, 0.52),
        xlabel="phase going in (turns)" if summed else "mean phase going in (turns)",
        ylabel="phase coming out (turns)",
    )  # fmt: skip
    ticks, names = (-0.5, 0, 0.5), ("−½", "0", "½")
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
