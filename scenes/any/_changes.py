"""What the scenes of phase changes share: panels over steps, heads' names, and the fall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float

from grokviz.dataset.curves import FALL_WIDTH
from grokviz.scene import clock as clocks
from grokviz.scene import panels, style
from grokviz.scene.scene import Artists

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

Spacing = Literal["linear", "log"]

AFTER = 1.8
"""A film ends when so many times the epochs until the fall's end are over."""

FIRST = 10.0
"""Where a logarithmic time axis begins: before that nothing is learned."""


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
        return {"loss on\nfresh data": _curve(*train, colours.ink)}
    test = data["tested_epoch"].values, data["logged_test_loss"].values
    return {"train": _curve(*train, colours.train), "test": _curve(*test, colours.test)}


def curve(data: xr.Dataset, values: Any, colour: str) -> panels.Curve:
    """A measure at the checkpoints."""
    return _curve(data["epoch"].values, np.asarray(values), colour)


def _curve(x: np.ndarray, y: np.ndarray, colour: str) -> panels.Curve:
    return panels.Curve(x.astype(float), y.astype(float), colour)


@dataclass(frozen=True)
class Scales:
    """What the two axes of a panel are.

    Attributes:
        ylabel: what is drawn, with its unit.
        end: where the time axis ends until a later epoch is shown.
        values, time: how each is spaced.
        ylim: the ends of the values; None for those of the curves.
        floor: on a logarithmic axis nothing below it is drawn.
        clock: the epochs of a film.

    """

    ylabel: str
    end: float
    values: Spacing = "linear"
    time: Spacing = "linear"
    ylim: tuple[float, float] | None = None
    floor: float = 0.0
    clock: str = "epoch"


def panel(
    axes: Axes, data: xr.Dataset, curves: Mapping[str, panels.Curve], scales: Scales
) -> Artists:
    """Curves over epochs, named at their right ends; :func:`follow` moves them.

    A name with a leading underscore is not written.
    """
    values, time = scales.values, scales.time
    shown = {name: _shown(c, time, values, scales.floor) for name, c in curves.items()}
    shown = {name: c for name, c in shown.items() if c.x.size}
    if values == "log":
        axes.set_yscale("log")
    axes.set(xlabel=clocks.word(data), ylabel=scales.ylabel)
    lines = {name: _draw(axes, c, name) for name, c in shown.items()}
    _limits(axes, shown, values, scales.ylim)
    if time == "log":
        axes.set_xscale("log")
        _decades(axes)
    else:
        panels.thousands(axes)
    marker = axes.axvline(FIRST, color=style().colours.ink, lw=style().line * 0.5, zorder=5)
    artists: Artists = {
        "curves": shown, "lines": lines, "marker": marker, "axes": axes, "names": [],
        "first": FIRST if time == "log" else 0.0, "short": scales.end,
        "whole": float(data[scales.clock].values[-1]), "end": None,
    }  # fmt: skip
    end_at(artists, scales.end)
    return artists


def _draw(axes: Axes, c: panels.Curve, name: str) -> Any:
    line = c.draw(axes)
    if name.startswith("_"):  # what has no name is thin, and lies below the rest
        for drawn in (line, axes.lines[-2]):
            drawn.set(linewidth=style().line * 0.5, zorder=1.5)
    return line


def follow(artists: Artists, epoch: float) -> None:
    """Draw strongly up to ``epoch``; beyond the axis' end the whole run is shown."""
    end = artists["whole"] if epoch > artists["short"] else artists["short"]
    if end != artists["end"]:
        end_at(artists, end)
    for name, line in artists["lines"].items():
        artists["curves"][name].update(line, epoch)
    artists["marker"].set_xdata([max(epoch, artists["first"])] * 2)


def end_at(artists: Artists, end: float) -> None:
    """Let the axis end there, with the curves' names where they belong then."""
    axes = artists["axes"]
    for text in artists["names"]:
        text.remove()
    axes.set_xlim(artists["first"], max(end, 2 * artists["first"]))
    before = list(axes.texts)
    panels.name_ends(axes, artists["curves"], end)
    artists["names"] = [text for text in axes.texts if text not in before]
    artists["end"] = end


def moving(artists: Artists) -> list[Any]:
    """What moves in a panel."""
    return [*artists["lines"].values(), artists["marker"]]


def shade(axes: Axes, data: xr.Dataset, *, names: bool = False) -> None:
    """Shade the phases of training where there are any, else the loss' fall on fresh data."""
    colours, first = style().colours, FIRST if axes.get_xscale() == "log" else 0.0
    if clocks.phase_ends(data) is not None:
        panels.shade_phases(axes, data, first=first, names=names)
    fall_span = fall(data)
    if fall_span is not None and not data.sizes["tested_epoch"]:
        tint = panels.see_through(colours.phases[2], colours.background)
        axes.axvspan(*fall_span, color=tint, lw=0, zorder=0)


def _shown(c: panels.Curve, time: Spacing, values: Spacing, floor: float) -> panels.Curve:
    keep = np.isfinite(c.y)
    if time == "log":
        keep &= c.x >= FIRST
    if values == "log":
        keep &= c.y > 0
    y = np.maximum(c.y[keep], floor) if values == "log" else c.y[keep]
    return panels.Curve(c.x[keep], y, c.colour)


def _limits(
    axes: Axes,
    curves: Mapping[str, panels.Curve],
    values: Spacing,
    ylim: tuple[float, float] | None,
) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    if ylim is not None:
        axes.set_ylim(*ylim)
    heights: Float[np.ndarray, " value"] = np.concatenate([[1e-3], *(c.y for c in curves.values())])
    if values == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(4))
        if ylim is None:
            axes.set_ylim(0, 1.06 * heights.max())
        return
    low, high = np.log10(heights[1:].min()), np.log10(heights.max())
    if ylim is None:
        room = 0.06 * max(high - low, 0.5)
        axes.set_ylim(10 ** (low - room), 10 ** (high + room))
    step = max(1, int(np.ceil((high - low) / 4)))
    ticks = np.arange(np.floor(high), np.floor(low) - 1, -step)
    axes.yaxis.set_major_locator(FixedLocator([float(10.0**t) for t in ticks]))
    axes.yaxis.set_minor_locator(NullLocator())


def _decades(axes: Axes) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.xaxis.set_major_locator(FixedLocator([10.0**n for n in range(1, 8)]))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:g}")
    )
    axes.xaxis.set_minor_locator(NullLocator())


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
