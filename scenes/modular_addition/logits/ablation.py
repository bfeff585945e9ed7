"""Tweet 7's numbers: take away what the algorithm does not use, and the network gets better."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
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

WHOLE = "original"
ALONE, WITH_MEANS = "cosine-fit", "cosine-fit-means"
"""Those that leave least: the waves of which the right answer is the top, and with the means of
the logits; the second is no ablation of the dataset, but a variable that earlier ones lack."""

LOGITS = {
    "key-terms": "key waves alone",
    "sums-only": "those of a + b alone",
    WITH_MEANS: "those highest at a + b",
    ALONE: "those, without the means",
}
"""What of the logits alone is left: each is a part of the one before it."""

NO_MEANS = "those highest, no means"
"""The last of them, where the one before it is not known."""

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

MEANS, CLUSTERS, KEPT = "cosine_fit_means_loss", "cluster_loss", "clusters_kept_loss"

WHOLE_CLUSTERS = "clusters-kept"
"""The clusters' losses are of another network: this is it with none of them left out."""

OUT = {
    "logits": "Wave k: $\\cos$ and $\\sin$ of $w_k(a+b)$.",
    "neurons": "Neurons of k: those with that frequency, left out of a network whose clustered "
    "neurons have only the terms of their own frequency, and whose logits come from the neurons "
    "alone, with each class's mean as it was; with none left out, that network.",
}
"""What is taken out for a wave, by where it is taken out of."""

WORSE = 10.0
"""The network needs a wave without which its loss is at least so many times as large."""

BETTER = 0.9
"""The loss falls where it is at most this share of the untouched model's: less is no change."""

MOST = 7
"""Waves taken away one by one that are shown: those without which the loss is largest."""


@dataclass(frozen=True)
class Ablation(Scene):
    """Loss after each ablation, beside the whole network's."""

    name = "ablation"
    title = "The key waves suffice, and every one counts"
    watch = "A number says how many times larger or smaller the loss is than the whole network's"
    source = "thread, tweet 7; arXiv:2301.05217, section 4.4"
    needs = (
        "ablation_loss", "ablation_ratio", "ablation_what", "embedding_frequency_norm",
        "logged_train_loss", "logged_test_loss",
    )  # fmt: skip
    wishes = (MEANS,)
    clock = None
    aspect = 1.9
    narrow_aspect = 0.95
    aspects = {"rows": {"all": (1.35, 0.62)}}  # noqa: RUF012

    rows: Literal["waves", "logits", "all"] = option(
        "waves",
        "the key waves alone and without each; three ways of keeping them alone in the logits; or "
        "what is taken out of any part of the network",
    )
    waves: Literal["logits", "neurons"] = option(
        "logits", "what a wave is taken out of: the logits, or the neurons with its frequency"
    )
    ratios: bool = option(True, "how much of the loss, or how many times, at each bar's end")

    def variables(self) -> tuple[str, ...]:
        """With the losses without clusters of neurons, where they are drawn."""
        return (*self.needs, CLUSTERS, KEPT) if self.waves == "neurons" else self.needs

    def _shown(self, data: xr.Dataset) -> xr.Dataset:
        """The data with the losses without each wave as they are asked for, and those of rows that
        are variables of their own.
        """
        names = data["ablation"].values.tolist()
        losses = dict(zip(names, data["ablation_loss"].values.tolist(), strict=True))
        if MEANS in data:
            losses[WITH_MEANS] = float(data[MEANS])
        if self.waves == "neurons":
            losses[WHOLE_CLUSTERS] = float(data[KEPT])
            for k, loss in zip(data["key_frequency"].values, data[CLUSTERS].values, strict=True):
                losses[f"{WAVE}{k}"] = float(loss)
        texts = [*data["ablation_what"].values.tolist(), *[""] * (len(losses) - len(names))]
        return data.drop_dims("ablation").assign_coords(ablation=[*losses]).assign(
            ablation_loss=("ablation", [*losses.values()]), ablation_what=("ablation", texts)
        )  # fmt: skip

    def claim(self, data: xr.Dataset) -> Claim:
        """What becomes of the loss where only the algorithm's cosines are kept."""
        data = self._shown(data)
        alone = _loss(data, ALONE)
        ratio = alone / max(_loss(data, WHOLE), 1e-30)
        if 0 < ratio <= BETTER and alone < LOW:
            numbers = {"ratio": ratio, "loss": alone}
            count = len(frequencies.key_frequencies(data))
            only = _claims.counted(count)
            least = min(_without(data), default=np.nan) / max(_loss(data, WHOLE), 1e-30)
            if not least >= WORSE:
                verb = "do" if count > 1 else "does"
                words = f"{only} alone {verb} better than the whole network"
                return Claim(words, self.watch, numbers=numbers)
            numbers["least"] = least
            counts = "every one counts" if count > 1 else "it counts"
            words = f"{only} {'are' if count > 1 else 'is'} enough, and {counts}"
            # in whole numbers, never more than it is
            unit = 10 ** int(np.log10(least)) if least >= 100 else 1
            times = unit * int(least / unit)
            one = "any one of them" if count > 1 else "it"
            one = f"the neurons of {one}" if self.waves == "neurons" else one
            watch = (
                f"{'They beat' if count > 1 else 'It beats'} the whole network; without {one} "
                f"the loss is over {times:,.0f} times as large"
            )
            return Claim(words, watch, numbers=numbers)
        words = "With its key waves alone the loss is"
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
        count = len(_without(data))
        names = {**dict(reversed(alone.items())), **without} if self.rows == "all" else {
            **alone, **without
        }  # fmt: skip
        if style().narrow(figure):
            names = {name: textwrap.fill(text, 22) for name, text in names.items()}
        _Bars(_room(figure, names), data, names, self.ratios).draw()
        if count > MOST:
            words = f"of {count} waves the {MOST} that are missed most"
            axes = figure.axes[-1]
            style().note(axes, words, (1, 1), (0, 0.4), ha="right", color=style().colours.muted)
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
            "Loss over all pairs after one part of the trained network is kept alone or taken "
            "out; numbers at bars are multiples of the untouched network's. Guessing: $\\ln p$. "
            f"{self._definition_of_logits(data)} {OUT[self.waves]} "
            f"{after('section 4.4')}"
        )

    def _definition_of_logits(self, data: xr.Dataset) -> str:
        """What of the logits is kept."""
        if self.rows == "waves":
            return (
                "Kept of the logits: $\\cos w_k(a+b-c)$ at the key frequencies, without the "
                "classes' means."
            )
        last = "the same without the means" if MEANS in data else "without the means"
        return (
            "Of the logits are kept: each class's mean and the waves of a, of b and of both at the "
            "key frequencies; of these, $\\cos$ and $\\sin$ of $w_k(a+b)$; of these, "
            f"$\\cos w_k(a+b-c)${'; and ' if MEANS in data else ', '}{last}."
        )

    def _groups(self, data: xr.Dataset) -> tuple[dict[str, str], dict[str, str]]:
        """Ablations that keep one thing alone, and those that take one out; each by its loss."""
        every = self.rows == "all"
        names = data["ablation"].values
        ordered = names[ties.ordered(-data["ablation_loss"].values)].tolist()
        alone = {
            name: f"logits: {text}" if every else text
            for name, text in LOGITS.items()
            if 0 <= _loss(data, name) < np.inf and (self.rows != "waves" or name == ALONE)
        }
        if self.rows == "waves" and ALONE in alone:
            count = len(frequencies.key_frequencies(data))
            alone[ALONE] = f"{_claims.counted(count).lower()} alone"
        elif ALONE in alone and WITH_MEANS not in alone:
            alone[ALONE] = alone[ALONE].replace(LOGITS[ALONE], NO_MEANS)
        cluster = "without wave" if self.waves == "logits" else "without neurons of"
        without = {}
        if 0 < _loss(data, WHOLE_CLUSTERS) < np.inf:
            without[WHOLE_CLUSTERS] = "no neurons left out"
        for name in ordered:
            if name in (WHOLE, WHOLE_CLUSTERS, *LOGITS) or not 0 < _loss(data, name) < np.inf:
                continue
            if name.startswith(WAVE):
                without[name] = f"{cluster} {name.removeprefix(WAVE)}"
            elif every and name in SIMPLER:
                alone[name] = SIMPLER[name]
            elif every:
                what = str(data["ablation_what"].sel(ablation=name).item())
                without[name] = TAKEN.get(name, what)
        waves = [name for name in without if name.startswith(WAVE)]
        for name in waves[: max(len(waves) - MOST, 0)]:
            del without[name]
        return alone, without


def _room(figure: FigureBase, names: dict[str, str]) -> Axes:
    """Axes with room at their left for the names of the rows, as far as there is so much."""
    wide = style().ems(figure)[0]
    longest = 0.55 * max(len(line) for name in names.values() for line in name.split("\n"))
    return style().panels(figure, left=min(longest + 1.0, 0.5 * wide), right=1.4, top=2.4)[0][0]


@dataclass(frozen=True)
class _Bars:
    """Bars of losses, from the whole network's to both sides.

    Attributes:
        axes, data: where they are drawn, and the dataset.
        names: what is written of each ablation.
        numbers: whether each has its number at its end.

    """

    axes: Axes
    data: xr.Dataset
    names: dict[str, str]
    numbers: bool

    def draw(self) -> None:
        """The axis, the line of the whole network, and the bars."""
        axes, current_style, colours = self.axes, style(), style().colours
        axes.set_ylim(len(self.names) - 0.5, -0.5)
        axes.spines["left"].set_visible(False)
        axes.grid(True, axis="x")
        self._scale()
        axes.axvline(self._whole, color=colours.ink, lw=current_style.line * 0.6, zorder=4)
        for words, aside, ha in (("\u2190 better", -0.6, "right"), ("worse \u2192", 0.6, "left")):
            current_style.note(
                axes, words, (self._whole, 1), (aside, 0.4), ha=ha, fontweight="bold",
                xycoords=axes.get_xaxis_transform(),
            )  # fmt: skip
        if self._guess > self._whole:
            self._draw_guessing()
        axes.set_yticks(range(len(self.names)), list(self.names.values()))
        axes.tick_params(axis="y", length=0)
        for row, (name, label) in enumerate(zip(self.names, axes.get_yticklabels(), strict=True)):
            self._bar(row, name, label)

    def _scale(self) -> None:
        """Limits with room for the numbers at the bars' ends, and ticks."""
        axes, ratios = self.axes, _ratios(self.data, self.names)
        small = style().pixels(axes, style().small) / axes.bbox.width
        axes.set_xscale("log")
        logs = np.log10([self._whole, *(self._whole * ratio for ratio in ratios if ratio > 0)])
        low, high = float(logs.min()), max(float(logs.max()), float(logs.min()) + 0.1)
        # the shares of the axis that the words at its ends need
        words = [_times(r) if self.numbers else "" for r in ratios]
        right = max((0.62 * len(w) + 1.0 for w, r in zip(words, ratios, strict=True) if r >= 1),
                    default=0.0)  # fmt: skip
        left = max((0.62 * len(w) + 1.0 for w, r in zip(words, ratios, strict=True) if r < 1),
                   default=0.0)  # fmt: skip
        # and those of the words above it
        left, right = min(left * small, 0.4), min(max(right, 0.0) * small, 0.4)
        span = (high - low) / (1 - left - right)
        low, high = low - left * span, high + right * span
        if self._guess > self._whole:
            # with half of its name at its right
            high = max(high, np.log10(self._guess) + 0.04 * (high - low))
        axes.set_xlim(10**low, 10**high)
        self._tick(low, high)
        narrow = style().narrow(axes.figure)
        words = "whole network" if narrow else "the whole network's is"
        axes.set_xlabel(
            f"loss (nats); {words} {_number(self._whole)}", loc="right" if narrow else "center"
        )

    def _draw_guessing(self) -> None:
        """A line at the loss of guessing, which says how large the others are."""
        axes, current_style, colours = self.axes, style(), style().colours
        ends = axes.transData.transform([(self._whole, 0), (self._guess, 0)])[:, 0]
        # its name and "worse" need so many ems
        if ends[1] - ends[0] < 11 * current_style.pixels(axes, current_style.small):
            return
        axes.axvline(self._guess, color=colours.faint, lw=current_style.line * 0.6, zorder=2)
        current_style.note(
            axes, f"guessing: {self._guess:.2g}", (self._guess, 1), (0.6, 0.4), ha="right",
            color=colours.muted, xycoords=axes.get_xaxis_transform(),
        )  # fmt: skip

    @property
    def _guess(self) -> float:
        return _guessing(self.data)

    @property
    def _whole(self) -> float:
        return _loss(self.data, WHOLE)

    def _tick(self, low: float, high: float) -> None:
        """Ticks at powers of ten, at more where there are few of them."""
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

        wide = 4.5 * style().pixels(self.axes, style().small)
        step = max(int(np.ceil((high - low) * wide / self.axes.bbox.width)), 1)
        tens = np.arange(step * np.floor(low / step), high + 1e-9, step)
        marks = [m * 10.0**e for e in tens for m in ((1, 2, 5) if high - low < 1 else (1,))]
        axis = self.axes.xaxis
        axis.set_major_locator(FixedLocator([m for m in marks if low <= np.log10(m) <= high]))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda loss, _: _number(loss)))

    def _bar(self, row: int, name: str, label: Any) -> None:
        axes, current_style, colours = self.axes, style(), style().colours
        loss = _loss(self.data, name)
        ratio = loss / self._whole
        better = ties.exceeds(1.0, ratio)
        colour = colours.accent if better else colours.muted
        if name.startswith(WAVE):
            colour = frequencies.ink(int(name.removeprefix(WAVE)), self.data)
        axes.barh(
            row, loss - self._whole, left=self._whole, height=0.62, color=colour, lw=0, zorder=3
        )
        if better or name.startswith(WAVE):
            label.set(color=colour, fontweight="bold")
        if self.numbers:
            text = current_style.label(
                axes, loss, row, _times(ratio), lift=0.1, va="center", zorder=5,
                ha="right" if better else "left",
            )  # fmt: skip
            text.xyann = ((-0.5 if better else 0.5) * current_style.small, 0)


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


def _guessing(data: xr.Dataset) -> float:
    """The loss of guessing among p answers; NaN where the run does not say its p."""
    p = json.loads(data.attrs.get("settings") or "{}").get("p")
    return float(np.log(p)) if isinstance(p, (int, float)) and p > 1 else float("nan")


def _number(x: float) -> str:
    """A positive number with two digits at most, as a power of ten where that is shorter."""
    if 0.001 <= x < 1000:
        return f"{float(f'{x:.2g}'):g}"
    exponent = int(np.floor(np.log10(x) + 1e-9))
    digits = f"{x / 10**exponent:.2g}"
    head = "" if digits == "1" else rf"{digits} \times "
    return rf"${head}10^{{{exponent}}}$"


def _times(ratio: float) -> str:
    """How many times as large, in two digits, near 1 in three: "×0.4", "×1.03", "×4,300"."""
    rounded = float(f"{ratio:.{3 if 0.9 < ratio < 1.1 else 2}g}")
    if not 1e-3 <= rounded < 1e9:
        return f"×{_number(rounded)}"
    return f"×{rounded / 1e6:g} million" if rounded >= 1e6 else f"×{rounded:,g}"
