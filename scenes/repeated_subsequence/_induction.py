"""What the scenes of induction share: two kinds of heads, and their scores below the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes

from grokviz.errors import InputError
from grokviz.scene import Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SCORES = {"induction": "induction_score", "previous token": "previous_token_score"}
"""The score of each kind of head."""

DEFINITIONS = (
    "Induction score: mean attention from the scored positions to the tokens after the earlier "
    "copies of the same token. Previous-token score: mean attention to the position before. In "
    "colour the heads of each kind with at least 25% of it at the end, or else the best one, in "
    "grey the others; both are measured on fresh sequences."
)

LOOKS = 0.25
"""A head looks somewhere with this mean attention or more: chance gives a tenth of it."""

RISE = 0.25
"""The induction score rises by so much, of 1, where a sentence speaks of its rise."""

HEADS = "heads: Olsson et al. (2022), arXiv:2209.11895"
"""Whose word the heads' names are."""


def told(data: xr.Dataset, i: int, wanted: Mapping[str, str | None]) -> str:
    """The loss and the scores of two heads at checkpoint ``i``, and where the loss fell."""
    word, at = clocks.word(data), clocks.at(data, "epoch", i)
    now = f"At {at} the loss on fresh sequences is {float(data['held_out_loss'][i]):.3g}"
    sentences = [f"{', '.join([now, *_scores(data, i, wanted)])}."]
    fall_span = changes.fall(data)
    if fall_span is not None and not data.sizes["tested_epoch"]:
        near = [int(np.abs(data["epoch"].values - x).argmin()) for x in fall_span]
        before, after = (", ".join(_scores(data, k, wanted)) for k in near)
        sentences.append(
            f"The training loss fell between {word}s {fall_span[0]:.0f} and {fall_span[1]:.0f}: "
            f"before it {before}; after it {after}."
        )
    elif data.sizes["tested_epoch"]:
        sentences.append(changes.overfitting(data))
    return " ".join(sentences)


@dataclass(frozen=True)
class HeadsBelowLoss(Scene):
    """The loss, and every head's induction or previous-token score below it."""

    phases: ClassVar[Literal["named", "none"]] = "named"
    needs = (
        "logged_train_loss", "logged_test_loss", "held_out_loss", "event_epoch", "phase_end",
        "induction_score", "previous_token_score", "shown_layer", "shown_number",
    )  # fmt: skip
    aspect = 1.6
    narrow_aspect = 0.8
    ends_with_film = True

    loss: Literal["linear", "log"] = option("linear", "how the loss is spaced")
    time: Literal["linear", "log"] = option("linear", "how steps are spaced")
    others: bool = option(True, "the other heads' scores, in grey")
    induction_head: str | None = option(
        None, "LAYER.HEAD alone in colour; without it all that have come to look so at the end"
    )
    previous_head: str | None = option(None, "LAYER.HEAD alone in colour, as induction-head")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless there is a loss, and more than one checkpoint."""
        super().check(data)
        changes.require_losses(cls.name, data)
        changes.require_checkpoints(cls.name, data)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The loss above, the heads below, the change shaded through both."""
        above, below = changes.rooms(figure, data, (1, 1), right=9.6)
        moments = self.moments(data)
        end = changes.end(data)
        loss = changes.ChangePanel(
            above, data, changes.losses(data), ylabel="loss (nats)", log=self.loss == "log",
            time=self.time, end=end, phases=self.phases,
        )  # fmt: skip
        heads = changes.ChangePanel(
            below, data, head_curves(data, self.wanted(), rest=self.others),
            ylabel="mean attention", time=self.time, end=end, ylim=(0, 1), yticks=(0, 0.5, 1),
            phases="none" if self.phases == "none" else "shaded",
        )  # fmt: skip
        panels.without_time(above)
        parts = [_percent(below, data, moment) for moment in moments]
        return Drawing.of(loss.along(data["epoch"]), heads.along(data["epoch"]), *parts)

    def moments(self, data: xr.Dataset) -> tuple[float, ...]:
        """The epochs of whose best induction score the sentence speaks."""
        return ()

    def description(self, data: xr.Dataset, i: int) -> str:
        """When the loss fell, and both heads' scores then and now."""
        word = clocks.word(data)
        return f"Loss over {word}s, and heads' scores below it. {told(data, i, self.wanted())}"

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the change: little moves later."""
        return 0, changes.span(data)

    def wanted(self) -> dict[str, str | None]:
        """The heads asked for, by kind."""
        return {"induction": self.induction_head, "previous token": self.previous_head}


def head_of(data: xr.Dataset, kind: str, wanted: str | None) -> tuple[int, int]:
    """Layer and number of the best head of a kind, or of the one wanted as LAYER.HEAD."""
    if wanted is None:
        at = list(data["shown_head"].values).index(kind)
        return int(data["shown_layer"].values[at]), int(data["shown_number"].values[at])
    layers, heads = data.sizes["layer"], data.sizes["head"]
    layer, dot, head = wanted.partition(".")
    if not (dot and layer.isdigit() and head.isdigit()) or (
        int(layer) >= layers or int(head) >= heads
    ):
        raise InputError(
            f"there is no head {wanted}: write LAYER.HEAD, from 0.0 to {layers - 1}.{heads - 1}"
        )
    return int(layer), int(head)


def heads_of(data: xr.Dataset, kind: str, wanted: str | None) -> list[tuple[int, int]]:
    """The heads of a kind: all that have come to look so at the end, or else the best."""
    best = head_of(data, kind, wanted)
    last = np.nan_to_num(data[SCORES[kind]].values[-1].astype(float))
    if wanted is not None or last[best] < LOOKS:
        return [best]
    return [(int(layer), int(head)) for layer, head in np.argwhere(last >= LOOKS)]


def kind_colours() -> dict[str, str]:
    """The colour of each kind of head: the same in all scenes."""
    first, second = style().colours.frequencies[:2]
    return {"induction": first, "previous token": second}


def head_curves(
    data: xr.Dataset, wanted: Mapping[str, str | None], *, rest: bool = True
) -> dict[str, panels.Curve]:
    """The scores of the heads of each kind, in its colour, and of the others in grey."""
    heads = {kind: heads_of(data, kind, wanted.get(kind)) for kind in SCORES}
    curves: dict[str, panels.Curve] = {}
    if rest:
        for kind, name in SCORES.items():
            values = data[name].values
            others = [at for at in np.ndindex(*values.shape[1:]) if at not in heads[kind]]
            # one name stands for all of them, at the one that ends highest
            others.sort(key=lambda at: float(np.nan_to_num(values[(-1, *at)])), reverse=True)
            for layer, head in others:
                named = changes.OTHERS not in curves
                curves[changes.OTHERS if named else f"_{kind} {layer}.{head}"] = (
                    panels.at_checkpoints(data, values[:, layer, head], style().colours.faint)
                )
    for kind, name in SCORES.items():
        numbers = [f"{layer}.{head}" for layer, head in heads[kind]]
        # one name stands for all of them
        word = f"head {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} heads"
        for n, (layer, head) in enumerate(heads[kind]):
            curves[f"_{kind} {numbers[n]}" if n else f"{kind}\n{word}"] = panels.at_checkpoints(
                data, data[name].values[:, layer, head], kind_colours()[kind]
            )
    return curves


def _percent(axes: Axes, data: xr.Dataset, moment: float) -> Drawing:
    """A dot at the best induction score of a moment, and its percentage above it."""
    score, colour = best_score(data, moment), kind_colours()["induction"]
    marks = axes.plot(
        moment, score, "o", color=colour, ms=0.4 * style().points, mew=0, zorder=5, clip_on=False
    )
    share = moment / changes.end(data)
    marks.append(style().label(
        axes, moment, score, f"{100 * score:.0f}%", lift=0.45, color=colour, zorder=6,
        ha="left" if share < 0.1 else "center" if share < 0.9 else "right",
    ))  # fmt: skip
    if style().ghost:
        return Drawing()
    epochs = data["epoch"].values

    def update(i: int) -> None:
        for mark in marks:
            mark.set_visible(bool(epochs[i] >= moment))

    return Drawing(marks, update)


def best_score(data: xr.Dataset, at: float) -> float:
    """The highest induction score of any head, between checkpoints in proportion, at an epoch."""
    scores = data["induction_score"].values.astype(float)
    highest = np.nan_to_num(scores.reshape(len(scores), -1)).max(axis=1)
    return float(np.interp(at, data["epoch"].values, highest))


def _scores(data: xr.Dataset, i: int, wanted: Mapping[str, str | None]) -> list[str]:
    scores = []
    for kind, name in SCORES.items():
        layer, head = head_of(data, kind, wanted.get(kind))
        score = float(data[name].values[i, layer, head])
        scores.append(f"{kind} head {layer}.{head} scores {score:.2f}")
    return scores
