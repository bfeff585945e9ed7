"""Two losses in nats, and how much earlier the key waves alone give the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition.progress.circuit_development import RIGHT

from grokviz.scene import Drawing, frequencies, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

WHOLE = "whole network"
"""The name of the loss on test pairs of all that the network does."""

BEYOND = 1.15
"""The axis ends after so many times the epoch from which on the whole network is right."""

LEVEL = "as likely right as not"
"""What a loss of :data:`RIGHT` means."""

BELOW = 60.0
"""The axis begins at the loss of guessing over this."""

PLACES = (0.3, 0.3)
"""Where on the axis the names of both curves stand."""


class Lead(NamedTuple):
    """From when on the key waves alone, and the whole network, are sooner right than not."""

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
    """Those moments; None where the key waves are not ahead, or one loss stays above."""
    test, alone = (_below(curve, RIGHT) for curve in _losses(data))
    return Lead(alone, test) if alone is not None and test is not None and alone < test else None


def only(data: xr.Dataset) -> str:
    """What the curve of the key waves alone is called: "five waves alone"."""
    return f"{_claims.in_words(len(frequencies.key_frequencies(data)), 'wave')} alone"


def end(data: xr.Dataset, horizon: float) -> float:
    """Where the axis ends: soon after both losses are below :data:`RIGHT`."""
    own = lead(data)
    if own is None:
        return horizon
    # at a checkpoint, which is the last of the film
    return float(data["epoch"].values[clocks.index_up_to(
        data, "epoch", min(horizon, BEYOND * own.test))])  # fmt: skip


def draw(figure: FigureBase, data: xr.Dataset) -> Drawing:
    """Both losses, those of guessing and of being right, and an arrow along the latter."""
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
    """Two levels, and on the lower from where to where only the key waves are below it."""
    own, colours = lead(data), style().colours
    narrow, thin = style().narrow(axes.figure), style().line
    _level(axes, guessing(data), f"guessing: {guessing(data):.1f}", left=False)
    _level(axes, RIGHT, f"{LEVEL}: {RIGHT:g}", left=True)
    if own is None:
        return Drawing()
    arrow = axes.annotate(
        "", (own.test, RIGHT), (own.alone, RIGHT), zorder=6,
        arrowprops={"arrowstyle": "<|-|>", "color": colours.ink, "lw": 0.8 * thin,
                    "shrinkA": 0, "shrinkB": 0, "mutation_scale": 1.2 * style().points},
    )  # fmt: skip
    text = style().label(
        axes, (own.test + own.alone) / 2, RIGHT,
        own.words if narrow else f"{own.words} {clocks.word(data)}s", lift=0.4, color=colours.ink,
        fontsize=style().small if narrow else style().points, zorder=7,
    )  # fmt: skip
    return panels.shown_from([arrow, text], data["epoch"].values, own.test)


def _level(axes: Axes, level: float, words: str, *, left: bool) -> None:
    """A dotted line and what it means: below its beginning, or above its end."""
    colour, narrow = style().colours.muted, style().narrow(axes.figure)
    axes.axhline(level, color=colour, lw=0.6 * style().line, ls=(0, (1, 3)), zorder=1.8)
    x, lift, ha, va = (0, (0.4, -0.35), "left", "top") if left else (
        1, (-0.3, 0.35), "right", "baseline"
    )  # fmt: skip
    if narrow and left:
        words = words.replace(" as not", "\nas not")
    elif narrow:
        # in a column there is no room for it within
        words, lift, ha, va = words.replace(" ", "\n"), (0.5, 0), "left", "center"
    style().note(
        axes, words, (x, level), lift, ha=ha, va=va, color=colour,
        xycoords=axes.get_yaxis_transform(),
    )  # fmt: skip
