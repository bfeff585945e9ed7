"""The angle between each neuron's waves over a and over b: in a clock, a pizza and a torus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.clock_or_pizza import _networks
from jaxtyping import Float

from grokviz.scene import Claim, Drawing, style
from grokviz.scene import clock as clocks
from grokviz.scene.about import about_every
from grokviz.scene.bars import Bars
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BUNDLED = {"clock": _networks.CLOCK, "pizza": _networks.PIZZA, "torus": _networks.TORUS}
"""The bundled network of each kind, in the order in which they are drawn."""

CLASSES = 12
"""Classes of the histogram, from 0 to 180 degrees."""

IN_STEP = 180 / CLASSES
"""Degrees up to which a neuron has both waves in step: those of the first class."""

TICKS = {0: "in step", 90: "", 180: "opposite"}
"""Angles that are named below a histogram, with what they mean."""

WAVE = 20.0
"""Half the width of the waves drawn there, in degrees of the axis, and the room at both ends."""

NEARLY_ALL, FEW = 0.9, 0.5
"""Shares of neurons in step from which on nearly all are, and up to which many are not."""


@dataclass(frozen=True)
class PhaseDifferences(_networks.BesideBundled):
    """A histogram for each network: the angles between its neurons' waves over a and over b."""

    name = "phase-differences"
    title = "Clocks and pizzas keep a and b in step; a torus does not"
    watch = (
        "Each neuron reads a wave over a and a wave over b; bars count neurons by the angle "
        "between the two"
    )
    source = "arXiv:2512.25060"
    disputed = (
        "Disputed: clock and pizza, which look alike here, are told apart by how their outputs are "
        "computed (arXiv:2306.17844)."
    )
    needs = ("phase_difference", "clock_share", "pizza_share", "outside_share")
    recipe = "clock-59"
    reference = BUNDLED["clock"]
    aspect = 2.0
    narrow_aspect = 1.9

    def claim(self, data: xr.Dataset) -> Claim:
        """The share of each network's neurons that have both waves in step."""
        shares = {kind: _in_step(part) for kind, part in self._parts(data).items()}
        numbers = {f"in step in {kind or 'network'}": share for kind, share in shares.items()}
        same = all(shares.get(kind, 0.0) >= NEARLY_ALL for kind in ("clock", "pizza"))
        angles = data["phase_difference"].values
        # a network as it was drawn has no plane either, and is no torus
        trained = not np.array_equal(angles[0], angles[-1])
        if trained and same and shares.get("torus", 1.0) <= FEW:
            return Claim(self.title, self.watch, numbers=numbers)
        kind = _kind(data)
        sentence = (
            f"In {percent(shares[kind])} of this {kind or 'network'}'s neurons a and b are in step"
        )
        return Claim.instead(sentence, self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The histograms beside one another."""
        parts = self._parts(data)
        narrow = style().narrow(figure)
        names = _networks.run_names(list(parts.values()))
        high = (1.8 if narrow else 4.2) + 1.5 * any(names)
        room = style().panels(
            figure, (1,) * len(parts), left=5.6, right=1.6, top=high,
            bottom=2.6 if narrow else 6.2, gap=1.6 if narrow else 2.4,
        )[0]  # fmt: skip
        charts = [_Chart(*one) for one in zip(room, parts.values(), parts, names, strict=True)]
        room[0].set_ylabel("neurons")
        for axes in room[1:]:
            axes.tick_params(labelleft=False)

        def update(i: int) -> None:
            for chart, part in zip(charts, parts.values(), strict=True):
                chart.bars.update(_networks.index_at(data, part, i, "epoch"))

        return Drawing([chart.bars.moving for chart in charts], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How many neurons of each network are in step at that moment."""
        texts = []
        for kind, part in self._parts(data).items():
            at = _networks.index_at(data, part, i, "epoch")
            texts.append(
                f"{(kind or _networks.NAMELESS).capitalize()} ({part.attrs.get('run_name')}, "
                f"{_networks.network(part) or 'network unknown'}): {percent(_in_step(part, at))} "
                f"in step at {clocks.at(part, 'epoch', at)}, {percent(_in_step(part, 0))} in the "
                "beginning."
            )
        return (
            "Histograms of the angles between the neurons' waves over a and over b, in step at 0. "
            f"{' '.join(texts)}"
        )

    def about(self, data: xr.Dataset) -> str:
        """What is true of all the networks."""
        return about_every(self._parts(data).values())

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Phase of the wave over a in a neuron's input before the ReLU, less that over b, "
            "either way round, at the frequency that it has in the end; 0 without a wave. Bars are "
            f"classes of {180 / CLASSES:g} degrees. In step: those of the first bar. A network "
            "is called a torus where at least "
            f"{percent(_networks.ROUND)} of b's waves lie outside of a's plane. Where at most "
            f"{percent(_networks.FLAT)} do, its logits say what it is: {_networks.CALLED}"
            f"{self.why_alone(data, _kind(data))}After {self.source}."
        )

    def _parts(self, data: xr.Dataset) -> dict[str, xr.Dataset]:
        """The networks by their kind: the run, and where wanted the bundled ones of the others."""
        own = _kind(data)
        kinds = [kind for kind in BUNDLED if kind != own]
        others = self.others(data, own, [BUNDLED[kind] for kind in kinds])
        parts = dict(zip(kinds, others, strict=False)) | {own: data}
        return {kind: parts[kind] for kind in (*BUNDLED, "") if kind in parts}


class _Chart:
    """The histogram of one network, with its name above."""

    def __init__(self, axes: Axes, data: xr.Dataset, kind: str, run: str) -> None:
        current = style()
        colours, narrow = current.colours, current.narrow(axes.figure)
        colour = _networks.tint(kind)
        axes.set(xlim=(-WAVE, 180 + WAVE), ylim=(0, 1.02))
        axes.grid(visible=False, axis="x")
        axes.set_xticks(list(TICKS), [f"{angle}°" for angle in TICKS])
        axes.set_yticks([0, 0.5, 1], ["0", "50%", "100%"])
        middles = (np.arange(CLASSES) + 0.5) * IN_STEP
        heights = np.array([_shares(data, i) for i in range(data.sizes["epoch"])])
        # no trace: the bars of the beginning would seem to be neurons too
        self.bars = Bars(axes, middles, heights, colour, width=0.86 * IN_STEP, trace=0)
        if not narrow:
            self._draw_waves(axes)
        lines = [run] if narrow else [run, _networks.MEANING.get(kind, "")]
        lines = [line for line in lines if line]
        for k, words in enumerate(lines):
            current.note(axes, words, (0, 1), (0, 0.9 + 1.5 * k), color=colours.muted)
        current.note(
            axes, kind or _networks.NAMELESS, (0, 1), (0, 0.9 + 1.5 * len(lines)),
            fontsize=(1 if narrow else 1.35) * current.points, fontweight="bold",
            color=colours.words(colour),
        )  # fmt: skip

    def _draw_waves(self, axes: Axes) -> None:
        """Two waves at each angle that is named, and what it is called."""
        current = style()
        colours = current.colours
        em = current.pixels(axes, current.small) / axes.bbox.height
        across = np.linspace(-1, 1, 60)
        both: list[tuple[float, dict[str, Any]]] = [
            (1.6, {"color": colours.faint}), (0.6, {"color": colours.ink}),
        ]  # fmt: skip
        for angle, words in TICKS.items():
            for lag, (width, look) in zip((0, angle), both, strict=True):
                height = 0.7 * np.cos(1.5 * np.pi * across - np.radians(lag))
                axes.plot(
                    angle + WAVE * across, em * (height - 2.9), lw=width * current.line,
                    transform=axes.get_xaxis_transform(), clip_on=False, **look,
                )  # fmt: skip
            current.note(
                axes, words, (angle, 0), (0, -4.9), xycoords=axes.get_xaxis_transform(),
                ha="center", color=colours.muted,
            )  # fmt: skip


def _shares(data: xr.Dataset, i: int) -> Float[np.ndarray, " class"]:
    """The share of the neurons in each class of angles."""
    angles = _angles(data, i)
    counts = np.histogram(angles, np.linspace(0, 180, CLASSES + 1))[0]
    shares: Float[np.ndarray, " class"] = counts / max(len(angles), 1)
    return shares


def _angles(data: xr.Dataset, i: int) -> Float[np.ndarray, " neuron"]:
    """The angles of the neurons that have one, in degrees."""
    angles: Float[np.ndarray, " neuron"] = data["phase_difference"].values[i].astype(float)
    # float32 holds pi as a little more than it is
    return np.minimum(np.degrees(np.abs(angles[np.isfinite(angles)])), 180.0)


def _in_step(data: xr.Dataset, i: int = -1) -> float:
    """The share of the neurons with both waves in step."""
    angles = _angles(data, i)
    return float((angles < IN_STEP).mean()) if len(angles) else 0.0


def _kind(data: xr.Dataset) -> str:
    """What a network clearly is in the end; "" for nothing."""
    named = {"torus": "torus", "disc": _networks.by_logits(data)}
    return named.get(_networks.shape(data), "")
