"""Where '=' looks: each head's attention over all pairs, a wave of one frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.scene import Claim, Drawing, Scene, frequencies, grids, option, style, timeline
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import in_words
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

POSITIONS = ("a", "b", "=")


ONE_WAVE, SINGLE = 0.8, 0.95
"""The share of its variance that makes a head's attention mostly one wave, or a single one."""


@dataclass(frozen=True)
class AttentionPatterns(Scene):
    """Attention from '=' to a over (a, b) for every head, and below when the run turned."""

    name = "attention-patterns"
    panels = ("attention",)
    title = "Where each head looks becomes nearly a single wave"
    watch = "One wave explains the % above each square; what it leaves is other waves"
    source = "arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "attention_score", "head_frequency", "head_variance_explained", "attention_mean",
        "embedding_frequency_norm", "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    paper_figures = {"4a": {"loss": False, "order": "number"}}  # noqa: RUF012
    aspect = 2.2
    narrow_aspect = 0.8
    stills = ("last", "grok-3000")

    to: Literal["a", "b", "="] = option("a", "what the attention shown goes to")
    order: Literal["number", "phase"] = option(
        "phase", "a and b in order, or k a and k b mod p at the head's last frequency k"
    )
    loss: bool = option(True, "when the losses fell, below")

    def claim(self, data: xr.Dataset) -> Claim:
        """How much one wave explains of each head at the end, of a run that generalised."""
        shares = np.nan_to_num(data["head_variance_explained"].values.astype(float))
        low, high = float(shares[-1].min()), float(shares[-1].max())
        numbers = {"share": low, "before": float(shares[0].max())}
        late = _neurons.not_generalised(data)
        if late:
            return Claim.instead(late, **numbers)
        if low < ONE_WAVE or numbers["before"] > ONE_WAVE / 2:
            sentence = f"One wave explains {low:.0%} to {high:.0%} of a head's attention at the end"
            return Claim.instead(sentence, **numbers)
        numbers["single"] = int((shares[-1] >= SINGLE).sum())
        return Claim(_along(numbers["single"], shares.shape[1]), self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A heatmap a head, its frequency above it, and when the run turned."""
        current_style, p, count = style(), data.sizes["row"] // 2, data.sizes["head"]
        high = current_style.ems(figure)[1]
        narrow = current_style.narrow(figure)
        columns = min(count, 2 if narrow else 4)
        below = (timeline.HEIGHT + 1.5) / high if self.loss else 0
        last = [int(k) if self.order == "phase" else 0 for k in data["head_frequency"].values[-1]]
        # the sides of all mean the same, each with the frequency above it
        alike = all(last) or not any(last)
        axes = grids.square_axes(
            figure, count, columns, p, share=(0, below, 1, 1), top=2.9, vgap=3.7, left=3.4,
            gap=0.7 if narrow else 1.0 if alike else 3.0,
        )  # fmt: skip
        heads = [_Head(ax, data, n, k) for n, (ax, k) in enumerate(zip(axes, last, strict=True))]
        named = {(count - 1) // columns * columns} if narrow or alike else range(count)
        for n in named:
            short = axes[n].bbox.width < 9.2 * current_style.pixels(axes[n], current_style.small)
            k = "k" if alike and last[n] else str(last[n] or "")
            grids.name_inputs(axes[n], p - 1, *_sides(k, p, narrow=narrow or short))

        def update(i: int) -> None:
            attention = fields.attention(data, i)[:, POSITIONS.index(self.to)]
            for head, pattern, k in zip(heads, attention, last, strict=True):
                head.show(_neurons.in_phase(pattern, k), i)

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
            f"head {int(head)} gives {float(mean):.0%} to a, and {_wave(int(k), float(share))}"
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
            order = ", a and b in the order of k a and k b mod p, k its frequency at the end"
        return (
            f"Attention from '=' to {self.to} over all pairs (a, b), for every head{order}. "
            "Above each: the frequency k that explains most of its variance at that epoch, by "
            "const + alpha (cos wa - cos wb) + beta (sin wa - sin wb), and the share explained. "
            f"{after('figure 4')}"
        )


class _Head:
    """A head's attention over the pairs, its frequency, and how much that explains."""

    def __init__(self, axes: Axes, data: xr.Dataset, number: int, ordered: int) -> None:
        p = data.sizes["row"] // 2
        self.axes, self.data, self.number = axes, data, number
        self.image = grids.heat(axes, (p, p))
        head = f"head {int(data['head'].values[number])}"
        style().note(axes, head, (0, 1), (0, 1.7), fontweight="bold")
        self.name, self.share = grids.figure_above(axes, left=True), grids.figure_above(axes)
        self.colours = {k: frequencies.colour(k, data) for k in frequencies.embedded(data)}
        self.muted, self.ordered = style().colours.muted, ordered

    @property
    def moving(self) -> list[Any]:
        return [self.image, self.name, self.share]

    def show(self, pattern: np.ndarray, i: int) -> None:
        self.image.set_data(pattern.T)
        k = int(self.data["head_frequency"].values[i, self.number])
        share = float(self.data["head_variance_explained"].values[i, self.number])
        self.name.set_text(self._name(k))
        _neurons.tint(self.name, self.colours.get(k, self.muted), share)
        self.share.set_text("" if k == NO_FREQUENCY else _neurons.floored_percent(share))

    def _name(self, k: int) -> str:
        """ "wave k = 14" where the sides are its multiples, "wave 14", or "14" where narrow."""
        short = _neurons.frequency_name(self.axes, k, numbered=True)
        if k == NO_FREQUENCY or short == str(k):
            return short.replace("frequency", "wave")
        return f"wave k = {k}" if k == self.ordered else f"wave {k}"


def _along(single: int, heads: int) -> str:
    """How many heads look along a single wave, the others mostly along one."""
    if single == heads:
        return "Each head looks along a single wave"
    if not single:
        return "Each head looks mostly along one wave"
    look = "looks" if single == 1 else "look"
    count = in_words(single).capitalize()
    return f"{count} of {in_words(heads)} heads {look} along a single wave, the rest mostly"


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
