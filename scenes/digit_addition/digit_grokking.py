"""Figure 23: with few sums to learn from, adding numbers digit by digit is grokked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import after

from grokviz.dataset.learning import LOW as MEMORISED
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


OTHERS = "other digits"
"""The name of the grey curves above which there is no room for their own."""

LOW = 1.0
"""A digit is learned where its loss stays below so many nats: a guess among ten costs 2.3."""


@dataclass(frozen=True)
class DigitGrokking(Scene):
    """Train and test loss on few sums, and the test loss of every digit of the answer."""

    name = "digit-grokking"
    panels = ("digits", "loss")
    title = "With few sums it memorises first and learns to add later"
    watch = "the test loss rises while it memorises; it comes down much later"
    source = "arXiv:2301.05217, figure 23; thread, tweet 13"
    needs = (
        "logged_train_loss", "logged_test_loss", "token_test_loss", "event_epoch", "phase_end",
    )  # fmt: skip
    recipe = "digit-addition-small-500"
    reference = "digit-addition-small-500"
    clock = "tested_epoch"
    aspect = 1.5
    narrow_aspect = 0.7
    aspects = {"digits": {False: (2.0, 1.0)}}  # noqa: RUF012
    paper_figures = {"23": {"loss": "log", "digits": False}}  # noqa: RUF012

    loss: Literal["linear", "log"] = option("linear", "how the loss is spaced")
    time: Literal["linear", "log"] = option("linear", "how steps are spaced")
    digits: bool = option(True, "the test loss of every digit of the answer, below")
    colours: Literal["ends", "all"] = option(
        "all", "every digit in its colour, or only the first and the last that are learned"
    )

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
        sentence = (
            f"Memorised by {clocks.word(data)} {learned.memorised:,}; the test loss then falls "
            f"from {top:.2g} to {last:.2g}"
        )
        return Claim(sentence, self._watch(data, learned), numbers={"largest": top, "last": last})

    def _watch(self, data: xr.Dataset, learned: changes.Overfit) -> str:
        """From when on the first digit of which the loss rose stays low, and all of them."""
        word, ends = clocks.word(data), _ends(data, learned.memorised)
        if ends is None:
            return self.watch
        (first, begin), (_, end) = ends
        name = changes.digit_names(data)[first]
        return (
            f"the {name} stay below {LOW:g} nat from {word} {begin:,} on, all digits from {end:,}"
        )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The two losses, and the digits' below them where asked."""
        rooms = changes.rooms(figure, data, (1, 1.8) if self.digits else (1,), right=7.6)
        learned = changes.overfit(data)
        ends = None if learned is None else _ends(data, learned.memorised)
        every = set(range(data.sizes["digit"]))
        strong = every if ends is None else {k for k, _ in ends}
        plots = [
            ("loss (nats)", changes.losses(data)),
            ("test loss\nof a digit (nats)", _digits(data, strong, grey=self.colours == "ends")),
        ]
        marks: list[list[_marks.Mark]] = [[], []]
        if learned is not None:
            # in a column there is no room for the rule
            rule = "" if style().narrow(figure) else f": train below {MEMORISED:g}"
            marks = [_of_losses(data, learned.memorised, rule), _of_digits(data, learned.memorised)]
        drawn = [
            _Panel(
                axes, data, curves, marks=own, ylabel=label, log=self.loss == "log", time=self.time,
                end=float(data["tested_epoch"].values[-1]), clock="tested_epoch", floor=1e-9,
                phases="named" if axes is rooms[0] else "shaded",
            )
            for axes, own, (label, curves) in zip(rooms, marks, plots, strict=False)
        ]  # fmt: skip
        panels.without_time(*rooms[:-1])
        if self.digits and ends is not None:
            _threshold(rooms[1])
        clock = data["tested_epoch"]
        numbers = [_marks.draw(panel.axes, panel.numbers(), clock) for panel in drawn]
        return Drawing.of(*(panel.along(clock) for panel in drawn), *numbers)

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
        below = " Below: the test loss of each digit of the answer." if self.digits else ""
        return (
            "Training and test loss of a one-layer transformer that adds, trained on the same few "
            f"sums all the time.{below} The published run, on 700 sums of 5 digits, began at a "
            f"loss of 2.00, lower than a fresh network can. {after('figure 23')}"
        )


def _digits(data: xr.Dataset, strong: set[int], *, grey: bool) -> dict[str, panels.Curve]:
    """The digits' test losses; those that are not strong are thin, or ``grey`` too."""
    x, y = data["tested_epoch"].values, data["token_test_loss"].values
    tints, names = changes.digit_colours(data), changes.digit_names(data)
    faint = style().colours.faint
    rest = sorted(set(range(len(names))) - strong, key=lambda k: -float(np.nan_to_num(y[-1, k])))
    curves = {
        f"_{names[k]}": panels.Curve.of(x, y[:, k], faint if grey else tints[k]) for k in rest
    }
    return curves | {names[k]: panels.Curve.of(x, y[:, k], tints[k]) for k in sorted(strong)}


@dataclass
class _Panel(changes.ChangePanel):
    """Curves of which the thin ones have their names above them, or at their ends.

    Attributes:
        marks: the numbers on the curves.

    """

    _: KW_ONLY
    marks: Sequence[_marks.Mark] = ()

    def trace(self, name: str, curve: panels.Curve) -> panels.Trace:
        """A thin curve in a colour is wide enough to show it."""
        trace = super().trace(name, curve)
        if name.startswith("_") and curve.colour != style().colours.faint:
            for line in trace.lines:
                line.set_linewidth(0.75 * style().line)
        return trace

    def name_curves(self, end: float) -> panels.Names:
        """The names at the ends of the strong curves, and those above the others."""
        self.axes.set_xlim(self.first, end)
        thin = {name[1:]: curve for name, curve in self.curves.items() if name.startswith("_")}
        self.marks = _marks.clear(self.axes, self.marks, self.curves.values())
        above = _marks.OnCurves(self.axes, thin, self.curves.values(), self.marks)
        curves, grey = (
            dict(self.curves),
            {c.colour for c in thin.values()} == {style().colours.faint},
        )
        if grey and len(above.others) > 1:
            curves[OTHERS] = thin[above.others[0]]
        else:
            # beside the axes there is no room for two words in a line
            curves |= {name.replace(" ", "\n"): thin[name] for name in above.others}
        leaders = bool(above.others) and OTHERS not in curves
        return _Names(panels.EndNames(self.axes, curves, leaders=leaders), above)

    def numbers(self) -> list[_marks.Mark]:
        """The marks; that at the end of the test loss after its name there."""
        at_end = self.names.at_end if isinstance(self.names, _Names) else None
        return changes.after_names(self.marks, at_end, float(self.end or 0))


@dataclass
class _Names:
    """Names at the ends of curves, and above them."""

    at_end: panels.EndNames
    above: _marks.OnCurves

    @property
    def moving(self) -> list[Any]:
        """All of the names."""
        return [*self.at_end.moving, *self.above.moving]

    def update(self, moment: float) -> None:
        """Put them where the curves are at ``moment``."""
        self.at_end.update(moment)
        self.above.update(moment)


def _threshold(axes: Axes) -> None:
    """A line where a digit's loss is low, and a tick there and near the top."""
    axes.axhline(LOW, color=style().colours.muted, lw=0.5 * style().line, ls=(0, (4, 2)), zorder=1)
    top = axes.get_ylim()[1]
    if axes.get_yscale() == "linear" and top >= 2 * LOW:
        axes.set_yticks([0, LOW, np.floor(top)])
        axes.yaxis.set_major_formatter("{x:g}")


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


def _of_digits(data: xr.Dataset, memorised: int) -> list[_marks.Mark]:
    """From when on the first digit and the last stay low, on their curves."""
    tints, losses = changes.digit_colours(data), data["token_test_loss"]
    return [
        _marks.Mark(at, float(losses.sel(tested_epoch=at)[k]), f"{at:,}", tints[k], "center", 1.2)
        for k, at in _ends(data, memorised) or ()
    ]


def _ends(data: xr.Dataset, memorised: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The first digit whose loss rose and then stays low, and the last of all, with their epochs.

    None where a digit does not come to stay low, or no loss rose above that while it memorised.
    """
    epochs = data["tested_epoch"].values
    low, risen = [], []
    for k in range(data.sizes["digit"]):
        loss = np.nan_to_num(data["token_test_loss"].values[:, k].astype(float))
        above = np.flatnonzero(loss >= LOW)
        after = int(above[-1]) + 1 if above.size else 0
        if after == len(epochs):
            return None
        low.append((int(epochs[after]), k))
        if epochs[loss.argmax()] >= memorised / 2 and loss.max() >= LOW:
            risen.append(low[-1])
    if len(risen) < 2:
        return None
    (begin, first), (end, last) = min(risen), max(low)
    return (first, begin), (last, end)
