"""All of the circuit on one clock: waves, neurons, the map to the logits, and the losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons
from grokviz.scenes.modular_addition.embedding.embedding_waves import EmbeddingWaves
from grokviz.scenes.modular_addition.neurons.neuron_activations import NeuronActivations
from grokviz.scenes.modular_addition.neurons.neuron_logit_map import NeuronLogitMap

from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene.outcome import losses_of, outcome
from grokviz.scene.scene import drawing_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase, SubFigure


AHEAD = 0.1
"""So small a share of the test loss the restricted loss has to be when the test loss halves."""


@dataclass(frozen=True)
class CircuitDevelopment(Scene):
    """Waves of the embedding, some neurons, W_L, and the losses that see the circuit grow."""

    name = "circuit-development"
    title = "The circuit is built while the test loss still stands high"
    watch = "the restricted loss falls first; the rest sharpens while the test loss falls"
    source = "thread, tweets 9 to 11; arXiv:2301.05217, figures 3, 4 and 7"
    loops = True
    needs = tuple(dict.fromkeys([
        *EmbeddingWaves.needs, *NeuronActivations.needs, *NeuronLogitMap.needs,
        "excluded_loss_2d", "restricted_loss", "logged_train_loss", "logged_test_loss", "phase_end",
    ]))  # fmt: skip
    clock = "field_epoch"
    aspect = 1.5
    narrow_aspect = 0.62
    stills = ("grok", "last")

    neurons: int = option(3, "how many neurons to show, of each frequency in turn")

    def __post_init__(self) -> None:
        if not 1 <= self.neurons <= 3:
            raise ValueError(f"neurons={self.neurons} is not possible; give 1 to 3")

    def claim(self, data: xr.Dataset) -> Claim:
        """The losses of the whole network and of the key waves alone, when it groks."""
        run = outcome(data)
        if run.delay is None or run.grokked is None:
            return Claim.instead(run.sentence)
        i = int(np.abs(data["epoch"].values - run.grokked).argmin())
        test = float(np.interp(run.grokked, *losses_of(data, "test")))
        alone = float(data["restricted_loss"].sel(split="all").values[i])
        numbers = {"test": test, "restricted": alone}
        if not alone <= AHEAD * test:
            sentence = f"With the test loss at {test:.2g}, the key waves alone have {alone:.2g}"
            return Claim.instead(sentence, **numbers)
        sentence = f"With test loss still at {test:.2g}, the key waves alone reach {alone:.2g}"
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Each part as its own scene draws it, on a part of the figure."""
        rooms, epochs = _rooms(figure), data["field_epoch"]
        parts = [
            _at_field_epochs(scene, drawing_of(scene, room, data), data)
            for scene, room in zip(self._scenes(), rooms, strict=False)
        ]
        axes = style().panels(rooms[-1], left=5.0, right=6.6, top=1.8)[0][0]
        losses = panels.CurvePanel(
            axes,
            data,
            _curves(data),
            ylabel="loss (nats)",
            log=True,
            phases=_neurons.phases(figure),
        )
        if "excluded" in losses.traces:
            losses.traces["excluded"].line.set_linestyle((0, (2.5, 1.2)))
        return Drawing.of(*parts, losses.along(epochs))

    def description(self, data: xr.Dataset, i: int) -> str:
        """The parts' own words, and the losses."""
        parts = [s.description(data, int(_indices(s, data)[i])) for s in self._scenes()]
        now = data.sel(epoch=int(data["field_epoch"].values[i]))
        return (
            f"Four panels. {' '.join(parts)} Restricted loss "
            f"{float(now['restricted_loss'].sel(split='all')):.2g}, excluded loss "
            f"{float(now['excluded_loss_2d']):.2g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "The circuit during training: norm of each wave in the embedding $W_E$; norm of each "
            "wave in the neuron-logit map $W_L$; activations of "
            f"{self.neurons} neurons over all pairs (a, b), each from 0 to its largest; train and "
            "test loss, the loss restricted to the key frequencies, and the train loss with them "
            f"excluded. {after('figures 3, 4 and 7')}"
        )

    def _scenes(self) -> list[Scene]:
        return [
            EmbeddingWaves(losses=False),
            NeuronLogitMap(show="bars"),
            NeuronActivations(most=self.neurons),
        ]


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


def _indices(scene: Scene, data: xr.Dataset) -> np.ndarray:
    """The indices of the scene's own clock at the epochs of the large variables."""
    clock: np.ndarray = data[str(scene.clock)].values
    apart = np.abs(clock[None, :] - data["field_epoch"].values[:, None])
    nearest: np.ndarray = apart.argmin(axis=1)
    return nearest


def _at_field_epochs(scene: Scene, drawing: Drawing, data: xr.Dataset) -> Drawing:
    """The drawing of a scene, moved by the clock of the large variables."""
    indices = _indices(scene, data)
    return Drawing(drawing.moving, lambda i: drawing.update(int(indices[i])))


def _curves(data: xr.Dataset) -> dict[str, panels.Curve]:
    """Train and test loss in their colours; the two measures in ink."""
    restricted = data["restricted_loss"].sel(split="all").values
    return {
        **panels.losses(data),
        "restricted": panels.at_checkpoints(data, restricted),
        "excluded": panels.at_checkpoints(data, data["excluded_loss_2d"].values),
    }
