"""The paper's figure 7: four measures that see the algorithm grow while the test loss is high."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from grokviz.scenes.any import _marks
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, published, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


FASTER = 4.0
"""So many times as far as the test loss the restricted loss falls, before that has halved."""

AHEAD = 0.4
"""So much more accurate the key waves alone are than the network on test pairs, when it groks."""

SHORT = {
    "Gini coefficient": "sparsity\n(Gini)", "sum of squares": "sum of\nsquares",
    "test / restricted": "ratio",
}  # fmt: skip
"""Names of panels that are low."""

OUTPUT = "neuron-\nlogit map"
"""The name of $W_L$ at the end of its curve."""

TEST, ALONE, WITHOUT = "test", "key waves alone", "without them"
"""The losses that are drawn together, of which the last two are of the training pairs or all."""

DASHED = {OUTPUT, "excluded"}
"""Curves in one panel with others of their colour, or of another grey."""

PUBLISHED = (published.TRAIN, published.TEST, "published_restricted_loss")
"""What the published figures show; their excluded loss is without all frequencies, and behind that
of the scene excluded-loss with removed=all."""

NAMED = 12
"""So many lines of cosines have room for a name; the others are grey."""


@dataclass(frozen=True)
class ProgressMeasures(Scene):
    """Excluded and restricted loss, Gini coefficients (or a ratio) and the sum of squares."""

    name = "progress-measures"
    panels = ("progress",)
    title = "The loss of the waves alone falls long before the test loss does"
    watch = "Each loss is drawn as a share of its largest value"
    source = "arXiv:2301.05217, figures 6, 7, 10, 11, 13 and 14"
    needs = (
        "excluded_loss_2d", "restricted_loss", "excluded_accuracy_2d", "restricted_accuracy",
        "loss", "accuracy", "gini_embedding", "gini_neuron_logit_map", "sum_squared_weights",
        "cosine_coefficient", "embedding_frequency_norm", "phase_end", "logged_train_loss",
        "logged_test_loss",
    )  # fmt: skip
    aspect = 1.75
    narrow_aspect = 0.72
    stills = ("grok", "last")
    # fewer panels make a flatter page
    aspects = {  # noqa: RUF012
        "layout": {"together": (2.0, 1.05)},
        "published": {True: (1.75, 0.72)},
        "show": {"accuracies": (2.3, 0.8), "cosines": (2.2, 1.05)},
    }
    paper_figures = {  # noqa: RUF012
        "6": {"third": "ratio", "layout": "paper"},
        "7": {"layout": "paper"},
        "10": {"show": "accuracies"},
        "11": {"show": "cosines"},
        "13": {"show": "accuracies"},
        "14": {"show": "cosines"},
    }

    show: Literal["losses", "accuracies", "cosines"] = option(
        "losses", "the four panels, the accuracies, or the logits' key cosines"
    )
    published: bool = option(False, published.HELP)
    third: Literal["gini", "ratio"] = option(
        "gini", "beside the losses: Gini coefficients, or test loss over restricted loss"
    )
    others: bool = option(
        False, "the loss without the key waves too, and the embedding's Gini coefficient"
    )
    layout: Literal["together", "paper"] = option(
        "together",
        "the losses in one panel, each as a share of its largest, or the paper's four panels",
    )

    def variables(self) -> tuple[str, ...]:
        """With the published losses, where they are drawn."""
        return (*self.needs, *PUBLISHED) if self._behind else self.needs

    @property
    def _behind(self) -> bool:
        """Whether there are published curves to draw: the figures show losses alone."""
        return self.published and self.show == "losses"

    def claim(self, data: xr.Dataset) -> Claim:
        """What the measures shown say of the network by the time it groks."""
        turn = _turn(data)
        if turn is None:
            return Claim.instead(outcome(data).sentence, self._watch(""))
        if self.show == "losses":
            left = _left(data, turn) if self._merged else None
            own = _of_losses(turn, len(frequencies.key_frequencies(data)), left)
            return dataclasses.replace(own, watch=self._watch(own.watch))
        last = int(np.searchsorted(data["epoch"].values, turn.epochs[1]))
        return _of_accuracies(data, last) if self.show == "accuracies" else _of_cosines(data)

    def _watch(self, words: str) -> str:
        """What there is to see, with the published curves where they are drawn."""
        return published.watch(words) if self._behind else words

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The losses in one panel, or panels each with the phases shaded, which the first names."""
        if self._merged:
            return _together(figure, data, self._thirds())
        from matplotlib.ticker import StrMethodFormatter

        plots = self._plots(data)
        rooms = self._rooms(figure, len(plots))
        narrow = style().narrow(figure)
        low = len(plots) > 2 and narrow
        drawn, phases = [], _neurons.phases(figure)
        for i, (axes, plot) in enumerate(zip(rooms, plots, strict=True)):
            percent = plot.label.endswith("(%)")
            drawn.append(panels.CurvePanel(
                axes, data, plot.curves, log=plot.log,
                ylabel=SHORT.get(plot.label, plot.label) if low else plot.label,
                ylim=(-4, 104) if percent else None, yticks=(0, 50, 100) if percent else None,
                phases="shaded" if phases == "named" and i else phases,
            ))  # fmt: skip
            for name in DASHED & drawn[-1].traces.keys():
                drawn[-1].traces[name].dash()
            if not plot.log:
                axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        last = 1 if narrow or len(plots) == 1 else 2
        panels.without_time(*rooms[: len(plots) - last])
        return Drawing.of(*(panel.along(data["epoch"]) for panel in drawn))

    @property
    def _merged(self) -> bool:
        """Whether all losses are in one panel; published ones are behind ours in nats."""
        return self.show == "losses" and self.layout == "together" and not self.published

    def _thirds(self) -> tuple[str, ...]:
        """The curves that are drawn together besides the two that the sentence compares."""
        own = THIRDS[self.third]
        return (own, WITHOUT) if self.others else () if self.third == "gini" else (own,)

    def _rooms(self, figure: FigureBase, count: int) -> list[Axes]:
        """Axes of one size for so many panels."""
        columns = 1 if style().narrow(figure) or count == 1 else 2
        grid = style().panels(
            figure, (1,) * columns, (1,) * math.ceil(count / columns), left=5.0, right=7.0,
            gap=11.8, vgap=1.5,
        )  # fmt: skip
        return [axes for row in grid for axes in row][:count]

    def description(self, data: xr.Dataset, i: int) -> str:
        """Each panel's numbers at that moment."""
        words = []
        for plot in self._plots(data):
            values = ", ".join(
                f"{name.lstrip('_').partition(':')[0]} {curve.y[i]:.3g}"
                for name, curve in plot.curves.items()
                # published curves behind ours have a clock of their own
                if not (self._behind and name.startswith("_"))
            )
            words.append(f"{plot.label}: {values}".replace("\n", " ").replace("$", ""))
        at = clocks.at(data, "epoch", i)
        if self._merged:
            shares = ", ".join(
                f"{name} {curve.y[i]:.0f}%" for name, curve in _shares(data, self._thirds()).items()
            )
            return (
                f"Losses over epochs, marked at {at}, each in per cent of its largest: "
                f"{shares}. {'; '.join(words)}."
            )
        count = "A panel" if len(words) == 1 else f"{len(words)} panels"
        return f"{count} over epochs, marked at {at}. {'; '.join(words)}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        texts = {
            "losses": (
                "Losses, each as a share of its largest along the training: on the test pairs; "
                f"{ALONE}: restricted loss{'; without them: excluded' if self.others else ''}. "
                if self._merged else ""
            )
            + ("Excluded loss: on the training pairs, without cos and sin of $w_k(a+b)$ at "
               "the key frequencies, fitted on all pairs, test pairs included. Restricted loss: on "
               "all pairs, with these alone. " if self.others or not self._merged else
               "Restricted loss: on all pairs, with cos and sin of $w_k(a+b)$ alone at the key "
               "frequencies, fitted on all pairs, test pairs included. ")
            + (self._third_defined() if self._thirds() or not self._merged else "")
            + ("" if self._merged else "Sum of squares of all weights.")
            + (published.DEFINITION if self.published else ""),
            "accuracies": "Accuracy on the training pairs without cos and sin of $w_k(a+b)$ at the "
            "key frequencies (excluded), and on all pairs with these alone (restricted).",
            "cosines": "Height of $\\cos w_k(a+b-c)$ in the logits for each key frequency.",
        }  # fmt: skip
        return f"{texts[self.show]} {after('section 5.2')}"

    def _third_defined(self) -> str:
        """What the measure beside the losses is."""
        if self.third == "ratio":
            return "Test loss over restricted loss. "
        where = "$W_E$" if self._merged else "$W_E$ and $W_L$"
        return f"Gini coefficient of the Fourier components' norms in {where}. "

    def _plots(self, data: xr.Dataset) -> list[Plot]:
        if self.show == "losses":
            return self._losses(data)
        return _accuracies(data) if self.show == "accuracies" else _cosines(data)

    def _losses(self, data: xr.Dataset) -> list[Plot]:
        curve = partial(panels.at_checkpoints, data)
        excluded, whole = data["excluded_loss_2d"].values, panels.splits(data, "loss")
        restricted = data["restricted_loss"].sel(split="all").values
        behind = _published(data) if self.published else {}
        pair = [{**whole, "excluded": curve(excluded)}, {**whole, "restricted": curve(restricted)}]
        for curves in pair:
            curves |= {f"_{name}": behind[name] for name in [*curves] if name in behind}
        return [*(Plot("loss", curves, log=True) for curves in pair), *self._others(data)]

    def _others(self, data: xr.Dataset) -> list[Plot]:
        """The panels below: the sparsity or a ratio, and the size of the weights."""
        curve = partial(panels.at_checkpoints, data)
        squares = curve(data["sum_squared_weights"].sum("parameter").values)
        weights = Plot("sum of squares", {"all\nweights": squares})
        if self.third == "ratio":
            return [Plot("test / restricted", {"ratio": _ratio(data)}, log=True), weights]
        gini = curve(data["gini_embedding"].values)
        output = curve(data["gini_neuron_logit_map"].values, style().colours.muted)
        return [Plot("Gini coefficient", {"embedding": gini, OUTPUT: output}), weights]


def _ratio(data: xr.Dataset) -> panels.Curve:
    """Test loss over restricted loss, where both are known."""
    test = data["loss"].sel(split="test").values
    restricted = data["restricted_loss"].sel(split="all").values
    known = np.isfinite(test) & np.isfinite(restricted) & (restricted > 0)
    nothing = np.full(len(restricted), np.nan)
    ratio = np.divide(test, restricted, out=nothing, where=known)
    return panels.at_checkpoints(data, ratio)


def _published(data: xr.Dataset) -> dict[str, panels.Curve]:
    """The published losses, in the colours of ours."""
    colours = style().colours
    tints = {"train": colours.train, "test": colours.test, "restricted": colours.ink}
    return {
        name: published.curve(data, f"published_{name}_loss", tint) for name, tint in tints.items()
    }


@dataclass(frozen=True)
class Plot:
    """What one panel shows."""

    label: str
    curves: dict[str, panels.Curve]
    log: bool = False


class _Turn(NamedTuple):
    """Two moments, and the losses and the embedding's Gini coefficient at both."""

    epochs: np.ndarray
    test: np.ndarray
    alone: np.ndarray
    without: np.ndarray
    gini: np.ndarray


def _turn(data: xr.Dataset) -> _Turn | None:
    """The end of memorisation and when it groks, of a run that did; None of any other."""
    ends = clocks.phase_ends(data)
    if outcome(data).delay is None or ends is None:
        return None
    epochs = data["epoch"].values
    at = [int(np.abs(epochs - end).argmin()) for end in ends[:2]]
    if at[0] == at[1] or abs(epochs[at[1]] - ends[1]) > _claims.NEAR * ends[1]:
        return None
    test = data["loss"].sel(split="test").values[at]
    return _Turn(
        epochs[at],
        test,
        data["restricted_loss"].sel(split="all").values[at],
        data["excluded_loss_2d"].values[at],
        data["gini_embedding"].values[at],
    )


THIRDS = {"gini": "sparsity of the embedding", "ratio": "test / key waves alone"}
"""The name of the fourth curve, by what it shows."""


TOP = 115
"""The largest share and room above it for names, in per cent."""

BROKEN = {
    ALONE: "key waves\nalone", THIRDS["gini"]: "sparsity of\nembedding",
    THIRDS["ratio"]: "test / key\nwaves alone",
}  # fmt: skip
"""Names in two lines, where they stand beside the axes."""

PLACES = {TEST: 0.16, ALONE: 0.16}
"""Where on the axis the names of the two curves stand that the sentence compares."""


def _shares(data: xr.Dataset, thirds: tuple[str, ...]) -> dict[str, panels.Curve]:
    """Two losses and the measures named, each in per cent of its largest along the training."""
    colours, test = style().colours, data["loss"].sel(split="test").values
    measures = {
        THIRDS["gini"]: (data["gini_embedding"].values, colours.faint),
        THIRDS["ratio"]: (_ratio(data).y, colours.faint),
        WITHOUT: (data["excluded_loss_2d"].values, colours.muted),
        TEST: (test, colours.test),
        ALONE: (data["restricted_loss"].sel(split="all").values, colours.ink),
    }  # fmt: skip
    curves = {}
    for name in (*thirds, TEST, ALONE):
        values, colour = measures[name]
        finite = np.where(np.isfinite(values), values, np.nan).astype(float)
        top = float(np.nanmax(finite)) if np.isfinite(finite).any() else np.nan
        curves[name] = panels.at_checkpoints(data, 100 * finite / max(top, 1e-30), colour)
    return curves


def _left(data: xr.Dataset, turn: _Turn) -> dict[str, float]:
    """How much of the largest of each loss is left when it groks, in per cent."""
    at = float(turn.epochs[1])
    curves = _shares(data, ())
    return {name: float(np.interp(at, curve.x, curve.y)) for name, curve in curves.items()}


def _together(figure: FigureBase, data: xr.Dataset, thirds: tuple[str, ...]) -> Drawing:
    """The losses on one axis, and how much of two is left where the test loss has halved."""
    narrow, turn = style().narrow(figure), _turn(data)
    # in films names stand beside the axes, as far as the curves have come
    right = 1.4 if style().ghost and not narrow else 7.0
    axes = style().panels(figure, left=5.0, right=right, top=1.6)[0][0]
    curves = _shares(data, thirds)
    nats = {TEST: data["loss"].sel(split="test"), ALONE: data["restricted_loss"].sel(split="all")}
    panel = _SharePanel(
        axes, data, curves, ylabel="share of its largest (%)", ylim=(0, TOP),
        yticks=(0, 50, 100), phases="none",
    )  # fmt: skip
    for name, trace in panel.traces.items():
        thick = name in (TEST, ALONE)
        for line in trace.lines:
            line.set_linewidth((1.5 if thick else 0.7) * style().line)
    parts = [panel.along(data["epoch"]), _neurons.halves(axes, data, level=1)]
    if turn is not None:
        at = float(turn.epochs[1])
        marks = []
        for name in (TEST, ALONE):
            share = float(np.interp(at, curves[name].x, curves[name].y))
            colour = curves[name].colour
            loss = float(np.interp(at, data["epoch"].values, nats[name].values))
            words = f"{share:.0f}%" if narrow else f"{share:.0f}%: {loss:.2g} nats"
            mark = _marks.Mark(at, share, words, colour, "left", 0.9)
            if name == ALONE and not narrow:
                # at its left, below the curve: at its right the test loss comes down
                mark = mark._replace(ha="right", lift=-0.1, beside=-2.0)
            marks.append(mark)
        parts.append(_marks.draw(axes, marks, data["epoch"]))
    return Drawing.of(*parts)


class _SharePanel(panels.CurvePanel):
    """Shares of the largest value, named at their ends or, in a column, on the curves."""

    def name_curves(self, end: float) -> panels.Names:
        """Names on the curves where all of them is drawn, else beside the axes."""
        if not style().ghost or style().narrow(self.axes.figure):
            lines = {BROKEN.get(name, name): curve for name, curve in self.curves.items()}
            return panels.EndNames(self.axes, lines)
        names = dict.fromkeys(self.curves, 0.72 * end)
        names |= {name: PLACES[name] * end for name in PLACES if name in names}
        return panels.LineNames(self.axes, self.curves, names, above=names, ha="left")


def _of_losses(turn: _Turn, waves: int, left: Mapping[str, float] | None) -> Claim:
    """How far test and restricted loss fall from the end of memorisation until it groks.

    ``waves`` is the number of key frequencies; ``left`` is how much of the largest of each is left
    when it groks, in per cent, where both are in one panel.
    """
    test, alone = turn.test, turn.alone
    ratios = [float(b / a) if a > 0 else float("nan") for a, b in (test, alone)]
    numbers = dict(zip(("test", "restricted"), ratios, strict=True))
    if not numbers["restricted"] * FASTER <= numbers["test"]:
        sentence = (
            f"While the test loss goes from {test[0]:.2g} to {test[1]:.2g}, "
            f"with the waves alone it goes from {alone[0]:.2g} to {alone[1]:.2g}"
        )
        return Claim.instead(sentence, **numbers)
    condition = f"with only the {_claims.waves(waves).replace('wave', 'key wave')} kept"
    if left is None:
        watch = f"Restricted is the loss {condition}, excluded that without them"
        return Claim(ProgressMeasures.title, watch, numbers=numbers)
    watch = (
        f"The loss {condition} is down to {left[ALONE]:.0f}% of its highest "
        f"while the test loss is at {left[TEST]:.0f}%"
    )
    return Claim(ProgressMeasures.title, watch, numbers=numbers)


def _of_accuracies(data: xr.Dataset, last: int) -> Claim:
    """How accurate the key waves alone are when the run groks."""
    test = float(data["accuracy"].sel(split="test").values[last])
    alone = float(data["restricted_accuracy"].sel(split="all").values[last])
    words = f"{test:.0%}, the key waves alone reach {alone:.0%}"
    numbers = {"test": test, "restricted": alone}
    if not alone - test >= AHEAD:
        return Claim.instead(f"At test accuracy {words}", **numbers)
    watch = "restricted accuracy rises, and excluded falls, before test accuracy rises"
    return Claim(f"At test accuracy {words}", watch, numbers=numbers)


def _of_cosines(data: xr.Dataset) -> Claim:
    """How high the cosines of the key frequencies stand in the logits at the end."""
    heights: Mapping[str, panels.Curve] = _cosines(data)[0].curves
    ends = [(float(curve.y[0]), float(curve.y[-1])) for curve in heights.values()] or [(0.0, 0.0)]
    last = [end for _, end in ends]
    low, high = f"{min(last):.2g}", f"{max(last):.2g}"
    if not (min(last) >= 1 and all(end >= 2 * start for start, end in ends)):
        return Claim.instead(f"{len(heights)} key cosines end at {low} to {high}", least=min(last))
    sentence = f"In the logits {len(heights)} cosines grow to heights of {low} to {high}"
    return Claim(sentence, numbers={"least": min(last)})


def _accuracies(data: xr.Dataset) -> list[Plot]:
    whole, curve = panels.splits(data, "accuracy", 100), partial(panels.at_checkpoints, data)
    excluded = curve(100 * data["excluded_accuracy_2d"].values)
    restricted = curve(100 * data["restricted_accuracy"].sel(split="all").values)
    return [
        Plot("accuracy (%)", {**whole, "excluded": excluded}),
        Plot("accuracy (%)", {**whole, "restricted": restricted}),
    ]


def _cosines(data: xr.Dataset) -> list[Plot]:
    p = 2 * data.sizes["frequency"] + 1
    named = _neurons.named_keys(data, NAMED)
    curves = {
        (str(k) if k in named else f"_{k}"): panels.at_checkpoints(
            data, data["cosine_coefficient"].sel(frequency=k).values * (2 / p**3) ** 0.5,
            frequencies.colour(k, data) if k in named else style().colours.faint,
        )
        for k in frequencies.key_frequencies(data)
    }  # fmt: skip
    return [Plot("cos w(a + b \u2212 c) in logits", curves)]
