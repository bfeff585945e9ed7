"""The paper's figure 7: four measures that see the algorithm grow while the test loss is high."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _neurons

from grokviz.scene import Claim, Drawing, Scene, frequencies, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.outcome import outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase


FASTER = 4.0
"""So many times as far as the test loss the restricted loss falls, before that has halved."""

AHEAD = 0.4
"""So much more accurate the key waves alone are than the network on test pairs, when it groks."""

SHORT = {"Gini coefficient": "Gini", "sum of squares": "squares"}
"""Names of panels that are low."""

NAMED = 12
"""So many lines of cosines have room for a name; the others are grey."""


@dataclass(frozen=True)
class ProgressMeasures(Scene):
    """Excluded and restricted loss, Gini coefficients (or a ratio) and the sum of squares."""

    name = "progress-measures"
    panels = ("progress",)
    title = "While the test loss is still high, the generalising circuit grows"
    watch = "excluded loss rises and restricted loss falls while the test loss is high"
    source = "arXiv:2301.05217, figures 6, 7, 10, 11, 13 and 14"
    needs = (
        "excluded_loss_2d", "restricted_loss", "excluded_accuracy_2d", "restricted_accuracy",
        "loss", "accuracy", "gini_embedding", "gini_neuron_logit_map", "sum_squared_weights",
        "cosine_coefficient", "embedding_frequency_norm", "phase_end", "logged_train_loss",
        "logged_test_loss",
    )  # fmt: skip
    aspect = 1.75
    narrow_aspect = 0.62
    stills = ("grok", "last")
    # fewer panels make a flatter page
    aspects = {"show": {"accuracies": (2.3, 0.8), "cosines": (2.2, 1.05)}}  # noqa: RUF012
    paper_figures = {  # noqa: RUF012
        "6": {"third": "ratio"},
        "7": {},
        "10": {"show": "accuracies"},
        "11": {"show": "cosines"},
        "13": {"show": "accuracies"},
        "14": {"show": "cosines"},
    }

    show: Literal["losses", "accuracies", "cosines"] = option(
        "losses", "the four panels, the accuracies, or the logits' key cosines"
    )
    third: Literal["gini", "ratio"] = option(
        "gini", "third panel: Gini coefficients, or test loss over restricted loss"
    )

    def claim(self, data: xr.Dataset) -> Claim:
        """What the measures shown say of the network by the time it groks."""
        run, ends = outcome(data), clocks.phase_ends(data)
        if run.delay is None or ends is None:
            return Claim.instead(run.sentence)
        first, last = (int(np.abs(data["epoch"].values - end).argmin()) for end in ends[:2])
        if self.show == "losses":
            return _of_losses(data, first, last)
        return _of_accuracies(data, last) if self.show == "accuracies" else _of_cosines(data)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The panels, each with the phases shaded."""
        plots = self._plots(data)
        columns = 1 if style().narrow(figure) or len(plots) == 1 else 2
        rows = math.ceil(len(plots) / columns)
        grid = style().panels(
            figure, (1,) * columns, (1,) * rows, left=5.0, right=7.0, gap=11.8, vgap=1.5,
        )  # fmt: skip
        rooms = [axes for row in grid for axes in row]
        drawn, phases = [], _neurons.phases(figure)
        for i, (axes, plot) in enumerate(zip(rooms, plots, strict=False)):
            percent = plot.label.endswith("(%)")
            label = SHORT.get(plot.label, plot.label) if len(rooms) == rows > 2 else plot.label
            drawn.append(panels.CurvePanel(
                axes, data, plot.curves, ylabel=label, log=plot.log,
                ylim=(-4, 104) if percent else None, yticks=(0, 50, 100) if percent else None,
                phases="shaded" if phases == "named" and i >= columns else phases,
            ))  # fmt: skip
            if "$W_L$" in drawn[-1].traces:
                drawn[-1].traces["$W_L$"].line.set_linestyle((0, (2.5, 1.2)))
        panels.without_time(*rooms[: len(plots) - columns])
        return Drawing.of(*(panel.along(data["epoch"]) for panel in drawn))

    def description(self, data: xr.Dataset, i: int) -> str:
        """Each panel's numbers at that moment."""
        words = []
        for plot in self._plots(data):
            values = ", ".join(
                f"{name.lstrip('_')} {curve.y[i]:.3g}" for name, curve in plot.curves.items()
            )
            words.append(f"{plot.label}: {values}".replace("\n", " ").replace("$", ""))
        at = clocks.at(data, "epoch", i)
        count = "A panel" if len(words) == 1 else f"{len(words)} panels"
        return f"{count} over epochs, marked at {at}. {'; '.join(words)}."

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        texts = {
            "losses": "Excluded loss: on the training pairs, without cos and sin of $w_k(a+b)$ at "
            "the key frequencies. Restricted loss: on all pairs, with these alone. "
            + ("Gini coefficient of the Fourier components' norms in $W_E$ and $W_L$. "
               if self.third == "gini" else "Test loss over restricted loss. ")
            + "Sum of squares of all weights.",
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
        restricted = data["restricted_loss"].sel(split="all").values
        whole = panels.splits(data, "loss")
        gini = {
            "$W_E$": curve(data["gini_embedding"].values),
            "$W_L$": curve(data["gini_neuron_logit_map"].values, muted),
        }
        third = Plot("Gini coefficient", gini)
        if self.third == "ratio":
            test, nothing = data["loss"].sel(split="test").values, np.full(len(restricted), np.nan)
            known = np.isfinite(test) & np.isfinite(restricted) & (restricted > 0)
            ratio = curve(np.divide(test, restricted, out=nothing, where=known))
            third = Plot("test / restricted", {"ratio": ratio}, log=True)
        squares = curve(data["sum_squared_weights"].sum("parameter").values)
        excluded = curve(data["excluded_loss_2d"].values)
        return [
            Plot("loss", {**whole, "excluded": excluded}, log=True),
            Plot("loss", {**whole, "restricted": curve(restricted)}, log=True),
            third,
            Plot("sum of squares", {"all\nweights": squares}),
        ]


@dataclass(frozen=True)
class Plot:
    """What one panel shows."""

    label: str
    curves: dict[str, panels.Curve]
    log: bool = False


def _of_losses(data: xr.Dataset, first: int, last: int) -> Claim:
    """How far test and restricted loss fall from the end of memorisation until it groks."""
    test = data["loss"].sel(split="test").values[[first, last]]
    alone = data["restricted_loss"].sel(split="all").values[[first, last]]
    sentence = (
        f"Test loss falls from {test[0]:.2g} to {test[1]:.2g}, "
        f"restricted loss from {alone[0]:.2g} to {alone[1]:.2g}"
    )
    numbers = {"test": float(test[1] / test[0]), "restricted": float(alone[1] / alone[0])}
    if not numbers["restricted"] * FASTER <= numbers["test"]:
        return Claim.instead(sentence.replace("falls", "goes"), **numbers)
    return Claim(sentence, ProgressMeasures.watch, numbers=numbers)


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
    last = [float(curve.y[-1]) for curve in heights.values()] or [0.0]
    low, high = f"{min(last):.2g}", f"{max(last):.2g}"
    if not min(last) >= 1:
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
