"""Curves over training: what is logged or measured of a run, how it is drawn, and its names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from grokviz.scene.drawing import Drawing
from grokviz.scene.layout import pushed_apart
from grokviz.scene.phases import horizon
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

POINTS = 1500
"""Points drawn of a curve: more than a slide has pixels for it."""


@dataclass
class Curve:
    """A curve whose past is drawn strongly and whose future faintly."""

    x: Float[np.ndarray, " point"]
    y: Float[np.ndarray, " point"]
    colour: str

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
        return Curve(self.x[mask], self.y[mask], self.colour)

    def draw(self, axes: Axes) -> Trace:
        """The faint whole, and the strong past that the trace moves."""
        whole = axes.plot(
            self.x, self.y, color=self.colour, alpha=0.28, zorder=2, lw=style().line * 0.7
        )[0]
        return Trace(self, whole, axes.plot([], [], color=self.colour, zorder=3)[0])


@dataclass(frozen=True)
class Trace:
    """A curve as it is drawn: the whole of it faint, its past strong."""

    curve: Curve
    whole: Any
    line: Any

    def update(self, moment: float) -> None:
        """Draw strongly up to ``moment``."""
        stop = int(np.searchsorted(self.curve.x, moment, side="right"))
        self.line.set_data(self.curve.x[:stop], self.curve.y[:stop])


@dataclass(frozen=True)
class Marker:
    """A line across a panel at the epoch shown."""

    line: Any

    @classmethod
    def draw(cls, axes: Axes) -> Marker:
        """At no epoch yet."""
        return cls(axes.axvline(0, color=style().colours.ink, lw=style().line * 0.5, zorder=5))

    def update(self, moment: float) -> None:
        """Put it at ``moment``."""
        self.line.set_xdata([moment, moment])


def path(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    colour: str,
    *,
    dot: float = 0.5,
    faint: float = 0.28,
) -> Drawing:
    """A way through a plane: the whole of it faint, what is gone of it strong, a dot at its end.

    ``dot`` is the size of the dot in ems, ``faint`` how opaque the whole is.
    """
    current_style = style()
    axes.plot(x, y, color=colour, alpha=faint, lw=current_style.line * 0.7, zorder=2)
    (past,) = axes.plot([], [], color=colour, zorder=3)
    size = current_style.points * dot
    (end,) = axes.plot([], [], "o", color=colour, ms=size, mew=0, zorder=6)

    def update(i: int) -> None:
        past.set_data(x[: i + 1], y[: i + 1])
        end.set_data(x[i : i + 1], y[i : i + 1])

    return Drawing([past, end], update)


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


def name_ends(axes: Axes, curves: Mapping[str, Curve], end: float) -> None:
    """Each curve's name to the right of the axes, level with the curve there or near it."""
    current_style = style()
    shown = {name: c for name, c in curves.items() if not name.startswith("_")}
    ends = {n: float(np.interp(end, c.x, c.y)) for n, c in shown.items()}
    across = axes.transData + axes.transAxes.inverted()
    level = {name: float(across.transform((end, y))[1]) for name, y in ends.items()}
    em = current_style.pixels(axes, current_style.small) / axes.bbox.height
    order = sorted(shown, key=lambda name: level[name])
    high = [1.18 * em * (1 + name.count("\n")) for name in order]
    places = pushed_apart([level[name] for name in order], high, 0, 1 + 0.6 * em)
    for name, place in zip(order, places, strict=True):
        current_style.note(
            axes, name, (1, place), (0.5, 0), ha="left", va="center", color=shown[name].colour,
            fontweight="bold", linespacing=1.05,
        )  # fmt: skip


def room_for_labels(axes: Axes, curves: Mapping[str, Curve]) -> None:
    """Limits that leave room for names above and below the curves, and a tick in few decades."""
    from matplotlib.ticker import FixedLocator, NullLocator

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
        axes.yaxis.set_major_locator(FixedLocator(list(10 ** np.arange(last, first - 1, -step))))
    axes.yaxis.set_minor_locator(NullLocator())


def label_losses(axes: Axes, curves: Mapping[str, Curve], at: Mapping[str, float]) -> None:
    """Names on the curves themselves, at these epochs: train below, test above."""
    current_style = style()
    for name, va, side in (("train", "top", -1), ("test", "bottom", 1)):
        if name in curves:
            curve = curves[name]
            i = min(int(np.searchsorted(curve.x, at[name])), len(curve.y) - 1)
            current_style.label(
                axes, at[name], curve.y[i], name, lift=side * 0.35,
                color=curve.colour, va=va, zorder=6,
            )  # fmt: skip
