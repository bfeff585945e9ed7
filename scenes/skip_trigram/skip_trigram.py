"""A skip trigram: a phase change on fresh data, and overfitting first on few sequences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks

from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

RISE, FINDS = 0.25, 0.5
"""The attention rises by so much, of 1, where the sentence speaks of its rise, or of its find."""

AFTER = 1.35
"""The picture ends when so many times the steps until the fall's end are over: no more moves."""


@dataclass(frozen=True)
class SkipTrigram(Scene):
    """The attention to the one token that tells, and the loss as its mirror image, or above it."""

    name = "skip-trigram"
    panels = ("held-out", "loss")
    title = "The loss falls as attention finds the one token that tells"
    watch = "Task: name the one token that is not noise"
    source = "non-modular notebook of the grokking work; thread, tweet 2"
    needs = (
        "logged_train_loss", "logged_test_loss", "key_attention", "held_out_loss", "event_epoch",
        "phase_end",
    )  # fmt: skip
    wishes = ("held_out_sequences",)
    recipe = "skip-trigram"
    reference = "skip-trigram"
    aspect = 1.6
    narrow_aspect = 0.8
    ends_with_film = True

    loss: Literal["linear", "log"] = option("linear", "how the loss is spaced")
    time: Literal["linear", "log"] = option("linear", "how steps are spaced")
    attention: bool = option(True, "the attention to the one token that tells")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless there is a loss, and more than one checkpoint."""
        super().check(data)
        changes.require_losses(cls.name, data)
        changes.require_checkpoints(cls.name, data)

    def claim(self, data: xr.Dataset) -> Claim:
        """That the loss fell, and how far the attention turned meanwhile."""
        fall_span = changes.fall(data)
        if fall_span is None or data.sizes["tested_epoch"]:
            return Claim.instead(changes.no_fall(data))
        high, low = (changes.loss_near(data, epoch) for epoch in fall_span)
        if not low < high:
            return Claim.instead(changes.no_fall(data))
        before, after = _attention(data, fall_span)
        shares = f"from {100 * before:.0f}% to {100 * after:.0f}%"
        turns = "attention to the token that tells"
        if after - before < RISE:
            return Claim.instead(f"The loss falls; {turns} goes {shares}")
        if after - before < FINDS:
            return Claim.instead(f"The loss falls as {turns} rises {shares}")
        numbers = {"high": high, "low": low, "before": before, "after": after}
        return Claim(self.title, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Both as shares of 1 in one panel, or the loss above, the attention below."""
        whole = self._whole(data)
        if whole:
            return self._mirror(figure, data, whole)
        losses, last = changes.losses(data), self._last(data)
        # one curve needs no name, which its axis has
        right = 8.4 if len(losses) > 1 else 1.6
        losses = losses if len(losses) > 1 else {"_loss": next(iter(losses.values()))}
        heights = (1, 1) if self.attention else (1,)
        rooms = changes.rooms(figure, data, heights, right=right, vgap=1.8)
        # the title says of a lone loss what its shade is of
        shades: Any = "named" if len(losses) > 1 else "shaded"
        drawn = [changes.ChangePanel(
            rooms[0], data, losses, ylabel="loss (nats)", log=self.loss == "log",
            time=self.time, end=last, phases=shades, floor=1e-9,
        )]  # fmt: skip
        if self.attention:
            colour = style().colours.frequencies[0]
            attention = panels.at_checkpoints(data, 100 * data["key_attention"], colour)
            drawn.append(changes.ChangePanel(
                rooms[1], data, {"_to the token": attention}, ylabel="attention (%)",
                time=self.time, end=last, ylim=(0, 100), yticks=(0, 50, 100),
            ))  # fmt: skip
        panels.without_time(*rooms[:-1])
        fall_span = () if data.sizes["tested_epoch"] else changes.fall(data) or ()
        # a lone curve without a name is not one of the rest, which are thin
        for panel in drawn:
            for trace in panel.traces.values() if len(panel.traces) == 1 else ():
                for line in trace.lines:
                    line.set_linewidth(style().line)
        losses_at = changes.fall_marks(data, fall_span)
        # below the curve, where there is more room
        losses_at[:1] = [mark._replace(ha="right", lift=-1.1) for mark in losses_at[:1]]
        marks = losses_at, _marks_of_attention(data, fall_span)
        return Drawing.of(
            *(panel.along(data["epoch"]) for panel in drawn),
            *(_marks.draw(*one, data["epoch"]) for one in zip(rooms, marks, strict=False)),
        )

    def _whole(self, data: xr.Dataset) -> float:
        """The loss at the start, of which the loss is a share in the picture; 0 where it is not."""
        if not self.attention or self.loss == "log" or data.sizes["tested_epoch"]:
            return 0.0
        first = changes.loss_near(data, 0)
        return first if np.isfinite(first) and first > 0 else 0.0

    def _mirror(self, figure: FigureBase, data: xr.Dataset, whole: float) -> Drawing:
        """The attention, strong, and the loss as a share of its start, on one scale."""
        (axes,) = style().stack(figure, (1,), left=5.0, right=9.4, top=1.0)
        (loss,) = changes.losses(data).values()
        loss = replace(loss, y=100 * loss.y / whole, colour=style().colours.muted)
        colour = style().colours.frequencies[0]
        attention = panels.at_checkpoints(data, 100 * data["key_attention"], colour)
        finite = loss.y[np.isfinite(loss.y)]
        panel = changes.ChangePanel(
            axes, data, {"loss\n(100% at start)": loss, "attention\nto that token": attention},
            ylabel="share (%)", time=self.time, end=self._last(data), phases="none",
            ylim=(0, 1.02 * max(100.0, float(finite.max()))), yticks=(0, 50, 100),
        )  # fmt: skip
        for line in panel.traces["attention\nto that token"].lines:
            line.set_linewidth(1.6 * line.get_linewidth())
        # where the title has no numbers, the two curves alone are the picture
        moments = () if self.claim(data).holds else changes.fall(data) or ()
        marks = _marks_of_attention(data, moments)
        return Drawing.of(panel.along(data["epoch"]), _marks.draw(axes, marks, data["epoch"]))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The loss and the attention at that moment, and when the loss fell."""
        word, now = clocks.word(data), data.isel(epoch=i)
        words = [
            f"Loss over {word}s, and attention to the one token that tells. At {word} "
            f"{int(now['epoch'])} the loss on {changes.fresh(data)} is "
            f"{float(now['held_out_loss']):.2g} "
            f"and {percent(float(now['key_attention']))} of the attention goes to that token."
        ]
        fall_span = changes.fall(data)
        if data.sizes["tested_epoch"]:
            words.append(changes.overfitting(data))
        elif fall_span is not None:
            words.append(
                f"The loss fell between {word}s {fall_span[0]:.0f} and {fall_span[1]:.0f}."
            )
        return " ".join(words)

    def definition(self, data: xr.Dataset) -> str:
        """With the task and the citation."""
        finite = bool(data.sizes["tested_epoch"])
        trained = "on the same few sequences" if finite else "each sequence seen once"
        scale = " The loss is drawn as a share of its value at the start." * bool(self._whole(data))
        return (
            "Loss of a one-layer attention-only transformer that names the one token that tells "
            f"among noise, {trained}, and its mean attention from the last token to that one on "
            f"fresh sequences.{scale}{changes.tested_on(data)} After the non-modular notebook of "
            "Nanda et al. (2023), arXiv:2301.05217."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the fall: little moves later."""
        return 0, changes.span(data, after=AFTER)

    def _last(self, data: xr.Dataset) -> float:
        """The last moment of the film, at which its axes end."""
        end = self.film_span(data)[1]
        return float(data["epoch"].values[clocks.index_up_to(data, "epoch", end)])


def _attention(data: xr.Dataset, epochs: tuple[float, ...]) -> tuple[float, ...]:
    """The attention to the token that tells at some epochs, between checkpoints in proportion."""
    attention = np.nan_to_num(data["key_attention"].values.astype(float))
    return tuple(float(x) for x in np.interp(epochs, data["epoch"].values, attention))


def _marks_of_attention(data: xr.Dataset, epochs: tuple[float, ...]) -> list[_marks.Mark]:
    colour = style().colours.frequencies[0]
    # beside the curve, which rises steeply in a column
    sides = ("right", "left")
    return [
        _marks.Mark(at, 100 * share, f"{100 * share:.0f}%", colour, ha, lift)
        for at, share, ha, lift in zip(
            epochs, _attention(data, epochs), sides, (1.2, -1.1), strict=False
        )
    ]
