"""Panels of curves over training that scenes share, so that they look and move alike everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from grokviz.scene import clock as clocks
from grokviz.scene.curves import (
    POINTS,
    Curve,
    EndNames,
    LineNames,
    Marker,
    OffScale,
    Trace,
    at_checkpoints,
    loss_at,
    losses,
    path,
    room_for_labels,
    shown_from,
    splits,
)
from grokviz.scene.drawing import Drawing
from grokviz.scene.phases import PhaseShades, horizon, see_through, shade_phases
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = [
    "FIRST",
    "POINTS",
    "Curve",
    "CurvePanel",
    "EndNames",
    "LineNames",
    "LossPanel",
    "Marker",
    "Spacing",
    "Trace",
    "at_checkpoints",
    "decades",
    "horizon",
    "loss_at",
    "losses",
    "path",
    "see_through",
    "shade_phases",
    "shown_from",
    "splits",
    "thousands",
    "without_time",
]  # fmt: skip

Spacing = Literal["linear", "log"]


class Names(Protocol):
    """The names of curves, which may go along with them."""

    @property
    def moving(self) -> list[Any]:
        """The names."""

    def update(self, moment: float) -> None:
        """Put them where they belong at ``moment``."""


FIRST = 10.0
"""Where a logarithmic time axis begins: before that nothing is learned."""


@dataclass
class CurvePanel:
    """Curves over epochs, each named at its right end, with a marker of the epoch shown.

    Attributes:
        axes, data: where it is drawn, and the dataset whose clock and phases it has.
        curves: by name; one whose name begins with an underscore is not named.
        ylabel: what is drawn, with its unit.
        log: whether values are spaced logarithmically.
        time: how epochs are spaced.
        ylim: limits other than the curves' own; names are placed by them.
        yticks: ticks other than matplotlib's.
        end: the last epoch shown until a later one is; the horizon by default.
        clock: the clock whose last epoch is that of the whole run.
        phases: whether the phases are shaded, and named above the panel.

    """

    axes: Axes
    data: xr.Dataset
    curves: Mapping[str, Curve]
    _: KW_ONLY
    ylabel: str
    log: bool = False
    time: Spacing = "linear"
    ylim: tuple[float, float] | None = None
    yticks: Sequence[float] | None = None
    end: float | None = None
    clock: str = "epoch"
    phases: Literal["named", "shaded", "none"] = "shaded"

    def __post_init__(self) -> None:
        self._ghost = style().ghost
        self.shades: PhaseShades | None = None
        shown = {name: self.shown(curve) for name, curve in self.curves.items()}
        known = {n: curve for n, curve in shown.items() if not np.isnan(curve.y).all()}
        self.curves = {n: curve for n, curve in known.items() if self.has_place(curve)}
        self.first = FIRST if self.time == "log" else 0.0
        if self.log:
            self.axes.set_yscale("log")
        if self.time == "log":
            self.axes.set_xscale("log")
            decades(self.axes)
        else:
            thousands(self.axes)
        self.axes.set(xlabel=clocks.word(self.data), ylabel=self.ylabel)
        self.shade()
        self.traces = {name: self.trace(name, curve) for name, curve in self.curves.items()}
        self.set_limits()
        if self.ylim is not None:
            self.axes.set_ylim(*self.ylim)
        if self.yticks is not None:
            self.axes.set_yticks(self.yticks)
        self.off_scale = OffScale(self.axes, known if self.log else {})
        self.marker = Marker.draw(self.axes)
        if shown and not known:
            self.say_nothing()
        self._short = horizon(self.data, self.clock) if self.end is None else self.end
        self.names = self.name_curves(self._short)
        self._end_at(self._short)

    @property
    def moving(self) -> list[Any]:
        """The past of every curve, the marker, and the names where they go along."""
        traces = [artist for trace in self.traces.values() for artist in trace.moving]
        names = [] if self.names is None or self._ghost else list(self.names.moving)
        shades = [] if self.shades is None else self.shades.moving
        return [*shades, *traces, *self.off_scale.moving, self.marker.line, *names]

    def update(self, epoch: float) -> None:
        """Draw strongly up to ``epoch``; beyond the axis' end the whole run is shown."""
        whole = float(self.data[self.clock].values[-1])
        end = whole if epoch > self._short else self._short
        if end != self.end:
            self._end_at(end)
        for trace in self.traces.values():
            trace.update(epoch)
        self.off_scale.update(epoch)
        if not self._ghost:
            self._name_at(min(epoch, end))
        self.marker.update(max(epoch, self.first))

    def along(self, epochs: Any) -> Drawing:
        """The panel as a part that moves with a clock of these epochs."""
        moments = np.asarray(epochs, dtype=float)
        return Drawing(self.moving, lambda i: self.update(float(moments[i])))

    def shown(self, curve: Curve) -> Curve:
        """What is drawn of a curve: on a logarithmic time axis what comes after its beginning."""
        return curve.where(curve.x >= FIRST) if self.time == "log" else curve

    def has_place(self, curve: Curve) -> bool:
        """Whether any value of a curve has a place on the axis."""
        finite = np.isfinite(curve.y)
        return bool((finite & (curve.y > 0)).any() if self.log else finite.any())

    def say_nothing(self) -> None:
        """Say in the panel that there is nothing to draw."""
        what = self.ylabel.partition(" (")[0].replace("\n", " ")
        style().note(
            self.axes, f"no {what} to draw", (0.5, 0.5), ha="center", va="center",
            color=style().colours.muted,
        )  # fmt: skip
        self.axes.set_yticks([])

    def trace(self, name: str, curve: Curve) -> Trace:
        """The curve as it is drawn."""
        return curve.draw(self.axes)

    def shade(self) -> None:
        """Shade the phases of training."""
        if self.phases != "none":
            self.shades = PhaseShades(self.axes, self.data, first=self.first, clock=self.clock)

    def set_limits(self) -> None:
        """Limits that leave room for names, and few ticks."""
        from matplotlib.ticker import MaxNLocator

        if self.log:
            room_for_labels(self.axes, self.curves)
            return
        self.axes.yaxis.set_major_locator(MaxNLocator(4))
        if self.curves:
            finite = [curve.y[np.isfinite(curve.y)] for curve in self.curves.values()]
            top, low = max(0.0, *map(np.max, finite)), min(0.0, *map(np.min, finite))
            self.axes.set_ylim(low, 1.05 * top if top > low else low + 1.0)
            if top >= 1000:
                self.axes.yaxis.set_major_formatter(lambda value, _: clocks.spaced(value))

    def name_curves(self, end: float) -> Names | None:
        """The curves' names on an axis that ends there; None for none."""
        return EndNames(self.axes, self.curves)

    def _end_at(self, end: float) -> None:
        self.axes.set_xlim(self.first, max(end, 2 * self.first))
        if self.phases == "named" and self.shades is not None:
            self.shades.write_names()
        self.end = end
        self._name_at(end)

    def _name_at(self, moment: float) -> None:
        if self.names is not None:
            self.names.update(moment)
        if self.shades is not None:
            self.shades.update(moment)


class LossPanel(CurvePanel):
    """Train and test loss as they were logged, named on the curves, phases named above."""

    def __init__(
        self,
        axes: Axes,
        data: xr.Dataset,
        *,
        time: Spacing = "linear",
        end: float | None = None,
        behind: Mapping[str, Curve] | None = None,
    ) -> None:
        super().__init__(
            axes, data, {**losses(data), **(behind or {})},
            ylabel="loss (nats)", log=True, time=time, end=end, phases="named",
        )  # fmt: skip

    def name_curves(self, end: float) -> Names:
        """Names on the curves themselves, where they are apart."""
        share = {"train": 0.3 * end, "test": 0.16 * end}
        at = share if self.time == "linear" else dict.fromkeys(share, 500.0)
        return LineNames(self.axes, self.curves, at)


def thousands(axes: Axes) -> None:
    """Ticks of an epoch axis as 2,000, 4,000, ..., as many as have room."""
    from grokviz.scene.ticks import EpochLocator

    axes.xaxis.set_major_locator(EpochLocator())
    axes.xaxis.set_major_formatter(_tick)


def decades(axes: Axes) -> None:
    """Ticks of a logarithmic epoch axis as 10, 100, 1,000, ..., as many as have room."""
    from matplotlib.ticker import NullLocator

    from grokviz.scene.ticks import DecadeLocator

    axes.xaxis.set_major_locator(DecadeLocator())
    axes.xaxis.set_major_formatter(_tick)
    axes.xaxis.set_minor_locator(NullLocator())


def _tick(value: float, _: Any) -> str:
    return clocks.spaced(float(f"{value:.9g}"))


def without_time(*panels: Axes) -> None:
    """Leave out the words of time axes that another panel below has too."""
    for axes in panels:
        axes.set_xlabel("")
        axes.tick_params(labelbottom=False)
