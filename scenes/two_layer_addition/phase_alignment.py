"""The phase of each neuron's output over twice that of its input: all fall onto one line."""

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

MARKED = (25.0, 75.0)
"""Phases going in of which twice as much is seen at a glance, in degrees."""

NEARLY_ALL = 0.9
"""So large a share of the neurons on the line are nearly all."""

NEARLY, LATER = 4.0, 1.4
"""A film ends so many times later than the dots are within so many degrees of their best."""


@dataclass(frozen=True)
class PhaseAlignment(Scene):
    """A dot a neuron: the phase of its wave coming out, over that of its wave going in."""

    name = "phase-alignment"
    title = "Each neuron doubles the phase of its wave"
    watch = "A dot is a neuron, grey at the start; on the line its wave's phase doubles"
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
        own = _law(data, summed=summed)
        watch = self.watch if summed else (
            "A dot is a neuron, grey at the start; on the line the phases going in add up"
        )  # fmt: skip
        if last <= ALIGNED and first >= APART:
            return Claim(own, watch, numbers=numbers)
        if last <= ALIGNED:
            return Claim.instead(f"{own}, from the first checkpoint on", watch, **numbers)
        return Claim.instead(
            f"Phases are {last:.0f}° from the line in the end, {first:.0f}° at first", watch,
            **numbers,
        )  # fmt: skip

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The line, the dots of the moment and of the first; beside them one neuron's waves."""
        narrow, (wide, high) = style().narrow(figure), style().ems(figure)
        # both phases to one scale
        side = high - 5.8
        left = 5.0 if narrow else 7.6
        right = max(wide - left - side, 2.0)
        axes = style().panels(figure, left=left, right=right, top=2.2, bottom=3.6)[0][0]
        sums, outputs, sizes = _phases(data)
        _frame(axes, summed=_summed(data))
        colours, dot = style().colours, 0.05 * style().points ** 2
        axes.scatter(sums[0], outputs[0], s=dot, color=colours.faint, lw=0, zorder=2)
        dots = axes.scatter(
            sums[0], outputs[0], s=dot, color=colours.answer, lw=0, alpha=0.9, zorder=4,
            clip_on=False,
        )  # fmt: skip
        note = style().note(axes, "", (0, 1), (0, 0.6), color=colours.answer)
        # of a and b side by side one wave goes in for each, and no phase doubles
        example = None
        if not narrow and _summed(data) and right > 20:
            example = _Example(figure, data, left + side, axes)

        def update(i: int) -> None:
            dots.set_offsets(np.stack([sums[i], outputs[i]], axis=1))
            dots.set_sizes(dot * (1 + 2 * sizes[i]))
            note.set_text(f"{_distance(data, i):.0f}° from the line on average")
            if example:
                example.update(i)

        return Drawing([dots, note, *(example.moving if example else [])], update)

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
            f"answers over {_across(summed=_summed(data))}, at the frequency that it has in the "
            f"end. At {clocks.at(data, 'epoch', i)} they are {_distance(data, i):.0f} "
            "degrees on average from the line on which both are the same."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "A neuron's weights over the residues j are waves, magnitude cos(2πkj/p + phase); "
            "drawn is the frequency k of its largest wave in the first layer at the end. "
            "Averages are weighed by the product of the magnitudes. Beside them the two waves of "
            "one neuron, each to its own scale, j from right to left. "
            f"After {self.source}, where neurons of one frequency and phases so aligned are shown "
            "to be what training finds."
        )


def _summed(data: xr.Dataset) -> bool:
    """Whether a and b have the same weights, and so the same phase."""
    return data.sizes["layer"] == 2


def _degrees(angle: Float[np.ndarray, " ..."]) -> Float[np.ndarray, " ..."]:
    """Radians as degrees, from -180 up to 180."""
    degrees: Float[np.ndarray, " ..."] = 360 * ((angle / (2 * np.pi) + 0.5) % 1 - 0.5)
    return degrees


def _phases(
    data: xr.Dataset,
) -> tuple[Float[np.ndarray, "epoch neuron"], Float[np.ndarray, "epoch neuron"], Any]:
    """Input phases added up and output phases in degrees, and sizes from 0 to 1, of neurons with a
    wave.

    Of a and b with the same weights the sum is twice the phase.
    """
    has_wave = data["final_frequency"].values > 0
    phases = data["neuron_phase"].values[..., has_wave].astype(float)
    sizes = _weights(data)[:, has_wave] ** (1 / 3)
    inputs = phases[:, 0] + phases[:, -2]
    return _degrees(inputs), _degrees(phases[:, -1]), sizes / max(float(sizes.max()), 1e-30)


def _weights(data: xr.Dataset) -> Float[np.ndarray, "epoch neuron"]:
    """How strongly each neuron's wave goes through: the product of its magnitudes."""
    sizes = data["neuron_magnitude"].values.astype(float)
    product: Float[np.ndarray, "epoch neuron"] = sizes[:, 0] * sizes[:, -2] * sizes[:, -1]
    return product


def _off(data: xr.Dataset, i: int) -> Float[np.ndarray, " neuron"]:
    """Distance of each neuron's phase coming out from those going in together, in degrees."""
    phases = data["neuron_phase"].values[i].astype(float)
    off: Float[np.ndarray, " neuron"] = np.abs(_degrees(phases[-1] - phases[0] - phases[-2]))
    return off


def _distance(data: xr.Dataset, i: int) -> float:
    """The mean of those distances, in degrees."""
    weights = _weights(data)[i]
    return float(np.average(_off(data, i), weights=weights if weights.sum() > 0 else None))


def _law(data: xr.Dataset, *, summed: bool) -> str:
    """What neurons do with phases in the end, and how many of those that have a wave do it."""
    has_wave = data["final_frequency"].values > 0
    near, count = int((_off(data, -1)[has_wave] <= ALIGNED).sum()), int(has_wave.sum())
    if near == count:
        does = "doubles the phase of its wave" if summed else "adds up the phases of its two inputs"
        return f"Each neuron {does}"
    do = "double the phase of their wave" if summed else "add up the phases of their two inputs"
    return f"{'Nearly all' if near >= NEARLY_ALL * count else f'{near} of {count}'} neurons {do}"


def _across(*, summed: bool) -> str:
    """What is drawn across."""
    return "twice the phase going in" if summed else "the sum of the phases going in"


def _frame(axes: Axes, *, summed: bool) -> None:
    colours = style().colours
    axes.plot([-180, 180], [-180, 180], color=colours.faint, lw=0.6 * style().line, zorder=1)
    axes.set(
        xlim=(-184, 184), ylim=(-187, 187), xlabel=_across(summed=summed),
        ylabel="phase coming out",
    )  # fmt: skip
    ticks, names = (-180, 0, 180), ("−180°", "0°", "180°")
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)


class _Example:
    """One neuron's waves above one another: where their crests are, and its dot."""

    def __init__(self, figure: FigureBase, data: xr.Dataset, beside: float, plot: Axes) -> None:
        current = style()
        colours, line = current.colours, current.line
        (wide, _), has_wave = current.ems(figure), data["final_frequency"].values > 0
        sums, outputs, _sizes = _phases(data)
        self.dot = _example(data)
        at = int(has_wave[: self.dot].sum())
        self.place = np.stack([sums[:, at], outputs[:, at]], axis=1)
        self.phases = _degrees(data["neuron_phase"].values[:, [0, -1], self.dot].astype(float))
        sizes = data["neuron_magnitude"].values[:, [0, -1], self.dot].astype(float)
        self.heights = sizes / np.maximum(sizes.max(axis=0), 1e-30)
        self.across = np.linspace(-180, 180, 121)
        (self.ring,) = plot.plot(
            [], [], marker="o", ls="", ms=0.75 * current.points, mfc="none", mec=colours.ink,
            mew=0.6 * line, zorder=5, clip_on=False,
        )  # fmt: skip
        rows = current.panels(
            figure, heights=(1, 1), left=min(beside + 4.0, 0.6 * wide), right=2.0, top=3.6,
            bottom=3.6, vgap=3.4,
        )  # fmt: skip
        self.waves, self.crests, self.words = [], [], []
        names = "the wave that the ringed neuron reads", "the wave that it writes"
        for (axes,), name in zip(rows, names, strict=True):
            axes.set(xlim=(-180, 180), ylim=(-1.15, 1.35))
            axes.axis("off")
            axes.axvline(0, color=colours.faint, lw=0.5 * line)
            axes.axhline(0, color=colours.grid, lw=0.5 * line)
            current.note(axes, name, (0, 1), (0, 1.6), color=colours.muted)
            look: dict[str, Any] = {"zorder": 3, "clip_on": False}
            self.waves += axes.plot([], [], color=colours.answer, lw=line, **look)
            self.crests += axes.plot([], [], color=colours.ink, lw=0.8 * line, **look)
            self.words.append(current.label(axes, 0, 1.3, "", clip_on=False))

    @property
    def moving(self) -> list[Any]:
        return [self.ring, *self.waves, *self.crests, *self.words]

    def update(self, i: int) -> None:
        """The waves of that moment, with a line from the middle to each crest."""
        self.ring.set_data(*self.place[i][:, None])
        rows = zip(self.waves, self.crests, self.words, strict=True)
        for (wave, crest, text), phase, high in zip(
            rows, self.phases[i], self.heights[i], strict=True
        ):
            wave.set_data(self.across, high * np.cos(np.radians(self.across - phase)))
            crest.set_data([0, phase, phase], [1.15, 1.15, high])
            text.set_text(f"{phase:.0f}°".replace("-", "−"))
            text.set_x(phase / 2)


def _example(data: xr.Dataset) -> int:
    """The neuron drawn: the strongest of the line whose phase is seen to double, else of all."""
    weights = np.where(data["final_frequency"].values > 0, _weights(data)[-1], -1.0)
    phase = _degrees(data["neuron_phase"].values[-1, 0].astype(float))
    clear = (phase >= MARKED[0]) & (phase <= MARKED[1]) & (_off(data, -1) <= ALIGNED)
    clear &= weights >= 0
    return int(np.argmax(np.where(clear, weights, -2.0) if clear.any() else weights))
