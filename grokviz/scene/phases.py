"""The phases of training, as scenes shade and name them, and how far a film goes beyond them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from grokviz.dataset.numerics.curves import PHASES
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart
from grokviz.scene.style import Label, chip, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


TIGHT = 1.25
"""A name may be so many times as wide as its band and stand in the lower row."""

SHOWN = "shown_until"
"""The attribute of data that are shown beyond the horizon: up to which moment."""

LONGEST = 1.05
"""A legend's row may be so many times as long as the axes."""


def horizon(data: xr.Dataset, clock: str = "epoch") -> float:
    """The last epoch worth watching: half as long again as until the clean-up's end.

    The whole run where it has no phases.
    """
    last = max(float(data[clock].values[-1]), 1.0)
    ends = clocks.phase_ends(data)
    return last if ends is None else min(last, 1.5 * float(ends[2]))


def until(data: xr.Dataset, clock: str | None, i: int) -> xr.Dataset:
    """The data, marked as shown up to clock index ``i`` where that is beyond the horizon.

    So what is said of the end holds for the picture, see :func:`told_end`.
    """
    if clock is None or not clocks.is_time(clock):
        return data
    moment = float(data[clock].values[i])
    return data.assign_attrs({SHOWN: moment}) if moment > horizon(data, clock) else data


def told_end(data: xr.Dataset, clock: str = "epoch") -> int:
    """The index of the last moment shown: that of a film, or of a picture of a later one."""
    last = max(horizon(data, clock), float(data.attrs.get(SHOWN, 0)))
    return clocks.index_up_to(data, clock, last)


class PhaseShades:
    """The phases of training, shaded: as far as they have come where the future is not drawn."""

    def __init__(
        self, axes: Axes, data: xr.Dataset, *, first: float = 0, clock: str = "epoch"
    ) -> None:
        self.axes, self.data, self.first, self.clock = axes, data, first, clock
        current_style = style()
        self.edges = clocks.phase_edges(data, first, clock)
        colours = current_style.colours.phases
        self.reveals = not current_style.ghost
        tints = (see_through(colour, current_style.colours.background) for colour in colours)
        self.spans = [
            axes.axvspan(start, stop, color=tint, lw=0, zorder=0)
            for tint, start, stop in zip(tints, self.edges, self.edges[1:], strict=False)
        ]
        self.names: list[tuple[int, Any]] = []
        self.nameless = False
        if current_style.labels is not None:
            named = zip(PHASES, colours, self.spans, strict=False)
            current_style.labels.extend(
                Label(name, colour, True, self.leave_names_out) for name, colour, _ in named
            )

    def leave_names_out(self) -> None:
        """Leave the names to a legend."""
        self.nameless = True
        self.write_names()

    def write_names(self) -> None:
        """Each phase's name above its shade, anew for the limits that the axes have now."""
        for _, text in self.names:
            text.remove()
        self.names = []
        if not self.nameless:
            self.names = name_phases(self.axes, self.data, first=self.first, clock=self.clock)

    @property
    def moving(self) -> list[Any]:
        """The shades and their names, where they grow and come."""
        return [*self.spans, *(text for _, text in self.names)] if self.reveals else []

    def update(self, moment: float) -> None:
        """Shade the phases up to ``moment``, and name those that have come under their names."""
        if not self.reveals:
            return
        for span, start, stop in zip(self.spans, self.edges, self.edges[1:], strict=False):
            span.set_width(min(max(moment - start, 0.0), stop - start))
        for phase, text in self.names:
            begun = moment >= self.edges[phase] and moment >= self._under(text)
            if text.get_visible() != begun:
                text.set_visible(begun)

    def _under(self, text: Any) -> float:
        """The epoch above which a name stands; the first of all for one on a chip."""
        if not hasattr(text, "xy"):
            return self.first
        at = self.axes.transAxes.transform((float(text.xy[0]), 0.0))
        return float(self.axes.transData.inverted().transform(at)[0])


def shade_phases(
    axes: Axes, data: xr.Dataset, *, first: float = 0, names: bool = False, clock: str = "epoch"
) -> PhaseShades:
    """Shade the phases of training, and write their names where they fit."""
    shades = PhaseShades(axes, data, first=first, clock=clock)
    if names:
        shades.write_names()
    return shades


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


def name_phases(
    axes: Axes, data: xr.Dataset, *, first: float = 0, clock: str = "epoch"
) -> list[tuple[int, Any]]:
    """Each phase's name above its shade; one that would stand over another's is left out.

    Returns the number of the phase and the text of each.
    """
    current_style, edges = style(), clocks.phase_edges(data, first, clock)
    low, high = (_place(axes, end) for end in axes.get_xlim())
    em = current_style.pixels(axes, current_style.small) / axes.bbox.width
    named: list[tuple[int, str, float, float]] = []
    at = [float((np.clip(_place(axes, e), low, high) - low) / (high - low)) for e in edges]
    bands = list(itertools.pairwise(at))
    for phase, (name, (a, b)) in enumerate(zip(PHASES, bands, strict=False)):
        # the first may begin at its shade's left and run over; the others keep to theirs
        for text in (name, name.replace(" ", "\n")):
            width = 0.57 * em * max(map(len, text.split("\n")))
            if b - a > width or (not named and b > a and width < 0.15):
                named.append((phase, text, max((a + b) / 2, width / 2), width))
                break
    centres = pushed_apart([n[2] for n in named], [n[3] + 0.5 * em for n in named], 0, 1)
    over_its_own = all(
        bands[name[0]][0] <= centre <= bands[name[0]][1]
        for name, centre in list(zip(named, centres, strict=True))[1:]
    )
    if not (over_its_own and len(named) == len(bands)) and (chips := _chips(axes, em, bands)):
        return chips
    return [
        (phase, current_style.note(
            axes, text, (centre, 1), (0, 0.45), ha="center", color=current_style.colours.muted,
            linespacing=1.05,
        ))
        for (phase, text, _, _), centre in zip(named, centres, strict=True)
    ]  # fmt: skip


def _chips(axes: Axes, em: float, bands: list[tuple[float, float]]) -> list[tuple[int, Any]]:
    """The names on their colours, in one row or two above the axes; none where they do not fit.

    Each stands over its band, those that are wider than theirs in a row above the others; where
    that is not possible they are a legend. ``em`` is that of the small type and ``bands`` are the
    shades, as shares of the axes' width.
    """
    widths = [(0.56 * len(name) + 0.7) * em for name in PHASES[: len(bands)]]
    every = list(range(len(bands)))
    wide = [k for k in every if widths[k] > TIGHT * (bands[k][1] - bands[k][0])]
    ways = ([every], [[k for k in every if k not in wide], wide])
    rows = next((places for rows in ways if (places := _over(rows, widths, bands))), None)
    if rows is None:
        legends = ([every], [every[2:], every[:2]])
        rows = next((places for rows in legends if (places := _packed(rows, widths))), [])
    line = em * axes.bbox.width / axes.bbox.height
    background, chips = style().colours.background, []
    for n, row in enumerate(rows):
        for phase, left in row.items():
            colour = see_through(style().colours.phases[phase], background)
            at = (left + 0.15 * em, 1 + (0.5 + 1.45 * n) * line)
            text = chip(axes, PHASES[phase], at, colour, transform=axes.transAxes)
            chips.append((phase, text))
    return sorted(chips, key=lambda one: one[0])


def _over(
    rows: list[list[int]], widths: list[float], bands: list[tuple[float, float]]
) -> list[dict[int, float]] | None:
    """Left ends of names of such widths, row by row, each over its band; None where one is not.

    A name is over its band where its middle is, or where it covers all of it.
    """
    placed: list[dict[int, float]] = []
    for row in rows:
        if sum(widths[k] for k in row) > 1:
            return None
        middles = [
            min(max((bands[k][0] + bands[k][1]) / 2, widths[k] / 2), 1 - widths[k] / 2) for k in row
        ]
        centres = pushed_apart(middles, [widths[k] for k in row], 0, 1)
        for k, centre in zip(row, centres, strict=True):
            low, high = bands[k]
            inside = low <= centre <= high
            half = widths[k] / 2 + 1e-6
            if not inside and not (centre - half <= low and high <= centre + half):
                return None
        placed.append({k: c - widths[k] / 2 for k, c in zip(row, centres, strict=True)})
    return placed


def _packed(rows: list[list[int]], widths: list[float]) -> list[dict[int, float]] | None:
    """Left ends of names one after another, row by row; None where a row is too long."""
    placed: list[dict[int, float]] = []
    for row in rows:
        ends = np.cumsum([0.0, *(widths[k] for k in row)])
        if ends[-1] > LONGEST:
            return None
        placed.append(dict(zip(row, map(float, ends), strict=False)))
    return placed


def _place(axes: Axes, x: float) -> float:
    return float(np.log(max(x, 1e-9))) if axes.get_xscale() == "log" else float(x)
