"""Figures 21 and 22: every digit of a sum is learned at a step of its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks, _ridges
from grokviz.scenes.any._papers import after

from grokviz.dataset.numerics.curves import FALL_WIDTH
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.drawing import Part
from grokviz.scene.layout import pushed_apart
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

AFTER = 1.5
"""A film ends when so many times the steps until the last drop are over."""

RISE = 0.84
"""How high the highest hill is, in rows."""

HALF = 0.5
"""A digit has dropped where less than this is left of the level it first stays at."""

APART = 0.05
"""Drops are apart where the later one is at a step larger by this share or more."""


@dataclass(frozen=True)
class DigitPhaseChanges(Scene):
    """A hill for every digit of the answer: its loss, with its drop marked, below their mean."""

    name = "digit-phase-changes"
    panels = ("digits", "loss")
    title = "The digits of a sum are learned one after another"
    watch = "A hill is one digit's loss, its dot where that has halved; on top, their mean"
    source = "arXiv:2301.05217, figures 21 and 22; thread, tweet 13"
    needs = ("logged_train_loss", "logged_test_loss", "token_train_loss")
    recipe = "digit-addition"
    reference = "digit-addition"
    aspect = 1.8
    narrow_aspect = 0.8
    ends_with_film = True
    aspects = {"show": {"total": (2.2, 1.1), "digits": (2.2, 1.1)}}  # noqa: RUF012
    paper_figures = {  # noqa: RUF012
        "21": {"show": "total", "marks": False},
        "22": {"show": "digits"},
    }

    show: Literal["both", "total", "digits"] = option(
        "both", "a hill a digit below their mean; or the whole loss, or the digits', as curves"
    )
    loss: Literal["linear", "log"] = option("linear", "how the loss is spaced")
    time: Literal["linear", "log"] = option("linear", "how steps are spaced")
    marks: bool = option(True, "mark and name each digit's drop")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless the digits' losses are numbers somewhere."""
        super().check(data)
        if not np.isfinite(data["token_train_loss"].values).any():
            raise InputError(
                f"{cls.name} draws the training loss of every digit, and this run has none that "
                "is a number; train it with grokviz train digit-addition"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How many digits dropped, the first and the last of the steps, and whether apart."""
        if data.sizes["tested_epoch"]:
            # what falls on a fixed training set may have been memorised
            return Claim.instead(outcome(data).sentence)
        steps = sorted(step for step, _ in drops(data).values())
        count, word = data.sizes["digit"], clocks.word(data)
        if not steps:
            last = f"{word} {int(data['epoch'].values[-1]):,}"
            return Claim.instead(f"No digit's loss comes down to half by {last}")
        numbers = {"first": steps[0], "last": steps[-1], "learned": len(steps)}
        between = f"between {word}s {steps[0]:,} and {steps[-1]:,}"
        if len(steps) < count:
            sentence = f"{len(steps)} of {count} digits are learned, {between}"
            return Claim.instead(sentence, self.watch, **numbers)
        if any(later < (1 + APART) * step for step, later in pairwise(steps)):
            return Claim.instead(
                f"All {count} digits are learned, some together, {between}", **numbers
            )
        return Claim(self.title, self.watch, numbers=numbers)

    def _end(self, data: xr.Dataset) -> float:
        """Where the axes end: at the film's last moment."""
        i = clocks.index_up_to(data, "epoch", self.film_span(data)[1])
        return float(data["epoch"].values[i])

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The hills, or the curves asked for with the drops through them."""
        if self.show == "both":
            return self._hills(figure, data)
        wanted = (self.show,)
        rooms = style().stack(
            figure, (1.0,), left=5.0, right=6.5, vgap=1.4,
            top=2.9 if self.marks else 1.0,
        )  # fmt: skip
        drawn = []
        for axes, kind in zip(rooms, wanted, strict=True):
            curves, ylabel = _total(data), "loss (nats)"
            if kind == "digits":
                # where no mark at its drop names a digit yet, its curve's end does
                named = not self.marks or not style().ghost
                curves, ylabel = _digits(data, named=named), "loss of a digit (nats)"
            panel = changes.ChangePanel(
                axes, data, curves, ylabel=ylabel, log=self.loss == "log", time=self.time,
                end=self._end(data), phases="none",
            )  # fmt: skip
            if kind == "digits":
                for trace in panel.traces.values():
                    for line in trace.lines:
                        line.set(linewidth=style().line * 0.6, zorder=2.5)
            drawn.append(panel)
        panels.without_time(*rooms[:-1])
        parts = [panel.along(data["epoch"]) for panel in drawn]
        if self.marks:
            parts.append(_mark(rooms, data, self.show != "total", 6.0))
        return Drawing.of(*parts)

    def _hills(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A hill for each digit, the first to drop on top, below that of their mean."""
        narrow, learned = style().narrow(figure), drops(data)
        order = sorted(
            range(data.sizes["digit"]), key=lambda k: (k not in learned, learned.get(k, (0,))[0], k)
        )
        names, tints = changes.digit_names(data, short=narrow), changes.digit_colours(data)
        x, losses = data["logged_epoch"].values, data["token_train_loss"].values.astype(float)
        shown, total = x <= self._end(data), data["logged_train_loss"].values.astype(float)
        each = np.column_stack([losses[:, k] for k in order])
        finite = each[shown & (x >= FALL_WIDTH)]
        finite = finite[np.isfinite(finite) & (finite > 0)]
        top, low = (float(finite.max()), float(finite.min())) if finite.size else (1.0, 0.1)
        foot = low if self.loss == "log" else None
        axes = style().panels(figure, left=5.4 if narrow else 8.6, right=1.6, top=1.0)[0][0]
        _ridges.frame(axes, self._end(data), len(order), 1.05, time=self.time)
        axes.set_xlabel(clocks.word(data))
        rows = [("mean", total, style().colours.muted)]
        rows += [(names[k], losses[:, k], tints[k]) for k in order]
        hills = [
            _ridges.Ridge(
                axes, x, RISE * np.minimum(_ridges.height(values, top, low=foot), 1.15), row, colour
            )
            for row, (_, values, colour) in enumerate(rows)
        ]  # fmt: skip
        _ridges.name_rows(axes, [row[0] for row in rows], [row[2] for row in rows])
        marks = [
            _marks.Mark(
                step, row + 1 - RISE * float(_ridges.height(np.array([loss]), top, low=foot)[0]),
                f"{step:,}", style().colours.ink, "left", 0.7,
            )
            for row, k in enumerate(order) if k in learned for step, loss in (learned[k],)
        ]  # fmt: skip
        epochs = data["epoch"].values.astype(float)
        parts: list[Part] = [
            Drawing(hill.moving, lambda i, hill=hill: hill.update(epochs[i])) for hill in hills
        ]
        end = self._end(data)
        parts.append(Drawing((), lambda i: _ridges.reach(axes, max(end, epochs[i]))))
        if self.marks:
            parts.append(_marks.draw(axes, marks, data["epoch"]))
        return Drawing.of(*parts)

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the last drop; the whole run where a digit never dropped."""
        last, steps = float(data["epoch"].values[-1]), drops(data)
        if len(steps) < data.sizes["digit"]:
            return 0, last
        return 0, min(last, AFTER * max(step for step, _ in steps.values()))

    def description(self, data: xr.Dataset, i: int) -> str:
        """When each digit dropped, and the loss at that moment."""
        word, at = clocks.word(data), int(data["epoch"].values[i])
        now = int(np.searchsorted(data["logged_epoch"].values, at, side="right")) - 1
        steps = drops(data)
        learned = [
            f"{name} at {steps[k][0]}" if k in steps else f"{name} never"
            for k, name in enumerate(changes.digit_names(data))
        ]
        total = float(data["logged_train_loss"].values[max(now, 0)])
        return (
            f"Training loss over {word}s, in all and for each digit of the answer, marked at "
            f"{word} {at}, where it is {total:.3g}. A digit's loss comes down to "
            f"half of its first level: {', '.join(learned)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the rule of the drops and the citation."""
        return (
            "Training loss of a one-layer transformer that adds, fresh sums at every step, in all "
            "and for each digit of the answer. Marked: where a digit's mean loss over "
            f"{FALL_WIDTH} steps is first half of that over the second {FALL_WIDTH}, in which "
            f"only how often each figure occurs is known. {after('figures 21 and 22')}"
        )


def _total(data: xr.Dataset) -> dict[str, panels.Curve]:
    x, y = data["logged_epoch"].values, data["logged_train_loss"].values
    return {"all digits": panels.Curve.of(x, y, style().colours.ink)}


def _digits(data: xr.Dataset, *, named: bool) -> dict[str, panels.Curve]:
    """The digits' curves, which have no names where marks name them."""
    x, losses = data["logged_epoch"].values, data["token_train_loss"].values
    names = changes.digit_names(data)
    return {
        names[k] if named else f"_{k}": panels.Curve.of(x, losses[:, k], colour)
        for k, colour in enumerate(changes.digit_colours(data))
    }


def drops(data: xr.Dataset) -> dict[int, tuple[int, float]]:
    """The step at which each digit that was learned dropped, and its mean loss there.

    Means are over as many steps as those of a loss' fall, around each step. The first level is
    that of the second such stretch: by then a network has seen how often each figure occurs, and
    knows nothing else.
    """
    steps, losses = data["logged_epoch"].values, data["token_train_loss"].values.astype(float)
    near = FALL_WIDTH / 2
    first = np.searchsorted(steps, steps - near, side="left")
    last = np.searchsorted(steps, steps + near, side="right")
    learned: dict[int, tuple[int, float]] = {}
    for k in range(losses.shape[1]):
        finite = np.isfinite(losses[:, k])
        total = np.concatenate([[0.0], np.cumsum(np.where(finite, losses[:, k], 0.0))])
        count = np.concatenate([[0], np.cumsum(finite)])
        counts = count[last] - count[first]
        mean = np.divide(
            total[last] - total[first], counts, out=np.full(len(steps), np.nan), where=counts > 0
        )
        level = mean[np.searchsorted(steps, 1.5 * FALL_WIDTH) :][:1]
        late = steps >= 1.5 * FALL_WIDTH
        below = np.flatnonzero(late & (mean < HALF * level)) if level.size else np.zeros(0, int)
        if below.size:
            learned[k] = int(steps[below[0]]), float(mean[below[0]])
    return learned


def _mark(rooms: list[Axes], data: xr.Dataset, level: bool, margin: float) -> Drawing:
    """A line at each drop through all panels, and the digit's name above the first.

    ``level`` says that the last panel has the digits' curves, on which the drops are dots;
    names may reach ``margin`` ems beyond the panel's right end. In films each appears when the
    digit has dropped.
    """
    current_style, first, learned = style(), rooms[0], drops(data)
    order = sorted(learned, key=lambda k: learned[k][0])
    tints = changes.digit_colours(data)
    # the sentence names the first and the last
    artists = {
        k: _lines(rooms, learned[k], tints[k], level=level, number=k in (order[0], order[-1]))
        for k in order
    }
    words = changes.digit_names(data, short=current_style.narrow(first.figure))
    em = current_style.pixels(first, current_style.small)
    wide, high = em / first.bbox.width, em / first.bbox.height
    across = first.transData + first.transAxes.inverted()
    at = {k: float(across.transform((float(learned[k][0]), 1.0))[0]) for k in order}
    widths = [(0.66 * len(words[k]) + 0.8) * wide for k in order]
    places = pushed_apart([at[k] for k in order], widths, -2 * wide, 1 + margin * wide)
    for k, place in zip(order, places, strict=True):
        artists[k] += first.plot(
            [at[k], place], [1, 1 + high], transform=first.transAxes, clip_on=False,
            color=tints[k], lw=current_style.line * 0.5,
        )  # fmt: skip
        artists[k].append(current_style.note(
            first, words[k], (place, 1.0 + 1.15 * high), ha="center", va="bottom",
            color=tints[k], fontweight="bold",
        ))  # fmt: skip
    if current_style.ghost:
        return Drawing()
    epochs = data["epoch"].values

    def update(i: int) -> None:
        for k, marks in artists.items():
            for mark in marks:
                mark.set_visible(epochs[i] >= learned[k][0])

    return Drawing(list(artists.values()), update)


def _lines(
    rooms: list[Axes], drop: tuple[int, float], tint: str, *, level: bool, number: bool
) -> list[Any]:
    """A line at a drop through all panels, and a dot on the digit's curve, with its step."""
    thin = style().line * 0.5
    lines: list[Any] = [
        axes.axvline(drop[0], alpha=0.75, zorder=1.8, color=tint, lw=thin) for axes in rooms
    ]
    if level:
        lines += rooms[-1].plot(
            *drop, "o", color=tint, ms=6.4 * thin, zorder=4,
            mec=style().colours.background, mew=thin,
        )  # fmt: skip
    if number:
        lines.append(style().label(
            rooms[-1], *drop, f"{drop[0]:,}", lift=0.5, ha="left", va="bottom", color=tint, zorder=5
        ))  # fmt: skip
        lines[-1].set_position((0.5 * style().small, lines[-1].xyann[1]))
    return lines
