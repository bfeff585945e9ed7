"""Tweet 7's numbers: take away what the algorithm does not use, and the network gets better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims

from grokviz.dataset.learning import LOW
from grokviz.dataset.numerics import ties
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, frequencies, option, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

WHOLE = "original"
LOGITS = {
    "key-terms": "only the key frequencies",
    "sums-only": "of these, only what depends on a + b",
    "cosine-fit": "of these, only cos w(a + b − c)",
}
"""What of the logits alone is left, beside their means: each is a part of the one before it."""

SIMPLER = {
    "trig-neurons": "neurons as polynomials of waves",
    "linear-attention": "attention made linear",
    "key-directions": "neurons: key part of $W_L$ alone",
}
TAKEN = {
    "off-key-directions": "neurons: key part of $W_L$",
    "no-heads": "attention heads",
    "no-skip-around-heads": "residual path past the heads",
    "no-skip-around-mlp": "residual path past the MLP",
    "mean-skip-around-mlp": "path past the MLP, but for its mean",
}
WAVE = "without-frequency-"

CLUSTERS = "cluster_loss"

OUT = {
    "logits": "Wave k: $\\cos$ and $\\sin$ of $w_k(a+b)$.",
    "neurons": "Wave k: the neurons with that frequency, of a network whose clustered neurons have "
    "only the terms of their own frequency, and whose logits come from the neurons alone, with "
    "each class's mean as it was.",
}
"""What is taken out for a wave, by where it is taken out of."""

WORSE = 10.0
"""The network needs a wave without which its loss is at least so many times as large."""

BETTER = 0.9
"""The loss falls where it is at most this share of the untouched model's: less is no change."""

LINEAR = 10.0
"""Up to so many times the untouched network's loss what is kept alone is drawn as a share of it."""

FEW = 0.01
"""A loss that falls below this share of the untouched network's is said to fall so many fold."""

MOST = 7
"""Waves taken away one by one that are shown: those without which the loss is largest."""


@dataclass(frozen=True)
class Ablation(Scene):
    """Loss after each ablation, as a share or a multiple of the whole network's."""

    name = "ablation"
    title = "Take away all that the algorithm does not use: the loss falls"
    watch = "less than the whole network's loss is better"
    source = "thread, tweet 7; arXiv:2301.05217, section 4.4"
    needs = (
        "ablation_loss", "ablation_ratio", "ablation_what", "embedding_frequency_norm",
        "logged_train_loss", "logged_test_loss",
    )  # fmt: skip
    clock = None
    aspect = 1.75
    narrow_aspect = 0.66

    rows: Literal["logits", "all"] = option(
        "logits", "what is taken out of the logits, or out of any part of the network"
    )
    waves: Literal["logits", "neurons"] = option(
        "logits", "what a wave is taken out of: the logits, or the neurons with its frequency"
    )
    ratios: bool = option(True, "how much of the loss, or how many times, at each bar's end")

    def variables(self) -> tuple[str, ...]:
        """With the losses without clusters of neurons, where they are drawn."""
        return (*self.needs, CLUSTERS) if self.waves == "neurons" else self.needs

    def _shown(self, data: xr.Dataset) -> xr.Dataset:
        """The data with the losses without each wave as they are asked for."""
        if self.waves == "logits":
            return data
        names, losses = data["ablation"].values.tolist(), data["ablation_loss"].values.copy()
        for k, loss in zip(data["key_frequency"].values, data[CLUSTERS].values, strict=True):
            losses[names.index(f"{WAVE}{k}")] = loss
        return data.assign(ablation_loss=("ablation", losses))

    def claim(self, data: xr.Dataset) -> Claim:
        """What becomes of the loss where only the algorithm's cosines are kept."""
        data = self._shown(data)
        alone = _loss(data, "cosine-fit")
        ratio = alone / max(_loss(data, WHOLE), 1e-30)
        if 0 < ratio <= BETTER and alone < LOW:
            numbers = {"ratio": ratio, "loss": alone}
            words = f"Keep only cos w(a + b − c) in the logits: the loss falls to {ratio:.0%}"
            if ratio < FEW:
                words = f"Keep only cos w(a + b − c): the loss falls {_fold(1 / ratio)}-fold"
            count = len(frequencies.key_frequencies(data))
            waves = "key frequencies k" if count > 1 else "key frequency k"
            turn = f"w = 2πk/{2 * data.sizes['frequency'] + 1}"
            watch = f"{self.watch}; {turn}, {waves}"
            least = min(_without(data), default=np.nan) / max(_loss(data, WHOLE), 1e-30)
            if least >= WORSE:
                rise = f"without any one wave it grows {_fold(least)}-fold or more"
                watch = f"{rise}; {turn}, {waves}"
                numbers["least"] = least
            return Claim(words, watch, numbers=numbers)
        words = "With only cos w(a + b − c) in the logits the loss is"
        words = (
            f"{words} {ratio:.3g} times as large" if np.isfinite(ratio) else f"{words} no number"
        )
        return _claims.instead(data, words, ratio=ratio, loss=alone)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """What is kept alone on the left, what is taken away on the right."""
        data = self._shown(data)
        alone, without = self._groups(data)
        whole = _loss(data, WHOLE)
        if not 0 < whole < np.inf or not (alone or without):
            raise InputError(
                f"{self.name}: the loss of the untouched network is {whole:.3g}, and "
                f"{len(alone) + len(without)} ablations have a loss that a logarithmic axis can "
                "show; draw a run whose last weights have losses above 0"
            )
        logits, count = self.rows == "logits", len(_without(data))
        left, right = style().beside(
            figure, (1, 1), (len(alone) + 1, max(len(without), 1)),
            left=4.2 if style().slide else 1.2, top=2.0, gap=3.5, vgap=5.6,
        )  # fmt: skip
        shares = max(_ratios(data, alone), default=0.0) <= LINEAR
        rows = {WHOLE: f"whole network: {_number(whole)} nats", **alone} if shares else alone
        heading = "Keep in the logits …" if logits else "Simplify …"
        _Bars(left, data, rows, shares, self.ratios).draw(heading)
        some = f" ({MOST} of {count} waves)" if count > MOST else ""
        source = "neurons" if self.waves == "neurons" else "logits"
        heading = f"Take out of the {source} …" if logits else "Take out …"
        _Bars(right, data, without, False, self.ratios).draw(heading + some)
        return Drawing()

    def description(self, data: xr.Dataset, i: int) -> str:
        """The loss of every ablation."""
        data = self._shown(data)
        alone, without = self._groups(data)

        def losses(names: dict[str, str]) -> str:
            return "; ".join(
                f"{text} {_loss(data, name):.2g}" for name, text in names.items()
            ).replace("$", "")

        return (
            f"Bars of the loss over all pairs, beside the untouched network's "
            f"{_loss(data, WHOLE):.3g} nats. Kept alone, or simplified: {losses(alone)}. "
            f"Taken out: {losses(without)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Loss over all pairs after one part of the trained network is kept alone (left) or "
            "taken out (right), beside that of the untouched network. Of the logits are kept: "
            "their means and the waves of a, of b and of both at the key frequencies; of these, "
            "$\\cos$ and $\\sin$ of $w_k(a+b)$; of these, $\\cos w_k(a+b-c)$. "
            f"{OUT[self.waves]} "
            f"{after('section 4.4')}"
        )

    def _groups(self, data: xr.Dataset) -> tuple[dict[str, str], dict[str, str]]:
        """Ablations that keep one thing alone, and those that take one out; each by its loss."""
        every = self.rows == "all"
        names = data["ablation"].values
        ordered = names[ties.ordered(-data["ablation_loss"].values)].tolist()
        alone = {
            name: f"logits: {text}" if every else text
            for name, text in LOGITS.items()
            if 0 <= _loss(data, name) < np.inf
        }
        without = {}
        for name in ordered:
            if name in (WHOLE, *LOGITS) or not 0 < _loss(data, name) < np.inf:
                continue
            if name.startswith(WAVE):
                without[name] = f"wave k = {name.removeprefix(WAVE)}"
            elif every and name in SIMPLER:
                alone[name] = SIMPLER[name]
            elif every:
                what = str(data["ablation_what"].sel(ablation=name).item())
                without[name] = TAKEN.get(name, what)
        waves = [name for name in without if name.startswith(WAVE)]
        for name in waves[: max(len(waves) - MOST, 0)]:
            del without[name]
        return alone, without


@dataclass(frozen=True)
class _Bars:
    """Bars of losses beside the whole network's, each below its name.

    Attributes:
        axes, data: where they are drawn, and the dataset.
        names: what is written of each ablation.
        shares: whether they are shares of the whole network's loss, from 0 on a linear axis;
            otherwise multiples of it, from 1 on a logarithmic one.
        numbers: whether each has its number at its end.

    """

    axes: Axes
    data: xr.Dataset
    names: dict[str, str]
    shares: bool
    numbers: bool

    def draw(self, heading: str) -> None:
        """The axis, its heading, and the bars."""
        axes, current_style = self.axes, style()
        axes.set_ylim(len(self.names) - 0.6, -0.85)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(True, axis="x")
        self._scale()
        current_style.note(
            axes, heading, (0, 1), (0, 0.5), fontsize=current_style.points, fontweight="bold"
        )
        whole = 100.0 if self.shares else 1.0
        axes.axvline(whole, color=current_style.colours.ink, lw=current_style.line * 0.5, zorder=4)
        for row, name in enumerate(self.names):
            self._bar(row, name)

    def _scale(self) -> None:
        """Limits with room for the number at the longest bar's end, and ticks."""
        axes, ratios = self.axes, _ratios(self.data, self.names)
        small = style().pixels(axes, style().small)
        words = max((len(self._number(ratio)) for ratio in ratios), default=0)
        aside = min((0.65 * words + 1.2) * small / axes.bbox.width, 0.5)
        if self.shares:
            from matplotlib.ticker import MaxNLocator

            axes.set_xlim(0, 100 * max(1.0, *ratios) / (1 - aside))
            axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
            axes.set_xlabel("loss, share of the whole network's (%)")
            return
        axes.set_xscale("log")
        logs = np.log10([1.0, *(ratio for ratio in ratios if ratio > 0)])
        low, high = float(logs.min()), max(float(logs.max()), float(logs.min()) + 0.1)
        axes.set_xlim(10**low, 10 ** (high + (high - low) * aside / (1 - aside)))
        self._tick(low, high)
        axes.set_xlabel("loss, times the whole network's (log scale)")

    def _tick(self, low: float, high: float) -> None:
        """Ticks at powers of ten, at more where there are few of them."""
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

        wide = (0.65 * len(_times(10 ** int(high))) + 1) * style().pixels(self.axes, style().small)
        step = max(int(np.ceil((high - low) * wide / self.axes.bbox.width)), 1)
        step += step > 1 and step % 2  # as ×1, ×100, ×10,000
        tens = np.arange(-step * (-low // step), high + 1e-9, step)
        marks = [m * 10.0**e for e in tens for m in ((1, 2, 5) if high - low < 1 else (1,))]
        axis = self.axes.xaxis
        axis.set_major_locator(
            FixedLocator([mark for mark in marks if mark <= 10 ** (high + 1e-9)])
        )
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda ratio, _: _times(ratio)))

    def _bar(self, row: int, name: str) -> None:
        axes, current_style, colours = self.axes, style(), style().colours
        ratio = _loss(self.data, name) / _loss(self.data, WHOLE)
        colour = colours.faint if name == WHOLE or not ties.exceeds(1.0, ratio) else colours.muted
        if name == "cosine-fit":
            colour = colours.accent
        if name.startswith(WAVE):
            colour = frequencies.ink(int(name.removeprefix(WAVE)), self.data)
        start, end = (0.0, 100 * ratio) if self.shares else (1.0, ratio)
        axes.barh(row, end - start, left=start, height=0.36, color=colour, lw=0, zorder=3)
        indent = current_style.pixels(axes, 0.4 * current_style.small) / axes.bbox.width
        current_style.label(
            axes, indent, row - 0.22, self.names[name], ha="left", fontweight="normal",
            transform=axes.get_yaxis_transform(), zorder=5,
        )  # fmt: skip
        if self.numbers:
            text = current_style.label(
                axes, max(start, end), row, self._number(ratio), lift=0.1, va="center", ha="left",
                zorder=5,
            )  # fmt: skip
            text.xyann = (0.5 * current_style.small, 0)

    def _number(self, ratio: float) -> str:
        return _claims.rounded_percent(ratio) if self.shares else _times(ratio)


def _ratios(data: xr.Dataset, names: Iterable[str]) -> list[float]:
    """The losses of some ablations over the untouched network's."""
    whole = _loss(data, WHOLE)
    return [_loss(data, name) / whole for name in names]


def _loss(data: xr.Dataset, name: str) -> float:
    """The loss after an ablation; NaN of one that the dataset does not have."""
    if name not in data["ablation"].values:
        return float("nan")
    return float(data["ablation_loss"].sel(ablation=name))


def _without(data: xr.Dataset) -> list[float]:
    """The losses without each of the key waves, those that are numbers."""
    names = [name for name in data["ablation"].values.tolist() if name.startswith(WAVE)]
    return [loss for loss in (_loss(data, name) for name in names) if np.isfinite(loss)]


def _number(x: float) -> str:
    """A positive number with two digits at most, as a power of ten where that is shorter."""
    if 0.001 <= x < 1000:
        return f"{float(f'{x:.2g}'):g}"
    exponent = int(np.floor(np.log10(x) + 1e-9))
    digits = f"{x / 10**exponent:.2g}"
    head = "" if digits == "1" else rf"{digits} \times "
    return rf"${head}10^{{{exponent}}}$"


def _fold(times: float) -> str:
    """How many times, in two digits, as it is said: "220", "600 million"."""
    rounded = float(f"{times:.2g}")
    if rounded >= 1e9:
        return "more than a billion"
    return f"{rounded / 1e6:g} million" if rounded >= 1e6 else f"{rounded:,.0f}"


def _times(ratio: float) -> str:
    """How many times as large, in two digits: "×0.4", "×4,300", "×6 million"."""
    rounded = float(f"{ratio:.2g}")
    if not 1e-3 <= rounded < 1e9:
        return f"×{_number(rounded)}"
    return f"×{rounded / 1e6:g} million" if rounded >= 1e6 else f"×{rounded:,g}"
