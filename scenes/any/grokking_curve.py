"""The curve that gave grokking its name: memorise, wait, generalise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any._papers import after

from grokviz.dataset import schema
from grokviz.dataset.learning import LOW
from grokviz.scene import Claim, Drawing, Scene, option, panels, published, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import losses_of, outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


DELAY = 1000
"""Epochs from memorising to generalising that the title speaks of."""


@dataclass(frozen=True)
class GrokkingCurve(Scene):
    """Train and test loss, phases shaded; accuracy and logarithmic time as options."""

    name = "grokking-curve"
    panels = ("loss",)
    title = "It memorises at once and generalises thousands of epochs later"
    watch = "the test loss stays high long after the training loss is gone, then falls"
    source = "thread, tweet 1; arXiv:2301.05217, figure 2"
    needs = ("logged_train_loss", "logged_test_loss", "phase_end")
    narrow_aspect = 1.05
    ends_with_film = True
    paper_figures = {"2": {"accuracy": True}}  # noqa: RUF012

    time: Literal["linear", "log"] = option("linear", "how epochs are spaced")
    accuracy: bool = option(False, "accuracy in a panel below (needs the run's split)")

    published: bool = option(False, published.HELP)

    def variables(self) -> tuple[str, ...]:
        """With the accuracy, where it is drawn (it takes a forward pass), and published curves."""
        others = (published.TRAIN, published.TEST) if self.published else ()
        return (*self.needs, *(("accuracy",) if self.accuracy else ()), *others)

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a loss was logged that has a place on the axis."""
        super().check(data)
        changes.require_losses(cls.name, data, positive=True)

    def claim(self, data: xr.Dataset) -> Claim:
        """When it memorised and when it generalised, of a run that grokked."""
        run = outcome(data)
        if run.delay is None or run.delay < DELAY:
            return Claim.instead(run.sentence, published.WORDS if self.published else "")
        sentence = f"{run.sentence.partition(',')[0]}, generalised {run.delay:,} {run.word}s later"
        watch = "the test loss stays high, then falls"
        watch = published.watch(watch) if self.published else self.watch
        return Claim(sentence, watch, numbers={"delay": run.delay})

    def index_of(self, data: xr.Dataset, wanted: str | int | None) -> int:
        """On logarithmic time the whole run has room: without a moment asked for, the last."""
        return super().index_of(data, "last" if wanted is None and self.time == "log" else wanted)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The loss with the delay, and the accuracy where asked."""
        heights = (1.6, 1) if self.accuracy else (1,)
        rooms = style().stack(figure, heights, left=5.0, vgap=1.2)
        end = float(data["epoch"].values[-1]) if self.time == "log" else None
        drawn: list[panels.CurvePanel] = [
            panels.LossPanel(
                rooms[0], data, time=self.time, end=end,
                behind=published.losses(data) if self.published else None,
            )
        ]  # fmt: skip
        if self.accuracy:
            schema.check(data, ["accuracy"])
            drawn.append(_Accuracy(
                rooms[1], data, panels.splits(data, "accuracy", 100), ylabel="accuracy (%)",
                time=self.time, end=end, ylim=(-4, 104), yticks=(0, 50, 100),
            ))  # fmt: skip
        panels.without_time(*rooms[:-1])
        parts = [panel.along(data["epoch"]) for panel in drawn]
        return Drawing.of(*parts, _delay(rooms[0], data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """When it memorised and when it generalised, from the data."""
        run, word, test = outcome(data), clocks.word(data), losses_of(data, "test").loss
        test = test[np.isfinite(test)]
        words = [f"The training loss ends at {run.train:.2g}"]
        if np.isnan(run.train):
            words = ["The training loss was not logged"]
        elif run.memorised is not None:
            words = [f"The training loss is first below 0.1 at {word} {run.memorised}"]
        if test.size:
            words.append(f"the test loss is at most {test.max():.3g}")
            ends = clocks.phase_ends(data)
            if ends is not None:
                words.append(f"is below half of that from {word} {ends[1]} on")
            words.append(f"and ends at {run.test:.2g}")
        else:
            words.append("no test loss was logged")
        return (
            f"Training and test loss over {word}s, loss on a logarithmic axis, marked at "
            f"{clocks.at(data, 'epoch', i)}. {', '.join(words)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the phases' rule and the citation."""
        return (
            "Training and test loss. Memorisation ends at the largest test loss, circuit formation "
            "where it is first below half of that, clean-up where its logarithm has fallen 95% of "
            f"the way.{published.definition(data) if self.published else ''} {after('figure 2')}"
        )


def _delay(axes: Axes, data: xr.Dataset) -> Drawing:
    """An arrow from memorising to generalising, where both losses are 0.1, and how long it is."""
    run = outcome(data)
    if run.delay is None or run.delay < DELAY:
        return Drawing()
    first, last = float(run.memorised or 0), float(run.generalised or 0)
    look = {"arrowstyle": "<|-|>", "lw": style().line * 0.6, "color": style().colours.ink,
            "shrinkA": 0, "shrinkB": 0}  # fmt: skip
    arrow = axes.annotate("", (first, LOW), (last, LOW), arrowprops=look, zorder=6)
    words, epochs, whole = f"{run.delay:,} {run.word}s", data["epoch"].values, style().ghost
    text = style().label(axes, last, LOW, words, lift=0.35, zorder=6)
    look = {"va": "top", "zorder": 6}
    under = [
        style().label(axes, first, LOW, f" {first:,.0f}", lift=-0.35, ha="left", **look),
        style().label(
            axes, last, LOW, f"loss {LOW:g} ", lift=-0.35, ha="right", **look,
            color=style().colours.muted,
        ),
    ]  # fmt: skip
    small = style().pixels(axes, style().small)
    half, room = 0.33 * len(words) * small, 0.7 * small * sum(len(t.get_text()) for t in under)

    def update(i: int) -> None:
        for artist in (arrow, text, *under):
            artist.set_visible(whole or bool(epochs[i] >= last))
        # in the arrow's middle, and not left of it where the text is the longer one
        ends = axes.transData.transform([(first, LOW), (last, LOW)])
        if np.ptp(ends[:, 0]) < room:
            under[1].set_visible(False)
        middle = max(float(ends[:, 0].mean()), float(ends[0, 0]) + half)
        text.xy = axes.transData.inverted().transform((middle, ends[0, 1]))

    return Drawing([arrow, text, *under], update)


class _Accuracy(panels.CurvePanel):
    """Train and test accuracy: the colours are named in the panel above."""

    def name_curves(self, end: float) -> None:
        """Leave the curves without names."""
