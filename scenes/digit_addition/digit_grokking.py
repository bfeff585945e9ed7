"""Figure 23: with few sums to learn from, adding numbers digit by digit is grokked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any._papers import after

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

NEAR = 0.1
"""Digits move together where their losses differ by at most this share, in the mean."""


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
        # as high as the line goes, and where it ends
        test = data["logged_test_loss"].values
        test = test[np.isfinite(test)]
        since = data["tested_epoch"].values[np.isfinite(data["logged_test_loss"].values)]
        top, last = float(test[since >= learned.memorised / 2].max()), float(test[-1])
        sentence = (
            f"Memorised by {clocks.word(data)} {learned.memorised:,}; the test loss then falls "
            f"from {top:.2g} to {last:.2g}"
        )
        return Claim(sentence, self._watch(data, learned), numbers={"largest": top, "last": last})

    def _watch(self, data: xr.Dataset, learned: changes.Overfit) -> str:
        """Which of the digits whose loss rose comes down first, and which last."""
        word, halved = clocks.word(data), sorted(_halved(data, learned.memorised).items(),
                                                 key=lambda row: row[1])  # fmt: skip
        if len(halved) < 2:
            return self.watch
        (first, begin), (last, end) = halved[0], halved[-1]
        return f"halved for good: the {first} by {word} {begin:,}, the {last} last, by {end:,}"

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The two losses, and the digits' below them where asked."""
        rooms = changes.rooms(figure, data, (1, 1.2) if self.digits else (1,), right=6.0)
        plots = [("loss (nats)", changes.losses(data)), ("test loss of a digit", _digits(data))]
        drawn = [
            changes.ChangePanel(
                axes, data, curves, ylabel=label, log=self.loss == "log", time=self.time,
                end=float(data["tested_epoch"].values[-1]), clock="tested_epoch", floor=1e-9,
                phases="named" if axes is rooms[0] else "shaded",
            )
            for axes, (label, curves) in zip(rooms, plots, strict=False)
        ]  # fmt: skip
        panels.without_time(*rooms[:-1])
        return Drawing.of(*(panel.along(data["tested_epoch"]) for panel in drawn))

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
            f"sums all the time.{below} {after('figure 23')}"
        )


def _digits(data: xr.Dataset) -> dict[str, panels.Curve]:
    x, y = data["tested_epoch"].values, data["token_test_loss"].values
    tints = changes.digit_colours(data)
    together = _together(data)
    curves = {}
    for k, name in enumerate(changes.digit_names(data)):
        curve = panels.Curve.of(x, y[:, k], style().colours.faint if k in together else tints[k])
        # one name, with a line for each of them, stands for all that move together
        curves[name if k not in together else f"_{name}"] = curve
    if together:
        names = [changes.digit_names(data)[k] for k in together]
        curves["\n".join(names)] = curves.pop(f"_{names[len(names) // 2]}")
    return curves


def _together(data: xr.Dataset) -> list[int]:
    """The digits whose test losses are all but the same for most of the time; at least two."""
    loss = data["token_test_loss"].values.astype(float)
    late = np.nan_to_num(loss[len(loss) // 4 :])
    level = late.mean(axis=0)
    best: list[int] = []
    for k in range(late.shape[1]):
        apart = np.abs(late - late[:, [k]]).mean(axis=0)
        near = [int(n) for n in np.flatnonzero(apart <= NEAR * np.maximum(level, level[k]))]
        best = max(best, near, key=len)
    return best if len(best) > 1 and level[best].min() > 0 else []


def _halved(data: xr.Dataset, memorised: int) -> dict[str, int]:
    """From when on each digit whose loss rose and came down stays below half its peak."""
    epochs, halved = data["tested_epoch"].values, {}
    for k, name in enumerate(changes.digit_names(data)):
        loss = np.nan_to_num(data["token_test_loss"].values[:, k].astype(float))
        top = int(loss.argmax())
        above = int(np.flatnonzero(loss >= loss[top] / 2)[-1])
        if epochs[top] >= memorised / 2 and above + 1 < len(epochs):
            halved[name] = int(epochs[above + 1])
    return halved
