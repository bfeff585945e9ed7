"""Tweet 7's numbers: take away what the algorithm does not use, and the network gets better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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

LOGITS = {
    "cosine-fit": "cos w(a + b − c)",
    "sums-only": "waves of a + b",
    "key-terms": "the key frequencies",
}
"""What of the logits alone is left, and its short name: each holds the one before it."""

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
    "mean-skip-around-mlp": "the same, but for its mean",
}
WAVE = "without-frequency-"

WORSE = 10.0
"""The network needs a wave without which its loss is at least so many times as large."""

BETTER = 0.9
"""The loss falls where it is at most this share of the untouched model's: less is no change."""

EDGE = 0.07
"""Room left of the longest bar that runs to the left: at the panel's edge it looks cut off."""

MOST = 7
"""Waves taken away one by one that are shown: those without which the loss is largest."""


@dataclass(frozen=True)
class Ablation(Scene):
    """Loss after each ablation, beside the untouched model's: bars begin at that."""

    name = "ablation"
    title = "Take away all that the algorithm does not use: the loss falls"
    watch = "left of the line the network is better"
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
    ratios: bool = option(True, "how many times more or less loss, beside each name")

    def claim(self, data: xr.Dataset) -> Claim:
        """What becomes of the loss where only the algorithm's cosines are kept."""
        alone = _loss(data, "cosine-fit")
        ratio = alone / max(_loss(data, "original"), 1e-30)
        if 0 < ratio <= BETTER and alone < LOW:
            numbers = {"ratio": ratio, "loss": alone}
            words = f"Keep only cos w(a + b − c) in the logits: the loss falls by {1 - ratio:.0%}"
            if ratio < 0.1:
                words = f"Keep only cos w(a + b − c): the loss falls {_fold(1 / ratio)}-fold"
            count = len(frequencies.key_frequencies(data))
            waves = f"{count} key frequencies k" if count > 1 else "the key frequency k"
            watch = f"{self.watch}; w = 2πk/p at {waves}"
            least = min(_without(data), default=np.nan) / max(_loss(data, "original"), 1e-30)
            if least >= WORSE:
                rise = f"without any one wave it grows {_fold(least)}-fold or more"
                watch = f"{rise}; w = 2πk/p, {waves}"
                numbers["least"] = least
            return Claim(words, watch, numbers=numbers)
        words = "With only cos w(a + b − c) in the logits the loss is"
        words = (
            f"{words} {ratio:.3g} times as large" if np.isfinite(ratio) else f"{words} no number"
        )
        return _claims.instead(data, words, ratio=ratio, loss=alone)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """What is kept alone on the left, what is taken away on the right."""
        alone, without = self._groups(data)
        whole = _loss(data, "original")
        if not 0 < whole < np.inf or not (alone or without):
            raise InputError(
                f"{self.name}: the loss of the untouched network is {whole:.3g}, and "
                f"{len(alone) + len(without)} ablations have a loss that a logarithmic axis can "
                "show; draw a run whose last weights have losses above 0"
            )
        narrow = style().narrow(figure)
        left, right = style().beside(
            figure, (1, 1.25), (max(len(alone), 1), max(len(without), 1)),
            left=4.2 if style().slide else 1.2, top=3.4 if narrow else 4.2, gap=3.5, vgap=5.2,
        )  # fmt: skip
        count, logits = len(_without(data)), self.rows == "logits"
        some = f" ({MOST} of {count} waves)" if count > MOST else ""
        self._bars(left, data, alone, "Keep in the logits only …" if logits else "Simplify …")
        taken = "Take out of the logits …" if logits else "Take out …"
        self._bars(right, data, without, taken + some)
        if narrow:
            left.set_xlabel("")
        return Drawing()

    def description(self, data: xr.Dataset, i: int) -> str:
        """The loss of every ablation."""
        alone, without = self._groups(data)

        def losses(names: dict[str, str]) -> str:
            return "; ".join(
                f"{text} {_loss(data, name):.2g}" for name, text in names.items()
            ).replace("$", "")

        return (
            f"Bars of the loss over all pairs on a logarithmic axis, from the untouched model's "
            f"{_loss(data, 'original'):.3g} nats. Kept alone, or simplified: {losses(alone)}. "
            f"Taken out: {losses(without)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Loss over all pairs after one part of the trained network is kept alone (left) or "
            "taken out (right); bars begin at the loss of the untouched network. Wave k: "
            "$\\cos$ and $\\sin$ of $w_k(a+b)$ in the logits. "
            f"{after('section 4.4')}"
        )

    def _groups(self, data: xr.Dataset) -> tuple[dict[str, str], dict[str, str]]:
        """Ablations that keep one thing alone, and those that take one out; each by its loss."""
        every = self.rows == "all"
        alone, without = {}, {}
        names = data["ablation"].values
        for name in names[ties.ordered(-data["ablation_loss"].values)].tolist():
            if name == "original" or not 0 < _loss(data, name) < np.inf:
                continue
            if name in LOGITS:
                alone[name] = f"logits: only {LOGITS[name]}" if every else LOGITS[name]
            elif name.startswith(WAVE):
                without[name] = f"wave {name.removeprefix(WAVE)}"
            elif every and name in SIMPLER:
                alone[name] = SIMPLER[name]
            elif every:
                what = str(data["ablation_what"].sel(ablation=name).item())
                without[name] = TAKEN.get(name, what)
        waves = [name for name in without if name.startswith(WAVE)]
        for name in waves[: max(len(waves) - MOST, 0)]:
            del without[name]
        return alone, without

    def _bars(self, axes: Axes, data: xr.Dataset, names: dict[str, str], heading: str) -> None:
        current_style, whole = style(), _loss(data, "original")
        losses = np.array([whole, *(_loss(data, name) for name in names)])
        low_loss = float(losses.min())
        low, high = np.log10([low_loss, losses.max()])
        high = max(high, low + 0.1)  # nothing is ablated, or nothing changes
        aside = min(current_style.pixels(axes, current_style.small) / axes.bbox.width, 0.6)
        room = (high - low) * aside / (1 - aside)
        before = EDGE * (high - low) if ties.exceeds(whole, low_loss) else 0.0
        axes.set_xscale("log")
        axes.set(xlim=(10 ** (low - before), 10 ** (high + room)), ylim=(len(names) - 0.6, -0.85))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(True, axis="x")
        axes.axvline(whole, color=current_style.colours.ink, lw=current_style.line * 0.5, zorder=4)
        _furnish(axes, whole, heading, 10**high)
        for row, (name, text) in enumerate(names.items()):
            self._bar(axes, data, row, name, text)

    def _bar(self, axes: Axes, data: xr.Dataset, row: int, name: str, text: str) -> None:
        current_style, whole, loss = style(), _loss(data, "original"), _loss(data, name)
        better = ties.exceeds(whole, loss)
        colour = current_style.colours.muted if better else current_style.colours.faint
        if name == "cosine-fit":
            colour = current_style.colours.accent
        if name.startswith(WAVE):
            k = int(name.removeprefix(WAVE))
            colour = frequencies.ink(k, data)
        axes.barh(row, loss - whole, left=whole, height=0.3, color=colour, lw=0, zorder=3)
        across: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "zorder": 5}
        indent = current_style.pixels(axes, 0.4 * current_style.small) / axes.bbox.width
        what = current_style.label(
            axes, indent, row - 0.2, text, ha="left", fontweight="normal", **across
        )
        if self.ratios:
            from matplotlib.patheffects import withStroke

            rim = withStroke(
                linewidth=current_style.points / 5, foreground=current_style.colours.background
            )
            axes.annotate(
                _ratio(loss / whole), (1, 0), (0.7 * current_style.small, 0), xycoords=what,
                textcoords="offset points", fontsize=current_style.small, fontweight="bold",
                va="bottom", path_effects=[rim], zorder=5,
            )  # fmt: skip


def _loss(data: xr.Dataset, name: str) -> float:
    """The loss after an ablation; NaN of one that the dataset does not have."""
    if name not in data["ablation"].values:
        return float("nan")
    return float(data["ablation_loss"].sel(ablation=name))


def _without(data: xr.Dataset) -> list[float]:
    """The losses without each of the key waves, those that are numbers."""
    names = [name for name in data["ablation"].values.tolist() if name.startswith(WAVE)]
    return [loss for loss in (_loss(data, name) for name in names) if np.isfinite(loss)]


def _furnish(axes: Axes, whole: float, heading: str, last: float) -> None:
    """The heading, the name of the line, and ticks in nats up to ``last``."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    current_style = style()
    current_style.note(
        axes, heading, (0, 1), (0, 2.1), fontsize=current_style.points, fontweight="bold"
    )
    middle = np.log10(axes.get_xlim()).mean() < np.log10(whole)
    current_style.note(
        axes, f"whole network {_number(whole)}", (whole, 1), (0, 0.4),
        ha="right" if middle else "left", xycoords=("data", "axes fraction"),
        color=current_style.colours.muted,
    )  # fmt: skip
    low, high = np.log10([axes.get_xlim()[0], 1.05 * last])
    step = 1 if high - low < 4 else 2
    marks = [m * 10.0**e for e in range(int(low) - 1, int(high) + 1, step)
             for m in ((1, 2, 5) if high - low < 2 else (1,))]  # fmt: skip
    inside = [mark for mark in marks if 10**low <= mark <= 10**high]
    axes.xaxis.set_major_locator(FixedLocator(inside))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _number(x)))
    axes.set_xlabel("loss over all pairs (nats)")


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


def _ratio(ratio: float) -> str:
    """How much more or less, in words that can be read aloud."""
    if ratio < 0.02:
        return f"÷ {_number(1 / ratio) if ratio < 1e-5 else _fold(1 / ratio)}"
    if ratio < 1.005:
        return f"−{1 - ratio:.0%}" if ratio < 0.995 else "±0%"
    if ratio >= 1e9:
        return f"× {_number(ratio)}"
    if ratio >= 1e6:
        return f"× {float(f'{ratio:.2g}') / 1e6:g} million"
    return f"× {float(f'{ratio:.2g}'):,g}"
