"""A dot a network: how far from a pizza to a clock it is, by how much of a softmax it attends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from grokviz.scenes.clock_or_pizza import _rates
from grokviz.scenes.clock_or_pizza._rates_columns import Columns
from grokviz.scenes.clock_or_pizza._rates_plane import Plane
from jaxtyping import Float, Int

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.about import BETWEEN
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

FALLS = -0.5
"""Rank correlation of rate and symmetricity, below which more attention means less of a pizza."""

SKETCHES = 13.4
"""Room for the sketches at the right, in ems."""

SMALL_P = (
    "That distance irrelevance tells a pizza from a clock is said mod 59 (arXiv:2306.17844) and "
    "does not hold for small p: in trials mod 31 the two overlap, and symmetricity tells them "
    "apart. "
)
"""What the plane of both measures does not tell, for captions; see docs/clock-or-pizza.md."""


@dataclass(frozen=True)
class AttentionRates(Scene):
    """Networks from pizza to clock by their attention rate, or in the plane of two measures."""

    name = "attention-rates"
    title = "With more attention, more networks become clocks"
    watch = "A dot is a network; the higher, the less alike it treats a and b"
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
        rates, learnt = _rates.rates_of(data), _rates.has_learned(data)
        last = np.array([_rates.place_at(data, m, np.inf)[0] for m in range(len(rates))])
        known = learnt & np.isfinite(rates) & np.isfinite(last)
        order = _rates.rank_correlation(rates[known], last[known])
        some, more = (known & (rates < _rates.HALF)), (known & (rates >= _rates.HALF))
        clocks_of = [int((last[those] < _rates.CLOCK).sum()) for those in (some, more)]
        numbers = {"correlation": order, "learnt": int(known.sum()),
                   "clocks with less": clocks_of[0], "of less": int(some.sum()),
                   "clocks with more": clocks_of[1], "of more": int(more.sum())}  # fmt: skip
        watch = "A dot is a network, coloured by how much it attends" if self.plane else self.watch
        if (~learnt[_rates.members(data)]).any():
            watch += "; crosses have not learned"
        both = bool(some.any() and more.any())
        if order <= FALLS and both and clocks_of[1] * some.sum() > clocks_of[0] * more.sum():
            return Claim(self.title, watch, numbers=numbers)
        count = int(known.sum())
        sentence = (
            f"{count} of {len(_rates.members(data))} networks have learned, at attention rates "
        )
        if not count:
            return Claim.instead("None of these networks has learned", watch, **numbers)
        low, high = rates[known].min(), rates[known].max()
        sentence += f"from {low:g} to {high:g}" if high > low else f"of {low:g}"
        return Claim.instead(sentence, watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The networks where they are at the moment, and how many of each rate become clocks."""
        if self.plane:
            axes = style().panels(figure, left=5.0, right=1.6, top=2.6, bottom=3.6)[0][0]
            dots = _Dots(axes, data, Plane(axes, data), [], self.film_span(data)[1])
            return Drawing(dots.moving, dots.update)
        narrow = style().narrow(figure)
        # beside the networks, room for the sketches of both kinds
        across = style().ems(figure)[0] - 5.6 - (1.6 if narrow else SKETCHES)
        axes = style().panels(
            figure, left=5.6, right=1.6 if narrow else SKETCHES, top=2.4, bottom=3.6
        )[0][0]
        columns = Columns(data)
        columns.frame(axes)
        ends = columns.write_counts(axes)
        if narrow:
            columns.name_sides(axes)
        else:
            beside = style().panels(figure, left=5.6 + across + 1.0, right=0.2, top=2.4, bottom=3.6)
            columns.sketch_sides(beside[0][0])
            ends.append(columns.name_border(axes))
        dots = _Dots(axes, data, columns, ends, self.film_span(data)[1])
        return Drawing(dots.moving, dots.update)

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until the last checkpoint of the networks that are drawn."""
        ends = [_rates.series(data, int(m))[0].max(initial=0) for m in _rates.members(data)]
        return 0, float(max(ends, default=0.0))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Where the networks of each rate are at that moment."""
        rates, drawn = _rates.rates_of(data), _rates.members(data)
        epoch = float(data["epoch"].values[i])
        texts = []
        for rate in np.unique(rates[np.isfinite(rates)]):
            places = np.array(
                [_rates.place_at(data, int(m), epoch) for m in np.flatnonzero(rates == rate)]
            )
            low, high = places.min(axis=0), places.max(axis=0)
            texts.append(
                f"{rate:g}: symmetricity {low[0]:.2f} to {high[0]:.2f}, irrelevance {low[1]:.2f} "
                f"to {high[1]:.2f}"
            )
        return (
            f"Networks by gradient symmetricity and distance irrelevance of the best wrong logit "
            f"at {clocks.at(data, 'epoch', i)}. By attention rate, {'; '.join(texts)}. "
            f"{int(_rates.has_learned(data)[drawn].sum())} of {len(drawn)} answer "
            f"{percent(_rates.LEARNT)} of all pairs right in the end. {self._counts(data)}"
        )

    def _counts(self, data: xr.Dataset) -> str:
        """How many of the learned are clocks in the end, with less and with more attention."""
        numbers = {key: int(value) for key, value in self.claim(data).numbers.items()}
        return (
            f"Of these {numbers['clocks with less']} of {numbers['of less']} with a rate below "
            f"{_rates.HALF:g} are clocks, and {numbers['clocks with more']} of "
            f"{numbers['of more']} above."
        )

    def about(self, data: xr.Dataset) -> str:
        """With the sum that all learn, and the number of networks that are drawn."""
        settings = json.loads(data.attrs.get("settings") or "{}")
        words, drawn = super().about(data), len(_rates.members(data))
        if "p" in settings and "addition" not in words:
            # the sum says more than what the task is called in commands
            parts = [f"addition mod {settings['p']}", *words.split(BETWEEN)]
            words = BETWEEN.join(part for part in parts if part != data.attrs.get("task"))
        # runs without a rate are not drawn, and not counted
        return words.replace(f"{data.sizes['member']} runs", f"{drawn} runs")

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        every = data.sizes["member"]
        without = every - len(_rates.members(data))
        left = f"{without} of the {every} runs have no rate and are left out. " if without else ""
        drawn = (
            f"Symmetricity is drawn at the angle whose cosine it is. {SMALL_P}"
            if self.plane
            else "Upwards: 1 less gradient symmetricity. Networks of one rate stand side by side, "
            "those that have not learned below the axis, where height means nothing. "
        )
        medians = (
            "Grey: medians of 817 published networks of width 128 in six ranges of the rate. "
            if self.plane
            else "Above: of the learned networks of each rate, those that become clocks. "
        )
        return (
            "Gradient symmetricity: mean cosine of a logit's gradients by the embeddings of a and "
            "of b. Distance irrelevance, as in the column of that name of the published table, is "
            "of the best wrong logit: its spread over a + b at each a − b, on average, as a share "
            "of its whole spread. Attention weights are the rate times a softmax plus 1 less the "
            f"rate. A clock is counted from a symmetricity below {_rates.CLOCK:.2f}, half-way "
            "between the published medians at both ends, and more attention from a rate of "
            f"{_rates.HALF:g}. "
            f"{drawn}Dashed: from there on a clock. {left}"
            "Between checkpoints both measures change evenly. Crosses: networks that answer less "
            f"than {percent(_rates.LEARNT)} of all pairs right. {medians}"
            f"After {self.source}."
        )


class _Places(Protocol):
    """Where networks stand and in which colours, by their numbers and both measures."""

    def __call__(
        self, members: Int[np.ndarray, " shown"], measures: Float[np.ndarray, "shown 2"]
    ) -> Float[np.ndarray, "shown 2"]:
        """Across and up."""

    def tints(self, members: Int[np.ndarray, " shown"]) -> list[Any]:
        """Their colours."""


class _Dots:
    """The networks at a moment: dots, and crosses of those that have not learned in the end.

    Only from the moment ``end`` on are they coloured by what they have become, and are ``told``,
    texts of the same, shown: before it nobody knows.
    """

    def __init__(
        self, axes: Axes, data: xr.Dataset, places: _Places, told: list[Any], end: float
    ) -> None:
        self.data, self.places, self.told, self.end = data, places, told, end
        self.epochs = data["epoch"].values.astype(float)
        current = style()
        learnt, known = _rates.has_learned(data), _rates.members(data)
        self.learnt, self.other = known[learnt[known]], known[~learnt[known]]
        none = np.full((len(known), 2), np.nan)
        small = current.narrow(axes.figure)
        size = ((0.55 if small else 0.85) * current.points) ** 2
        self.full = axes.scatter(
            *none[: len(self.learnt)].T, s=size, color=current.colours.muted, zorder=5,
            clip_on=False, plotnonfinite=True, edgecolor=current.colours.background,
            lw=0.3 * current.line,
        )  # fmt: skip
        self.crosses = axes.scatter(
            *none[: len(self.other)].T, s=0.5 * size, marker="x", zorder=4, clip_on=False,
            lw=0.7 * current.line, color=current.colours.faint, plotnonfinite=True,
        )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        """The dots, the crosses, and what is told of them in the end."""
        return [self.full, self.crosses, *self.told]

    def update(self, i: int) -> None:
        """Move every network to where it is at a moment."""
        for marks, shown in ((self.full, self.learnt), (self.crosses, self.other)):
            measures = _rates.places_at(self.data, shown, self.epochs[i])
            marks.set_offsets(self.places(shown, measures))
        over = bool(self.epochs[i] >= self.end)
        muted = [style().colours.muted] * len(self.learnt)
        self.full.set_facecolor(self.places.tints(self.learnt) if over else muted)
        for text in self.told:
            text.set_visible(over)
