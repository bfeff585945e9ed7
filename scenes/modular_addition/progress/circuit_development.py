"""The loss that the key waves alone already reach, below that of the whole network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition.neurons.neuron_activations import NeuronActivations
from jaxtyping import Float

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import losses_of, outcome
from grokviz.scene.scene import drawing_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase, SubFigure


ROOMY = 27.0
"""So many ems wide are neurons whose heading has room for what they are over."""

ROOF = 85.0
"""Above so many per cent there is no room over the bands."""

TEST, ALONE = "test loss", "key waves alone"

NAMED_AT = 0.22
"""At this share of the time axis the losses have their names."""

RIGHT = 0.69
"""The largest loss at which the right answer is as likely as not, in nats: log 2."""

AHEAD = 0.1
"""So small a share of the test loss the restricted loss has to be when the test loss halves."""


@dataclass(frozen=True)
class CircuitDevelopment(Scene):
    """The loss of all and of the key waves alone; if wished, these waves' share below them."""

    name = "circuit-development"
    title = "The circuit is built while the test loss still stands high"
    watch = "Shaded: how far the whole network lags behind its own key waves"
    source = "thread, tweets 9 to 11; arXiv:2301.05217, figures 3, 4 and 7"
    loops = True
    needs = tuple(dict.fromkeys([
        "embedding_frequency_norm", *NeuronActivations.needs, "restricted_loss",
        "logged_train_loss", "logged_test_loss", "phase_end",
    ]))  # fmt: skip
    clock = "field_epoch"
    aspect = 2.0
    narrow_aspect = 0.78
    # neurons have a room below the waves
    aspects = {"neurons": dict.fromkeys(range(1, 4), (1.5, 0.62))}  # noqa: RUF012
    stills = ("grok", "last")

    waves: bool = option(False, "how much of the embedding is key waves, below the losses")
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
        count = len(frequencies.key_frequencies(data))
        few = _claims.in_words(count, "wave")
        if turn.alone > RIGHT:
            sentence = f"While the test loss is still {test}, {few} alone reach {alone}"
            return Claim(sentence, self.watch, numbers=numbers)
        know = "knows" if count == 1 else "know"
        sentence = f"{few.capitalize()} {know} the answers before the whole network does"
        watch = f"The network's loss is still {test} where that of the waves alone is {alone}"
        return Claim(sentence, watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The two losses, and if they are asked for the waves below them, and neurons."""
        rooms = _rooms(figure, with_neurons=bool(self.neurons))
        parts = [_circuit(rooms[0], data, with_waves=self.waves)]
        if self.neurons:
            neurons = self._neurons()
            parts.append(_at_field_epochs(neurons, drawing_of(neurons, rooms[1], data), data))
            if not style().narrow(figure):
                _head(rooms[1], self.neurons)
        return Drawing.of(*parts)

    def description(self, data: xr.Dataset, i: int) -> str:
        """Both losses, the share of each key wave, and the neurons' own words."""
        at = int(np.abs(data["epoch"].values - data["field_epoch"].values[i]).argmin())
        keys, shares = frequencies.key_frequencies(data), _shares(data)[at]
        waves = ", ".join(f"{k}: {shares[k - 1]:.1%}" for k in keys) or "none"
        alone = float(data["restricted_loss"].sel(split="all").values[at])
        neurons = self._neurons()
        more = neurons.description(data, int(_indices(neurons, data)[i])) if self.neurons else ""
        bands = (
            ", and below them a band for each key wave, as thick as its share of the embedding"
            if self.waves
            else ""
        )
        return (
            f"Two losses over {clocks.word(data)}s{bands}. At {clocks.at(data, 'epoch', at)} the "
            f"test loss is {panels.loss_at(data, 'test', at)}, that of the key waves alone "
            f"{alone:.2g}. Shares of the key waves: {waves}. {more}"
        ).strip()

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        neurons = (
            f"; activations of {self.neurons} neurons over all pairs (a, b), each from 0 to its "
            "largest"
            if self.neurons
            else ""
        )
        waves = (
            "; below, the share of each key frequency in the summed squares of the norms of all "
            "waves in the embedding $W_E$"
            if self.waves
            else ""
        )
        return (
            "The test loss, and the loss restricted to the key frequencies (on all pairs, with "
            f"their waves of a + b alone){waves}{neurons}. "
            f"{after('figures 3, 4 and 7')}"
        )

    def _neurons(self) -> Scene:
        return NeuronActivations(most=max(self.neurons, 1), first=False)


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
    # the picture stands at moments of the field clock, and its dots and numbers stand there too
    fields = data["field_epoch"].values
    epoch = int(fields[np.abs(fields - run.grokked).argmin()])
    i = int(np.abs(data["epoch"].values - epoch).argmin())
    if max(abs(epoch - run.grokked), abs(data["epoch"].values[i] - epoch)) > (
        _claims.NEAR * run.grokked
    ):
        return None
    test = float(np.interp(epoch, *losses_of(data, "test")))
    return _Turn(epoch, test, float(data["restricted_loss"].sel(split="all").values[i]))


def _rooms(figure: FigureBase, *, with_neurons: bool) -> list[SubFigure]:
    """A part of the figure for the circuit and, if wished, one for neurons."""
    if style().narrow(figure):
        rooms = _split(figure, heights=(2, 0.85) if with_neurons else (1,))
    else:
        rooms = _split(figure, widths=(0.53, 0.47) if with_neurons else (1,))
    for room in rooms:
        room.set_facecolor("none")
    return rooms


def _head(room: SubFigure, count: int) -> None:
    """What the heatmaps are, above the numbers of their frequencies."""
    what = f"{count} neurons" if count > 1 else "a neuron"
    over = " over ka and kb mod p" if style().ems(room)[0] >= ROOMY else ""
    style().note(
        room.axes[0], f"{what}{over}, with wave k's share", (0, 1), (0, 3.0),
        color=style().colours.muted,
    )  # fmt: skip


def _circuit(room: SubFigure, data: xr.Dataset, *, with_waves: bool) -> Drawing:
    """The losses with the two numbers of the title, and below them the waves as they grow."""
    heights = (1, 1.1) if with_waves else (1,)
    right = 7.4 if with_waves else 1.6
    above, *below = style().stack(room, heights, left=5.4, right=right, top=1.0, vgap=1.2)
    turn, colours, epochs = _turn(data), style().colours, data["field_epoch"].values
    panel = _Losses(
        above, data, _curves(data), ylabel="loss (nats)", ylim=(0, _top(data)), phases="none"
    )
    marks = [] if turn is None else [
        _marks.Mark(turn.epoch, turn.test, f"{turn.test:.2g}", colours.test, lift=0.7),
        _marks.Mark(turn.epoch, turn.alone, f"{turn.alone:.2g}", colours.ink, lift=0.5),
    ]  # fmt: skip
    marks = _marks.clear(above, marks, panel.curves.values())
    parts = [_Gap(above, data).along(epochs), panel.along(epochs)]
    parts.append(_marks.draw(above, marks, epochs))
    if not below:
        return Drawing.of(*parts)
    panels.without_time(above)
    bands = _bands(below[0], data)
    share = [] if turn is None or not bands.bands else [_grown(data, turn.epoch)]
    return Drawing.of(*parts, bands.along(epochs), _marks.draw(below[0], share, epochs))


class _Losses(panels.CurvePanel):
    """Both losses, with their names on them: at the end both are near zero."""

    def name_curves(self, end: float) -> panels.LineNames:
        """The names where the losses are apart."""
        at = dict.fromkeys(self.curves, NAMED_AT * end)
        return _Names(self.axes, self.curves, at, above=[*at], ha="left")


class _Names(panels.LineNames):
    """Names of which that of the key waves is left out while it would stand on the other."""

    def update(self, moment: float) -> None:
        """Put them on the losses."""
        super().update(moment)
        if len(self.texts) == 2:
            em = style().pixels(self.axes, style().small)
            places = [self.axes.transData.transform(t.xy)[1] for t in self.texts.values()]
            self.texts[ALONE].set_visible(bool(abs(places[0] - places[1]) > 1.2 * em))


def _top(data: xr.Dataset) -> float:
    """A loss above both curves until the picture ends."""
    inside = data["epoch"].values <= panels.horizon(data)
    values = np.concatenate([loss[inside] for loss in _both(data)])
    return 1.1 * float(values[np.isfinite(values)].max(initial=0)) or 1.0


def _both(data: xr.Dataset) -> tuple[Float[np.ndarray, " epoch"], Float[np.ndarray, " epoch"]]:
    """The restricted and the test loss at the checkpoints, not a number where not logged."""
    alone = data["restricted_loss"].sel(split="all").values.astype(float)
    logged, test = losses_of(data, "test")
    if not len(logged):
        return alone, np.full_like(alone, np.nan)
    return alone, np.interp(data["epoch"].values, logged, test)


class _Gap:
    """The ground between the loss of the key waves and the test loss above it, so far."""

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
        self.epochs, self.losses = data["epoch"].values.astype(float), _both(data)
        look: dict[str, Any] = {"color": style().colours.test, "lw": 0, "zorder": 1.2}
        if style().ghost:
            axes.fill_between(*self._until(np.inf), alpha=0.07, **look)
        self.ground = axes.fill_between(*self._until(np.inf), alpha=0.22, **look)

    def along(self, epochs: np.ndarray) -> Drawing:
        """Moved by a clock of these epochs."""
        return Drawing(
            [self.ground], lambda i: self.ground.set_data(*self._until(float(epochs[i])))
        )

    def _until(self, epoch: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        past = slice(0, max(int(np.searchsorted(self.epochs, epoch, side="right")), 1))
        alone, test = (loss[past] for loss in self.losses)
        return self.epochs[past], alone, np.fmax(alone, test)


def _grown(data: xr.Dataset, moment: float) -> _marks.Mark:
    """A dot at what the key waves hold of the embedding when the run groks."""
    share = float(np.interp(moment, data["epoch"].values, _edges(data)[:, -1]))
    side: Any = "right" if share < ROOF else "left"
    lift = 0.75 if share < ROOF else -0.75
    return _marks.Mark(moment, share, f"{share:.0f}%", style().colours.ink, side, lift)


class _Bands(panels.CurvePanel):
    """A band for each key wave, as thick as its share of the embedding, and their sum."""

    def __post_init__(self) -> None:
        """Stack them, the lowest frequency lowest."""
        self.bands: list[Any] = []
        self.edges = _edges(self.data)
        super().__post_init__()
        keys = frequencies.key_frequencies(self.data)
        if not keys:
            frequencies.note_none(self.axes)
        look: dict[str, Any] = {"lw": 0, "zorder": 1.5}
        for n, k in enumerate(keys):
            colour = frequencies.colour(k, self.data)
            x, low, high = self._band(n, np.inf)
            if style().ghost:
                self.axes.fill_between(x, low, high, color=colour, alpha=0.3, **look)
            self.bands.append(self.axes.fill_between(x, low, high, color=colour, **look))
        self._write_names(keys)

    @property
    def moving(self) -> list[Any]:
        """The bands, and what moves of the panel."""
        return [*self.bands, *super().moving]

    def update(self, epoch: float) -> None:
        """Draw them up to ``epoch``."""
        super().update(epoch)
        for n, band in enumerate(self.bands):
            band.set_data(*self._band(n, epoch))

    def name_curves(self, end: float) -> None:
        """No name of the sum: the bands have theirs."""
        return

    def _band(self, n: int, epoch: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        epochs = self.data["epoch"].values.astype(float)
        past = slice(0, max(int(np.searchsorted(epochs, epoch, side="right")), 1))
        return epochs[past], self.edges[past, n], self.edges[past, n + 1]

    def _write_names(self, keys: Sequence[int]) -> None:
        """Each frequency right of its band, as far as there is room."""
        end = int(np.searchsorted(self.data["epoch"].values, self.end or 0, side="right")) - 1
        em, taken = style().pixels(self.axes, style().small), -np.inf
        for n, k in enumerate(keys):
            y = float(self.edges[end, n : n + 2].mean())
            at = float(self.axes.transData.transform((0, y))[1])
            if at - taken < em:
                continue
            taken = at
            name = f"frequency {k}" if k == keys[0] else str(k)
            style().note(
                self.axes, name, (1, y), (0.5, 0), va="center", fontweight="bold",
                color=frequencies.ink(k, self.data), xycoords=self.axes.get_yaxis_transform(),
            )  # fmt: skip


def _bands(axes: Axes, data: xr.Dataset) -> _Bands:
    total = panels.at_checkpoints(data, _edges(data)[:, -1])
    return _Bands(
        axes, data, {"_sum": total}, ylabel="share of the\nembedding (%)", ylim=(0, 100),
        yticks=(0, 50, 100), phases="none",
    )  # fmt: skip


def _shares(data: xr.Dataset) -> Float[np.ndarray, "epoch frequency"]:
    """Share of each wave in the summed squares of the embedding's; 0 of one that is no number."""
    squares = np.square(data["embedding_frequency_norm"].values.astype(float))
    squares = np.where(np.isfinite(squares), squares, 0.0)
    shares: np.ndarray = squares / np.maximum(squares.sum(axis=1, keepdims=True), 1e-30)
    return shares


def _edges(data: xr.Dataset) -> Float[np.ndarray, "epoch edge"]:
    """The lower edge of each key wave's band in per cent, and the upper one of the last."""
    columns = np.array(frequencies.key_frequencies(data), dtype=int) - 1
    stacked = np.cumsum(100 * _shares(data)[:, columns], axis=1)
    edges: np.ndarray = np.concatenate([np.zeros((len(stacked), 1)), stacked], axis=1)
    return edges


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
    """The test loss in its colour, and the restricted loss in ink."""
    restricted = data["restricted_loss"].sel(split="all").values
    return {
        TEST: panels.losses(data)["test"],
        ALONE: panels.at_checkpoints(data, restricted),
    }
