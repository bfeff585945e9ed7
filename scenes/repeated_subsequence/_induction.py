"""What the scenes of induction share: two kinds of heads, and their scores below the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks

from grokviz.errors import InputError
from grokviz.scene import Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

SCORES = {"induction": "induction_score", "previous token": "previous_token_score"}
"""The score of each kind of head."""

DEFINITIONS = (
    "Induction score: mean attention from the scored positions to the tokens after the earlier "
    "copies of the same token, on fresh sequences."
)

BEST = "In colour the head with the highest at the end of the picture, in grey the others."

LOOKS = 0.25
"""A head looks somewhere with this mean attention or more: chance gives a tenth of it."""

PREVIOUS = "Previous-token score: mean attention to the position before."

RISE = 0.25
"""The induction score rises by so much, of 1, where a sentence speaks of its rise."""

HEADS = "heads: Olsson et al. (2022), arXiv:2209.11895"
"""Whose word the heads' names are."""


def told(data: xr.Dataset, i: int, wanted: Mapping[str, str | None]) -> str:
    """The loss and the scores of two heads at checkpoint ``i``, and where the loss fell."""
    word, at = clocks.word(data), clocks.at(data, "epoch", i)
    now = f"At {at} the loss on {changes.fresh(data)} is {float(data['held_out_loss'][i]):.3g}"
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
    above_heads: ClassVar[str] = ""
    of_heads: ClassVar[str] = "induction (%)"
    needs = (
        "logged_train_loss", "logged_test_loss", "held_out_loss", "event_epoch", "phase_end",
        "induction_score", "previous_token_score",
    )  # fmt: skip
    wishes = ("held_out_sequences",)
    aspect = 1.6
    narrow_aspect = 0.8
    ends_with_film = True

    loss: Literal["linear", "log"] = option("linear", "how the loss is spaced")
    time: Literal["linear", "log"] = option("linear", "how steps are spaced")
    others: bool = option(True, "the other heads' scores, in grey")
    previous: bool = option(False, "how much the best previous-token head looks a token back, too")
    induction_head: str | None = option(None, "LAYER.HEAD in colour; without it the best")
    previous_head: str | None = option(None, "LAYER.HEAD to look a token back; without it the best")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless there is a loss, and more than one checkpoint."""
        super().check(data)
        changes.require_losses(cls.name, data)
        changes.require_checkpoints(cls.name, data)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The loss above, the heads below, the change shaded through both."""
        headed = bool(self.above_heads) and not style().narrow(figure)
        apart, curves = self.apart(data), changes.losses(data)
        heights = (1.2, 0.6, 1) if apart else (1, 1)
        above, *strips, below = changes.rooms(figure, data, heights, 9.6, 2.8 if headed else 1.4)
        if strips and headed:
            # only the heads have words above them
            room, box = 1.4 / style().ems(figure)[1], above.get_position()
            above.set_position((box.x0, box.y0 - room, box.width, box.height + room))
        end, small = changes.end(data), curves.pop("train", None) if apart else None
        loss = changes.ChangePanel(
            above, data, curves, ylabel="loss (nats)", log=self.loss == "log",
            time=self.time, end=end, phases=self.phases,
        )  # fmt: skip
        logs = [
            changes.ChangePanel(
                axes, data, {"train\n(log scale)": small}, ylabel="loss", log=True,
                time=self.time, end=end, phases="none" if self.phases == "none" else "shaded",
            )
            for axes in strips if small is not None
        ]  # fmt: skip
        heads = changes.ChangePanel(
            below, data,
            head_curves(data, self.wanted(), rest=self.others, alike=self.alike(data)),
            ylabel=self.of_heads if len(self.wanted()) == 1 else "attention (%)",
            time=self.time, end=end, ylim=(0, 100), yticks=(0, 50, 100),
            phases="none" if self.phases == "none" else "shaded",
        )  # fmt: skip
        panels.without_time(above, *strips)
        if headed:
            style().note(below, self.above_heads, (0, 1), (0, 0.45), color=style().colours.muted)
        marks = self.marks(data), [self._percent(data, moment) for moment in self.moments(data)]
        parts = []
        for panel, own in zip((loss, heads), marks, strict=True):
            clear = _marks.clear(panel.axes, own, panel.curves.values())
            placed = changes.after_names(clear, panel.names, end)
            parts.append(_marks.draw(panel.axes, placed, data["epoch"]))
        drawn = (panel.along(data["epoch"]) for panel in (loss, *logs, heads))
        return Drawing.of(*drawn, *parts)

    def apart(self, data: xr.Dataset) -> bool:
        """Whether the train loss has a logarithmic panel of its own below the test loss."""
        return False

    def alike(self, data: xr.Dataset) -> Sequence[tuple[int, int]]:
        """The heads of which the sentence speaks besides the best, as (layer, number)."""
        return ()

    def moments(self, data: xr.Dataset) -> tuple[float, ...]:
        """The epochs of whose induction score the sentence speaks."""
        return ()

    def marks(self, data: xr.Dataset) -> list[_marks.Mark]:
        """The losses of which the sentence speaks."""
        return []

    def definitions(self) -> str:
        """What the scores are that are drawn, and which heads are in colour."""
        words = f"{DEFINITIONS} {self.coloured()}"
        return f"{words} {PREVIOUS}" if len(self.wanted()) > 1 else words

    def coloured(self) -> str:
        """Which heads are in colour."""
        return BEST

    def score(self, data: xr.Dataset, at: float) -> float:
        """The induction score of the head in colour at an epoch, interpolated."""
        scores = data["induction_score"].values[:, *head_of(data, "induction", self.induction_head)]
        return float(np.interp(at, data["epoch"].values, np.nan_to_num(scores.astype(float))))

    def head(self, data: xr.Dataset) -> str:
        """The head in colour as LAYER.HEAD."""
        layer, number = head_of(data, "induction", self.induction_head)
        return f"{layer}.{number}"

    def _percent(self, data: xr.Dataset, moment: float) -> _marks.Mark:
        """A dot at the induction score of a moment, and its percentage above it."""
        score, share = self.score(data, moment), moment / changes.end(data)
        ha: Literal["left", "center", "right"] = "left" if share < 0.1 else "center"
        return _marks.Mark(
            moment, 100 * score, f"{100 * score:.0f}%", kind_colours()["induction"],
            "right" if share > 0.9 else ha, 0.8,
        )  # fmt: skip

    def description(self, data: xr.Dataset, i: int) -> str:
        """When the loss fell, and both heads' scores then and now."""
        word = clocks.word(data)
        return f"Loss over {word}s, and heads' attention below it. {told(data, i, self.wanted())}"

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the change: little moves later."""
        return 0, changes.span(data)

    def wanted(self) -> dict[str, str | None]:
        """The heads asked for, by kind: None for the best."""
        wanted = {"induction": self.induction_head}
        both = self.previous or self.previous_head is not None
        return {**wanted, "previous token": self.previous_head} if both else wanted


def head_of(data: xr.Dataset, kind: str, wanted: str | None) -> tuple[int, int]:
    """Layer and number of the best head of a kind where the film ends, or of the one wanted."""
    if wanted is None:
        scores = np.nan_to_num(data[SCORES[kind]].values[changes.last_shown(data)].astype(float))
        layer, head = np.unravel_index(scores.argmax(), scores.shape)
        return int(layer), int(head)
    layers, heads = data.sizes["layer"], data.sizes["head"]
    layer, dot, head = wanted.partition(".")
    if not (dot and layer.isdigit() and head.isdigit()) or (
        int(layer) >= layers or int(head) >= heads
    ):
        raise InputError(
            f"there is no head {wanted}: write LAYER.HEAD, from 0.0 to {layers - 1}.{heads - 1}"
        )
    return int(layer), int(head)


def kind_colours() -> dict[str, str]:
    """The colour of each kind of head: the same in all scenes."""
    first, second = style().colours.frequencies[:2]
    return {"induction": first, "previous token": second}


def head_curves(
    data: xr.Dataset,
    wanted: Mapping[str, str | None],
    *,
    rest: bool = True,
    alike: Sequence[tuple[int, int]] = (),
) -> dict[str, panels.Curve]:
    """The scores of the head of each kind, in its colour, and of the others in grey.

    Of induction heads those ``alike`` are in its colour too, and one name is for all of them.
    """
    heads = {kind: head_of(data, kind, head) for kind, head in wanted.items()}
    curves: dict[str, panels.Curve] = {}
    for kind in heads if rest else ():
        values = data[SCORES[kind]].values
        same = {heads[kind], *(alike if kind == "induction" else ())}
        others = [at for at in np.ndindex(*values.shape[1:]) if at not in same]
        # one name stands for all of them, at the one that ends highest
        others.sort(key=lambda at: float(np.nan_to_num(values[(-1, *at)])), reverse=True)
        for layer, head in others:
            named = changes.OTHERS not in curves
            curves[changes.OTHERS if named else f"_{kind} {layer}.{head}"] = panels.at_checkpoints(
                data, 100 * values[:, layer, head], style().colours.faint
            )
    for kind, (layer, head) in heads.items():
        if kind == "induction" and alike:
            curves |= {
                f"_{layer}.{number}": panels.at_checkpoints(
                    data, 100 * data[SCORES[kind]].values[:, layer, number], kind_colours()[kind]
                )
                for layer, number in alike
            }
        what = f"layer {layer}, head {head}"
        name = f"head {layer}.{head}:\n{what}" if len(heads) == 1 else f"{kind}:\n{what}"
        if kind == "induction" and alike:
            layers = {layer, *(one for one, _ in alike)}
            where = f"layer {layer}" if len(layers) == 1 else f"{len(layers)} layers"
            name = f"{len(alike) + 1} heads of\n{where}"
        curves[name] = panels.at_checkpoints(
            data, 100 * data[SCORES[kind]].values[:, layer, head], kind_colours()[kind]
        )
    return curves


def _scores(data: xr.Dataset, i: int, wanted: Mapping[str, str | None]) -> list[str]:
    scores = []
    for kind, asked in wanted.items():
        layer, head = head_of(data, kind, asked)
        score = float(data[SCORES[kind]].values[i, layer, head])
        scores.append(f"{kind} head {layer}.{head} scores {score:.2f}")
    return scores
