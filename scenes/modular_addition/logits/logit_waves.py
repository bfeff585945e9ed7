"""The last step of the algorithm: the logits are a sum of waves that all peak at the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition._dials import answer_colour
from grokviz.scenes.modular_addition._light import beam

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.tasks.modular_addition import fields

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHIFT = "a + b − c"
KEYLESS = "No frequency is key to the logits at the end"

ROOMY = 19.0
"""So many ems of small type wide is a panel with room for a long heading."""

FINE = 40
"""Points of a wave between two whole numbers."""

MOST = 7
"""Waves shown one by one: as many as have a colour."""


@dataclass(frozen=True)
class LogitWaves(Scene):
    """Each key cosine over a + b - c and their sum below, beside its share of the logits."""

    name = "logit-waves"
    panels = ("logits",)
    title = "The logits are a few waves that all peak at the right answer"
    watch = "their sum is highest at the answer"
    source = "thread, tweet 7; arXiv:2301.05217, section 4.2"
    loops = True
    needs = (
        "logit_wave", "logit_wave_spread", "cosine_coefficient", "logit_variance_explained",
        "key_neurons", "embedding_frequency_norm", "logged_train_loss", "logged_test_loss",
        "phase_end",
    )  # fmt: skip
    aspect = 1.85
    narrow_aspect = 0.6
    # a third panel has a room below the waves
    aspects = {"rest": {True: (1.6, 0.52)}}  # noqa: RUF012
    stills = ("grok+10000", "grok-3000", "last")

    reach: int = option(14, "how far from the answer the waves are shown")
    rest: bool = option(False, "what the sum leaves of the logits, below it")

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
        """The waves one by one and their sum on one axis, beside the losses and its share."""
        (ridge, total, *rest), (losses, share) = _rooms(figure, rest=self.rest)
        reach = min(self.reach, (data.sizes["residue"] - 1) // 2)
        span = _limits(data, reach)
        parts = [_ridge(ridge, data, reach, total.bbox.y1), _sum(total, data, reach, span)]
        if rest:
            half = 0.5 * (span[1] - span[0]) * rest[0].bbox.height / total.bbox.height
            parts.append(_rest(rest[0], data, reach, half))
        panels.without_time(ridge, losses, *([total] if rest else []))
        loss = panels.LossPanel(losses, data).along(data["epoch"])
        panels.without_time(losses)
        return Drawing.of(*parts, loss, _share(share, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Heights of the waves, the peak, and how much they explain."""
        keys, total = _shown(data), fields.logit_waves(data, i).sum(axis=0)
        heights = zip(keys, _heights(data, keys, i), strict=True)
        waves = ", ".join(f"{k}: {height:.2g}" for k, height in heights)
        share = float(data["logit_variance_explained"].values[i])
        sum_of = (
            f"the cosines of the key frequencies (heights {waves}) sum to {total[0]:.3g} at the "
            f"answer, at most {total[1:].max():.3g} elsewhere, and explain {share:.1%} of the "
            "squared logits"
        )
        return (
            f"Waves over {SHIFT}, their sum below, beside curves over training. At "
            f"{clocks.at(data, 'epoch', i)} {sum_of if keys else 'there are no key frequencies'}; "
            f"train loss {panels.loss_at(data, 'train', i)}, test loss "
            f"{panels.loss_at(data, 'test', i)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        rest = (
            "; below it, what the sum leaves (mean, and band of one standard deviation over all "
            "pairs)" if self.rest else ""
        )  # fmt: skip
        return (
            "Left: the fitted $\\alpha_k \\cos(w_k(a+b-c))$ of each key frequency (heights in "
            f"logits at the right) and their sum, with dots at the classes c{rest}. Right: the "
            "losses, and the share of the squared logits of all pairs and answers that the sum "
            f"explains. {after('section 4.2')}"
        )


def _rooms(figure: FigureBase, *, rest: bool) -> tuple[list[Axes], list[Axes]]:
    """Axes of the waves, and of what goes along with training: beside them, or below."""
    (wide, high), waves = style().ems(figure), (1.4, 1.0, 0.7) if rest else (1.4, 1.0)
    over, past = {"left": 5.0, "vgap": 2.2}, {"vgap": 2.2}
    if style().narrow(figure):
        cut = high * (0.55 if rest else 0.48)
        return (
            style().stack(figure, waves, top=2.0, right=4.2, bottom=high - cut + 3.3, **over),
            style().stack(figure, (1, 1), top=cut + 3.6, left=5.0, **past),
        )
    cut = 0.54 * wide
    return (
        style().stack(figure, waves, top=3.2, right=wide - cut, **over),
        style().stack(figure, (1, 1), top=3.6, left=cut + 9.0, **past),
    )


def _shown(data: xr.Dataset) -> list[int]:
    """The key frequencies shown one by one."""
    return frequencies.largest(data, frequencies.key_frequencies(data), MOST)


def _elsewhere(data: xr.Dataset, i: int) -> str:
    """How far the waves cancel away from the answer, in words."""
    total = fields.logit_waves(data, i).sum(axis=0)
    peak, rest = float(total[0]), float(total[1:].max())
    others = f"the {len(total) - 1} wrong answers"
    return f"their sum is {peak:.0f} at the answer, at most {rest:.0f} at {others}"


def _ridge(axes: Axes, data: xr.Dataset, reach: int, foot: float) -> Drawing:
    """Each key wave around the answer, one below the other, with its height in logits.

    The line at the answer goes on down to ``foot``, in pixels.
    """
    current_style, keys = style(), _shown(data)
    count = len(frequencies.key_frequencies(data))
    x = _across(reach)
    unit = _cosines(data, keys, x)
    heights = _heights(data, keys, slice(None))
    lines, crests, texts = [], [], []
    beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
    indent = 0.5 * current_style.pixels(axes, current_style.small) / axes.bbox.width
    for row, k in enumerate(keys):
        look = {**beside, "color": frequencies.ink(k, data)}
        lines += axes.plot(x, x * 0, lw=current_style.line * 0.8, zorder=3, color=look["color"])
        crests += axes.plot([0], [0], "o", ms=0.5 * current_style.points, zorder=4, clip_on=False,
                            mew=0.3 * current_style.line, mec=current_style.colours.ink,
                            color=look["color"])  # fmt: skip
        axes.text(-indent, -row, str(k), ha="right", fontweight="bold", **look)
        texts.append(
            axes.text(1 + indent, -row, "", ha="left", fontsize=current_style.small, **look)
        )
    axes.set(xlim=_ends(reach), ylim=(0.6 - max(len(keys), 1), 0.6))
    if keys:
        low, high = axes.get_ylim()
        ends = low + (high - low) * (foot - axes.bbox.y0) / axes.bbox.height, high
        beam(axes, 0, ends, _half(reach), over=True)
    axes.grid(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks([])
    narrow = current_style.narrow(axes.figure)
    some = "frequency" if count == len(keys) else f"{len(keys)} of {count} waves"
    _head(axes, some, -4 * indent)
    if keys:
        look = {"va": "baseline" if narrow else "bottom", "linespacing": 1.05}
        _head(axes, "logits" if narrow else "height\n(logits)", 1 + indent, **look)
        _head(axes, "the answer", 0.5, ha="center").set_color(answer_colour())
    else:
        frequencies.note_none(axes)
    top = max(float(np.abs(heights[np.isfinite(heights)]).max(initial=0)), 1e-9)

    def update(i: int) -> None:
        for row, (line, text, height) in enumerate(zip(lines, texts, heights[i], strict=True)):
            line.set_ydata(-row + 0.47 * height / top * unit[row])
            crests[row].set_ydata([-row + 0.47 * height / top])
            text.set_text(_signed(height, 1))

    return Drawing([lines, crests, texts], update)


def _half(reach: int) -> float:
    """Half the width of the light at the answer: less than half way to the next."""
    return min(0.4, 0.035 * reach)


def _signed(logits: float, digits: int) -> str:
    """A number with so many digits after the point, and never a minus before nothing but 0."""
    return f"{round(logits, digits) + 0.0:.{digits}f}".replace("-", "−")


def _ends(reach: int) -> tuple[float, float]:
    """The ends of an axis that has room for the dots at its ends."""
    return -reach - 0.3, reach + 0.3


def _across(reach: int) -> np.ndarray:
    """Places from ``-reach`` to ``reach`` close enough for a smooth wave."""
    x: np.ndarray = np.linspace(-reach, reach, 2 * FINE * reach + 1)
    return x


def _cosines(data: xr.Dataset, keys: list[int], x: np.ndarray) -> np.ndarray:
    """The cosine of each of these frequencies at places ``x``."""
    waves: np.ndarray = np.cos(2 * np.pi * np.outer(keys, x) / data.sizes["residue"])
    return waves


def _heights(data: xr.Dataset, keys: list[int], i: int | slice) -> np.ndarray:
    """Height in logits of each of these waves at an epoch, or at all."""
    p = data.sizes["residue"]
    coefficients = data["cosine_coefficient"].values[i][..., np.array(keys, dtype=int) - 1]
    heights: np.ndarray = coefficients.astype(float) * np.sqrt(2 / p**3)
    return heights


def _totals(data: xr.Dataset, reach: int) -> np.ndarray:
    """The sum of all key waves at every epoch, at the places of :func:`_across`."""
    keys = frequencies.key_frequencies(data)
    totals: np.ndarray = _heights(data, keys, slice(None)) @ _cosines(data, keys, _across(reach))
    return totals


def _limits(data: xr.Dataset, reach: int) -> tuple[float, float]:
    """Limits that hold the sum throughout the film, and its number at the answer."""
    shown = _totals(data, reach)[data["epoch"].values <= panels.horizon(data)]
    finite = shown[np.isfinite(shown)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _head(axes: Axes, text: str, at: float = 0.0, **look: Any) -> Any:
    return style().note(axes, text, (at, 1), (0, 0.45), color=style().colours.muted, **look)


def _frame(axes: Axes, reach: int, span: tuple[float, float]) -> None:
    """An axis of logits over places around the answer, which has a line."""
    axes.set(xlim=_ends(reach), ylim=span, xlabel=SHIFT, ylabel="logits")
    axes.set_xticks(sorted({-reach, -(reach // 2), 0, reach // 2, reach}))
    beam(axes, 0, span, _half(reach))


def _sum(axes: Axes, data: xr.Dataset, reach: int, span: tuple[float, float]) -> Drawing:
    """The sum of all key waves, with a dot at each class, and its number at the answer."""
    current_style, colours, totals = style(), style().colours, _totals(data, reach)
    _frame(axes, reach, span)
    x = _across(reach)
    size = current_style.points * 0.32
    (line,) = axes.plot([], [], color=colours.faint, lw=current_style.line * 0.6, zorder=2)
    (dots,) = axes.plot([], [], "o", color=colours.muted, ms=size, mew=0, zorder=3)
    (peak,) = axes.plot([], [], "o", color=answer_colour(), ms=1.7 * size, mew=0, zorder=4)
    text = current_style.label(axes, 0, 0, "", lift=0.3, ha="left", va="center", zorder=5,
                               color=answer_colour())  # fmt: skip
    text.xyann = (0.6 * current_style.small, 0.3 * current_style.small)
    _head(axes, "their sum")
    if not current_style.narrow(axes.figure):
        _head(axes, f"dots: whole {SHIFT}", 1.0, ha="right")

    def update(i: int) -> None:
        line.set_data(x, totals[i])
        dots.set_data(x[::FINE], totals[i, ::FINE])
        top = float(totals[i, FINE * reach])
        peak.set_data([0], [top])
        text.xy = (0, top)
        text.set_text(_signed(top, 0) if np.isfinite(top) else "")

    return Drawing([line, dots, peak, text], update)


def _rest(axes: Axes, data: xr.Dataset, reach: int, half: float) -> Drawing:
    """What the sum leaves of the logits: its mean, and a band of its spread."""
    from matplotlib.collections import PolyCollection

    colours, x = style().colours, np.arange(-reach, reach + 1)
    order = x % data.sizes["residue"]
    _frame(axes, reach, (-half, half))
    _head(axes, "what it leaves")
    _head(axes, "mean ± spread", 1.0, ha="right")
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


def _share(axes: Axes, data: xr.Dataset) -> Drawing:
    """The share of the squared logits that the sum explains, with its number at the moment."""
    current_style, epochs = style(), data["epoch"].values.astype(float)
    shares = 100 * data["logit_variance_explained"].values.astype(float)
    # the number has room above the whole
    room = 1 - 1.6 * current_style.pixels(axes, current_style.small) / axes.bbox.height
    curve = panels.CurvePanel(
        axes, data, {"_share": panels.at_checkpoints(data, shares)},
        ylabel="share (%)", ylim=(0, 100 / max(room, 0.5)), yticks=(0, 50, 100),
    )  # fmt: skip
    wide = axes.bbox.width > ROOMY * current_style.pixels(axes, current_style.small)
    _head(axes, "squared logits that the sum explains" if wide else "squared logits explained")
    size = current_style.points * 0.42
    (dot,) = axes.plot(
        [], [], "o", color=current_style.colours.ink, ms=size, mew=0, zorder=7, clip_on=False
    )
    text = current_style.label(axes, 0, 0, "", lift=0.35, zorder=8)
    aside, up = 0.4 * current_style.small, 0.35 * current_style.small

    def update(i: int) -> None:
        dot.set_data(epochs[i : i + 1], shares[i : i + 1])
        known = np.isfinite(shares[i])
        early = epochs[i] < 0.2 * axes.get_xlim()[1]
        text.set_text(_claims.rounded_percent(shares[i] / 100) if known else "")
        # beside the marker, and on the axes
        text.set_ha("left" if early else "right")
        text.xyann = (aside if early else -aside, up)
        text.xy = (epochs[i], shares[i] if known else 0.0)

    return Drawing.of(curve.along(epochs), Drawing([dot, text], update))
