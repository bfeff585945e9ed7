"""The thread's first picture: the model embeds a few waves and ignores the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after

from grokviz.scene import Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.bars import Bars
from grokviz.scene.layout import pushed_apart

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
    )
    aspect = 2.3
    narrow_aspect = 0.86
    # fewer panels make a flatter page
    aspects = {"losses": {False: (2.8, 1.5)}}  # noqa: RUF012
    stills = ("grok-3000", "last")
    paper_figures = {"3a": {"by": "component", "losses": False}}  # noqa: RUF012

    value: Literal["norm", "squared"] = option("norm", "norm of each wave, or its square")
    by: Literal["frequency", "component"] = option("frequency", "or cosine and sine apart")
    losses: bool = option(True, "the loss beside the bars")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Bars of every wave, and the loss where wished."""
        if not self.losses:
            return Drawing.of(self._waves(style().panels(figure, top=1.6)[0][0], data))
        waves, losses = style().beside(figure, (1.75, 1), (1.15, 1), vgap=6.2)
        loss = panels.LossPanel(losses, data)
        return Drawing.of(self._waves(waves, data), loss.along(data["epoch"]))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The waves that stand out, and the losses at that moment."""
        norms = data["embedding_frequency_norm"].isel(epoch=i)
        large = [int(k) for k in norms["frequency"].values[norms.values > norms.values.max() / 4]]
        rest = float(np.median(norms.values))
        named = f"frequencies {', '.join(map(str, large))}" if len(large) < 12 else "many of them"
        return (
            f"Bar chart of the norm of each of {len(norms)} frequencies in the embedding at "
            f"{clocks.at(data, 'epoch', i)}: {len(large)} stand above a quarter of the largest "
            f"({named}); the median is {rest:.2g}. Beside it the losses: train "
            f"{panels.loss_at(data, 'train', i)}, test {panels.loss_at(data, 'test', i)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        p = data.sizes["component"]
        return (
            f"Norm of the embedding $W_E$ along each wave over the {p} inputs, and the loss. "
            f"The key frequencies stand out before the test loss falls. {after('figure 3')}"
        )

    def _waves(self, axes: Axes, data: xr.Dataset) -> Drawing:
        k, values = data["frequency"].values, data["embedding_frequency_norm"].values
        x, width = k * 1.0, 0.74
        if self.by == "component":
            values = data["embedding_component_norm"].values[:, 1:]
            x = np.repeat(k, 2) + np.tile([-0.2, 0.2], len(k))
            k, width = np.repeat(k, 2), 0.36
        heights = values.astype(float) ** (2 if self.value == "squared" else 1)
        # what is the tallest within the film, so that the axis never moves
        inside = data["epoch"].values <= panels.horizon(data)
        axes.set(xlim=(0.2, k[-1] + 0.8), ylim=(0, float(heights[inside].max()) * 1.12))
        axes.set_xticks(frequencies.ticks(int(k[-1])))
        axes.set_xlabel(f"frequency of the wave over the {data.sizes['component']} inputs")
        # without the loss it is a low panel, of a larger figure
        name = "norm in the embedding" if self.losses else "norm in $W_E$"
        axes.set_ylabel(name + (", squared" if self.value == "squared" else ""))
        face = [frequencies.colour(int(n), data) for n in k]
        return _named(Bars(axes, x, heights, face, width=width), k, data)


def _named(bars: Bars, of_bars: np.ndarray, data: xr.Dataset) -> Drawing:
    """Bars, and a number over each key frequency's, pushed apart where bars are neighbours."""
    current_style, axes, keys = style(), bars.axes, frequencies.embedded(data)
    pitch = axes.bbox.width / (axes.get_xlim()[1] - axes.get_xlim()[0])
    digit = current_style.pixels(axes, 0.7 * current_style.points) / pitch
    wide = [digit * len(str(k)) for k in keys]
    places = pushed_apart([float(k) for k in keys], wide, *axes.get_xlim())
    texts, under = [], []
    for k, place, width in zip(keys, places, wide, strict=True):
        texts.append(current_style.label(
            axes, place, 0, str(k), color=frequencies.colour(k, data),
            fontsize=current_style.points, zorder=4,
        ))  # fmt: skip
        # the bars that the number must stay above
        under.append((np.abs(bars.x - place) < 0.4 * width + 0.3) | (of_bars == k))

    def update(i: int) -> None:
        bars.update(i)
        for text, below in zip(texts, under, strict=True):
            text.set_y(bars.heights[i][below].max() + 0.012 * axes.get_ylim()[1])

    return Drawing([bars.moving, texts], update)
