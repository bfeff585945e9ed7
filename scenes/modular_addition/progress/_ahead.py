"""Two losses in nats, and how much earlier the key waves alone beat guessing than the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from grokviz.scenes.modular_addition import _claims

from grokviz.scene import Drawing, frequencies, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

WHOLE = "whole network"
"""The name of the loss on test pairs of all that the network does."""

BEYOND = 1.25
"""The axis ends after so many times the epoch at which the whole network beats guessing."""

BELOW = 60.0
"""The axis begins at the loss of guessing over this."""

PLACES = (0.3, 0.3)
"""Where on the axis the names of both curves stand."""


class Lead(NamedTuple):
    """From when on the loss of the key waves alone, and the test loss, are below guessing."""

    alone: float
    test: float

    @property
    def words(self) -> str:
        """How much earlier the one is, in two digits: checkpoints leave no more."""
        return f"{float(f'{self.test - self.alone:.2g}'):,.0f}"


def guessing(data: xr.Dataset) -> float:
    """The loss, in nats, of holding all answers equally probable."""
    return float(np.log(2 * data.sizes["frequency"] + 1))


def lead(data: xr.Dataset) -> Lead | None:
    """Those moments; None where the key waves are not ahead, or one never beats guessing."""
    test, alone = (_below(curve, guessing(data)) for curve in _losses(data))
    return Lead(alone, test) if alone is not None and test is not None and alone < test else None


def only(data: xr.Dataset) -> str:
    """What the curve of the key waves alone is called: "five waves alone"."""
    return f"{_claims.in_words(len(frequencies.key_frequencies(data)), 'wave')} alone"


def end(data: xr.Dataset, horizon: float) -> float:
    """Where the axis ends: soon after both beat guessing."""
    own = lead(data)
    if own is None:
        return horizon
    # at a checkpoint, which is the last of the film
    return float(data["epoch"].values[clocks.index_up_to(
        data, "epoch", min(horizon, BEYOND * own.test))])  # fmt: skip


def draw(figure: FigureBase, data: xr.Dataset) -> Drawing:
    """Both losses, the loss of guessing, and an arrow along it between their crossings."""
    from matplotlib.ticker import LogLocator

    test, alone = _losses(data)
    narrow, level = style().narrow(figure), guessing(data)
    # in films names stand beside the axes, as far as the curves have come
    right = 2.6 if style().ghost and not narrow else 7.6
    axes = style().panels(figure, left=5.0, right=right, top=1.0)[0][0]
    curves = {WHOLE: test, only(data): alone}
    known = [curve.y[np.isfinite(curve.y)].max(initial=level) for curve in curves.values()]
    panel = _Panel(
        axes, data, curves, ylabel="loss (nats)", log=True, phases="none",
        ylim=(level / BELOW, 1.8 * max(known)),
        end=end(data, panels.horizon(data)),
    )  # fmt: skip
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_locator(LogLocator())
    for trace in panel.traces.values():
        for line in trace.lines:
            line.set_linewidth(1.5 * style().line)
    return Drawing.of(panel.along(data["epoch"]), _arrow(axes, data))


class _Panel(panels.CurvePanel):
    """Losses named on the curves, or at their ends in a film or a column."""

    def name_curves(self, end: float) -> panels.Names:
        if not style().ghost or style().narrow(self.axes.figure):
            lines = {"\n".join(name.rsplit(" ", 1)): curve for name, curve in self.curves.items()}
            return panels.EndNames(self.axes, lines)
        names = dict(zip(self.curves, (share * end for share in PLACES), strict=False))
        return panels.LineNames(self.axes, self.curves, names, above=names, ha="left")


def _losses(data: xr.Dataset) -> tuple[panels.Curve, panels.Curve]:
    """The test loss, and the loss with the key waves alone."""
    test = panels.splits(data, "loss")["test"]
    alone = panels.at_checkpoints(data, data["restricted_loss"].sel(split="all").values)
    return test.where(np.isfinite(test.y)), alone.where(np.isfinite(alone.y))


def _below(curve: panels.Curve, level: float) -> float | None:
    """From when on a loss stays below a level; None of one that does not."""
    high = np.flatnonzero(curve.y >= level)
    if not high.size:
        return float(curve.x[0]) if curve.x.size else None
    if high[-1] + 1 >= len(curve.y):
        return None
    around = slice(high[-1], high[-1] + 2)
    return float(np.interp(-level, -curve.y[around], curve.x[around]))


def _arrow(axes: Axes, data: xr.Dataset) -> Drawing:
    """The line of guessing, and on it from where to where only the key waves are below it."""
    own, colours, level = lead(data), style().colours, guessing(data)
    narrow, thin = style().narrow(axes.figure), style().line
    axes.axhline(level, color=colours.muted, lw=0.6 * thin, ls=(0, (1, 3)), zorder=1.8)
    # in a column there is no room for it within
    words, lift, ha, va = f"guessing: {level:.1f}", (-0.3, 0.35), "right", "baseline"
    if narrow:
        words, lift, ha, va = words.replace(" ", "\n"), (0.5, 0), "left", "center"
    style().note(
        axes, words, (1, level), lift, ha=ha, va=va, color=colours.muted,
        xycoords=axes.get_yaxis_transform(),
    )  # fmt: skip
    if own is None:
        return Drawing()
    arrow = axes.annotate(
        "", (own.test, level), (own.alone, level), zorder=6,
        arrowprops={"arrowstyle": "<|-|>", "color": colours.muted, "lw": 0.8 * thin,
                    "shrinkA": 0, "shrinkB": 0, "mutation_scale": 1.2 * style().points},
    )  # fmt: skip
    text = style().label(
        axes, 0.55 * own.test + 0.45 * own.alone, level,
        own.words if narrow else f"{own.words} {clocks.word(data)}s earlier", lift=0.4,
        color=colours.ink, fontsize=(style().small if narrow else 1.1 * style().points), zorder=7,
    )  # fmt: skip
    epochs = data["epoch"].values

    def update(i: int) -> None:
        for part in (arrow, text):
            part.set_visible(style().ghost or bool(epochs[i] >= own.test))

    return Drawing([arrow, text], update)
