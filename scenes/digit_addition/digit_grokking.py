"""Figure 23: with few sums to learn from, adding numbers digit by digit is grokked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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
    """Hills of the train and the test loss on few sums, and of every digit of the answer."""

    name = "digit-grokking"
    panels = ("digits", "loss")
    title = "With few sums it memorises first; the loss on new sums falls later"
    watch = "Loss on the training sums and on new ones, to one scale"
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

    loss: Literal["linear", "log"] = option(
        "linear", "how the loss is spaced; logarithmic and without digits it is drawn as curves"
    )
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
        return Claim(self.title, self._watch(data, learned), numbers=numbers)

    def _watch(self, data: xr.Dataset, learned: changes.Overfit) -> str:
        """Which digit's loss is first down for good, and which is last."""
        ends = _ends(data, learned.memorised)
        if ends is None or not self._below:
            jumps = changes.jumps(data, learned.memorised)
            spikes = f"; at {jumps} spikes training jumps and both rise"
            return self.watch.partition(", to")[0] + spikes if jumps else self.watch
        names = changes.digit_names(data)
        first, last = (names[k] for k, _ in ends)
        return (
            f"Of the digits whose loss rose, the {first} come down for good first (dot), "
            f"the {last} last"
        )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Hills of the two losses and, below them, of the digits; or the losses as curves."""
        if self._below or self.loss == "linear":
            return self._hills(figure, data)
        (axes,) = changes.rooms(figure, data, (1,), right=7.6)
        learned = changes.overfit(data)
        # in a column there is no room for the rule
        rule = "" if style().narrow(figure) else f": train below {MEMORISED:g}"
        marks = [] if learned is None else _of_losses(data, learned.memorised, rule)
        panel = changes.ChangePanel(
            axes, data, changes.losses(data), ylabel="loss (nats)", log=self.loss == "log",
            time=self.time, end=float(data["tested_epoch"].values[-1]), clock="tested_epoch",
            floor=1e-9, phases="named",
        )  # fmt: skip
        marks = _marks.clear(axes, marks, panel.curves.values())
        clock, end = data["tested_epoch"], float(panel.end or 0)
        numbers = changes.after_names(marks, panel.names, end)
        return Drawing.of(panel.along(clock), _marks.draw(axes, numbers, clock))

    def _hills(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A hill for each loss, and if wished one for each digit, the first to stay low on top."""
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
        order = order if self._below else []
        few = few and self._below
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
        # on a hill alone stand the numbers of its scale
        rows = [
            HIGH,
            2 * HIGH + (0.2 if order else 0.5),
            *(above + n * tall for n in range(len(order))),
        ]
        left, right = 5.4 if narrow else 8.6, 3.2 if few else 1.6 if order else 5.4
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
        if order:
            style().note(
                axes, "the digits' own test loss:", (0, (rows[1] + rows[2] - 0.86 * tall) / 2),
                (0.3, -0.35), color=colours.muted, xycoords=("axes fraction", "data"),
            )  # fmt: skip
        elif learned is not None:
            top = max(float(np.nanmax(values)) for *_, values, _ in whole)
            least = min(float(np.nanmin(np.where(v > 0, v, np.nan))) for _, _, v, _ in whole)
            low_end = max(least, FOOT) if self.loss == "log" else None
            marks += _scale(data, learned.memorised, rows[1], (top, low_end))
            guess = float(_ridges.height(np.array([GUESS]), top, low=low_end)[0])
            if guess <= 1:
                _ridges.levels(axes, [rows[1] - HIGH * guess], f"guessing\n{GUESS:.1f}")
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
        return (
            f"Train and test loss over {clocks.word(data)}s; at "
            f"{clocks.at(data, 'tested_epoch', i)} the test loss is {now:.3g}. "
            f"{changes.overfitting(data)} The digits' test losses end at: {losses}."
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
    """The title's three numbers on the losses, the first with the rule that it is by."""
    colours, (at, top, last) = style().colours, changes.peak(data, memorised)
    train = float(
        np.interp(memorised, data["logged_epoch"].values, data["logged_train_loss"].values)
    )
    end = float(data["tested_epoch"].values[np.isfinite(data["logged_test_loss"].values)][-1])
    return [
        _marks.Mark(memorised, train, f"{memorised:,}{rule}", colours.train, lift=0.9),
        _marks.Mark(at, top, f"{top:.2g}", colours.test, lift=0.5),
        _marks.Mark(end, last, f"{last:.2g}", colours.test, "right", 2.2),
    ]


def _scale(
    data: xr.Dataset, memorised: int, row: float, ends: tuple[float, float | None]
) -> list[_marks.Mark]:
    """The largest and the last test loss on its hill, whose scale ends at the first of ``ends``."""
    at, top, last = changes.peak(data, memorised)
    high, end_high = HIGH * _ridges.height(np.array([top, last]), ends[0], low=ends[1])
    end = float(data["tested_epoch"].values[np.isfinite(data["logged_test_loss"].values)][-1])
    ink = style().colours.ink
    return [
        _marks.Mark(at, row - float(high), f"loss {top:.2g}", ink, "left", 0.6),
        # right of the hill, where no spike is
        _marks.Mark(end, row - float(end_high), f"{last:.2g}", ink, "left", 0.0),
    ]


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
