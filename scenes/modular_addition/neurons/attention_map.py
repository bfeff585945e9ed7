"""The score that each head gives a number: C_j over the numbers, one wave a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import fourier_basis
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene.bars import columns
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import Float
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


EDGE = 0.22
"""The least room on either side of 0, of the largest bar."""

ONE_WAVE = 0.8
"""The share of its power that makes a map one wave."""


@dataclass(frozen=True)
class AttentionMap(Scene):
    """The score that a head gives each number, and the one wave that fits it best."""

    name = "attention-map"
    title = "A head's scores are one wave over the numbers"
    watch = "a dot a number: the higher its score, the more '=' looks at it; line: the wave"
    source = "arXiv:2301.05217, figure 8"
    needs = ("attention_map_fourier", "embedding_frequency_norm")
    paper_figures = {"8": {"by": "frequency"}}  # noqa: RUF012
    clock = None
    aspect = 1.9
    narrow_aspect = 0.85

    by: Literal["number", "frequency"] = option(
        "number", "scores over the numbers, or their Fourier coefficients over the frequencies"
    )

    def claim(self, data: xr.Dataset) -> Claim:
        """The smallest share of a head's scores that one wave has, where it is most of them."""
        shares = [_share(row) for row in data["attention_map_fourier"].values]
        low, high = min(shares), max(shares)
        if low >= ONE_WAVE:
            least = _neurons.floored_percent(low)
            sentence = f"One wave explains at least {least} of how each head scores numbers"
            watch = self.watch if self.by == "number" else "share: of the squares of a head's bars"
            return Claim(sentence, watch, numbers={"share": low})
        if not high > 0:
            return Claim.instead("Every head gives all numbers the same score", share=0)
        sentence = f"One wave explains {low:.0%} to {high:.0%} of how a head scores numbers"
        return Claim.instead(sentence, share=low)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A panel for each head."""
        if self.by == "frequency":
            self._draw_frequencies(figure, data)
        else:
            _draw_numbers(figure, data)
        return Drawing()

    def _draw_frequencies(self, figure: FigureBase, data: xr.Dataset) -> None:
        """A row of bars for each head, the cosine left and the sine right of a frequency."""
        spans = _spans(data["attention_map_fourier"].values[:, 1:].astype(float))
        rooms = style().stack(
            figure, [high - low for low, high in spans], left=5.4, top=2.4, vgap=0.7
        )
        for n, axes in enumerate(rooms):
            self._draw_head(axes, data, n, spans[n])
        what = "Fourier coefficients of the scores"
        if not style().narrow(figure):
            what = "Fourier coefficients of the scores that a head gives ($C_j$)"
        style().note(rooms[0], what, (0, 1), (0, 0.6), color=style().colours.muted)
        panels.without_time(*rooms[:-1])
        rooms[-1].set_xlabel("frequency: cosine left, sine right")

    def description(self, data: xr.Dataset, i: int) -> str:
        """The largest frequency of each head, and how much of the scores it holds."""
        words = []
        for head, row in zip(
            data["head"].values, data["attention_map_fourier"].values, strict=True
        ):
            k = _own(row)
            if k == NO_FREQUENCY:
                words.append(f"head {int(head)} none")
                continue
            words.append(f"head {int(head)} frequency {k} ({_share(row):.0%} of the variance)")
        largest = f"The wave that fits each best is {'; '.join(words)}."
        coefficients = np.nan_to_num(data["attention_map_fourier"].values[:, 1:].astype(float))
        if self.by == "frequency":
            return (
                "Bars of the Fourier coefficients of each head's scores over the numbers, last "
                f"checkpoint. {largest} The largest is {float(np.abs(coefficients).max()):.3g}."
            )
        scores = _scores(data)
        return (
            "Dots of the score that each head gives each number, last checkpoint, in the order of "
            f"phase, with the one wave that fits them best. {largest} The scores lie between "
            f"{float(scores.min()):.2g} and {float(scores.max()):.2g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        drawn = (
            "in the Fourier basis over the numbers"
            if self.by == "frequency"
            else "less its mean over n, in the order of kn mod p for the head's frequency k"
        )
        return (
            "The score $C_j = r\\,W_Q^T W_K W_E$ that head j gives each number n, r the residual "
            "stream at '=', before division by $\\sqrt{d_\\mathrm{head}}$; "
            f"{drawn}. In per cent: the share of frequency k in its variance. {after('figure 8')}"
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


def _scores(data: xr.Dataset) -> Float[np.ndarray, "head p"]:
    """The score that each head gives each number, less the mean; what is no number counts 0."""
    components = np.nan_to_num(data["attention_map_fourier"].values.astype(float))
    components[:, 0] = 0
    scores: np.ndarray = components @ fourier_basis(components.shape[1])
    return scores


def _draw_numbers(figure: FigureBase, data: xr.Dataset) -> None:
    """The scores of each head over the numbers, in the order of its frequency's phase."""
    current_style, scores = style(), _scores(data)
    count, p = scores.shape
    columns = min(count, 2 if current_style.narrow(figure) else 4)
    grid = current_style.panels(
        figure,
        [1] * columns,
        [1] * (-(-count // columns)),
        left=4.6,
        bottom=2.4,
        top=3.6,
        gap=1.4,
        vgap=5.2,
    )
    rooms = [axes for row in grid for axes in row]
    for axes in rooms[count:]:
        axes.remove()
    reach = 1.1 * float(np.abs(scores).max()) or 1.0
    for n, axes in enumerate(rooms[:count]):
        axes.set(xlim=(-0.03 * p, 1.03 * (p - 1)), ylim=(-reach, reach))
        axes.tick_params(labelleft=n % columns == 0)
        if n % columns == 0:
            axes.set_ylabel("score of number n")
        _draw_scores(axes, data, n, scores[n])


def _draw_scores(axes: Axes, data: xr.Dataset, n: int, scores: Float[np.ndarray, " p"]) -> None:
    """One head: a dot a number, the wave that fits best as a line, both names above."""
    current_style, p = style(), len(scores)
    components = np.nan_to_num(data["attention_map_fourier"].values[n].astype(float))
    k = _own(components)
    colour = current_style.colours.frequency(k, frequencies.embedded(data))
    current_style.note(
        axes, f"head {int(data['head'].values[n])}", (0, 1), (0, 1.9), fontweight="bold"
    )
    x = np.arange(p) * (k or 1) % p
    axes.plot(
        x, scores, "o", ms=0.26 * current_style.points, mew=0, color=colour, alpha=0.6, zorder=3
    )
    across = f"{k}n" if current_style.narrow(axes.figure) else f"{k}n mod {p}"
    axes.set_xticks([0, (p - 1) / 2, p - 1], ["0", across if k else "n", str(p - 1)])
    for tick, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
        tick.set_horizontalalignment(side)
    if k == NO_FREQUENCY:
        current_style.note(
            axes, "no frequency", (0, 1), (0, 0.5), color=current_style.colours.muted
        )
        return
    wave = components[2 * k - 1 : 2 * k + 1] @ fourier_basis(p)[2 * k - 1 : 2 * k + 1]
    order = np.argsort(x, kind="stable")
    axes.plot(x[order], wave[order], color=colour, lw=0.8 * current_style.line, zorder=2)
    share = _neurons.floored_percent(_share(components))
    words = f"frequency {k}: {share}"
    current_style.note(axes, words, (0, 1), (0, 0.5), fontweight="bold", color=colour)


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
