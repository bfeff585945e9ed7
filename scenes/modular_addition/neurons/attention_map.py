"""The score that a head gives each number, C_j: re-sorted by its frequency, it is one wave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import fourier_basis
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene.bars import columns
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import Float, Int
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


EDGE = 0.22
"""The least room on either side of 0, of the largest bar."""

ONE_WAVE = 0.8
"""The share of its power that makes a map one wave."""


@dataclass(frozen=True)
class AttentionMap(Scene):
    """One head's score of each number in counting order, and re-sorted by the head's frequency."""

    name = "attention-map"
    title = "Re-sorted by its frequency, a head's scores are one wave"
    watch = "A dot is how strongly '=' looks at a number, in colour where more; below, re-sorted"
    source = "arXiv:2301.05217, figure 8"
    needs = ("attention_map_fourier", "embedding_frequency_norm")
    paper_figures = {"8": {"by": "frequency"}}  # noqa: RUF012
    clock = None
    checkpoint = "epoch"
    aspect = 1.9
    narrow_aspect = 0.85

    by: Literal["number", "frequency"] = option(
        "number", "a head's scores over the numbers, or all heads' over the frequencies"
    )
    head: int | None = option(None, "whose scores over the numbers; if none, the clearest wave's")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the scores drawn one wave has, where it is most of them."""
        rows = data["attention_map_fourier"].values
        shares = [_share(row) for row in rows]
        low, high = min(shares), max(shares)
        if not high > 0:
            return Claim.instead("Every head gives all numbers the same score", share=0)
        if self.by == "number":
            return self._claim_of_one(data, shares[self._shown(data)])
        if low >= ONE_WAVE:
            least = _neurons.floored_percent(low)
            sentence = f"One wave explains at least {least} of how each head scores numbers"
            watch = "share: of the squares of a head's bars"
            return Claim(sentence, watch, numbers={"share": low})
        sentence = (
            f"One wave explains {percent(low)} to {percent(high)} of how a head scores numbers"
        )
        return Claim.instead(sentence, share=low)

    def _claim_of_one(self, data: xr.Dataset, share: float) -> Claim:
        name = int(data["head"].values[self._shown(data)])
        if not share > 0:
            return Claim.instead(f"Head {name} gives all numbers the same score", share=0)
        held = _neurons.floored_percent(share)
        if share < ONE_WAVE:
            sentence = f"The best wave explains {held} of how head {name} scores numbers"
            return Claim.instead(sentence, share=share)
        sentence = f"Re-sorted by its frequency, head {name}'s scores are {held} one wave"
        return Claim(sentence, self.watch, numbers={"share": share})

    def _shown(self, data: xr.Dataset) -> int:
        """Where the head whose scores are drawn over the numbers is among the heads."""
        heads = [int(head) for head in data["head"].values]
        if self.head is None:
            shares = np.array([_share(row) for row in data["attention_map_fourier"].values])
            return ties.first_largest(shares)
        if self.head not in heads:
            listed = ", ".join(map(str, heads))
            raise InputError(f"{self.name}: there is no head {self.head}; there are {listed}")
        return heads.index(self.head)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """One head over the numbers, or a row of bars for each head over the frequencies."""
        if self.by == "frequency":
            self._draw_frequencies(figure, data)
        else:
            _draw_numbers(figure, data, self._shown(data))
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
            words.append(f"head {int(head)} frequency {k} ({percent(_share(row))} of the variance)")
        largest = f"The wave that fits each best is {'; '.join(words)}."
        coefficients = np.nan_to_num(data["attention_map_fourier"].values[:, 1:].astype(float))
        if self.by == "frequency":
            return (
                "Bars of the Fourier coefficients of each head's scores over the numbers, last "
                f"checkpoint. {largest} The largest is {float(np.abs(coefficients).max()):.3g}."
            )
        n = self._shown(data)
        scores, k = _scores(data)[n], _own(data["attention_map_fourier"].values[n])
        order = "" if k == NO_FREQUENCY else f", below in the order of {k}n, with that wave"
        return (
            f"Dots of the score that head {int(data['head'].values[n])} gives each number, last "
            f"checkpoint: above in counting order{order}, and a thread from each number above to "
            f"it below. {largest} The scores lie between {float(scores.min()):.2g} and "
            f"{float(scores.max()):.2g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        drawn = (
            "in the Fourier basis over the numbers"
            if self.by == "frequency"
            else "less its mean over n: of one head, above in counting order, below in that of kn "
            "mod p for the head's frequency k; in colour those above the mean"
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


def _draw_numbers(figure: FigureBase, data: xr.Dataset, n: int) -> None:
    """The scores of one head twice, in counting order and in the order of phase, and the way."""
    components = np.nan_to_num(data["attention_map_fourier"].values[n].astype(float))
    k, scores = _own(components), _scores(data)[n]
    above, between, below = style().stack(
        figure, (1, 0.8, 1.9), left=4.6, right=1.2, bottom=2.4, top=2.0, vgap=0.35
    )
    p, reach = len(scores), 1.15 * float(np.abs(scores).max()) or 1.0
    place = np.arange(p) * (k or 1) % p
    for axes, x in ((above, np.arange(p)), (below, place)):
        axes.set(xlim=(-0.6, p - 0.4), ylim=(-reach, reach), xticks=[])
        axes.locator_params(axis="y", nbins=2 if axes is above else 4)
        axes.spines["bottom"].set_visible(False)
        _draw_scores(axes, x, scores, frequencies.colour(k, data))
    _draw_ways(between, place, scores, frequencies.colour(k, data))
    below.set_ylabel("score")
    order = f"sorted by {k}n mod {p}" if k else "counting order"
    below.set_xticks([0, (p - 1) / 2, p - 1], ["0", order, str(p - 1)])
    for tick, side in zip(below.get_xticklabels(), ("left", "center", "right"), strict=True):
        tick.set_horizontalalignment(side)
    _draw_wave(below, components, k, frequencies.colour(k, data))
    _name_head(above, data, n, k)


def _draw_scores(
    axes: Axes, x: Int[np.ndarray, " p"], scores: Float[np.ndarray, " p"], colour: str
) -> None:
    """A dot a number on its stem: in colour those above the mean, which it looks at more."""
    current_style, high = style(), scores > 0
    for which, shade in ((~high, current_style.colours.faint), (high, colour)):
        axes.vlines(
            x[which], 0, scores[which], color=shade, lw=0.35 * current_style.line, alpha=0.7,
            zorder=2,
        )  # fmt: skip
        axes.plot(
            x[which], scores[which], "o", ms=0.26 * current_style.points, mew=0, color=shade,
            zorder=3,
        )  # fmt: skip


def _draw_ways(
    axes: Axes, place: Int[np.ndarray, " p"], scores: Float[np.ndarray, " p"], colour: str
) -> None:
    """A thread from the place of each number in counting order to its place in that of phase."""
    from matplotlib.collections import LineCollection

    p, t = len(scores), np.linspace(0, 1, 40)
    ease = t**3 * (6 * t**2 - 15 * t + 10)
    axes.set(xlim=(-0.6, p - 0.4), ylim=(0, 1))
    axes.axis("off")
    for high, shade, alpha in ((False, style().colours.faint, 0.35), (True, colour, 0.8)):
        which = np.flatnonzero((scores > 0) == high)
        paths = [np.column_stack([n + (place[n] - n) * ease, 1 - t]) for n in which]
        axes.add_collection(
            LineCollection(paths, colors=shade, lw=0.35 * style().line, alpha=alpha,
                           zorder=2 + high)
        )  # fmt: skip


def _draw_wave(axes: Axes, components: Float[np.ndarray, " p"], k: int, colour: str) -> None:
    """The wave that fits best, and how much of the scores' variance it has."""
    if k == NO_FREQUENCY:
        return
    p = len(components)
    wave = components[2 * k - 1 : 2 * k + 1] @ fourier_basis(p)[2 * k - 1 : 2 * k + 1]
    order = np.argsort(np.arange(p) * k % p, kind="stable")
    axes.plot(np.arange(p), wave[order], color=colour, lw=1.2 * style().line, zorder=4)


def _name_head(axes: Axes, data: xr.Dataset, n: int, k: int) -> None:
    """Above the dots: whose they are and their order at left, the wave's share at right."""
    current_style = style()
    name = f"head {int(data['head'].values[n])}"
    if not current_style.narrow(axes.figure):
        name = f"{name}, the numbers in counting order"
    current_style.note(axes, name, (0, 1), (0, 0.5))
    if k == NO_FREQUENCY:
        words, colour = "no frequency", current_style.colours.muted
    else:
        share = _neurons.floored_percent(_share(data["attention_map_fourier"].values[n]))
        words, colour = f"frequency {k}: {share}", frequencies.ink(k, data)
    current_style.note(axes, words, (1, 1), (0, 0.5), ha="right", fontweight="bold", color=colour)


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
