"""All of the circuit on one clock: waves, neurons, the map to the logits, and the losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.modular_addition.embedding.embedding_waves import EmbeddingWaves
from grokviz.scenes.modular_addition.neurons.neuron_activations import NeuronActivations
from grokviz.scenes.modular_addition.neurons.neuron_logit_map import NeuronLogitMap

from grokviz.scene import Scene, option, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase, SubFigure

LOSSES = ("excluded_loss_2d", "restricted_loss")


@dataclass(frozen=True)
class CircuitDevelopment(Scene):
    """Waves of the embedding, some neurons, W_L, and the losses that see the circuit grow."""

    name = "circuit-development"
    title = "The circuit is built while the test loss still stands high"
    watch = "waves, map and neurons take shape before the red line falls"
    source = "thread, tweets 9 to 11; arXiv:2301.05217, figures 3, 4 and 7"
    loops = True
    needs = tuple(dict.fromkeys([
        *EmbeddingWaves.needs, *NeuronActivations.needs, *NeuronLogitMap.needs,
        *LOSSES, "logged_train_loss",
    ]))  # fmt: skip
    clock = "field_epoch"
    aspect = 1.5
    narrow_aspect = 0.48
    stills = ("grok-3000", "last")

    neurons: int = option(3, "how many neurons to show, of each frequency in turn")

    def __post_init__(self) -> None:
        if not 1 <= self.neurons <= 3:
            raise ValueError(f"neurons={self.neurons} is not possible; give 1 to 3")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """Each part as its own scene draws it, on a part of the figure."""
        rooms = _rooms(figure)
        drawn: dict[str, Any] = {
            name: scene.draw(room, data)
            for (name, scene), room in zip(self._scenes().items(), rooms, strict=False)
        }
        axes = style().panels(rooms[-1], left=5.0, right=6.6, top=1.8)[0][0]
        drawn["losses"] = panels.curve_panel(
            axes, data, _curves(data), ylabel="loss (nats)", log=True, named=True
        )
        drawn["losses"]["lines"]["restricted"].set_linestyle((0, (2.5, 1.2)))
        moving = [artists["moving"] for name, artists in drawn.items() if name != "losses"]
        return {**drawn, "moving": [*moving, panels.moving(drawn["losses"])]}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """Every part at the same epoch."""
        for name, scene in self._scenes().items():
            scene.update(artists[name], data, _index(scene, data, i))
        panels.update_loss_panel(artists["losses"], float(data["field_epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """The parts' own words, and the losses."""
        parts = [s.alt_text(data, _index(s, data, i)) for s in self._scenes().values()]
        now = data.sel(epoch=int(data["field_epoch"].values[i]))
        return (
            f"Four panels. {' '.join(parts)} Restricted loss "
            f"{float(now['restricted_loss'].sel(split='all')):.2g}, excluded loss "
            f"{float(now['excluded_loss_2d']):.2g}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "The circuit during training: norm of each wave in the embedding $W_E$; norm of each "
            "wave in the neuron-logit map $W_L$; activations of "
            f"{self.neurons} neurons over all pairs (a, b), each from 0 to its largest; train and "
            "test loss, the loss restricted to the key frequencies, and the train loss with them "
            "excluded. After Nanda et al. (2023), arXiv:2301.05217, figures 3, 4 and 7."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: nothing moves later."""
        return 0, panels.horizon(data)

    def _scenes(self) -> dict[str, Scene]:
        return {
            "waves": EmbeddingWaves(losses=False),
            "map": NeuronLogitMap(show="bars"),
            "neurons": NeuronActivations(most=self.neurons),
        }


def _rooms(figure: FigureBase) -> list[SubFigure]:
    """A part of the figure for the waves, the map, the neurons and the losses."""
    if style().narrow(figure):
        rooms = _split(figure, heights=(1, 1, 0.85, 1.1))
    else:
        above, below = _split(figure, heights=(0.42, 0.58))
        # three heatmaps of 113 whole cells fit into the larger part of a slide
        rooms = [*_split(above, widths=(1, 1)), *_split(below, widths=(0.62, 0.38))]
    for room in rooms:
        room.set_facecolor("none")
    return rooms


def _split(
    figure: FigureBase, heights: tuple[float, ...] = (1,), widths: tuple[float, ...] = (1,)
) -> list[SubFigure]:
    parts = figure.subfigures(
        len(heights), len(widths), height_ratios=heights, width_ratios=widths,
        hspace=0, wspace=0, squeeze=False,
    )  # fmt: skip
    return list(parts.ravel())


def _index(scene: Scene, data: xr.Dataset, i: int) -> int:
    """The scene's own clock at the same epoch."""
    assert scene.clock is not None
    return int(np.abs(data[scene.clock].values - data["field_epoch"].values[i]).argmin())


def _curves(data: xr.Dataset) -> dict[str, panels.Curve]:
    """Train and test loss in their colours; the two measures in ink."""
    colours, epochs = style().colours, data["epoch"].values.astype(float)
    restricted = data["restricted_loss"].sel(split="all").values
    excluded = data["excluded_loss_2d"].values
    return {
        **panels.losses(data),
        "restricted": panels.Curve(epochs, restricted.astype(float), colours.ink),
        "excluded": panels.Curve(epochs, excluded.astype(float), colours.ink),
    }
