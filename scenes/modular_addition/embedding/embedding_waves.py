"""The thread's first picture: the model embeds a few waves and ignores the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from grokviz.scene import Scene, option, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


@dataclass(frozen=True)
class EmbeddingWaves(Scene):
    """Norm of each wave in the embedding, beside the loss: the waves sharpen first."""

    name = "embedding-waves"
    panels = ("waves", "loss")
    title = "The network embeds a few waves and forgets the rest"
    watch = "the waves stand out while the test loss is still high"
    source = "thread, tweets 9 and 11, and its animation; arXiv:2301.05217, figure 3"
    loops = True
    needs = (
        "embedding_component_norm",
        "embedding_frequency_norm",
        "logged_train_loss",
        "logged_test_loss",
        "phase_end",
        "loss",
    )
    aspect = 2.3
    narrow_aspect = 0.86
    stills = ("grok-3000", "last")
    paper_figures = {"3a": {"by": "component", "losses": False}}  # noqa: RUF012

    value: Literal["norm", "squared"] = option("norm", "norm of each wave, or its square")
    by: Literal["frequency", "component"] = option("frequency", "or cosine and sine apart")
    losses: bool = option(True, "the loss beside the bars")

    def __post_init__(self) -> None:
        if not self.losses:
            # fewer panels make a flatter page
            object.__setattr__(self, "aspect", 2.8)
            object.__setattr__(self, "narrow_aspect", 1.5)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """Bars of every wave, and the loss where wished."""
        if not self.losses:
            bars = self._draw_bars(style().panels(figure, top=1.6)[0][0], data)
            return {"bars": bars, "moving": [bars["been"], bars["now"], *bars["texts"]]}
        narrow = style().narrow(figure)
        grid = style().panels(
            figure,
            widths=(1,) if narrow else (1.75, 1),
            heights=(1.15, 1) if narrow else (1,),
            vgap=6.2,
        )
        waves, losses = (grid[0][0], grid[1][0]) if narrow else grid[0]
        bars = self._draw_bars(waves, data)
        loss = panels.loss_panel(losses, data)
        moving = [bars["been"], bars["now"], *bars["texts"], *panels.moving(loss)]
        return {"bars": bars, "loss": loss, "moving": moving}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """Bars, the trace of where each has been, and the marker."""
        bars = artists["bars"]
        heights = bars["heights"][i]
        bars["now"].set_verts(_columns(bars["x"], heights, bars["width"]))
        bars["been"].set_verts(_columns(bars["x"], bars["highest"][i], bars["width"]))
        for text, under in zip(bars["texts"], bars["under"], strict=True):
            text.set_y(heights[under].max() + 0.012 * bars["top"])
        if self.losses:
            panels.update_loss_panel(artists["loss"], float(data["epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """The waves that stand out, and the losses at that moment."""
        norms = data["embedding_frequency_norm"].isel(epoch=i)
        large = [int(k) for k in norms["frequency"].values[norms.values > norms.values.max() / 4]]
        rest = float(np.median(norms.values))
        loss = data["loss"].isel(epoch=i)
        named = f"frequencies {', '.join(map(str, large))}" if len(large) < 12 else "many of them"
        return (
            f"Bar chart of the norm of each of {len(norms)} frequencies in the embedding at epoch "
            f"{int(norms['epoch'])}: {len(large)} stand above a quarter of the largest ({named}); "
            f"the median is {rest:.2g}. Beside it the losses: train "
            f"{float(loss.sel(split='train')):.2g}, test {float(loss.sel(split='test')):.2g}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        p = data.sizes["component"]
        return (
            f"Norm of the embedding $W_E$ along each wave over the {p} inputs, and the loss. "
            "The key frequencies stand out before the test loss falls. "
            "After Nanda et al. (2023), arXiv:2301.05217, figure 3."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: nothing moves later."""
        return 0, panels.horizon(data)

    def _draw_bars(self, axes: Axes, data: xr.Dataset) -> dict[str, Any]:
        from matplotlib.collections import PolyCollection

        frequencies, heights, x, width = self._bars(data)
        colours, keys = style().colours, panels.embedded(data)
        # what is the tallest within the film, so that the axis never moves
        shown = data["epoch"].values <= panels.horizon(data)
        top = float(heights[shown].max()) * 1.12
        face = [colours.frequency(int(k), keys) for k in frequencies]
        been = PolyCollection([], facecolors=face, alpha=0.22, lw=0, zorder=1.8)
        now = PolyCollection([], facecolors=face, lw=0, zorder=2.0)
        axes.add_collection(been, autolim=False)
        axes.add_collection(now, autolim=False)
        last = int(frequencies[-1])
        axes.set(xlim=(0.2, last + 0.8), ylim=(0, top))
        axes.set_xticks([1, *range(10, last - 2, 10), last])
        axes.set_xlabel(f"frequency of the wave over the {data.sizes['component']} inputs")
        # without the loss it is a low panel, of a larger figure
        name = "norm in the embedding" if self.losses else "norm in $W_E$"
        axes.set_ylabel(name + (", squared" if self.value == "squared" else ""))
        texts, under = _labels(axes, frequencies, x, keys)
        return {
            "now": now, "been": been, "texts": texts, "under": under, "top": top, "x": x,
            "width": width, "heights": heights, "highest": np.maximum.accumulate(heights),
        }  # fmt: skip

    def _bars(self, data: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Frequency of each bar, heights by epoch, places and width."""
        frequencies = data["frequency"].values
        if self.by == "frequency":
            heights, x, width = data["embedding_frequency_norm"].values, frequencies, 0.74
        else:
            heights = data["embedding_component_norm"].values[:, 1:]
            x = np.repeat(frequencies, 2) + np.tile([-0.2, 0.2], len(frequencies))
            frequencies, width = np.repeat(frequencies, 2), 0.36
        heights = heights.astype(float)
        return frequencies, heights**2 if self.value == "squared" else heights, x * 1.0, width


def _columns(x: np.ndarray, heights: np.ndarray, width: float) -> np.ndarray:
    """Corners of every bar: (bar, 4, 2)."""
    left, right, zero = x - width / 2, x + width / 2, np.zeros_like(heights)
    across = np.stack([left, left, right, right], axis=1)
    return np.stack([across, np.stack([zero, heights, heights, zero], axis=1)], axis=2)


def _labels(
    axes: Axes, frequencies: np.ndarray, x: np.ndarray, keys: list[int]
) -> tuple[list[Any], list[np.ndarray]]:
    """A number over each key frequency's bar, pushed apart where bars are neighbours.

    Returns the texts and, for each, the bars that it must stay above.
    """
    from grokviz.scene.layout import pushed_apart

    current_style = style()
    pitch = axes.bbox.width / (axes.get_xlim()[1] - axes.get_xlim()[0])
    digit = 0.7 * current_style.points / 72 * axes.figure.get_figure(root=True).dpi / pitch
    wide = [digit * len(str(k)) for k in keys]
    places = pushed_apart([float(k) for k in keys], wide, *axes.get_xlim())
    texts = [
        current_style.label(
            axes, place, 0, str(k), color=current_style.colours.frequency(k, keys),
            fontsize=current_style.points, zorder=4,
        )
        for k, place in zip(keys, places, strict=True)
    ]  # fmt: skip
    under = [
        (np.abs(x - place) < 0.4 * width + 0.3) | (frequencies == k)
        for k, place, width in zip(keys, places, wide, strict=True)
    ]
    return texts, under
