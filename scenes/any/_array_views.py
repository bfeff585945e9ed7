"""Views of a recorded array on axes: its entries as colours, as curves, or as points."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.any._glow import Glow
from grokviz.scenes.any._recorded import Recorded

from grokviz.media.theme import colour_map
from grokviz.scene import Drawing, grids, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

BRIGHTEST = 0.99
FAR = 2.0
"""Where the largest entry is so many times that quantile of all, what is beyond it has the
strongest colour.
"""

LEAST = 0.35
"""Axes of points keep at least this share of the width and the height of their place."""

OBLONG = 3.0
"""Cells are square where that makes a heatmap no more than so many times as wide as high."""

NAMED = 7
"""Up to so many curves each have a name."""

NUMBERED = 12
"""Up to so many points each have a number."""


def heatmap(axes: Axes, one: Recorded) -> Drawing:
    """A cell for each entry, the first row uppermost; what is no number is left empty."""
    finite = one.values[np.isfinite(one.values)]
    signed = bool((finite < 0).any())
    largest = float(np.abs(finite).max()) or 1.0
    most = float(np.quantile(np.abs(finite), BRIGHTEST)) or largest
    top = most if largest > FAR * most else largest
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _square_cells(axes, one.values.shape[1:])
    shape, colours = one.values.shape[1:], style().colours
    image = axes.imshow(
        np.zeros(shape), aspect="auto", interpolation="nearest", vmin=-top if signed else 0,
        vmax=top, cmap=colour_map(colours.diverging if signed else colours.sequential),
    )  # fmt: skip
    few = max(shape) <= NUMBERED
    for axis, dimension in ((axes.yaxis, 0), (axes.xaxis, 1)):
        axis.set_ticks(range(shape[dimension]) if few else [], one.places(dimension) if few else [])
    axes.tick_params(length=0)
    if not few:
        axes.set(ylabel=one.counted(0, "rows"), xlabel=one.counted(1, "columns"))
    beyond = ("≤", "≥") if largest > top else ("", "")
    ends = (f"{beyond[0]}−{top:.2g}" if signed else "0", f"{beyond[1]}{top:.2g}")
    grids.colour_bar(axes, image, "entry", ends, drop=2.0)
    return Drawing([image], lambda i: image.set_data(one.values[i]))


def corners(points: np.ndarray) -> np.ndarray | None:
    """The order in which points (n, 2) are the corners of a convex polygon, counter-clockwise.

    None where one of them is no corner, or is no number.
    """
    if len(points) < 3 or not np.isfinite(points).all():
        return None
    away = points - points.mean(axis=0)
    order = np.argsort(np.arctan2(away[:, 1], away[:, 0]), kind="stable")
    sides = np.roll(points[order], -1, axis=0) - points[order]
    ahead = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * ahead[:, 1] - sides[:, 1] * ahead[:, 0]
    return order if (turns > 0).all() else None


def scatter(
    axes: Axes, one: Recorded, near: int | None = None, *, named: tuple[str, str] | None = None
) -> Drawing:
    """A dot for each row, its way through training, and the rows' numbers where they are few.

    ``near`` is the index of a moment that is marked on each way. With ``named``, what that moment
    and the last one are called, the polygon whose corners the rows are in the end takes the place
    of the axes, and one row has both names.
    """
    from matplotlib.collections import LineCollection

    current_style, points = style(), one.values.astype(float)
    count = points.shape[1]
    tints = _tints(count)
    limits(axes, points[np.isfinite(points).all(axis=2)], 1.25 if named is None else 1.15)
    end = points[one.known[-1]]
    order = corners(end) if named else None
    names: list[Any] = []
    if order is not None and near is not None and named is not None:
        ring = end[[*order, order[0]]]
        axes.plot(*ring.T, color=current_style.colours.rest, lw=current_style.line, zorder=1.5)
        axes.axis("off")
        names = _moments(axes, points[near], end, named)
    else:
        axes.set(xlabel="first column", ylabel="second column")
        axes.grid(visible=False)
        for line in (axes.axhline, axes.axvline):
            line(0, color=current_style.colours.faint, lw=0.3 * current_style.line, zorder=1)
    few = count <= NUMBERED
    ways, width = np.swapaxes(points, 0, 1), (0.8 if few else 0.5) * current_style.line
    if current_style.ghost:
        axes.add_collection(
            LineCollection(list(ways), colors=tints, linewidths=width, alpha=0.3, zorder=2)
        )
    glow = Glow(axes, tints, width)
    past = LineCollection([], colors=tints, linewidths=width, zorder=3)
    axes.add_collection(past, autolim=False)
    size = (0.8 if count <= NUMBERED else 0.3) * current_style.points
    dots = axes.scatter([], [], s=size**2, lw=0, zorder=4)
    numbers = [
        axes.annotate(
            str(place), (0, 0), (0, 0), textcoords="offset points", ha="center", va="center",
            fontsize=current_style.small, fontweight="bold", color=tint, zorder=5,
        )
        for place, tint in zip(one.places(0), tints, strict=True)
        if count <= NUMBERED
    ]  # fmt: skip
    reach = 0.5 * size + 0.8 * current_style.small
    marks = axes.scatter([], [], s=(0.9 * size) ** 2, lw=0.5 * current_style.line, zorder=3.5)
    marks.set_facecolor(current_style.colours.background)
    marks.set_edgecolor(current_style.colours.ink)

    def update(i: int) -> None:
        if near is not None:
            seen = current_style.ghost or i >= near
            marks.set_offsets(points[near] if seen else points[:0, 0])
            for name in names:  # before, the row's number may be where they stand
                name.set_visible(bool(i >= one.known[-1]))
        known = np.isfinite(points[i]).all(axis=1)
        dots.set_offsets(points[i][known])
        dots.set_facecolors([tint for tint, there in zip(tints, known, strict=True) if there])
        gone = [way[: i + 1] for way in ways]
        past.set_segments(gone)
        if few:
            glow.update(gone)
        away = points[i] - points[i][known].mean(axis=0) if known.any() else points[i]
        away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12)
        for text, place, there, side in zip(numbers, points[i], known, away, strict=False):
            text.set_visible(bool(there))
            text.xy = tuple(place)
            text.set_position(tuple(reach * side))

    return Drawing([glow.moving, past, dots, numbers, marks, *names], update)


def _moments(axes: Axes, before: np.ndarray, end: np.ndarray, names: tuple[str, str]) -> list[Any]:
    """What two moments are called, beside the points of the row that ends farthest to a side."""
    current_style = style()
    sides = end[:, 0] - end[:, 0].mean()
    row = int(np.argmax(np.abs(sides).round(9)))
    side = 1 if sides[row] > 0 else -1
    em, pixel = current_style.small, axes.figure.dpi / 72
    first, last = axes.transData.transform([before[row], end[row]]) / pixel
    # behind the row's number, and the other on its own side of that, a line lower or higher
    away = (end[row] - end.mean(axis=0)) / np.linalg.norm(end[row] - end.mean(axis=0))
    at = np.array([last[0] + side * 2.2 * em, last[1] + 1.2 * em * away[1]])
    lower = min if first[1] <= last[1] else max
    beside = lower(first[1], at[1] + (-1.4 if lower is min else 1.4) * em)
    line = {"arrowstyle": "-", "color": current_style.colours.muted, "shrinkA": 2, "shrinkB": 0}
    look: dict[str, Any] = {
        "textcoords": "offset points", "ha": "left" if side > 0 else "right", "fontsize": em,
        "va": "center_baseline", "color": current_style.colours.ink, "zorder": 3.2,
    }  # fmt: skip
    return [
        axes.annotate(
            names[0], before[row], (at[0] - first[0], beside - first[1]), **look,
            arrowprops={**line, "lw": 0.4 * current_style.line},
        ),
        axes.annotate(names[1], end[row], at - last, **look),
    ]  # fmt: skip


def curves(
    axes: Axes, data: xr.Dataset, one: Recorded, entries: int, *, named: bool = True
) -> Drawing:
    """The entries over the epoch where they are few; else each row over its columns, now.

    Without ``named`` the entries have no names, as where points beside them have the same ones.
    """
    count = int(np.prod(one.values.shape[1:]))
    if count <= entries or (one.values.ndim < 3 and count == 1):
        return _over_time(axes, data, one, named=named)
    return _over_index(axes, one)


def limits(axes: Axes, points: np.ndarray, room: float = 1.25) -> None:
    """Limits so many times around points (n, 2) and the origin, to one scale along both axes.

    The axes become as narrow as that leaves them, in the middle of their place.
    """
    low = np.minimum(points.min(axis=0), 0)
    high = np.maximum(points.max(axis=0), 0)
    middle, size = (low + high) / 2, np.maximum(high - low, 1e-9)
    box = np.array([axes.bbox.width, axes.bbox.height])
    unit = room * float((size / box).max())
    half = np.minimum(unit * box, np.maximum(room * size, LEAST * unit * box)) / 2
    (left, bottom), (right, top) = middle - half, middle + half
    axes.set(xlim=(left, right), ylim=(bottom, top))
    place, share = axes.get_position(), 2 * half / (unit * box)
    wide, high = place.width * share[0], place.height * share[1]
    axes.set_position(
        (place.x0 + (place.width - wide) / 2, place.y0 + (place.height - high) / 2, wide, high)
    )


def _over_time(axes: Axes, data: xr.Dataset, one: Recorded, *, named: bool) -> Drawing:
    """A curve of the epoch for each entry."""
    epochs, known = data["array_epoch"].values.astype(float), one.known
    rows = one.values.reshape(len(one.values), -1).astype(float)
    tints = _tints(rows.shape[1])
    names = _entry_names(one)
    lines = {}
    for n, (name, tint) in enumerate(zip(names, tints, strict=True)):
        shown = rows.shape[1] <= NAMED or n in (0, rows.shape[1] - 1)
        lines[name if shown else f"_{name}"] = panels.Curve.of(epochs[known], rows[known, n], tint)
    if rows.shape[1] == 1 or not named:
        lines = {f"_{name.removeprefix('_')}": line for name, line in lines.items()}
    panel = panels.CurvePanel(
        axes, data, lines, ylabel="", clock="array_epoch", phases="none", end=float(epochs[-1])
    )
    return panel.along(epochs)


def _over_index(axes: Axes, one: Recorded) -> Drawing:
    """A curve of the last dimension for each row at the moment; the last form faint in stills."""
    from matplotlib.ticker import MaxNLocator

    current_style = style()
    rows = one.values if one.values.ndim == 3 else one.values[:, None]
    tints = _tints(rows.shape[1]) if rows.shape[1] > 1 else [current_style.colours.frequencies[0]]
    x, finite = one.places(len(one.shape) - 1), one.values[np.isfinite(one.values)]
    low, high = float(finite.min()), float(finite.max())
    low = 0.0 if 0 < low < 0.5 * high else low
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set(xlim=(x[0], max(x[-1], x[0] + 1)), ylim=(low - (room if low else 0), high + room))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlabel(one.counted(len(one.shape) - 1, "places"))
    width = current_style.line * (1 if rows.shape[1] <= NAMED else 0.5)
    if current_style.ghost:
        for row, tint in zip(rows[one.known[-1]], tints, strict=True):
            axes.plot(x, row, color=tint, lw=0.7 * width, alpha=0.3, zorder=2)
    lines = [axes.plot([], [], color=tint, lw=width, zorder=3)[0] for tint in tints]

    def update(i: int) -> None:
        for line, row in zip(lines, rows[i], strict=True):
            line.set_data(x, row)

    return Drawing(lines, update)


def _entry_names(one: Recorded) -> list[str]:
    """The index of each entry, as 3 or 2,0."""
    if not one.shape:
        return [one.name]
    places = (one.places(axis).tolist() for axis in range(len(one.shape)))
    return [",".join(map(str, index)) for index in itertools.product(*places)]


def _tints(count: int) -> list[Any]:
    """A colour for each of some entries in their order."""
    palette = style().colours.frequencies
    if count <= len(palette):
        return list(palette[:count])
    scale = colour_map("viridis")
    return [scale(0.05 + 0.85 * k / (count - 1)) for k in range(count)]


def _square_cells(axes: Axes, shape: tuple[int, ...]) -> None:
    """Make the cells of a heatmap square where that leaves it a shape to look at."""
    rows, columns = shape
    if not 1 / OBLONG <= rows / columns <= OBLONG:
        return
    place, box = axes.get_position(), axes.bbox
    side = min(box.width / columns, box.height / rows)
    wide, high = side * columns / box.width, side * rows / box.height
    wide, high = wide * place.width, high * place.height
    axes.set_position((place.x0 + (place.width - wide) / 2, place.y1 - high, wide, high))
