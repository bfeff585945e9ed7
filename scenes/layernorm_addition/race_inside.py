"""Inside a race: how large the weights grow, and how few waves the embedding keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.layernorm_addition import _lanes

from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr
    from grokviz.scenes.layernorm_addition._lanes import Lane
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

APART = 1.2
"""So many times as large, weights are of another size."""


@dataclass(frozen=True)
class RaceInside(Scene):
    """A path for every run: the norm of its weights, and how unequal its waves are."""

    name = "race-inside"
    title = "Muon learns with larger weights and more waves than AdamW"
    watch = "A path is one run: its hidden weights grow to the right, its waves are fewer upwards"
    source = "arXiv:2501.04697; PeterPonyu/muon-norm-cap-grokking"
    needs = (*_lanes.NEEDS, "member_kept_epoch", "member_weight_norm", "member_step_cosine",
             "member_wave_gini")  # fmt: skip
    recipe = "layernorm-addition"
    reference = "race"
    aspect = 1.5
    narrow_aspect = 0.95
    ends_with_film = True

    model: str = option("", "task of the runs; that with LayerNorm where there is any")
    every: bool = option(False, "optimisers too of which not every run learns")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless there is a run with weights and accuracies."""
        super().check(data)
        if not _paths(data, ""):
            raise InputError(
                f"{cls.name} draws the weights of runs that learn; give a family of such runs"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How far apart the norms are at which the runs have learnt."""
        paths = [path for path in self._paths(data) if path.lane.learns]
        if not paths:
            return Claim.instead("None of these optimisers learns, and keeps what it has learnt")
        sizes = _by_lane(paths, lambda path: path.norm_at_learning)
        waves = _by_lane(paths, lambda path: float(path.gini[-1]))
        large = max(sizes, key=lambda name: (min(sizes[name]), name))
        small = min(sizes, key=lambda name: (max(sizes[name]), name))
        every = [size for some in sizes.values() for size in some]
        numbers = {"smallest": min(every), "largest": max(every), "optimisers": len(sizes)}
        if min(sizes[large]) > APART * max(sizes[small]) and max(waves[large]) < min(waves[small]):
            sentence = f"{large} learns with larger weights and more waves than {small}"
            return Claim(sentence, self.watch, numbers=numbers)
        sentence = (
            f"{len(sizes)} optimisers learn the same sums, with weights of norm {min(every):.1f} "
            f"to {max(every):.1f}"
            if len(sizes) > 1
            else f"{large} learns with weights of norm {min(every):.1f} to {max(every):.1f}"
        )
        return Claim.instead(sentence, self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """All paths in one plane, with a dot where each has learnt."""
        narrow = style().narrow(figure)
        axes = style().panels(figure, left=6.0, right=3.0 if narrow else 2.0, top=1.2)[0][0]
        paths = self._paths(data)
        _frame(axes, paths)
        colours = _colours(paths)
        lowest = min((path for path in paths if path.learns), key=Way.height, default=None)
        drawn = [_Path(axes, path, colours[path.lane.name], path is lowest) for path in paths]
        labels = _labels(axes, paths, colours)
        epochs = data["epoch"].values.astype(float)

        def update(i: int) -> None:
            for one in drawn:
                one.update(float(epochs[i]))

        drawing = Drawing([*(one.moving for one in drawn)], update)
        return Drawing.of(drawing, Drawing(labels, lambda i: None))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Norm, step and waves of each run at that moment."""
        epoch, words = int(data["epoch"].values[i]), []
        for path in self._paths(data):
            k = path.index(epoch)
            step = path.cosine[k]
            way = "" if not np.isfinite(step) else f", step along the weights {step:+.2f}"
            words.append(
                f"{path.lane.name}: norm {path.norm[k]:.1f}{way}, waves {path.gini[k]:.2f}"
            )
        return (
            "A path for each run in a plane of the norm of its hidden weights and the inequality "
            f"of the waves in its embedding, up to epoch {epoch:,}. {'; '.join(words)}."
        )

    def about(self, data: xr.Dataset) -> str:
        """With the number of runs that are drawn, where some are left out."""
        drawn, every = len(self._paths(data)), data.sizes["member"]
        more = f", {drawn} of them drawn" if drawn < every else ""
        return f"{super().about(data)}{more}"

    def definition(self, data: xr.Dataset) -> str:
        """What the axes are, and the citation."""
        return (
            "Across: root of the summed squares of all matrices that are not embeddings. Upwards: "
            "Gini coefficient of the norms of all frequencies in the embedding. Paths run over "
            "at most 40 checkpoints; where one runs level and straight its updates lie along the "
            "weights, where it climbs they turn them. Large dots: 95% of the test pairs right. "
            f"{self._left_out(data)}After {self.source}."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until the last checkpoint of the longest run."""
        return 0, float(max(path.epochs[-1] for path in self._paths(data)))

    def _paths(self, data: xr.Dataset) -> list[Way]:
        """The ways that are drawn: by default those of optimisers of which every run learns."""
        paths = _paths(data, self.model)
        learnt = [path for path in paths if path.lane.learns]
        return paths if self.every else learnt or paths

    def _left_out(self, data: xr.Dataset) -> str:
        """The optimisers that are not drawn, in words."""
        drawn = {path.lane.name for path in self._paths(data)}
        names = dict.fromkeys(path.lane.name for path in _paths(data, self.model))
        out = "; ".join(name for name in names if name not in drawn)
        return f"Left out, as not every run learns: {out}. " if out else ""


@dataclass(frozen=True, eq=False)
class Way:
    """One run's way through the plane."""

    lane: Lane
    epochs: np.ndarray
    norm: np.ndarray
    gini: np.ndarray
    cosine: np.ndarray
    accurate: int

    @property
    def learns(self) -> bool:
        """Whether it learnt."""
        return self.accurate >= 0

    @property
    def norm_at_learning(self) -> float:
        """Norm at the epoch at which it learnt."""
        return self.at_learning(self.norm)

    def at_learning(self, values: np.ndarray) -> float:
        """A value of each checkpoint, at the epoch at which it learnt."""
        return float(np.interp(self.accurate, self.epochs, values))

    def height(self) -> tuple[float, float]:
        """How high its large dot is, the leftmost first."""
        return self.at_learning(self.gini), self.norm_at_learning

    def index(self, epoch: float) -> int:
        """The last checkpoint up to an epoch."""
        return max(int(np.searchsorted(self.epochs, epoch, side="right")) - 1, 0)


class _Path:
    """The line of a run, its head, and the dot where it has learnt, with its words or without."""

    def __init__(self, axes: Axes, path: Way, colour: str, words: bool) -> None:
        self.path = path
        if style().ghost:
            axes.plot(path.norm, path.gini, color=colour, lw=0.5 * style().line, alpha=0.35)
        (self.line,) = axes.plot([], [], color=colour, lw=style().line, zorder=3,
                                 solid_joinstyle="round")  # fmt: skip
        (self.head,) = axes.plot([], [], "o", color=colour, ms=0.4 * style().points, zorder=5,
                                 mec=style().colours.background)  # fmt: skip
        (self.dot,) = axes.plot([], [], "o", color=style().colours.ink, zorder=6,
                                ms=0.5 * style().points,
                                mec=style().colours.background)  # fmt: skip
        y, x = path.height()
        self.words = style().note(
            axes, "95% right" if words else "", (x, y), (0.3, -0.5), xycoords="data", va="top",
            color=style().colours.ink, zorder=8,
        )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        """The line, its head, the dot and its words."""
        return [self.line, self.head, self.dot, self.words]

    def update(self, epoch: float) -> None:
        """Draw up to an epoch."""
        path, stop = self.path, self.path.index(epoch) + 1
        now = min(epoch, float(path.epochs[-1]))
        x = [*path.norm[:stop], np.interp(now, path.epochs, path.norm)]
        y = [*path.gini[:stop], np.interp(now, path.epochs, path.gini)]
        self.line.set_data(x, y)
        self.head.set_data(x[-1:], y[-1:])
        seen = path.learns and (style().ghost or epoch >= path.accurate)
        at = [np.interp(path.accurate, path.epochs, v) for v in (path.norm, path.gini)]
        self.words.set_visible(seen)
        self.dot.set_data(*([[value] for value in at] if seen else [[], []]))


def _paths(data: xr.Dataset, model: str) -> list[Way]:
    """The ways of the runs of one model."""
    lanes = _lanes.lanes(data)
    models = list(_lanes.by_model(lanes))
    if not models:
        return []
    own = model or models[0]
    paths = []
    for lane in lanes:
        for member, accurate in zip(lane.members, lane.accurate, strict=True):
            epochs = data["member_kept_epoch"].values[member]
            known = epochs >= 0
            if lane.model != own or known.sum() < 2:
                continue
            norm, gini, cosine = (
                data[f"member_{name}"].values[member].astype(float)[known]
                for name in ("weight_norm", "wave_gini", "step_cosine")
            )
            paths.append(Way(lane, epochs[known], norm, gini, cosine, accurate))
    return paths


def _frame(axes: Axes, paths: list[Way]) -> None:
    """Axes around all paths."""
    norms = np.concatenate([path.norm for path in paths])
    ginis = np.concatenate([path.gini for path in paths])
    axes.set(
        xlim=(0.9 * norms.min(), 1.03 * norms.max()), ylim=(0, max(1.15 * ginis.max(), 0.1)),
        xlabel="norm of the hidden weights", ylabel="inequality of the embedding's waves",
    )  # fmt: skip
    axes.grid(visible=False)


def _by_lane(paths: list[Way], value: Callable[[Way], float]) -> dict[str, list[float]]:
    """A value of each path, by the name of its lane."""
    values: dict[str, list[float]] = {}
    for path in paths:
        values.setdefault(path.lane.name, []).append(value(path))
    return values


def _colours(paths: list[Way]) -> dict[str, str]:
    """A colour for each optimiser that learns; the others stand back."""
    learn = list(dict.fromkeys(path.lane.name for path in paths if path.lane.learns))
    colours = style().colours
    strong = dict(zip(learn, colours.frequencies * len(learn), strict=False))
    return {path.lane.name: strong.get(path.lane.name, colours.faint) for path in paths}


def _labels(axes: Axes, paths: list[Way], colours: dict[str, str]) -> list[Any]:
    """Each optimiser's name above the highest end of its paths."""
    ends = {
        name: max(
            (float(path.gini[-1]), float(path.norm[-1])) for path in paths if path.lane.name == name
        )
        for name in colours
    }
    order = sorted(ends, key=lambda name: (ends[name], name))
    low, high = axes.get_ylim()
    em = style().pixels(axes, style().small) / max(axes.bbox.height, 1) * (high - low)
    wanted = [ends[name][0] + 1.1 * em for name in order]
    heights = pushed_apart(wanted, [1.3 * em] * len(order), low, high)
    return [
        style().label(axes, ends[name][1], y, name, va="center", color=colours[name], zorder=8)
        for name, y in zip(order, heights, strict=True)
    ]
