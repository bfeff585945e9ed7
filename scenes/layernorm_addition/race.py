"""Optimisers in a race: the test accuracy of every run, on one track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.layernorm_addition import _lanes, _loss_scale, _track
from grokviz.scenes.layernorm_addition._hills import Hills

from grokviz.dataset.learning import LOW
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option
from grokviz.scene import clock as clocks
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from grokviz.scenes.layernorm_addition._lanes import Lane
    from matplotlib.figure import FigureBase

MANY = 4
"""So many lanes are all drawn on one track; of more AdamW and those named in the title."""

PARTS = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 6: "a sixth",
         7: "a seventh", 8: "an eighth", 9: "a ninth", 10: "a tenth"}  # fmt: skip
"""One part of so many, in words."""

MODELS = 2
"""So many models are compared."""

STEP = 5
"""Accuracies that are not reached are said in steps of so many per cent."""

NEAR = 0.1
"""So near to a part, as a share of it, is called it."""


@dataclass(frozen=True)
class Race(Scene):
    """Every run's test accuracy on one track; with all optimisers, a lane of hills for each."""

    name = "race"
    title = "With LayerNorm, Muon needs about a third of AdamW's epochs"
    watch = "Each line is one run; a dot marks where it first gets 95% of the unseen sums right"
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

    by: Literal["accuracy", "loss"] = option("accuracy", "what is drawn of each run")
    until: int | None = option(
        None, "last epoch shown; that of the last dot by default, with every=on of the last run"
    )
    every: bool = option(False, "all optimisers, a lane of hills for each")
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
                numbers[f"{first.name}, {_lanes.model_name(model)}"] = max(first.accurate)
        sentence, holds, _ = self._sentence(models, firsts)
        watch = self.watch
        if hills := self._hills(data):
            watch = hills.watch()
        if self.rings:
            watch += ", a ring its test loss of 0.1"
        elif hills and not all(lane.learns for lane in hills.lanes):
            watch += "; grey ends below it" if self.by == "accuracy" else "; grey ends below that"
        return Claim(sentence, watch, holds, numbers)

    def _sentence(
        self, models: dict[str, list[Lane]], firsts: dict[str, Lane | None]
    ) -> tuple[str, bool, list[str]]:
        """What is true of the winners, whether it is the scene's own, and whom it names."""
        arrived = {model: first for model, first in firsts.items() if first}
        both = len(models) == 2 and _lanes.LAYERNORM in models
        if both and (first := firsts[_lanes.LAYERNORM]):
            if share := _of_adamw(first, models[_lanes.LAYERNORM]):
                own = f"With LayerNorm, {first.name} needs {share} of AdamW's epochs"
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
        """All runs on one track, or a lane of hills for each optimiser."""
        end = self._end(data)
        if hills := self._hills(data):
            return hills.draw(figure, end)
        lanes = self._lanes(data)
        track = _track.Track(data, lanes, self.by, self.rings, self._faded(data, lanes))
        return track.draw(figure, end)

    def description(self, data: xr.Dataset, i: int) -> str:
        """When the runs of each lane learnt, and how right they are at that moment."""
        epoch, words = int(data["epoch"].values[i]), []
        by_loss = self.by == "loss"
        of, say = (
            (_loss_scale.losses, _loss_scale.number) if by_loss else (_lanes.accuracy, percent)
        )
        for lane in self._lanes(data):
            curves = [of(data, member) for member in lane.members]
            now = ", ".join(say(float(np.interp(epoch, *one))) for one in curves if len(one[0]))
            words.append(
                f"{lane.name}, {_lanes.model_name(lane.model)}: {lane.result}; now "
                f"{now or 'unknown'}"
            )
        what = f"the test {self.by} of its runs over epochs"
        drawn = (
            f"A lane for each optimiser, with {what} on a logarithmic axis"
            if self._hills(data)
            else f"Lines of one colour for each optimiser, of {what}"
        )
        return (
            f"{drawn}, up to epoch {epoch:,}. First epoch with 95% of the test pairs right: "
            f"{'. '.join(words)}."
        )

    def about(self, data: xr.Dataset) -> str:
        """With the number of runs that are drawn, where some are left out."""
        return _lanes.about(super().about(data), data, self._lanes(data))

    def definition(self, data: xr.Dataset) -> str:
        """With the marks, the lanes that are left out, and the citation."""
        drawn, every, hills = self._lanes(data), _lanes.lanes(data), self._hills(data)
        out = [lane for lane in every if lane not in drawn]
        rings = (
            f"Rings: first test loss (cross entropy, whatever was minimised) below {LOW:g}. "
            if self.rings else ""
        )  # fmt: skip
        names = "; ".join(f"{lane.name} {_lanes.model_name(lane.model)}" for lane in out)
        left_out = (
            f"Left out: {len(out)} of {len(every)} lanes, with "
            f"{sum(len(lane.members) for lane in out)} runs ({names}); every=on draws them. "
            if out else ""
        )  # fmt: skip
        scale = hills.scale().definition() if hills and self.by == "loss" else ""
        marks = (
            "Each hill is one run, a seed of its own; grey: runs that do not end with 95% of the "
            "test pairs right."
            if hills
            else "Each line is one run, a seed of its own, drawn up to epoch "
            f"{self._end(data):,.0f}; until=N shows more or less."
            + (" Grey, dashed: all runs without LayerNorm." if self._faded(data, drawn) else "")
        )
        return (
            f"{marks} {scale}Dots: first epoch with 95% right. {rings}Numbers: epochs of the dots; "
            "epochs are compared by medians of runs. SGD, hidden: AdamW for embeddings. "
            f"{left_out}After {self.source}."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """The epochs that are shown."""
        return 0, self._end(data)

    def _end(self, data: xr.Dataset) -> float:
        """The last epoch shown, a moment of the film."""
        drawn, moments = self._lanes(data), data["epoch"].values.astype(float)
        last = float(max(lane.last for lane in drawn))
        if self.until is not None:
            return min(float(self.until), last)
        if self._hills(data):
            return last
        # what comes after the last of those that all learn, and after the shortest run, decides
        # nothing
        decided = [max(lane.accurate) for lane in drawn if lane.learns]
        wanted = max([*decided, min(lane.until for lane in drawn)]) if decided else last
        return float(moments[min(int(np.searchsorted(moments, wanted)), len(moments) - 1)])

    def _faded(self, data: xr.Dataset, lanes: list[Lane]) -> str:
        """What all runs without LayerNorm are called, where the title is not of them and none of
        them learns by the end shown; else empty.
        """
        models = _lanes.by_model(lanes)
        with_it = models.get(_lanes.LAYERNORM, [])
        first, others = _lanes.winner(with_it), [one for one in lanes if one not in with_it]
        if not others or len(models) > MODELS or not (first and _of_adamw(first, with_it)):
            return ""
        end, top = self._end(data), 0.0
        for member in (member for lane in others for member in lane.members):
            x, y = _lanes.accuracy(data, member)
            top = max(top, float(y[x <= end].max(initial=0.0)))
        if top >= _lanes.ACCURATE:
            return ""
        name = _lanes.model_name(others[0].model)
        if self.by == "loss":
            return name
        # rounded before it is cut, so that no last bit decides
        under = min(STEP * (int(round(100 * top / STEP, 6)) + 1), round(100 * _lanes.ACCURATE))
        return f"{name}:\nunder {under}%\nby {clocks.word(data)} {end:,.0f}"

    def _lanes(self, data: xr.Dataset) -> list[Lane]:
        """The lanes that are drawn."""
        lanes = _lanes.lanes(data)
        if self.every or len(lanes) <= MANY:
            return lanes
        models = _lanes.by_model(lanes)
        firsts = {model: _lanes.winner(some) for model, some in models.items()}
        names = {"AdamW", *self._sentence(models, firsts)[2]}
        return [lane for lane in lanes if lane.name in names] or lanes[:MANY]

    def _hills(self, data: xr.Dataset) -> Hills | None:
        """What draws more lanes than one track has room for; None for so few."""
        lanes = self._lanes(data)
        return Hills(data, lanes, self.by, self.rings) if len(lanes) > MANY else None


def _of_adamw(first: Lane, some: list[Lane]) -> str:
    """How much of AdamW's epochs the first of its lanes needs; empty if AdamW does not learn."""
    usual = [lane for lane in some if lane.name == "AdamW"]
    return _share(first, usual[0]) if usual and usual[0].learns else ""


def _share(first: Lane, usual: Lane) -> str:
    """How much of the other's epochs the first needs, by their medians; empty if over half."""
    times = usual.order / max(first.order, 1.0)
    near, down = round(times), int(times)
    if near in PARTS and abs(times - near) <= NEAR * near:
        return f"about {PARTS[near]}"
    return f"under {PARTS[min(down, max(PARTS))]}" if down >= min(PARTS) else ""
