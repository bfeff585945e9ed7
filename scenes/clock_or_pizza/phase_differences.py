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
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BUNDLED = {"clock": _networks.CLOCK, "pizza": _networks.PIZZA, "torus": _networks.TORUS}
"""The bundled network of each kind, in the order in which they are drawn."""

IN_STEP = 15.0
"""Degrees below which a neuron has both waves in step."""

TICKS = {0: "in step", 90: "", 180: "opposite"}
"""Angles that are named below the rows, with what they mean."""

WAVE = 9.0
"""Half the width of the waves drawn there, in degrees of the axis, and the room at both ends."""

HIGH = 0.72
"""The share of a row's height over which its dots lie."""

GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it, less whole ones, lie evenly between 0 and 1, however many there are."""

NEARLY_ALL, FEW = 0.9, 0.5
"""Shares of neurons in step from which on nearly all are, and up to which many are not."""


@dataclass(frozen=True)
class PhaseDifferences(_networks.BesideBundled):
    """A row of dots for each network: the angles between its neurons' waves over a and over b."""

    name = "phase-differences"
    title = "Clocks and pizzas keep a and b in step; a torus does not"
    watch = (
        "A dot is a neuron: it reads a wave over a and a wave over b, with this angle between them"
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
    narrow_aspect = 1.4

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
        """The rows above one another, over one axis of angles."""
        parts = self._parts(data)
        narrow = style().narrow(figure)
        names = _networks.run_names(list(parts.values()))
        left = 6.6 if not any(names) else 8.0 if narrow else 10.6
        axes = style().panels(
            figure, left=left, right=6.0, top=1.9, bottom=2.6 if narrow else 5.9
        )[0][0]  # fmt: skip
        _frame(axes, len(parts))
        rows = [
            _Row(axes, row, *one)
            for row, one in enumerate(zip(parts.values(), parts, names, strict=True))
        ]

        def update(i: int) -> None:
            for row, part in zip(rows, parts.values(), strict=True):
                row.update(_networks.index_at(data, part, i, "epoch"))

        return Drawing([artist for row in rows for artist in (row.dots, row.share)], update)

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
            "A dot for each neuron at the angle between its waves over a and over b, in step at 0. "
            f"{' '.join(texts)}"
        )

    def about(self, data: xr.Dataset) -> str:
        """What is true of all the networks."""
        return about_every(self._parts(data).values())

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Phase of the wave over a in a neuron's input before the ReLU, less that over b, "
            "either way round, at the frequency that it has in the end; 0 without a wave. In "
            f"step: below {IN_STEP:g} degrees. The height of a dot in its row means nothing. "
            "A network is called a torus where at least "
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


def _frame(axes: Axes, count: int) -> None:
    """The axis of angles, the ground of those in step, and the waves at each that is named."""
    current = style()
    colours = current.colours
    axes.set(xlim=(-WAVE, 180 + WAVE), ylim=(count - 0.5, -0.5))
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.set_xticks(list(TICKS), [f"{angle}°" for angle in TICKS])
    axes.set_yticks([])
    axes.axvspan(-IN_STEP / 4, IN_STEP, color=colours.grid, lw=0, zorder=0.5)
    for between in np.arange(1, count) - 0.5:
        axes.axhline(between, color=colours.grid, lw=0.6 * current.line, zorder=0.6)
    current.note(axes, "in step", (1, 1), (0.6, 0.5), color=colours.muted)
    if not current.narrow(axes.figure):
        _draw_waves(axes)


def _draw_waves(axes: Axes) -> None:
    """Two waves below each angle that is named, and what it is called."""
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


class _Row:
    """The dots of one network, its name at their left and its share in step at their right."""

    def __init__(self, axes: Axes, row: int, data: xr.Dataset, kind: str, run: str) -> None:
        current = style()
        colour = _networks.tint(kind)
        self.data, ink = data, current.colours.words(colour)
        count = data.sizes["neuron"]
        self.heights = row + HIGH * (np.arange(count) * GOLDEN % 1 - 0.5)
        # so many that they lie on one another are smaller
        size = 0.09 * current.points**2 * min(1.0, 200 / max(count, 1))
        self.dots = axes.scatter(
            np.full(count, np.nan), self.heights, s=size, color=colour, lw=0, alpha=0.85, zorder=3
        )
        place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform()}
        large = (1 if current.narrow(axes.figure) else 1.35) * current.points
        bold: dict[str, Any] = {"fontsize": large, "fontweight": "bold", "color": ink}
        current.note(
            axes, kind or _networks.NAMELESS, (0, row), (-0.8, 0.1 if run else -0.4), ha="right",
            **place, **bold,
        )  # fmt: skip
        if run:
            current.note(
                axes, run, (0, row), (-0.8, -1.3), ha="right", color=current.colours.muted, **place
            )
        self.share = current.note(axes, "", (1, row), (0.6, -0.4), **place, **bold)

    def update(self, i: int) -> None:
        """Put each neuron at its angle of that moment."""
        self.dots.set_offsets(np.stack([_degrees(self.data, i), self.heights], axis=1))
        self.share.set_text(percent(_in_step(self.data, i)))


def _degrees(data: xr.Dataset, i: int) -> Float[np.ndarray, " neuron"]:
    """The angle of each neuron, either way round, in degrees; NaN of one that has none."""
    angles: Float[np.ndarray, " neuron"] = data["phase_difference"].values[i].astype(float)
    # float32 holds pi as a little more than it is
    return np.minimum(np.degrees(np.abs(np.where(np.isfinite(angles), angles, np.nan))), 180.0)


def _in_step(data: xr.Dataset, i: int = -1) -> float:
    """The share of the neurons with both waves in step."""
    angles = _degrees(data, i)
    angles = angles[np.isfinite(angles)]
    return float((angles < IN_STEP).mean()) if len(angles) else 0.0


def _kind(data: xr.Dataset) -> str:
    """What a network clearly is in the end; "" for nothing."""
    named = {"torus": "torus", "disc": _networks.by_logits(data)}
    return named.get(_networks.shape(data), "")
