"""A head at one sequence learns to look at where an earlier copy went on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks
from grokviz.scenes.repeated_subsequence._induction import LOOKS, kind_colours

from grokviz.dataset.numerics import ties
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, grids, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

KINDS = ("previous token", "induction")
WHERE = {
    "previous token": "of its attention one token back",
    "induction": "on what followed an earlier copy",
}
"""To what the share over a pattern goes."""

AROUND = 2
"""So many tokens around where a copy looks at an earlier one are drawn close up."""


@dataclass(frozen=True)
class InductionHeads(Scene):
    """Attention of the best induction head at one sequence, and how much of it goes where."""

    name = "induction-heads"
    title = "A head learns to look at what came next last time"
    watch = "A stripe in a frame: each token of a copy looks at what followed it in an earlier one"
    source = "arXiv:2209.11895; arXiv:2301.05217, figure 24; thread, tweet 7"
    loops = True
    needs = (
        "attention_pattern", "shown_layer", "shown_number", "shown_token", "shown_source",
        "logged_train_loss", "logged_test_loss", "event_epoch", "induction_score",
    )  # fmt: skip
    recipe = "repeated-subsequence"
    reference = "repeated-subsequence"
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 1.5
    aspects = {  # noqa: RUF012
        "previous": {True: (2.3, 0.41)}, "copies": {False: (1.9, 0.6)}, "loss": {True: (1.9, 0.6)}
    }  # fmt: skip
    ends_with_film = True

    copies: bool = option(
        True,
        "where a copy looks at an earlier one, close up, at first and now; else the whole pattern "
        "and its course",
    )
    previous: bool = option(False, "the best previous-token head, too")
    loss: bool = option(False, "the loss beside it, in the place of the head's share")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the heads' attention is a number somewhere."""
        super().check(data)
        if not np.isfinite(data["induction_score"].values).any():
            raise InputError(
                f"{cls.name}: no head's attention is a number at any checkpoint of this run"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How much more the head shown came to look at what followed a copy."""
        shares = _course(data)
        shares = shares[np.isfinite(shares)]
        first, last = (float(shares[k]) for k in (0, -1)) if shares.size else (0.0, 0.0)
        head, numbers = f"Head {_number(data, KINDS[1])}", {"first": first, "last": last}
        past = f"from {100 * first:.0f}% to {100 * last:.0f}%"
        if last < LOOKS:
            sentence = f"{head} hardly looks at what followed a copy: {past}"
            return Claim.instead(sentence, **numbers)
        if first >= LOOKS:
            sentence = f"{head} looks at what followed a copy all the time: {past}"
            return Claim.instead(sentence, **numbers)
        return Claim(self.title, self._watch(data), numbers=numbers)

    def _watch(self, data: xr.Dataset) -> str:
        """What the diagonal of the frame is; what the stripes are where there are more frames."""
        if not self._close(data):
            return self.watch
        token, following, *_ = _example(data, _clearest(data, copies_of(data)))
        return (
            f"The same tokens come again: at {token} the head looks at {following}, which "
            "followed it before"
        )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Where two copies meet, close up; or the whole patterns, and the share or the loss."""
        if self._close(data):
            return _close_up(figure, data)
        current_style, count = style(), data.sizes["query"]
        narrow = current_style.narrow(figure)
        kinds = KINDS if self.previous else KINDS[1:]
        with_loss = any(np.isfinite(c.y).any() for c in changes.losses(data).values())
        beside = with_loss if self.loss else bool(copies_of(data))
        share = _share(narrow, beside, len(kinds))
        axes = grids.square_axes(
            figure, len(kinds), 1 if narrow else len(kinds), count, share=share, left=4.9,
            right=0.8, top=3.4, bottom=3.7, gap=2.4, vgap=6.2,
        )  # fmt: skip
        runs = copies_of(data) if self.copies else []
        parts = []
        for ax, kind in zip(axes, kinds, strict=True):
            parts.append(_pattern(ax, data, kind))
            _sides(ax, runs, first=ax is axes[0] or narrow)
            if kind == "induction":
                parts.append(_meetings(ax, data, runs))
            else:
                parts.append(_diagonals(ax, data, runs))
        _scale(axes[-1])
        if beside:
            parts.append(
                (_loss if self.loss else _share_curve)(_beside(figure, axes, share, narrow), data)
            )
        return Drawing.of(*parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """Where the copies stand, and each head's attention to its stripe."""
        runs = copies_of(data)
        places = " and ".join(f"{a} to {b - 1}" for a, b in runs) or "none"
        sentences = [
            f"Attention at one sequence of {data.sizes['query']} tokens at "
            f"{clocks.at(data, 'field_epoch', i)}. Positions of the subsequence: {places}. "
            f"Head {_number(data, KINDS[1])} gives {percent(on_stripe(data, i, KINDS[1]))} to "
            "the tokens that followed the same token in earlier copies, "
            f"{on_stripe(data, 0, KINDS[1]):.1%} at first."
        ]
        if self.previous:
            before = on_stripe(data, i, KINDS[0], stop=runs[0][1] if runs else None)
            sentences.append(
                f"Head {_number(data, KINDS[0])} gives {percent(on_stripe(data, i, KINDS[0]))} "
                f"of its attention to the position before, and {percent(before)} up to the end of "
                "the first copy."
            )
        return " ".join(sentences)

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citations."""
        heads, previous = "the best induction head", ""
        if self.previous:
            heads = f"the best previous-token head and {heads}"
            previous = "Beside a copy: mean attention to the position before. "
        beside = "" if self.loss else "Beside it: the same along the training. "
        above = (
            "Above the pattern: mean attention to the tokens that "
            "followed the same token in earlier copies; above a frame: the same there alone. "
            f"{previous}{beside}"
        )
        if self._close(data):
            above = (
                "Above a square: mean attention there to the tokens that followed the same token "
                "in the earlier copy; at the left at first, at the right later. "
            )
        return (
            f"Attention from each position (down) to each (across) of {heads}, at one held-out "
            f"sequence in which a subsequence stands {len(copies_of(data))} times; framed: where a "
            f"copy looks at what followed the tokens of an earlier one. {above}"
            "Induction heads: Olsson et al. (2022), arXiv:2209.11895; the "
            "phase change: Nanda et al. (2023), arXiv:2301.05217, figure 24."
        )

    def _close(self, data: xr.Dataset) -> bool:
        """Whether only where copies meet is drawn."""
        alone = self.copies and not self.previous and not self.loss
        return alone and len(copies_of(data)) > 1

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the fall: little moves later."""
        return 0, changes.span(data, "field_epoch")


def copies_of(data: xr.Dataset) -> list[tuple[int, int]]:
    """First position of each copy, and the one after its last, in order."""
    source = data["shown_source"].values
    scored = np.flatnonzero(source >= 0)
    if not scored.size:
        return []
    breaks = np.flatnonzero(np.diff(scored) > 1)
    # two copies side by side are still apart by the last token of the first, which is unscored
    groups = np.split(scored, breaks + 1)
    length = len(groups[0]) + 1
    first = int(source[groups[0][0]]) - 1
    return [(first, first + length), *((int(g[0]), int(g[0]) + length) for g in groups)]


def on_stripe(data: xr.Dataset, i: int, kind: str, stop: int | None = None) -> float:
    """Mean attention of a head of this kind to where it should look, at the sequence shown.

    That to the position before may be of the positions up to ``stop`` alone.
    """
    at = list(data["shown_head"].values).index(kind)
    pattern = data["attention_pattern"].values[i, at].astype(float)
    if kind == KINDS[0]:
        return float(np.diagonal(pattern[:stop], -1).mean())
    runs, sums = copies_of(data), []
    for later, (start, end) in enumerate(runs):
        steps = np.arange(end - start - 1)
        if later:
            keys = [first + steps + 1 for first, _ in runs[:later]]
            sums.append(sum(pattern[start + steps, key] for key in keys))
    return float(np.mean(sums)) if sums else 0.0


def _pairs(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each earlier copy and each later one, by their numbers."""
    return [(n, m) for m in range(len(runs)) for n in range(m)]


def _course(data: xr.Dataset) -> np.ndarray:
    """The head's share on its stripe until the film ends; without copies, on fresh sequences."""
    if copies_of(data):
        shown = range(changes.last_shown(data, "field_epoch") + 1)
        return np.array([on_stripe(data, i, KINDS[1]) for i in shown])
    at = list(data["shown_head"].values).index(KINDS[1])
    layer, head = (int(data[name].values[at]) for name in ("shown_layer", "shown_number"))
    scores = data["induction_score"].values[:, layer, head].astype(float)
    return scores[data["epoch"].values <= changes.end(data, "field_epoch")]


def _framed(data: xr.Dataset, runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where a copy looks at an earlier one when the film ends; every pair where none does."""
    i = changes.last_shown(data, "field_epoch")
    pairs = _pairs(runs)
    return [pair for pair in pairs if _meeting(data, i, *pair) >= LOOKS] or pairs


def _back(data: xr.Dataset, i: int, start: int, stop: int) -> float:
    """Mean attention of the previous-token head to the position before, in a copy."""
    at = list(data["shown_head"].values).index(KINDS[0])
    steps = np.arange(max(start, 1), stop)
    return float(data["attention_pattern"].values[i, at, steps, steps - 1].astype(float).mean())


def _meeting(data: xr.Dataset, i: int, earlier: int, later: int) -> float:
    """Mean attention of the induction head from a copy to what followed in an earlier one."""
    at, runs = list(data["shown_head"].values).index(KINDS[1]), copies_of(data)
    (first, _), (start, stop) = runs[earlier], runs[later]
    steps = np.arange(stop - start - 1)
    pattern = data["attention_pattern"].values[i, at].astype(float)
    return float(pattern[start + steps, first + steps + 1].mean())


def _number(data: xr.Dataset, kind: str) -> str:
    at = list(data["shown_head"].values).index(kind)
    return f"{int(data['shown_layer'].values[at])}.{int(data['shown_number'].values[at])}"


def _share(narrow: bool, beside: bool, patterns: int) -> tuple[float, float, float, float]:
    if not beside:
        return (0, 0, 1, 1)
    if narrow:
        return (0, 0.24 if patterns > 1 else 0.34, 1, 1)
    return (0, 0, 0.72 if patterns > 1 else 0.5, 1)


def _beside(
    figure: FigureBase, axes: list[Axes], share: tuple[float, float, float, float], narrow: bool
) -> Axes:
    """Axes for curves: as high as the patterns beside them, or below them."""
    wide, high = style().ems(figure)
    if narrow:
        top = (1 - share[1]) * high + 1.2
        return style().panels(figure, left=4.9, right=1.0, top=top, bottom=3.0)[0][0]
    box = axes[0].get_position()
    left = share[2] + 4.0 / wide
    return figure.add_axes((left, box.y0, 1 - 1.8 / wide - left, box.height))


def _pattern(axes: Axes, data: xr.Dataset, kind: str) -> Drawing:
    """A head's attention, its name above it, and how much lies on its stripe."""
    count, at = data.sizes["query"], list(data["shown_head"].values).index(kind)
    image = grids.heat(axes, (count, count))
    axes.invert_yaxis()
    look: dict[str, Any] = {"va": "bottom", "ha": "left", "color": kind_colours()[kind]}
    name = f"{kind.replace(' ', '-')} head {_number(data, kind)}"
    style().note(axes, name, (0, 1), (0, 1.7), fontweight="bold", **look)
    share = style().note(axes, "", (0, 1), (0, 0.35), **look)

    def update(i: int) -> None:
        image.set_data(data["attention_pattern"].values[i, at])
        share.set_text(f"{percent(on_stripe(data, i, kind))} {WHERE[kind]}")

    return Drawing([image, share], update)


def _scale(axes: Axes, drop: float = 3.1) -> None:
    """The scale of the colours, so many ems below the last pattern at its right."""
    current_style, box = style(), axes.get_position()
    em = current_style.pixels(axes, current_style.small)
    wide, high = em / axes.bbox.width * box.width, em / axes.bbox.height * box.height
    scale = axes.figure.add_axes((box.x1 - 3.6 * wide, box.y0 - drop * high, 3 * wide, 0.6 * high))
    scale.imshow(np.linspace(0, 1, 256)[None], cmap=axes.images[0].get_cmap(), aspect="auto")
    scale.set_axis_off()
    end: dict[str, Any] = {"va": "center", "color": current_style.colours.muted}
    current_style.note(scale, "0", (0, 0.5), (-0.25, 0), ha="right", **end)
    current_style.note(scale, "1", (1, 0.5), (0.25, 0), ha="left", **end)


def _sides(axes: Axes, runs: list[tuple[int, int]], *, first: bool) -> None:
    """A bar along both sides at each copy, with its number; what runs along them."""
    current_style = style()
    colour, width = current_style.colours.muted, current_style.line * 2.2
    for start, stop in runs:
        for x, y in (((start, stop), (-0.022, -0.022)), ((-0.022, -0.022), (start, stop))):
            across = x[0] >= 0
            axes.plot(
                np.array(x) - (0.5 if across else 0), np.array(y) - (0 if across else 0.5),
                transform=axes.get_xaxis_transform() if across else axes.get_yaxis_transform(),
                color=colour, lw=width, clip_on=False, solid_capstyle="butt",
            )  # fmt: skip
    middles = [(start + stop - 1) / 2 for start, stop in runs]
    labels = [f"copy {n}" for n in range(1, 1 + len(runs))]
    axes.set_xticks(middles, labels)
    axes.set_yticks(middles if first else [], labels if first else [])
    axes.tick_params(length=0, pad=0.95 * current_style.points, labelcolor=colour)
    for label in axes.get_yticklabels():
        label.set(rotation=90, va="center")
    axes.set_xlabel("looks at", color=colour, fontsize=current_style.small)
    if first:
        axes.set_ylabel("looks from", color=colour, fontsize=current_style.small)


def _clearest(data: xr.Dataset, runs: list[tuple[int, int]]) -> tuple[int, int]:
    """The earlier copy and the later one that looks at it most when the film ends, by number."""
    i = changes.last_shown(data, "field_epoch")
    pairs = _framed(data, runs)
    return pairs[ties.first_largest(np.array([_meeting(data, i, *pair) for pair in pairs]))]


def _example(data: xr.Dataset, pair: tuple[int, int]) -> tuple[int, int, int, int]:
    """A token of a copy, what followed it in the earlier one, and their positions.

    That from which the head looks there most when the film ends; in the first half of the copy
    where it looks there from one of these, as the scale of the colours is below the second.
    """
    runs, tokens = copies_of(data), data["shown_token"].values
    (first, _), (start, stop) = runs[pair[0]], runs[pair[1]]
    steps = np.arange(stop - start - 1)
    at, i = list(data["shown_head"].values).index(KINDS[1]), changes.last_shown(data, "field_epoch")
    looks = data["attention_pattern"].values[i, at, start + steps, first + steps + 1].astype(float)
    looks = np.nan_to_num(looks)
    half = looks[: max(len(looks) // 2, 1)]
    step = ties.first_largest(half if half.max() >= LOOKS else looks)
    down, across = start + step, first + step + 1
    return int(tokens[down]), int(tokens[across]), down, across


def _close_up(figure: FigureBase, data: xr.Dataset) -> Drawing:
    """Where a copy meets an earlier one, framed: at the first moment, and beside it at this."""
    runs = copies_of(data)
    pair, narrow = _clearest(data, runs), style().narrow(figure)
    cells = runs[0][1] - runs[0][0] + 2 * AROUND
    first, now = grids.square_axes(
        figure, 2, 2, cells, left=2.4, right=0.8, top=3.4, bottom=3.7 if narrow else 2.2,
        gap=1.6 if narrow else 4.4,
    )  # fmt: skip
    before = _meeting_square(first, data, runs, pair)
    before.update(0)
    after = _meeting_square(now, data, runs, pair)
    style().note(
        first, f"looks from copy {pair[1] + 1}", (0, 0.5), (-2.2, 0), ha="right", va="center",
        rotation=90, color=style().colours.muted,
    )  # fmt: skip
    _scale(now, 3.1 if narrow else 1.35)
    return after


def _meeting_square(
    axes: Axes, data: xr.Dataset, runs: list[tuple[int, int]], pair: tuple[int, int]
) -> Drawing:
    """The head's attention around where one copy meets an earlier one, and when."""
    from matplotlib.patches import Rectangle

    count, at = data.sizes["query"], list(data["shown_head"].values).index(KINDS[1])
    image = grids.heat(axes, (count, count))
    _frame(axes, runs, pair)
    (start, stop), (down, end) = runs[pair[0]], runs[pair[1]]
    # the frame is one token further than the copy: what followed each of its tokens
    axes.set(
        xlim=(max(start + 1 - AROUND, 0) - 0.5, min(stop + 1 + AROUND, count) - 0.5),
        ylim=(min(end + AROUND, count) - 0.5, max(down - AROUND, 0) - 0.5),
    )
    token, following, down_at, across_at = _example(data, pair)
    colour, ink = kind_colours()[KINDS[1]], style().colours.ink
    wide = axes.bbox.width >= 14 * style().pixels(axes, style().small)
    looks = "looks at " if wide else ""
    axes.set_xticks([across_at], [f"{looks}{following} in copy {pair[0] + 1}"])
    axes.set_yticks([down_at], [f"{token}"])
    axes.tick_params(length=0, labelcolor=ink)
    axes.add_patch(Rectangle(
        (across_at - 0.5, down_at - 0.5), 1, 1, fill=False, edgecolor=ink, lw=0.6 * style().line,
        zorder=3,
    ))  # fmt: skip
    head = f"head {_number(data, KINDS[1])} at " if wide else ""
    name = style().note(axes, "", (0, 1), (0, 1.7), fontweight="bold", va="bottom", color=colour)
    share = style().note(axes, "", (0, 1), (0, 0.35), va="bottom", color=colour)

    def update(i: int) -> None:
        image.set_data(data["attention_pattern"].values[i, at])
        name.set_text(f"{head}{clocks.at(data, 'field_epoch', i)}")
        share.set_text(f"{percent(_meeting(data, i, *pair))} on the diagonal")

    return Drawing([image, name, share], update)


def _frame(axes: Axes, runs: list[tuple[int, int]], pair: tuple[int, int]) -> None:
    """A frame where a copy meets what followed each token of an earlier one."""
    from matplotlib.patches import Rectangle

    (start, stop), (down, end) = runs[pair[0]], runs[pair[1]]
    axes.add_patch(Rectangle(
        (start + 0.5, down - 0.5), stop - start, end - down, fill=False,
        edgecolor=kind_colours()[KINDS[1]], lw=style().line * 0.6,
    ))  # fmt: skip


def _room(axes: Axes, data: xr.Dataset, runs: list[tuple[int, int]]) -> bool:
    """Whether a percentage is no wider than a copy."""
    cell = axes.bbox.width / data.sizes["query"]
    widest = 2.4 * style().pixels(axes, style().small)
    return all(cell * (stop - start) >= widest for start, stop in runs)


def _diagonals(axes: Axes, data: xr.Dataset, runs: list[tuple[int, int]]) -> Drawing:
    """How much the previous-token head looks a token back in each copy, beside it."""
    if not _room(axes, data, runs):
        return Drawing()
    texts = [
        style().label(
            axes, (start + stop) / 2 + 2, (start + stop) / 2, "", ha="left", va="center",
            color=kind_colours()[KINDS[0]],
        )
        for start, stop in runs
    ]  # fmt: skip

    def update(i: int) -> None:
        for text, run in zip(texts, runs, strict=True):
            text.set_text(percent(_back(data, i, *run)))

    return Drawing(texts, update)


def _meetings(axes: Axes, data: xr.Dataset, runs: list[tuple[int, int]]) -> Drawing:
    """A frame where each copy meets each earlier one, and how much is looked at there."""
    colour = kind_colours()[KINDS[1]]
    texts = {}
    for pair in _framed(data, runs):
        (start, _), (down, _) = runs[pair[0]], runs[pair[1]]
        _frame(axes, runs, pair)
        texts[pair] = style().label(
            axes, start + 0.5, down - 0.5, "", lift=0.15, ha="left", color=colour
        )
    room = _room(axes, data, runs)

    def update(i: int) -> None:
        for pair, text in texts.items():
            text.set_text(percent(_meeting(data, i, *pair)) if room else "")

    return Drawing(list(texts.values()), update)


def _share_curve(axes: Axes, data: xr.Dataset) -> Drawing:
    """How much of its attention the head gives to its stripe, and its first and last share."""
    shares, colour = 100 * _course(data), kind_colours()[KINDS[1]]
    epochs = data["field_epoch"].values[: len(shares)]
    curve = panels.Curve.of(epochs, shares, colour)
    panel = changes.ChangePanel(
        axes, data, {"_share": curve}, ylabel="attention to it (%)", ylim=(0, 100),
        yticks=(0, 50, 100), end=changes.end(data, "field_epoch"), clock="field_epoch",
        phases="named",
    )  # fmt: skip
    finite = np.flatnonzero(np.isfinite(shares))
    marks = (
        [
            _marks.Mark(float(epochs[k]), float(shares[k]), f"{shares[k]:.0f}%", colour, ha, 1.2)
            for k, ha in ((finite[0], "left"), (finite[-1], "right"))
        ]
        if finite.size
        else []
    )
    return Drawing.of(
        panel.along(data["field_epoch"]), _marks.draw(axes, marks, data["field_epoch"])
    )


def _loss(axes: Axes, data: xr.Dataset) -> Drawing:
    """The loss, with no name at its end where it is the only one."""
    curves = changes.losses(data)
    if len(curves) == 1:
        curves = {"_loss": next(iter(curves.values()))}
    panel = changes.ChangePanel(
        axes, data, curves, ylabel="loss (nats)", end=changes.end(data, "field_epoch"),
        clock="field_epoch", phases="named",
    )  # fmt: skip
    return panel.along(data["field_epoch"])
