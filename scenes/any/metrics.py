"""What training logged on one clock, curves of one unit on common axes: what moves when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._logged import (
    Move,
    change,
    gap,
    labels,
    logged,
    move_of,
    short,
    split_of,
    turn_of,
    when,
    words_of,
)

from grokviz.errors import InputError
from grokviz.options import whole
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

DECADES = 2.0
"""Values above 0 that span so many powers of ten are drawn logarithmically, where asked for."""

LATER = 1.5
"""Metrics move at times of their own where one is so many times as late as another."""

LONG = 1e6
"""From there on numbers along an axis are written as 4.1e30."""

FEW = 3
"""So many curves of a row have a dot each."""

FLAT = 20.0
"""A curve is flat beside one whose largest value is so many times its own."""

ROOM = 1.2
"""Ems of the number beside a dot, from which an arrow keeps clear."""

IN_A_COLUMN = 4
LEAST = 5.0
"""Ems that a row takes in a column."""


@dataclass(frozen=True)
class Metrics(Scene):
    """A row for the metrics of each unit, the first to move above; dots where they are half way."""

    name = "metrics"
    title = "What training logged moves at times of its own"
    watch = "Dots: half way from the farthest value to the last"
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
            return self._apart(moves, data)
        watch = self._watch(data, moves)
        name = moves[0].name if moves else self._foremost(data)
        turn = turn_of(data, name)
        _, values = logged(data, name)
        numbers = {"first": float(values[0]), "last": float(values[-1])}
        if turn is not None:
            there = short(turn.value)
            told = f"rises to {there}, then falls" if turn.peak else f"falls to {there}, then rises"
            numbers["peak" if turn.peak else "lowest value"] = turn.value
            return Claim(f"The {words_of(turn.name)} {told}", watch, numbers=numbers)
        ends = f"from {short(values[0])} to {short(values[-1])}"
        if not moves:
            words = f"No metric doubles or halves; the {words_of(name)} goes {ends}"
            return Claim.instead(words, watch, **numbers)
        return Claim(f"The {words_of(name)} goes {ends}", watch, numbers=numbers)

    def _apart(self, moves: list[Move], data: xr.Dataset) -> Claim:
        """How much later the last metric moves than the first."""
        first, last, watch = moves[0], moves[-1], self._watch(data, moves)
        numbers = {"early": first.at, "late": last.at}
        one, other = f"The {words_of(first.name)} {first.verb}", f"the {words_of(last.name)}"
        if not last.at >= LATER * first.at:
            words = "What training logged moves at nearly the same time"
            return Claim.instead(words, watch, **numbers)
        verb = "" if last.verb == first.verb else f" {last.verb}"
        words = f"{one} first, {other}{verb} {gap(first, last, data)}"
        return Claim(words, watch, numbers=numbers)

    def _watch(self, data: xr.Dataset, moves: list[Move]) -> str:
        """What a dot marks: half way from where they are highest, lowest, or farthest off."""
        kinds = {move.verb for move in moves}
        kind = "farthest"
        if len(kinds) == 1:
            kind = {"falls": "highest", "rises": "lowest"}[kinds.pop()]
        watch = self.watch.replace("farthest", kind)
        if len(self._panels(data)) == 1:
            return watch
        return f"Each row has its own scale; d{watch[1:]}"

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The rows, one below the other."""
        rows = self._rows(data)
        if style().narrow(figure):
            room = int((style().ems(figure)[1] - 4) // LEAST)
            most = min(max(room, 1), IN_A_COLUMN)
            # the first and the last, of which the title speaks, and what has room between
            told = [move for move in self._moves(data) if move.much]
            last = next((row for row in rows if told and told[-1] in row), rows[-1])
            rest = [row for row in rows if row is not last]
            rows = [*rest[: most - 1], last] if len(rows) > most else rows
        names = [line for row in rows for name in labels(row).values() for line in name.split("\n")]
        panes = style().stack(
            figure, [1.0] * len(rows), left=4.8, right=0.6 * max(map(len, names)) + 1.4, top=1.0,
            vgap=1.4,
        )  # fmt: skip
        parts = [
            self._row(axes, data, row, last=axes is panes[-1])
            for axes, row in zip(panes, rows, strict=True)
        ]
        told = [move for move in self._moves(data) if move.much]
        ends = told[:1] + told[-1:]
        for axes in panes:
            # the moments of the sentence, through all rows
            for move in {move.at: move for move in ends}.values():
                axes.axvline(
                    move.at, color=style().colours.faint, lw=0.4 * style().line, ls=(0, (2, 3)),
                    zorder=1.2,
                )  # fmt: skip
        for axes, row in zip(panes, rows, strict=True):
            if len(ends) == 2 and ends[0] in row and ends[1] in row:
                parts.append(self._arrow(axes, data, row, ends))
        return Drawing.of(*parts)

    def _row(self, axes: Axes, data: xr.Dataset, row: list[Move], *, last: bool) -> Drawing:
        """Metrics as curves, their names at the right, and where they are half way."""
        epochs = data["metric_epoch"].values.astype(float)
        known = {move.name: logged(data, move.name) for move in row}
        every = np.concatenate([y for _, y in known.values()])
        log = not self.linear and bool((every > 0).all())
        log = log and bool(np.log10(every.max() / every.min()) >= DECADES)
        axes.set_label(row[0].name if len(row) == 1 else split_of(row[0].name)[1])
        colours = _colours(row)
        curves = {
            label: panels.Curve.of(*known[name], colours[name])
            for name, label in labels(row).items()
        }
        panel = (_Row if len(row) == 1 else panels.CurvePanel)(
            axes, data, curves, ylabel="" if len(row) == 1 else split_of(row[0].name)[1],
            log=log, clock=self.clock, phases="none", end=float(epochs[-1]),
        )  # fmt: skip
        if not log:
            _limits(axes, every)
            panel.update(float(epochs[0]))
            if panel.names is not None:
                panel.names.update(float(epochs[-1]))
            axes.yaxis.set_major_locator(_few(axes))
            if np.abs(every).max() >= LONG:
                axes.yaxis.set_major_formatter(lambda value, _: short(value))
        if not last:
            panels.without_time(axes)
        # of many the first and the last one, of which the title may speak
        much = [move for move in row if move.much]
        ends = {move.at: move for move in [*much[:1], *much[-1:]]}
        told = much if len(row) <= FEW else [*ends.values()]
        marks = [
            _marks.Mark(move.at, move.value, when(move, data), colours[move.name], lift=0.8)
            for move in told
        ]
        marks = _marks.clear(axes, marks, panel.curves.values())
        parts = [panel.along(epochs), _marks.draw(axes, marks, epochs)]
        # of several curves one alone has a ground, which would hide no other
        test = style().colours.test
        shown = [c for c in panel.curves.values() if len(row) == 1 or c.colour == test]
        parts += [_ground(axes, curve, epochs) for curve in shown]
        return Drawing.of(*parts)

    def _arrow(self, axes: Axes, data: xr.Dataset, row: list[Move], ends: list[Move]) -> Drawing:
        """From the moment of the first metric of the sentence to that of the last one."""
        first, last = ends
        words, ink = gap(first, last, data), style().colours.ink
        em = style().pixels(axes, style().small)
        high = _clear_height(axes, data, row, (first.at, last.at))
        across = axes.transData.transform([(first.at, 0), (last.at, 0)])[:, 0]
        if not last.at >= LATER * first.at or np.ptp(across) < 0.6 * em * len(words):
            return Drawing()
        arrow = axes.annotate(
            "", (last.at, high), (first.at, high), xycoords=axes.get_xaxis_transform(),
            arrowprops={
                "arrowstyle": "-|>", "color": ink, "lw": 0.5 * style().line, "shrinkA": 0,
                "shrinkB": 0, "mutation_scale": 0.8 * style().small,
            },
        )  # fmt: skip
        text = style().label(
            axes, (first.at + last.at) / 2, high + 0.3 * em / axes.bbox.height, words, color=ink,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        return panels.shown_from([arrow, text], data["metric_epoch"].values, last.at)

    def film_span(self, data: xr.Dataset) -> None:
        """All of the run: the sentence is of its end."""

    def description(self, data: xr.Dataset, i: int) -> str:
        """The last values logged up to that moment."""
        now, told = data["metric_epoch"].values[i], []
        for names in self._panels(data):
            for name in names:
                epochs, values = logged(data, name)
                if (epochs <= now).any():
                    told.append(f"{words_of(name)} {values[epochs <= now][-1]:.3g}")
        at = clocks.at(data, self.clock, i)
        text = f"Logged metrics on one clock. At {at}: {', '.join(told) or 'nothing logged yet'}."
        for move in self._moves(data):
            if move.much:
                text = f"{text} The {words_of(move.name)} is half way at {when(move, data)}."
        return text

    def definition(self, data: xr.Dataset) -> str:
        """With the citation."""
        return (
            "Every metric as training logged it, those of one unit on common axes, the first to "
            "move above. Dots: from where on it is nearer to its "
            "last value than to the one that is farthest from that. Compare Nanda et al. (2023), "
            "arXiv:2301.05217, figure 2."
        )

    def _names(self, data: xr.Dataset) -> list[str]:
        """The metrics that are drawn."""
        return [name for panel in self._panels(data) for name in panel]

    def _moves(self, data: xr.Dataset) -> list[Move]:
        """When each metric moves, the first one first."""
        moves = [move_of(name, *logged(data, name)) for name in self._names(data)]
        return sorted(moves, key=lambda move: (move.at, not move.much))

    def _rows(self, data: xr.Dataset) -> list[list[Move]]:
        """The metrics of each row, the first to move above."""
        moves = self._moves(data)
        rows = [[m for m in moves if m.name in panel] for panel in self._panels(data)]
        return sorted(rows, key=lambda row: moves.index(row[0]))

    def _foremost(self, data: xr.Dataset) -> str:
        """The metric that changes most from its first value to its last."""
        values = {name: logged(data, name)[1] for name in self._names(data)}
        return max(values, key=lambda one: change(values[one][0], values[one][-1]))

    def _panels(self, data: xr.Dataset) -> list[list[str]]:
        """The metrics of each panel: those of one unit that are numbers at two epochs."""
        every = [str(name) for name in data["logged_name"].values]
        able = [
            name for name in every
            if tensors.fits(name, self.metrics) and len(logged(data, name)[0]) > 1
        ]  # fmt: skip
        if not able:
            raise InputError(
                f"metrics={self.metrics} is the name of no metric of this run that is a number at "
                f"two epochs; it has {', '.join(every[:6])}"
            )
        groups: dict[str, list[str]] = {}
        for name in able:
            groups.setdefault(split_of(name)[1], []).append(name)
        parts = [part for group in groups.values() for part in _by_size(group, data)]
        # losses first, then what has two curves
        parts.sort(key=lambda part: ("loss" not in split_of(part[0])[1], -len(part)))
        return parts[: self.most]


class _Row(panels.CurvePanel):
    """A curve whose name stands at the right, in the middle of its row."""

    def name_curves(self, end: float) -> None:
        """The name, which does not move."""
        for name, curve in self.curves.items():
            style().note(
                self.axes, name, (1, 0.5), (0.6, 0), va="center", linespacing=1.1,
                color=style().colours.words(curve.colour), fontweight="bold",
            )  # fmt: skip


def _by_size(group: list[str], data: xr.Dataset) -> list[list[str]]:
    """Metrics of a unit on one panel; each on its own where one would be flat beside another."""
    largest = [float(np.abs(logged(data, name)[1]).max()) for name in group]
    return [[name] for name in group] if max(largest) > FLAT * min(largest) else [group]


def _ground(axes: Axes, curve: panels.Curve, epochs: np.ndarray) -> Drawing:
    """What lies below a curve that has a row of its own."""
    foot = axes.get_ylim()[0]
    ground = axes.fill_between(
        curve.x, foot, curve.y, color=curve.colour, alpha=0.16, lw=0, zorder=1.6
    )

    def update(i: int) -> None:
        gone = curve.x <= epochs[i]
        ground.set_data(curve.x[gone], np.full(int(gone.sum()), foot), curve.y[gone])

    return Drawing([ground], update)


def _clear_height(
    axes: Axes, data: xr.Dataset, row: list[Move], ends: tuple[float, float]
) -> float:
    """How high an arrow between two epochs is farthest from curves and numbers, as a share."""
    taken, low, high = [], axes.bbox.y0, axes.bbox.y1
    dots = [(move.at, move.value) for move in row if move.much]
    room = ROOM * style().pixels(axes, style().small)
    for move in row:
        x, y = logged(data, move.name)
        inside = (x >= ends[0]) & (x <= ends[1])
        taken.append(axes.transData.transform(np.stack([x, y], axis=1)[inside])[:, 1])
    heights = np.linspace(0.1, 0.85, 16)
    pixels = low + heights * (high - low)
    apart = np.abs(pixels[:, None] - np.concatenate(taken)).min(axis=1, initial=high - low)
    numbers = axes.transData.transform(dots)[:, 1]
    clear = np.minimum(apart, np.abs(pixels[:, None] - numbers).min(axis=1) - room)
    # to a pixel, so that no last bit decides
    return float(heights[int(np.argmax(np.round(clear)))])


def _few(axes: Axes) -> Any:
    """As many ticks as a row has room for."""
    from matplotlib.ticker import MaxNLocator

    room = axes.bbox.height / style().pixels(axes, style().small)
    return MaxNLocator(int(np.clip(room / 2.5, 1, 4)))


def _colours(row: list[Move]) -> dict[str, str]:
    """A colour for each metric of a row: of what was trained on, of what was not, of neither."""
    colours, splits = style().colours, {move.name: split_of(move.name)[0] for move in row}
    others = [split for split in splits.values() if split not in ("train", "")]
    # of several kinds of data that were not trained on, one alone has the colour of the test data
    tested = "test" if "test" in others else next(iter(others), "")
    tints = {"train": colours.train, "": colours.ink, tested or "test": colours.test}
    return {name: tints.get(split, colours.muted) for name, split in splits.items()}


def _limits(axes: Axes, values: np.ndarray) -> None:
    """From 0 where the values are not far from it, else around them."""
    low, high = float(values.min()), float(values.max())
    if 0 < low < 0.5 * high or low == high > 0:
        low = 0.0
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set_ylim(low - (room if low else 0), high + room)
