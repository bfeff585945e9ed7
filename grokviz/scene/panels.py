"""Panels that several scenes share, so that they look and move alike everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from grokviz.dataset import ties
from grokviz.dataset.curves import PHASES
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart
from grokviz.scene.scene import Artists
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

POINTS = 1500
"""Points drawn of a curve: more than a slide has pixels for it."""

PHASE_NAMES = PHASES


def horizon(data: xr.Dataset) -> float:
    """The last epoch worth watching: half as long again as until the clean-up's end.

    The whole run where it has no phases.
    """
    last = max(float(data["epoch"].values[-1]), 1.0)
    ends = clocks.phase_ends(data)
    return last if ends is None else min(last, 1.5 * float(ends[2]))


def thousands(axes: Axes) -> None:
    """Ticks of an epoch axis as 2k, 4k, ..."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    def text(value: float, _: Any) -> str:
        return f"{value / 1000:g}k" if abs(value) >= 1000 else f"{value:g}"

    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(text))


def _edges(data: xr.Dataset, first: float) -> list[float]:
    ends = clocks.phase_ends(data)
    if ends is None:
        return []
    last = float(data["epoch"].values[-1])
    return [first, *map(float, ends), max(last, float(ends[2]))]


def shade_phases(axes: Axes, data: xr.Dataset, *, first: float = 0, names: bool = False) -> None:
    """Shade the phases of training, and write their names where they fit."""
    edges, colours = _edges(data, first), style().colours.phases
    for colour, start, stop in zip(colours, edges, edges[1:], strict=False):
        shade = see_through(colour, style().colours.background)
        axes.axvspan(start, stop, color=shade, lw=0, zorder=0)
    if names:
        name_phases(axes, data, first=first)


def see_through(tint: str, background: str) -> tuple[float, float, float, float]:
    """RGBA that looks like ``tint`` on ``background``, with the least alpha that does.

    A shade made so is as pale on whatever a transparent film is laid over.
    """
    from matplotlib.colors import to_rgb

    wanted, behind = np.array(to_rgb(tint)), np.array(to_rgb(background))
    room = np.where(wanted > behind, 1 - behind, behind)
    difference = np.abs(wanted - behind)
    alpha = float(np.max(np.divide(difference, room, out=np.zeros(3), where=room > 0)))
    if alpha <= 0:
        return (*behind, 0.0)
    red, green, blue = np.clip((wanted - (1 - alpha) * behind) / alpha, 0, 1)
    return float(red), float(green), float(blue), alpha


def name_phases(axes: Axes, data: xr.Dataset, *, first: float = 0) -> None:
    """Each phase's name above its shade; one that would stand over another's is left out."""
    current_style, edges = style(), _edges(data, first)
    low, high = (_place(axes, end) for end in axes.get_xlim())
    em = current_style.small / 72 * axes.figure.get_figure(root=True).dpi / axes.bbox.width
    named: list[tuple[str, float, float]] = []
    for name, start, stop in zip(PHASE_NAMES, edges, edges[1:], strict=False):
        a, b = ((np.clip(_place(axes, e), low, high) - low) / (high - low) for e in (start, stop))
        # the first may begin at its shade's left and run over; the others keep to theirs
        for text in (name, name.replace(" ", "\n")):
            width = 0.57 * em * max(map(len, text.split("\n")))
            if b - a > width or (not named and b > a and width < 0.15):
                named.append((text, max((a + b) / 2, width / 2), width))
                break
    centres = pushed_apart([n[1] for n in named], [n[2] + 0.5 * em for n in named], 0, 1)
    for (text, _, _), centre in zip(named, centres, strict=True):
        axes.annotate(
            text, (centre, 1), xycoords="axes fraction", xytext=(0, 0.45 * current_style.small),
            textcoords="offset points", ha="center", va="baseline",
            color=current_style.colours.muted, fontsize=current_style.small, linespacing=1.05,
        )  # fmt: skip


def _place(axes: Axes, x: float) -> float:
    return float(np.log(max(x, 1e-9))) if axes.get_xscale() == "log" else float(x)


@dataclass
class Curve:
    """A curve whose past is drawn strongly and whose future faintly."""

    x: Float[np.ndarray, " point"]
    y: Float[np.ndarray, " point"]
    colour: str

    @classmethod
    def thinned(cls, x: np.ndarray, y: np.ndarray, colour: str, last: float) -> Curve:
        """At most :data:`POINTS` points up to ``last``, and as many from there on."""
        parts = np.flatnonzero(x <= last), np.flatnonzero(x > last)
        indices = np.concatenate([part[:: max(1, len(part) // POINTS)] for part in parts])
        return cls(x[indices].astype(float), y[indices].astype(float), colour)

    def draw(self, axes: Axes) -> Any:
        """The faint whole, and the strong past that :meth:`update` sets."""
        axes.plot(self.x, self.y, color=self.colour, alpha=0.28, zorder=2, lw=style().line * 0.7)
        return axes.plot([], [], color=self.colour, zorder=3)[0]

    def update(self, line: Any, moment: float) -> None:
        """Draw strongly up to ``moment``."""
        stop = int(np.searchsorted(self.x, moment, side="right"))
        line.set_data(self.x[:stop], self.y[:stop])


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


def loss_panel(axes: Axes, data: xr.Dataset, *, whole: bool = False) -> Artists:
    """Train and test loss over epochs, phases shaded, with a marker of the epoch.

    ``whole`` shows all of the run from the start, for what goes on changing after clean-up.
    """
    current_style, curves = style(), losses(data)
    end = float(data["epoch"].values[-1]) if whole else horizon(data)
    axes.set_yscale("log")
    thousands(axes)
    axes.set_xlabel(clocks.word(data))
    axes.set_ylabel("loss (nats)")
    shade_phases(axes, data)
    lines = {name: curve.draw(axes) for name, curve in curves.items() if curve.x.size}
    _room_for_labels(axes, curves)
    marker = axes.axvline(0, color=current_style.colours.ink, lw=current_style.line * 0.5, zorder=5)
    artists = {"curves": curves, "lines": lines, "marker": marker, "axes": axes, "data": data}
    _end_at(artists, end)
    return artists


def _end_at(artists: Artists, end: float) -> None:
    """Let the axis end at ``end``, with the names where they belong then."""
    axes = artists["axes"]
    for text in [*axes.texts]:
        text.remove()
    axes.set_xlim(0, end)
    artists["end"] = end
    if "named" in artists:
        if artists["named"]:
            name_phases(axes, artists["data"])
        name_ends(axes, artists["curves"], end)
    elif axes.get_ylabel().startswith("loss"):
        name_phases(axes, artists["data"])
        label_losses(axes, artists["curves"], {"train": 0.3 * end, "test": 0.16 * end})


def update_loss_panel(artists: Artists, epoch: float) -> None:
    """Move the marker to ``epoch``; beyond the axis' end the whole run is shown."""
    artists.setdefault("short", artists["end"])
    short = float(artists["short"])
    end = float(artists["data"]["epoch"].values[-1]) if epoch > short else short
    if end != artists["end"]:
        _end_at(artists, end)
    for name, line in artists["lines"].items():
        artists["curves"][name].update(line, epoch)
    artists["marker"].set_xdata([epoch, epoch])


def curve_panel(
    axes: Axes,
    data: xr.Dataset,
    curves: dict[str, Curve],
    *,
    ylabel: str,
    log: bool = False,
    named: bool = False,
    ylim: tuple[float, float] | None = None,
) -> Artists:
    """Any curves over epochs, each named at its right end; :func:`update_loss_panel` moves it.

    A name with a leading underscore is not written; ``named`` writes the phases' names.
    Limits other than the curves' own are given as ``ylim``: names are placed by them.
    """
    from matplotlib.ticker import MaxNLocator

    curves = {name: curve for name, curve in curves.items() if np.isfinite(curve.y).any()}
    if log:
        axes.set_yscale("log")
    thousands(axes)
    axes.set(xlabel=clocks.word(data), ylabel=ylabel)
    shade_phases(axes, data)
    lines = {name: curve.draw(axes) for name, curve in curves.items()}
    if log:
        _room_for_labels(axes, curves)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4))
        top = max(float(np.nanmax(curve.y)) for curve in curves.values())
        axes.set_ylim(min(0.0, *(float(np.nanmin(c.y)) for c in curves.values())), 1.05 * top)
    if ylim is not None:
        axes.set_ylim(*ylim)
    marker = axes.axvline(0, color=style().colours.ink, lw=style().line * 0.5, zorder=5)
    artists = {"curves": curves, "lines": lines, "marker": marker, "axes": axes, "data": data}
    artists["named"] = named
    _end_at(artists, horizon(data))
    return artists


def name_ends(axes: Axes, curves: dict[str, Curve], end: float) -> None:
    """Each curve's name to the right of the axes, level with the curve there or near it."""
    current_style = style()
    shown = {name: c for name, c in curves.items() if not name.startswith("_")}
    ends = {n: float(np.interp(end, c.x, c.y)) for n, c in shown.items()}
    across = axes.transData + axes.transAxes.inverted()
    level = {name: float(across.transform((end, y))[1]) for name, y in ends.items()}
    em = current_style.small / 72 * axes.figure.get_figure(root=True).dpi / axes.bbox.height
    order = sorted(shown, key=lambda name: level[name])
    high = [1.18 * em * (1 + name.count("\n")) for name in order]
    places = pushed_apart([level[name] for name in order], high, 0, 1 + 0.6 * em)
    for name, place in zip(order, places, strict=True):
        axes.annotate(
            name, (1, place), xycoords="axes fraction", xytext=(0.5 * current_style.small, 0),
            textcoords="offset points", ha="left", va="center", color=shown[name].colour,
            fontsize=current_style.small, fontweight="bold", linespacing=1.05,
        )  # fmt: skip


def moving(artists: Artists) -> list[Any]:
    """The artists of a panel that move."""
    return [*artists["lines"].values(), artists["marker"]]


def _room_for_labels(axes: Axes, curves: dict[str, Curve]) -> None:
    """Limits that leave room for names above and below the curves, and a tick in few decades."""
    from matplotlib.ticker import FixedLocator, NullLocator

    values = np.concatenate([c.y[np.isfinite(c.y) & (c.y > 0)] for c in curves.values()])
    if values.size:
        em = style().small / 72 * axes.figure.get_figure(root=True).dpi
        share = min(1.9 * em / axes.bbox.height, 0.3)
        decades = max(np.log10(values.max() / values.min()), 0.5)
        room = 10 ** (decades * share / (1 - 2 * share))
        axes.set_ylim(values.min() / room, values.max() * room)
        first, last = np.floor(np.log10(values.min())), np.ceil(np.log10(values.max()))
        step = max(round((last - first) * 2.2 * em / axes.bbox.height), 2 if decades > 4 else 1)
        axes.yaxis.set_major_locator(FixedLocator(list(10 ** np.arange(last, first - 1, -step))))
    axes.yaxis.set_minor_locator(NullLocator())


def label_losses(axes: Axes, curves: dict[str, Curve], at: dict[str, float]) -> None:
    """Names on the curves themselves, at these epochs: train below, test above."""
    current_style = style()
    for name, va, side in (("train", "top", -1), ("test", "bottom", 1)):
        curve = curves[name]
        if curve.x.size:
            i = min(int(np.searchsorted(curve.x, at[name])), len(curve.y) - 1)
            current_style.label(
                axes, at[name], curve.y[i], name, lift=side * 0.35,
                color=curve.colour, va=va, zorder=6,
            )  # fmt: skip


def embedded(data: xr.Dataset) -> list[int]:
    """The frequencies whose colours hold in every scene: those embedded at the run's end.

    A dataset without the coordinate has them by its rule, from the norms.
    """
    if "embedded_frequency" in data.coords:
        return [int(k) for k in data["embedded_frequency"].values]
    from grokviz.dataset.fourier import EMBEDDED

    last = data["embedding_frequency_norm"].isel(epoch=-1)
    above = ties.exceeds(last.values, EMBEDDED * float(last.max()), ties.PRECISION)
    return [int(k) for k in last["frequency"].values[above]]


def by_size(frequencies: Sequence[int], sizes: xr.DataArray) -> list[int]:
    """Some frequencies by their size, the largest first; those that tie stay in their order."""
    values = np.array([float(sizes.sel(frequency=k)) for k in frequencies])
    return [frequencies[i] for i in ties.ordered(values)]


def key_frequencies(data: xr.Dataset) -> list[int]:
    """The frequencies that the trained model computes with; those embedded, where not known."""
    if "key_frequency" not in data.coords:
        return embedded(data)
    return [int(k) for k in data["key_frequency"].values]
