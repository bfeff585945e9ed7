"""A dot a network: how far from a pizza to a clock it is, by how much of a softmax it attends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.media.palette import colour_map
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.about import BETWEEN
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

PUBLISHED = (
    ("0 to .1", 0.05, 0.994, 0.20), (".1 to .3", 0.2, 0.993, 0.22),
    (".3 to .5", 0.4, 0.993, 0.24), (".5 to .7", 0.6, 0.836, 0.56),
    (".7 to .9", 0.8, 0.585, 0.74), (".9 to 1", 0.95, 0.451, 0.83),
)  # fmt: skip
"""Medians of the published table by attention rate, their middles: gradient symmetricity, and the
column distance_irrelevance, which is of the best wrong logit. Of its 817 networks with circularity
.995 or more and without extras."""

FALLS = -0.5
"""Rank correlation of rate and symmetricity, below which more attention means less of a pizza."""

CLOCK = (PUBLISHED[0][2] + PUBLISHED[-1][2]) / 2
"""Symmetricity below which a network is counted as a clock: half-way between the published medians
without attention and with a softmax."""

HALF = 0.5
"""Attention rate from which on a network is one of those with more attention."""

LEARNT = 0.95
"""Accuracy on all pairs from which on a network has learned its task."""

SMALL_P = (
    "That distance irrelevance tells a pizza from a clock is said mod 59 (arXiv:2306.17844) and "
    "does not hold for small p: in trials mod 31 the two overlap, and symmetricity tells them "
    "apart. "
)
"""What the plane of both measures does not tell, for captions; see docs/clock-or-pizza.md."""

MOST = 12
"""Rates that have a dot in the key; of more only the least and the largest."""

TICKS = (1.0, 0.95, 0.8, 0.6, 0.4, 0.2, 0.0, -0.2, -0.5)
"""Cosines that are named below the picture."""

STEP = 0.22
"""Room between two networks of one rate, as a share of that between two rates."""

WIDE = 0.6
"""The most room of all networks of one rate, and that at both ends, of that between two rates."""

INSIDE = (0.12, 1.0)
"""Between which shares of a colour map the rates from 0 to 1 are."""


@dataclass(frozen=True)
class AttentionRates(Scene):
    """Networks from pizza to clock by their attention rate, or in the plane of two measures."""

    name = "attention-rates"
    title = "With more attention, more networks become clocks"
    watch = "A dot is a network; the higher, the more differently a and b act on its answer"
    source = "arXiv:2306.17844"
    disputed = (
        "Disputed: the networks at both ends are said to be two algorithms (arXiv:2306.17844), and "
        "to be one and the same disc, seen in their neurons (arXiv:2512.25060)."
    )
    needs = ("member_name", "member_attention_rate", "member_accuracy", "member_circuit_epoch",
             "member_gradient_symmetricity", "member_wrong_distance_irrelevance")  # fmt: skip
    recipe = "clock-59"
    reference = "attention-rates"
    aspect = 1.7
    narrow_aspect = 1.0
    ends_with_film = True

    plane: bool = option(False, "both measures against one another, the rate as a colour")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a network has an attention rate."""
        super().check(data)
        if not np.isfinite(data["member_attention_rate"].values).any():
            raise InputError(
                f"{cls.name} compares attention rates, and no run here has one; train clock-59 at "
                "several values of attention-rate"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How the rate and the symmetricity go together, in the networks that have learned."""
        rates, learnt = _rates(data), _learnt(data)
        last = np.array([_at(data, m, np.inf)[0] for m in range(len(rates))])
        known = learnt & np.isfinite(rates) & np.isfinite(last)
        order = _rank_correlation(rates[known], last[known])
        some, more = (known & (rates < HALF)), (known & (rates >= HALF))
        clocks_of = [int((last[those] < CLOCK).sum()) for those in (some, more)]
        numbers = {"correlation": order, "learnt": int(known.sum()),
                   "clocks with less": clocks_of[0], "of less": int(some.sum()),
                   "clocks with more": clocks_of[1], "of more": int(more.sum())}  # fmt: skip
        watch = "A dot is a network, coloured by how much it attends" if self.plane else self.watch
        if (~learnt[_drawn(data)]).any():
            watch += "; hollow ones have not learned" if self.plane else "; hollow: not learned"
        both = bool(some.any() and more.any())
        if order <= FALLS and both and clocks_of[1] * some.sum() > clocks_of[0] * more.sum():
            return Claim(self.title, watch, numbers=numbers)
        count = int(known.sum())
        sentence = f"{count} of {len(_drawn(data))} networks have learned, at attention rates "
        if not count:
            return Claim.instead("None of these networks has learned", watch, **numbers)
        low, high = rates[known].min(), rates[known].max()
        sentence += f"from {low:g} to {high:g}" if high > low else f"of {low:g}"
        return Claim.instead(sentence, watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The published medians, and the networks where they are at the moment."""
        if not self.plane:
            axes = style().panels(figure, left=5.6, right=1.6, top=1.6, bottom=3.6)[0][0]
            columns = _Columns(data)
            columns.frame(axes)
            dots = _Dots(axes, data, columns)
            return Drawing([dots.full, dots.hollow], dots.update)
        axes = style().panels(figure, left=5.0, right=1.6, top=2.6, bottom=3.6)[0][0]
        _frame(axes, data)
        _draw_published(axes)
        _draw_key(axes, _rates(data))
        dots = _Dots(axes, data, _Plane())
        return Drawing([dots.full, dots.hollow], dots.update)

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until the last checkpoint of the networks that are drawn."""
        ends = [_series(data, int(m))[0].max(initial=0) for m in _drawn(data)]
        return 0, float(max(ends, default=0.0))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Where the networks of each rate are at that moment."""
        rates, epoch = _rates(data), float(data["epoch"].values[i])
        texts = []
        for rate in np.unique(rates[np.isfinite(rates)]):
            places = np.array([_at(data, int(m), epoch) for m in np.flatnonzero(rates == rate)])
            low, high = places.min(axis=0), places.max(axis=0)
            texts.append(
                f"{rate:g}: symmetricity {low[0]:.2f} to {high[0]:.2f}, irrelevance {low[1]:.2f} "
                f"to {high[1]:.2f}"
            )
        return (
            f"Networks by gradient symmetricity and distance irrelevance of the best wrong logit "
            f"at {clocks.at(data, 'epoch', i)}. By attention rate, {'; '.join(texts)}. "
            f"{int(_learnt(data)[_drawn(data)].sum())} of {len(_drawn(data))} answer "
            f"{percent(LEARNT)} of all pairs right in the end. {self._counts(data)}"
        )

    def _counts(self, data: xr.Dataset) -> str:
        """How many of the learned are clocks in the end, with less and with more attention."""
        numbers = {key: int(value) for key, value in self.claim(data).numbers.items()}
        return (
            f"Of these {numbers['clocks with less']} of {numbers['of less']} with a rate below "
            f"{HALF:g} are clocks, and {numbers['clocks with more']} of {numbers['of more']} above."
        )

    def about(self, data: xr.Dataset) -> str:
        """With the sum that all learn, and the number of networks that are drawn."""
        settings = json.loads(data.attrs.get("settings") or "{}")
        words, drawn = super().about(data), len(_drawn(data))
        if "p" in settings and "addition" not in words:
            words = f"addition mod {settings['p']}{BETWEEN}{words}"
        return f"{words}, {drawn} of them drawn" if drawn < data.sizes["member"] else words

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        drawn = (
            f"Symmetricity is drawn at the angle whose cosine it is. {SMALL_P}"
            if self.plane
            else "Upwards 1 less symmetricity; networks of one rate stand side by side. "
        )
        return (
            "Gradient symmetricity: mean cosine of a logit's gradients by the embeddings of a and "
            "of b. Distance irrelevance, as in the column of that name of the published table, is "
            "of the best wrong logit: its spread over a + b at each a − b, on average, as a share "
            "of its whole spread. Attention weights are the rate times a softmax plus 1 less the "
            f"rate. A clock is counted from a symmetricity below {CLOCK:.2f}, half-way between the "
            f"published medians at both ends, and more attention from a rate of {HALF:g}. "
            f"{drawn}Dashed: from there on a clock. "
            "Between checkpoints both measures change evenly. Grey: medians of 817 "
            "published networks of width 128 in six ranges of the rate. "
            f"After {self.source}."
        )


class _Places(Protocol):
    """Where networks stand, by their numbers and both measures."""

    def __call__(
        self, members: Int[np.ndarray, " shown"], measures: Float[np.ndarray, "shown 2"]
    ) -> Float[np.ndarray, "shown 2"]:
        """Across and up."""


class _Plane:
    """Both measures."""

    def __call__(
        self, members: Int[np.ndarray, " shown"], measures: Float[np.ndarray, "shown 2"]
    ) -> Float[np.ndarray, "shown 2"]:
        """Symmetricity as an angle, and distance irrelevance."""
        return np.stack([_across(measures[:, 0]), measures[:, 1]], axis=1)


class _Columns:
    """Rates across and 1 less symmetricity upwards, networks of one rate side by side."""

    def __init__(self, data: xr.Dataset) -> None:
        self.rates = _rates(data)
        drawn = _drawn(data)
        self.x = self.rates.copy()
        every = np.unique(self.rates[drawn])
        self.room = float(np.diff(every).min()) if len(every) > 1 else 1.0
        most = max(int((self.rates == rate).sum()) for rate in every)
        step = min(STEP * self.room, WIDE * self.room / max(most - 1, 1))
        for rate in every:
            some = np.flatnonzero(self.rates == rate)
            self.x[some] += step * (np.arange(len(some)) - (len(some) - 1) / 2)
        self.shown = every
        least = [float(_series(data, int(m))[1][:, 0].min(initial=0)) for m in drawn]
        self.highest = 1 - min(0.0, *least)

    def __call__(
        self, members: Int[np.ndarray, " shown"], measures: Float[np.ndarray, "shown 2"]
    ) -> Float[np.ndarray, "shown 2"]:
        """Its place in the column of its rate, and what its symmetricity lacks of 1."""
        return np.stack([self.x[members], 1 - measures[:, 0]], axis=1)

    def frame(self, axes: Axes) -> None:
        """The axes, the border of pizza and clock, and the published medians."""
        from matplotlib.ticker import MultipleLocator

        current, colours = style(), style().colours
        side = WIDE * self.room
        ends = [0.0, 1.0, *self.shown]
        axes.set(
            xlim=(min(ends) - side, max(ends) + side), ylim=(-0.06, self.highest + 0.06),
            xlabel="attention rate (dots are spread sideways)",
            ylabel="how differently a and b act",
        )  # fmt: skip
        axes.grid(visible=False)
        few = self.shown if len(self.shown) <= MOST else self.shown[[0, -1]]
        axes.set_xticks(few, [f"{rate:g}" for rate in few])
        axes.yaxis.set_major_locator(MultipleLocator(0.25))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.axhline(
            1 - CLOCK, color=colours.rest, lw=0.5 * current.line, zorder=0.5, ls=(0, (4, 3))
        )
        words: dict[str, Any] = {"fontsize": 1.35 * current.points, "fontweight": "bold",
                                 "color": colours.muted}  # fmt: skip
        words |= {"xycoords": axes.get_yaxis_transform()}
        current.note(axes, "clock", (0.02, 1 - CLOCK), (0, 0.4), va="bottom", **words)
        current.note(axes, "pizza", (0.02, 1 - CLOCK), (0, -0.4), va="top", **words)
        x = np.array([rate for _, rate, _, _ in PUBLISHED])
        y = np.array([1 - symmetricity for _, _, symmetricity, _ in PUBLISHED])
        axes.plot(x, y, color=colours.rest, lw=0.8 * current.line, zorder=1, marker="o",
                  ms=0.5 * current.points, mew=0)  # fmt: skip
        current.note(
            axes, "published medians", (x[-1], y[-1]), (-0.3, 0.5), xycoords="data", ha="right",
            va="bottom", color=colours.muted,
        )  # fmt: skip


class _Dots:
    """The networks at a moment."""

    def __init__(self, axes: Axes, data: xr.Dataset, places: _Places) -> None:
        self.data, self.places = data, places
        self.epochs = data["epoch"].values.astype(float)
        rates, learnt = _rates(data), _learnt(data)
        known = _drawn(data)
        self.learnt, self.other = known[learnt[known]], known[~learnt[known]]
        tints = np.array([_tint(rate) for rate in rates])
        none = np.full((len(known), 2), np.nan)
        wide = not isinstance(places, _Plane) and not style().narrow(axes.figure)
        size = ((0.95 if wide else 0.75) * style().points) ** 2
        self.full = axes.scatter(
            *none[: len(self.learnt)].T, s=size, color=tints[self.learnt], zorder=5,
            clip_on=False, plotnonfinite=True, edgecolor=style().colours.background,
            lw=0.3 * style().line,
        )  # fmt: skip
        self.hollow = axes.scatter(
            *none[: len(self.other)].T, s=0.8 * size, facecolor="none", zorder=4, clip_on=False,
            lw=0.5 * style().line, edgecolor=tints[self.other], plotnonfinite=True, alpha=0.7,
        )  # fmt: skip

    def update(self, i: int) -> None:
        """Move every network to where it is at a moment."""
        epoch = self.epochs[i]
        for dots, shown in ((self.full, self.learnt), (self.hollow, self.other)):
            places = np.array([_at(self.data, int(m), epoch) for m in shown]).reshape(-1, 2)
            dots.set_offsets(self.places(shown, places))


def _rates(data: xr.Dataset) -> Float[np.ndarray, " member"]:
    rates: Float[np.ndarray, " member"] = data["member_attention_rate"].values.astype(float)
    return rates


def _drawn(data: xr.Dataset) -> Int[np.ndarray, " member"]:
    """The networks that have an attention rate."""
    return np.flatnonzero(np.isfinite(_rates(data)))


def _learnt(data: xr.Dataset) -> Any:
    return data["member_accuracy"].sel(split="all").values >= LEARNT


def _series(data: xr.Dataset, member: int) -> tuple[np.ndarray, np.ndarray]:
    """Epochs of a network's checkpoints, and its two measures there."""
    epochs = data["member_circuit_epoch"].values[member]
    names = ("member_gradient_symmetricity", "member_wrong_distance_irrelevance")
    places = np.stack([data[name].values[member].astype(float) for name in names], axis=1)
    real = (epochs >= 0) & np.isfinite(places).all(axis=1)
    return epochs[real].astype(float), places[real]


def _at(data: xr.Dataset, member: int, epoch: float) -> Float[np.ndarray, " 2"]:
    """Where a network is at an epoch, in straight lines between its checkpoints."""
    epochs, places = _series(data, member)
    if not len(epochs):
        return np.full(2, np.nan)
    now: Float[np.ndarray, " 2"] = np.array(
        [np.interp(min(epoch, epochs[-1]), epochs, places[:, axis]) for axis in range(2)]
    )
    return now


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's, with equal ranks for ties; 0 where there is nothing to compare."""
    if len(np.unique(one)) < 2 or len(np.unique(other)) < 2:
        return 0.0
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: np.ndarray) -> Float[np.ndarray, " entry"]:
    """The mean place of each value in the order of all."""
    ordered = np.sort(values, kind="stable")
    low, high = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    mean: Float[np.ndarray, " entry"] = (low + high) / 2
    return mean


def _tint(rate: float) -> Any:
    """The colour of an attention rate."""
    low, high = INSIDE
    share = low + (high - low) * (rate if np.isfinite(rate) else 0.0)
    return colour_map(style().colours.sequential)(0.3 + 0.6 * share)


def _frame(axes: Axes, data: xr.Dataset) -> None:
    colours = style().colours
    least = [float(_series(data, int(m))[1][:, 0].min(initial=0)) for m in _drawn(data)]
    lowest = min(0.0, *least)
    measure = "gradient symmetricity"
    alike = f"how alike a and b act on the answer ({measure}, as an angle)"
    narrow = style().narrow(axes.figure)
    axes.set(
        xlim=(-2.5, float(_across(np.array(lowest))) + 2.5), ylim=(0, 1.03),
        xlabel=measure if narrow else alike,
        ylabel="a − b matters less (distance irrelevance)",
    )  # fmt: skip
    ticks = [tick for tick in TICKS[:: 2 if narrow else 1] if tick >= lowest]
    axes.set_xticks(_across(np.array(ticks)), [f"{tick:g}".replace("-", "−") for tick in ticks])
    border = float(_across(np.array(CLOCK)))
    axes.axvline(border, color=colours.rest, lw=0.5 * style().line, zorder=0.5, ls=(0, (4, 3)))
    words: dict[str, Any] = {"fontsize": 1.35 * style().points, "fontweight": "bold",
                             "color": colours.faint}  # fmt: skip
    words |= {"xycoords": axes.get_xaxis_transform()}
    style().note(axes, "pizza", (border, 0.03), (-0.8, 0), ha="right", **words)
    style().note(axes, "clock", (border, 0.03), (0.8, 0), ha="left", **words)


def _draw_published(axes: Axes) -> None:
    """The published medians from no attention to a softmax, joined by a line."""
    colours = style().colours
    places = np.array([(x, y) for _, _, x, y in PUBLISHED])
    places[:, 0] = _across(places[:, 0])
    axes.plot(*places.T, color=colours.rest, lw=0.8 * style().line, zorder=1,
              solid_capstyle="round")  # fmt: skip
    axes.scatter(*places.T, s=(0.5 * style().points) ** 2, color=colours.rest, lw=0, zorder=2)
    style().label(
        axes, *places[-2], "published medians", lift=-2.0, color=colours.muted, fontweight="normal",
        ha="left",
    )  # fmt: skip


def _draw_key(axes: Axes, rates: Float[np.ndarray, " member"]) -> None:
    """The colours of the attention rates, in a row above the picture."""
    current = style()
    known = np.unique(rates[np.isfinite(rates)])
    shown = known if len(known) <= MOST else known[[0, -1]]
    em = current.pixels(axes, current.small)
    step, above = 1.15 * em / axes.bbox.width, 1 + 1.5 * em / axes.bbox.height
    right = 1 - 1.4 * em / axes.bbox.width
    places = right - step * np.arange(len(shown))[::-1]
    axes.scatter(
        places, np.full(len(shown), above), s=(0.7 * current.points) ** 2, lw=0, clip_on=False,
        color=[_tint(rate) for rate in shown], transform=axes.transAxes,
    )  # fmt: skip
    ends: dict[str, Any] = {"va": "center_baseline", "color": current.colours.muted}
    words = f"attention rate {shown[0]:g}"
    current.note(axes, words, (places[0], above), (-0.7, 0), ha="right", **ends)
    if len(shown) > 1:
        current.note(axes, f"{shown[-1]:g}", (places[-1], above), (0.7, 0), **ends)


def _across(symmetricity: np.ndarray) -> Float[np.ndarray, " place"]:
    """Where a symmetricity is drawn: the angle whose cosine it is, in degrees.

    Networks without attention are all near 1, and would lie on one another.
    """
    angles: Float[np.ndarray, " place"] = np.degrees(np.arccos(np.clip(symmetricity, -1, 1)))
    return angles
