"""Every wave's norm in the first and in the last weights, over the whole of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any._papers import after

from grokviz.scene import Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

COLUMNS = 800
MATRICES = {"embedding": "embedding $W_E$", "neuron_logit": "neuron-logit map $W_L$"}


@dataclass(frozen=True)
class WeightSpectra(Scene):
    """Norms of W_E and W_L along each wave, a row a wave and a column an epoch."""

    name = "weight-spectra"
    title = "The first and the last weights settle on the same few waves"
    watch = "a row that stands out is a wave that grows; all the others fade away"
    source = "arXiv:2301.05217, figure 3, over training; notebook, analysis during training"
    loops = True
    needs = (
        "embedding_frequency_norm", "neuron_logit_frequency_norm", "embedding_component_norm",
        "neuron_logit_component_norm", "logged_test_loss", "phase_end",
    )  # fmt: skip
    aspect = 2.0
    narrow_aspect = 0.66

    by: Literal["frequency", "component"] = option("frequency", "or cosine and sine apart")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The two heatmaps."""
        rooms = style().beside(
            figure, (1, 1), (1, 1), top=4.0, right=3.4, gap=7.0, vgap=8.6, bottom=3.9
        )
        maps = [self._map(axes, data, m) for axes, m in zip(rooms, MATRICES, strict=True)]
        return Drawing.of(*(panel.along(data["epoch"]) for panel in maps))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The waves that stand out in each matrix at that moment."""
        words = []
        for matrix in MATRICES:
            now = data[f"{matrix}_frequency_norm"].isel(epoch=i)
            large = now["frequency"].values[now.values > now.values.max() / 4]
            named = ", ".join(map(str, large)) if len(large) < 12 else "many"
            name = {"embedding": "W_E", "neuron_logit": "W_L"}[matrix]
            words.append(
                f"in {name} {len(large)} of {len(now)} frequencies exceed a quarter of the "
                f"largest norm, {float(now.max()):.3g} ({named}); median {float(now.median()):.2g}"
            )
        return (
            f"Two heatmaps, a row a {self.by} and a column an epoch. At "
            f"{clocks.at(data, 'epoch', i)}, "
            f"{'; '.join(words)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Norms of the embedding $W_E$ and of the neuron-logit map $W_L$ along each "
            f"{self.by} of the Fourier basis, over training; each map has its own scale. "
            f"{after('figure 3')}"
        )

    def _map(self, axes: Axes, data: xr.Dataset, matrix: str) -> _Map:
        colours, end = style().colours, panels.horizon(data)
        values, epochs = self._values(data, matrix), data["epoch"].values
        last = max(float(epochs[-1]), 1.0)
        top = float(values[epochs <= end].max())
        # columns are evenly spaced moments; each shows the last checkpoint before it
        moments = (np.arange(COLUMNS) + 0.5) * last / COLUMNS
        rows = values[np.searchsorted(epochs, moments, side="right") - 1].T
        low, high = 0.5, data.sizes["frequency"] + 0.5
        axes.imshow(
            rows, extent=(0, last, low, high), origin="lower", vmin=0, vmax=top, zorder=1,
            cmap=colours.sequential,
        )  # fmt: skip
        axes.grid(False)
        panel = _Map(axes, data, {}, ylabel="frequency", ylim=(low, high), phases="named")
        axes.set_xlabel("epoch", loc="left")
        axes.set_yticks(frequencies.ticks(data.sizes["frequency"]))
        self._furnish(axes, data, matrix, top)
        return panel

    def _values(self, data: xr.Dataset, matrix: str) -> np.ndarray:
        values = data[f"{matrix}_{self.by}_norm"].values.astype(float)
        return values[:, 1:] if self.by == "component" else values

    def _furnish(self, axes: Axes, data: xr.Dataset, matrix: str, top: float) -> None:
        """What the map is, its scale, and the waves' numbers at its right."""
        current_style = style()
        figure = axes.figure
        em = current_style.pixels(axes, current_style.small)
        wide, high = em / axes.bbox.width, em / axes.bbox.height
        at: dict[str, Any] = {
            "transform": axes.transAxes, "fontsize": current_style.small, "va": "center",
        }  # fmt: skip
        figure.text(0, 1 + 3.6 * high, MATRICES[matrix], **{**at, "fontsize": current_style.points})
        scale = figure.add_axes((0, 0, 1, 1))
        box = axes.get_position()
        scale.set_position((
            box.x1 - 7.5 * wide * box.width, box.y0 - 2.95 * high * box.height,
            5.5 * wide * box.width, 0.6 * high * box.height,
        ))  # fmt: skip
        scale.imshow(np.linspace(0, 1, 256)[None], cmap=current_style.colours.sequential)
        scale.axis("off")
        level = -2.65 * high
        figure.text(1 - 8.0 * wide, level, "norm  0", ha="right", **at)
        figure.text(1 - 1.6 * wide, level, f"{top:.2g}", ha="left", **at)
        shown = frequencies.embedded if matrix == "embedding" else frequencies.key_frequencies
        keys = shown(data)
        count = data.sizes["frequency"]
        places = pushed_apart(
            [(k - 0.5) / count for k in keys], [1.15 * high] * len(keys), -0.5 * high, 1 + high
        )
        for k, place in zip(keys, places, strict=True):
            colour = frequencies.colour(k, data)
            figure.text(1 + 0.5 * wide, place, str(k), color=colour, fontweight="bold", **at)


class _Map(panels.CurvePanel):
    """A map over epochs with a veil over what is still to come."""

    def shade(self) -> None:
        """A line at the end of each phase, and the veil."""
        from matplotlib.patches import Rectangle

        colours, line = style().colours, style().line
        ends = clocks.phase_ends(self.data)
        for phase_end in [] if ends is None else ends:
            self.axes.axvline(phase_end, color=colours.faint, lw=line * 0.3, zorder=2)
        low, high = self.ylim or (0.0, 1.0)
        last = max(float(self.data["epoch"].values[-1]), 1.0)
        self.veil: Any = self.axes.add_patch(Rectangle(
            (0, low), last, high - low, color=colours.background, alpha=0.75, lw=0, zorder=3
        ))  # fmt: skip

    @property
    def moving(self) -> list[Any]:
        """The veil and the marker."""
        return [self.veil, *super().moving]

    def update(self, epoch: float) -> None:
        """What has been is unveiled."""
        super().update(epoch)
        self.veil.set_x(epoch)
