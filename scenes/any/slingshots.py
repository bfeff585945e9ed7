"""Slingshots: spikes of the loss in one precision, none in another, and both generalise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.dataset.numerics.spikes import spikes
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, members, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

ROWS = {
    "loss": "loss (nats)",
    "unembedding_norm": "norm of $W_U$",
    "logit_gradient_sum": "rounding\nerror",
}
SMALLEST = 1e-18
"""Sums below this are drawn here: exact zeros have no place on a logarithmic axis."""

TALL = 1.7
"""How many times higher each run's loss is than what is below the losses."""

EARLY = 0.45
"""Of a run that generalises in this share of the axis, its heading stands at the right."""

APART = {True: 2.0, False: 4.2}
"""So many ems apart, two levels have room for numbers between them, in a wide figure or not."""


@dataclass(frozen=True)
class Slingshots(Scene):
    """The same start in each precision, a row for each: the loss, and when it generalises."""

    name = "slingshots"
    title = "The same start, in two precisions: one spikes, and both generalise"
    watch = "the training loss from one start; only the rounding of the loss differs"
    source = "thread, tweet 14; arXiv:2206.04817; arXiv:2605.06152"
    disputed = (
        "Disputed: whether the leaps come from adaptive optimisers (arXiv:2206.04817) or from "
        "rounding (arXiv:2605.06152)."
    )
    needs = (
        *members.NEEDS, "member_precision", "member_unembedding_norm",
        "member_logit_gradient_sum", "member_seed", "member_fraction",
    )  # fmt: skip
    recipe = "modular-addition-float32"
    reference = "slingshots"
    aspect = 1.7
    narrow_aspect = 0.8
    ends_with_film = True

    until: int | None = option(20000, "last epoch shown; none for all")
    test: bool = option(False, "the test loss, beside the training loss")
    norm: bool = option(False, "the norm of the last layer, below the losses")
    rounding: bool = option(False, "what rounding leaves of a sum that should be 0, below")

    def __post_init__(self) -> None:
        if self.until is not None and self.until < 1:
            raise ValueError(f"until={self.until} is before any update; give 1 or more")

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a run logged its loss."""
        super().check(data)
        if not any(members.losses(data, member) for member in _shown(data)):
            raise InputError(f"{cls.name} draws losses, and neither of these runs logged one")

    def claim(self, data: xr.Dataset) -> Claim:
        """How often each of the runs shown spikes, and whether they generalise."""
        runs = _shown(data)
        names = [_precision(data, member) for member in runs]
        end = self._end(data)
        counts = [_spikes(data, member, end) for member in runs]
        learned = [int(data["generalised_epoch"].values[member]) >= 0 for member in runs]
        numbers = {f"spikes in {n}": count for n, count in zip(names, counts, strict=True)}
        listed = ", ".join(
            f"{name}: {_count(count)}" for name, count in zip(names, counts, strict=True)
        )
        both = len(runs) == 2 and all(learned)
        if not both or not _same_start(data) or not counts[0] > counts[1] == 0:
            end = "; both generalise" if both else f"; {sum(learned)} of {len(runs)} generalise"
            return Claim.instead(f"{listed}{end}", **numbers)
        bits = [_bits(name) for name in names]
        often = "spikes" if counts[0] > 1 else "spikes once"
        sentence = f"With {bits[0]} the loss {often}, with {bits[1]} never; both generalise"
        if all(bit.endswith(" bits") for bit in bits):
            sentence = sentence.replace(f"with {bits[1]}", f"with {bits[1].removesuffix(' bits')}")
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The losses of the first two runs above one another, their causes below them if asked."""
        runs, narrow = _shown(data), style().narrow(figure)
        below = [row for row in self._rows() if self._logged(data, row)]
        logged = [
            m for m in runs if any(self._curve(data, m, n).x.size for n in self._names("loss"))
        ]
        rooms = style().stack(
            figure, [*[TALL] * len(logged), *[1.0] * len(below)],
            left=6.0, right=1.6, vgap=3.6 if narrow else 2.4, top=3.2 if narrow else 1.8,
        )  # fmt: skip
        traces: list[panels.Trace] = []
        smooth: list[panels.Trace] = []
        parts: list[Drawing] = []
        for member, axes in zip(logged, rooms, strict=False):
            drawn = self._traces(axes, data, member, "loss")
            traces += drawn
            smooth += drawn
            self._frame(axes, data, "loss", self._limits(data, "loss"), last=axes is rooms[-1])
            axes.set_ylabel("loss" if narrow else ROWS["loss"])
            if self.test:
                parts.append(self._names_of_losses(axes, data, member))
            parts += [
                self._tops(axes, data, member), self._heading(axes, data, member),
                self._learned(axes, data, member),
            ]  # fmt: skip
        for name, axes in zip(below, rooms[len(logged) :], strict=True):
            drawn = [t for m in reversed(runs) for t in self._traces(axes, data, m, name)]
            traces += drawn
            self._frame(axes, data, name, self._limits(data, name), last=axes is rooms[-1])
            axes.set_ylabel(ROWS[name])
            if name == "logit_gradient_sum":
                parts.append(self._left_over(axes, data))
            else:
                # the level of what rounding leaves would only flicker
                smooth += drawn
        parts.append(members.levels(smooth, data))
        return self._moving(rooms, traces, parts, data)

    def description(self, data: xr.Dataset, i: int) -> str:
        """Spikes, generalising, and the numbers at that moment, for each run."""
        epoch, runs = int(data["epoch"].values[i]), []
        word = clocks.word(data)
        for member in _shown(data):
            now = {
                name: _at(self._curve(data, member, name), epoch)
                for name in ("train_loss", "unembedding_norm", "logit_gradient_sum")
            }
            end = self._end(data)
            runs.append(
                f"{_precision(data, member)}: {_count(_spikes(data, member, end))} in {end:.0f} "
                f"{word}s, "
                f"{members.learnt(data, member)}; at {word} {epoch} training loss "
                f"{now['train_loss']:.2g}, norm of the last layer {now['unembedding_norm']:.3g}, "
                f"size of the sum of the logits' gradient {now['logit_gradient_sum']:.1e}"
            )
        more = [
            *(["the norm of the unembedding"] if self.norm else []),
            *(["the size of the sum of the logits' gradient"] if self.rounding else []),
        ]
        below = f", and below {' and '.join(more)}, the second grey" if more else ""
        return (
            f"The {'losses' if self.test else 'training loss'} over epochs on a logarithmic axis, "
            f"a row for each precision of the loss{below}. {'. '.join(runs)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        runs = (
            "The same initial weights and data trained with the log-softmax in two precisions."
            if _same_start(data)
            else "Runs of one family."
        )
        return (
            f"{runs} Dots: spikes, where the training loss rises above 0.001 after it was below "
            "0.0001. Dotted: from there on the run generalises. The "
            "loss's gradient sums to 0 over the logits but for rounding: where it does not, the "
            "last layer drifts. After Nanda et al. (2023), arXiv:2301.05217; Thilak et al. (2022), "
            "arXiv:2206.04817; and arXiv:2605.06152."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """The epochs that are shown."""
        return 0, self._end(data)

    def _end(self, data: xr.Dataset) -> float:
        last = float(data["epoch"].values[-1])
        return last if self.until is None else min(float(self.until), last)

    def _last(self, data: xr.Dataset) -> int:
        return clocks.index_up_to(data, "epoch", self._end(data))

    def _curve(self, data: xr.Dataset, member: int, name: str) -> panels.Curve:
        colours = style().colours
        colour = {"train_loss": colours.train, "test_loss": colours.test}.get(name, colours.ink)
        curve = members.curve(data, member, name, colour)
        if name == "logit_gradient_sum":
            curve.y = np.maximum(np.abs(curve.y), SMALLEST)
        elif name != "unembedding_norm":
            # a loss of exactly 0 has no place on a logarithmic axis: it is drawn below the others
            floor = float(curve.y[curve.y > 0].min(initial=1e-6)) / 3
            curve.y = np.where(curve.y > 0, curve.y, floor)
        return curve

    def _traces(self, axes: Axes, data: xr.Dataset, member: int, name: str) -> list[panels.Trace]:
        curves = [self._curve(data, member, one) for one in reversed(self._names(name))]
        second = member != _shown(data)[0] and name != "loss"
        traces = []
        for curve in curves:
            if not curve.x.size:
                continue
            if second:
                curve.colour = style().colours.muted
            traces.append(curve.draw(axes))
            traces[-1].line.set_linewidth(style().line * 0.8)
        return traces

    def _rows(self) -> list[str]:
        """What is drawn below the losses, from above."""
        asked = {"unembedding_norm": self.norm, "logit_gradient_sum": self.rounding}
        return [row for row in ROWS if asked.get(row)]

    def _logged(self, data: xr.Dataset, row: str) -> bool:
        """Whether any run shown has something to draw in a row."""
        return any(
            self._curve(data, member, one).x.size
            for member in _shown(data)
            for one in self._names(row)
        )

    def _moving(
        self,
        grid: list[Axes],
        traces: list[panels.Trace],
        parts: list[Drawing],
        data: xr.Dataset,
    ) -> Drawing:
        """Curves and markers up to the moment; beyond the axes' end all of the runs is shown."""
        epochs, end = data["epoch"].values.astype(float), self._end(data)
        markers = [panels.Marker.draw(axes) for axes in grid]

        def update(i: int) -> None:
            right = end if epochs[i] <= end else float(epochs[-1])
            for axes, marker in zip(grid, markers, strict=True):
                if axes.get_xlim()[1] != right:
                    axes.set_xlim(0, right)
                marker.update(float(epochs[i]))
            for trace in traces:
                trace.update(float(epochs[i]))
            for part in parts:
                part.update(i)

        return Drawing(
            [[t.moving for t in traces], [m.line for m in markers], [p.moving for p in parts]],
            update,
        )

    def _heading(self, axes: Axes, data: xr.Dataset, member: int) -> Drawing:
        """The precision and the number of spikes: in films of those so far."""
        epochs, end, ghost = data["epoch"].values, self._end(data), style().ghost
        # clear of the name of the moment at which it generalises, above it where both are too wide
        narrow = style().narrow(axes.figure)
        early = 0 <= int(data["generalised_epoch"].values[member]) < EARLY * end
        right = early and not narrow
        text = style().note(
            axes, "", (float(right), 1), (0, 1.9 if narrow else 0.5), fontweight="bold",
            ha="right" if right else "left", fontsize=1.1 * style().points,
        )  # fmt: skip
        name = _bits(_precision(data, member))
        # where a film ends it is the still
        last = float(epochs[epochs <= end].max(initial=0))

        def update(i: int) -> None:
            # a still shows all that its axes do, a film what has happened
            until = max(end, epochs[i]) if ghost else epochs[i]
            count = _count(_spikes(data, member, until))
            over = ghost or epochs[i] >= last
            text.set_text(f"{name}: {count}{'' if over else ' so far'}")

        return Drawing([text], update)

    def _learned(self, axes: Axes, data: xr.Dataset, member: int) -> Drawing:
        """A dotted line where the run generalises, from then on in films."""
        at, epochs, ghost = int(data["generalised_epoch"].values[member]), data["epoch"].values, (
            style().ghost
        )  # fmt: skip
        if not 0 <= at <= self._end(data):
            return Drawing()
        colour, late = style().colours.test, at > 0.8 * self._end(data)
        line = axes.axvline(at, color=colour, lw=0.7 * style().line, ls=":", zorder=1.8)
        name = style().note(
            axes, "generalises", (at, 1), (0, 0.5), ha="right" if late else "left", color=colour,
            fontweight="bold", xycoords=axes.get_xaxis_transform(),
        )  # fmt: skip

        def update(i: int) -> None:
            for artist in (line, name):
                artist.set_visible(ghost or bool(epochs[i] >= at))

        return Drawing([line, name], update)

    def _tops(self, axes: Axes, data: xr.Dataset, member: int) -> Drawing:
        """A dot on each spike of a run."""
        curve, epochs = members.curve(data, member, "train_loss", ""), data["epoch"].values
        tops = spikes(curve.x.astype(np.int64), curve.y)[0]
        heights = np.interp(tops, curve.x, curve.y) if tops.size else tops.astype(float)
        ghost = style().ghost
        (dots,) = axes.plot(
            [], [], "o", color=style().colours.train, ms=0.45 * style().points, mew=0, zorder=5
        )

        def update(i: int) -> None:
            seen = tops <= (max(self._end(data), epochs[i]) if ghost else epochs[i])
            dots.set_data(tops[seen], heights[seen])

        return Drawing([dots], update)

    def _left_over(self, axes: Axes, data: xr.Dataset) -> Drawing:
        """What rounding leaves of the sum, which is 0 in exact numbers: the median of its size.

        Each number stands on that side of its run's level where the other run is.
        """
        levels, wide = self._levels(data), not style().narrow(axes.figure)
        middle = float(np.log10(axes.get_ylim()).mean())
        sides = {m: np.log10(level) < middle for m, level in levels.items()}
        if len(levels) == 2:
            (one, low), (two, high) = levels.items()
            places = axes.transData.transform([(0, low), (0, high)])[:, 1]
            if abs(places[0] - places[1]) > APART[wide] * style().pixels(axes, style().small):
                sides = {one: low < high, two: high < low}
            else:
                del levels[two]
        texts = []
        for n, (member, level) in enumerate(levels.items()):
            # beside one another where they have the room
            text = style().note(
                axes, self._leaves(data, member, level, several=len(levels) > 1),
                (0.6 if n and wide else 0.98, level), (0, 0.55 if sides[member] else -0.45),
                ha="right", va="bottom" if sides[member] else "top", zorder=6,
                xycoords=axes.get_yaxis_transform(),
            )  # fmt: skip
            texts.append(text)
        if style().ghost:
            return Drawing()
        last = self._last(data)

        def update(i: int) -> None:
            for text in texts:
                text.set_visible(i >= last)

        return Drawing(texts, update)

    def _levels(self, data: xr.Dataset) -> dict[int, float]:
        """The median size of the sum, of each run that logged it."""
        levels = {}
        for member in _shown(data):
            curve = members.curve(data, member, "logit_gradient_sum", style().colours.ink)
            sizes = np.abs(curve.y[curve.x <= self._end(data)])
            if sizes.size:
                levels[member] = max(float(np.median(sizes)), SMALLEST)
        return levels

    def _leaves(self, data: xr.Dataset, member: int, level: float, *, several: bool) -> str:
        left = _power(level if level > SMALLEST else 0)
        return f"{_precision(data, member)} leaves about {left}" if several else f"leaves {left}"

    def _names(self, row: str) -> list[str]:
        """What is drawn in a row."""
        return ["train_loss", "test_loss"][: 1 + self.test] if row == "loss" else [row]

    def _frame(self, axes: Axes, data: xr.Dataset, name: str, limits: Any, *, last: bool) -> None:
        from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator

        if name != "unembedding_norm":
            axes.set_yscale("log")
            ticks: Any = LogLocator(numticks=5)
            if name == "loss":
                ticks = FixedLocator([1e-6, 1e-3, 1])
            elif name == "logit_gradient_sum":
                ticks = LogLocator(numticks=4)
            axes.yaxis.set_major_locator(ticks)
            axes.yaxis.set_minor_locator(NullLocator())
        else:
            axes.yaxis.set_major_locator(MaxNLocator(3))
        panels.thousands(axes)
        axes.set(xlim=(0, self._end(data)), ylim=limits, xlabel=clocks.word(data) if last else "")
        axes.tick_params(labelbottom=last)

    def _limits(self, data: xr.Dataset, name: str) -> tuple[float, float]:
        values = [
            curve.y[curve.x <= self._end(data)]
            for member in _shown(data)
            for curve in (self._curve(data, member, one) for one in self._names(name))
        ]
        flat = np.concatenate(values)
        if name == "unembedding_norm":
            return 0.0, 1.1 * float(flat.max(initial=1e-9))
        flat = flat[flat > 0]
        # of losses there is room for names above and below
        room = 20 if name == "loss" and self.test else 3
        return (float(flat.min()) / room, float(flat.max()) * room) if flat.size else (0.1, 1.0)

    def _names_of_losses(self, axes: Axes, data: xr.Dataset, member: int) -> Drawing:
        """The names of the losses on their curves."""
        curves = {name: c for name, c in members.losses(data, member).items() if c.y.size}
        if not self.test:
            curves.pop("test", None)
        learned = int(data["generalised_epoch"].values[member])
        # while the two losses are apart
        before = 0.45 * learned if learned > 0 else self._end(data)
        at = dict.fromkeys(curves, min(0.22 * self._end(data), before))
        names = panels.LineNames(axes, curves, at)
        epochs = data["epoch"].values.astype(float)
        names.update(float(epochs[-1]))
        if style().ghost:
            return Drawing()
        return Drawing(names.moving, lambda i: names.update(float(epochs[i])))


def _shown(data: xr.Dataset) -> list[int]:
    """The first two runs: those of lower precision first."""
    precisions = data["member_precision"].values.astype(str)
    return [int(member) for member in np.argsort(precisions, kind="stable")[:2]]


def _precision(data: xr.Dataset, member: int) -> str:
    """The precision, or the run's name where that does not tell the runs apart."""
    precisions = [str(data["member_precision"].values[one]) for one in _shown(data)]
    apart = "" not in precisions and len(set(precisions)) == len(precisions)
    own = str(data["member_precision"].values[member])
    return own if apart else members.display(str(data["member_name"].values[member]))


def _bits(name: str) -> str:
    """A precision by its bits; a name that is none as it is."""
    known = re.fullmatch(r"float(\d+)", name)
    return f"{known[1]} bits" if known else name


def _same_start(data: xr.Dataset) -> bool:
    """Whether the two runs shown differ in precision alone, as far as they say."""
    runs = _shown(data)
    precisions = {str(data["member_precision"].values[member]) for member in runs}
    seeds = {int(data["member_seed"].values[member]) for member in runs}
    fractions = {round(float(data["member_fraction"].values[member]), 6) for member in runs}
    apart = len(precisions) == len(runs) == 2 and "" not in precisions
    return apart and len(seeds) == 1 and -1 not in seeds and len(fractions) == 1


def _spikes(data: xr.Dataset, member: int, end: float) -> int:
    """How often the training loss of a run has spiked up to an epoch."""
    curve = members.curve(data, member, "train_loss", "")
    tops = spikes(curve.x.astype(np.int64), curve.y)[0]
    return int((tops <= end).sum())


def _power(size: float) -> str:
    """A small number as a digit and a power of ten, for a picture."""
    if not size > 0:
        return "exactly 0"
    digit, power = f"{size:.0e}".split("e")
    return rf"${digit} \times 10^{{{int(power)}}}$"


def _count(spikes: int) -> str:
    return f"{spikes or 'no'} spike{'' if spikes == 1 else 's'}"


def _at(curve: panels.Curve, epoch: float) -> float:
    return float(np.interp(epoch, curve.x, curve.y)) if curve.x.size else 0.0
