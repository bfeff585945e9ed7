"""Everything that training logged, on one clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any import _tensors as tensors

from grokviz.errors import InputError
from grokviz.options import whole
from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

SPLITS = ("train", "test", "valid", "val", "eval")
"""Metrics that differ by such a word alone share a panel."""

DECADES = 2.0
"""Values above 0 that span so many powers of ten are drawn logarithmically."""

MUCH = 2.0
"""A metric changes where it ends at so many times its first value, or at that share of it."""

IN_A_COLUMN = 4

ROOM = 40
"""Characters of a sentence to which another metric of the panel may be added."""


@dataclass(frozen=True)
class Metrics(Scene):
    """A panel for each logged metric, those of train and test together, on the same clock."""

    name = "metrics"
    title = "What training logged goes its way on one clock"
    watch = "as training logged it; the line is the moment"
    source = "compare arXiv:2301.05217, figure 2"
    needs = ("logged_metric", "phase_end")
    reference = "modular-addition-59"
    clock = "metric_epoch"
    aspect = 1.9
    narrow_aspect = 0.8

    metrics: str = option("*", "names of metrics, or patterns such as '*_loss', with commas")
    most: int = option(6, "at most so many panels", whole())

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a metric is a number at two epochs."""
        super().check(data)
        known = np.isfinite(data["logged_metric"].values).sum(axis=0)
        if not (known > 1).any():
            raise InputError(
                f"{cls.name} draws what training logged, and no metric of this run is a number at "
                "two epochs; record them with run.step"
            )

    def claim(self, data: xr.Dataset) -> Claim:
        """How the metric that changes most has changed."""
        ends = {}
        for name in [one for panel in self._panels(data).values() for one in panel]:
            _, values = _logged(data, name)
            ends[name] = float(values[0]), float(values[-1])
        name = max(ends, key=lambda one: _change(*ends[one]))
        first, last = ends[name]
        numbers = {"first": first, "last": last}
        words = f"{_words(name)} goes from {_short(first)} to {_short(last)}"
        for other in next(one for one in self._panels(data).values() if name in one):
            if other != name and len(words) < ROOM:
                start, end = map(_short, ends[other])
                words = f"{words}, {_words(other)} from {start} to {end}"
        if not _change(first, last) >= np.log(MUCH):
            return Claim.instead(f"No metric doubles or halves; {words}", self.watch, **numbers)
        return Claim(words[:1].upper() + words[1:], self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The panels, in rows."""
        shown = self._panels(data)
        narrow = style().narrow(figure)
        if narrow:
            shown = dict([*shown.items()][:IN_A_COLUMN])
        count = len(shown)
        columns = 1 if narrow or count == 1 else 2 if count in (2, 4) else 3
        grid = style().panels(
            figure, (1,) * columns, (1,) * math.ceil(count / columns), left=4.8, right=4.6,
            top=2.6, gap=9.0, vgap=4.0,
        )  # fmt: skip
        flat = [axes for row in grid for axes in row]
        for axes in flat[count:]:
            axes.remove()
        epochs, parts = data["metric_epoch"].values.astype(float), []
        for n, (axes, (title, names)) in enumerate(zip(flat, shown.items(), strict=False)):
            parts.append(self._panel(axes, data, title, names).along(epochs))
            if n + columns < count:
                panels.without_time(axes)
        return Drawing.of(*parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The last values logged up to that moment."""
        now, told = data["metric_epoch"].values[i], []
        for names in self._panels(data).values():
            for name in names:
                epochs, values = _logged(data, name)
                if (epochs <= now).any():
                    told.append(f"{_words(name)} {values[epochs <= now][-1]:.3g}")
        at = clocks.at(data, self.clock, i)
        return f"Logged metrics on one clock. At {at}: {', '.join(told) or 'nothing logged yet'}."

    def definition(self, data: xr.Dataset) -> str:
        """With the citation."""
        return (
            "Every metric as training logged it, on a logarithmic scale where it spans "
            f"{DECADES:g} powers of ten or more. Compare Nanda et al. (2023), arXiv:2301.05217, "
            "figure 2."
        )

    def _panel(
        self, axes: Axes, data: xr.Dataset, title: str, names: list[str]
    ) -> panels.CurvePanel:
        colours, curves = style().colours, {}
        for name in names:
            split = _split(name)[0]
            colour = {"train": colours.train, "": colours.ink}.get(split, colours.test)
            epochs, values = _logged(data, name)
            curves[split or "_"] = panels.Curve.of(epochs, values, colour)
        every = np.concatenate([curve.y for curve in curves.values()])
        log = bool((every > 0).all() and np.log10(every.max() / every.min()) >= DECADES)
        panel = panels.CurvePanel(
            axes, data, curves, ylabel="", log=log, clock=self.clock, phases="none"
        )
        if not log:
            _limits(axes, every)
            panel.update(float(data["metric_epoch"].values[0]))
        style().note(axes, title, (0, 1), (0, 0.5), fontweight="bold")
        return panel

    def _panels(self, data: xr.Dataset) -> dict[str, list[str]]:
        """The metrics of each panel, by its heading: those that are numbers at two epochs."""
        every = [str(name) for name in data["logged_name"].values]
        able = [
            name for name in every
            if tensors.fits(name, self.metrics) and len(_logged(data, name)[0]) > 1
        ]  # fmt: skip
        if not able:
            raise InputError(
                f"metrics={self.metrics} is the name of no metric of this run that is a number at "
                f"two epochs; it has {', '.join(every[:6])}"
            )
        groups: dict[str, list[str]] = {}
        for name in able:
            groups.setdefault(_split(name)[1], []).append(name)
        # losses first, then what has two curves
        order = sorted(groups, key=lambda title: ("loss" not in title, -len(groups[title])))
        return {title: groups[title] for title in order[: self.most]}


def _logged(data: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values of a metric, where they are numbers."""
    values = data["logged_metric"].sel(logged_name=name).values
    known = np.isfinite(values)
    return data["metric_epoch"].values[known], values[known]


def _split(name: str) -> tuple[str, str]:
    """The split that a name speaks of, if any, and what is left of it in words."""
    parts = name.replace("/", "_").replace(".", "_").split("_")
    for split in SPLITS:
        if split in parts and len(parts) > 1:
            rest = [part for part in parts if part != split]
            return ("valid" if split == "val" else split), " ".join(rest)
    return "", name.replace("_", " ")


def _short(value: float) -> str:
    """Two digits, as 4.1, 0.23 or 1.1e-7."""
    mantissa, e, power = f"{value:.2g}".partition("e")
    return f"{mantissa}e{int(power)}" if e else mantissa


def _words(name: str) -> str:
    split, rest = _split(name)
    return f"{split} {rest}".strip()


def _change(first: float, last: float) -> float:
    """How much larger or smaller a value has become, as a logarithm; 0 of a change of sign."""
    if first == last or not first * last > 0:
        return 0.0
    return float(abs(np.log(last / first)))


def _limits(axes: Axes, values: np.ndarray) -> None:
    """From 0 where the values are not far from it, else around them."""
    low, high = float(values.min()), float(values.max())
    if 0 < low < 0.5 * high or low == high > 0:
        low = 0.0
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set_ylim(low - (room if low else 0), high + room)
