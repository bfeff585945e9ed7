"""The last step of the algorithm: the logits are a sum of waves that all peak at the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition._dials import answer_colour
from grokviz.scenes.modular_addition._light import beam

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition import fields

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SHIFT = "a + b − c"
KEYLESS = "No frequency is key to the logits at the end"

ROWS, NARROW_ROWS = 30, 18
"""Lines of the ridge: one for each of so many moments; and in a column."""

TALL = 11.0
"""How many lines apart the highest peak is from its foot."""

FINE = 40
"""Points of a wave between two whole numbers."""

MOST = 7
"""Waves shown one by one: as many as have a colour."""


@dataclass(frozen=True)
class LogitWaves(Scene):
    """The sum of the key cosines over a + b - c, a line a moment, and below each of them."""

    name = "logit-waves"
    panels = ("logits",)
    title = "The right answer rises where a few waves peak together"
    watch = "Each line is one moment of training, later ones in front: the sum of the waves below"
    source = "thread, tweet 7; arXiv:2301.05217, section 4.2"
    loops = True
    needs = (
        "logit_wave", "logit_wave_spread", "cosine_coefficient", "logit_variance_explained",
        "key_neurons", "embedding_frequency_norm", "logged_train_loss", "logged_test_loss",
        "phase_end",
    )  # fmt: skip
    aspect = 1.6
    narrow_aspect = 0.75
    # a third panel has a room below the waves
    aspects = {"rest": {True: (1.35, 0.62)}}  # noqa: RUF012
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
            together = "one wave peaks"
            if len(keys) > 1:
                together = f"{_claims.in_words(len(keys), 'wave')} peak together"
            words = f"The right answer rises where {together}"
            return Claim(words, self.watch, numbers=numbers)
        words = f"{some} explain{'s' * (len(keys) == 1)} {percent(growth.last)}"
        words = f"{words} of the squared logits at {at}"
        return _claims.instead(data, words if keys else KEYLESS, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The sum as a ridge of moments, and the waves one by one on the same axis."""
        ridge, waves, *rest = _rooms(figure, rest=self.rest)
        reach = min(self.reach, (data.sizes["residue"] - 1) // 2)
        parts = [_Ridge(ridge, data, reach), _waves(waves, data, reach)]
        if rest:
            span = _limits(data, reach)
            half = 0.5 * (span[1] - span[0]) * rest[0].bbox.height / ridge.bbox.height
            parts.append(_rest(rest[0], data, reach, half))
        for axes in (ridge, waves)[: 2 if rest else 1]:
            panels.without_time(axes)
        if not rest:
            _name_places(waves, reach)
        return Drawing.of(*parts)

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
            f"Waves over {SHIFT}, and above them their sum, a line for each moment of training. At "
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
            "Above: the sum of the fitted $\\alpha_k \\cos(w_k(a+b-c))$ of all key frequencies, a "
            "line for each of some moments of training, the latest in front. Below: each of them "
            f"at the moment shown (heights in logits at the right){rest}. {after('section 4.2')}"
        )


def _rooms(figure: FigureBase, *, rest: bool) -> list[Axes]:
    """Axes of the ridge, of the waves, and of what their sum leaves."""
    narrow = style().narrow(figure)
    heights = (1.9, 1.1, 0.5) if rest else (2.2, 1.0)
    return style().stack(
        figure, heights, left=5.4 if narrow else 8.2, right=3.6 if narrow else 6.6, top=1.2,
        vgap=2.2 if rest else 1.5, bottom=3.0,
    )  # fmt: skip


def _shown(data: xr.Dataset) -> list[int]:
    """The key frequencies shown one by one."""
    return frequencies.largest(data, frequencies.key_frequencies(data), MOST)


class _Ridge:
    """The sum of the waves, a line a moment from behind to the front, each hiding what it covers.

    Where the future is not drawn a line comes at its moment; the moment shown is in ink.
    """

    def __init__(self, axes: Axes, data: xr.Dataset, reach: int) -> None:
        from matplotlib.collections import PolyCollection

        current_style, colours = style(), style().colours
        self.axes, self.epochs = axes, data["epoch"].values.astype(float)
        self.totals, self.x, self.reach = np.nan_to_num(_totals(data, reach)), _across(reach), reach
        end = panels.horizon(data)
        self.end = max(end, 1.0)
        count = NARROW_ROWS if current_style.narrow(axes.figure) else ROWS
        wanted = np.linspace(0, end, count)
        rows = np.searchsorted(self.epochs, wanted + 1e-9, side="right") - 1
        self.rows = list(dict.fromkeys(int(i) for i in np.clip(rows, 0, len(self.epochs) - 1)))
        shown = self.totals[self.epochs <= end]
        self.unit = TALL / max(float(shown.max(initial=0)), 1e-9)
        self.last = float(count - 1)
        shown = np.array([self._y(i) for i in self.rows])
        room = 0.06 * (shown.max() - shown.min())
        axes.set(xlim=_ends(reach), ylim=(shown.min() - room, shown.max() + 2 * room))
        axes.grid(visible=False)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        axes.set(xticks=[], yticks=[])
        line = current_style.line
        self.shades = colours.muted, colours.rest
        self.lines = []
        for n, i in enumerate(self.rows):
            hill: Any = PolyCollection(
                [self._hill(i)], facecolors=colours.background, edgecolors="none", zorder=2 + n / 99
            )
            axes.add_collection(hill, autolim=False)
            (crest,) = axes.plot(
                self.x, self._y(i), lw=0.35 * line, zorder=2.004 + n / 99, color=self.shades[0]
            )
            # what is to come lies in front of the moment shown, and must not hide it
            (coming,) = axes.plot(
                self.x, self._y(i), lw=0.35 * line, zorder=1.5, color=self.shades[1]
            )
            (light,) = axes.plot(
                [0], [self._y(i)[FINE * reach]], "o", color=answer_colour(), mew=0,
                ms=0.24 * current_style.points, zorder=2.006 + n / 99,
            )  # fmt: skip
            self.lines.append((hill, crest, light, coming))
        self.front: Any = PolyCollection([], facecolors=colours.background, zorder=3)
        axes.add_collection(self.front, autolim=False)
        (self.now,) = axes.plot([], [], color=colours.ink, lw=0.9 * line, zorder=3.1)
        (self.dots,) = axes.plot(
            [], [], "o", color=colours.ink, ms=0.3 * current_style.points, mew=0, zorder=3.2
        )
        (self.peak,) = axes.plot(
            [], [], "o", color=answer_colour(), ms=0.62 * current_style.points, mew=0, zorder=3.3
        )
        self.text = current_style.label(axes, 0, 0, "", ha="left", va="center", zorder=3.4,
                                        lift=0.3, color=answer_colour())  # fmt: skip
        self.text.xyann = (0.75 * current_style.small, 0.35 * current_style.small)
        self.text.set_fontsize(1.3 * current_style.points)
        self.turns = [
            (turn, current_style.note(
                axes, turn.name, (0, self._down(turn.at)), (-0.5, 0), ha="right", va="center",
                fontweight="bold", color=turn.colour, xycoords=axes.get_yaxis_transform(),
            ))
            for turn in timeline.turns(data) if turn.at <= end
        ]  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        lines = [artist for line in self.lines for artist in line]
        names = [text for _, text in self.turns]
        return [*lines, self.front, self.now, self.dots, self.peak, self.text, *names]

    def update(self, i: int) -> None:
        ghost = style().ghost
        for row, (hill, crest, light, coming) in zip(self.rows, self.lines, strict=True):
            gone = row <= i
            for artist in (hill, crest, light):
                artist.set_visible(gone)
            coming.set_visible(ghost and not gone)
        self.front.set_verts([self._hill(i)])
        y = self._y(i)
        self.now.set_data(self.x, y)
        self.dots.set_data(self.x[::FINE], y[::FINE])
        top, height = float(y[FINE * self.reach]), float(self.totals[i, FINE * self.reach])
        self.peak.set_data([0], [top])
        self.text.xy = (0, top)
        self.text.set_text(_signed(height, 0))
        for turn, text in self.turns:
            text.set_visible(ghost or bool(self.epochs[i] >= turn.at))

    def _down(self, epoch: float) -> float:
        """The foot of a moment's line."""
        return -self.last * min(epoch / self.end, 1.0)

    def _y(self, i: int) -> np.ndarray:
        y: np.ndarray = self._down(float(self.epochs[i])) + self.unit * self.totals[i]
        return y

    def _hill(self, i: int) -> np.ndarray:
        """What lies below a line, down to the depth of its lowest trough."""
        y = self._y(i)
        foot = np.full(2, float(y.min()) - 0.02)
        return np.stack([np.append(self.x, self.x[[-1, 0]]), np.append(y, foot)], axis=1)


def _name_places(axes: Axes, reach: int) -> None:
    """How far an answer is from the right one, below the waves."""
    places = sorted({-reach, -(reach // 2), 0, reach // 2, reach})
    names = [f"+{n}" if n > 0 else _signed(n, 0) if n else "the answer" for n in places]
    axes.set_xticks(places, names)
    label = axes.get_xticklabels()[places.index(0)]
    label.set(color=answer_colour(), fontweight="bold")


def _waves(axes: Axes, data: xr.Dataset, reach: int) -> Drawing:
    """Each key wave around the answer, one below the other, with its height in logits."""
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
    axes.grid(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks([])
    some = "waves" if count == len(keys) else f"{len(keys)} of {count}"
    _head(axes, some, -indent, ha="right")
    if keys:
        _head(axes, "logits", 1 + indent, ha="left")
        beam(axes, 0, axes.get_ylim(), _half(reach))
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
