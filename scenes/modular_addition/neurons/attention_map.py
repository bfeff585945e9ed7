"""What draws a head's attention to a number: C_j in the Fourier basis, one wave a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.dataset.numerics import ties
from grokviz.scene import Claim, Drawing, Scene, frequencies, panels, style
from grokviz.scene.bars import columns
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


EDGE = 0.22
"""The least room on either side of 0, of the largest bar."""

ONE_WAVE = 0.8
"""The share of its power that makes a map one wave."""


@dataclass(frozen=True)
class AttentionMap(Scene):
    """The map from a number to each head's attention score, by cosine and sine."""

    name = "attention-map"
    title = "What draws a head's attention is one wave over the numbers"
    watch = "one frequency a head stands out, as a cosine and a sine"
    source = "arXiv:2301.05217, figure 8"
    needs = ("attention_map_fourier", "embedding_frequency_norm")
    paper_figures = {"8": {}}  # noqa: RUF012
    clock = None
    aspect = 1.9
    narrow_aspect = 0.85

    def claim(self, data: xr.Dataset) -> Claim:
        """The smallest share of a head's map that one wave has, where it is most of it."""
        shares = [_share(row) for row in data["attention_map_fourier"].values]
        low, high = min(shares), max(shares)
        if low >= ONE_WAVE:
            sentence = (
                f"One wave is at least {_neurons.floored_percent(low)} of what draws each head"
            )
            return Claim(sentence, self.watch, numbers={"share": low})
        if not high > 0:
            return Claim.instead("No number draws a head's attention more than another", share=0)
        sentence = f"One wave is {low:.0%} to {high:.0%} of what draws a head's attention"
        return Claim.instead(sentence, share=low)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A row of bars for each head, the cosine left and the sine right of a frequency."""
        spans = _spans(data["attention_map_fourier"].values[:, 1:].astype(float))
        rooms = style().stack(
            figure, [high - low for low, high in spans], left=5.4, top=2.4, vgap=0.7
        )
        for n, axes in enumerate(rooms):
            self._draw_head(axes, data, n, spans[n])
        what = "added to a head's score ($C_j$)"
        if not style().narrow(figure):
            what = "what a number adds to the score of head j ($C_j$), and a wave's share of it"
        style().note(rooms[0], what, (0, 1), (0, 0.6), color=style().colours.muted)
        panels.without_time(*rooms[:-1])
        rooms[-1].set_xlabel("frequency: cosine left, sine right")
        return Drawing()

    def description(self, data: xr.Dataset, i: int) -> str:
        """The largest frequency of each head, and how much of the map it holds."""
        words = []
        for head, row in zip(
            data["head"].values, data["attention_map_fourier"].values, strict=True
        ):
            k = _own(row)
            if k == NO_FREQUENCY:
                words.append(f"head {int(head)} none")
                continue
            words.append(f"head {int(head)} frequency {k} ({_share(row):.0%} of the power)")
        return (
            "Bars of each head's attention map in the Fourier basis over the numbers, last "
            f"checkpoint. The largest are {'; '.join(words)}. The largest coefficient is "
            f"{float(np.abs(data['attention_map_fourier'].values[:, 1:]).max()):.3g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "The attention map $C_j = r\\,W_Q^T W_K W_E$ of every head j in the Fourier basis "
            "over the numbers, r the residual stream at '=': what a number adds to the score. In "
            "per cent: the share of the largest frequency in the squares of all bars of a head. "
            f"{after('figure 8')}"
        )

    def _draw_head(self, axes: Axes, data: xr.Dataset, n: int, span: tuple[float, float]) -> None:
        from matplotlib.collections import PolyCollection

        current_style, keys = style(), frequencies.embedded(data)
        values = data["attention_map_fourier"].values[n, 1:].astype(float)
        k = np.repeat(np.arange(1, len(values) // 2 + 1), 2)
        x = k + np.tile([-0.2, 0.2], len(values) // 2)
        face = [current_style.colours.frequency(int(f), keys) for f in k]
        corners = columns(x, values, 0.36)
        axes.add_collection(PolyCollection(list(corners), facecolors=face, lw=0), autolim=False)
        last = int(k[-1])
        axes.set(xlim=(0.2, last + 0.8), ylim=span)
        axes.set_xticks(frequencies.ticks(last))
        reach = _round(0.9 * max(map(abs, span)))
        axes.set_yticks([tick for tick in (-reach, 0, reach) if span[0] <= tick <= span[1]])
        axes.spines["bottom"].set_visible(False)
        axes.set_ylabel(f"head {int(data['head'].values[n])}")
        best = _own(data["attention_map_fourier"].values[n])
        if best == NO_FREQUENCY:
            return
        share = _neurons.floored_percent(_share(data["attention_map_fourier"].values[n]))
        pair = values[2 * best - 2 : 2 * best]
        side = float(pair[ties.first_largest(np.abs(pair))])
        bar = 0.4 * axes.bbox.width / last / current_style.pixels(axes, current_style.points)
        right, away = best > last / 2, bar + 0.5
        axes.annotate(
            f"frequency {best}: {share}", (best, 0.55 * span[side > 0]),
            ((-away if right else away) * current_style.points, 0), textcoords="offset points",
            ha="right" if right else "left", va="center", fontweight="bold",
            color=current_style.colours.frequency(best, keys),
        )  # fmt: skip


def _spans(values: np.ndarray) -> list[tuple[float, float]]:
    """From where to where the axis of each head goes: one scale, and no room without bars."""
    values = np.where(np.isfinite(values), values, 0.0)
    top = float(np.abs(values).max(initial=0)) or 1.0
    return [
        (min(1.1 * float(row.min()), -EDGE * top), max(1.1 * float(row.max()), EDGE * top))
        for row in values
    ]


def _round(value: float) -> float:
    """The largest number of one digit, 1, 2 or 5, that is not above a value."""
    step = float(10 ** np.floor(np.log10(value)))
    return next(digit * step for digit in (5, 2, 1) if digit * step <= value or digit == 1)


def _share(components: np.ndarray) -> float:
    """The share of the power that the largest frequency has; 0 of a map of nothing."""
    power = _power(np.nan_to_num(components.astype(float)))
    return float(power.max() / max(power.sum(), 1e-30))


def _power(components: np.ndarray) -> np.ndarray:
    """Power of each frequency, cosine and sine together."""
    power: np.ndarray = np.square(components[1::2]) + np.square(components[2::2])
    return power


def _own(components: np.ndarray) -> int:
    """The frequency of the largest power; none if none stands out."""
    best = int(ties.leader(_power(components)))
    return NO_FREQUENCY if best == ties.NONE else best + 1
