"""What training logged, one above the other on one clock: what moves when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._glow import Glow

from grokviz.errors import InputError
from grokviz.media.plain import no_formula
from grokviz.options import whole
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SPLITS = ("train", "test", "valid", "val", "eval")
"""Metrics that differ by such a word alone share a panel."""

DECADES = 2.0
"""Values above 0 that span so many powers of ten are drawn logarithmically, where asked for."""

MUCH = 2.0
"""A metric moves where what it comes from and where it ends differ by this factor."""

PEAK = 1.5
"""A metric peaks where its largest value is so many times its first one."""

LATER = 1.5
"""Metrics move at times of their own where one is so many times as late as another."""

IN_A_COLUMN = 4
LEAST = 5.0
"""Ems that a row takes in a column."""


class _Move(NamedTuple):
    """Where a metric is half way from its farthest value to its last one, for good."""

    name: str
    at: float
    value: float
    start: float
    end: float
    much: bool

    @property
    def verb(self) -> str:
        """What it does."""
        return "falls" if self.end < self.start else "rises"


class _Turn(NamedTuple):
    """Where a metric is largest, or smallest, between two much other ends."""

    name: str
    at: float
    value: float
    peak: bool


@dataclass(frozen=True)
class Metrics(Scene):
    """A row for each logged metric, the first to move above; a dot where it is half way."""

    name = "metrics"
    title = "What training logged moves at times of its own"
    watch = "Each row to its own scale; dots: half way from the farthest value to the last"
    source = "compare arXiv:2301.05217, figure 2"
    needs = ("logged_metric",)
    reference = "modular-addition-59"
    clock = "metric_epoch"
    aspect = 1.9
    narrow_aspect = 0.8

    metrics: str = option("*", "names of metrics, or patterns such as '*_loss', with commas")
    most: int = option(6, "at most so many rows", whole())
    linear: bool = option(True, "no logarithmic axes, whatever the values span")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a metric is a number at two epochs."""
        super().check(data)
        known = np.isfinite(data["logged_metric"].values).sum(axis=0)
        if not (known > 1).any():
            raise InputError(
                f"{cls.name} draws what training logged, and no metric of this run is a number at "
                "two epochs; record them with run.step"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """Which metric moves first and which last; of one that moves alone, what it does."""
        moves = [move for move in self._moves(data) if move.much]
        if len(moves) > 1:
            return self._apart(moves, clocks.word(data))
        watch = _watch(moves)
        name = moves[0].name if moves else self._foremost(data)
        turn = self._turn(data, name)
        _, values = _logged(data, name)
        numbers = {"first": float(values[0]), "last": float(values[-1])}
        if turn is not None:
            there = _short(turn.value)
            told = f"rises to {there}, then falls" if turn.peak else f"falls to {there}, then rises"
            numbers["peak" if turn.peak else "lowest value"] = turn.value
            return Claim(f"The {_words(turn.name)} {told}", watch, numbers=numbers)
        ends = f"from {_short(values[0])} to {_short(values[-1])}"
        if not moves:
            words = f"No metric doubles or halves; the {_words(name)} goes {ends}"
            return Claim.instead(words, watch, **numbers)
        return Claim(f"The {_words(name)} goes {ends}", watch, numbers=numbers)

    def _apart(self, moves: list[_Move], word: str) -> Claim:
        """How much later the last metric moves than the first."""
        first, last = moves[0], moves[-1]
        numbers = {"early": first.at, "late": last.at}
        one, other = f"The {_words(first.name)} {first.verb}", f"the {_words(last.name)}"
        if not last.at >= LATER * first.at:
            words = "What training logged moves at nearly the same time"
            return Claim.instead(words, _watch(moves), **numbers)
        verb = "" if last.verb == first.verb else f" {last.verb}"
        gap = f"{clocks.spaced(last.at - first.at)} {word}s"
        return Claim(f"{one} first, {other}{verb} {gap} later", _watch(moves), numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The rows, one below the other."""
        moves = self._moves(data)
        if style().narrow(figure):
            room = int((style().ems(figure)[1] - 4) // LEAST)
            most = min(max(room, 1), IN_A_COLUMN)
            # the first and the last, of which the title speaks, and what has room between
            moves = [*moves[: most - 1], moves[-1]] if len(moves) > most else moves
        long = max(len(line) for move in moves for line in _name(move.name).split("\n"))
        rows = style().stack(
            figure, [1.0] * len(moves), left=4.8, right=0.6 * long + 1.4, top=1.0, vgap=1.4
        )
        parts = [
            self._row(axes, data, move, last=axes is rows[-1])
            for axes, move in zip(rows, moves, strict=True)
        ]
        told = [move for move in moves if move.much]
        for axes in rows:
            # the moments of the sentence, through all rows
            for move in {move.at: move for move in (told[:1] + told[-1:])}.values():
                axes.axvline(
                    move.at, color=style().colours.faint, lw=0.4 * style().line, ls=(0, (2, 3)),
                    zorder=1.2,
                )  # fmt: skip
        return Drawing.of(*parts)

    def _row(self, axes: Axes, data: xr.Dataset, move: _Move, *, last: bool) -> Drawing:
        """A metric as a curve on its ground, its name at the right, and where it is half way."""
        epochs = data["metric_epoch"].values.astype(float)
        x, y = _logged(data, move.name)
        log = not self.linear and bool((y > 0).all())
        log = log and bool(np.log10(y.max() / y.min()) >= DECADES)
        axes.set_label(move.name)
        colour = _colour(move.name)
        panel = _Row(
            axes, data, {_name(move.name): panels.Curve.of(x, y, colour)}, ylabel="",
            log=log, clock=self.clock, phases="none", end=float(epochs[-1]),
        )  # fmt: skip
        if not log:
            _limits(axes, y)
            panel.update(float(epochs[0]))
            axes.yaxis.set_major_locator(_few(axes))
        if not last:
            panels.without_time(axes)
        foot = axes.get_ylim()[0]
        glow = Glow(axes, [colour], 0.8 * style().line, zorder=2.8)
        ground = axes.fill_between(x, foot, y, color=colour, alpha=0.16, lw=0, zorder=1.6)
        (curve,) = panel.curves.values()

        def update(i: int) -> None:
            gone = x <= epochs[i]
            ground.set_data(x[gone], np.full(int(gone.sum()), foot), y[gone])
            glow.update([np.column_stack([curve.x, curve.y])[curve.x <= epochs[i]]])

        text = f"{clocks.word(data)} {clocks.spaced(round(move.at))}"
        marks = [_marks.Mark(move.at, move.value, text, colour, lift=0.8)] if move.much else []
        marks = _marks.clear(axes, marks, [curve])
        return Drawing.of(
            Drawing([*glow.moving, ground], update), panel.along(epochs),
            _marks.draw(axes, marks, epochs),
        )  # fmt: skip

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the sentence is of its end."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The last values logged up to that moment."""
        now, told = data["metric_epoch"].values[i], []
        for names in self._panels(data).values():
            for name in names:
                epochs, values = _logged(data, name)
                if (epochs <= now).any():
                    told.append(f"{_words(name)} {values[epochs <= now][-1]:.3g}")
        at = clocks.at(data, self.clock, i)
        text = f"Logged metrics on one clock. At {at}: {', '.join(told) or 'nothing logged yet'}."
        for move in self._moves(data):
            if move.much:
                when = f"{clocks.word(data)} {clocks.spaced(round(move.at))}"
                text = f"{text} The {_words(move.name)} is half way at {when}."
        return text

    def definition(self, data: xr.Dataset) -> str:
        """With the citation."""
        return (
            "Every metric as training logged it, on a scale of its own, the first to move "
            "above. Dots: from where on it is nearer to its "
            "last value than to the one that is farthest from that. Compare Nanda et al. (2023), "
            "arXiv:2301.05217, figure 2."
        )

    def _names(self, data: xr.Dataset) -> list[str]:
        """The metrics that have a row."""
        return [name for panel in self._panels(data).values() for name in panel][: self.most]

    def _moves(self, data: xr.Dataset) -> list[_Move]:
        """When each metric moves, the first above."""
        moves = [_move(name, *_logged(data, name)) for name in self._names(data)]
        return sorted(moves, key=lambda move: (move.at, not move.much))

    def _foremost(self, data: xr.Dataset) -> str:
        """The metric that changes most from its first value to its last."""
        values = {name: _logged(data, name)[1] for name in self._names(data)}
        return max(values, key=lambda one: _change(values[one][0], values[one][-1]))

    def _turn(self, data: xr.Dataset, name: str) -> _Turn | None:
        """Where a metric peaks that falls again, or is lowest before it rises; else None."""
        epochs, values = _logged(data, name)
        if not min(values[0], values[-1]) > 0:
            return None
        top, low = int(values.argmax()), int(values.argmin())
        if values[top] >= PEAK * values[0] and MUCH * values[-1] <= values[top]:
            return _Turn(name, float(epochs[top]), float(values[top]), True)
        if 0 < MUCH * values[low] <= min(values[0], values[-1]):
            return _Turn(name, float(epochs[low]), float(values[low]), False)
        return None

    def _panels(self, data: xr.Dataset) -> dict[str, list[str]]:
        """The metrics of each panel, by its heading: those that are numbers at two epochs."""
        every = [str(name) for name in data["logged_name"].values]
        able = [
            name for name in every
            if tensors.fits(name, self.metrics) and len(_logged(data, name)[0]) > 1
        ]  # fmt: skip
        if not able:
            raise InputError(
                f"metrics={self.metrics} is the name of no metric of this run that is a number at "
                f"two epochs; it has {', '.join(every[:6])}"
            )
        groups: dict[str, list[str]] = {}
        for name in able:
            groups.setdefault(_split(name)[1], []).append(name)
        # losses first, then what has two curves
        order = sorted(groups, key=lambda title: ("loss" not in title, -len(groups[title])))
        return {title: groups[title] for title in order[: self.most]}


def _logged(data: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values of a metric, where they are numbers."""
    values = data["logged_metric"].sel(logged_name=name).values
    known = np.isfinite(values)
    return data["metric_epoch"].values[known], values[known]


class _Row(panels.CurvePanel):
    """A curve whose name stands at the right, in the middle of its row."""

    def name_curves(self, end: float) -> None:
        """The name, which does not move."""
        for name, curve in self.curves.items():
            style().note(
                self.axes, name, (1, 0.5), (0.6, 0), va="center", linespacing=1.1,
                color=style().colours.words(curve.colour), fontweight="bold",
            )  # fmt: skip


def _move(name: str, epochs: np.ndarray, values: np.ndarray) -> _Move:
    """When a metric is half way from the value farthest from its last one, for good."""
    away = np.abs(values - values[-1])
    far = int(away.argmax())
    start, end = float(values[far]), float(values[-1])
    largest = max(abs(start), abs(end))
    much = bool(away[far] >= (1 - 1 / MUCH) * largest > 0)
    # what stays has not come half way before that
    after = int(np.flatnonzero(2 * away > away[far]).max(initial=-1)) + 1
    after = min(after, len(values) - 1)
    return _Move(name, float(epochs[after]), float(values[after]), start, end, much)


def _watch(moves: list[_Move]) -> str:
    """What a dot marks: half way from where those metrics are highest, lowest, or farthest off."""
    kinds = {move.verb for move in moves}
    kind = {"falls": "highest", "rises": "lowest"}[kinds.pop()] if len(kinds) == 1 else "farthest"
    return Metrics.watch.replace("farthest", kind)


def _name(name: str) -> str:
    """A metric's name in two lines: its split above."""
    split, rest = _split(name)
    return f"{split}\n{rest}" if split else rest


def _few(axes: Axes) -> Any:
    """As many ticks as a row has room for."""
    from matplotlib.ticker import MaxNLocator

    room = axes.bbox.height / style().pixels(axes, style().small)
    return MaxNLocator(int(np.clip(room / 2.5, 1, 4)))


def _colour(name: str) -> str:
    colours = style().colours
    return {"train": colours.train, "": colours.ink}.get(_split(name)[0], colours.test)


def _split(name: str) -> tuple[str, str]:
    """The split that a name speaks of, if any, and what is left of it in words."""
    name = no_formula(name)
    parts = name.replace("/", "_").replace(".", "_").split("_")
    for split in SPLITS:
        if split in parts and len(parts) > 1:
            rest = [part for part in parts if part != split]
            return ("valid" if split == "val" else split), " ".join(rest)
    return "", name.replace("_", " ")


def _short(value: float) -> str:
    """Two digits, as 4.1, 0.23 or 1.1e-7."""
    mantissa, e, power = f"{value:.2g}".partition("e")
    return f"{mantissa}e{int(power)}" if e else mantissa


def _words(name: str) -> str:
    """A metric's name in a sentence: "training loss" of a train_loss."""
    split, rest = _split(name)
    return f"{'training' if split == 'train' else split} {rest}".strip()


def _change(first: float, last: float) -> float:
    """How much larger or smaller a value has become, as a logarithm; 0 of a change of sign."""
    if first == last or not first * last > 0:
        return 0.0
    return float(abs(np.log(last / first)))


def _limits(axes: Axes, values: np.ndarray) -> None:
    """From 0 where the values are not far from it, else around them."""
    low, high = float(values.min()), float(values.max())
    if 0 < low < 0.5 * high or low == high > 0:
        low = 0.0
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set_ylim(low - (room if low else 0), high + room)
