"""The last step of the algorithm: the logits are a sum of waves that all peak at the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.tasks.modular_addition import fields

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHIFT = "a + b − c"
KEYLESS = "No frequency is key to the logits at the end"

ROOMY = 31.0
"""So many ems of small type wide is a panel with room for a long heading."""

MOST = 7
"""Waves shown one by one: as many as have a colour."""


@dataclass(frozen=True)
class LogitWaves(Scene):
    """Each key cosine, their sum beside the mean logit by a + b - c, and what is left over."""

    name = "logit-waves"
    panels = ("logits",)
    title = "The logits are a few waves that all peak at the right answer"
    watch = "elsewhere the waves nearly cancel"
    source = "thread, tweet 7; arXiv:2301.05217, section 4.2"
    loops = True
    needs = (
        "logit_wave", "logit_wave_spread", "cosine_coefficient", "logit_variance_explained",
        "key_neurons", "embedding_frequency_norm", "logged_train_loss", "logged_test_loss",
        "phase_end",
    )  # fmt: skip
    aspect = 1.85
    narrow_aspect = 0.7
    stills = ("grok+10000", "grok-3000", "last")

    reach: int = option(14, "how far from the answer the single waves are shown")

    def __post_init__(self) -> None:
        if self.reach < 2:
            raise ValueError(f"reach={self.reach} is not possible; give at least 2")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of the logits the waves explain, where all of them peak at the answer."""
        end, keys = _claims.film_end(data), frequencies.key_frequencies(data)
        growth = _claims.Growth.of(data, data["logit_variance_explained"].values.astype(float))
        upright = bool(keys) and bool((_heights(data, keys, end) > 0).all())
        numbers = {"first": growth.first, "last": growth.last, "upright": float(upright)}
        some, at = _claims.waves(len(keys)), growth.moment
        if growth.holds and upright:
            peak, grow = ("peaks", "grows") if len(keys) == 1 else ("peak", "grow")
            held = _claims.rounded_percent(growth.last)
            words = f"{some} that {peak} at the answer {grow} to {held} of the squared logits"
            return Claim(words, _elsewhere(data, end), numbers=numbers)
        words = f"{some} explain{'s' * (len(keys) == 1)} {_claims.rounded_percent(growth.last)}"
        words = f"{words} of the squared logits at {at}"
        return _claims.instead(data, words if keys else KEYLESS, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The waves one by one, their sum with the logits, the rest, and the loss."""
        if style().narrow(figure):
            high = style().ems(figure)[1]
            upper = high * 0.235
            ridge = style().panels(figure, left=5.0, top=2.0, bottom=high - upper)[0][0]
            total, rest = style().stack(
                figure, (1.5, 1), left=5.0, top=upper + 3.3, bottom=0.365 * high, vgap=1.6
            )
            losses = style().panels(figure, left=5.0, top=0.635 * high + 6.1)[0][0]
            panels.without_time(total)
        else:
            (ridge, total), (losses, rest) = style().panels(
                figure, widths=(1, 1.35), heights=(1.15, 1), left=5.0, top=1.8, vgap=5.8
            )
        low, high = _limits(data)
        half = 0.5 * (high - low) * rest.bbox.height / total.bbox.height
        return Drawing.of(
            _ridge(ridge, data, self.reach),
            _sum(total, data, (low, high)),
            _rest(rest, data, half),
            panels.LossPanel(losses, data).along(data["epoch"]),
        )

    def description(self, data: xr.Dataset, i: int) -> str:
        """Heights of the waves, the peak, and how much they explain."""
        now = data["logit_wave"].isel(epoch=i).values
        keys = _shown(data)
        heights = zip(keys, _heights(data, keys, i), strict=True)
        waves = ", ".join(f"{k}: {height:.2g}" for k, height in heights)
        share = float(data["logit_variance_explained"].values[i])
        held = f"explain {share:.1%} of the squared logits."
        sum_of = f"The cosines of the key frequencies (heights {waves}) {held}"
        return (
            f"Mean logit by {SHIFT} at {clocks.at(data, 'epoch', i)}: {now[0]:.3g} at the "
            f"answer, at most {now[1:].max():.3g} elsewhere. "
            f"{sum_of if keys else 'There are no key frequencies.'}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Above: the fitted $\\alpha_k \\cos(w_k(a+b-c))$ of each key frequency (heights in "
            "logits, left), their sum (line) and the mean logit by $(a+b-c)$ mod p (dots). Below: "
            "the loss, and what the sum leaves (mean, and band of one standard deviation over "
            "all pairs). Shares are of the squared logits of all pairs and answers. "
            f"{after('section 4.2')}"
        )


def _shown(data: xr.Dataset) -> list[int]:
    """The key frequencies shown one by one."""
    return frequencies.largest(data, frequencies.key_frequencies(data), MOST)


def _elsewhere(data: xr.Dataset, i: int) -> str:
    """How far the waves cancel away from the answer, in words."""
    total = fields.logit_waves(data, i).sum(axis=0)
    peak, rest = float(total[0]), float(total[1:].max())
    return f"elsewhere their sum is {rest:.0f} at most, {peak:.0f} at the answer"


def _ridge(axes: Axes, data: xr.Dataset, reach: int) -> Drawing:
    """Each key wave around the answer, one below the other, with its height in logits."""
    current_style, keys = style(), _shown(data)
    count = len(frequencies.key_frequencies(data))
    x = np.linspace(-reach, reach, 40 * reach + 1)
    unit = np.cos(2 * np.pi * np.outer(keys, x) / data.sizes["residue"])
    heights = np.array([_heights(data, keys, i) for i in range(data.sizes["epoch"])])
    axes.axvline(0, color=current_style.colours.grid, lw=current_style.line * 0.8, zorder=0)
    room = 2 * reach * 5.0 * current_style.pixels(axes, current_style.points) / axes.bbox.width
    lines, texts = [], []
    for row, k in enumerate(keys):
        look: dict[str, Any] = {"color": frequencies.ink(k, data)}
        lines += axes.plot(x, x * 0, lw=current_style.line * 0.8, zorder=3, **look)
        look |= {"ha": "right", "va": "center"}
        texts.append(axes.text(reach + 0.95 * room, -row, "", fontsize=current_style.small, **look))
        axes.text(-reach - 0.08 * room, -row, str(k), fontweight="bold", **look)
    axes.set(xlim=(-reach - 0.5 * room, reach + room), ylim=(0.6 - max(len(keys), 1), 0.6))
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.set_xticks([-reach, 0, reach])
    if not style().narrow(axes.figure):
        axes.set_xlabel(SHIFT)
    whole = count == len(keys)
    _head(axes, "each wave, its height in logits" if whole else f"{len(keys)} of {count} waves")
    if not keys:
        frequencies.note_none(axes)
    finite = np.abs(heights[np.isfinite(heights)])
    top = max(float(finite.max(initial=0)), 1e-9)

    def update(i: int) -> None:
        for row, (line, text, height) in enumerate(zip(lines, texts, heights[i], strict=True)):
            line.set_ydata(-row + 0.45 * height / top * unit[row])
            text.set_text(f"{round(height, 1) + 0.0:.1f}".replace("-", "−"))

    return Drawing([lines, texts], update)


def _order(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Residues with 0 in the middle, and where they stand."""
    p = data.sizes["residue"]
    at = np.arange(-(p // 2), (p + 1) // 2)
    return at % p, at


def _heights(data: xr.Dataset, keys: list[int], i: int) -> np.ndarray:
    """Height in logits of each of these waves at an epoch."""
    p = data.sizes["residue"]
    coefficients = data["cosine_coefficient"].values[i, np.array(keys, dtype=int) - 1]
    heights: np.ndarray = coefficients.astype(float) * np.sqrt(2 / p**3)
    return heights


def _limits(data: xr.Dataset) -> tuple[float, float]:
    """Limits that hold the mean logits throughout the film."""
    shown = data["logit_wave"].values[data["epoch"].values <= panels.horizon(data)]
    finite = shown[np.isfinite(shown)].astype(float)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _head(axes: Axes, text: str) -> Any:
    return style().note(axes, text, (0.0, 1), (0, 0.45), color=style().colours.muted)


def _sum(axes: Axes, data: xr.Dataset, span: tuple[float, float]) -> Drawing:
    """The mean logits, the sum of the key waves through them, and how much that explains."""
    current_style, colours, (order, x) = style(), style().colours, _order(data)
    axes.set(xlim=(x[0], x[-1]), ylim=span, ylabel="logit")
    axes.set_xticks([x[0], 0, x[-1]])
    axes.axvline(0, color=colours.grid, lw=current_style.line * 0.8, zorder=0)
    width, size = current_style.line * 0.5, current_style.points * 0.26
    (line,) = axes.plot([], [], color=colours.faint, lw=width, zorder=2)
    (dots,) = axes.plot([], [], "o", color=colours.ink, ms=size, mew=0, zorder=3)
    current_style.note(
        axes, "the answer", (0, span[1]), (0.5, 0), xycoords="data", va="top", color=colours.muted
    )
    text, shares = _head(axes, ""), data["logit_variance_explained"].values.astype(float)
    then = f"; {_claims.rounded_percent(float(shares[0]))} at {_claims.moment(data, 0)}"
    # a paper's panel has no room for both
    if axes.bbox.width < ROOMY * current_style.pixels(axes, current_style.small):
        then = ""

    def update(i: int) -> None:
        dots.set_data(x, data["logit_wave"].values[i][order].astype(float))
        line.set_data(x, fields.logit_waves(data, i).sum(axis=0)[order])
        known = data.sizes["key_frequency"]
        held = f"the sum explains {shares[i]:.0%} of the squared logits{then}"
        text.set_text(held if known else frequencies.NONE)

    return Drawing([line, dots, text], update)


def _rest(axes: Axes, data: xr.Dataset, half: float) -> Drawing:
    """What the sum leaves of the logits: its mean, and a band of its spread."""
    from matplotlib.collections import PolyCollection

    colours, (order, x) = style().colours, _order(data)
    axes.set(xlim=(x[0], x[-1]), ylim=(-half, half), xlabel=SHIFT, ylabel="logit")
    axes.set_xticks([x[0], 0, x[-1]])
    small = axes.bbox.width < ROOMY * style().pixels(axes, style().small)
    band_of = "mean and spread" if small else "mean, \u00b1 a standard deviation"
    _head(axes, f"what the sum leaves: {band_of}")
    band: Any = PolyCollection([], facecolors=colours.rest, alpha=0.7, lw=0, zorder=1.8)
    axes.add_collection(band, autolim=False)
    (line,) = axes.plot([], [], color=colours.ink, lw=style().line * 0.6, zorder=3)

    def update(i: int) -> None:
        mean = data["logit_wave"].values[i][order].astype(float)
        spread = data["logit_wave_spread"].values[i][order].astype(float)
        middle = mean - fields.logit_waves(data, i).sum(axis=0)[order]
        upper, lower = (np.stack([x, middle + side * spread], axis=1) for side in (1, -1))
        band.set_verts([np.concatenate([upper, lower[::-1]])])
        line.set_data(x, middle)

    return Drawing([band, line], update)
