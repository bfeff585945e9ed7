"""Where '=' looks: each head's attention over all pairs, a wave of one frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.dataset.numerics import ties
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

MOST_TWICE, CLEAREST = 4, 2
"""So many heads have room for some to be drawn twice, and so many of them are."""

PAIRS = {False: 0.72, True: 0.68}
"""The share of the width that heads drawn twice have, and in a column that of the height."""


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
    narrow_aspect = 0.7
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
        p = data.sizes["row"] // 2
        twice = (
            "The same attention in counting order, and sorted by the head's wave k: by ka and kb "
            f"mod {p}"
        )
        watch = twice if self._twice(data) else self.watch
        return Claim(self.title, watch, numbers=numbers)

    def _twice(self, data: xr.Dataset) -> bool:
        """Whether the attention is drawn in counting order and re-sorted."""
        last = data["head_frequency"].values[-1]
        return self.order == "phase" and len(last) <= MOST_TWICE and bool(np.all(last))

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A heatmap a head; of the clearest heads two, and an arrow from one to the other."""
        twice, high = self._twice(data), style().ems(figure)[1]
        below = (timeline.HEIGHT + (0.4 if twice else 1.5)) / high if self.loss else 0
        heads = self._pairs(figure, data, below) if twice else self._row(figure, data, below)

        def update(i: int) -> None:
            attention = fields.attention(data, i)[:, POSITIONS.index(self.to)]
            for head in heads:
                head.show(attention[head.number], i)

        drawing = Drawing([head.moving for head in heads], update)
        if not self.loss:
            return drawing
        end = float(data["epoch"].values[-1])
        strip = timeline.Timeline(figure, data, end=end, left=3.4, right=1.4)
        return Drawing.of(drawing, strip)

    def _pairs(self, figure: FigureBase, data: xr.Dataset, below: float) -> list[_Head]:
        """The clearest heads large and twice, the others small and aside, or below in a column."""
        narrow, p, count = style().narrow(figure), data.sizes["row"] // 2, data.sizes["head"]
        last = [int(k) for k in data["head_frequency"].values[-1]]
        order = ties.ordered(np.nan_to_num(data["head_variance_explained"].values[-1]))
        clear, others = (sorted(int(n) for n in part) for part in (
            order[:CLEAREST], order[CLEAREST:]))  # fmt: skip
        part = PAIRS[narrow] if others else 1.0
        share = (0, 1 - part * (1 - below), 1, 1) if narrow else (0, below, part, 1)
        room: grids.GridKeywords = {"left": 10.2, "right": 0.0, "top": 0.3, "bottom": 1.7,
                                    "gap": 7.6, "vgap": 0.9, "share": share}  # fmt: skip
        if narrow:
            room |= {"left": 0.6, "right": 0.6, "top": 1.5, "bottom": 0.4, "gap": 2.8, "vgap": 1.5}
        axes = grids.square_axes(figure, 2 * len(clear), 2, p, **room)
        heads = [
            _Head(after, data, n, last[n], before)
            for n, before, after in zip(clear, axes[::2], axes[1::2], strict=True)
        ]
        if others:
            columns = len(others) if narrow else 1
            share = (0, below, 1, share[1]) if narrow else (part, below, 1, 1)
            more: grids.GridKeywords = {"left": 2.6, "right": 1.2, "top": 2.7, "bottom": 1.7,
                                        "gap": 2.0, "vgap": 3.6, "share": share}  # fmt: skip
            small = grids.square_axes(figure, len(others), columns, p, **more)
            heads += [_Head(ax, data, n, last[n]) for n, ax in zip(others, small, strict=True)]
        if not narrow:
            grids.name_inputs(axes[-2], p - 1)
            words = f"attention from '=' to {self.to}"
            grids.colour_bar(axes[-1], heads[len(clear) - 1].image, words, ("0", "1"), drop=0.35)
        assert len(heads) == count
        return heads

    def _row(self, figure: FigureBase, data: xr.Dataset, below: float) -> list[_Head]:
        """Every head once, in rows."""
        narrow, p, count = style().narrow(figure), data.sizes["row"] // 2, data.sizes["head"]
        columns = min(count, 2 if narrow else 4)
        last = [int(k) if self.order == "phase" else 0 for k in data["head_frequency"].values[-1]]
        # the sides of all mean the same, each with the frequency above it
        alike = all(last) or not any(last)
        gap = 0.7 if narrow else 1.0 if alike else 3.0
        room: grids.GridKeywords = {"top": 2.9, "vgap": 3.7, "left": 3.4, "right": 1.0, "gap": gap}
        axes = grids.square_axes(figure, count, columns, p, share=(0, below, 1, 1), **room)
        heads = [_Head(ax, data, n, k) for n, (ax, k) in enumerate(zip(axes, last, strict=True))]
        for n in {(count - 1) // columns * columns} if narrow or alike else range(count):
            short = axes[n].bbox.width < 9.2 * style().pixels(axes[n], style().small)
            k = "k" if alike and last[n] else str(last[n] or "")
            grids.name_inputs(axes[n], p - 1, *_sides(k, p, narrow=narrow or short))
        if not narrow and (alike or count % columns):
            words = f"attention from '=' to {self.to}"
            grids.colour_bar(axes[-1], heads[-1].image, words, ("0", "1"), drop=0.35)
        return heads

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
                f", of the clearest heads in counting order too; else {order}"
                if self._twice(data)
                else f", {order}"
            )
        return (
            f"Attention from '=' to {self.to} over all pairs (a, b), for every head{order}. "
            "With each: the frequency k that explains most of its variance at that epoch, by "
            "const + alpha (cos wa - cos wb) + beta (sin wa - sin wb), and the share explained. "
            f"{after('figure 4')}"
        )


class _Head:
    """A head's attention over the pairs, its wave, and how much that explains.

    With a second axes it is drawn there in counting order, too.
    """

    def __init__(
        self, axes: Axes, data: xr.Dataset, number: int, ordered: int, counted: Axes | None = None
    ) -> None:
        p = data.sizes["row"] // 2
        self.axes, self.data, self.number = axes, data, number
        self.image = grids.heat(axes, (p, p))
        self.counted = None if counted is None else grids.heat(counted, (p, p))
        self.beside = counted is not None and not style().narrow(axes.figure)
        head = f"head {int(data['head'].values[number])}"
        if counted is None or not self.beside:
            style().note(counted or axes, head, (0, 1), (0, 0.35 if counted else 1.7),
                         fontweight="bold")  # fmt: skip
            self.name, self.share = grids.figure_above(axes, left=True), grids.figure_above(axes)
        else:
            look: dict[str, Any] = {"ha": "right", "va": "top", "linespacing": 1.15}
            # left of the numbers of b
            for_words = [(text, (0, 0.5), (-2.6, up)) for text, up in
                         ((head, 2.6), ("", 1.2), ("", -0.2))]  # fmt: skip
            bold = ("bold", "bold", "normal")
            _, self.name, self.share = (
                style().note(counted, *words, fontweight=weight, **look)
                for words, weight in zip(for_words, bold, strict=True)
            )
        if counted is not None:
            _arrow(counted, axes, "" if not self.beside else f"{ordered}a, {ordered}b\nmod {p}")
        self.colours = {k: frequencies.colour(k, data) for k in frequencies.embedded(data)}
        self.muted, self.ordered = style().colours.muted, ordered

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
        words = f"explains {held}\nof its pattern" if self.beside else held
        self.share.set_text("" if k == NO_FREQUENCY else words)

    def _name(self, k: int) -> str:
        """ "wave k = 14" where its multiples stand at the sides, else "wave 14", narrow "14"."""
        short = _neurons.frequency_name(self.axes, k, numbered=True)
        if k == NO_FREQUENCY or (short == str(k) and self.axes.bbox.width < self._room):
            return short.replace("frequency", "wave")
        sides = self.counted is None and self.data.sizes["head"] > MOST_TWICE
        return f"wave k = {k}" if sides and k == self.ordered else f"wave {k}"

    @property
    def _room(self) -> float:
        """The width from which on "wave 14" has room beside a share."""
        return 6.4 * style().pixels(self.axes, style().points)


def _arrow(counted: Axes, ordered: Axes, words: str) -> None:
    """From a head in counting order to the same re-sorted, and by what."""
    current_style, muted = style(), style().colours.muted
    em = current_style.pixels(ordered, current_style.small) / ordered.bbox.width
    gap = (ordered.bbox.x0 - counted.bbox.x1) / ordered.bbox.width
    pad = 0.7 * em if words else 0.3 * em
    ordered.annotate(
        "", (-pad, 0.5), (pad - gap, 0.5), xycoords="axes fraction", textcoords="axes fraction",
        arrowprops={"arrowstyle": "-|>", "color": muted, "lw": 0.7 * current_style.line,
                    "shrinkA": 0, "shrinkB": 0, "mutation_scale": current_style.points},
    )  # fmt: skip
    if words:
        look: dict[str, Any] = {"ha": "center", "color": muted, "linespacing": 1.15}
        current_style.note(ordered, "re-sorted by", (-gap / 2, 0.5), (0, 0.6), **look)
        current_style.note(ordered, words, (-gap / 2, 0.5), (0, -0.6), va="top", **look)


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
