"""From a phase change to grokking: the same training with less and less data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _ridges
from grokviz.scenes.any._papers import after

from grokviz.dataset.learning import LOW
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, members, option, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SLOWER = 3.0
"""So many times as long the smallest fraction has to take to generalise as the largest."""

MOSTLY = 0.75
"""Of so many pairs of fractions the smaller one takes longer, where less data is said to."""

AS_FAST = 1.5
"""Two epochs of memorising are alike within this factor."""

OURS, PUBLISHED = "ours", "published"

RISE = 0.84
"""How high the highest hill is, in rows."""

FILL = 0.55
"""How strong the colour of a hill is inside its line."""

NONE = panels.Curve.of([], [], "none")


@dataclass(frozen=True)
class FractionSweep(Scene):
    """A hill for every training fraction: its test loss, until it generalises."""

    name = "fraction-sweep"
    panels = ("family",)
    title = "With less data it memorises as fast and generalises far later"
    watch = "Each hill is the test loss on one share of the data, and ends where that is below 0.1"
    source = "thread, tweet 3; arXiv:2301.05217, appendix D and figure of data fractions"
    loops = True
    needs = (*members.NEEDS, "member_fraction", "member_source", "fraction_member")
    reference = "fraction-sweep"
    clock = "fraction"
    aspect = 1.7
    narrow_aspect = 0.85
    stills = ("last",)

    time: Literal["log", "linear"] = option("linear", "how epochs are spaced")
    trail: bool = option(True, "larger fractions too, above the one that is shown")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError also unless there is a run with a known training fraction."""
        super().check(data)
        if not data.sizes["fraction"]:
            raise InputError(
                f"{cls.name} draws runs of modular addition at several training fractions, and "
                "there is none here; grokviz explore shows the curves of any runs"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """Whether less data took longer, where it did; else how many fractions generalise."""
        epochs = _epochs(data, _sources(data)[0], "generalised_epoch")
        at = np.flatnonzero(np.isfinite(epochs))  # the fractions fall
        slower = at.size > 1 and epochs[at[-1]] >= SLOWER * epochs[at[0]]
        if not slower or _later(epochs[at]) < MOSTLY:
            return Claim.instead(f"{at.size} of {epochs.size} training fractions generalise")
        numbers = {"much": float(epochs[at[0]]), "little": float(epochs[at[-1]])}
        memorised = _epochs(data, _sources(data)[0], "memorised_epoch")[at]
        alike = memorised.max() <= AS_FAST * memorised.min()
        sentence = self.title if alike else "With less data it generalises far later"
        return Claim(sentence, _exception(data, epochs) or self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """A row for every fraction, the largest on top."""
        narrow = style().narrow(figure)
        axes = style().panels(figure, left=6.4, right=1.6, top=3.2 if narrow else 2.2)[0][0]
        curves = [_losses(data, i) for i in range(data.sizes["fraction"])]
        learnt = {
            name: _epochs(data, _sources(data)[0], f"{name}_epoch")
            for name in ("memorised", "generalised")
        }
        self._frame(axes, curves, learnt["generalised"])
        return _hills(axes, data, curves, learnt, trail=self.trail)

    def description(self, data: xr.Dataset, i: int) -> str:
        """When the runs of this fraction memorised and generalised, and both ends of the sweep."""
        fractions = data["fraction"].values
        runs = []
        for source in _sources(data):
            member = _member(data, source, i)
            if member >= 0:
                mark = "" if source == OURS else f" ({source})"
                test = members.losses(data, member).get("test")
                top = f", test loss at most {test.y.max():.3g}" if test is not None else ""
                runs.append(
                    f"{members.learnt(data, member, 'memorised_epoch')} and "
                    f"{members.learnt(data, member)}{top}{mark}"
                )
        ends = " and ".join(_end(data, j) for j in (0, len(fractions) - 1))
        return (
            f"Training and test loss over epochs, above {LOW:g} nats, a row for each of "
            f"{len(fractions)} training fractions. At fraction {fractions[i]:g}: "
            f"{'; '.join(runs) or 'no run'} (first losses below 0.1). Over the sweep {ends}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the rule, the sources of the runs, and the citation."""
        count = len(data["fraction"])
        beside = " Rings: the published sweep." if PUBLISHED in _sources(data)[1:] else ""
        return (
            f"Modular addition trained on {count} fractions of all pairs, from "
            f"{data['fraction'].values.max():g} to {data['fraction'].values.min():g}: the test "
            f"loss and, below it, the training loss at each over epochs, from {LOW:g} nats up "
            f"(height: logarithmic, up to {_highest(data):.2g}); dots: the first epoch with a test "
            f"loss below that.{beside} {after('appendix D')}"
        )

    def _frame(
        self, axes: Axes, curves: list[dict[str, panels.Curve]], generalised: np.ndarray
    ) -> None:
        """Axes that hold all hills, the largest fraction on top."""
        known = generalised[np.isfinite(generalised)]
        ends = [float(known.max())] if known.size == generalised.size else [
            float(curve.x[-1]) for losses in curves for curve in losses.values()
        ]  # fmt: skip
        last = max([20.0, *ends])
        axes.set_xscale(self.time)
        axes.set_xlim(*((FIRST, 2.2 * last) if self.time == "log" else (0, 1.12 * last)))
        axes.set(xlabel="epoch", ylim=(len(curves) - 0.85, -1))
        if self.time == "log":
            panels.decades(axes)
        else:
            panels.thousands(axes)
        axes.grid(visible=False)
        axes.spines["left"].set_visible(False)


FIRST = panels.FIRST


def _later(epochs: np.ndarray) -> float:
    """Of the pairs of fractions, the share in which the smaller one takes longer."""
    later = np.triu(epochs[None] > epochs[:, None], 1)
    return float(later.sum()) / max(len(epochs) * (len(epochs) - 1) / 2, 1)


def _exception(data: xr.Dataset, epochs: np.ndarray) -> str:
    """What to watch where a smaller fraction was sooner than the next larger; empty for nowhere."""
    at = np.flatnonzero(np.isfinite(epochs))
    known = epochs[at]
    sooner = known[:-1] - known[1:]
    if not sooner.size or sooner.max() <= 0:
        return ""
    k, names = int(np.argmax(sooner)), _percents(data)
    less, more = names[at[k + 1]], names[at[k]]
    ends = "Each hill ends where the test loss is below 0.1"
    return f"{ends}; not in strict order: {less} came before {more}"


def _percents(data: xr.Dataset) -> list[str]:
    """The training fractions in per cent."""
    return [f"{100 * fraction:g}%" for fraction in data["fraction"].values.astype(float)]


def _highest(data: xr.Dataset) -> float:
    """The largest loss that is drawn."""
    every = [c for i in range(data.sizes["fraction"]) for c in _losses(data, i).values()]
    return max(members.span(every)[1], 10 * LOW)


def _hill(curve: panels.Curve, row: int, highest: float) -> np.ndarray:
    """Corners of a curve above :data:`LOW` on its row: one row up is 1 down the axis."""
    above = np.maximum(np.log10(np.maximum(curve.y, LOW) / LOW), 0)
    y = row - RISE * above / np.log10(highest / LOW)
    x = curve.x[[0, *range(len(curve.x)), -1]]
    corners: np.ndarray = np.column_stack([x, np.concatenate([[row], y, [row]])])
    return corners


@dataclass(frozen=True)
class _Row:
    """What is drawn of one fraction: what is always seen of it, and what its numbers are."""

    parts: list[Any]
    numbers: list[Any]


def _hills(
    axes: Axes,
    data: xr.Dataset,
    curves: list[dict[str, panels.Curve]],
    learnt: dict[str, np.ndarray],
    *,
    trail: bool,
) -> Drawing:
    """A row of hills for each fraction; those to come are faint, or not seen yet."""
    highest, ghost = _highest(data), style().ghost
    rows = [_row(axes, row, losses, highest) for row, losses in enumerate(curves)]
    told = _told(learnt["generalised"])
    for i, row in enumerate(rows):
        _dots(axes, data, i, row, learnt["generalised"][i], number=i in told)
    axes.set_yticks(range(len(rows)), _percents(data))
    axes.tick_params(axis="y", length=0)
    current_style = style()
    muted = current_style.colours.muted
    current_style.note(axes, "trained on", (0, 1), (-2.35, 0.3), color=muted)
    _names(axes)

    def update(i: int) -> None:
        for j, row in enumerate(rows):
            strong = j == i or (trail and j < i)
            for part in row.parts:
                part.set_visible(strong or ghost)
                part.set_alpha(None if strong else 0.25)
            for number in row.numbers:
                number.set_visible(strong)

    return Drawing([[row.parts, row.numbers] for row in rows], update)


def _row(axes: Axes, row: int, losses: dict[str, panels.Curve], highest: float) -> _Row:
    """The test loss of one fraction, and before it the training loss."""
    from matplotlib.collections import PolyCollection

    current_style, colours = style(), style().colours
    parts: list[Any] = []
    for level, (name, colour) in enumerate((("test", colours.test), ("train", colours.train))):
        curve = losses.get(name, NONE)
        if not curve.x.size:
            continue
        corners, at = _hill(curve, row, highest), 2 + row + 0.2 * level
        inside = _ridges.blend(colour, FILL)
        hill = PolyCollection([corners], facecolors=[inside], lw=0, zorder=at)
        axes.add_collection(hill, autolim=False)
        above = np.where(curve.y > LOW, corners[1:-1, 1], np.nan)
        parts += [hill, *axes.plot(
            curve.x, above, color=colour, lw=0.6 * current_style.line, zorder=at + 0.1
        )]  # fmt: skip
    return _Row(parts, [])


def _dots(axes: Axes, data: xr.Dataset, i: int, row: _Row, epoch: float, *, number: bool) -> None:
    """A dot where a fraction generalises, with its epoch; rings for the published runs."""
    current_style, colours = style(), style().colours
    size, at = 0.42 * current_style.points, 3 + i
    if np.isfinite(epoch):
        row.parts.extend(axes.plot(
            [epoch], [i], "o", ms=size, mew=0, color=colours.test, zorder=at, clip_on=False
        ))  # fmt: skip
        if number:
            text = current_style.label(
                axes, epoch, i, f"{epoch:,.0f}", lift=0.01, ha="left", va="center",
                color=colours.test, zorder=at,
            )  # fmt: skip
            text.set_position((0.6 * current_style.small, 0.35 * current_style.small))
            row.numbers.append(text)
    elif data["fraction_member"].values[i].max() >= 0:
        end = float(axes.get_xlim()[1])
        text = current_style.label(
            axes, end, i, "never", lift=0.2, ha="right", color=colours.muted, zorder=at
        )
        row.numbers.append(text)
    for source in _sources(data)[1:]:
        there = _epochs(data, source, "generalised_epoch")[i]
        if source == PUBLISHED and np.isfinite(there):
            row.parts.extend(axes.plot(
                [there], [i], "o", ms=1.3 * size, mfc="none", mec=colours.ink, clip_on=False,
                mew=0.5 * current_style.line, zorder=at,
            ))  # fmt: skip


def _told(epochs: np.ndarray) -> set[int]:
    """The rows that have a number: the largest and the smallest fraction, and the slowest."""
    at = np.flatnonzero(np.isfinite(epochs))
    if not at.size:
        return set()
    return {int(at[0]), int(at[-1]), int(at[np.argmax(epochs[at])])}


def _names(axes: Axes) -> None:
    """The names of both losses, above the first row at its right: each in its colour."""
    current_style, colours = style(), style().colours
    # in a column there is no room for more than the names
    narrow = current_style.narrow(axes.figure)
    rest = "" if narrow else f"drawn from {LOW:g} nats up"
    last: Any = current_style.note(axes, rest, (1, 1), (0, 0.3), ha="right", color=colours.muted)
    for text, colour in (("test loss", colours.test), ("train loss", colours.train)):
        last = axes.annotate(
            text, (0, 0), (-0.6 * current_style.small, 0), xycoords=last, ha="right",
            textcoords="offset points", va="bottom", fontsize=current_style.small, color=colour,
            fontweight="bold",
        )  # fmt: skip


def _losses(data: xr.Dataset, i: int) -> dict[str, panels.Curve]:
    """What is drawn at a fraction: our losses, and the published test loss."""
    curves = {}
    runs = [(source, _member(data, source, i)) for source in _sources(data)]
    runs = [(source, member) for source, member in runs if member >= 0]
    if runs:
        # a sweep of published runs alone is drawn as ours would be
        curves = members.losses(data, runs[0][1])
    for source, member in runs[1:]:
        beside = members.losses(data, member)
        if source == PUBLISHED and "test" in beside:
            curves[PUBLISHED] = beside["test"]
    return curves


def _sources(data: xr.Dataset) -> list[str]:
    """The kinds of runs that there are, ours first."""
    names = [str(name) for name in data["source"].values]
    return [n for k, n in enumerate(names) if (data["fraction_member"].values[:, k] >= 0).any()]


def _member(data: xr.Dataset, source: str, i: int) -> int:
    return int(data["fraction_member"].sel(source=source).values[i])


def _epochs(data: xr.Dataset, source: str, name: str) -> np.ndarray:
    """An epoch of each fraction's run; NaN where it never came, or where there is no run."""
    indices = data["fraction_member"].sel(source=source).values
    epochs = data[name].values[np.maximum(indices, 0)].astype(float)
    return np.where((indices >= 0) & (epochs >= 0), epochs, np.nan)


def _end(data: xr.Dataset, j: int) -> str:
    member = next((m for m in data["fraction_member"].values[j] if m >= 0), -1)
    fraction = float(data["fraction"].values[j])
    epoch = members.learnt(data, int(member)) if member >= 0 else "no run"
    return f"fraction {fraction:g} {epoch}"
