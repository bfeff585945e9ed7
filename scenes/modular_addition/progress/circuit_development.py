"""The circuit on one clock: the losses that see it grow, its waves and, if wished, its neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from grokviz.scenes.modular_addition.embedding.embedding_waves import EmbeddingWaves
from grokviz.scenes.modular_addition.neurons.neuron_activations import NeuronActivations

from grokviz.scene import Claim, Drawing, Scene, option, panels, style
from grokviz.scene.outcome import losses_of, outcome
from grokviz.scene.scene import drawing_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase, SubFigure


ROOMY = 27.0
"""So many ems wide are neurons whose heading has room for what they are over."""

AHEAD = 0.1
"""So small a share of the test loss the restricted loss has to be when the test loss halves."""


@dataclass(frozen=True)
class CircuitDevelopment(Scene):
    """The losses that see the circuit grow, beside the waves of the embedding."""

    name = "circuit-development"
    title = "The circuit is built while the test loss still stands high"
    watch = "restricted: key waves alone, all pairs; excluded: train loss without them"
    source = "thread, tweets 9 to 11; arXiv:2301.05217, figures 3, 4 and 7"
    loops = True
    needs = tuple(dict.fromkeys([
        *EmbeddingWaves.needs, *NeuronActivations.needs,
        "excluded_loss_2d", "restricted_loss", "logged_train_loss", "logged_test_loss", "phase_end",
    ]))  # fmt: skip
    clock = "field_epoch"
    aspect = 2.0
    narrow_aspect = 0.78
    # neurons have a room below the waves
    aspects = {"neurons": dict.fromkeys(range(1, 4), (1.5, 0.62))}  # noqa: RUF012
    stills = ("grok", "last")

    neurons: int = option(0, "how many neurons to show below, of each frequency in turn")

    def __post_init__(self) -> None:
        if not 0 <= self.neurons <= 3:
            raise ValueError(f"neurons={self.neurons} is not possible; give 0 to 3")

    def claim(self, data: xr.Dataset) -> Claim:
        """The losses of the whole network and of the key waves alone, when it groks."""
        run, turn = outcome(data), _turn(data)
        if turn is None:
            return Claim.instead(run.sentence)
        numbers = {"test": turn.test, "restricted": turn.alone}
        test, alone = f"{turn.test:.2g}", f"{turn.alone:.2g}"
        if not (turn.alone <= AHEAD * turn.test and turn.test > 0):
            sentence = f"With the test loss at {test}, the key waves alone have {alone}"
            return Claim.instead(sentence, **numbers)
        sentence = f"With test loss still at {test}, the key waves alone reach {alone}"
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The losses, and beside them each part as its own scene draws it."""
        rooms = _rooms(figure, with_neurons=bool(self.neurons))
        parts = [
            _at_field_epochs(scene, drawing_of(scene, room, data), data)
            for scene, room in zip(self._scenes(), rooms[1:], strict=True)
        ]
        # the whole sentence is too long for a panel of this width
        rooms[1].axes[0].set_xlabel("frequency of the wave")
        if self.neurons and not style().narrow(figure):
            _head(rooms[-1], self.neurons)
        return Drawing.of(_losses(rooms[0], data), *parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The parts' own words, and the losses."""
        parts = [s.description(data, int(_indices(s, data)[i])) for s in self._scenes()]
        now = data.sel(epoch=int(data["field_epoch"].values[i]))
        return (
            f"{len(parts) + 1} panels. {' '.join(parts)} Restricted loss "
            f"{float(now['restricted_loss'].sel(split='all')):.2g}, excluded loss "
            f"{float(now['excluded_loss_2d']):.2g}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        neurons = (
            f"; activations of {self.neurons} neurons over all pairs (a, b), each from 0 to its "
            "largest"
            if self.neurons
            else ""
        )
        return (
            "Train and test loss, the loss restricted to the key frequencies (on all pairs, with "
            "their waves of a + b alone), and the train loss with them, fitted on all pairs, "
            "excluded; norm of each wave "
            "in the embedding $W_E$, the key frequencies in colour, and their share of its summed "
            f"squares{neurons}. {after('figures 3, 4 and 7')}"
        )

    def _scenes(self) -> list[Scene]:
        neurons = [NeuronActivations(most=self.neurons, first=False)] if self.neurons else []
        return [EmbeddingWaves(losses=False, waves="key"), *neurons]


class _Turn(NamedTuple):
    """When the run groks, and the test and the restricted loss then."""

    epoch: int
    test: float
    alone: float


def _turn(data: xr.Dataset) -> _Turn | None:
    """That moment of a run that grokked; None of any other."""
    run = outcome(data)
    if run.delay is None or run.grokked is None:
        return None
    i = int(np.abs(data["epoch"].values - run.grokked).argmin())
    if abs(data["epoch"].values[i] - run.grokked) > _claims.NEAR * run.grokked:
        return None
    test = float(np.interp(run.grokked, *losses_of(data, "test")))
    return _Turn(run.grokked, test, float(data["restricted_loss"].sel(split="all").values[i]))


def _rooms(figure: FigureBase, *, with_neurons: bool) -> list[SubFigure]:
    """A part of the figure for the losses, the largest, for the waves and, if wished, neurons."""
    if style().narrow(figure):
        rooms = _split(figure, heights=(1.5, 1, 0.85) if with_neurons else (1.5, 1))
    else:
        left, right = _split(figure, widths=(0.53, 0.47) if with_neurons else (0.58, 0.42))
        rooms = [left, *(_split(right, heights=(0.5, 0.5)) if with_neurons else [right])]
    for room in rooms:
        room.set_facecolor("none")
    return rooms


def _head(room: SubFigure, count: int) -> None:
    """What the heatmaps are, above the numbers of their frequencies."""
    what = f"{count} neurons" if count > 1 else "a neuron"
    over = " over ka and kb mod p" if style().ems(room)[0] >= ROOMY else ""
    style().note(
        room.axes[0], f"{what}{over}, with wave k's share", (0, 1), (0, 1.75),
        color=style().colours.muted,
    )  # fmt: skip


def _losses(room: SubFigure, data: xr.Dataset) -> Drawing:
    """The four losses, with the two that the title names as dots at their moment."""
    named = _neurons.phases(room.get_figure(root=True))
    axes = style().panels(room, left=5.0, right=6.8, top=2.6 if named == "named" else 1.2)[0][0]
    panel = panels.CurvePanel(
        axes, data, _curves(data), ylabel="loss (nats)", log=True, phases=named
    )
    if "excluded" in panel.traces:
        panel.traces["excluded"].dash()
    turn, colours, epochs = _turn(data), style().colours, data["field_epoch"].values
    marks = [] if turn is None else [
        _marks.Mark(turn.epoch, turn.test, f"{turn.test:.2g}", colours.test, lift=0.7),
        _marks.Mark(turn.epoch, turn.alone, f"{turn.alone:.2g}", colours.ink, lift=0.15),
    ]  # fmt: skip
    marks = _marks.clear(axes, marks, panel.curves.values())
    return Drawing.of(panel.along(epochs), _marks.draw(axes, marks, epochs))


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
