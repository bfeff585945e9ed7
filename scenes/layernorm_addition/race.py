"""Optimisers in a race: the test accuracy of every run, on one track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _ridges
from grokviz.scenes.layernorm_addition import _lanes, _loss_scale

from grokviz.dataset.learning import LOW
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from grokviz.scenes.layernorm_addition._lanes import Lane
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

APART = 0.9
"""Room between the lanes of two models, in lanes."""

HIGH = 0.86
"""How high a run that is always right stands, in lanes."""

MANY = 7
"""So many lanes are all drawn; of more AdamW and those named in the title."""


PARTS = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 6: "a sixth",
         7: "a seventh", 8: "an eighth", 9: "a ninth", 10: "a tenth"}  # fmt: skip
"""One part of so many, in words."""

NEAR = 0.1
"""So near to a part, as a share of it, is called it."""


@dataclass(frozen=True)
class Race(Scene):
    """A lane for every optimiser: its runs' test accuracy as hills over the updates."""

    name = "race"
    title = "With LayerNorm, Muon learns in a third of AdamW's epochs"
    watch = "A hill is one run's share of right answers; a dot marks its first 95%"
    source = "arXiv:2501.04697; arXiv:2405.20233; PeterPonyu/muon-norm-cap-grokking"
    disputed = (
        "Disputed: whether Grokfast is faster (arXiv:2405.20233: yes, with Adam, on products mod "
        "97; the bundled runs, with AdamW, on sums: no), and whether gradient descent on hidden "
        "matrices groks (PeterPonyu/muon-norm-cap-grokking, results/group_complexity: in none of "
        "30 runs, with decay 1; its results/mech: in 3 of 3, without decay)."
    )
    needs = _lanes.NEEDS
    recipe = "layernorm-addition"
    reference = "race"
    aspect = 1.35
    narrow_aspect = 0.8
    ends_with_film = True

    by: Literal["accuracy", "loss"] = option("accuracy", "what the hills are")
    until: int | None = option(None, "last epoch shown; that of the last run by default")
    every: bool = option(False, "all lanes, of however many optimisers")
    rings: bool = option(False, "a ring where a run's test loss is first below 0.1")

    def __post_init__(self) -> None:
        if self.until is not None and self.until < 20:
            raise ValueError(f"until={self.until} is too early for a race; give 20 or more")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a run logged its test accuracy."""
        super().check(data)
        if not _lanes.lanes(data):
            raise InputError(
                f"{cls.name} draws test accuracies, and none of these runs logged one; train them "
                "with --set record-accuracy=on"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """Who is first with each model."""
        every = _lanes.lanes(data)
        models = _lanes.by_model(every)
        firsts = {model: _lanes.winner(some) for model, some in models.items()}
        numbers: dict[str, float] = {"optimisers": len(every)}
        for model, first in firsts.items():
            if first:
                numbers[f"{first.name}, {_model(model)}"] = max(first.accurate)
        sentence, holds, _ = self._sentence(models, firsts)
        watch = self.watch if self.by == "accuracy" else self._scale(data).watch()
        if self.rings:
            watch += ", a ring its test loss of 0.1"
        elif not all(lane.learns for lane in self._lanes(data)):
            watch += "; grey ends below it" if self.by == "accuracy" else "; grey ends below that"
        return Claim(sentence, watch, holds, numbers)

    def _sentence(
        self, models: dict[str, list[Lane]], firsts: dict[str, Lane | None]
    ) -> tuple[str, bool, list[str]]:
        """What is true of the winners, whether it is the scene's own, and whom it names."""
        arrived = {model: first for model, first in firsts.items() if first}
        both = len(models) == 2 and _lanes.LAYERNORM in models
        if both and (first := firsts[_lanes.LAYERNORM]):
            usual = [lane for lane in models[_lanes.LAYERNORM] if lane.name == "AdamW"]
            share = _share(first, usual[0]) if usual and usual[0].learns else ""
            if share:
                own = f"With LayerNorm, {first.name} learns in {share} of AdamW's epochs"
                return own, own == self.title, [first.name]
            other = next(model for model in models if model != _lanes.LAYERNORM)
            second = firsts[other]
            if second and second.name == first.name:
                return f"{first.name} is first, with LayerNorm and without", False, [first.name]
            if second:
                sentence = f"With LayerNorm {first.name} is first, without it {second.name}"
                return sentence, False, [first.name, second.name]
        count = sum(lane.learns for some in models.values() for lane in some)
        total = sum(len(some) for some in models.values())
        if len(models) == 1 and arrived and total > 1:
            (first,) = arrived.values()
            return f"{first.name} is the first of {total} to learn", False, [first.name]
        leaders = [first.name for first in arrived.values()]
        return f"{count} of {total} learn, each run of theirs, and keep it", False, leaders

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """All lanes on one time axis."""
        every, narrow = self._lanes(data), style().narrow(figure)
        # a narrow column has no room for long words beside the hills
        split = ",\n" if narrow else ", "
        names = [lane.name.replace(", ", split) for lane in every]
        words = [lane.result.replace(", ", split) for lane in every]
        axes = style().panels(
            figure, left=0.45 * _widest(names) + (1.4 if narrow else 4.2),
            right=0.42 * _widest(words) + (1.2 if narrow else 2.0), top=1.5,
        )[0][0]  # fmt: skip
        depths = [self._depth(data, lane) for lane in every]
        rows = _rows(every, depths)
        end = self._end(data)
        _ridges.frame(axes, end, rows[-1] + depths[-1], 1.0, time="log")
        colours = style().colours
        firsts = [_lanes.winner(some) for some in _lanes.by_model(every).values()]
        inks = [colours.ink if lane in firsts else colours.muted for lane in every]
        _ridges.name_rows(axes, names, inks, rows)
        axes.set_xlabel(clocks.word(data))
        self._headings(axes, every, rows)
        parts = [self._lane(axes, data, lane, row) for lane, row in zip(every, rows, strict=True)]
        epochs = data["epoch"].values.astype(float)
        results = [
            style().note(
                axes, text, (1, row), (0.5, 0), va="bottom", color=ink,
                fontweight="bold" if lane in firsts else "normal",
                xycoords=axes.get_yaxis_transform(),
            )
            for lane, text, row, ink in zip(every, words, rows, inks, strict=True)
        ]  # fmt: skip
        style().note(axes, "95% right at", (1, rows[0] - HIGH), (0.5, 0.35), va="bottom",
                     color=colours.muted, xycoords=axes.get_yaxis_transform())  # fmt: skip
        marker = panels.Marker.draw(axes)
        ghost = style().ghost

        def update(i: int) -> None:
            for part in parts:
                part.update(i)
            for text, lane in zip(results, every, strict=True):
                text.set_visible(ghost or epochs[i] >= _settled(lane))
            marker.update(float(epochs[i]))

        return Drawing([[p.moving for p in parts], results, marker.line], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """When the runs of each lane learnt, and how right they are at that moment."""
        epoch, words = int(data["epoch"].values[i]), []
        by_loss = self.by == "loss"
        of, say = (
            (_loss_scale.losses, _loss_scale.number) if by_loss else (_lanes.accuracy, percent)
        )
        for lane in self._lanes(data):
            curves = [of(data, member) for member in lane.members]
            now = ", ".join(say(float(np.interp(epoch, *curve))) for curve in curves)
            words.append(f"{lane.name}, {_model(lane.model)}: {lane.result}; now {now}")
        return (
            f"A lane for each optimiser, with the test {self.by} of its runs over epochs on a "
            f"logarithmic axis, up to epoch {epoch:,}. First epoch with 95% of the test pairs "
            f"right: {'. '.join(words)}."
        )

    def about(self, data: xr.Dataset) -> str:
        """With the number of runs that are drawn, where some are left out."""
        drawn = sum(len(lane.members) for lane in self._lanes(data))
        return _lanes.about(super().about(data), data, drawn)

    def definition(self, data: xr.Dataset) -> str:
        """With the marks, the lanes that are left out, and the citation."""
        drawn, every = self._lanes(data), _lanes.lanes(data)
        out = [lane for lane in every if lane not in drawn]
        rings = (
            f"Rings: first test loss (cross entropy, whatever was minimised) below {LOW:g}. "
            if self.rings else ""
        )  # fmt: skip
        names = "; ".join(f"{lane.name} {_model(lane.model)}" for lane in out)
        left_out = (
            f"Left out: {len(out)} of {len(every)} lanes, with "
            f"{sum(len(lane.members) for lane in out)} runs ({names}); every=on draws them. "
            if out else ""
        )  # fmt: skip
        scale = self._scale(data).definition() if self.by == "loss" else ""
        return (
            "Each hill is one run, a seed of its own; grey: runs that do not end with 95% of the "
            f"test pairs right. {scale}Dots: first epoch with 95% right. {rings}Numbers: "
            f"epochs of the dots; epochs are compared by medians of runs. SGD, hidden: "
            f"AdamW for embeddings. {left_out}After {self.source}."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """The epochs that are shown."""
        return 0, self._end(data)

    def _end(self, data: xr.Dataset) -> float:
        last = float(max(lane.last for lane in self._lanes(data)))
        return last if self.until is None else min(float(self.until), last)

    def _lanes(self, data: xr.Dataset) -> list[Lane]:
        """The lanes that are drawn."""
        lanes = _lanes.lanes(data)
        if self.every or len(lanes) <= MANY:
            return lanes
        models = _lanes.by_model(lanes)
        firsts = {model: _lanes.winner(some) for model, some in models.items()}
        names = {"AdamW", *self._sentence(models, firsts)[2]}
        return [lane for lane in lanes if lane.name in names] or lanes[:MANY]

    def _lane(self, axes: Axes, data: xr.Dataset, lane: Lane, row: float) -> Drawing:
        """The hills of a lane's runs, the last to learn in front, their marks and their end."""
        hills, epochs, colours = [], data["epoch"].values.astype(float), style().colours
        for n, (member, at, stays) in enumerate(
            zip(lane.members, lane.accurate, lane.stays, strict=True)
        ):
            x, heights = self._heights(data, member)
            colour = colours.test if at >= 0 and stays else colours.faint
            hills.append(_ridges.Ridge(axes, x, HIGH * heights, row + 1e-3 * n, colour))
        over = self._over(axes, data, lane, row)
        size, top = 0.42 * style().points, row - HIGH
        at = np.array([e for e in lane.accurate if e >= 0], float)
        low = np.array([e for e in lane.low if e >= 0 and self.rings], float)
        ink, ground = colours.ink, colours.background
        (rings,) = axes.plot([], [], "o", ms=0.9 * size, mfc=ground, mec=ink,
                             mew=0.5 * style().line, zorder=8)  # fmt: skip
        (dots,) = axes.plot([], [], "o", color=ink, ms=size, mec=ground, mew=0.25 * style().line,
                            zorder=9)  # fmt: skip
        ghost = style().ghost

        def update(i: int) -> None:
            for hill in hills:
                hill.update(epochs[i])
                if hill.level is not None:
                    hill.level.set_visible(epochs[i] < hill.x[-1])
            for text in over:
                text.set_visible(ghost or epochs[i] >= lane.last)
            for marks, where, y in ((dots, at, top), (rings, low, top)):
                seen = where[where <= (np.inf if ghost else epochs[i])]
                marks.set_data(seen, np.full(len(seen), y))

        return Drawing([*(hill.moving for hill in hills), rings, dots, over], update)

    def _over(self, axes: Axes, data: xr.Dataset, lane: Lane, row: float) -> list[Any]:
        """Where the runs of a lane end, beside their hills, if there is room for it."""
        text = f"ends at {lane.last:,}"
        if not lane.learns:
            ends = [float(_lanes.accuracy(data, member)[1][-1]) for member in lane.members]
            least, most = (percent(share) for share in (min(ends), max(ends)))
            text += f", {most} right" if least == most else f", {least[:-1]}\u2013{most} right"
        low, high = np.log(axes.get_xlim())
        em = style().pixels(axes, style().small) / max(axes.bbox.width, 1)
        if (high - np.log(max(lane.last, 1))) / (high - low) < 0.5 * em * (len(text) + 1):
            return []
        note = style().note(
            axes, text, (lane.last, row), (0.4, 0), xycoords="data", va="bottom",
            color=style().colours.muted,
        )  # fmt: skip
        return [note]

    def _heights(self, data: xr.Dataset, member: int) -> tuple[np.ndarray, np.ndarray]:
        """How high a run stands at each of its test epochs, from 0 to 1."""
        x, right = _lanes.accuracy(data, member)
        if self.by == "accuracy":
            return np.maximum(x, 1).astype(float), right
        x, losses = _loss_scale.losses(data, member)
        return np.maximum(x, 1).astype(float), self._scale(data).heights(losses)

    def _depth(self, data: xr.Dataset, lane: Lane) -> float:
        """How far the deepest of a lane's runs lies below its row, in lanes."""
        if self.by == "accuracy":
            return 0.0
        heights = [self._heights(data, member)[1] for member in lane.members]
        return HIGH * max(0.0, -min(float(one.min(initial=0)) for one in heights))

    def _scale(self, data: xr.Dataset) -> _loss_scale.LossScale:
        """The scale of the runs that are drawn."""
        curves = [
            _loss_scale.losses(data, m)[1] for lane in self._lanes(data) for m in lane.members
        ]
        return _loss_scale.LossScale.of([losses for losses in curves if len(losses)])

    def _headings(self, axes: Axes, every: list[Lane], rows: list[float]) -> None:
        """What each group of lanes has in common, above its first lane."""
        models = [lane.model for lane in every]
        if len(set(models)) < 2:
            return
        for model in dict.fromkeys(models):
            style().note(
                axes, _model(model), (0, rows[models.index(model)] - HIGH), (0.3, 0.35),
                va="bottom", color=style().colours.muted, fontweight="bold", zorder=9,
                xycoords=axes.get_yaxis_transform(),
            )  # fmt: skip


def _widest(texts: list[str]) -> int:
    """Letters of the longest line."""
    return max(len(line) for text in texts for line in text.splitlines())


def _share(first: Lane, usual: Lane) -> str:
    """How much of the other's epochs the first needs, by their medians; empty if over half."""
    times = usual.order / max(first.order, 1.0)
    near, down = round(times), int(times)
    if near in PARTS and abs(times - near) <= NEAR * near:
        return PARTS[near]
    return f"under {PARTS[min(down, max(PARTS))]}" if down >= min(PARTS) else ""


def _model(task: str) -> str:
    """A model in words."""
    return "with LayerNorm" if task == _lanes.LAYERNORM else "without LayerNorm"


def _rows(every: list[Lane], depths: list[float]) -> list[float]:
    """The row of each lane, with room for what lies below it and where another model begins."""
    rows: list[float] = []
    for lane, before, depth in zip(every, [None, *every], [0.0, *depths], strict=False):
        gap = 0.0 if before is None or before.model == lane.model else APART
        rows.append(rows[-1] + depth + 1 + gap if rows else 0.0)
    return rows


def _settled(lane: Lane) -> float:
    """The epoch from which a film may say a lane's result."""
    return float(max(lane.accurate)) if lane.learns else float(lane.last)
