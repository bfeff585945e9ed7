"""What the scenes of phase changes share: panels over steps, heads' names, and the fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset.numerics.curves import FALL_WIDTH
from grokviz.scene import clock as clocks
from grokviz.scene import panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

AFTER = 1.8
"""A film ends when so many times the epochs until the fall's end are over."""


def fall(data: xr.Dataset) -> tuple[float, float] | None:
    """First and last epoch of the training loss' fall, if it has one: the middles of the means."""
    begin, end = (int(data["event_epoch"].sel(event=f"fall {w}")) for w in ("begins", "ends"))
    if begin < 0 or end <= begin:
        return None
    return max(0.0, begin - FALL_WIDTH / 2), end - FALL_WIDTH / 2


def span(data: xr.Dataset, clock: str = "epoch") -> float:
    """The last epoch of a film: a while after the fall where data is fresh, else the last."""
    last, fall_span = float(data[clock].values[-1]), fall(data)
    if fall_span is None or data.sizes["tested_epoch"]:
        return last
    return min(last, AFTER * fall_span[1])


def losses(data: xr.Dataset) -> dict[str, panels.Curve]:
    """The logged losses; on fresh data there is one, which is train and test loss alike."""
    colours = style().colours
    train = data["logged_epoch"].values, data["logged_train_loss"].values
    if not data.sizes["tested_epoch"]:
        return {"loss on\nfresh data": panels.Curve.of(*train, colours.ink)}
    test = data["tested_epoch"].values, data["logged_test_loss"].values
    return {
        "train": panels.Curve.of(*train, colours.train),
        "test": panels.Curve.of(*test, colours.test),
    }


@dataclass
class ChangePanel(panels.CurvePanel):
    """Curves without the points at which nothing was measured, and the loss' fall shaded.

    A curve without a name is thin. On a logarithmic axis nothing below ``floor`` is drawn.
    """

    _: KW_ONLY
    floor: float = 0.0

    def shown(self, curve: panels.Curve) -> panels.Curve:
        """The finite points, on logarithmic axes those that these have."""
        curve = super().shown(curve)
        curve = curve.where(np.isfinite(curve.y) & ((curve.y > 0) | (not self.log)))
        return replace(curve, y=np.maximum(curve.y, self.floor)) if self.log else curve

    def trace(self, name: str, curve: panels.Curve) -> panels.Trace:
        """What has no name is thin, and lies below the rest."""
        trace = super().trace(name, curve)
        if name.startswith("_"):
            for line in trace.lines:
                line.set(linewidth=style().line * 0.5, zorder=1.5)
        return trace

    def shade(self) -> None:
        """The phases of training where there are any, else the loss' fall on fresh data."""
        super().shade()
        fall_span = None if self.phases == "none" else fall(self.data)
        if fall_span is not None and not self.data.sizes["tested_epoch"]:
            colours = style().colours
            tint = panels.see_through(colours.phases[2], colours.background)
            self.axes.axvspan(*fall_span, color=tint, lw=0, zorder=0)

    def set_limits(self) -> None:
        """Limits a little beyond the curves, and few ticks."""
        from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

        values = np.concatenate([[1e-3], *(curve.y for curve in self.curves.values())])
        if not self.log:
            self.axes.yaxis.set_major_locator(MaxNLocator(4))
            self.axes.set_ylim(0, 1.06 * values.max())
            return
        low, high = np.log10(values[1:].min()), np.log10(values.max())
        room = 0.06 * max(high - low, 0.5)
        self.axes.set_ylim(10 ** (low - room), 10 ** (high + room))
        step = max(1, int(np.ceil((high - low) / 4)))
        ticks = np.arange(np.floor(high), np.floor(low) - 1, -step)
        self.axes.yaxis.set_major_locator(FixedLocator([float(10.0**t) for t in ticks]))
        self.axes.yaxis.set_minor_locator(NullLocator())


def rooms(
    figure: FigureBase, data: xr.Dataset, heights: Sequence[float], right: float
) -> list[Axes]:
    """Panels below one another on the same steps, with room for names at their right and above."""
    top = 1.0 if clocks.phase_ends(data) is None else 2.6
    axes = style().stack(figure, heights, left=5.0, right=right, vgap=1.4, top=top)
    return axes


def overfitting(data: xr.Dataset) -> str:
    """The test loss at its start, its largest and its last, and when it was memorised."""
    word, tested = clocks.word(data), data["tested_epoch"].values
    test = data["logged_test_loss"].values
    top = int(np.nanargmax(test))
    words = [
        f"The test loss begins at {test[0]:.3g}, is largest at {word} {tested[top]}, "
        f"{test[top]:.3g}, and ends at {test[-1]:.3g}"
    ]
    memorised = int(data["event_epoch"].sel(event="memorised"))
    if memorised >= 0:
        words.append(f"the training loss is first below 0.1 at {word} {memorised}")
    return f"{'; '.join(words)}."


def digit_names(data: xr.Dataset, *, short: bool = False) -> list[str]:
    """The digits of the answer by what they count, the most significant first."""
    count = data.sizes["digit"]
    places = ["1s", "10s", "100s", "1ks", "10ks", "100ks"]
    if not short:
        places[:5] = ["ones", "tens", "hundreds", "1,000s", "10,000s"]
    places += [f"$10^{{{n}}}$s" for n in range(6, count)]
    return ["carry", *reversed(places[: count - 1])]


def digit_colours(data: xr.Dataset) -> list[str]:
    """A colour for each digit."""
    palette = style().colours.frequencies
    return [palette[k % len(palette)] for k in range(data.sizes["digit"])]
