"""Everything that training logged, on one clock."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any import _tensors as tensors

from grokviz.dataset.learning import LOW
from grokviz.errors import InputError
from grokviz.media.plain import no_formula
from grokviz.options import whole
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SPLITS = ("train", "test", "valid", "val", "eval")
"""Metrics that differ by such a word alone share a panel."""

DECADES = 2.0
"""Values above 0 that span so many powers of ten are drawn logarithmically."""

MUCH = 2.0
"""A metric changes where it ends at so many times its first value, or at that share of it."""

PEAK = 1.5
"""A metric peaks where its largest value is so many times its first one."""

IN_A_COLUMN = 4
LEAST = 7.0
"""Ems that a panel takes in a column."""

Side = Literal["left", "center", "right"]

NEAR: dict[Side, float] = {"left": 0.1, "right": -0.1, "center": 0.0}
"""How far beside its dot a number stands that an event's line would cross farther off, in ems."""

BEYOND = 2.0
"""At most so many ems beside its dot it stands beyond such a line."""

ROOM = 40
"""Characters of a sentence to which another metric of the panel may be added."""


class _Turn(NamedTuple):
    """Where a metric is largest, or smallest, between two much other ends."""

    name: str
    at: float
    value: float
    peak: bool

    @property
    def word(self) -> str:
        """What it is called."""
        return "peak" if self.peak else "lowest value"


@dataclass(frozen=True)
class Metrics(Scene):
    """A panel for each logged metric, those of train and test together, on the same clock."""

    name = "metrics"
    title = "What training logged goes its way on one clock"
    watch = "as training logged it; dots: first and last values"
    source = "compare arXiv:2301.05217, figure 2"
    needs = ("logged_metric", "logged_train_loss", "logged_test_loss", "phase_end")
    reference = "modular-addition-59"
    clock = "metric_epoch"
    aspect = 1.9
    narrow_aspect = 0.8

    metrics: str = option("*", "names of metrics, or patterns such as '*_loss', with commas")
    most: int = option(6, "at most so many panels", whole())
    linear: bool = option(False, "no logarithmic axes, whatever the values span")

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
        """How the metric that changes most has changed, or one beside it that turns on the way."""
        ends, name = self._ends(data), self._foremost(data)
        first, last = ends[name]
        turn = self._turn(data, name)
        if turn is not None:
            there, end = _short(turn.value), _short(ends[turn.name][1])
            told = f"peaks at {there}, then falls" if turn.peak else f"falls to {there}, then rises"
            words = f"{_words(turn.name)} {told} to {end}"
            first, last = ends[turn.name]
            numbers = {"first": first, turn.word: turn.value, "last": last}
            watch = f"{self.watch}, and the {turn.word}"
            return Claim(words[:1].upper() + words[1:], watch, numbers=numbers)
        numbers = {"first": first, "last": last}
        words = f"{_words(name)} goes from {_short(first)} to {_short(last)}"
        for other in next(one for one in self._panels(data).values() if name in one):
            if other != name and len(words) < ROOM:
                start, end = map(_short, ends[other])
                words = f"{words}, {_words(other)} from {start} to {end}"
        if not _change(first, last) >= np.log(MUCH):
            return Claim.instead(f"No metric doubles or halves; {words}", self.watch, **numbers)
        return Claim(words[:1].upper() + words[1:], self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The panels, in rows."""
        shown = self._panels(data)
        narrow = style().narrow(figure)
        if narrow:
            room = int((style().ems(figure)[1] - 4) // LEAST)
            shown = dict([*shown.items()][: min(max(room, 1), IN_A_COLUMN)])
        count = len(shown)
        columns = 1 if narrow or count == 1 else 2 if count in (2, 4) else 3
        grid = style().panels(
            figure, (1,) * columns, (1,) * math.ceil(count / columns), left=4.8, right=4.6,
            top=2.6 if count == 1 else 3.8, gap=9.0, vgap=4.0,
        )  # fmt: skip
        flat = [axes for row in grid for axes in row]
        for axes in flat[count:]:
            axes.remove()
        epochs, parts = data["metric_epoch"].values.astype(float), []
        for n, (axes, (title, names)) in enumerate(zip(flat, shown.items(), strict=False)):
            panel = self._panel(axes, data, title, names, alone=count == 1, raised=n < columns)
            parts += [panel.along(epochs), _events(axes, data, named=n < columns)]
            if self._foremost(data) in names:
                parts.append(_marks.draw(axes, self._numbers(axes, data, names), epochs))
            if n + columns < count:
                panels.without_time(axes)
        return Drawing.of(*parts)

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
        turn = self._turn(data, self._foremost(data))
        if turn is not None:
            when = f"{clocks.word(data)} {clocks.spaced(turn.at)}"
            most = "largest" if turn.peak else "lowest"
            told = f"{_words(turn.name)} is {most} at {when}: {_short(turn.value)}"
            text = f"{text} {told[:1].upper() + told[1:]}."
        return text

    def definition(self, data: xr.Dataset) -> str:
        """With the citation."""
        return (
            "Every metric as training logged it, on a logarithmic scale where it spans "
            f"{DECADES:g} powers of ten or more. Dashed: where the running median of the training "
            f"loss is first below {LOW:g} (memorised), and where that of the test loss comes down "
            "to half of its largest, of a run that groks. Compare Nanda et al. (2023), "
            "arXiv:2301.05217, figure 2."
        )

    def _ends(self, data: xr.Dataset) -> dict[str, tuple[float, float]]:
        """First and last value of each metric shown."""
        every = [name for panel in self._panels(data).values() for name in panel]
        values = {name: _logged(data, name)[1] for name in every}
        return {name: (float(one[0]), float(one[-1])) for name, one in values.items()}

    def _foremost(self, data: xr.Dataset) -> str:
        """The metric that changes most."""
        ends = self._ends(data)
        return max(ends, key=lambda one: _change(*ends[one]))

    def _turn(self, data: xr.Dataset, name: str) -> _Turn | None:
        """Of the panel of a metric the one on other than train data that peaks and then falls, or
        falls and then rises; None where none does.
        """
        beside = next(one for one in self._panels(data).values() if name in one)
        for other in beside:
            epochs, values = _logged(data, other)
            if _split(other)[0] in ("train", "") or not min(values[0], values[-1]) > 0:
                continue
            top, low = int(values.argmax()), int(values.argmin())
            if values[top] >= PEAK * values[0] and MUCH * values[-1] <= values[top]:
                return _Turn(other, float(epochs[top]), float(values[top]), True)
            if 0 < MUCH * values[low] <= min(values[0], values[-1]):
                return _Turn(other, float(epochs[low]), float(values[low]), False)
        return None

    def _numbers(self, axes: Axes, data: xr.Dataset, names: list[str]) -> list[_marks.Mark]:
        """First and last value of each curve, and where the title's turns, where apart."""
        ends: list[tuple[float, float, Any, Side]] = []
        turn = self._turn(data, self._foremost(data))
        for name in names:
            epochs, values = _logged(data, name)
            colour = _colour(name)
            ends.append((float(epochs[0]), float(values[0]), colour, "left"))
            ends.append((float(epochs[-1]), float(values[-1]), colour, "right"))
            if turn is not None and turn.name == name:
                ends.insert(0, (turn.at, turn.value, colour, "center"))
        curves = [panels.Curve.of(*_logged(data, name), "") for name in names]
        # of two that begin together one has the number
        once = [*{(w[0], _short(w[1])): w for w in ends[::-1]}.values()][::-1]
        return _apart(axes, once, curves, [*_happened(data).values()])

    def _panel(
        self,
        axes: Axes,
        data: xr.Dataset,
        title: str,
        names: list[str],
        *,
        alone: bool,
        raised: bool,
    ) -> panels.CurvePanel:
        curves = {}
        for name in names:
            curve = panels.Curve.of(*_logged(data, name), _colour(name))
            curves[_split(name)[0] or "_"] = curve
        every = np.concatenate([curve.y for curve in curves.values()])
        log = not self.linear and bool((every > 0).all())
        log = log and bool(np.log10(every.max() / every.min()) >= DECADES)
        heading = f"{title} (log scale)" if log else title
        axes.set_label(title)
        panel = panels.CurvePanel(
            axes, data, curves, ylabel=heading if alone else "", log=log, clock=self.clock,
            phases="none", end=float(data["metric_epoch"].values[-1]),
        )  # fmt: skip
        if not log:
            _limits(axes, every)
            panel.update(float(data["metric_epoch"].values[0]))
        if not alone:
            style().note(axes, heading, (0, 1), (0, 1.75 if raised else 0.5), fontweight="bold")
        return panel

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


def _colour(name: str) -> str:
    colours = style().colours
    return {"train": colours.train, "": colours.ink}.get(_split(name)[0], colours.test)


def _apart(
    axes: Axes,
    ends: Sequence[tuple[float, float, Any, Side]],
    curves: Sequence[panels.Curve],
    events: Sequence[float],
) -> list[_marks.Mark]:
    """Dots with their numbers above or below them, where curves pass least; the first come first.

    A number keeps clear of the lines of these events, too, if need be by standing nearer. One
    that would stand over another is left out with its dot.
    """
    em = style().pixels(axes, style().small)
    lines = [axes.transData.transform(np.column_stack((c.x, c.y))) for c in curves]
    across, up = axes.get_xaxis_transform(), np.linspace(0, 1, int(axes.bbox.height))
    lines += [across.transform(np.column_stack((np.full_like(up, x), up))) for x in events]
    points = np.concatenate(lines) - axes.bbox.p0
    marks: list[_marks.Mark] = []
    boxes: list[np.ndarray] = []
    for x, y, colour, end in ends:
        if axes.get_yscale() == "log" and not y > 0:
            continue
        at = axes.transData.transform((x, y)) - axes.bbox.p0
        # a power of ten is wider than it is typed
        wide = 0.65 * em * (len(_short(y)) + 2.3 * ("e" in _short(y)))
        places = []
        # beyond the line of an event that is near, too
        past = [(across.transform((x, 0))[0] - axes.bbox.x0 - at[0]) / em + 0.3 for x in events]
        beyond = [n for n in past if end == "left" and 0 < n < BEYOND]
        for lift, near in itertools.product(
            (1.05, -1.05), (_marks.BESIDE[end], NEAR[end], *beyond)
        ):
            side = near - {"left": 0.0, "center": 0.5, "right": 1.0}[end] * wide / em
            low = at + em * np.array((side, lift - 0.6))
            box = np.stack((low, low + np.array((wide, 1.2 * em))))
            inside = box[0, 1] >= 0 and box[1, 1] <= axes.bbox.height
            if inside and not any((box[0] < o[1]).all() and (o[0] < box[1]).all() for o in boxes):
                hits = ((points > box[0]) & (points < box[1])).all(axis=1).sum()
                places.append((int(hits), lift, near, box))
        if places:
            # the first of the clearest
            _, lift, near, box = min(places, key=lambda place: place[0])
            boxes.append(box)
            marks.append(_marks.Mark(x, y, _power(y), colour, end, lift, beside=near))
    return marks


def _power(value: float) -> str:
    """A number as in the title, a power of ten as on the axis."""
    mantissa, e, power = _short(value).partition("e")
    return rf"$\mathbf{{{mantissa} \times 10^{{{power}}}}}$" if e else mantissa


def _happened(data: xr.Dataset) -> dict[str, float]:
    """When the run memorised, and when its test loss was at half of its largest."""
    run, last = outcome(data), float(data["metric_epoch"].values[-1])
    happens = {"memorised": run.memorised, "test loss at half its peak": run.grokked}
    return {name: float(at) for name, at in happens.items() if at is not None and at <= last}


def _events(axes: Axes, data: xr.Dataset, *, named: bool) -> Drawing:
    """Dashed lines where the run memorised and where its test loss is half of its largest."""
    current_style, events = style(), _happened(data)
    em = current_style.pixels(axes, current_style.small) / axes.bbox.width
    left, right = axes.get_xlim()
    order = sorted(events, key=events.__getitem__)
    centres = pushed_apart(
        [(events[name] - left) / (right - left) for name in order],
        [0.62 * em * (len(name) + 1) for name in order], 0, 1,
    )  # fmt: skip
    marks = []
    for name, centre in zip(order, centres, strict=True):
        line = axes.axvline(
            events[name], color=current_style.colours.muted, lw=0.45 * current_style.line,
            ls=(0, (4, 3)), zorder=1.8,
        )  # fmt: skip
        text = current_style.note(
            axes, name if named else "", (centre, 1), (0, 0.45), ha="center",
            color=current_style.colours.muted,
        )  # fmt: skip
        marks.append((events[name], [line, text]))
    if current_style.ghost:
        return Drawing()
    moments = data["metric_epoch"].values

    def update(i: int) -> None:
        for at, artists in marks:
            for artist in artists:
                artist.set_visible(bool(moments[i] >= at))

    return Drawing([artists for _, artists in marks], update)


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
    split, rest = _split(name)
    return f"{split} {rest}".strip()


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
