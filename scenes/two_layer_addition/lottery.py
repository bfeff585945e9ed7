"""A strand for each neuron, from the wave forecast at the start to the wave that it carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _ridges
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

TOLD = 0.8
"""Share of the neurons whose forecast must come true for the scene's own sentence."""

GAP = 0.22
"""Room between all bundles together, as a share of all strands."""

DARK, LIGHT = 0.45, 0.85
"""How strong the colour of the lowest and of the highest wave is."""

POINTS = 40
"""Points along a strand."""


@dataclass(frozen=True)
class Lottery(Scene):
    """Strands from bundles of forecast waves to bundles of the waves that training chooses."""

    name = "lottery"
    title = "Most neurons' waves can be forecast before training begins"
    watch = (
        "A line is a neuron: at the left the wave forecast from its initial weights, at the right "
        "its strongest wave"
    )
    source = "arXiv:2602.16849"
    needs = ("neuron_frequency", "final_frequency", "forecast_frequency", "first_frequency",
             "crossing_time", "forecast_share")  # fmt: skip
    recipe = "two-layer-addition-quadratic-lottery"
    reference = "two-layer-lottery"
    aspect = 1.7
    narrow_aspect = 0.9

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless there were initial weights to tell from."""
        super().check(data)
        if (data["forecast_frequency"].values < 0).any():
            raise InputError(
                f"{cls.name} forecasts from the initial weights, and this run has none; record or "
                "import its checkpoint of epoch 0 too"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """The share of the neurons whose forecast came true."""
        shares = _shares(data)
        # what is carried at the start already was not foretold
        if shares["forecast"] >= TOLD and np.ptp(data["forecast_share"].values) > 0:
            return Claim(self.title, self.watch, numbers=shares)
        sentence = (
            f"Of {data.sizes['neuron']:,} neurons, {percent(shares['forecast'])} carry the wave "
            "forecast from their initial weights"
        )
        return Claim.instead(sentence, self.watch, **shares)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The strands, the names of their bundles, and how many run straight."""
        axes = style().panels(figure, left=5.6, right=3.6, top=2.3, bottom=1.6)[0][0]
        axes.set_axis_off()
        bundles = _Bundles(data)
        axes.set(xlim=(0, 1), ylim=(1 + GAP, 0))
        strands = _Strands(axes, data, bundles)
        wide = not style().narrow(figure)
        style().note(
            axes,
            "forecast" if wide else "",
            (0, 1),
            (-1.45, 0.7),
            color=style().colours.muted,
        )
        now = style().note(axes, "", (1, 1), (1.6, 0.7), ha="right", fontweight="bold",
                           color=style().colours.ink)  # fmt: skip
        first, count = data["first_frequency"].values, data.sizes["neuron"]
        chance = percent(1 / data.sizes["frequency"])

        def update(i: int) -> None:
            hits = strands.update(i)
            largest = percent(float((first == data["neuron_frequency"].values[i]).mean()))
            right = f"{percent(hits / count)} as forecast"
            others = f"largest wave at the start: {largest}, chance: {chance}"
            now.set_text(f"{right}  ({others})" if wide else right)

        return Drawing([*strands.moving, now], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How many neurons carry the wave that was forecast."""
        now = data["neuron_frequency"].values[i]
        forecast = data["forecast_frequency"].values
        hits = int((now == forecast).sum())
        shares = _shares(data)
        return (
            f"{len(now):,} lines, one a neuron, from the frequency forecast for it by its initial "
            f"weights to its frequency at {clocks.at(data, 'epoch', i)}: {hits:,} of them run "
            f"straight. In the end {percent(shares['forecast'])} do; the largest initial wave "
            f"would have told {percent(shares['largest'])}, chance {percent(shares['chance'])}. "
            f"In the median neuron the first wave is forecast {_lead(data):.1%} before the second."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Forecast: each wave of each neuron grows by itself, from its magnitudes and phases in "
            "the initial weights, by the first term of its gradient in a network of squaring "
            "neurons; the first whose magnitude reaches 0.15 wins. A neuron's wave: the largest of "
            "its first-layer weights. In brackets: for how many neurons the largest wave of the "
            "initial weights is the right one, and a guess. White lines are not as forecast. "
            f"After {self.source}."
        )


class _Bundles:
    """Where each neuron's strand begins, and where it ends at each checkpoint."""

    def __init__(self, data: xr.Dataset) -> None:
        self.forecast = data["forecast_frequency"].values.astype(int)
        self.now = data["neuron_frequency"].values.astype(int)
        self.waves = np.unique(np.concatenate([self.forecast, self.now.ravel()]))
        # those that end elsewhere lie together in their bundle
        number = np.arange(len(self.forecast))
        order = np.lexsort((number, data["final_frequency"].values, self.forecast))
        self.rank = np.empty_like(number)
        self.rank[order] = number
        self.begins = self._places(self.forecast, self.rank)

    def ends(self, i: int) -> Float[np.ndarray, " neuron"]:
        """The places at the right at one checkpoint."""
        return self._places(self.now[i], self.rank)

    def middles(self, frequency: Int[np.ndarray, " neuron"]) -> dict[int, tuple[float, float]]:
        """The middle and the height of the bundle of each frequency that has strands."""
        places = self._places(frequency, self.rank)
        return {
            int(k): (float(places[frequency == k].mean()), float(np.ptp(places[frequency == k])))
            for k in np.unique(frequency)
        }

    def _places(
        self, frequency: Int[np.ndarray, " neuron"], rank: Int[np.ndarray, " neuron"]
    ) -> Float[np.ndarray, " neuron"]:
        """From 0 at the top to 1 + GAP: bundles by frequency, each in the order of ``rank``."""
        order = np.lexsort((rank, frequency))
        places = np.empty(len(frequency))
        places[order] = (np.arange(len(order)) + 0.5) / len(order)
        gap = GAP / max(len(self.waves) - 1, 1)
        shifted: Float[np.ndarray, " neuron"] = places + gap * np.searchsorted(
            self.waves, frequency
        )
        return shifted


class _Strands:
    """The lines of all neurons, with the numbers of their waves at both ends."""

    def __init__(self, axes: Axes, data: xr.Dataset, bundles: _Bundles) -> None:
        from matplotlib.collections import LineCollection

        self.bundles, self.axes = bundles, axes
        waves = [int(k) for k in bundles.waves if k > 0]
        colours = style().colours
        # one hue: the colours of frequencies repeat, and waves of one colour would seem akin
        ramp = np.linspace(DARK, LIGHT, max(len(waves), 2))
        tint = {k: _ridges.blend(colours.frequencies[0], share)
                for k, share in zip(waves, ramp, strict=False)}  # fmt: skip
        self.colours = [tint.get(int(k), _ridges.blend(colours.rest, 1)) for k in bundles.forecast]
        across = np.linspace(0, 1, POINTS)
        self.across = across
        share = np.clip((across - 0.12) / 0.76, 0, 1)
        self.bend = share**3 * (10 - 15 * share + 6 * share**2)
        # a strand is as wide as its place
        width = axes.get_window_extent().height / (1 + GAP) / len(bundles.forecast)
        width *= 72 / axes.figure.get_figure(root=True).dpi
        self.straight = LineCollection([], linewidths=1.7 * width, zorder=2)
        self.crossing = LineCollection(
            [], linewidths=width, colors=[colours.ink], alpha=0.6, zorder=3
        )
        for lines in (self.straight, self.crossing):
            axes.add_collection(lines, autolim=False)
        self.waves = waves
        self._write(bundles.middles(bundles.forecast), 0)
        self.names = {k: self._name(k, 0.5, 1) for k in ([0] if 0 in bundles.waves else []) + waves}

    @property
    def moving(self) -> list[Any]:
        """The lines, and the numbers at the right."""
        return [self.straight, self.crossing, *self.names.values()]

    def update(self, i: int) -> int:
        """Lead every strand to its wave at a checkpoint; how many run straight."""
        begins, ends = self.bundles.begins, self.bundles.ends(i)
        heights = begins[:, None] + (ends - begins)[:, None] * self.bend
        lines = np.stack([np.broadcast_to(self.across, heights.shape), heights], axis=2)
        hits = self.bundles.now[i] == self.bundles.forecast
        self.straight.set_segments(lines[hits])
        self.straight.set_color([c for c, hit in zip(self.colours, hits, strict=True) if hit])
        self.crossing.set_segments(lines[~hits])
        middles = self.bundles.middles(self.bundles.now[i])
        for k, text in self.names.items():
            middle, height = middles.get(k, (0.5, 0.0))
            text.set_visible(k in middles and self._has_room(height))
            text.set_y(middle)
        return int(hits.sum())

    def _write(self, middles: dict[int, tuple[float, float]], side: int) -> None:
        for k, (middle, height) in middles.items():
            if self._has_room(height):
                self._name(k, middle, side)

    def _name(self, k: int, middle: float, side: int) -> Any:
        current_style = style()
        colour = current_style.colours.muted
        return self.axes.text(
            (-0.012, 1.012)[side], middle, str(k) if k else "none", color=colour,
            fontsize=current_style.small, fontweight="bold", va="center_baseline",
            ha=("right", "left")[side],
        )  # fmt: skip

    def _has_room(self, height: float) -> bool:
        """Whether a bundle is high enough for its number."""
        room = height / (1 + GAP) * self.axes.bbox.height
        return room > 0.9 * style().pixels(self.axes, style().small)


def _shares(data: xr.Dataset) -> dict[str, float]:
    """The shares of the neurons that end as forecast, as the largest initial wave, by chance."""
    final = data["final_frequency"].values
    return {
        "forecast": float((data["forecast_frequency"].values == final).mean()),
        "largest": float((data["first_frequency"].values == final).mean()),
        "chance": 1 / data.sizes["frequency"],
    }


def _lead(data: xr.Dataset) -> float:
    """How much sooner the winner arrives than the next, as a share of its time; their median."""
    times = np.sort(data["crossing_time"].values.astype(float), axis=1)
    known = times[np.isfinite(times[:, :2]).all(axis=1) & (times[:, 0] > 0)]
    return float(np.median(known[:, 1] / known[:, 0]) - 1) if len(known) else 0.0
