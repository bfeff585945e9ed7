"""Curves over training: what is logged or measured of a run, how it is drawn, and its names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Float

from grokviz.scene.drawing import Drawing
from grokviz.scene.layout import pushed_apart
from grokviz.scene.phases import horizon
from grokviz.scene.style import Label, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

POINTS = 1500
"""Points drawn of a curve: more than a slide has pixels for it."""


DASHES = (2.5, 1.2)
"""Lengths of a dash and of a gap, in line widths."""

MARKS = 40
"""Marks of a curve at the edge of its axis: more would be a line."""


@dataclass
class Curve:
    """A curve whose past is drawn strongly and whose future faintly.

    Attributes:
        x, y: its points.
        colour: its colour.
        dashed: whether it is dashed, and thinner, as what another run did.

    """

    x: Float[np.ndarray, " point"]
    y: Float[np.ndarray, " point"]
    colour: str
    dashed: bool = False

    @classmethod
    def of(cls, x: Any, y: Any, colour: str) -> Curve:
        """A curve of any two arrays of numbers."""
        return cls(np.asarray(x, dtype=float), np.asarray(y, dtype=float), colour)

    @classmethod
    def thinned(cls, x: np.ndarray, y: np.ndarray, colour: str, last: float) -> Curve:
        """At most :data:`POINTS` points up to ``last``, and as many from there on."""
        parts = np.flatnonzero(x <= last), np.flatnonzero(x > last)
        indices = np.concatenate([part[:: max(1, len(part) // POINTS)] for part in parts])
        return cls.of(x[indices], y[indices], colour)

    def where(self, mask: Bool[np.ndarray, " point"]) -> Curve:
        """The points at which ``mask`` is true."""
        return Curve(self.x[mask], self.y[mask], self.colour, self.dashed)

    def draw(self, axes: Axes) -> Trace:
        """The curve at no moment yet, with the faint whole of it where the style has ghosts."""
        trace = self._traced(axes)
        if self.dashed:
            trace.dash()
            for line in trace.lines:
                line.set_linewidth(0.6 * line.get_linewidth())
        return trace

    def _traced(self, axes: Axes) -> Trace:
        current_style, colour = style(), self.colour
        (line,) = axes.plot([], [], color=colour, zorder=3)
        if current_style.ghost:
            (whole,) = axes.plot(
                self.x, self.y, color=colour, alpha=0.28, zorder=2, lw=current_style.line * 0.7
            )
            return Trace(self, line, whole=whole)
        size = current_style.points * 0.32
        (head,) = axes.plot([], [], "o", color=colour, ms=size, mew=0, zorder=4)
        return Trace(self, line, head)


@dataclass(frozen=True)
class Trace:
    """A curve as it is drawn: its past strong, and where it has come to.

    Attributes:
        curve: the whole curve.
        line: its past.
        head: a dot at its end where no ghost shows how it goes on; else None.
        whole: the ghost of all of it; None where the future is not drawn.

    """

    curve: Curve
    line: Any
    head: Any = None
    whole: Any = None

    @property
    def moving(self) -> list[Any]:
        """The past and its end."""
        return [self.line] if self.head is None else [self.line, self.head]

    @property
    def lines(self) -> list[Any]:
        """The past, and the ghost where there is one."""
        return [self.line] if self.whole is None else [self.whole, self.line]

    def dash(self, dashes: tuple[float, float] = DASHES) -> None:
        """Draw it dashed, past and ghost, where a shade of grey alone would not tell it apart."""
        for line in self.lines:
            line.set_linestyle((0, dashes))

    def update(self, moment: float) -> None:
        """Draw strongly up to ``moment``."""
        stop = int(np.searchsorted(self.curve.x, moment, side="right"))
        self.line.set_data(self.curve.x[:stop], self.curve.y[:stop])
        if self.head is not None:
            end = slice(max(stop - 1, 0), stop)
            self.head.set_data(self.curve.x[end], self.curve.y[end])


NEAR_END = 0.985
"""So far along a panel nothing is left to come."""


@dataclass(frozen=True)
class Marker:
    """A line across a panel at the epoch shown."""

    line: Any

    @classmethod
    def draw(cls, axes: Axes) -> Marker:
        """At no epoch yet."""
        return cls(axes.axvline(0, color=style().colours.ink, lw=style().line * 0.5, zorder=5))

    def update(self, moment: float) -> None:
        """Put it at ``moment``; at the panel's end it would part nothing, and is not drawn."""
        axes = self.line.axes
        self.line.set_xdata([moment, moment])
        at = axes.get_xaxis_transform().transform((moment, 0))[0]
        self.line.set_visible(at < axes.bbox.x0 + NEAR_END * axes.bbox.width)


def path(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    colour: str,
    *,
    dot: float = 0.5,
    faint: float = 0.28,
) -> Drawing:
    """A way through a plane: what is gone of it strong, a dot at its end, its ghost faint.

    ``dot`` is the size of the dot in ems, ``faint`` how opaque the ghost is.
    """
    current_style = style()
    if current_style.ghost:
        axes.plot(x, y, color=colour, alpha=faint, lw=current_style.line * 0.7, zorder=2)
    (past,) = axes.plot([], [], color=colour, zorder=3)
    size = current_style.points * dot
    (end,) = axes.plot([], [], "o", color=colour, ms=size, mew=0, zorder=6)

    def update(i: int) -> None:
        past.set_data(x[: i + 1], y[: i + 1])
        end.set_data(x[i : i + 1], y[i : i + 1])

    return Drawing([past, end], update)


def shown_from(artists: Sequence[Any], epochs: Any, at: float) -> Drawing:
    """Artists that films show once the clock of these epochs has come so far; stills always."""

    def update(i: int) -> None:
        for artist in artists:
            artist.set_visible(style().ghost or bool(epochs[i] >= at))

    return Drawing(artists, update)


def losses(data: xr.Dataset) -> dict[str, Curve]:
    """The train and the test loss as training logged them."""
    colours, end = style().colours, horizon(data)
    return {
        "train": Curve.thinned(
            data["logged_epoch"].values, data["logged_train_loss"].values, colours.train, end
        ),
        "test": Curve.thinned(
            data["tested_epoch"].values, data["logged_test_loss"].values, colours.test, end
        ),
    }


def loss_at(data: xr.Dataset, split: str, i: int) -> str:
    """A loss at checkpoint ``i`` in two digits: as it was logged, else as it was measured."""
    clock = "logged_epoch" if split == "train" else "tested_epoch"
    if data.sizes[clock]:
        epochs, values = data[clock].values, data[f"logged_{split}_loss"].values
        return f"{np.interp(data['epoch'].values[i], epochs, values):.2g}"
    return f"{float(data['loss'].sel(split=split)[i]):.2g}" if "loss" in data else "not logged"


def at_checkpoints(data: xr.Dataset, values: Any, colour: str | None = None) -> Curve:
    """What was measured at the checkpoints; in ink without another colour."""
    return Curve.of(data["epoch"].values, values, colour or style().colours.ink)


def splits(data: xr.Dataset, name: str, scale: float = 1) -> dict[str, Curve]:
    """A measure of the whole model on its train and its test pairs, in their colours."""
    colours = {"train": style().colours.train, "test": style().colours.test}
    return {
        split: at_checkpoints(data, scale * data[name].sel(split=split).values, colour)
        for split, colour in colours.items()
    }


class OffScale:
    """Marks for what a logarithmic axis has no place for: 0 and less below, infinity above."""

    def __init__(self, axes: Axes, curves: Mapping[str, Curve]) -> None:
        self.parts: list[tuple[np.ndarray, float, Any]] = []
        words = {0.0: "\u25be 0 or less", 1.0: "\u25b4 infinite"}
        size = style().points * 0.3
        for curve in curves.values():
            for level, shape, off in ((0.0, "v", curve.y <= 0), (1.0, "^", curve.y == np.inf)):
                x = curve.x[off]
                if not x.size:
                    continue
                x = x[:: max(1, len(x) // MARKS)]
                (marks,) = axes.plot(
                    [], [], shape, color=curve.colour, ms=size, mew=0, clip_on=False, zorder=5,
                    transform=axes.get_xaxis_transform(),
                )  # fmt: skip
                self.parts.append((x, level, marks))
                if level in words:
                    side = 0.3 if level == 0 else -1.2
                    style().note(
                        axes, words.pop(level), (1, level), (-0.3, side), ha="right",
                        color=style().colours.muted,
                    )  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        """The marks."""
        return [marks for _, _, marks in self.parts]

    def update(self, moment: float) -> None:
        """Show those up to ``moment``."""
        for x, level, marks in self.parts:
            seen = x[x <= moment]
            marks.set_data(seen, np.full(len(seen), level))


def note_names(texts: dict[str, Any], curves: Mapping[str, Curve]) -> None:
    """Note the names of curves for a legend that panels share, which then takes them away."""
    labels = style().labels
    if labels is None:
        return

    def leave_out(name: str) -> None:
        text = texts.pop(name, None)
        if text is not None:
            text.remove()

    labels += [
        Label(name.replace("\n", " "), curves[name].colour, False, partial(leave_out, name))
        for name in texts
    ]


class Levels:
    """Where the future is not drawn, a dotted level from the end of each curve to that of the axes.

    Without them the first picture of a film would be all but empty.
    """

    def __init__(self, axes: Axes, curves: Mapping[str, Curve]) -> None:
        self.axes, width = axes, style().line * 0.4
        shown = [] if style().ghost else curves.values()
        self.lines: list[tuple[Curve, Any]] = [
            (curve, axes.plot([], [], color=curve.colour, lw=width, ls=(0, (1, 3)), zorder=1.5)[0])
            for curve in shown
        ]

    @property
    def moving(self) -> list[Any]:
        """The levels."""
        return [line for _, line in self.lines]

    def update(self, moment: float) -> None:
        """Let them begin at ``moment``."""
        end = self.axes.get_xlim()[1]
        for curve, line in self.lines:
            y = float(np.interp(moment, curve.x, curve.y))
            line.set_data(*([[moment, end], [y, y]] if np.isfinite(y) else [[], []]))


class EndNames:
    """Each curve's name to the right of the axes, level with the curve at a moment or near it.

    With ``leaders`` a thin line leads from a curve to its name, which then stands farther off.
    """

    def __init__(self, axes: Axes, curves: Mapping[str, Curve], *, leaders: bool = False) -> None:
        current_style = style()
        self.axes = axes
        self.curves = {name: c for name, c in curves.items() if not name.startswith("_")}
        self.em = current_style.pixels(axes, current_style.small) / axes.bbox.height
        self.texts = {
            name: current_style.note(
                axes, name, (1, 0.5), (1.4 if leaders else 0.5, 0), ha="left", va="center",
                color=current_style.colours.words(curve.colour), fontweight="bold",
                linespacing=1.05,
            )
            for name, curve in self.curves.items()
        }  # fmt: skip
        self.reach = 1 + 1.2 * self.em * axes.bbox.height / axes.bbox.width
        self.leaders = {
            name: axes.plot(
                [], [], color=curve.colour, lw=0.4 * current_style.line, clip_on=False, zorder=2,
                transform=axes.transAxes,
            )[0]
            for name, curve in self.curves.items()
            if leaders
        }  # fmt: skip
        note_names(self.texts, self.curves)
        self.levels = Levels(axes, self.curves or dict(list(curves.items())[:1]))

    @property
    def moving(self) -> list[Any]:
        """The levels, the names and what leads to them."""
        return [*self.levels.moving, *self.leaders.values(), *self.texts.values()]

    def update(self, moment: float) -> None:
        """Put them where the curves are at ``moment``, pushed apart."""
        self.levels.update(moment)
        across = self.axes.transData + self.axes.transAxes.inverted()
        level = {}
        for name, c in self.curves.items():
            at = float(across.transform((moment, float(np.interp(moment, c.x, c.y))))[1])
            # what a logarithmic axis has no place for lies below it
            level[name] = at if np.isfinite(at) else 0.0
        order = sorted(self.texts, key=lambda name: level[name])
        high = [1.18 * self.em * (1 + name.count("\n")) for name in order]
        places = pushed_apart([level[name] for name in order], high, 0, 1 + 0.6 * self.em)
        # a legend that panels share takes names away
        for line in self.leaders.values():
            line.set_data([], [])
        for name, place in zip(order, places, strict=True):
            self.texts[name].xy = (1, place)
            if name in self.leaders:
                self.leaders[name].set_data([1, self.reach], [level[name], place])


class LineNames:
    """Names on the curves themselves, at these epochs, above or below them.

    Until a curve has come there its name goes along with it.
    """

    def __init__(
        self,
        axes: Axes,
        curves: Mapping[str, Curve],
        at: Mapping[str, float],
        *,
        above: Collection[str] = ("test",),
        ha: Literal["left", "center", "right"] = "center",
    ) -> None:
        self.axes, self.curves, self.at, self.ha = axes, curves, at, ha
        self.texts: dict[str, Any] = {}
        for name in at:
            if name in curves:
                side, va = (1, "bottom") if name in above else (-1, "top")
                self.texts[name] = style().label(
                    axes, at[name], 1.0, name, lift=side * 0.35,
                    color=style().colours.words(curves[name].colour), va=va, ha=ha, zorder=6,
                )  # fmt: skip
        note_names(self.texts, curves)
        self.levels = Levels(axes, {name: curves[name] for name in self.texts})

    @property
    def moving(self) -> list[Any]:
        """The levels and the names."""
        return [*self.levels.moving, *self.texts.values()]

    def update(self, moment: float) -> None:
        """Put them at their epochs, or as far as the curves have come."""
        self.levels.update(moment)
        small = style().pixels(self.axes, style().small)
        for name, text in self.texts.items():
            curve = self.curves[name]
            i = min(int(np.searchsorted(curve.x, min(self.at[name], moment))), len(curve.y) - 1)
            room = {"left": 0.0, "center": 0.36, "right": 0.72}[self.ha] * small * len(name)
            x = min(self.at[name], max(moment, self._inside(room)))
            text.xy = (x, float(curve.y[i]))

    def _inside(self, pixels: float) -> float:
        """The epoch so many pixels right of the axes' left edge."""
        x = self.axes.bbox.x0 + pixels
        return float(self.axes.transData.inverted().transform((x, self.axes.bbox.y0))[0])


def room_for_labels(axes: Axes, curves: Mapping[str, Curve]) -> None:
    """Limits that leave room for names above and below the curves, and a tick in few decades."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    above = [curve.y[np.isfinite(curve.y) & (curve.y > 0)] for curve in curves.values()]
    values = np.concatenate([np.empty(0), *above])
    if values.size:
        em = style().pixels(axes, style().small)
        share = min(1.9 * em / axes.bbox.height, 0.3)
        decades = max(np.log10(values.max() / values.min()), 0.5)
        room = 10 ** (decades * share / (1 - 2 * share))
        axes.set_ylim(values.min() / room, values.max() * room)
        first, last = np.floor(np.log10(values.min())), np.ceil(np.log10(values.max()))
        step = max(round((last - first) * 2.2 * em / axes.bbox.height), 2 if decades > 4 else 1)
        low, high = axes.get_ylim()
        # from the highest that is on the axis, or the curves' top would have no tick near it
        last = min(last, np.floor(np.log10(high)))
        ticks = 10 ** np.arange(last, first - 1, -step)
        if not ((ticks > low) & (ticks < high)).any():
            # curves that are all but constant lie between two powers of ten
            ticks = np.array([float(f"{values.max():.2g}")])
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.yaxis.set_minor_locator(NullLocator())
