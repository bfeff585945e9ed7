"""Where '=' looks: each head's attention over all pairs, a wave of one frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

POSITIONS = ("a", "b", "=")


ONE_WAVE = 0.8
"""The share of its variance that makes a head's attention mostly one wave."""

MOST_TWICE = 4
"""So many heads have room to be drawn twice."""

SMALLER, NAMES = 2 / 3, 3.6
"""The side of a square in counting order, of that of the one below, and ems for both names."""


@dataclass(frozen=True)
class AttentionPatterns(Scene):
    """Attention from '=' to a over (a, b) for every head: in counting order, and re-sorted."""

    name = "attention-patterns"
    panels = ("attention",)
    title = "Each head looks mostly where one wave tells it to"
    watch = "One wave explains the % above each square; what it leaves is other waves"
    source = "arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "attention_score", "head_frequency", "head_variance_explained", "attention_mean",
        "embedding_frequency_norm", "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"4a": {"order": "number"}}  # noqa: RUF012
    aspect = 2.0
    narrow_aspect = 1.6
    aspects = {"order": {"number": (2.2, 0.8)}}  # noqa: RUF012
    stills = ("last", "grok-3000")

    to: Literal["a", "b", "="] = option("a", "what the attention shown goes to")
    order: Literal["number", "phase"] = option(
        "phase",
        "a and b in counting order alone, or below that k a and k b mod p, k the head's last "
        "frequency",
    )
    loss: bool = option(False, "when the losses fell, below")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much one wave explains of each head at the end, of a run that generalised."""
        shares = np.nan_to_num(data["head_variance_explained"].values.astype(float))
        low, high = float(shares[-1].min()), float(shares[-1].max())
        numbers = {"share": low, "before": float(shares[0].max())}
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, **numbers)
        if low < ONE_WAVE or numbers["before"] > ONE_WAVE / 2:
            held = f"{percent(low)} to {percent(high)}"
            sentence = f"One wave explains {held} of a head's attention at the end"
            return Claim.instead(sentence, **numbers)
        twice = (
            "The same attention twice: below, sorted by the wave that explains most of its pattern"
        )
        watch = twice if self._twice(data) else self.watch
        return Claim(self.title, watch, numbers=numbers)

    def _twice(self, data: xr.Dataset) -> bool:
        """Whether the attention is drawn in counting order and re-sorted."""
        last = data["head_frequency"].values[-1]
        return self.order == "phase" and len(last) <= MOST_TWICE and bool(np.all(last))

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A heatmap a head, or two, one below the other; how much one wave explains of it."""
        current_style, p, count = style(), data.sizes["row"] // 2, data.sizes["head"]
        high = current_style.ems(figure)[1]
        narrow, twice = current_style.narrow(figure), self._twice(data)
        columns = count if twice else min(count, 2 if narrow else 4)
        below = (timeline.HEIGHT + (0.9 if twice else 1.5)) / high if self.loss else 0
        last = [int(k) if self.order == "phase" else 0 for k in data["head_frequency"].values[-1]]
        # the sides of all mean the same, each with the frequency above it
        alike = all(last) or not any(last)
        gap = 0.7 if narrow else 1.0 if alike else 3.0
        room: dict[str, Any] = {"top": 2.9, "vgap": 3.7, "left": 3.4, "right": 1.0}
        if twice:
            room |= {"left": 2.0 if narrow else 7.0, "bottom": 0.4 if narrow else 1.7}
            wide = current_style.ems(figure)[0] - room["left"] - room["right"] - gap * (count - 1)
            tall = high * (1 - below) - NAMES - room["bottom"]
            room["top"] = NAMES + SMALLER * min(wide / count, tall / (1 + SMALLER))
        axes = grids.square_axes(figure, count, columns, p, share=(0, below, 1, 1), gap=gap, **room)
        counted = [_above(ax) for ax in axes] if twice else [None] * count
        heads = [
            _Head(ax, data, n, k, counted[n])
            for n, (ax, k) in enumerate(zip(axes, last, strict=True))
        ]
        if twice:
            _name_rows(counted[0], axes[0])
        named = {(count - 1) // columns * columns} if narrow or alike else range(count)
        for n in () if twice else named:
            short = axes[n].bbox.width < 9.2 * current_style.pixels(axes[n], current_style.small)
            k = "k" if alike and last[n] else str(last[n] or "")
            grids.name_inputs(axes[n], p - 1, *_sides(k, p, narrow=narrow or short))

        def update(i: int) -> None:
            attention = fields.attention(data, i)[:, POSITIONS.index(self.to)]
            for head, pattern in zip(heads, attention, strict=True):
                head.show(pattern, i)

        if not narrow and (alike or count % columns):
            words = f"attention from '=' to {self.to}"
            grids.colour_bar(axes[-1], heads[-1].image, words, ("0", "1"), drop=0.35)
        drawing = Drawing([head.moving for head in heads], update)
        if not self.loss:
            return drawing
        end = float(data["epoch"].values[-1])
        strip = timeline.Timeline(figure, data, end=end, left=3.4, right=1.4)
        return Drawing.of(drawing, strip)

    def description(self, data: xr.Dataset, i: int) -> str:
        """Each head's frequency and mean attention at that epoch."""
        now = data.isel(epoch=i)
        heads = [
            f"head {int(head)} gives {percent(float(mean))} to a, and {_wave(int(k), float(share))}"
            for head, k, share, mean in zip(
                data["head"].values,
                now["head_frequency"].values,
                now["head_variance_explained"].values,
                now["attention_mean"].sel(position="a").values,
                strict=True,
            )
        ]
        average = f"On average {'; '.join(heads)}.{_late(data)}"
        return (
            f"Heatmaps over a and b of the attention from '=' to {self.to} at "
            f"{clocks.at(data, 'epoch', i)}, one a head. {average}"
        )

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the heads go on changing long after the clean-up."""

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        order = ""
        if self.order == "phase":
            order = "a and b in the order of k a and k b mod p, k its frequency at the end"
            order = (
                f", above in counting order, below {order}" if self._twice(data) else f", {order}"
            )
        return (
            f"Attention from '=' to {self.to} over all pairs (a, b), for every head{order}. "
            "Above each: the frequency k that explains most of its variance at that epoch, by "
            "const + alpha (cos wa - cos wb) + beta (sin wa - sin wb), and the share explained. "
            f"{after('figure 4')}"
        )


def _above(axes: Axes) -> Axes:
    """Axes above a square and its name, flush with its left side, and smaller."""
    em = style().pixels(axes, style().points)
    place, box = axes.get_position(), axes.bbox
    up = round(NAMES / 2 * em) * place.height / box.height
    side = (SMALLER * place.width, SMALLER * place.height)
    return axes.figure.add_axes((place.x0, place.y1 + up, *side))


class _Head:
    """A head's attention over the pairs, its frequency, and how much that explains.

    With a second axes it is drawn there in counting order, too.
    """

    def __init__(
        self, axes: Axes, data: xr.Dataset, number: int, ordered: int, counted: Axes | None
    ) -> None:
        p = data.sizes["row"] // 2
        self.axes, self.data, self.number = axes, data, number
        self.image = grids.heat(axes, (p, p))
        self.counted = None if counted is None else grids.heat(counted, (p, p))
        head = f"head {int(data['head'].values[number])}"
        up = 1.7 if counted is None else 0.35
        style().note(counted or axes, head, (0, 1), (0, up), fontweight="bold")
        self.name, self.share = grids.figure_above(axes, left=True), grids.figure_above(axes)
        self.colours = {k: frequencies.colour(k, data) for k in frequencies.embedded(data)}
        self.muted, self.ordered = style().colours.muted, ordered
        self.em = style().pixels(axes, style().points)

    @property
    def moving(self) -> list[Any]:
        counted = [] if self.counted is None else [self.counted]
        return [self.image, *counted, self.name, self.share]

    def show(self, pattern: np.ndarray, i: int) -> None:
        self.image.set_data(_neurons.in_phase(pattern, self.ordered).T)
        if self.counted is not None:
            self.counted.set_data(pattern.T)
        k = int(self.data["head_frequency"].values[i, self.number])
        share = float(self.data["head_variance_explained"].values[i, self.number])
        self.name.set_text(self._name(k))
        _neurons.tint(self.name, self.colours.get(k, self.muted), share)
        held = _neurons.floored_percent(share)
        roomy = self.counted is not None and self.axes.bbox.width >= 8.6 * self.em
        words = f"explains {held}" if roomy else held
        self.share.set_text("" if k == NO_FREQUENCY else words)

    def _name(self, k: int) -> str:
        """ "wave k = 14" where its multiples stand at the sides, else "wave 14", narrow "14"."""
        short = _neurons.frequency_name(self.axes, k, numbered=True)
        if self.counted is not None and k != NO_FREQUENCY and self.axes.bbox.width > 6.6 * self.em:
            return f"wave {k}"
        if k == NO_FREQUENCY or short == str(k):
            return short.replace("frequency", "wave")
        return f"wave k = {k}" if k == self.ordered else f"wave {k}"


def _name_rows(counted: Axes, ordered: Axes) -> None:
    """At the left of the rows: the order of a and b; from bottom to top where it is narrow."""
    narrow = style().narrow(counted.figure)
    look: dict[str, Any] = {"va": "center", "color": style().colours.muted}
    rows = (
        ("counting", "re-sorted") if narrow else ("in\ncounting\norder", "re-sorted\nby its wave")
    )
    look["rotation"] = 90 if narrow else 0
    for axes, words in zip((counted, ordered), rows, strict=True):
        style().note(axes, words, (0, 0.5), (-0.6, 0), ha="right", **look)
        if not narrow:
            # what runs across and up, at the corner where both begin
            sides: dict[str, Any] = {"color": style().colours.ink}
            style().note(axes, "b", (0, 1), (-0.45, -0.7), ha="right", **sides)
            beside = axes is counted
            sides["ha"] = "left" if beside else "right"
            style().note(axes, "a", (1, 0), (0.3, 0.1) if beside else (0, -1.0), **sides)


def _sides(k: str, p: int, *, narrow: bool) -> tuple[str, str]:
    """What runs along the sides of a pattern: a and b, or their multiples by k in narrow words."""
    if not k:
        return "a", "b"
    return (f"{k}a" if narrow else f"{k}a mod {p}"), f"{k}b"


def _late(data: xr.Dataset) -> str:
    """How many heads change their frequency after the clean-up; empty for none."""
    ends = clocks.phase_ends(data)
    if ends is None:
        return ""
    cleaned = int(np.abs(data["epoch"].values - ends[2]).argmin())
    late = data["head_frequency"].values[cleaned] != data["head_frequency"].values[-1]
    words = f" {late.sum()} of {late.size} heads settle on theirs after the clean-up."
    return words if late.any() else ""


def _wave(k: int, share: float) -> str:
    """How much of a head's attention one frequency explains, in words."""
    if k == NO_FREQUENCY:
        return "no frequency explains how that varies better than another"
    return f"frequency {k} explains {_neurons.floored_percent(share)} of how that varies"
