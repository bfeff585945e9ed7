"""Figure 23: with few sums to learn from, adding numbers digit by digit is grokked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks, _ridges
from grokviz.scenes.any._papers import after

from grokviz.dataset.learning import LOW as MEMORISED
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


HIGH = 1.7
"""How high the hill of the test loss is at most, in rows."""

FOOT = 1e-9
"""The least loss that a logarithmic hill shows."""

FEW = 1.9
"""How high a row of two digits is, by that of all."""

GUESS = math.log(10)
"""The loss of a guess among ten digits, in nats."""

LOW = 1.0
"""A digit is learned where its loss stays below so many nats: a guess among ten costs 2.3."""


@dataclass(frozen=True)
class DigitGrokking(Scene):
    """Train and test loss on few sums and the gap between them; if wished, of the digits too."""

    name = "digit-grokking"
    panels = ("digits", "loss")
    title = "The sums are memorised first, adding is learned only later"
    watch = "Shaded: how much worse it does on new sums than on those it is trained on"
    source = "arXiv:2301.05217, figure 23; thread, tweet 13"
    needs = (
        "logged_train_loss", "logged_test_loss", "token_test_loss", "event_epoch", "phase_end",
    )  # fmt: skip
    recipe = "digit-addition-small-500"
    reference = "digit-addition-small-500"
    clock = "tested_epoch"
    aspect = 2.0
    narrow_aspect = 1.0
    aspects = {"digits": {True: (1.6, 0.72)}}  # noqa: RUF012
    paper_figures = {"23": {"loss": "log", "digits": False}}  # noqa: RUF012

    loss: Literal["linear", "log"] = option("linear", "how the loss is spaced")
    time: Literal["linear", "log"] = option("linear", "how steps are spaced")
    digits: bool = option(False, "the test loss of digits of the answer, below")
    colours: Literal["only", "ends", "all"] = option(
        "only",
        "of digits only the first and the last that are learned; or every digit below, these two "
        "in colour; or every digit in its colour",
    )

    @property
    def _below(self) -> bool:
        """Whether digits are drawn: asked for, or the colours of all of them."""
        return self.digits or self.colours != "only"

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a test loss was logged; on fresh data there is none."""
        super().check(data)
        if not data.sizes["tested_epoch"]:
            raise InputError(
                f"{cls.name} needs a run that logged its test loss; one on fresh data, such as "
                "this, is drawn by digit-phase-changes"
            )
        changes.require_losses(cls.name, data)

    def claim(self, data: xr.Dataset) -> Claim:
        """When it memorised, and how far the test loss came down from its largest value."""
        learned = changes.overfit(data)
        if learned is None:
            return Claim.instead(outcome(data).sentence)
        _, top, last = changes.peak(data, learned.memorised)
        numbers = {"memorised": learned.memorised, "largest": top, "last": last}
        begin = self.title.partition(" first")[0]
        sentence = (
            f"{begin} by {clocks.word(data)} {learned.memorised:,}, adding is learned only later"
        )
        return Claim(sentence, self._watch(data, learned), numbers=numbers)

    def _watch(self, data: xr.Dataset, learned: changes.Overfit) -> str:
        """Which digit's loss is first down for good, and which is last."""
        ends = _ends(data, learned.memorised)
        if ends is None or not self._below:
            return self.watch
        names = changes.digit_names(data)
        first, last = (names[k] for k, _ in ends)
        return (
            f"Of the digits whose loss rose, the {first} come down for good first (dot), "
            f"the {last} last"
        )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The two losses and the gap between them; or hills of both, and of digits below."""
        if self._below:
            return self._hills(figure, data)
        log, narrow = self.loss == "log", style().narrow(figure)
        rooms = (
            changes.rooms(figure, data, (1,), right=7.6)
            if log
            else style().stack(
                figure, (1,), left=5.0, right=4.6 if narrow else 5.6, top=1.0, vgap=1.4
            )
        )
        (axes,), learned = rooms, changes.overfit(data)
        # in a column there is no room for the rule
        rule = f"{{}}{'' if narrow else f': train below {MEMORISED:g}'}"
        rule = rule if log else f"memorised at {clocks.word(data)} {{}}"
        marks = [] if learned is None else _of_losses(data, learned.memorised, rule)
        panel = changes.ChangePanel(
            axes, data, changes.losses(data), ylabel="loss (nats)", log=log, time=self.time,
            end=float(data["tested_epoch"].values[-1]), clock="tested_epoch", floor=1e-9,
            phases="named" if log else "none",
        )  # fmt: skip
        parts = [] if log else [_gap(axes, data)]
        marks = _marks.clear(axes, marks, panel.curves.values())
        clock, end = data["tested_epoch"], float(panel.end or 0)
        numbers = changes.after_names(marks, panel.names, end)
        return Drawing.of(*parts, panel.along(clock), _marks.draw(axes, numbers, clock))

    def _hills(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A hill for each loss and one for each digit, the first to stay low on top."""
        narrow, colours, learned = style().narrow(figure), style().colours, changes.overfit(data)
        names, tints = changes.digit_names(data, short=narrow), changes.digit_colours(data)
        ends = None if learned is None else _ends(data, learned.memorised)
        if self.colours == "ends" and ends is not None:
            strong = {k for k, _ in ends}
            tints = [tint if k in strong else colours.faint for k, tint in enumerate(tints)]
        low = _low(data)
        order = sorted(range(len(names)), key=lambda k: (low[k] is None, low[k] or 0, k))
        few = self.colours == "only" and ends is not None
        if self.colours == "only" and ends is not None:
            order = [k for k, _ in ends]
        tall = FEW if few else 1.0
        whole = [
            (name, np.asarray(data[clock].values, float), data[f"logged_{name}_loss"].values, tint)
            for name, clock, tint in (
                ("train", "logged_epoch", colours.train), ("test", "tested_epoch", colours.test),
            )
        ]  # fmt: skip
        x, each = data["tested_epoch"].values.astype(float), data["token_test_loss"].values
        single = [(names[k], x, each[:, k], tints[k]) for k in order]
        above = 2 * HIGH + 0.6 + tall
        rows = [HIGH, 2 * HIGH + 0.2, *(above + n * tall for n in range(len(order)))]
        left, right = 5.4 if narrow else 8.6, 3.2 if few else 1.6
        axes = style().panels(figure, left=left, right=right, top=0.8)[0][0]
        _ridges.frame(axes, float(x[-1]), rows[-1] + 0.1, -0.1, time=self.time)
        axes.set_xlabel(clocks.word(data))
        hills, marks = [], list[_marks.Mark]()
        for group, rise in ((whole, HIGH), (single, 0.86 * tall))[: 1 + bool(single)]:
            finite = np.concatenate([values[np.isfinite(values)] for *_, values, _ in group])
            finite = finite[finite > 0]
            top, foot = (float(finite.max()), max(float(finite.min()), FOOT)) if finite.size else (
                1.0, FOOT
            )  # fmt: skip
            if few and group is single:
                share = _ridges.height(
                    np.array([LOW]), top, low=foot if self.loss == "log" else None
                )
                heights = [row - rise * float(share[0]) for row in rows[2:]]
                _ridges.levels(axes, heights, f"{LOW:g} nat")
            for name, epochs, values, tint in group:
                row = rows[len(hills)]
                high = rise * _ridges.height(values, top, low=foot if self.loss == "log" else None)
                hills.append(_ridges.Ridge(axes, epochs, high, row, tint))
                at = _of_train(learned, name) if group is whole else low[order[len(hills) - 3]]
                if at is not None and at <= x[-1]:
                    y = row - float(np.interp(at, epochs, np.nan_to_num(high)))
                    side: _marks.Side = "left" if at < 0.85 * x[-1] else "center"
                    word = clocks.word(data)
                    words = f"memorised at {word} {at:,}" if group is whole else f"{at:,}"
                    marks.append(_marks.Mark(at, y, words, colours.ink, side, 0.9))
        _ridges.name_rows(
            axes, [name for name, *_ in [*whole, *single]], [t for *_, t in [*whole, *single]], rows
        )
        style().note(
            axes, "the digits' own test loss:", (0, (rows[1] + rows[2] - 0.86 * tall) / 2),
            (0.3, -0.35), color=colours.muted, xycoords=("axes fraction", "data"),
        )  # fmt: skip
        parts = [Drawing(hill.moving, lambda i, hill=hill: hill.update(x[i])) for hill in hills]
        return Drawing.of(*parts, _marks.draw(axes, marks, data["tested_epoch"]))

    def description(self, data: xr.Dataset, i: int) -> str:
        """How far it overfitted, and each digit's test loss at the end."""
        last = data["token_test_loss"].values[-1]
        losses = ", ".join(
            f"{name} {float(value):.2g}"
            for name, value in zip(changes.digit_names(data), last, strict=True)
        )
        now = float(data["logged_test_loss"].values[i])
        learned = changes.overfit(data)
        jumps = 0 if learned is None else changes.jumps(data, learned.memorised)
        words = f"At {jumps} spikes the training loss jumps and both losses rise. "
        spikes = words if jumps else ""
        return (
            f"Train and test loss over {clocks.word(data)}s; at "
            f"{clocks.at(data, 'tested_epoch', i)} the test loss is {now:.3g}. "
            f"{changes.overfitting(data)} {spikes}The digits' test losses end at: {losses}."
        )

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: a digit may be learned long after the others."""

    def definition(self, data: xr.Dataset) -> str:
        """With the citation."""
        below = " Below: the test loss of each digit of the answer." if self._below else ""
        learned = changes.overfit(data)
        ends = None if learned is None else _ends(data, learned.memorised)
        if self._below and self.colours == "only" and ends is not None:
            below = (
                " Below: the test loss of the first and the last digit that are learned."
                f" All are drawn with colours=all; a dot is where a loss stays below {LOW:g} nat, "
                "and the first is chosen from those that rose while the sums were memorised."
            )
        return (
            "Training and test loss of a one-layer transformer that adds, trained on the same few "
            f"sums all the time. Dotted: a guess among ten digits.{below}{changes.tested_on(data)} "
            "The published run, on 700 sums of 5 digits, began at a loss of 2.00, lower than a "
            "fresh network can. "
            f"{after('figure 23')}"
        )


def _of_losses(data: xr.Dataset, memorised: int, rule: str) -> list[_marks.Mark]:
    """The three numbers of the losses, the first in the words of ``rule``."""
    colours, (at, top, last) = style().colours, changes.peak(data, memorised)
    train = float(
        np.interp(memorised, data["logged_epoch"].values, data["logged_train_loss"].values)
    )
    end = float(data["tested_epoch"].values[np.isfinite(data["logged_test_loss"].values)][-1])
    return [
        _marks.Mark(memorised, train, rule.format(f"{memorised:,}"), colours.train, lift=0.9),
        _marks.Mark(at, top, f"{top:.2g}", colours.test, lift=0.5),
        _marks.Mark(end, last, f"{last:.2g}", colours.test, "right", 2.2),
    ]


def _gap(axes: Axes, data: xr.Dataset) -> Drawing:
    """The ground from the train loss up to the test loss, and the loss of a guess."""
    current_style, colours = style(), style().colours
    x, test = data["tested_epoch"].values.astype(float), data["logged_test_loss"].values
    finite = np.isfinite(data["logged_train_loss"].values)
    if finite.any():
        times, values = (data[f"logged_{n}"].values[finite] for n in ("epoch", "train_loss"))
        low = np.interp(x, times, values)
    else:
        low = np.full(len(x), np.nan)
    high = np.maximum(low, test)
    look: dict[str, Any] = {"color": colours.test, "lw": 0, "zorder": 1.4}
    if current_style.ghost:
        axes.fill_between(x, low, high, alpha=0.12, **look)
    ground = axes.fill_between(x, low, high, alpha=0.3, **look)
    if axes.get_ylim()[1] >= GUESS:
        axes.axhline(GUESS, color=colours.muted, lw=0.6 * current_style.line, ls=":", zorder=1.8)
        current_style.note(
            axes, f"guessing: {GUESS:.1f}", (1, GUESS), (-0.3, -0.35), ha="right", va="top",
            color=colours.muted, xycoords=axes.get_yaxis_transform(),
        )  # fmt: skip

    def update(i: int) -> None:
        ground.set_data(x[: i + 1], low[: i + 1], high[: i + 1])

    return Drawing([ground], update)


def _of_train(learned: changes.Overfit | None, name: str) -> int | None:
    """When the training loss was memorised; nothing of the test loss."""
    return learned.memorised if learned is not None and name == "train" else None


def _low(data: xr.Dataset) -> list[int | None]:
    """From when on each digit's test loss stays below :data:`LOW`; None of one that does not."""
    epochs = data["tested_epoch"].values
    low: list[int | None] = []
    for k in range(data.sizes["digit"]):
        above = np.flatnonzero(np.nan_to_num(data["token_test_loss"].values[:, k]) >= LOW)
        after = int(above[-1]) + 1 if above.size else 0
        low.append(int(epochs[after]) if after < len(epochs) else None)
    return low


def _ends(data: xr.Dataset, memorised: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The first digit whose loss rose and then stays low, and the last of all, with their epochs.

    None where a digit does not come to stay low, or no loss rose above that while it memorised.
    """
    epochs, stays = data["tested_epoch"].values, _low(data)
    if any(at is None for at in stays):
        return None
    low, risen = [], []
    for k, at in enumerate(stays):
        loss = np.nan_to_num(data["token_test_loss"].values[:, k].astype(float))
        low.append((int(at or 0), k))
        if epochs[loss.argmax()] >= memorised / 2 and loss.max() >= LOW:
            risen.append(low[-1])
    if len(risen) < 2:
        return None
    (begin, first), (end, last) = min(risen), max(low)
    return (first, begin), (last, end)
