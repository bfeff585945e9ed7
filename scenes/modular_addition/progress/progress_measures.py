"""The paper's figure 7: four measures that see the algorithm grow while the test loss is high."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

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

HALVED = 0.5
"""The share of its height at which the test loss has halved."""

AHEAD = 0.4
"""So much more accurate the key waves alone are than the network on test pairs, when it groks."""

SHORT = {
    "Gini coefficient": "sparsity\n(Gini)", "sum of squares": "sum of\nsquares",
    "test / restricted": "ratio",
}  # fmt: skip
"""Names of panels that are low."""

EXCLUDED, RESTRICTED = "excluded:\nthe rest", "restricted:\nkey waves"
"""Names of two losses that say which waves are left in the logits."""

OUTPUT = "neuron-\nlogit map"
"""The name of $W_L$ at the end of its curve."""

ON_LINES = {EXCLUDED: "excluded", RESTRICTED: "restricted"}
"""Names of the two on their curves, where there is room for a word; the subtitle explains them."""

DASHED = {OUTPUT, "excluded", EXCLUDED}
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
    title = "While the test loss is still high, the generalising circuit grows"
    watch = "restricted: the loss with only the key waves kept"
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
    aspects = {"show": {"accuracies": (2.3, 0.8), "cosines": (2.2, 1.05)}}  # noqa: RUF012
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
        "gini", "third panel: Gini coefficients, or test loss over restricted loss"
    )
    layout: Literal["together", "paper"] = option(
        "together", "all losses in one large panel, or the paper's four panels of one size"
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
            own = _of_losses(turn, len(frequencies.key_frequencies(data)))
            return dataclasses.replace(own, watch=self._watch(own.watch))
        last = int(np.searchsorted(data["epoch"].values, turn.epochs[1]))
        return _of_accuracies(data, last) if self.show == "accuracies" else _of_cosines(data)

    def _watch(self, words: str) -> str:
        """What there is to see, with the published curves where they are drawn."""
        return published.watch(words) if self._behind else words

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The panels, each with the phases shaded, which the first names."""
        from matplotlib.ticker import MaxNLocator, StrMethodFormatter

        plots = self._plots(data)
        on_lines = self._on_lines(figure, data)
        rooms = self._rooms(figure, len(plots), 1.6 if on_lines else 7.2)
        kind = _NamedOnLines if on_lines else panels.CurvePanel
        narrow = style().narrow(figure)
        low = len(plots) > 2 and narrow
        drawn, phases = [], _neurons.phases(figure)
        for i, (axes, plot) in enumerate(zip(rooms, plots, strict=True)):
            percent = plot.label.endswith("(%)")
            drawn.append(kind(
                axes, data, plot.curves, log=plot.log,
                ylabel=self._label(plot, low=low, strip=self._merged and bool(i)),
                ylim=(-4, 104) if percent else None, yticks=(0, 50, 100) if percent else None,
                phases="shaded" if phases == "named" and i else phases,
            ))  # fmt: skip
            for name in DASHED & drawn[-1].traces.keys():
                drawn[-1].traces[name].dash()
            if EXCLUDED in drawn[-1].traces:
                # what the title compares is bold, and this is not
                for line in drawn[-1].traces[EXCLUDED].lines:
                    line.set_linewidth(0.6 * line.get_linewidth())
            if self._merged and i and not plot.log:
                axes.yaxis.set_major_locator(MaxNLocator(2))
            if not plot.log:
                axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        last = 1 if self._merged or narrow or len(plots) == 1 else 2
        panels.without_time(*rooms[: len(plots) - last])
        parts = [panel.along(data["epoch"]) for panel in drawn]
        if self._merged:
            marks = [_numbers(data), _sparsity(data, beside=narrow) if self.third == "gini" else []]
            parts += [
                _marks.draw(axes, these, data["epoch"])
                for axes, these in zip(rooms, marks, strict=True)
            ]
            parts.append(_falls(rooms[0], data))
        return Drawing.of(*parts)

    def _label(self, plot: Plot, *, low: bool, strip: bool) -> str:
        """What stands beside a panel; nothing beside a strip, whose curve says what it is."""
        if strip:
            return ""
        return SHORT.get(plot.label, plot.label) if low else plot.label

    @property
    def _merged(self) -> bool:
        """Whether all losses are in one panel."""
        return self.show == "losses" and self.layout == "together"

    def _on_lines(self, figure: FigureBase, data: xr.Dataset) -> bool:
        """Whether names stand on the curves: in a wide still of a run that groks."""
        still = style().ghost and style().labels is None and not style().narrow(figure)
        return self._merged and still and _turn(data) is not None

    def _rooms(self, figure: FigureBase, count: int, right: float) -> list[Axes]:
        """Axes for so many panels: a large one above a low one, or all of one size."""
        narrow = style().narrow(figure)
        if self._merged:
            heights, gap = ((5, 1), 1.5) if narrow else ((6.4, 1), 1.0)
            return style().stack(figure, heights, left=4.9, right=right, vgap=gap)
        columns = 1 if narrow or count == 1 else 2
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
            )
            words.append(f"{plot.label}: {values}".replace("\n", " ").replace("$", ""))
        at = clocks.at(data, "epoch", i)
        count = "A panel" if len(words) == 1 else f"{len(words)} panels"
        return f"{count} over epochs, marked at {at}. {'; '.join(words)}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        texts = {
            "losses": "Excluded loss: on the training pairs, without cos and sin of $w_k(a+b)$ at "
            "the key frequencies, fitted on all pairs, test pairs included. Restricted loss: on "
            "all pairs, with these alone. "
            + ("Gini coefficient of the Fourier components' norms in "
               f"{'$W_E$' if self._merged else '$W_E$ and $W_L$'}. "
               if self.third == "gini" else "Test loss over restricted loss. ")
            + ("" if self._merged else "Sum of squares of all weights.")
            + (published.DEFINITION if self.published else ""),
            "accuracies": "Accuracy on the training pairs without cos and sin of $w_k(a+b)$ at the "
            "key frequencies (excluded), and on all pairs with these alone (restricted).",
            "cosines": "Height of $\\cos w_k(a+b-c)$ in the logits for each key frequency.",
        }  # fmt: skip
        return f"{texts[self.show]} {after('section 5.2')}"

    def _plots(self, data: xr.Dataset) -> list[Plot]:
        if self.show == "losses":
            return self._losses(data)
        return _accuracies(data) if self.show == "accuracies" else _cosines(data)

    def _losses(self, data: xr.Dataset) -> list[Plot]:
        curve, muted = partial(panels.at_checkpoints, data), style().colours.muted
        excluded, whole = data["excluded_loss_2d"].values, panels.splits(data, "loss")
        restricted = data["restricted_loss"].sel(split="all").values
        behind = _published(data) if self.published else {}
        if self.layout == "together":
            losses = {**whole, EXCLUDED: curve(excluded, muted), RESTRICTED: curve(restricted)}
            losses |= {f"_{name}": one for name, one in behind.items()}
            return [Plot("loss (nats)", losses, log=True), self._others(data)[0]]
        pair = [{**whole, "excluded": curve(excluded)}, {**whole, "restricted": curve(restricted)}]
        for curves in pair:
            curves |= {f"_{name}": behind[name] for name in [*curves] if name in behind}
        return [*(Plot("loss", curves, log=True) for curves in pair), *self._others(data)]

    def _others(self, data: xr.Dataset) -> list[Plot]:
        """The panels below: the sparsity or a ratio, and the size of the weights."""
        curve, strips = partial(panels.at_checkpoints, data), self.layout == "together"
        squares = curve(data["sum_squared_weights"].sum("parameter").values)
        weights = Plot("sum of squares", {"all\nweights": squares})
        if self.third == "ratio":
            name = "test /\nrestricted" if strips else "ratio"
            return [Plot("test / restricted", {name: _ratio(data)}, log=True), weights]
        gini = curve(data["gini_embedding"].values)
        if strips:
            return [Plot("Gini coefficient", {"sparsity of\nembedding": gini}), weights]
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


def _numbers(data: xr.Dataset) -> list[_marks.Mark]:
    """Dots on the two curves that the title compares, with what they are before they fall."""
    turn, colours = _turn(data), style().colours
    if turn is None:
        return []
    (x, end), test, alone = map(float, turn.epochs), turn.test, turn.alone
    return [
        _marks.Mark(x, float(test[0]), f"{test[0]:.2g}", colours.test, "center", 0.8),
        _marks.Mark(end, float(test[1]), "", colours.test),
        _marks.Mark(x, float(alone[0]), f"{alone[0]:.2g}", colours.ink, "center", -0.9),
        _marks.Mark(end, float(alone[1]), "", colours.ink),
    ]


class _NamedOnLines(panels.CurvePanel):
    """Curves named where they are bold: over circuit formation, or anywhere without that."""

    def set_limits(self) -> None:
        """Of losses, no more room than the names need: what falls is to look as if it did."""
        super().set_limits()
        above = [curve.y[np.isfinite(curve.y) & (curve.y > 0)] for curve in self.curves.values()]
        if not self.log or not above:
            return
        low, high = np.log10([min(y.min() for y in above), max(y.max() for y in above)])
        # a strip is not much higher than a name
        em = min(style().pixels(self.axes, style().small) / self.axes.bbox.height, 0.2)
        room = max(high - low, 0.5) / (1 - 2.9 * em)
        self.axes.set_ylim(10 ** (low - 0.7 * em * room), 10 ** (high + 2.2 * em * room))

    def name_curves(self, end: float) -> panels.Names:
        """Names over circuit formation, clear of other curves and of numbers."""
        return _BoldNames(self, end)


class _BoldNames:
    """Names on curves from the end of memorisation on, where stills draw them strongly.

    That is up to where the run groks, or all of it where the axis shows all of it.
    """

    def __init__(self, panel: _NamedOnLines, end: float) -> None:
        self.panel, self.end, self.texts = panel, end, list[Any]()

    @property
    def moving(self) -> list[Any]:
        """The names that there are."""
        return self.texts

    def update(self, moment: float) -> None:
        """Place them anew on an axis that ends at ``moment``."""
        for text in self.texts:
            text.remove()
        axes, turn = self.panel.axes, _turn(self.panel.data)
        begin, last = (0.0, moment) if turn is None else map(float, turn.epochs)
        last = moment if moment > self.end else last
        # apart from the number at the first moment
        edges, limits = (begin + 0.08 * (last - begin), last), axes.get_ylim()
        curves = {
            ON_LINES.get(name, name.replace("\n", " ")): curve.where(
                (curve.x >= edges[0]) & (curve.x <= last)
            )
            for name, curve in self.panel.curves.items()
        }
        named = {name: curve for name, curve in curves.items() if not name.startswith("_")}
        walls = [panels.Curve.of([x, x], limits, style().colours.ink) for x in edges]
        losses = "test" in self.panel.curves
        marks = _numbers(self.panel.data) if losses else _sparsity(self.panel.data)
        names = _marks.OnCurves(axes, named, [*curves.values(), *walls], marks)
        middle = dict.fromkeys(names.others, (begin + last) / 2)
        others = panels.LineNames(axes, named, middle)
        others.update(moment)
        self.texts = [*names.moving, *others.moving]


def _falls(axes: Axes, data: xr.Dataset) -> Drawing:
    """How far the two curves fall until the run groks: shaded, and a bracket with words."""
    from matplotlib.transforms import offset_copy

    turn, colours, small = _turn(data), style().colours, style().small
    if turn is None:
        return Drawing()
    begin, end = map(float, turn.epochs)
    aside = offset_copy(axes.transData, fig=axes.figure, x=0.55 * small, units="points")
    parts: list[Any] = []
    narrow = style().narrow(axes.figure)
    for (first, last), colour in ((turn.test, colours.test), (turn.alone, colours.ink)):
        if not first > 0 or not last > 0:
            continue
        look: dict[str, Any] = {"color": colour, "zorder": 6}
        parts += axes.plot(
            [begin, end], [first, first], lw=0.35 * style().line, ls=(0, (2, 3)), **look
        )
        parts += axes.plot(
            [end, end], [first, last], "_-", lw=1.1 * style().line, ms=0.55 * small,
            mew=1.1 * style().line, transform=aside, **look,
        )  # fmt: skip
        middle = float(np.sqrt(first * last))
        words = _fall(float(first), float(last), short=narrow)
        text = style().label(axes, end, middle, words, lift=0.01, ha="left", va="center", **look)
        text.set_position((1.1 * small, 0))
        parts.append(text)
    epochs = data["epoch"].values

    def update(i: int) -> None:
        for part in parts:
            part.set_visible(style().ghost or bool(epochs[i] >= end))

    return Drawing(parts, update)


def _fall(first: float, last: float, *, short: bool) -> str:
    """How many times smaller or larger, and what it becomes where there is room for that."""
    if _halves(first, last):
        words = "halves"
    else:
        way, times = ("falls", first / last) if last < first else ("rises", last / first)
        words = f"{way} {float(f'{times:.2g}'):,g}-fold"
    return words if short else f"{words} to {last:.2g}"


def _halves(first: float, last: float) -> bool:
    """Whether about half is left."""
    return first > 0 and abs(last / first - HALVED) < 0.05


def _sparsity(data: xr.Dataset, *, beside: bool = False) -> list[_marks.Mark]:
    """How sparse the embedding is at the title's two moments, on its curve.

    With ``beside`` the second number stands beside its dot, where a steep curve leaves no room
    above.
    """
    turn, ink = _turn(data), style().colours.ink
    if turn is None:
        return []
    (x, end), (low, high) = map(np.ndarray.tolist, (turn.epochs, turn.gini))
    return [
        _marks.Mark(x, low, f"{low:.2f}", ink, "center", 0.9),
        _marks.Mark(end, high, f"{high:.2f}", ink, lift=-0.4 if beside else 0.8),
    ]


def _of_losses(turn: _Turn, waves: int) -> Claim:
    """How far test and restricted loss fall from the end of memorisation until it groks.

    ``waves`` is the number of key frequencies.
    """
    test, alone = turn.test, turn.alone
    ratios = [float(b / a) if a > 0 else float("nan") for a, b in (test, alone)]
    numbers = dict(zip(("test", "restricted"), ratios, strict=True))
    if not numbers["restricted"] * FASTER <= numbers["test"]:
        sentence = (
            f"While test loss goes from {test[0]:.2g} to {test[1]:.2g}, "
            f"restricted loss goes from {alone[0]:.2g} to {alone[1]:.2g}"
        )
        return Claim.instead(sentence, **numbers)
    fall = float(f"{1 / max(numbers['restricted'], 1e-9):.2g}")
    halves = _halves(float(test[0]), float(test[1]))
    change = "halves" if halves else f"goes from {test[0]:.2g} to {test[1]:.2g}"
    sentence = f"While the test loss only {change}, the restricted loss falls {fall:,.0f}-fold"
    if not halves:
        sentence = sentence.replace(" only", "")
    watch = ProgressMeasures.watch.replace("the key", f"the {waves} key")
    if turn.without[1] > turn.without[0]:
        watch = f"{watch}; excluded: without them, it rises"
    return Claim(sentence, watch, numbers=numbers)


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
