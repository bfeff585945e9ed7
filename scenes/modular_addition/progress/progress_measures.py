"""The paper's figure 7: four measures that see the algorithm grow while the test loss is high."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from grokviz.scenes.modular_addition.progress import _ahead, _all_waves
from grokviz.scenes.modular_addition.progress.circuit_development import RIGHT

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, published, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome
from grokviz.scene.spoken import percent

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

TEST, ALONE, WITHOUT, NO_WAVES = "test", "key waves alone", "without them", "without all waves"
"""The losses that are drawn together, of which only the first is of the test pairs."""

EXCLUDED = {"key": "excluded", "all": "excluded,\nall waves"}
"""The name of the excluded measures, by the waves that are taken out."""

DASHED = {OUTPUT, *EXCLUDED.values()}
"""Curves in one panel with others of their colour, or of another grey."""

PUBLISHED = (published.TRAIN, published.TEST, "published_restricted_loss")
"""What the published figures show; their excluded loss is without all waves, and behind ours where
that is drawn."""

NAMED = 12
"""So many lines of cosines have room for a name; the others are grey."""


@dataclass(frozen=True)
class ProgressMeasures(Scene):
    """Excluded and restricted loss, Gini coefficients (or a ratio) and the sum of squares."""

    name = "progress-measures"
    panels = ("progress",)
    title = "The loss of the waves alone falls long before the test loss does"
    watch = "Loss of the whole network, and with only the waves kept that it ends up using"
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
        "the losses in one panel (with other measures as shares of their largest), or the paper's "
        "four panels",
    )
    removed: Literal["key", "all"] = option(
        "key", "what excluded measures are without: the key waves, or all waves of a + b"
    )

    def __post_init__(self) -> None:
        if self.removed == "all" and self.show == "cosines":
            raise ValueError("removed=all is of excluded measures; leave it out with show=cosines")

    def variables(self) -> tuple[str, ...]:
        """With those without all waves and the published losses, where they are drawn."""
        own = [_all_waves.variables(m)[1] for m in ("loss", "accuracy") if self.removed == "all"]
        theirs = PUBLISHED if self._behind else ()
        both = (_all_waves.PUBLISHED,) if own and theirs else ()
        return (*self.needs, *own, *theirs, *both)

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
            own = _of_losses(turn, data, _ahead.lead(data) if self._nats else None)
            return dataclasses.replace(own, watch=self._watch(own.watch))
        last = int(np.searchsorted(data["epoch"].values, turn.epochs[1]))
        if self.show == "cosines":
            return _of_cosines(data)
        own = _of_accuracies(data, last)
        return own if self.removed == "key" else dataclasses.replace(own, watch="")

    def film_span(self, data: xr.Dataset) -> tuple[float, float] | None:
        """Of the two losses alone until soon after both are below :data:`RIGHT`."""
        span = super().film_span(data)
        if not self._nats or span is None:
            return span
        return span[0], _ahead.end(data, span[1])

    def index_of(self, data: xr.Dataset, wanted: str | int | None) -> int:
        """Of no moment asked for: of the two losses alone the last of the film."""
        if wanted is None and self._nats and _ahead.lead(data) is not None:
            return clocks.index_up_to(data, "epoch", _ahead.end(data, panels.horizon(data)))
        return super().index_of(data, wanted)

    def _watch(self, words: str) -> str:
        """What there is to see, with the published curves where they are drawn."""
        if self.removed == "all":
            words = words.replace("excluded that without them", "excluded that without all waves")
        return published.watch(words) if self._behind else words

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The losses in one panel, or panels each with the phases shaded, which the first names."""
        if self._nats:
            return _ahead.draw(figure, data)
        if self._merged:
            return _together(figure, data, self._measured(data, self._shares(data)))
        from matplotlib.ticker import StrMethodFormatter

        plots = self._plots(data)
        rooms = self._rooms(figure, len(plots))
        narrow = style().narrow(figure)
        low = len(plots) > 2 and narrow
        drawn, dotted, phases = [], [], _neurons.phases(figure)
        for i, (axes, plot) in enumerate(zip(rooms, plots, strict=True)):
            percent = plot.label.endswith("(%)")
            drawn.append(panels.CurvePanel(
                axes, data, self._measured(data, plot.curves), log=plot.log,
                ylabel=SHORT.get(plot.label, plot.label) if low else plot.label,
                ylim=(-4, 104) if percent else None, yticks=(0, 50, 100) if percent else None,
                phases="shaded" if phases == "named" and i else phases,
            ))  # fmt: skip
            for name in DASHED & drawn[-1].traces.keys():
                drawn[-1].traces[name].dash()
            if self._is_sparse(data) and EXCLUDED["all"] in plot.curves:
                dotted.append(_all_waves.dots(drawn[-1], EXCLUDED["all"], data))
            if not plot.log:
                axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        last = 1 if narrow or len(plots) == 1 else 2
        panels.without_time(*rooms[: len(plots) - last])
        return Drawing.of(*(panel.along(data["epoch"]) for panel in drawn), *dotted)

    def _excluded(self, data: xr.Dataset, measure: str = "loss") -> np.ndarray:
        """The excluded loss or accuracy that was asked for; NaN where it was not measured."""
        key, every = _all_waves.variables(measure)
        values: np.ndarray = data[every if self.removed == "all" else key].values.astype(float)
        return values

    def _is_sparse(self, data: xr.Dataset) -> bool:
        return self.removed == "all" and _all_waves.is_sparse(self._excluded(data))

    def _measured(
        self, data: xr.Dataset, curves: dict[str, panels.Curve]
    ) -> dict[str, panels.Curve]:
        """The curves, of the measure without all waves the moments that have a number."""
        if not self._is_sparse(data):
            return curves
        names = (EXCLUDED["all"], NO_WAVES)
        return {
            name: curve.where(np.isfinite(curve.y)) if name in names else curve
            for name, curve in curves.items()
        }

    @property
    def _merged(self) -> bool:
        """Whether all losses are in one panel; published ones are behind ours in nats."""
        return self.show == "losses" and self.layout == "together" and not self.published

    @property
    def _nats(self) -> bool:
        """Whether the two losses of the sentence are alone, so that both are in nats."""
        return self._merged and not self._thirds()

    def _thirds(self) -> tuple[str, ...]:
        """The curves that are drawn together besides the two that the sentence compares."""
        own = THIRDS[self.third]
        if self.others:
            return (own, WITHOUT)
        more = (WITHOUT,) if self.removed == "all" else ()
        return more if self.third == "gini" else (own, *more)

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
                f"{name.lstrip('_').partition(':')[0]} {_spoken(curve.y[i])}"
                for name, curve in plot.curves.items()
                # published curves behind ours have a clock of their own
                if not (self._behind and name.startswith("_"))
            )
            words.append(f"{plot.label}: {values}".replace("\n", " ").replace("$", ""))
        at = clocks.at(data, "epoch", i)
        if self._nats:
            lead = _ahead.lead(data)
            begin = f"Losses in nats over epochs, marked at {at}. {'; '.join(words)}."
            level = f" Guessing has a loss of {_ahead.guessing(data):.2f}."
            if lead:
                level += (
                    f" The loss of {_ahead.only(data)} is below {RIGHT:g}, at which the right "
                    f"answer is as likely as not, from {clocks.word(data)} "
                    f"{lead.alone:,.0f} on, that of the whole network from {lead.test:,.0f} on."
                )
            return begin + level
        if self._merged:
            shares = ", ".join(
                f"{name} {_spoken(curve.y[i], '.0f', '%')}"
                for name, curve in self._shares(data).items()
            )
            return (
                f"Losses over epochs, marked at {at}, each in per cent of its largest: "
                f"{shares}. {'; '.join(words)}."
            )
        count = "A panel" if len(words) == 1 else f"{len(words)} panels"
        return f"{count} over epochs, marked at {at}. {'; '.join(words)}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        excluded = f"; {self._without}: excluded" if WITHOUT in self._thirds() else ""
        texts = {
            "losses": (
                f"Losses in nats: of the {_ahead.WHOLE} on the test pairs; {_ahead.only(data)}: "
                "restricted loss. Dotted: the loss of guessing, "
                f"ln {2 * data.sizes['frequency'] + 1}, and that of giving the right answer a "
                f"probability of a half, ln 2. {ARROW if _ahead.lead(data) else ''}"
                if self._nats else
                "Losses, each as a share of its largest along the training: on the test pairs; "
                f"{ALONE}: restricted loss{excluded}. "
                if self._merged else ""
            )
            + (f"Excluded loss: on the training pairs, without cos and sin of $w_k(a+b)$ at "
               f"{self._waves}, fitted on all pairs, test pairs included.{self._dots(data)} "
               f"Restricted loss: on all pairs, with {self._alone} alone. "
               if excluded or not self._merged else
               "Restricted loss: on all pairs, with cos and sin of $w_k(a+b)$ alone at the key "
               "frequencies, fitted on all pairs, test pairs included. ")
            + (self._third_defined() if {*self._thirds()} - {WITHOUT} or not self._merged else "")
            + ("" if self._merged else "Sum of squares of all weights.")
            + (published.definition(data) if self.published else ""),
            "accuracies": "Accuracy on the training pairs without cos and sin of $w_k(a+b)$ at "
            f"{self._waves} (excluded), and on all pairs with {self._alone} alone (restricted), "
            f"fitted on all pairs, test pairs included.{self._dots(data)}",
            "cosines": "Height of $\\cos w_k(a+b-c)$ in the logits for each key frequency.",
        }  # fmt: skip
        return f"{texts[self.show]} {after('section 5.2')}"

    @property
    def _waves(self) -> str:
        """At which frequencies waves are taken out."""
        return "the key frequencies" if self.removed == "key" else "all frequencies"

    @property
    def _alone(self) -> str:
        """Which of them the restricted measures keep."""
        return "these" if self.removed == "key" else "those at the key frequencies"

    @property
    def _without(self) -> str:
        return WITHOUT if self.removed == "key" else NO_WAVES

    def _dots(self, data: xr.Dataset) -> str:
        return _all_waves.DOTS if self._is_sparse(data) else ""

    def _third_defined(self) -> str:
        """What the measure beside the losses is."""
        if self.third == "ratio":
            return "Test loss over restricted loss. "
        where = "$W_E$" if self._merged else "$W_E$ and $W_L$"
        return f"Gini coefficient of the Fourier components' norms in {where}. "

    def _plots(self, data: xr.Dataset) -> list[Plot]:
        if self.show == "losses":
            return self._losses(data)
        if self.show == "cosines":
            return _cosines(data)
        return _accuracies(data, EXCLUDED[self.removed], self._excluded(data, "accuracy"))

    def _shares(self, data: xr.Dataset) -> dict[str, panels.Curve]:
        """The losses that are drawn together, of that without all waves what was measured."""
        curves = _shares(data, self._thirds(), self._excluded(data))
        return {self._without if n == WITHOUT else n: curve for n, curve in curves.items()}

    def _losses(self, data: xr.Dataset) -> list[Plot]:
        curve = partial(panels.at_checkpoints, data)
        excluded, whole = self._excluded(data), panels.splits(data, "loss")
        restricted = data["restricted_loss"].sel(split="all").values
        behind = _published(data) if self.published else {}
        name = EXCLUDED[self.removed]
        pair = [{**whole, name: curve(excluded)}, {**whole, "restricted": curve(restricted)}]
        if behind and self.removed == "all":
            ink = style().colours.ink
            behind[name] = published.curve(data, _all_waves.PUBLISHED, ink)
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


ARROW = "The arrow is from when the waves' loss stays below the latter to when the test loss does. "

TOP = 115
"""The largest share and room above it for names, in per cent."""

BROKEN = {
    ALONE: "key waves\nalone", NO_WAVES: "without\nall waves",
    THIRDS["gini"]: "sparsity of\nembedding", THIRDS["ratio"]: "test / key\nwaves alone",
}  # fmt: skip
"""Names in two lines, where they stand beside the axes."""

PLACES = {TEST: 0.16, ALONE: 0.3}
"""Where on the axis the names of the two curves stand that the sentence compares."""


def _shares(
    data: xr.Dataset, thirds: tuple[str, ...], excluded: np.ndarray
) -> dict[str, panels.Curve]:
    """Two losses and the measures named, each in per cent of its largest along the training."""
    colours, test = style().colours, data["loss"].sel(split="test").values
    measures = {
        THIRDS["gini"]: (data["gini_embedding"].values, colours.faint),
        THIRDS["ratio"]: (_ratio(data).y, colours.faint),
        WITHOUT: (excluded, colours.muted),
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


def _together(figure: FigureBase, data: xr.Dataset, curves: dict[str, panels.Curve]) -> Drawing:
    """Losses and other measures on one axis, each as a share of its largest."""
    narrow = style().narrow(figure)
    # in films names stand beside the axes, as far as the curves have come
    right = 1.4 if style().ghost and not narrow else 7.0
    axes = style().panels(figure, left=5.0, right=right, top=1.6)[0][0]
    panel = _SharePanel(
        axes, data, curves, ylabel="share of its largest (%)", ylim=(0, TOP),
        yticks=(0, 50, 100), phases="none",
    )  # fmt: skip
    for name, trace in panel.traces.items():
        thick = name in (TEST, ALONE)
        for line in trace.lines:
            line.set_linewidth((1.5 if thick else 0.7) * style().line)
    parts = [panel.along(data["epoch"])]
    if NO_WAVES in curves and len(curves[NO_WAVES].x) < data.sizes["epoch"]:
        words = NO_WAVES if panel.names_on_curves else ""
        parts.append(_all_waves.dots(panel, NO_WAVES, data, "%", words))
    return Drawing.of(*parts)


class _SharePanel(panels.CurvePanel):
    """Shares of the largest value, named at their ends or, in a column, on the curves."""

    @property
    def names_on_curves(self) -> bool:
        """Whether names are on the curves, and not beside the axes."""
        return style().ghost and not style().narrow(self.axes.figure)

    def name_curves(self, end: float) -> panels.Names:
        """Names on the curves where all of them is drawn, else beside the axes."""
        if not self.names_on_curves:
            lines = {BROKEN.get(name, name): curve for name, curve in self.curves.items()}
            return panels.EndNames(self.axes, lines)
        every = max(len(curve.x) for curve in self.curves.values())
        # where dots are drawn there is no line for a name
        lines = [name for name, curve in self.curves.items() if len(curve.x) == every]
        names = dict.fromkeys(lines, 0.72 * end)
        names |= {name: PLACES[name] * end for name in PLACES if name in names}
        return panels.LineNames(self.axes, self.curves, names, above=names, ha="left")


def _of_losses(turn: _Turn, data: xr.Dataset, lead: _ahead.Lead | None) -> Claim:
    """How far test and restricted loss fall from the end of memorisation until it groks.

    ``lead`` is from when on both are sooner right than not, where they alone are drawn.
    """
    waves = len(frequencies.key_frequencies(data))
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
    if lead is None:
        watch = f"Restricted is the loss {condition}, excluded that without them"
        return Claim(ProgressMeasures.title, watch, numbers=numbers)
    watch = (
        f"Loss of the whole network on test pairs, and with only the {_claims.waves(waves)} kept "
        "that it ends up using"
    )
    give = "gives" if waves == 1 else "give"
    sentence = f"{_ahead.only(data).capitalize()}{_earlier(lead, give, clocks.word(data))}"
    return Claim(sentence, watch, numbers=numbers | {"lead": lead.test - lead.alone})


def _earlier(lead: _ahead.Lead, give: str, word: str) -> str:
    """By how much the waves alone are earlier, as the end of a sentence."""
    return f" {give} the answers {lead.words} {word}s before the whole network"


def _of_accuracies(data: xr.Dataset, last: int) -> Claim:
    """How accurate the key waves alone are when the run groks."""
    test = float(data["accuracy"].sel(split="test").values[last])
    alone = float(data["restricted_accuracy"].sel(split="all").values[last])
    words = f"{percent(test)}, the key waves alone reach {percent(alone)}"
    numbers = {"test": test, "restricted": alone}
    if not alone - test >= AHEAD:
        return Claim.instead(f"At test accuracy {words}", **numbers)
    watch = "restricted accuracy rises, and excluded falls, before test accuracy rises"
    return Claim(f"At test accuracy {words}", watch, numbers=numbers)


def _of_cosines(data: xr.Dataset) -> Claim:
    """How high the cosines of the key frequencies stand in the logits at the end."""
    heights: dict[str, panels.Curve] = _cosines(data)[0].curves
    ends = [(float(curve.y[0]), float(curve.y[-1])) for curve in heights.values()] or [(0.0, 0.0)]
    last = [end for _, end in ends]
    low, high = f"{min(last):.2g}", f"{max(last):.2g}"
    if not (min(last) >= 1 and all(end >= 2 * start for start, end in ends)):
        return Claim.instead(f"{len(heights)} key cosines end at {low} to {high}", least=min(last))
    sentence = f"In the logits {len(heights)} cosines grow to heights of {low} to {high}"
    return Claim(sentence, numbers={"least": min(last)})


def _spoken(value: float, form: str = ".3g", unit: str = "") -> str:
    """A number in words; of a checkpoint without weights there is none."""
    return f"{value:{form}}{unit}" if np.isfinite(value) else "not measured"


def _accuracies(data: xr.Dataset, name: str, without: np.ndarray) -> list[Plot]:
    whole, curve = panels.splits(data, "accuracy", 100), partial(panels.at_checkpoints, data)
    excluded = curve(100 * without)
    restricted = curve(100 * data["restricted_accuracy"].sel(split="all").values)
    return [
        Plot("accuracy (%)", {**whole, name: excluded}),
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
