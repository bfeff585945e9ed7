"""How far each neuron's wave over b lags behind its wave over a: in a clock, a pizza, a torus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.clock_or_pizza import _networks
from jaxtyping import Float

from grokviz.scene import Claim, Drawing, style
from grokviz.scene import clock as clocks
from grokviz.scene.about import about_every
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BUNDLED = {"clock": _networks.CLOCK, "pizza": _networks.PIZZA, "torus": _networks.TORUS}
"""The bundled network of each kind, in the order in which they are drawn."""

PETALS = 24
"""Classes of the histogram, the first around 0."""

RAY = 0.3
"""How strong a single ray is."""

IN_STEP = np.pi / PETALS
"""Differences up to which a neuron has both waves in step: those of the first class, in radians."""

NEARLY_ALL, FEW = 0.9, 0.5
"""Shares of neurons in step from which on nearly all are, and up to which many are not."""


@dataclass(frozen=True)
class PhaseDifferences(_networks.BesideBundled):
    """A rose for each network: its neurons by the angle between their waves over a and over b."""

    name = "phase-differences"
    title = "A clock's neurons and a pizza's keep a and b in step; a torus's do not"
    watch = "A ray is a neuron, upright if its waves over a and b are in step; petals count rays"
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
        """The roses beside one another."""
        parts = self._parts(data)
        names = _networks.run_names(list(parts.values()))
        low = (3.0 if style().narrow(figure) else 4.8) + 1.6 * any(names)
        room = style().panels(
            figure, (1,) * len(parts), left=1.0, right=1.0, top=1.8, bottom=low, gap=1.0
        )[0]
        roses = [_Rose(*one) for one in zip(room, parts.values(), parts, names, strict=True)]

        def update(i: int) -> None:
            for rose, part in zip(roses, parts.values(), strict=True):
                rose.update(_networks.index_at(data, part, i, "epoch"))

        return Drawing([(rose.rays, rose.petals) for rose in roses], update)

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
            "Roses of the neurons by the angle between their waves over a and over b, in step at "
            f"the top. {' '.join(texts)}"
        )

    def about(self, data: xr.Dataset) -> str:
        """What is true of all the networks."""
        return about_every(self._parts(data).values())

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Phase of the wave over a in a neuron's input before the ReLU, less that over b, at "
            "the frequency that it has in the end; 0 without a wave. Petals are classes of "
            f"{360 / PETALS:g} degrees by area: all neurons reach the rim, a quarter half-way. "
            "In step: the petal at the top. A network is called a torus where at least "
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


class _Rose:
    """The neurons of one network around a circle, with its name below."""

    def __init__(self, axes: Axes, data: xr.Dataset, kind: str, run: str) -> None:
        from matplotlib.collections import LineCollection, PolyCollection

        self.data = data
        current = style()
        colours = current.colours
        colour = _networks.tint(kind)
        axes.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal")
        axes.set_axis_off()
        turn = np.linspace(0, 2 * np.pi, 200)
        axes.plot(np.cos(turn), np.sin(turn), color=colours.grid, lw=0.6 * current.line, zorder=1)
        self.rays = LineCollection([], colors=[colour], alpha=RAY, lw=0.4 * current.line, zorder=2)
        axes.add_collection(self.rays, autolim=False)
        self.petals = PolyCollection(
            [], facecolors=[colour], edgecolors=[colours.background], lw=0.2 * current.line,
            joinstyle="bevel", zorder=3,
        )  # fmt: skip
        axes.add_collection(self.petals, autolim=False)
        centre: dict[str, Any] = {"ha": "center", "color": colours.muted}
        current.note(axes, "in step", (0.5, 1), (0, 0.2), **centre)
        current.note(
            axes, kind or _networks.NAMELESS, (0.5, 0), (0, -1.7), ha="center", fontweight="bold",
            color=colours.words(colour), fontsize=1.35 * current.points,
        )  # fmt: skip
        rows = [run] if current.narrow(axes.figure) else [_networks.network(data), run]
        for k, words in enumerate(rows):
            current.note(axes, words, (0.5, 0), (0, -3.3 - 1.6 * k), **centre)

    def update(self, i: int) -> None:
        """Show a moment of the network."""
        angles = _angles(self.data, i)
        self.rays.set_segments(
            [np.array([[0, 0], [np.sin(angle), np.cos(angle)]]) for angle in angles]
        )
        self.petals.set_verts(_petals(angles))


def _angles(data: xr.Dataset, i: int) -> Float[np.ndarray, " neuron"]:
    """The differences of the neurons that have one, in radians."""
    angles: Float[np.ndarray, " neuron"] = data["phase_difference"].values[i].astype(float)
    return angles[np.isfinite(angles)]


def _petals(angles: Float[np.ndarray, " neuron"]) -> list[Float[np.ndarray, "corner 2"]]:
    """A wedge for each class with neurons, whose area is its share of the circle's sector."""
    # the class around 0 is the first
    which = np.floor(angles / (2 * np.pi) * PETALS + 0.5).astype(int) % PETALS
    shares = np.bincount(which, minlength=PETALS) / max(len(angles), 1)
    middles = 2 * np.pi * np.arange(PETALS) / PETALS
    across = np.linspace(-0.5, 0.5, 7) * 2 * np.pi / PETALS
    wedges = []
    for radius, middle in zip(np.sqrt(shares), middles, strict=True):
        if radius == 0:
            continue
        # as on a dial: 0 on top, and to the right from there
        x, y = np.sin(middle + across), np.cos(middle + across)
        wedges.append(radius * np.column_stack([[0, *x], [0, *y]]))
    return wedges


def _in_step(data: xr.Dataset, i: int = -1) -> float:
    """The share of the neurons with both waves in step."""
    angles = _angles(data, i)
    return float((np.abs(angles) <= IN_STEP).mean()) if len(angles) else 0.0


def _kind(data: xr.Dataset) -> str:
    """What a network clearly is in the end; "" for nothing."""
    named = {"torus": "torus", "disc": _networks.by_logits(data)}
    return named.get(_networks.shape(data), "")
